//! PidLidGlobalObjectId and PidLidCleanGlobalObjectId (MS-OXOCAL 2.2.1.27 and 2.2.1.28).

use super::time;
use crate::transfer;

const BYTE_ARRAY_ID: [u8; 16] = [
    0x04, 0x00, 0x00, 0x00, 0x82, 0x00, 0xE0, 0x00, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08,
];
/// Where the date of an occurrence stands.
const DATE: std::ops::Range<usize> = 16..20;
/// Bytes of a UID that are kept.
const UID_BYTES_MAX: usize = 1024;

/// The id of the object with this UID, without a date (MS-OXCICAL 2.1.3.1.1.20.26).
pub fn clean(uid: &str) -> Vec<u8> {
    let mut id = encoded(uid).unwrap_or_else(|| {
        let uid = uid
            .as_bytes()
            .get(..UID_BYTES_MAX)
            .unwrap_or(uid.as_bytes());
        let mut data = b"vCal-Uid\x01\0\0\0".to_vec();
        data.extend_from_slice(uid);
        data.push(0);
        let mut id = BYTE_ARRAY_ID.to_vec();
        id.extend_from_slice(&[0; 20]);
        id.extend_from_slice(&(data.len() as u32).to_le_bytes());
        id.append(&mut data);
        id
    });
    if let Some(date) = id.get_mut(DATE) {
        date.fill(0);
    }
    id
}

/// The same with the date of an occurrence, given by its day since 1601-01-01.
pub fn of_occurrence(clean: &[u8], day: i64) -> Vec<u8> {
    let (year, month, of_month) = time::date(day);
    let [high, low] = (year as u16).to_be_bytes();
    let mut id = clean.to_vec();
    if let Some(date) = id.get_mut(DATE) {
        date.copy_from_slice(&[high, low, month as u8, of_month as u8]);
    }
    id
}

/// A UID that is such an id in hexadecimal.
fn encoded(uid: &str) -> Option<Vec<u8>> {
    let digits = uid.trim().as_bytes();
    let long = digits.len() >= 2 * 40 && digits.len() <= 2 * UID_BYTES_MAX;
    if !long || !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(transfer::hex(*high)? << 4 | transfer::hex(*low)?),
        _ => None,
    };
    let id: Vec<u8> = digits.chunks_exact(2).map(byte).collect::<Option<_>>()?;
    id.starts_with(&BYTE_ARRAY_ID).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_uid_is_wrapped_and_an_own_one_unpacked() {
        let id = clean("1@example.test");
        assert_eq!(id[..16], BYTE_ARRAY_ID);
        assert_eq!(id[16..36], [0; 20]);
        assert_eq!(id[36..40], 27_u32.to_le_bytes());
        assert_eq!(&id[40..], b"vCal-Uid\x01\0\0\x001@example.test\0");

        let dated = of_occurrence(&id, time::days(2026, 11, 24));
        assert_eq!(dated[16..20], [0x07, 0xEA, 11, 24]);
        let hex: String = dated.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(clean(&hex), id);
        assert_ne!(clean(&hex[..78]), id);
    }
}
