//! kill -9 while an asynchronous ROP is at work, between its slices and inside them: what was told as
//! done is done, no message is lost or there twice, and counts, tables and subfolders agree
//! (MS-OXCPRPT 2.2.23, MS-OXCFOLD 3.1.5.2).

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::Path,
    thread,
    time::Duration,
};

use ropewalk_tests::{
    client::{Cells as _, Client, Error, Handle, Logon, NO_HANDLE, Rop, framing, tagged_values},
    fixture::{log_on, tag, text},
    server::TestServer,
};

use super::{PASSWORD, USERS, model::Random, provision, rounds, seed, upkeep::whole};

/// Messages of the two homes together: three slices of at most 1024 are needed for them.
const MESSAGES: usize = 2200;
/// Messages of the subfolder that one of the homes has.
const INNER: usize = 30;

/// One message or folder is in a commit with at most 1023 others.
fn start(dir: &Path) -> TestServer {
    let config = dir.join("config.toml");
    let text = "durability = \"always\"\n[limits]\nasynchronous_slice = \"0 ms\"\n";
    fs::write(&config, text).unwrap();
    TestServer::start_in(dir, &["--config", config.to_str().unwrap()])
}

/// What is in a folder: subjects with MID and read state, how many are soft-deleted, and subfolders.
#[derive(Debug)]
struct Seen {
    live: BTreeMap<String, (u64, bool)>,
    soft: usize,
    children: Vec<(String, u64)>,
}

impl Seen {
    fn keys(&self) -> BTreeSet<&String> {
        self.live.keys().collect()
    }

    fn read(&self) -> usize {
        self.live.values().filter(|(_, read)| *read).count()
    }
}

struct World {
    client: Client,
    logon: Logon,
}

impl World {
    fn open(&mut self, id: u64) -> Handle {
        self.client.open_folder(self.logon.handle, id).unwrap()
    }

    /// Saves messages with these subjects, twenty with one request.
    fn save(&mut self, folder: u64, subjects: &[String]) {
        for some in subjects.chunks(20) {
            let mut rops = Vec::new();
            for (index, subject) in some.iter().enumerate() {
                let slot = 1 + index as u8;
                let subject = tagged_values(&[(tag::SUBJECT, text(subject))]);
                rops.extend([
                    Rop::new(0x06, 0).u8(slot).u16(0x0FFF).u64(folder).u8(0),
                    Rop::new(0x0A, slot).sized(&subject),
                    Rop::new(0x0C, 0).u8(slot).u8(0),
                    Rop::new(0x01, slot),
                ]);
            }
            let mut handles = vec![NO_HANDLE; 21];
            handles[0] = self.logon.handle;
            self.client.execute(&rops, &handles).unwrap();
        }
    }

    /// Looks at a folder, whose counts and rows have to agree and which has no subject twice.
    fn look(&mut self, id: u64) -> Seen {
        let folder = self.open(id);
        let (table, _) = self.client.contents_table(folder, 0).unwrap();
        let columns = [tag::SUBJECT, tag::MID, tag::MESSAGE_FLAGS];
        let rows = self.client.query_all_rows(table, &columns).unwrap();
        self.client.release(table).unwrap();
        let mut live = BTreeMap::new();
        for row in &rows {
            let found = (row.id(1), row.int(2) & 1 != 0);
            let twice = live.insert(row.text(0), found);
            assert_eq!(twice, None, "{} is there twice", row.text(0));
        }
        let (table, soft) = self.client.contents_table(folder, 0x20).unwrap();
        self.client.release(table).unwrap();
        let (table, _) = self.client.hierarchy_table(folder, 0).unwrap();
        let columns = [tag::DISPLAY_NAME, tag::FOLDER_ID];
        let children = self.client.query_all_rows(table, &columns).unwrap();
        let children = children.iter().map(|row| (row.text(0), row.id(1)));
        let children: Vec<_> = children.collect();
        self.client.release(table).unwrap();
        let tags = [
            tag::CONTENT_COUNT,
            tag::CONTENT_UNREAD_COUNT,
            tag::SUBFOLDERS,
        ];
        let counts = self.client.get_props(folder, &tags).unwrap();
        self.client.release(folder).unwrap();
        let seen = Seen {
            live,
            soft: soft as usize,
            children,
        };
        let expected = (seen.live.len(), seen.live.len() - seen.read());
        let told = (counts.int(0) as usize, counts.int(1) as usize);
        assert_eq!(told, expected, "counts of {id:#x}");
        assert_eq!(counts.flag(2), !seen.children.is_empty(), "{id:#x}");
        seen
    }
}

/// How far the client knows a ROP to have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// So many messages and folders are done.
    Done(usize),
    /// All of it is.
    All,
}

/// Asks for a ROP and goes on with it until it is over or the server is gone.
fn until_killed(client: &mut Client, first: &Rop, handles: [Handle; 2]) -> Known {
    let mut rop = first.clone();
    let mut known = Known::Done(0);
    loop {
        let payload = framing::rop_buffer(rop.as_bytes(), &handles);
        let rops = match client.execute_payload(&payload) {
            Ok(payload) => payload.rops,
            Err(Error::Io(_)) => return known,
            Err(error) => panic!("{rop:02x?}: {error}"),
        };
        let number = |at: usize| u32::from_le_bytes(rops[at..at + 4].try_into().unwrap());
        assert_eq!(number(2), 0, "{rops:02x?}");
        if rops[0] != 0x50 {
            assert_eq!(rops[0], first.id());
            // PartialCompletion, or no PropertyProblems.
            assert!(rops[6..].iter().all(|byte| *byte == 0), "{rops:02x?}");
            return Known::All;
        }
        // CompletedTaskCount.
        known = Known::Done(number(7) as usize);
        rop = Rop::new(0x50, 0).u8(0);
    }
}

/// The ROPs of this test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Move,
    CopyToMove,
    CopyFolder,
    Empty { hard: bool },
    SetRead { read: bool },
}

/// So many messages are a number of whole commits with `other` items beside them, or all.
fn is_whole(count: usize, all: usize, other: usize) -> bool {
    count == all || count == 0 || (count + other).is_multiple_of(1024)
}

#[test]
fn an_operation_in_flight_at_kill_9_has_done_whole_slices() {
    let dir = tempfile::tempdir().unwrap();
    let dn = provision(dir.path())[0].clone();
    let mut random = Random(seed());
    let mut server = start(dir.path());
    let (client, logon) = log_on(&server, USERS[0], PASSWORD, &dn);
    let mut world = World { client, logon };
    let inbox_id = world.logon.inbox();
    let inbox = world.open(inbox_id);
    let mut make = |parent, name| world.client.create_folder(parent, name).unwrap();
    let homes = ["A", "B"].map(|name| make(inbox, name));
    let copies = make(inbox, "copies").folder_id;
    let inner = make(homes[0].handle, "inner").folder_id;
    let homes = homes.map(|home| home.folder_id);
    let subjects: Vec<String> = (0..MESSAGES).map(|n| format!("number {n}")).collect();
    world.save(homes[0], &subjects);
    let below: Vec<String> = (0..INNER).map(|n| format!("inner {n}")).collect();
    world.save(inner, &below);
    let everything: BTreeSet<&String> = subjects.iter().collect();
    let mut used: HashSet<u64> = HashSet::new();
    let mut in_the_middle = 0;
    for round in 0..rounds(6) {
        let before = homes.map(|id| world.look(id));
        let from = usize::from(before[1].live.len() > before[0].live.len());
        let (from_id, to_id) = (homes[from], homes[1 - from]);
        used.extend(
            before
                .iter()
                .flat_map(|seen| &seen.live)
                .map(|(_, of)| of.0),
        );
        let copy = world.look(copies).children.first().cloned();
        let act = match (random.below(6), &copy) {
            (0, _) => Act::Move,
            (1, _) => Act::CopyToMove,
            (2, _) => Act::SetRead {
                read: before[from].read() < before[from].live.len() / 2,
            },
            (3 | 4, Some(_)) => Act::Empty {
                hard: random.below(2) == 0,
            },
            _ => Act::CopyFolder,
        };
        // A move names its messages in this order.
        let named: Vec<(String, u64)> = before[from]
            .live
            .iter()
            .map(|(subject, (id, _))| (subject.clone(), *id))
            .collect();
        let copy_id = copy.map_or(0, |(_, id)| id);
        let copied = match act {
            Act::Empty { .. } => Some(world.look(copy_id)),
            _ => None,
        };
        let (on, dest) = match act {
            Act::Move | Act::CopyToMove => (from_id, to_id),
            Act::CopyFolder => (inbox_id, copies),
            Act::Empty { .. } => (copy_id, copy_id),
            Act::SetRead { .. } => (from_id, from_id),
        };
        let handles = [world.open(on), world.open(dest)];
        let rop = match act {
            Act::Move => {
                let mids: Vec<u64> = named.iter().map(|(_, id)| *id).collect();
                Rop::new(0x33, 0).u8(1).ids(&mids).u8(1).u8(0)
            }
            Act::CopyToMove => {
                let rop = Rop::new(0x39, 0).u8(1).u8(1).u8(1).u8(1);
                rop.tags(&[tag::DISPLAY_NAME])
            }
            Act::CopyFolder => Rop::new(0x36, 0)
                .u8(1)
                .u8(1)
                .u8(1)
                .u8(1)
                .u64(from_id)
                .utf16_z(&format!("copy {round}")),
            Act::Empty { hard } => Rop::new(if hard { 0x92 } else { 0x58 }, 0).u8(1).u8(0),
            Act::SetRead { read } => {
                let flags = if read { 0x00 } else { 0x04 };
                Rop::new(0x66, 0).u8(1).u8(flags).ids(&[])
            }
        };
        let life = Duration::from_micros(random.below(150_000));
        let client = &mut world.client;
        let known = thread::scope(|scope| {
            let asked = scope.spawn(move || until_killed(client, &rop, handles));
            // The moment of the kill is the point of the test.
            thread::sleep(life);
            server.kill();
            asked.join().unwrap()
        });
        println!("round {round}: {act:?}, {life:?}, {known:?}");
        if random.below(3) == 0 {
            whole(dir.path(), None, &format!("round {round}"));
        }
        server = start(dir.path());
        (world.client, world.logon) = log_on(&server, USERS[0], PASSWORD, &dn);
        let after = homes.map(|id| world.look(id));
        let [source, target] = [&after[from], &after[1 - from]];

        // Each message and the subfolder are in one home, whatever went on.
        assert!(source.keys().is_disjoint(&target.keys()), "{act:?}");
        let union: BTreeSet<&String> = source.keys().union(&target.keys()).copied().collect();
        assert_eq!(union, everything, "{act:?}");
        let children = [&source.children[..], &target.children[..]].concat();
        assert_eq!(children, [("inner".to_owned(), inner)], "{act:?}");
        assert!(
            world
                .look(inner)
                .keys()
                .into_iter()
                .eq(below.iter().collect::<BTreeSet<_>>())
        );
        for (subject, (id, _)) in &target.live {
            let old = before[1 - from].live.get(subject);
            assert!(
                old.is_some_and(|old| old.0 == *id) || used.insert(*id),
                "{subject}: the id {id:#x} is used again"
            );
        }
        let moved = before[from].live.len() - source.live.len();
        let all = before[from].live.len();
        match act {
            Act::Move => {
                assert!(is_whole(moved, all, 0), "{moved}");
                // In the order in which they were named.
                let gone = |(subject, _): &&(String, u64)| !source.live.contains_key(subject);
                assert_eq!(named.iter().take_while(gone).count(), moved);
                match known {
                    Known::Done(done) => assert!(moved >= done, "{moved} of {done}"),
                    Known::All => assert_eq!(moved, all),
                }
                in_the_middle += u32::from(moved > 0 && moved < all);
            }
            Act::CopyToMove => {
                assert!(is_whole(moved, all, 0), "{moved}");
                let had_inner = usize::from(!before[from].children.is_empty());
                let folder = had_inner - usize::from(!source.children.is_empty());
                // Subfolders go first.
                assert!(moved == 0 || folder == had_inner);
                match known {
                    Known::Done(done) => assert!(moved + folder >= done, "{moved} of {done}"),
                    Known::All => assert_eq!((moved, folder), (all, had_inner)),
                }
                in_the_middle += u32::from(moved > 0 && moved < all);
            }
            Act::SetRead { read } => {
                assert_eq!(moved, 0);
                let old = |seen: &Seen| if read { seen.read() } else { all - seen.read() };
                match known {
                    Known::Done(done) => assert!(old(source) >= done.min(all)),
                    Known::All => assert_eq!(old(source), all),
                }
                let (old, new) = (old(&before[from]), old(source));
                assert!(new >= old, "{new} of {old}");
                in_the_middle += u32::from(new > old && new < all);
            }
            Act::CopyFolder => {
                assert_eq!(moved, 0);
                let name = format!("copy {round}");
                let made = world.look(copies).children;
                let made: Vec<_> = made.iter().filter(|(of, _)| *of == name).collect();
                let done = match made[..] {
                    [] => 0,
                    [(_, id)] => {
                        let copy = world.look(*id);
                        assert!(copy.keys().is_subset(&source.keys()));
                        assert!(copy.children.len() <= source.children.len());
                        let mut done = 1 + copy.live.len();
                        for (name, id) in &copy.children {
                            assert_eq!(name, "inner");
                            let copied = world.look(*id);
                            assert!(copied.live.keys().all(|key| below.contains(key)));
                            done += 1 + copied.live.len();
                        }
                        done
                    }
                    _ => panic!("{name} is there twice"),
                };
                let most = 1 + all + source.children.len() * (1 + INNER);
                assert!(is_whole(done, most, 0), "{done} of {most}");
                match known {
                    Known::Done(known) => assert!(done >= known, "{done} of {known}"),
                    Known::All => assert_eq!(done, most),
                }
                in_the_middle += u32::from(done > 0 && done < most);
            }
            Act::Empty { hard } => {
                let (old, new) = (copied.unwrap(), world.look(copy_id));
                assert_eq!(moved, 0);
                assert!(new.keys().is_subset(&old.keys()));
                if !hard {
                    let sum = |seen: &Seen| seen.live.len() + seen.soft;
                    assert_eq!(sum(&new), sum(&old), "soft-deleted ones are kept");
                }
                if known == Known::All {
                    assert_eq!((new.live.len(), new.children.len()), (0, 0));
                }
                in_the_middle += u32::from(new.live.len() < old.live.len() && !new.live.is_empty());
                // Another one is made later.
                let folder = world.open(copies);
                let deleted = world.client.delete_folder(folder, copy_id, 0x15);
                assert_eq!(deleted.unwrap(), 0);
            }
        }
    }
    println!("{in_the_middle} in the middle");
}
