//! From a commit's changes to the index's keys.

use std::sync::Arc;

use ropewalk_props::Guid;

use super::{
    IndexError, Kv, Write,
    keys::{self, Part},
    scan, value,
};
use crate::{
    log::frame::Position,
    records::{Batch, Op},
};

/// Writes given to the engine in one call: a large commit is not to look as if the engine hangs, and
/// sled frees the pages that a call replaced only at its end, some kilobytes for each write.
const AT_ONCE: usize = 512;

/// Keys of a prefix that are gathered before they are removed.
const FOUND_AT_ONCE: usize = 16 * AT_ONCE;

/// Gathers commits and applies them together, and then the position that they reach. If that is
/// interrupted they are applied again at the next start, which does no harm.
pub struct Applier {
    kv: Arc<dyn Kv>,
    writes: Vec<Write>,
    position: Option<Position>,
    /// The largest minimal id that a user ever had, once it is known here.
    largest_id: Option<u32>,
}

impl Applier {
    /// Writes to `kv`.
    pub fn new(kv: Arc<dyn Kv>) -> Self {
        Self {
            kv,
            writes: Vec::new(),
            position: None,
            largest_id: None,
        }
    }

    /// Adds one commit, whose locations are absolute.
    pub fn push(&mut self, at: Position, batch: &Batch) -> Result<(), IndexError> {
        self.add(batch)?;
        self.position = Some(at);
        Ok(())
    }

    /// Adds changes, whose locations are absolute, without saying which commit they reach.
    pub fn add(&mut self, batch: &Batch) -> Result<(), IndexError> {
        for op in &batch.ops {
            match batch.mailbox {
                Some(mailbox) => self.mailbox_op(mailbox, op)?,
                None => self.store_op(op)?,
            }
        }
        if let Some(mailbox) = batch.mailbox.filter(|_| batch.counter != 0) {
            self.put(keys::part(mailbox, Part::Counter), &batch.counter)?;
        }
        Ok(())
    }

    /// True if so much was gathered that it should be written.
    pub fn is_full(&self) -> bool {
        self.writes.len() >= AT_ONCE
    }

    /// Writes what was gathered.
    pub fn commit(&mut self) -> Result<(), IndexError> {
        if let Some(position) = self.position.take() {
            self.put(keys::APPLIED.to_vec(), &position)?;
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), IndexError> {
        for writes in self.writes.chunks(AT_ONCE) {
            self.kv.apply(writes)?;
        }
        self.writes.clear();
        Ok(())
    }

    /// Adds any key and value.
    pub fn put<T>(&mut self, key: Vec<u8>, content: &T) -> Result<(), IndexError>
    where
        T: for<'a> rkyv::Serialize<
                rkyv::api::high::HighSerializer<
                    rkyv::util::AlignedVec,
                    rkyv::ser::allocator::ArenaHandle<'a>,
                    rkyv::rancor::Error,
                >,
            >,
    {
        self.writes.push(Write::Put(key, value::encode(content)?));
        Ok(())
    }

    fn store_op(&mut self, op: &Op) -> Result<(), IndexError> {
        match op {
            Op::PutUser(user) => {
                let largest = self.largest_id()?.max(user.minimal_id);
                self.largest_id = Some(largest);
                self.put(keys::user(user.minimal_id), &**user)?;
                self.put(keys::MINIMAL_ID.to_vec(), &largest)
            }
            Op::RemoveUser(minimal_id) => {
                self.writes.push(Write::Remove(keys::user(*minimal_id)));
                Ok(())
            }
            Op::RemoveMailbox(guid) => self.remove_prefix(&keys::mailbox(*guid)),
            Op::PutBlob(blob) => self.put(keys::blob(blob.id), &**blob),
            Op::RemoveBlobs(ids) => {
                self.remove(ids.iter().map(|id| keys::blob(*id)));
                Ok(())
            }
            Op::PutChunk(chunk) => self.put(keys::chunk(&chunk.hash), &chunk.at),
            Op::RemoveChunks(hashes) => {
                self.remove(hashes.iter().map(keys::chunk));
                Ok(())
            }
            Op::LargestId(id) => {
                let largest = self.largest_id()?.max(*id);
                self.largest_id = Some(largest);
                self.put(keys::MINIMAL_ID.to_vec(), &largest)
            }
            Op::Fenced => self.put(keys::FENCED.to_vec(), &true),
            _ => Err(IndexError("a change of a mailbox names none".into())),
        }
    }

    fn largest_id(&self) -> Result<u32, IndexError> {
        if let Some(known) = self.largest_id {
            return Ok(known);
        }
        let stored = self.kv.get(keys::MINIMAL_ID)?;
        stored.map_or(Ok(0), |bytes| value::decode::<u32>(&bytes))
    }

    fn mailbox_op(&mut self, mailbox: Guid, op: &Op) -> Result<(), IndexError> {
        match op {
            Op::PutMailbox(meta) => self.put(keys::part(mailbox, Part::Meta), &**meta),
            Op::PutFolder(folder) => self.put(keys::folder(mailbox, folder.id), &**folder),
            Op::RemoveFolder(id) => {
                self.writes.push(Write::Remove(keys::folder(mailbox, *id)));
                self.remove_prefix(&keys::messages(mailbox, *id))
            }
            Op::PutMessage(entry) => {
                self.put(keys::message(mailbox, entry.folder, entry.id), &**entry)
            }
            Op::RemoveMessage { folder, id } => {
                let key = keys::message(mailbox, *folder, *id);
                self.writes.push(Write::Remove(key));
                Ok(())
            }
            Op::PutName(id, name) => self.put(keys::numbered(mailbox, Part::Name, *id), &**name),
            Op::PutReplid(id, guid) => self.put(keys::numbered(mailbox, Part::Replid, *id), guid),
            Op::PutReceiveFolder(folder) => self.put(
                keys::receive_folder(mailbox, &folder.message_class),
                &**folder,
            ),
            Op::RemoveReceiveFolder(class) => {
                let key = keys::receive_folder(mailbox, class);
                self.writes.push(Write::Remove(key));
                Ok(())
            }
            Op::PutUser(_)
            | Op::RemoveUser(_)
            | Op::RemoveMailbox(_)
            | Op::PutBlob(_)
            | Op::RemoveBlobs(_)
            | Op::PutChunk(_)
            | Op::RemoveChunks(_)
            | Op::LargestId(_)
            | Op::Fenced => self.store_op(op),
        }
    }

    fn remove(&mut self, keys: impl Iterator<Item = Vec<u8>>) {
        self.writes.extend(keys.map(Write::Remove));
    }

    /// Removes all keys with a prefix: those of earlier commits that wait here as well, which is why
    /// they are written first.
    fn remove_prefix(&mut self, prefix: &[u8]) -> Result<(), IndexError> {
        self.write()?;
        loop {
            let mut removes = Vec::new();
            let scanned = scan(&*self.kv, prefix, &mut |key, _| {
                if removes.len() == FOUND_AT_ONCE {
                    return Err(IndexError("enough for now".into()));
                }
                removes.push(Write::Remove(key.to_vec()));
                Ok(())
            });
            let is_all = removes.len() < FOUND_AT_ONCE;
            if is_all {
                scanned?;
            }
            for chunk in removes.chunks(AT_ONCE) {
                self.kv.apply(chunk)?;
            }
            if is_all {
                return Ok(());
            }
        }
    }
}
