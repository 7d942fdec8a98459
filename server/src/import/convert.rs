//! From an item's bytes to messages.

use ropewalk_store::{Mailbox, Message, Store};

use super::Kind;

pub fn messages(
    _store: &Store,
    _mailbox: &Mailbox,
    _kind: Kind,
    _data: &[u8],
) -> Result<Vec<Message>, String> {
    Err("not yet".to_owned())
}
