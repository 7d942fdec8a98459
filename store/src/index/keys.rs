//! The keys of the index: one ordered space, all numbers big-endian.

use ropewalk_props::{GlobCnt, Guid};

/// What a key is about.
#[repr(u8)]
enum Space {
    Meta = 0x01,
    User = 0x02,
    Blob = 0x03,
    Chunk = 0x04,
    Mailbox = 0x10,
}

/// What a key of a mailbox is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    Meta = 0x01,
    Counter = 0x02,
    Folder = 0x03,
    Message = 0x04,
    Name = 0x05,
    Replid = 0x06,
    ReceiveFolder = 0x07,
}

/// Which store, and which format of the index.
pub const STORE: &[u8] = &[Space::Meta as u8, 1];
/// The last frame that is reflected in the index.
pub const APPLIED: &[u8] = &[Space::Meta as u8, 2];
/// The largest minimal id that a user ever had.
pub const MINIMAL_ID: &[u8] = &[Space::Meta as u8, 3];
/// Present if commits were lost to damage: counts and counters are not to be trusted.
pub const FENCED: &[u8] = &[Space::Meta as u8, 4];
/// All large values.
pub const BLOBS: &[u8] = &[Space::Blob as u8];
/// All mailboxes.
pub const MAILBOXES: &[u8] = &[Space::Mailbox as u8];
/// All chunks of large values.
pub const CHUNKS: &[u8] = &[Space::Chunk as u8];
/// All users.
pub const USERS: &[u8] = &[Space::User as u8];

/// The first key after all that begin with `prefix`, which must not be all 0xFF.
pub fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|byte| *byte != 0xFF);
    let mut end = prefix
        .get(..kept.map_or(0, |at| at + 1))
        .unwrap_or_default()
        .to_vec();
    match end.last_mut() {
        Some(last) => *last += 1,
        None => end = vec![0xFF; 64],
    }
    end
}

/// A user.
pub fn user(minimal_id: u32) -> Vec<u8> {
    [USERS, &minimal_id.to_be_bytes()].concat()
}

/// A large value.
pub fn blob(id: u64) -> Vec<u8> {
    [&[Space::Blob as u8][..], &id.to_be_bytes()].concat()
}

/// A chunk of large values, by the hash of its bytes.
pub fn chunk(hash: &[u8; 32]) -> Vec<u8> {
    [&[Space::Chunk as u8][..], hash].concat()
}

/// All of a mailbox.
pub fn mailbox(guid: Guid) -> Vec<u8> {
    [&[Space::Mailbox as u8][..], &guid.0].concat()
}

/// One part of a mailbox.
pub fn part(guid: Guid, part: Part) -> Vec<u8> {
    let mut key = mailbox(guid);
    key.push(part as u8);
    key
}

/// A folder.
pub fn folder(guid: Guid, id: GlobCnt) -> Vec<u8> {
    [&part(guid, Part::Folder)[..], &id.to_bytes()].concat()
}

/// All messages of a folder.
pub fn messages(guid: Guid, folder: GlobCnt) -> Vec<u8> {
    [&part(guid, Part::Message)[..], &folder.to_bytes()].concat()
}

/// A message.
pub fn message(guid: Guid, folder: GlobCnt, id: GlobCnt) -> Vec<u8> {
    [&messages(guid, folder)[..], &id.to_bytes()].concat()
}

/// A named property or a REPLID.
pub fn numbered(guid: Guid, kind: Part, id: u16) -> Vec<u8> {
    [&part(guid, kind)[..], &id.to_be_bytes()].concat()
}

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// What the index says of itself: which store it is of, how far it has come.
    Own,
    LargestId,
    Fenced,
    User,
    Blob,
    Chunk([u8; 32]),
    Mailbox(Guid, Part),
}

/// What a key is about; `None` for one that this program does not know.
pub fn parse(key: &[u8]) -> Option<Key> {
    match key {
        STORE | APPLIED => return Some(Key::Own),
        MINIMAL_ID => return Some(Key::LargestId),
        FENCED => return Some(Key::Fenced),
        _ => {}
    }
    let (space, rest) = key.split_first()?;
    const USER: u8 = Space::User as u8;
    const BLOB: u8 = Space::Blob as u8;
    const CHUNK: u8 = Space::Chunk as u8;
    const MAILBOX: u8 = Space::Mailbox as u8;
    match *space {
        USER if rest.len() == 4 => Some(Key::User),
        BLOB if rest.len() == 8 => Some(Key::Blob),
        CHUNK => Some(Key::Chunk(rest.try_into().ok()?)),
        MAILBOX => {
            let (guid, rest) = rest.split_first_chunk::<16>()?;
            let (part, rest) = rest.split_first()?;
            let (part, len) = match *part {
                1 => (Part::Meta, Some(0)),
                2 => (Part::Counter, Some(0)),
                3 => (Part::Folder, Some(6)),
                4 => (Part::Message, Some(12)),
                5 => (Part::Name, Some(2)),
                6 => (Part::Replid, Some(2)),
                7 => (Part::ReceiveFolder, None),
                _ => return None,
            };
            let fits = len.is_none_or(|len| rest.len() == len);
            fits.then_some(Key::Mailbox(Guid(*guid), part))
        }
        _ => None,
    }
}

/// A receive folder.
pub fn receive_folder(guid: Guid, class: &str) -> Vec<u8> {
    [&part(guid, Part::ReceiveFolder)[..], class.as_bytes()].concat()
}

/// The number at the end of a key made by [`numbered`].
pub fn number_of(key: &[u8]) -> Option<u16> {
    key.last_chunk::<2>()
        .map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        assert_eq!(after_prefix(&[1, 2]), [1, 3]);
        assert_eq!(after_prefix(&[1, 0xFF, 0xFF]), [2]);
        assert!(after_prefix(&[]) > user(u32::MAX));
        let guid = Guid([0xFF; 16]);
        let last = message(guid, GlobCnt::MAX, GlobCnt::MAX);
        assert!(last < after_prefix(&messages(guid, GlobCnt::MAX)));
        assert!(numbered(guid, Part::Name, 0) > after_prefix(&last[..18 + 5]));
    }
}
