//! The list of a large value's chunks, and its form in the log.

use super::{CHUNK, MAX_BLOB, pins::Pin};
use crate::{
    StoreError,
    core::Core,
    log::{
        Log,
        frame::{Location, RECORD_HEADER, RecordKind},
    },
    records::BlobRecord,
};

const ENTRY: usize = 12;

/// Number of chunks of a value.
pub fn chunk_count(len: u64) -> usize {
    len.div_ceil(CHUNK as u64) as usize
}

/// The bytes of a list. `own` is where the list itself will be in its frame: a chunk of the same
/// frame is given by its distance from there, so that it can be found from the list's place alone.
pub fn encode(chunks: &[Location], own: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunks.len() * ENTRY);
    for chunk in chunks {
        let offset = match chunk.segment {
            0 => own.wrapping_sub(chunk.offset),
            _ => chunk.offset,
        };
        out.extend_from_slice(&chunk.segment.to_le_bytes());
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(&chunk.len.to_le_bytes());
    }
    out
}

/// Finds a value: its length, its list, and a pin on all that the list names.
pub fn open(core: &Core, id: u64) -> Result<(u64, Vec<Location>, Pin), StoreError> {
    // Recursive: who waits here must not wait for a writer that waits for compaction's turn.
    let _refs = core.refs.read_recursive();
    let record = core.blob(id)?;
    let chunks = read(core, &record)?;
    let mut pin = core.pins.pin();
    pin.add(chunks.iter().map(|chunk| chunk.segment));
    Ok((record.len, chunks, pin))
}

/// Reads a value's list.
pub fn read(core: &Core, blob: &BlobRecord) -> Result<Vec<Location>, StoreError> {
    read_from(&core.log, blob)
}

/// Reads a value's list from a log.
pub fn read_from(log: &Log, blob: &BlobRecord) -> Result<Vec<Location>, StoreError> {
    let damaged = || StoreError::Damaged {
        segment: blob.map.segment,
        offset: u64::from(blob.map.offset),
    };
    if blob.len == 0 {
        return Ok(Vec::new());
    }
    let record = log.read(blob.map, RecordKind::BlobMap)?;
    let bytes = record.get(RECORD_HEADER..).unwrap_or_default();
    if blob.len > MAX_BLOB || bytes.len() != chunk_count(blob.len) * ENTRY {
        return Err(damaged());
    }
    let entries = bytes.chunks_exact(ENTRY);
    let chunks = entries
        .map(|entry| decode(entry, blob.map))
        .collect::<Option<_>>();
    chunks.ok_or_else(damaged)
}

fn decode(entry: &[u8], map: Location) -> Option<Location> {
    let (segment, rest) = entry.split_first_chunk::<4>()?;
    let (offset, rest) = rest.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*rest.first_chunk::<4>()?);
    let (segment, offset) = (u32::from_le_bytes(*segment), u32::from_le_bytes(*offset));
    if len == 0 || segment != 0 {
        return Some(Location {
            segment,
            offset,
            len,
        });
    }
    Some(Location {
        segment: map.segment,
        offset: map.offset.checked_sub(offset)?,
        len,
    })
}

/// Copies what is wanted of a chunk at `start` in it; what the chunk does not have is zeros.
pub fn copy_from_chunk(chunk: &[u8], start: usize, out: &mut [u8]) {
    let have = chunk.get(start..).unwrap_or_default();
    let take = have.len().min(out.len());
    let (filled, zeros) = out.split_at_mut(take);
    filled.copy_from_slice(have.get(..take).unwrap_or_default());
    zeros.fill(0);
}

/// Reads part of a value: calls `chunk` for each chunk touched with its number, the offset in it and
/// where the bytes go. Returns the bytes read, fewer than asked for only at the value's end.
pub fn read_range(
    len: u64,
    offset: u64,
    buffer: &mut [u8],
    mut chunk: impl FnMut(usize, usize, &mut [u8]) -> Result<(), StoreError>,
) -> Result<usize, StoreError> {
    let wanted = (buffer.len() as u64).min(len.saturating_sub(offset)) as usize;
    let mut rest = buffer.get_mut(..wanted).unwrap_or_default();
    let mut at = offset;
    while !rest.is_empty() {
        let start = (at % CHUNK as u64) as usize;
        let take = rest.len().min(CHUNK - start);
        let (part, tail) = rest.split_at_mut(take);
        chunk((at / CHUNK as u64) as usize, start, part)?;
        rest = tail;
        at += take as u64;
    }
    Ok(wanted)
}
