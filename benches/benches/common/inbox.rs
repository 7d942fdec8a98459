//! An Inbox with many messages, and what a client shows of them.

use std::path::Path;

use ropewalk_props::{Bag, FileTime, PropValue, tags};
use ropewalk_server::provision::special;
use ropewalk_store::{Durability, Message, SaveMessage, Store, StoreOptions};
use ropewalk_tests::fixture::tag;

/// Messages of each conversation.
pub const IN_CONVERSATION: usize = 20;

const SENDERS: u64 = 1_000;

/// What a client shows of each message in a list.
pub const COLUMNS: [u32; 12] = [
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

/// Spreads numbers.
pub fn mixed(n: usize) -> u64 {
    (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

pub fn delivered(n: usize) -> u64 {
    0x01DC_0000_0000_0000 + mixed(n)
}

pub fn subject(n: usize) -> String {
    format!("{:x} fathoms of rope, twine and yarn", mixed(n))
}

pub fn sender(n: usize) -> String {
    format!("Tomas the {}th of the ropewalk", mixed(n) % SENDERS)
}

pub fn topic(n: usize) -> String {
    format!("{} fathoms of rope", n / IN_CONVERSATION)
}

/// Puts messages into the Inbox, every third of them unread.
pub fn fill(dir: &Path, count: usize) {
    let options = StoreOptions {
        durability: Durability::None,
        ..StoreOptions::default()
    };
    let store = Store::open(dir, options).expect("the store opens");
    let user = store.user_by_email(super::EMAIL).expect("the user");
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
            (tags::PID_TAG_SENDER_NAME, text(&sender(n))),
            (tags::PID_TAG_CONVERSATION_TOPIC, text(&topic(n))),
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
