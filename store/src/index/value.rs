//! The values of the index: an rkyv archive behind its own checksum.

use rkyv::{
    Archive, Deserialize, Serialize,
    api::high::{HighDeserializer, HighSerializer, HighValidator},
    bytecheck::CheckBytes,
    rancor::Error,
    ser::allocator::ArenaHandle,
    util::AlignedVec,
};

use super::IndexError;
use crate::log::frame::crc;

/// Values stay below this, which is what keeps sled well.
pub const MAX_VALUE: usize = 1024;

/// The bytes of a value.
pub fn encode<T>(value: &T) -> Result<Vec<u8>, IndexError>
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>,
{
    let archive = rkyv::to_bytes::<Error>(value).map_err(|error| IndexError(error.to_string()))?;
    let mut out = Vec::with_capacity(4 + archive.len());
    out.extend_from_slice(&crc(&[&archive]).to_le_bytes());
    out.extend_from_slice(&archive);
    if out.len() > MAX_VALUE {
        return Err(IndexError(format!(
            "a value of {} bytes is too large",
            out.len()
        )));
    }
    Ok(out)
}

/// The value in bytes that [`encode`] made, verified.
pub fn decode<T>(bytes: &[u8]) -> Result<T, IndexError>
where
    T: Archive,
    T::Archived:
        for<'a> CheckBytes<HighValidator<'a, Error>> + Deserialize<T, HighDeserializer<Error>>,
{
    let damaged = || IndexError("a value of the index is damaged".into());
    let (check, archive) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    if crc(&[archive]) != u32::from_le_bytes(*check) {
        return Err(damaged());
    }
    let mut aligned: AlignedVec = AlignedVec::with_capacity(archive.len());
    aligned.extend_from_slice(archive);
    rkyv::from_bytes::<T, Error>(&aligned).map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_and_damage_is_found() {
        let bytes = encode(&(7u64, String::from("text"))).unwrap();
        assert_eq!(decode::<(u64, String)>(&bytes).unwrap(), (7, "text".into()));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(decode::<(u64, String)>(&damaged).is_err());
        }
        assert!(encode(&vec![0u8; 1100]).is_err());
    }
}
