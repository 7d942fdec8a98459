//! Extended buffers: RPC_HEADER_EXT and its payload (MS-OXCRPC 2.2.2.1).

use std::borrow::Cow;

use crate::{DecodeError, EncodeError, Put, Reader, cursor::patch_u16, lz77};

/// Bytes of an RPC_HEADER_EXT.
pub const HEADER_LEN: usize = 8;
/// Bytes of a payload at most, before compression (MS-OXCRPC 3.1.4.2.1.1).
pub const PAYLOAD_MAX: usize = 0x8000;
/// Extended buffers that are read from one RopBuffer (MS-OXCRPC 3.1.4.2.1.2 sends 96 at most).
pub const BUFFERS_MAX: usize = 96;

/// The payload is compressed.
pub const COMPRESSED: u16 = 0x0001;
/// Every byte of the payload is XORed with 0xA5.
pub const XOR_MAGIC: u16 = 0x0002;
/// No other extended buffer follows.
pub const LAST: u16 = 0x0004;

const MAGIC: u8 = 0xA5;
const FLAGS_AT: usize = 2;
const SIZE_AT: usize = 4;

/// The payloads of all extended buffers in `bytes`; borrowed where a payload is sent as it is.
///
/// The last one, and no other, must say that it is; there is nothing after it. At most
/// [`BUFFERS_MAX`] payloads of [`PAYLOAD_MAX`] bytes come out.
pub fn decode(bytes: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, DecodeError> {
    let mut input = Reader::new(bytes);
    let mut payloads = Vec::with_capacity(1);
    loop {
        if payloads.len() == BUFFERS_MAX {
            return Err(DecodeError::TooMany(BUFFERS_MAX));
        }
        let (payload, flags) = decode_one(&mut input)?;
        payloads.push(payload);
        if flags & LAST != 0 {
            input.finish()?;
            return Ok(payloads);
        }
    }
}

/// Reads one extended buffer: its payload, and its Flags.
pub fn decode_one<'a>(input: &mut Reader<'a>) -> Result<(Cow<'a, [u8]>, u16), DecodeError> {
    let version = input.u16()?;
    if version != 0 {
        return Err(DecodeError::Value {
            field: "Version",
            value: version.into(),
        });
    }
    let flags = input.u16()?;
    let size = usize::from(input.u16()?);
    let size_actual = usize::from(input.u16()?);
    if size_actual > PAYLOAD_MAX || (flags & COMPRESSED == 0 && size != size_actual) {
        return Err(DecodeError::Value {
            field: "SizeActual",
            value: size_actual as u64,
        });
    }
    let mut payload = Cow::Borrowed(input.bytes(size)?);
    if flags & XOR_MAGIC != 0 {
        xor(payload.to_mut());
    }
    if flags & COMPRESSED != 0 {
        let mut plain = Vec::with_capacity(size_actual);
        lz77::decompress(&payload, size_actual, &mut plain)?;
        payload = Cow::Owned(plain);
    }
    Ok((payload, flags))
}

/// Fills in the header that [`HEADER_LEN`] bytes at `header_at` are there for: everything after
/// them is the payload, sent as it is, of the last extended buffer.
///
/// The payload must not be longer than [`PAYLOAD_MAX`].
pub fn finish_plain(out: &mut [u8], header_at: usize) {
    patch_header(out, header_at, LAST);
}

/// Says of the plain extended buffer whose header is at `header_at` that another one follows.
pub fn clear_last(out: &mut [u8], header_at: usize) {
    patch_u16(out, header_at + FLAGS_AT, 0);
}

fn patch_header(out: &mut [u8], header_at: usize, flags: u16) {
    let len = out
        .len()
        .saturating_sub(header_at.saturating_add(HEADER_LEN));
    debug_assert!(len <= PAYLOAD_MAX, "a payload of {len} bytes");
    let size = len as u16;
    patch_u16(out, header_at, 0);
    patch_u16(out, header_at + FLAGS_AT, flags);
    patch_u16(out, header_at + SIZE_AT, size);
    patch_u16(out, header_at + SIZE_AT + 2, size);
}

/// Appends an extended buffer in the form that `flags` say. A payload that compression would not
/// shrink goes without it (MS-OXCRPC 3.1.4.2.1.1).
pub fn encode(out: &mut Vec<u8>, payload: &[u8], flags: u16) -> Result<(), EncodeError> {
    if payload.len() > PAYLOAD_MAX {
        return Err(EncodeError::TooLong {
            what: "a payload",
            len: payload.len(),
        });
    }
    let header_at = out.len();
    let payload_at = header_at + HEADER_LEN;
    out.put_bytes(&[0; HEADER_LEN]);
    let mut flags = flags & (COMPRESSED | XOR_MAGIC | LAST);
    if flags & COMPRESSED != 0 {
        lz77::compress(payload, out);
        if out.len() - payload_at >= payload.len() {
            out.truncate(payload_at);
            flags &= !COMPRESSED;
        }
    }
    if flags & COMPRESSED == 0 {
        out.put_bytes(payload);
    }
    if flags & XOR_MAGIC != 0 {
        xor(out.get_mut(payload_at..).unwrap_or_default());
    }
    patch_header(out, header_at, flags);
    // At most PAYLOAD_MAX, so it fits.
    patch_u16(out, header_at + SIZE_AT + 2, payload.len() as u16);
    Ok(())
}

fn xor(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte ^= MAGIC);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_payload_is_borrowed() {
        let mut out = b"x".to_vec();
        out.put_bytes(&[0xEE; HEADER_LEN]);
        out.put_bytes(b"payload");
        finish_plain(&mut out, 1);
        assert_eq!(out, b"x\0\0\x04\0\x07\0\x07\0payload");
        let payloads = decode(&out[1..]).unwrap();
        assert!(matches!(&payloads[..], [Cow::Borrowed(b"payload")]));
    }

    #[test]
    fn a_payload_is_compressed_before_it_is_obfuscated() {
        let plain = b"abc".repeat(100);
        let mut out = Vec::new();
        encode(&mut out, &plain, COMPRESSED | XOR_MAGIC | LAST).unwrap();
        assert_eq!(out[..HEADER_LEN], [0, 0, 7, 0, 13, 0, 44, 1]);
        assert_eq!(out[HEADER_LEN], 0xFF ^ MAGIC);
        assert_eq!(decode(&out).unwrap(), [plain]);
    }

    #[test]
    fn what_does_not_shrink_is_not_compressed() {
        let mut out = Vec::new();
        encode(&mut out, b"abc", COMPRESSED | LAST).unwrap();
        assert_eq!(out, b"\0\0\x04\0\x03\0\x03\0abc");
    }

    #[test]
    fn several_buffers_end_with_the_last() {
        let mut out = Vec::new();
        encode(&mut out, b"one", 0).unwrap();
        encode(&mut out, b"two", XOR_MAGIC | LAST).unwrap();
        assert_eq!(decode(&out).unwrap(), [b"one".as_slice(), b"two"]);
        // Nothing follows the last.
        out.push(0);
        assert_eq!(decode(&out), Err(DecodeError::TrailingBytes(1)));
        // And a last one must come.
        let mut out = Vec::new();
        encode(&mut out, b"one", 0).unwrap();
        assert!(matches!(
            decode(&out),
            Err(DecodeError::UnexpectedEnd { .. })
        ));
        let many = out.repeat(BUFFERS_MAX + 1);
        assert_eq!(decode(&many), Err(DecodeError::TooMany(BUFFERS_MAX)));
    }

    #[test]
    fn headers_that_contradict_themselves_are_refused() {
        let value = |field, value| Err(DecodeError::Value { field, value });
        assert_eq!(decode(&[1, 0, 4, 0, 0, 0, 0, 0]), value("Version", 1));
        assert_eq!(decode(&[0, 0, 4, 0, 1, 0, 2, 0, 0]), value("SizeActual", 2));
        assert_eq!(
            decode(&[0, 0, 5, 0, 1, 0, 1, 0x80, 0]),
            value("SizeActual", 0x8001)
        );
        assert!(decode(&[0, 0, 4, 0, 2, 0, 2, 0, 0]).is_err());
        assert!(encode(&mut Vec::new(), &[0; PAYLOAD_MAX + 1], LAST).is_err());
    }

    proptest! {
        #[test]
        fn every_form_round_trips(
            payload in prop::collection::vec(0u8..4, 0..500),
            flags in 0u16..4,
        ) {
            let mut out = Vec::new();
            encode(&mut out, &payload, flags | LAST).unwrap();
            prop_assert_eq!(decode(&out).unwrap(), [payload]);
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
