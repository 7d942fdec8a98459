//! Moving large values out of bags, into the same frame as the commit that refers to them.

use std::collections::BTreeSet;

use ropewalk_props::{Bag, BagView, BlobRef, PropTag, Slot};

use super::{CHUNK, MAX_BLOB, dedup::Chunks, map, pins::Referring};
use crate::{
    StoreError,
    core::Core,
    log::frame::{FrameBuilder, MAX_PAYLOAD, RecordKind},
    records::{BlobRecord, Op},
};

/// Values of more bytes do not stay in bags.
const LARGE: usize = 8 << 10;
/// An entry names the large values of its message, unless there are more.
const MAX_LISTED: usize = 32;

/// Moves the large values of one commit out of its bags.
#[derive(Default)]
pub struct Spill<'a> {
    /// Held once the commit has anything to do with large values.
    refs: Option<Referring<'a>>,
    chunks: Chunks,
    /// The commit's changes that make its new large values known.
    ops: Vec<Op>,
}

/// What was found in the bags of one object.
#[derive(Debug, Default)]
pub struct Spilled {
    /// Bytes of all values of all bags, large ones included.
    pub size: u64,
    /// The large values that the bags refer to now.
    blobs: BTreeSet<u64>,
    /// Large values that a commit is known to refer to, and will until this one does: those of the
    /// object that is being changed.
    known: Box<[u64]>,
}

impl Spilled {
    /// Of an object that takes the place of one with these large values.
    pub fn replacing(known: Option<&[u64]>) -> Self {
        Self {
            known: known.unwrap_or_default().into(),
            ..Self::default()
        }
    }

    /// The large values, for the entry of a message; `None` if there are too many.
    pub fn listed(&self) -> Option<Box<[u64]>> {
        (self.blobs.len() <= MAX_LISTED).then(|| self.blobs.iter().copied().collect())
    }
}

impl<'a> Spill<'a> {
    /// Moves a bag's large values into `frame`, drops its dead bytes, counts its values' bytes into
    /// `found` and notes the large values that it refers to. [`StoreError::NotFound`] if one of those
    /// that it had before is not there.
    pub fn bag(
        &mut self,
        core: &'a Core,
        frame: &mut FrameBuilder,
        bag: &mut Bag,
        found: &mut Spilled,
    ) -> Result<(), StoreError> {
        let mut live = 0;
        let mut large = Vec::new();
        for (tag, slot) in bag.iter() {
            match slot {
                Slot::Inline(value) if value.data.len() > LARGE => large.push(tag),
                Slot::Inline(value) => live += value.data.len(),
                Slot::External(blob) => {
                    live += std::mem::size_of::<BlobRef>();
                    found.size = found.size.saturating_add(blob.len);
                    self.existing(core, blob.id, found)?;
                    continue;
                }
            }
            if let Slot::Inline(value) = slot {
                found.size = found.size.saturating_add(value.data.len() as u64);
            }
        }
        for tag in &large {
            let blob = self.value(core, frame, bag, *tag)?;
            bag.set_external(*tag, blob);
            found.blobs.insert(blob.id);
        }
        if bag.data_len() > live {
            bag.compact();
        }
        Ok(())
    }

    /// The changes so far, and what is to be held until the commit with all of them is in the log.
    pub fn finish(self) -> (Vec<Op>, Option<Referring<'a>>) {
        let mut ops = self.chunks.ops;
        ops.extend(self.ops);
        (ops, self.refs)
    }

    /// The bag refers to a large value that is in the store already.
    fn existing(&mut self, core: &'a Core, id: u64, found: &mut Spilled) -> Result<(), StoreError> {
        let refs = self.refs.get_or_insert_with(|| Referring::new(core));
        if !found.known.contains(&id) && !refs.blobs.contains(&id) {
            core.blob(id)?;
        }
        refs.blobs.insert(id);
        found.blobs.insert(id);
        Ok(())
    }

    fn value(
        &mut self,
        core: &'a Core,
        frame: &mut FrameBuilder,
        bag: &Bag,
        tag: PropTag,
    ) -> Result<BlobRef, StoreError> {
        let data = bag.get(tag).map_or(&[][..], |value| value.data);
        if data.len() as u64 > MAX_BLOB || frame.len() + data.len() > MAX_PAYLOAD {
            return Err(StoreError::TooLarge);
        }
        self.refs.get_or_insert_with(|| Referring::new(core));
        let chunks = data.chunks(CHUNK);
        let chunks: Vec<_> = chunks
            .map(|chunk| self.chunks.add(core, frame, chunk))
            .collect();
        let list = map::encode(&chunks, frame.len() as u32);
        let record = BlobRecord {
            id: core.new_blob_id()?,
            len: data.len() as u64,
            map: frame.add(RecordKind::BlobMap, &list),
        };
        self.ops.push(Op::PutBlob(Box::new(record)));
        Ok(BlobRef {
            id: record.id,
            len: record.len,
        })
    }
}
