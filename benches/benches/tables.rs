//! What it costs to look at a folder: RopGetContentsTable, RopSetColumns with twelve columns and
//! RopQueryRows for fifty rows in one Execute, for the first time after the server started and again,
//! as the folder is, sorted and restricted.
//!
//! `cargo bench -p ropewalk-benches --bench tables -- [--json] [--starts N] [--messages N] [--again N]`.
//! On few cores, which of them wakes decides more than either server does: `taskset -c 1` in front makes the
//! ratios steady.
//! The messages are put into the store before the server starts. Beside them stands a hyper server that
//! sends back as many bytes; beside the first look at what is sorted, sorting as many keys in memory.

mod common;

use std::{env, hint::black_box};

use common::{
    Outcome, Server, Times, echo,
    echo::Echo,
    in_turns,
    inbox::{COLUMNS, IN_CONVERSATION, delivered, fill, sender, subject, topic},
    stopwatch::Stopwatch,
    timed, value_of,
};
use md5::{Digest as _, Md5};
use ropewalk_props::{PropTag, PropValue, tags};
use ropewalk_tests::{
    client::{Client, NO_HANDLE, Rop, concat, framing, restriction_bytes},
    fixture::tag,
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

/// Looks at a folder that was looked at before, unless told otherwise.
const AGAIN: usize = 4_000;
/// Of one kind, before it is the other's turn.
const TURN: usize = 50;

/// Ways to look at a folder.
#[derive(Clone, Copy)]
enum Look {
    CountOnly,
    AsItIs,
    ByDeliveryTime,
    BySubject,
    Unread,
    Conversation,
    Members,
    BySender,
    BySubjectInGroups,
}

impl Look {
    const ALL: [Self; 9] = [
        Self::CountOnly,
        Self::AsItIs,
        Self::ByDeliveryTime,
        Self::BySubject,
        Self::Unread,
        Self::Conversation,
        Self::Members,
        Self::BySender,
        Self::BySubjectInGroups,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::CountOnly => "count only",
            Self::AsItIs => "as it is",
            Self::ByDeliveryTime => "newest first",
            Self::BySubject => "by subject",
            Self::Unread => "unread ones",
            Self::Conversation => "a conversation's members",
            Self::Members => "a conversation's members in all folders",
            Self::BySender => "grouped by sender",
            Self::BySubjectInGroups => "as many groups as messages",
        }
    }

    /// RopSortTable or RopRestrict.
    fn rop(self) -> Option<Rop> {
        let sort = |categories: u16, orders: &[(u32, u8)]| {
            let count = u16::try_from(orders.len()).expect("a few");
            let rop = Rop::new(0x13, 1).u8(0).u16(count).u16(categories).u16(0);
            Some(
                orders
                    .iter()
                    .fold(rop, |rop, (tag, order)| rop.u32(*tag).u8(*order)),
            )
        };
        let restrict = |restriction: &Restriction| {
            let restriction = restriction_bytes(Some(restriction));
            Some(Rop::new(0x14, 1).u8(0).sized(&restriction))
        };
        match self {
            Self::CountOnly | Self::AsItIs => None,
            Self::ByDeliveryTime => sort(0, &[(tag::MESSAGE_DELIVERY_TIME, 1)]),
            Self::BySubject => sort(0, &[(tag::SUBJECT, 0)]),
            Self::BySender => sort(
                1,
                &[
                    (tags::PID_TAG_SENDER_NAME.0, 0),
                    (tag::MESSAGE_DELIVERY_TIME, 1),
                ],
            ),
            Self::BySubjectInGroups => sort(1, &[(tag::SUBJECT, 0)]),
            Self::Unread => restrict(&Restriction::BitMask {
                bitmap_rel_op: 0,
                prop_tag: PropTag(tag::MESSAGE_FLAGS),
                mask: 1,
            }),
            Self::Conversation | Self::Members => {
                let id = Md5::digest(utf16(&topic(0).to_uppercase()));
                restrict(&Restriction::Property {
                    rel_op: RelOp::EQUAL,
                    prop_tag: tags::PID_TAG_CONVERSATION_ID,
                    tagged_value: TaggedPropertyValue {
                        tag: tags::PID_TAG_CONVERSATION_ID,
                        value: PropValue::Binary(id.to_vec()),
                    },
                })
            }
        }
    }

    /// What it takes to sort the keys of so many messages, for a look that is sorted.
    fn sorting(self, count: usize) -> Option<Box<dyn FnMut()>> {
        match self {
            Self::ByDeliveryTime => Some(Box::new(move || {
                drop(black_box(sorted((0..count).map(delivered))))
            })),
            Self::BySubject | Self::BySubjectInGroups => Some(Box::new(move || {
                drop(black_box(sorted((0..count).map(subject))))
            })),
            Self::BySender => Some(Box::new(move || {
                drop(black_box(sorted((0..count).map(sender))))
            })),
            _ => None,
        }
    }

    /// How many rows there are to show.
    fn rows(self, messages: usize) -> usize {
        match self {
            Self::CountOnly => 0,
            Self::Conversation | Self::Members => IN_CONVERSATION,
            _ => messages.min(50),
        }
    }

    /// One Execute that opens a table of a folder, shows fifty rows and closes it.
    fn buffer(self, root: u32, folder: u32) -> Vec<u8> {
        const CONVERSATION_MEMBERS: u8 = 0x80;
        let (over, flags) = match self {
            Self::Members => (root, CONVERSATION_MEMBERS),
            _ => (folder, 0),
        };
        let mut rops = vec![Rop::new(0x05, 0).u8(1).u8(flags)];
        if !matches!(self, Self::CountOnly) {
            rops.push(Rop::new(0x12, 1).u8(0).tags(&COLUMNS));
            rops.extend(self.rop());
            rops.push(Rop::new(0x15, 1).u8(0).u8(1).u16(50));
        }
        rops.push(Rop::new(0x01, 1));
        let payload = framing::rop_buffer(&concat(&rops), &[over, NO_HANDLE]);
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
    let again = value_of(&args, "--again").unwrap_or(AGAIN);
    let outcomes = sizes
        .into_iter()
        .flat_map(|count| measure(count, starts, again));
    common::report(json, outcomes);
}

/// All looks at a folder of so many messages.
fn measure(count: usize, starts: usize, again: usize) -> Vec<Outcome> {
    let dir = common::directory();
    common::add_user(dir.path());
    fill(dir.path(), count);
    let mut outcomes = Vec::new();
    let mut first: Vec<_> = Look::ALL.map(|_| Vec::new()).into();
    for _ in 0..starts {
        let mut server = Server::start(dir.path());
        let (mut client, root, folder) = open(&server);
        for (look, times) in Look::ALL.into_iter().zip(&mut first) {
            let buffer = look.buffer(root, folder);
            times.push(timed(|| {
                drop(client.execute_raw(&buffer).expect("Execute"))
            }));
        }
        server.process.stop();
    }
    let mut server = Server::start(dir.path());
    let (mut client, root, folder) = open(&server);
    for (look, first) in Look::ALL.into_iter().zip(first) {
        let buffer = look.buffer(root, folder);
        let bytes = client.execute_raw(&buffer).expect("Execute").len();
        assert!(
            bytes > look.rows(count) * 60,
            "{bytes} bytes {}",
            look.name()
        );
        let mut stopwatch = Stopwatch::executing(&mut client, &buffer);
        let bytes = stopwatch.ask();
        let mut echo = Echo::start(buffer.len() + 16, bytes);
        let echo_name = format!("hyper echo of {bytes} bytes");
        let (theirs, baseline) = match look.sorting(count) {
            Some(mut sort) => {
                let times = (0..starts).map(|_| timed(&mut sort)).collect();
                (times, format!("making and sorting {count} keys"))
            }
            None => {
                let times = (0..starts).map(|_| timed(|| echo.ask())).collect();
                (times, echo_name.clone())
            }
        };
        outcomes.push(Outcome {
            name: format!("{count} messages, {}, first", look.name()),
            ours: Times::new(first),
            baseline,
            theirs: Times::new(theirs),
            bytes: None,
        });
        let ask = || {
            stopwatch.ask();
        };
        let (ours, theirs) = in_turns(again, TURN, ask, || echo.ask());
        stopwatch.give_back(&mut client);
        outcomes.push(Outcome {
            name: format!("{count} messages, {}, again", look.name()),
            ours,
            baseline: echo_name,
            theirs,
            bytes: None,
        });
    }
    server.process.stop();
    outcomes
}

/// The root folder and the Inbox.
fn open(server: &Server) -> (Client, u32, u32) {
    let mut client = server.client();
    let logon = client.logon().expect("RopLogon");
    let inbox = client
        .open_folder(logon.handle, logon.inbox())
        .expect("the Inbox opens");
    let root = client
        .open_folder(logon.handle, logon.root())
        .expect("the root folder opens");
    (client, root, inbox)
}

fn sorted<T: Ord>(keys: impl Iterator<Item = T>) -> Vec<T> {
    let mut keys: Vec<T> = keys.collect();
    keys.sort_unstable();
    keys
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
