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
    let Some(mut record) = read_stored(file, offset, len, key)? else {
        return Ok(None);
    };
    let opened = open_record(&mut record, kind, (keys, key));
    Ok((opened == Some(len as usize)).then_some(record))
}

/// Reads the record at `offset` of a file that is encrypted with `key`, as it is stored and not verified:
/// its header and its data, of which `len` bytes are plain. `None` if there is none of this length.
pub fn read_stored(
    file: &dyn DiskFile,
    offset: u64,
    len: u32,
    key: FileKey,
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
    Ok(read_whole(file, &mut record, offset)?.then_some(record))
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

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use ropewalk_props::{FileTime, Guid};
    use zeroize::Zeroizing;

    use super::*;
    use crate::{
        crypto::Nonces,
        disk::Disk as _,
        log::frame::{FrameBuilder, Position, padding},
        tests::disk::SimDisk,
    };

    const STORE: Guid = Guid([7; 16]);

    fn ring(numbers: &[u16]) -> Keyring {
        let nonces = Arc::new(Nonces::new().unwrap());
        let ciphers = numbers.iter().map(|number| {
            let key = Zeroizing::new([*number as u8; 32]);
            Arc::new(Cipher::new(*number, &key, STORE, nonces.clone()))
        });
        Keyring::new(ciphers.collect())
    }

    /// A file with one frame, which has records of these lengths, and where they are.
    fn file(cipher: Option<&Arc<Cipher>>, lengths: &[usize]) -> (Arc<dyn DiskFile>, Vec<u64>) {
        let mut frame = FrameBuilder::new(cipher.cloned());
        let records = lengths.iter().map(|len| {
            let at = frame.add(RecordKind::Message, &vec![*len as u8; *len]);
            assert_eq!(at.len as usize, *len);
            u64::from(at.offset)
        });
        let records = records.collect();
        let bytes = frame.seal(STORE, Position::default(), 0, FileTime(1));
        let file = SimDisk::new(1).create(Path::new("file")).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        (file, records)
    }

    #[test]
    fn a_record_reads_the_same_whatever_its_file_is_encrypted_with() {
        let keys = ring(&[1, 2]);
        let lengths = [1, 15, 16, 17, 1000, 70_000];
        for number in [0, 1, 2] {
            let (file, records) = file(keys.get(number), &lengths);
            // A file whose header is damaged says nothing of its key.
            for key in [FileKey::from(number), FileKey::Unknown] {
                for (at, len) in records.iter().zip(lengths) {
                    let read = |keys: &Keyring, key| {
                        let kind = RecordKind::Message;
                        read_record(&*file, *at, len as u32, kind, (keys, key)).unwrap()
                    };
                    let record = read(&keys, key).unwrap();
                    assert_eq!(record[RECORD_HEADER..], vec![len as u8; len]);
                    assert_eq!(record.as_ptr().align_offset(16), 0);
                    let other = ring(&[3]);
                    assert_eq!(read(&other, key).is_none(), number != 0);
                    assert!(read(&keys, FileKey::from(3 - number)).is_none());
                    let kind = RecordKind::Bag;
                    let wrong = read_record(&*file, *at, len as u32, kind, (&keys, key));
                    assert!(wrong.unwrap().is_none());
                    let wrong = read_record(
                        &*file,
                        *at,
                        len as u32 + 1,
                        RecordKind::Message,
                        (&keys, key),
                    );
                    assert!(wrong.unwrap().is_none());
                }
            }
        }
    }

    #[test]
    fn a_record_that_is_sealed_anew_is_the_same_under_another_key_or_none() {
        let keys = ring(&[1, 2]);
        for from in [0, 1, 2] {
            let (file, records) = file(keys.get(from), &[300]);
            let sealed = 300 + if from == 0 { 0 } else { OVERHEAD };
            let mut stored = vec![0; RECORD_HEADER + sealed];
            file.read_exact_at(&mut stored, records[0]).unwrap();
            for to in [0, 1, 2] {
                let again = reseal(
                    &stored,
                    (&keys, from.into()),
                    keys.get(to).map(|key| &**key),
                );
                let again = again.unwrap();
                assert_eq!(
                    again.len() + padding(again.len()),
                    again.len().next_multiple_of(16)
                );
                let file = SimDisk::new(1).create(Path::new("file")).unwrap();
                file.write_all_at(&again, 0).unwrap();
                let key = (&keys, to.into());
                let record = read_record(&*file, 0, 300, RecordKind::Message, key);
                assert_eq!(record.unwrap().unwrap()[RECORD_HEADER..], [44; 300]);
                if from != 0 && to != 0 {
                    assert_ne!(again[..], stored, "a nonce is never used again");
                }
            }
            for bit in 0..stored.len() * 8 {
                let mut damaged = stored.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    reseal(
                        &damaged,
                        (&keys, from.into()),
                        keys.get(1).map(|key| &**key)
                    )
                    .is_none()
                );
            }
        }
    }
}
