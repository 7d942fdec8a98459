//! From what is stored of a record to its plain data, and to what is stored under another key.

use std::io;

use rkyv::util::AlignedVec;

use super::frame::{RECORD_HEADER, RecordKind, check_record, complete_record, record_len};
use crate::{
    crypto::{Cipher, FileKey, Keyring, OVERHEAD},
    disk::DiskFile,
};

/// Reads the record at `offset` of a file that is encrypted with `key`: its header and its plain data,
/// of which there are `len` bytes. The data is at a multiple of 16 in memory. `None` if its checksum is
/// wrong or it does not open.
pub fn read_record(
    file: &dyn DiskFile,
    offset: u64,
    len: u32,
    kind: RecordKind,
    (keys, key): (&Keyring, FileKey),
) -> io::Result<Option<AlignedVec>> {
    let sealed = (len as usize).saturating_add(OVERHEAD);
    let stored = match key {
        FileKey::Plain => len as usize,
        FileKey::Sealed(_) => sealed,
        FileKey::Unknown => {
            let mut header = [0; RECORD_HEADER];
            if !read_whole(file, &mut header, offset)? {
                return Ok(None);
            }
            match record_len(&header) as usize {
                stored if stored == len as usize || stored == sealed => stored,
                _ => return Ok(None),
            }
        }
    };
    let mut record = AlignedVec::new();
    record.resize(RECORD_HEADER + stored, 0);
    if !read_whole(file, &mut record, offset)? {
        return Ok(None);
    }
    let opened = open_record(&mut record, kind, (keys, key));
    Ok((opened == Some(len as usize)).then_some(record))
}

/// False if the file ends before the buffer is full.
fn read_whole(file: &dyn DiskFile, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}

/// Verifies a record's checksum and makes its data plain, where it lies; returns the bytes of it.
fn open_record(
    record: &mut AlignedVec,
    kind: RecordKind,
    (keys, key): (&Keyring, FileKey),
) -> Option<usize> {
    let stored = u32::try_from(record.len().checked_sub(RECORD_HEADER)?).ok()?;
    check_record(record, kind, stored)?;
    let version = *record.get(1)?;
    let data = record.get_mut(RECORD_HEADER..)?;
    let len = keys.open(key, kind as u8, version, data)?;
    record.resize(RECORD_HEADER + len, 0);
    Some(len)
}

/// The plain data of a record that was found in a frame, in aligned memory. `None` if it does not open.
pub fn plain_data(
    (version, stored): (u8, &[u8]),
    kind: RecordKind,
    (keys, key): (&Keyring, FileKey),
) -> Option<AlignedVec> {
    let mut data = AlignedVec::with_capacity(stored.len());
    data.extend_from_slice(stored);
    let len = keys.open(key, kind as u8, version, &mut data)?;
    data.resize(len, 0);
    Some(data)
}

/// A whole record as it is stored in a file of one key, header and data without padding, as it is
/// stored in a file of another key, or of none. `None` if it is damaged.
#[allow(dead_code)] // Compaction is about to use it.
pub fn reseal(
    record: &[u8],
    (keys, from): (&Keyring, FileKey),
    to: Option<&Cipher>,
) -> Option<AlignedVec> {
    let (header, stored) = record.split_first_chunk::<RECORD_HEADER>()?;
    let kind = RecordKind::from_byte(header[0])?;
    let mut out = AlignedVec::with_capacity(record.len().saturating_add(OVERHEAD));
    out.extend_from_slice(record);
    let version = header[1];
    check_record(&out, kind, u32::try_from(stored.len()).ok()?)?;
    let len = keys.open(from, kind as u8, version, out.get_mut(RECORD_HEADER..)?)?;
    out.resize(RECORD_HEADER + len, 0);
    complete_record(&mut out, 0, kind as u8, version, to)?;
    Some(out)
}
