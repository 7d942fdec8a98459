//! Equal chunks are stored once: they are found by a hash of their bytes.

use std::collections::HashMap;

use crate::{
    core::Core,
    crypto::Cipher,
    log::frame::{FrameBuilder, Location, RecordKind},
    records::{ChunkRecord, Op},
};

/// What a chunk is found by.
pub type Hash = [u8; 32];

/// Shorter chunks are just stored: an entry of the index would cost about as much.
const WORTH: usize = 1024;

/// Makes the hashes of a store: BLAKE3, with a key of the store's own if it is encrypted, lest the hashes
/// tell what is in it.
pub struct ChunkHasher(blake3::Hasher);

impl ChunkHasher {
    /// For a store that is encrypted with this key, if it is.
    pub fn of(cipher: Option<&Cipher>) -> Option<Self> {
        Some(Self(match cipher {
            Some(cipher) => blake3::Hasher::new_keyed(&cipher.dedup_key()?),
            None => blake3::Hasher::new(),
        }))
    }

    fn hash(&self, chunk: &[u8]) -> Hash {
        let mut hasher = self.0.clone();
        hasher.update(chunk);
        *hasher.finalize().as_bytes()
    }
}

/// The chunks that one frame brings.
#[derive(Debug, Default)]
pub struct Chunks {
    by_hash: HashMap<Hash, Location>,
    /// The changes that make them known, for the frame's batch.
    pub ops: Vec<Op>,
}

impl Chunks {
    /// The place of a chunk with these bytes, apart from zeros at its end: of one that the store or
    /// the frame has already, else of one that is added to the frame. The caller holds [`Core::refs`]
    /// until the frame is in the log.
    pub fn add(&mut self, core: &Core, frame: &mut FrameBuilder, chunk: &[u8]) -> Location {
        let end = chunk.iter().rposition(|byte| *byte != 0);
        let chunk = chunk.get(..end.map_or(0, |last| last + 1));
        let chunk = chunk.unwrap_or_default();
        if chunk.is_empty() {
            return Location::default();
        }
        let hasher = core.hasher.as_ref();
        let Some(hasher) = hasher.filter(|_| chunk.len() >= WORTH) else {
            return frame.add(RecordKind::Chunk, chunk);
        };
        let hash = hasher.hash(chunk);
        if let Some(at) = self.by_hash.get(&hash) {
            return *at;
        }
        if let Some(at) = core.find_chunk(&hash, chunk) {
            return at;
        }
        let at = frame.add(RecordKind::Chunk, chunk);
        self.by_hash.insert(hash, at);
        let record = ChunkRecord { hash, at };
        self.ops.push(Op::PutChunk(Box::new(record)));
        at
    }
}
