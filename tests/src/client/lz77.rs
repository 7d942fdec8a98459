//! LZ77 with DIRECT2 encoding (MS-XCA 2.3 and 2.4, MS-OXCRPC 3.1.4.1.1.1.2), for the client alone.

/// Matches reach this far back.
const WINDOW: usize = 8192;

/// Writes bits into bitmask words that stand where their first item stands.
struct Writer {
    out: Vec<u8>,
    mask_at: usize,
    mask: u32,
    used: u32,
    /// Where the half-used length byte is.
    nibble_at: Option<usize>,
}

impl Writer {
    fn bit(&mut self, bit: u32) {
        if self.used == 32 {
            self.flush();
            self.mask_at = self.out.len();
            self.out.extend([0; 4]);
            (self.mask, self.used) = (0, 0);
        }
        self.mask |= bit << (31 - self.used);
        self.used += 1;
    }

    fn flush(&mut self) {
        self.out[self.mask_at..self.mask_at + 4].copy_from_slice(&self.mask.to_le_bytes());
    }

    fn copy(&mut self, offset: usize, length: usize) {
        self.bit(1);
        let short = (length - 3).min(7);
        let word = u16::try_from(((offset - 1) << 3) | short).expect("offsets are 13 bits");
        self.out.extend(word.to_le_bytes());
        if short < 7 {
            return;
        }
        let rest = length - 10;
        let nibble = u8::try_from(rest.min(15)).expect("at most 15");
        match self.nibble_at.take() {
            Some(at) => self.out[at] |= nibble << 4,
            None => {
                self.nibble_at = Some(self.out.len());
                self.out.push(nibble);
            }
        }
        if nibble < 15 {
            return;
        }
        match u8::try_from(length - 25) {
            Ok(byte) if byte < 255 => self.out.push(byte),
            _ => {
                self.out.push(255);
                let length = u16::try_from(length - 3).expect("a payload is at most 32 KB");
                self.out.extend(length.to_le_bytes());
            }
        }
    }
}

/// Compresses a payload of at most 32 KB. The result may be longer than the payload.
pub fn compress(data: &[u8]) -> Vec<u8> {
    let mut writer = Writer {
        out: vec![0; 4],
        mask_at: 0,
        mask: 0,
        used: 0,
        nibble_at: None,
    };
    let mut last_at = std::collections::HashMap::new();
    let mut at = 0;
    while at < data.len() {
        let known = data
            .get(at..at + 3)
            .and_then(|key| last_at.get(key).copied())
            .filter(|found| at - found <= WINDOW);
        let length = known.map_or(1, |found: usize| {
            let same = |i: &usize| data[found + i] == data[at + i];
            (0..data.len() - at).take_while(same).count()
        });
        match known {
            Some(found) => writer.copy(at - found, length),
            None => {
                writer.bit(0);
                writer.out.push(data[at]);
            }
        }
        for i in at..at + length {
            if let Some(key) = data.get(i..i + 3) {
                last_at.insert(key, i);
            }
        }
        at += length;
    }
    writer.bit(1);
    writer.flush();
    writer.out
}

/// Takes compressed bytes apart; `None` if they are no compressed form of `size` bytes.
pub fn decompress(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(size);
    let mut input = bytes.iter().copied();
    let mut nibble: Option<u8> = None;
    let (mut mask, mut left) = (0_u32, 0);
    loop {
        if left == 0 {
            if out.len() == size && input.len() == 0 {
                return Some(out);
            }
            mask = u32::from_le_bytes([input.next()?, input.next()?, input.next()?, input.next()?]);
            left = 32;
        }
        let is_match = mask >> 31 == 1;
        mask <<= 1;
        left -= 1;
        if !is_match {
            if out.len() == size {
                return None;
            }
            out.push(input.next()?);
            continue;
        }
        let Some(low) = input.next() else {
            return (out.len() == size).then_some(out);
        };
        let word = u16::from_le_bytes([low, input.next()?]);
        let offset = usize::from(word >> 3) + 1;
        let mut length = usize::from(word & 7) + 3;
        if length == 10 {
            let more = match nibble.take() {
                Some(high) => high,
                None => {
                    let byte = input.next()?;
                    nibble = Some(byte >> 4);
                    byte & 15
                }
            };
            length += usize::from(more);
            if more == 15 {
                let byte = input.next()?;
                length += usize::from(byte);
                if byte == 255 {
                    length = usize::from(u16::from_le_bytes([input.next()?, input.next()?])) + 3;
                }
            }
        }
        for _ in 0..length {
            out.push(*out.get(out.len().checked_sub(offset)?)?);
        }
        if out.len() > size {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MS-XCA 3.2: the LZ77 examples with an empty end match.
    #[test]
    fn the_examples_of_ms_xca() {
        let letters = b"abcdefghijklmnopqrstuvwxyz";
        let mut wire = vec![0x3F, 0, 0, 0];
        wire.extend(letters);
        assert_eq!(decompress(&wire, 26).as_deref(), Some(&letters[..]));
        let mut wire = vec![0xFF, 0xFF, 0xFF, 0x1F];
        wire.extend(*b"abc");
        wire.extend([0x17, 0x00, 0x0F, 0xFF, 0x26, 0x01]);
        assert_eq!(decompress(&wire, 300), Some(b"abc".repeat(100)));
    }

    #[test]
    fn what_is_compressed_decompresses_to_itself() {
        let mut state = 1_u32;
        for len in (0..300).chain([1000, 8191, 8192, 8193, 20_000, 32_768]) {
            for alphabet in [1, 2, 200] {
                let data: Vec<u8> = (0..len)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        ((state >> 16) % alphabet) as u8
                    })
                    .collect();
                let packed = compress(&data);
                assert_eq!(decompress(&packed, len), Some(data), "{len} {alphabet}");
            }
        }
    }

    #[test]
    fn compressed_bytes_cut_short_are_refused() {
        let packed = compress(&b"a rope, a rope, a rope, my kingdom for a rope".repeat(9));
        for len in 0..packed.len() - 3 {
            assert_eq!(decompress(&packed[..len], 45 * 9), None, "{len}");
        }
    }
}
