//! LZ77 with DIRECT2 encoding (MS-OXCRPC 3.1.4.11.1, which is the Plain LZ77 of MS-XCA 2.3).

use crate::{DecodeError, Put, Reader};

/// Bytes back that a match can start.
const OFFSET_MAX: usize = 8192;
const MATCH_MIN: usize = 3;
/// The longest match: a u16 and 3.
const MATCH_MAX: usize = 65535 + MATCH_MIN;
const MASK_BITS: u32 = 32;

/// Appends what `bytes` decompress to. It must be `size` bytes exactly; nothing is read or
/// appended beyond them.
pub fn decompress(bytes: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let start = out.len();
    let result = Decoder::new(bytes, size).run(out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

struct Decoder<'a> {
    input: Reader<'a>,
    size: usize,
    mask: u32,
    bits_left: u32,
    /// The high half of a length byte whose low half has been used.
    nibble: Option<u8>,
}

impl<'a> Decoder<'a> {
    const fn new(bytes: &'a [u8], size: usize) -> Self {
        Self {
            input: Reader::new(bytes),
            size,
            mask: 0,
            bits_left: 0,
            nibble: None,
        }
    }

    fn run(&mut self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let start = out.len();
        while out.len() - start < self.size {
            if !self.next_bit()? {
                out.push(self.input.u8()?);
                continue;
            }
            let metadata = self.input.u16()?;
            let offset = usize::from(metadata >> 3) + 1;
            let len = self.match_len(metadata & 7)?;
            let written = out.len() - start;
            if offset > written || len > self.size - written {
                return Err(DecodeError::Compression);
            }
            // A match may overlap what it writes: what there is of it is repeated.
            let from = out.len() - offset;
            let mut left = len;
            while left > 0 {
                let run = left.min(out.len() - from);
                out.extend_from_within(from..from + run);
                left -= run;
            }
        }
        Ok(())
    }

    fn next_bit(&mut self) -> Result<bool, DecodeError> {
        if self.bits_left == 0 {
            self.mask = self.input.u32()?;
            self.bits_left = MASK_BITS;
        }
        self.bits_left -= 1;
        Ok(self.mask >> self.bits_left & 1 != 0)
    }

    fn match_len(&mut self, low: u16) -> Result<usize, DecodeError> {
        if low < 7 {
            return Ok(usize::from(low) + MATCH_MIN);
        }
        let nibble = match self.nibble.take() {
            Some(high) => high,
            None => {
                let byte = self.input.u8()?;
                self.nibble = Some(byte >> 4);
                byte & 0x0F
            }
        };
        if nibble < 15 {
            return Ok(usize::from(nibble) + 7 + MATCH_MIN);
        }
        match self.input.u8()? {
            255 => {}
            byte => return Ok(usize::from(byte) + 15 + 7 + MATCH_MIN),
        }
        // The u16 is the whole length, less 3; one that a shorter form could say is damaged.
        match usize::from(self.input.u16()?) {
            len if len < 255 + 15 + 7 => Err(DecodeError::Compression),
            len => Ok(len + MATCH_MIN),
        }
    }
}

/// Appends `bytes` compressed. The result may be longer than `bytes` by an eighth and four bytes.
pub fn compress(bytes: &[u8], out: &mut Vec<u8>) {
    let mut encoder = Encoder::new(out);
    let mut heads = vec![usize::MAX; HASH_SIZE];
    let mut at = 0;
    while at < bytes.len() {
        let len = match find_match(bytes, at, &heads) {
            Some((offset, len)) => {
                encoder.put_match(offset, len);
                len
            }
            None => {
                encoder.put_literal(bytes.get(at).copied().unwrap_or_default());
                1
            }
        };
        for position in at..at + len {
            if let Some(head) = hash(bytes, position).and_then(|hash| heads.get_mut(hash)) {
                *head = position;
            }
        }
        at += len;
    }
    encoder.finish();
}

const HASH_BITS: u32 = 12;
const HASH_SIZE: usize = 1 << HASH_BITS;

fn hash(bytes: &[u8], at: usize) -> Option<usize> {
    let [a, b, c] = *bytes.get(at..)?.first_chunk::<MATCH_MIN>()?;
    let word = u32::from_le_bytes([a, b, c, 0]);
    Some((word.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize)
}

/// The match at the last position with the same hash: offset and length.
fn find_match(bytes: &[u8], at: usize, heads: &[usize]) -> Option<(usize, usize)> {
    let candidate = *heads.get(hash(bytes, at)?)?;
    let offset = at.checked_sub(candidate)?;
    if offset > OFFSET_MAX {
        return None;
    }
    let len = bytes
        .get(candidate..)?
        .iter()
        .zip(bytes.get(at..)?)
        .take(MATCH_MAX)
        .take_while(|(earlier, here)| earlier == here)
        .count();
    (len >= MATCH_MIN).then_some((offset, len))
}

struct Encoder<'o> {
    out: &'o mut Vec<u8>,
    mask: u32,
    bits: u32,
    mask_at: usize,
    /// Where the length byte is whose high half is free.
    nibble_at: Option<usize>,
}

impl<'o> Encoder<'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        let mask_at = out.len();
        out.put_u32(0);
        Self {
            out,
            mask: 0,
            bits: 0,
            mask_at,
            nibble_at: None,
        }
    }

    fn put_literal(&mut self, byte: u8) {
        self.out.put_u8(byte);
        self.put_bit(0);
    }

    fn put_match(&mut self, offset: usize, len: usize) {
        let offset = offset.saturating_sub(1).min(OFFSET_MAX - 1) as u16;
        let mut rest = len - MATCH_MIN;
        self.out.put_u16(offset << 3 | rest.min(7) as u16);
        if rest >= 7 {
            rest -= 7;
            let low = rest.min(15) as u8;
            match self.nibble_at.take() {
                Some(at) => {
                    if let Some(byte) = self.out.get_mut(at) {
                        *byte |= low << 4;
                    }
                }
                None => {
                    self.nibble_at = Some(self.out.len());
                    self.out.put_u8(low);
                }
            }
            if rest >= 15 {
                rest -= 15;
                self.out.put_u8(rest.min(255) as u8);
                if rest >= 255 {
                    self.out.put_u16((len - MATCH_MIN) as u16);
                }
            }
        }
        self.put_bit(1);
    }

    fn put_bit(&mut self, bit: u32) {
        self.mask = self.mask << 1 | bit;
        self.bits += 1;
        if self.bits == MASK_BITS {
            self.put_mask();
            self.mask_at = self.out.len();
            self.out.put_u32(0);
            (self.mask, self.bits) = (0, 0);
        }
    }

    fn put_mask(&mut self) {
        let at = self.mask_at;
        if let Some(field) = self.out.get_mut(at..at + 4) {
            field.copy_from_slice(&self.mask.to_le_bytes());
        }
    }

    /// The bits left are ones: the first of them ends the data.
    fn finish(mut self) {
        let left = MASK_BITS - self.bits;
        self.mask = (u64::from(self.mask) << left | ((1u64 << left) - 1)) as u32;
        self.put_mask();
    }
}

#[cfg(test)]
mod tests;
