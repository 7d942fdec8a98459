//! From the index's keys back to the changes that would make them: [`super::Applier`] the other way round.

use ropewalk_props::Guid;

use super::{
    IndexError,
    keys::{self, Key, Part},
    value,
};
use crate::{
    MessageEntry,
    log::frame::Location,
    records::{
        BlobRecord, ChunkRecord, FolderMeta, MailboxMeta, NameRecord, Op, ReceiveRecord, UserRecord,
    },
};

/// What a key and its value say.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Something about the index itself.
    Own,
    /// What this change of the store would say.
    Store(Op),
    /// What this change of a mailbox would say.
    Mailbox(Guid, Op),
    /// A mailbox's next counter value.
    Counter(Guid, u64),
}

/// What a key and its value say. An error if this program does not know the key: whoever leaves it out
/// would lose it.
pub fn entry(key: &[u8], bytes: &[u8]) -> Result<Entry, IndexError> {
    let unknown = || {
        IndexError(format!(
            "the index has a key that makes no sense: {key:02X?}"
        ))
    };
    let number = || keys::number_of(key).ok_or_else(unknown);
    Ok(match keys::parse(key).ok_or_else(unknown)? {
        Key::Own => Entry::Own,
        Key::LargestId => Entry::Store(Op::LargestId(value::decode(bytes)?)),
        Key::Fenced => Entry::Store(Op::Fenced),
        Key::User => Entry::Store(Op::PutUser(Box::new(value::decode::<UserRecord>(bytes)?))),
        Key::Blob => Entry::Store(Op::PutBlob(Box::new(value::decode::<BlobRecord>(bytes)?))),
        Key::Chunk(hash) => {
            let at = value::decode::<Location>(bytes)?;
            Entry::Store(Op::PutChunk(Box::new(ChunkRecord { hash, at })))
        }
        Key::Mailbox(guid, part) => {
            let op = match part {
                Part::Meta => Op::PutMailbox(Box::new(value::decode::<MailboxMeta>(bytes)?)),
                Part::Counter => return Ok(Entry::Counter(guid, value::decode(bytes)?)),
                Part::Folder => Op::PutFolder(Box::new(value::decode::<FolderMeta>(bytes)?)),
                Part::Message => Op::PutMessage(Box::new(value::decode::<MessageEntry>(bytes)?)),
                Part::Name => Op::PutName(number()?, Box::new(value::decode::<NameRecord>(bytes)?)),
                Part::Replid => Op::PutReplid(number()?, value::decode(bytes)?),
                Part::ReceiveFolder => {
                    Op::PutReceiveFolder(Box::new(value::decode::<ReceiveRecord>(bytes)?))
                }
            };
            Entry::Mailbox(guid, op)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Durability,
        index::{Applier, Kv as _, memory::MemoryKv, scan},
        log::frame::Position,
        records::Batch,
        tests::history::{History, dump, random_op},
    };

    #[test]
    fn an_index_is_made_again_from_what_its_entries_say() {
        let mut history = History::new(5, Durability::None);
        for _ in 0..200 {
            let op = random_op(&mut history.random, &history.model);
            history.step(&op);
        }
        let store = history.store();
        store
            .core()
            .index
            .wait_applied(store.core().log.last_lsn())
            .ok();
        let kv = store.core().index.kv().unwrap();
        let hash = ChunkRecord {
            hash: [7; 32],
            at: Location {
                segment: 1,
                offset: 64,
                len: 9,
            },
        };
        let new = Arc::new(MemoryKv::default());
        let mut more = Applier::new(kv.clone());
        let store_wide = vec![Op::PutChunk(Box::new(hash)), Op::Fenced];
        let at = Position::default();
        more.push(at, &Batch::of_store(store_wide)).unwrap();
        more.commit().unwrap();
        let mut applier = Applier::new(new.clone());
        scan(&*kv, &[], &mut |key, bytes| {
            let batch = match entry(key, bytes)? {
                Entry::Own => Batch::default(),
                Entry::Store(op) => Batch::of_store(vec![op]),
                Entry::Mailbox(guid, op) => Batch {
                    mailbox: Some(guid),
                    counter: 0,
                    ops: vec![op],
                },
                Entry::Counter(guid, counter) => Batch {
                    mailbox: Some(guid),
                    counter,
                    ops: Vec::new(),
                },
            };
            applier.push(at, &batch)
        })
        .unwrap();
        applier.commit().unwrap();
        let without_own = |kv| {
            let mut all = dump(kv);
            all.retain(|write| !matches!(write, crate::index::Write::Put(key, _) if key == keys::STORE || key == keys::APPLIED));
            all
        };
        let (old, new) = (without_own(&*kv), without_own(&*new));
        assert!(old.len() > 50);
        assert!(old == new);
    }

    #[test]
    fn a_key_of_a_later_program_is_not_left_out() {
        let value = value::encode(&1u64).unwrap();
        let mailbox = keys::part(Guid([1; 16]), Part::Counter);
        assert!(matches!(entry(&mailbox, &value), Ok(Entry::Counter(_, 1))));
        let mut later = mailbox.clone();
        later[17] = 0x20;
        for key in [&later[..], &mailbox[..17], &[5, 1], &[1, 9], &[]] {
            assert!(entry(key, &value).is_err(), "{key:?}");
        }
        let kv = MemoryKv::default();
        assert!(kv.get(&later).unwrap().is_none());
    }
}
