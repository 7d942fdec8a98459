//! Moving large values out of bags, into the same frame as the commit that refers to them.

use ropewalk_props::{Bag, BagView, BlobRef, PropTag, Slot};

use super::{CHUNK, MAX_BLOB, map};
use crate::{
    StoreError,
    core::Core,
    log::frame::{FrameBuilder, MAX_PAYLOAD, RecordKind},
    records::{BlobRecord, Op},
};

/// Values of more bytes do not stay in bags.
const LARGE: usize = 8 << 10;

/// What was moved out of the bags of one object.
#[derive(Debug, Default)]
pub struct Spill {
    /// The commits' changes that make the large values known.
    pub ops: Vec<Op>,
    /// Bytes of all values of all bags, large ones included.
    pub size: u64,
}

impl Spill {
    /// Moves a bag's large values into `frame`, drops its dead bytes and counts its values' bytes.
    pub fn bag(
        &mut self,
        core: &Core,
        frame: &mut FrameBuilder,
        bag: &mut Bag,
    ) -> Result<(), StoreError> {
        let mut live = 0;
        let mut large = Vec::new();
        for (tag, slot) in bag.iter() {
            match slot {
                Slot::Inline(value) if value.data.len() > LARGE => large.push(tag),
                Slot::Inline(value) => live += value.data.len(),
                Slot::External(blob) => {
                    live += std::mem::size_of::<BlobRef>();
                    self.size = self.size.saturating_add(blob.len);
                    continue;
                }
            }
            if let Slot::Inline(value) = slot {
                self.size = self.size.saturating_add(value.data.len() as u64);
            }
        }
        for tag in &large {
            let blob = self.value(core, frame, bag, *tag)?;
            bag.set_external(*tag, blob);
        }
        if bag.data_len() > live {
            bag.compact();
        }
        Ok(())
    }

    fn value(
        &mut self,
        core: &Core,
        frame: &mut FrameBuilder,
        bag: &Bag,
        tag: PropTag,
    ) -> Result<BlobRef, StoreError> {
        let data = bag.get(tag).map_or(&[][..], |value| value.data);
        if data.len() as u64 > MAX_BLOB || frame.len() + data.len() > MAX_PAYLOAD {
            return Err(StoreError::TooLarge);
        }
        let chunks = data.chunks(CHUNK);
        let chunks: Vec<_> = chunks
            .map(|chunk| frame.add(RecordKind::Chunk, chunk))
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
