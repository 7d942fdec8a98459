//! Asynchronous ROPs and RopProgress (MS-OXCFOLD 3.1.5.2, MS-OXCPRPT 2.2.23, 3.2.5.20 and 4.5): what
//! takes long goes on bit by bit, is told of, and can be stopped.
//!
//! The servers here do as little as they can with one request: 1024 messages or folders.

use std::{fs, path::Path};

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, NO_HANDLE, Rop, framing, logon_rop},
    command::done,
    fixture::{ADA, PASSWORD, code, fails, legacy_dn, log_on, new_folder, new_message, tag},
    server::{TestServer, add_user},
};

const AT_ONCE: u32 = 1024;
const NO: u8 = 0;
const YES: u8 = 1;

fn start(dir: &Path) -> TestServer {
    let config = dir.join("config.toml");
    let text = "durability = \"always\"\n[limits]\nasynchronous_slice = \"0 ms\"\n";
    fs::write(&config, text).unwrap();
    TestServer::start_in(dir, &["--config", config.to_str().unwrap()])
}

struct World {
    dir: tempfile::TempDir,
    server: TestServer,
    client: Client,
    logon: Logon,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = start(dir.path());
        add_user(dir.path(), ADA, "Ada", PASSWORD);
        let dn = legacy_dn(dir.path(), ADA);
        let (client, logon) = log_on(&server, ADA, PASSWORD, &dn);
        Self {
            dir,
            server,
            client,
            logon,
        }
    }

    /// The same mailbox after a `kill -9`.
    fn killed(self) -> Self {
        let Self {
            dir, mut server, ..
        } = self;
        server.kill();
        drop(server);
        let server = start(dir.path());
        let dn = legacy_dn(dir.path(), ADA);
        let (client, logon) = log_on(&server, ADA, PASSWORD, &dn);
        Self {
            dir,
            server,
            client,
            logon,
        }
    }

    fn folder(&mut self) -> (Handle, u64) {
        new_folder(&mut self.client, &self.logon)
    }

    /// A folder with so many messages, and their MIDs.
    fn full(&mut self, count: usize) -> (Handle, u64, Vec<u64>) {
        let (folder, id) = self.folder();
        for number in 0..4 {
            let subject = format!("number {number}");
            let (message, _) = new_message(&mut self.client, folder, id, &subject);
            self.client.release(message).unwrap();
        }
        loop {
            let mut mids = self.mids(folder);
            if mids.len() >= count {
                return (folder, id, mids);
            }
            mids.truncate(count - mids.len());
            for mids in mids.chunks(4000) {
                let copied = self.client.move_copy_messages(folder, folder, mids, true);
                assert_eq!(copied.unwrap(), NO);
            }
        }
    }

    fn rows(&mut self, folder: Handle, columns: &[u32]) -> Vec<ropewalk_tests::client::Row> {
        let (table, count) = self.client.contents_table(folder, 0).unwrap();
        let rows = self.client.query_all_rows(table, columns).unwrap();
        assert_eq!(rows.len(), count as usize);
        self.client.release(table).unwrap();
        rows
    }

    fn mids(&mut self, folder: Handle) -> Vec<u64> {
        let rows = self.rows(folder, &[tag::MID]);
        rows.iter().map(|row| row.id(0)).collect()
    }

    /// Messages of a folder; its count and its table agree, and each message is whole.
    fn count(&mut self, folder: Handle) -> u32 {
        let rows = self.rows(folder, &[tag::MID, tag::SUBJECT]);
        for row in &rows {
            assert!(row.text(1).starts_with("number "), "{:?}", row.text(1));
        }
        let count = self
            .client
            .get_props(folder, &[tag::CONTENT_COUNT])
            .unwrap();
        assert_eq!(count.int(0) as usize, rows.len());
        rows.len() as u32
    }

    fn children(&mut self, folder: Handle) -> Vec<(String, u64)> {
        let (table, _) = self.client.hierarchy_table(folder, 0).unwrap();
        let columns = [tag::DISPLAY_NAME, tag::FOLDER_ID];
        let rows = self.client.query_all_rows(table, &columns).unwrap();
        self.client.release(table).unwrap();
        let child = |row: &ropewalk_tests::client::Row| (row.text(0), row.id(1));
        rows.iter().map(child).collect()
    }

    fn ask(&mut self, rop: &Rop, handles: [Handle; 2]) -> Told {
        let payload = framing::rop_buffer(rop.as_bytes(), &handles);
        let answer = self.client.execute_payload(&payload).unwrap();
        Told::of(&answer.rops)
    }

    fn go_on(&mut self, handle: Handle) -> Told {
        self.ask(&Rop::new(0x50, 0).u8(0), [handle, NO_HANDLE])
    }

    fn cancel(&mut self, handle: Handle) -> Told {
        self.ask(&Rop::new(0x50, 0).u8(1), [handle, NO_HANDLE])
    }

    /// Asks for progress until it is over: how it ended, and how often it went on.
    fn until_over(&mut self, handle: Handle, first: Told) -> (Told, u32) {
        let (mut told, mut times, mut before) = (first, 0, 0);
        while let Told::Going(done, of) = told {
            assert!(done > before && done <= of, "{done} of {of}");
            (before, times) = (done, times + 1);
            told = self.go_on(handle);
        }
        (told, times)
    }
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// So many tasks of so many are done.
    Going(u32, u32),
    /// The ROP with this RopId is answered: ReturnValue, and what follows.
    Over(u8, u32, Vec<u8>),
}

impl Told {
    fn of(rops: &[u8]) -> Self {
        let number = |at: usize| u32::from_le_bytes(rops[at..at + 4].try_into().unwrap());
        let (rop_id, index, code) = (rops[0], rops[1], number(2));
        assert_eq!(index, 0);
        if rop_id == 0x50 && code == 0 {
            // LogonId, CompletedTaskCount, TotalTaskCount.
            assert_eq!((rops.len(), rops[6]), (15, 0));
            return Self::Going(number(7), number(11));
        }
        Self::Over(rop_id, code, rops[6..].to_vec())
    }
}

fn nothing_goes_on() -> Told {
    Told::Over(0x50, code::NOT_SUPPORTED, Vec::new())
}

fn empty(hard: bool) -> Rop {
    Rop::new(if hard { 0x92 } else { 0x58 }, 0).u8(1).u8(0)
}

fn delete(mids: &[u64], hard: bool) -> Rop {
    let id = if hard { 0x91 } else { 0x1E };
    Rop::new(id, 0).u8(1).u8(0).ids(mids)
}

fn move_copy(mids: &[u64], copy: bool) -> Rop {
    Rop::new(0x33, 0).u8(1).ids(mids).u8(1).u8(u8::from(copy))
}

fn set_read(mids: &[u64], flags: u8) -> Rop {
    Rop::new(0x66, 0).u8(1).u8(flags).ids(mids)
}

fn copy_folder(folder_id: u64, name: &str) -> Rop {
    Rop::new(0x36, 0)
        .u8(1)
        .u8(1)
        .u8(1)
        .u8(1)
        .u64(folder_id)
        .utf16_z(name)
}

/// RopCopyTo with all that is in the folder, but not its name.
fn copy_to(flags: u8) -> Rop {
    let rop = Rop::new(0x39, 0).u8(1).u8(1).u8(1).u8(flags);
    rop.tags(&[tag::DISPLAY_NAME])
}

// MS-OXCPRPT 4.5, with another number of messages.
#[test]
fn emptying_a_folder_is_told_as_in_the_example() {
    let mut world = World::new();
    let (folder, _, _) = world.full(2500);
    let client = &mut world.client;
    let mut ask = |rop: &[u8]| {
        let payload = framing::rop_buffer(rop, &[folder]);
        client.execute_payload(&payload).unwrap().rops
    };
    let progress = |done: u32| {
        let head = [0x50, 0, 0, 0, 0, 0, 0];
        [&head[..], &done.to_le_bytes(), &2500_u32.to_le_bytes()].concat()
    };
    assert_eq!(ask(&[0x58, 0, 0, 1, 0]), progress(AT_ONCE));
    assert_eq!(ask(&[0x50, 0, 0, 0]), progress(2 * AT_ONCE));
    // RopEmptyFolder: success, complete.
    assert_eq!(ask(&[0x50, 0, 0, 0]), [0x58, 0, 0, 0, 0, 0, 0]);
    // It was told.
    assert_eq!(ask(&[0x50, 0, 0, 0]), [0x50, 0, 2, 1, 4, 0x80]);
    assert_eq!(world.count(folder), 0);
}

#[test]
fn messages_are_deleted_moved_copied_and_marked_bit_by_bit() {
    let mut world = World::new();
    let (source, source_id, mids) = world.full(3000);
    let (dest, _) = world.folder();
    let most = mids.len() as u32;
    let over = |rop_id, partial| Told::Over(rop_id, 0, vec![partial]);
    let first = Told::Going(AT_ONCE, most);

    let copy = world.ask(&move_copy(&mids, true), [source, dest]);
    assert_eq!(copy, first);
    // Others see it, and it is all there is between two requests.
    assert_eq!(world.count(dest), AT_ONCE);
    assert_eq!(world.until_over(source, copy), (over(0x33, NO), 2));
    assert_eq!((world.count(source), world.count(dest)), (most, most));

    let read = world.ask(&set_read(&[], 0), [dest, NO_HANDLE]);
    assert_eq!(read, first);
    let unread = |world: &mut World| {
        let row = world.client.get_props(dest, &[tag::CONTENT_UNREAD_COUNT]);
        row.unwrap().int(0) as u32
    };
    let before = unread(&mut world);
    let read = world.go_on(dest);
    assert!(unread(&mut world) <= before);
    assert_eq!(world.until_over(dest, read), (over(0x66, NO), 1));
    assert_eq!(unread(&mut world), 0);

    // With a message that is not there.
    let mut named = world.mids(dest);
    named.insert(7, source_id);
    let moved = world.ask(&move_copy(&named, false), [dest, source]);
    assert_eq!(moved, Told::Going(AT_ONCE, most + 1));
    assert_eq!(world.until_over(dest, moved), (over(0x33, YES), 2));
    assert_eq!((world.count(source), world.count(dest)), (2 * most, 0));

    let all = world.mids(source);
    let soft = world.ask(&delete(&all[..3000], false), [source, NO_HANDLE]);
    assert_eq!(world.until_over(source, soft), (over(0x1E, NO), 2));
    let hard = world.ask(&delete(&all[1500..5500], true), [source, NO_HANDLE]);
    // Those that are soft-deleted are there for that.
    assert_eq!(world.until_over(source, hard), (over(0x91, NO), 3));
    assert_eq!(world.count(source), 500);
    let again = world.ask(&delete(&all[..1100], false), [source, NO_HANDLE]);
    assert_eq!(world.until_over(source, again), (over(0x1E, YES), 1));
}

#[test]
fn folders_are_copied_and_emptied_bit_by_bit() {
    let mut world = World::new();
    let (top, top_id, mids) = world.full(1500);
    let inner = world.client.create_folder(top, "inner").unwrap();
    let copied = world
        .client
        .move_copy_messages(top, inner.handle, &mids[..700], true);
    assert_eq!(copied.unwrap(), NO);
    let (dest, _) = world.folder();
    let inbox = world.logon.inbox();
    let inbox = world.client.open_folder(world.logon.handle, inbox).unwrap();
    let told = world.ask(&copy_folder(top_id, "copy"), [inbox, dest]);
    // Two folders, 2200 messages.
    assert_eq!(told, Told::Going(AT_ONCE, 2202));
    let complete = |rop_id| Told::Over(rop_id, 0, vec![NO]);
    assert_eq!(world.until_over(inbox, told), (complete(0x36), 2));
    let children = world.children(dest);
    assert_eq!(children[0].0, "copy");
    let copy = world
        .client
        .open_folder(world.logon.handle, children[0].1)
        .unwrap();
    let below = world.children(copy);
    assert_eq!(below[0].0, "inner");
    let deep = world
        .client
        .open_folder(world.logon.handle, below[0].1)
        .unwrap();
    assert_eq!((world.count(copy), world.count(deep)), (1500, 700));

    // RopCopyTo, and RopCopyProperties of what is in the folder.
    for rop in [
        copy_to(0),
        Rop::new(0x67, 0)
            .u8(1)
            .u8(1)
            .u8(0)
            .tags(&[0x360F_000D, 0x360E_000D]),
    ] {
        let (other, _) = world.folder();
        let told = world.ask(&rop, [top, other]);
        // The subfolder comes first: it and what is in it is a part of its own.
        assert_eq!(told, Told::Going(701, 2201));
        let no_problems = Told::Over(rop.id(), 0, vec![0, 0]);
        assert_eq!(world.until_over(top, told), (no_problems, 2));
        assert_eq!((world.count(other), world.children(other).len()), (1500, 1));
    }
    // Moved: the subfolder as a whole.
    let (other, _) = world.folder();
    let told = world.ask(&copy_to(1), [copy, other]);
    assert_eq!(told, Told::Going(1, 1501));
    let no_problems = Told::Over(0x39, 0, vec![0, 0]);
    assert_eq!(world.until_over(copy, told), (no_problems, 2));
    assert_eq!((world.count(copy), world.children(copy).len()), (0, 0));
    assert_eq!((world.count(other), world.children(other).len()), (1500, 1));

    let told = world.ask(&empty(false), [top, NO_HANDLE]);
    assert_eq!(told, Told::Going(AT_ONCE, 2201));
    assert_eq!(world.until_over(top, told), (complete(0x58), 2));
    assert_eq!((world.count(top), world.children(top).len()), (0, 0));

    // For good, folders are what counts: what is in one goes with it.
    let told = world.ask(&empty(true), [other, NO_HANDLE]);
    assert_eq!(told, complete(0x92));
    let (wide, _) = world.folder();
    let row = world.client.create_folder(dest, "row").unwrap();
    for number in 0..40 {
        let folder = world
            .client
            .create_folder(row.handle, &format!("f{number}"));
        world.client.release(folder.unwrap().handle).unwrap();
    }
    for number in 0..26 {
        let name = format!("row {number}");
        let copied = world
            .client
            .copy_folder(dest, wide, row.folder_id, &name, true);
        assert_eq!(copied.unwrap(), NO);
    }
    let told = world.ask(&empty(true), [wide, NO_HANDLE]);
    assert_eq!(told, Told::Going(AT_ONCE, 26 * 41 + 1));
    assert_eq!(world.until_over(wide, told), (complete(0x92), 1));
    assert!(world.children(wide).is_empty());
    // A folder is moved at once, however much is in it.
    let rop = Rop::new(0x35, 0)
        .u8(1)
        .u8(1)
        .u8(1)
        .u64(top_id)
        .utf16_z("moved");
    assert_eq!(world.ask(&rop, [inbox, dest]), complete(0x35));
}

#[test]
fn what_is_cancelled_is_done_in_part() {
    let mut world = World::new();
    let (source, source_id, mids) = world.full(3000);
    let (dest, _) = world.folder();
    let inbox = world.logon.inbox();
    let inbox = world.client.open_folder(world.logon.handle, inbox).unwrap();
    let partial = |rop_id| Told::Over(rop_id, 0, vec![YES]);
    for (rop, on) in [
        (move_copy(&mids, true), source),
        (move_copy(&mids[..2000], false), source),
        (set_read(&[], 0), source),
        (copy_folder(source_id, "copy"), inbox),
        (empty(false), source),
    ] {
        let told = world.ask(&rop, [on, dest]);
        assert!(matches!(told, Told::Going(1024, _)), "{told:?}");
        assert_eq!(world.cancel(on), partial(rop.id()));
        assert_eq!(world.go_on(on), nothing_goes_on());
        assert_eq!(world.cancel(on), nothing_goes_on());
    }
    // 3000 less 1024 moved and 1024 deleted; 1024 copied and 1024 moved.
    assert_eq!(world.count(source), 3000 - 2 * AT_ONCE);
    assert_eq!(world.count(dest), 2 * AT_ONCE);
    let copy = world.children(dest);
    let copy = world
        .client
        .open_folder(world.logon.handle, copy[0].1)
        .unwrap();
    assert_eq!(world.count(copy), AT_ONCE - 1);
    // MAPI_E_USER_CANCEL, as there is no PartialCompletion.
    let told = world.ask(&copy_to(0), [dest, source]);
    assert!(matches!(told, Told::Going(..)), "{told:?}");
    assert_eq!(
        world.cancel(dest),
        Told::Over(0x39, 0x8004_0113, Vec::new())
    );
    for hard in [false, true] {
        let (folder, _, mids) = world.full(1030);
        let told = world.ask(&delete(&mids, hard), [folder, NO_HANDLE]);
        assert_eq!(told, Told::Going(AT_ONCE, 1030));
        let rop_id = if hard { 0x91 } else { 0x1E };
        assert_eq!(world.cancel(folder), partial(rop_id));
        assert_eq!(world.count(folder), 6);
    }
}

#[test]
fn two_go_on_beside_each_other_while_the_session_does_other_things() {
    let mut world = World::new();
    let (source, source_id, mids) = world.full(2500);
    let (dest, _) = world.folder();
    let inbox = world.logon.inbox();
    let inbox = world.client.open_folder(world.logon.handle, inbox).unwrap();
    let first = world.ask(&move_copy(&mids, true), [source, dest]);
    let second = world.ask(&copy_folder(source_id, "copy"), [inbox, dest]);
    assert_eq!(first, Told::Going(AT_ONCE, 2500));
    assert_eq!(second, Told::Going(AT_ONCE, 2501));
    // A third one on a handle that has one is done at once.
    let third = world.ask(&delete(&mids[..1100], false), [source, NO_HANDLE]);
    assert_eq!(third, Told::Over(0x1E, 0, vec![NO]));
    // Both in one buffer.
    let rops = [Rop::new(0x50, 0).u8(0), Rop::new(0x50, 1).u8(0)];
    let answer = world.client.execute(&rops, &[source, inbox]).unwrap();
    assert_eq!(answer.rops.len(), 30);
    assert_eq!(
        (answer.rops[0], answer.rops[15], answer.rops[16]),
        (0x50, 0x50, 1)
    );
    assert_eq!(world.count(dest), 2 * AT_ONCE);
    let second = world.go_on(inbox);
    assert_eq!(second, Told::Over(0x36, 0, vec![NO]));
    let first = world.go_on(source);
    // The soft-deleted ones are still named; the copies are what they are.
    assert_eq!(first, Told::Over(0x33, 0, vec![NO]));
    assert_eq!(world.count(source), 1400);
}

#[test]
fn a_failure_half_way_leaves_what_was_done_and_says_so() {
    let mut world = World::new();
    let (_, source_id, _) = world.full(2500);
    let (dest, _) = world.folder();
    let inbox = world.logon.inbox();
    let inbox = world.client.open_folder(world.logon.handle, inbox).unwrap();
    let told = world.ask(&copy_folder(source_id, "copy"), [inbox, dest]);
    assert_eq!(told, Told::Going(AT_ONCE, 2501));
    let dir = world.server.data_dir().to_owned();
    done(
        &dir,
        None,
        &[
            "user",
            "quota",
            ADA,
            "--warn",
            "1 KiB",
            "--send",
            "1 KiB",
            "--receive",
            "1 KiB",
        ],
    );
    // ecQuotaExceeded, PartialCompletion.
    let failed = world.go_on(inbox);
    assert_eq!(failed, Told::Over(0x36, 0x0000_04D9, vec![YES]));
    assert_eq!(world.go_on(inbox), nothing_goes_on());
    let copy = world.children(dest);
    let copy = world
        .client
        .open_folder(world.logon.handle, copy[0].1)
        .unwrap();
    assert_eq!(world.count(copy), AT_ONCE - 1);
    // Nothing was done of one that has no room from the beginning.
    let told = world.ask(&copy_folder(source_id, "another"), [inbox, dest]);
    assert_eq!(told, Told::Over(0x36, 0x0000_04D9, vec![NO]));
    assert_eq!(world.children(dest).len(), 1);
}

#[test]
fn it_ends_with_its_handle_and_with_its_session() {
    let mut world = World::new();
    let (folder, id, mids) = world.full(3100);
    let told = world.ask(&delete(&mids, true), [folder, NO_HANDLE]);
    assert_eq!(told, Told::Going(AT_ONCE, 3100));
    world.client.release(folder).unwrap();
    let handles = [folder, NO_HANDLE];
    let Told::Over(0x50, gone, _) = world.ask(&Rop::new(0x50, 0).u8(0), handles) else {
        panic!("a released handle has no operation")
    };
    assert_eq!(gone, code::INVALID_OBJECT);
    let folder = world.client.open_folder(world.logon.handle, id).unwrap();
    assert_eq!(world.go_on(folder), nothing_goes_on());
    assert_eq!(world.count(folder), 3100 - AT_ONCE);
    // Disconnect.
    let told = world.ask(&empty(false), [folder, NO_HANDLE]);
    assert_eq!(told, Told::Going(AT_ONCE, 3100 - AT_ONCE));
    world.client.disconnect().unwrap();
    let dn = legacy_dn(world.server.data_dir(), ADA);
    (world.client, world.logon) = log_on(&world.server, ADA, PASSWORD, &dn);
    let folder = world.client.open_folder(world.logon.handle, id).unwrap();
    assert_eq!(world.count(folder), 3100 - 2 * AT_ONCE);
    // The logon.
    let mids = world.mids(folder);
    let (dest, _) = world.folder();
    let copies = [&mids[..], &mids[..]].concat();
    let told = world.ask(&move_copy(&copies, true), [folder, dest]);
    assert_eq!(told, Told::Going(AT_ONCE, 2 * (3100 - 2 * AT_ONCE)));
    let logon = world.logon.handle;
    world.client.release(logon).unwrap();
    world.logon = world.client.logon().unwrap();
    let folder = world.client.open_folder(world.logon.handle, id).unwrap();
    assert_eq!(world.go_on(folder), nothing_goes_on());
}

#[test]
fn what_a_killed_server_had_told_is_done_and_no_message_by_halves() {
    let mut world = World::new();
    let (source, source_id, mids) = world.full(3000);
    let (dest, dest_id) = world.folder();
    let inbox = world.logon.inbox();
    let inbox = world.client.open_folder(world.logon.handle, inbox).unwrap();
    let moved = world.ask(&move_copy(&mids, false), [source, dest]);
    assert_eq!(moved, Told::Going(AT_ONCE, 3000));
    let copied = world.ask(&copy_folder(source_id, "copy"), [inbox, dest]);
    assert_eq!(copied, Told::Going(AT_ONCE, 3000 - AT_ONCE + 1));
    assert_eq!(world.go_on(source), Told::Going(2 * AT_ONCE, 3000));
    let mut world = world.killed();
    let source = world
        .client
        .open_folder(world.logon.handle, source_id)
        .unwrap();
    let dest = world
        .client
        .open_folder(world.logon.handle, dest_id)
        .unwrap();
    assert_eq!(world.count(source), 3000 - 2 * AT_ONCE);
    assert_eq!(world.count(dest), 2 * AT_ONCE);
    let children = world.children(dest);
    let copy = world
        .client
        .open_folder(world.logon.handle, children[0].1)
        .unwrap();
    assert_eq!(world.count(copy), AT_ONCE - 1);
    assert_eq!(world.go_on(source), nothing_goes_on());
    // Nothing of it is in the way of doing it again.
    let moved = world.mids(source);
    let moved = world.ask(&move_copy(&moved, false), [source, dest]);
    assert_eq!(moved, Told::Over(0x33, 0, vec![NO]));
    assert_eq!(world.count(dest), 3000);
}

// MS-OXCMSG 3.2.5.10: without SUPPORT_PROGRESS in the logon, RopSetReadFlags alone is done at once.
#[test]
fn read_flags_are_set_at_once_for_who_knows_no_progress() {
    let mut world = World::new();
    let (folder, id, mids) = world.full(3000);
    world.client.release(folder).unwrap();
    let dn = world.client.user_dn().to_owned();
    let logon = world.client.logon_with(0x01, 0x0100_000C, &dn).unwrap();
    let folder = world.client.open_folder(logon.handle, id).unwrap();
    let told = world.ask(&set_read(&[], 0x04), [folder, NO_HANDLE]);
    assert_eq!(told, Told::Over(0x66, 0, vec![NO]));
    let row = world.client.get_props(folder, &[tag::CONTENT_UNREAD_COUNT]);
    assert_eq!(row.unwrap().int(0) as usize, mids.len());
    let told = world.ask(&set_read(&[], 0x00), [folder, NO_HANDLE]);
    assert_eq!(told, Told::Over(0x66, 0, vec![NO]));
}

#[test]
fn little_is_done_at_once_and_wrong_requests_fail_as_they_do() {
    let mut world = World::new();
    let (folder, id, mids) = world.full(1000);
    let (dest, _) = world.folder();
    let inbox = world.logon.inbox();
    let inbox = world.client.open_folder(world.logon.handle, inbox).unwrap();
    let complete = |rop_id| Told::Over(rop_id, 0, vec![NO]);
    assert_eq!(
        world.ask(&set_read(&[], 0), [folder, NO_HANDLE]),
        complete(0x66)
    );
    assert_eq!(
        world.ask(&move_copy(&mids, true), [folder, dest]),
        complete(0x33)
    );
    assert_eq!(
        world.ask(&copy_folder(id, "copy"), [inbox, dest]),
        complete(0x36)
    );
    assert_eq!(
        world.ask(&empty(false), [folder, NO_HANDLE]),
        complete(0x58)
    );
    // A destination that is none (MS-OXCROPS 2.2.4.6.3), a name that is taken, a folder into itself.
    let told = world.ask(&move_copy(&mids, true), [folder, NO_HANDLE]);
    let none = Told::Over(0x33, code::NULL_DESTINATION_OBJECT, vec![1, 0, 0, 0, NO]);
    assert_eq!(told, none);
    let (full, full_id, _) = world.full(2000);
    let taken = world.ask(&copy_folder(full_id, "COPY"), [inbox, dest]);
    assert_eq!(taken, Told::Over(0x36, code::DUPLICATE_NAME, vec![NO]));
    let cycle = world.ask(&copy_folder(full_id, "x"), [inbox, full]);
    assert_eq!(cycle, Told::Over(0x36, 0x8004_060B, vec![NO]));
    for handle in [inbox, full, dest] {
        assert_eq!(world.go_on(handle), nothing_goes_on());
    }
    // The root, and flags that are none.
    let root = world
        .client
        .open_folder(world.logon.handle, world.logon.folder_ids[0])
        .unwrap();
    let told = world.ask(&empty(false), [root, NO_HANDLE]);
    assert_eq!(told, Told::Over(0x58, code::NOT_SUPPORTED, vec![NO]));
    let told = world.ask(&set_read(&[], 0x80), [full, NO_HANDLE]);
    assert_eq!(told, Told::Over(0x66, code::INVALID_PARAMETER, vec![NO]));
    fails(
        world.client.rop(&Rop::new(0x50, 5).u8(0), &[full]),
        code::NULL_OBJECT,
    );
}

// What a user has read of public folders is that user's own.
#[test]
fn public_folders_are_marked_as_read_bit_by_bit() {
    let mut world = World::new();
    let rop = logon_rop(0, 0x2100_0002, "");
    let answer = world.client.rop(&rop, &[NO_HANDLE]).unwrap();
    let (logon, ids) = (answer.handle(0).unwrap(), &answer.body[1..]);
    // The interpersonal messages subtree is the second of the FolderIds.
    let top = u64::from_le_bytes(ids[8..16].try_into().unwrap());
    let top = world.client.open_folder(logon, top).unwrap();
    let public = world.client.create_folder(top, "notices").unwrap();
    let (message, _) = new_message(
        &mut world.client,
        public.handle,
        public.folder_id,
        "number 0",
    );
    world.client.release(message).unwrap();
    let mut mids = world.mids(public.handle);
    while mids.len() < 1500 {
        let copied = world
            .client
            .move_copy_messages(public.handle, public.handle, &mids, true);
        assert_eq!(copied.unwrap(), NO);
        mids = world.mids(public.handle);
    }
    let unread = |world: &mut World| {
        let row = world
            .client
            .get_props(public.handle, &[tag::CONTENT_UNREAD_COUNT]);
        row.unwrap().int(0) as u32
    };
    let all = mids.len() as u32;
    let told = world.ask(&set_read(&[], 0x04), [public.handle, NO_HANDLE]);
    let complete = Told::Over(0x66, 0, vec![NO]);
    assert_eq!(world.until_over(public.handle, told).0, complete);
    assert_eq!(unread(&mut world), all);
    let told = world.ask(&set_read(&[], 0), [public.handle, NO_HANDLE]);
    assert_eq!(told, Told::Going(AT_ONCE, all));
    assert_eq!(unread(&mut world), all - AT_ONCE);
    assert_eq!(world.until_over(public.handle, told), (complete, 1));
    assert_eq!(unread(&mut world), 0);
}
