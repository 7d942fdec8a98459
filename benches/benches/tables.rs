//! What it costs to look at a folder: RopGetContentsTable, RopSetColumns with twelve columns and
//! RopQueryRows for fifty rows in one Execute, for the first time after the server started and again,
//! as the folder is, sorted and restricted.
//!
//! `cargo bench -p ropewalk-benches --bench tables -- [--json] [--starts N] [--messages N]`.
//! The messages are put into the store before the server starts. Beside what is not sorted stands a
//! hyper server that sends back as many bytes; beside what is, sorting as many keys in memory.

mod common;

use std::{env, hint::black_box, path::Path};

use common::{Outcome, Server, Times, echo, echo::Echo, in_turns, timed, value_of};
use ropewalk_props::{Bag, FileTime, PropTag, PropValue, tags};
use ropewalk_server::provision::special;
use ropewalk_store::{Durability, Message, SaveMessage, Store, StoreOptions};
use ropewalk_tests::{
    client::{Client, NO_HANDLE, Rop, concat, framing, restriction_bytes},
    fixture::tag,
};
use ropewalk_wire::restriction::Restriction;

/// What a client shows of each message in a list.
const COLUMNS: [u32; 12] = [
    tag::FOLDER_ID,
    tag::MID,
    tag::INST_ID,
    tag::INSTANCE_NUM,
    tag::SUBJECT,
    tags::PID_TAG_SENDER_NAME.0,
    tag::MESSAGE_DELIVERY_TIME,
    tag::MESSAGE_FLAGS,
    tag::MESSAGE_SIZE,
    tag::MESSAGE_CLASS,
    tag::IMPORTANCE,
    tag::HAS_ATTACHMENTS,
];

/// Ways to look at a folder.
#[derive(Clone, Copy)]
enum Look {
    AsItIs,
    ByDeliveryTime,
    BySubject,
    Unread,
}

impl Look {
    const ALL: [Self; 4] = [
        Self::AsItIs,
        Self::ByDeliveryTime,
        Self::BySubject,
        Self::Unread,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AsItIs => "as it is",
            Self::ByDeliveryTime => "newest first",
            Self::BySubject => "by subject",
            Self::Unread => "unread ones",
        }
    }

    /// RopSortTable or RopRestrict.
    fn rop(self) -> Option<Rop> {
        let sort = |tag: u32, order: u8| {
            let one = Rop::new(0x13, 1).u8(0).u16(1).u16(0).u16(0);
            one.u32(tag).u8(order)
        };
        match self {
            Self::AsItIs => None,
            Self::ByDeliveryTime => Some(sort(tag::MESSAGE_DELIVERY_TIME, 1)),
            Self::BySubject => Some(sort(tag::SUBJECT, 0)),
            Self::Unread => {
                let unread = Restriction::BitMask {
                    bitmap_rel_op: 0,
                    prop_tag: PropTag(tag::MESSAGE_FLAGS),
                    mask: 1,
                };
                let restriction = restriction_bytes(Some(&unread));
                Some(Rop::new(0x14, 1).u8(0).sized(&restriction))
            }
        }
    }

    /// One Execute that opens a table of a folder, shows fifty rows and closes it.
    fn buffer(self, folder: u32) -> Vec<u8> {
        let mut rops = vec![
            Rop::new(0x05, 0).u8(1).u8(0),
            Rop::new(0x12, 1).u8(0).tags(&COLUMNS),
        ];
        rops.extend(self.rop());
        rops.push(Rop::new(0x15, 1).u8(0).u8(1).u16(50));
        rops.push(Rop::new(0x01, 1));
        let payload = framing::rop_buffer(&concat(&rops), &[folder, NO_HANDLE]);
        framing::extended_buffer(&payload, framing::InputForm::default())
    }
}

fn main() {
    let args: Vec<String> = env::args().collect();
    if let Some(size) = value_of(&args, "--echo") {
        return echo::serve(size);
    }
    let json = args.iter().any(|arg| arg == "--json");
    let starts = value_of(&args, "--starts").unwrap_or(5);
    let sizes = match value_of(&args, "--messages") {
        Some(count) => vec![count],
        None => vec![1_000, 100_000],
    };
    let outcomes = sizes.into_iter().flat_map(|count| measure(count, starts));
    common::report(json, outcomes);
}

/// All looks at a folder of so many messages.
fn measure(count: usize, starts: usize) -> Vec<Outcome> {
    let dir = common::directory();
    common::add_user(dir.path());
    fill(dir.path(), count);
    let mut outcomes = Vec::new();
    let mut first: Vec<_> = Look::ALL.map(|_| Vec::new()).into();
    for _ in 0..starts {
        let mut server = Server::start(dir.path());
        let (mut client, folder) = open(&server);
        for (look, times) in Look::ALL.into_iter().zip(&mut first) {
            let buffer = look.buffer(folder);
            times.push(timed(|| {
                drop(client.execute_raw(&buffer).expect("Execute"))
            }));
        }
        server.process.stop();
    }
    let mut server = Server::start(dir.path());
    let (mut client, folder) = open(&server);
    // Sorting a hundred thousand rows again and again takes its time.
    let again = (1_000_000 / count).clamp(20, 1_000);
    for (look, first) in Look::ALL.into_iter().zip(first) {
        let buffer = look.buffer(folder);
        let bytes = client.execute_raw(&buffer).expect("Execute").len();
        assert!(bytes > 50 * 100, "fifty rows");
        let mut echo = Echo::start(buffer.len() + 16, bytes);
        let mut baseline: Box<dyn FnMut()> = match look {
            Look::AsItIs | Look::Unread => Box::new(|| echo.ask()),
            Look::ByDeliveryTime => Box::new(|| drop(black_box(sorted((0..count).map(delivered))))),
            Look::BySubject => Box::new(|| drop(black_box(sorted((0..count).map(subject))))),
        };
        let baseline_name = match look {
            Look::AsItIs | Look::Unread => format!("hyper echo of {bytes} bytes"),
            _ => format!("making and sorting {count} keys"),
        };
        let theirs = Times::new((0..starts).map(|_| timed(&mut baseline)).collect());
        outcomes.push(Outcome {
            name: format!("{count} messages, {}, first", look.name()),
            ours: Times::new(first),
            baseline: baseline_name.clone(),
            theirs,
            bytes: None,
        });
        let ask = || drop(client.execute_raw(&buffer).expect("Execute"));
        let (ours, theirs) = in_turns(again, again.min(100), ask, baseline);
        outcomes.push(Outcome {
            name: format!("{count} messages, {}, again", look.name()),
            ours,
            baseline: baseline_name,
            theirs,
            bytes: None,
        });
    }
    server.process.stop();
    outcomes
}

fn open(server: &Server) -> (Client, u32) {
    let mut client = server.client();
    let logon = client.logon().expect("RopLogon");
    let inbox = client
        .open_folder(logon.handle, logon.inbox())
        .expect("the Inbox opens");
    (client, inbox)
}

fn sorted<T: Ord>(keys: impl Iterator<Item = T>) -> Vec<T> {
    let mut keys: Vec<T> = keys.collect();
    keys.sort_unstable();
    keys
}

/// Spreads numbers.
fn mixed(n: usize) -> u64 {
    (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

fn delivered(n: usize) -> u64 {
    0x01DC_0000_0000_0000 + mixed(n)
}

fn subject(n: usize) -> String {
    format!("{:x} fathoms of rope, twine and yarn", mixed(n))
}

/// Puts messages into the Inbox, every third of them unread.
fn fill(dir: &Path, count: usize) {
    let options = StoreOptions {
        durability: Durability::None,
        ..StoreOptions::default()
    };
    let store = Store::open(dir, options).expect("the store opens");
    let user = store.user_by_email(common::EMAIL).expect("the user");
    let mailbox = store.mailbox(user.mailbox_guid).expect("the mailbox");
    let numbers: Vec<usize> = (0..count).collect();
    for some in numbers.chunks(1_000) {
        let messages = some.iter().map(|n| SaveMessage {
            folder: special::INBOX,
            id: None,
            associated: false,
            read: Some(n % 3 != 0),
            expected_cn: None,
            message: message(*n),
        });
        mailbox
            .save_messages(messages.collect())
            .expect("they are saved");
    }
    store.close().expect("the store closes");
}

/// A message of a kilobyte.
fn message(n: usize) -> Message {
    let text = |text: &str| PropValue::text(text);
    Message {
        props: Bag::from_iter([
            (tags::PID_TAG_MESSAGE_CLASS, text("IPM.Note")),
            (tags::PID_TAG_SUBJECT, text(&subject(n))),
            (tags::PID_TAG_NORMALIZED_SUBJECT, text(&subject(n))),
            (tags::PID_TAG_SENDER_NAME, text("Tomas of the ropewalk")),
            (tags::PID_TAG_IMPORTANCE, PropValue::Integer32(1)),
            (
                tags::PID_TAG_MESSAGE_DELIVERY_TIME,
                PropValue::Time(FileTime(delivered(n))),
            ),
            (tags::PID_TAG_BODY, text(&"rope ".repeat(80))),
        ]),
        ..Message::default()
    }
}
