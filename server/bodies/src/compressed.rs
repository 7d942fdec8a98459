//! Compressed RTF (MS-OXRTFCP): a header, and LZ77 with a dictionary of 4096 bytes that begins with
//! what every document has.

use crc32fast::Hasher;

use crate::Error;

/// What the dictionary begins with (MS-OXRTFCP 2.1.2.1).
const PRELOAD: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \
\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\
\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Bytes of the dictionary.
const WINDOW: usize = 4096;
/// COMPSIZE, RAWSIZE, COMPTYPE, CRC.
const HEADER: usize = 16;
/// COMPSIZE counts from behind itself.
const HEADER_COUNTED: u32 = 12;
/// COMPTYPE (MS-OXRTFCP 2.1.3.1.1).
const COMPRESSED: u32 = 0x7546_5A4C;
const UNCOMPRESSED: u32 = 0x414C_454D;
/// Bytes that a dictionary reference stands for (MS-OXRTFCP 2.1.3.1.5).
const MATCH_MIN: usize = 2;
const MATCH_MAX: usize = 17;

/// The CRC of MS-OXRTFCP 2.1.3.2: that of zip files, without the inversions before and after.
fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new_with_initial(u32::MAX);
    hasher.update(bytes);
    !hasher.finalize()
}

struct Header {
    raw_size: u32,
    kind: u32,
    crc: u32,
}

fn split(bytes: &[u8]) -> Result<(Header, &[u8]), Error> {
    let (header, contents) = bytes.split_at_checked(HEADER).ok_or(Error::Corrupt)?;
    let mut fields = header.as_chunks::<4>().0.iter().copied();
    let mut field = || fields.next().map(u32::from_le_bytes).ok_or(Error::Corrupt);
    let (size, raw_size, kind, crc) = (field()?, field()?, field()?, field()?);
    let size = size.checked_sub(HEADER_COUNTED).ok_or(Error::Corrupt)?;
    // What follows the contents belongs to nobody; what is missing is missed by the CRC.
    let contents = contents.get(..size as usize).unwrap_or(contents);
    let header = Header {
        raw_size,
        kind,
        crc,
    };
    Ok((header, contents))
}

/// Decompresses the value of PidTagRtfCompressed (MS-OXRTFCP 2.2.3).
///
/// `Corrupt` if the header or the CRC is wrong, `TooLarge` if it becomes more than `max` bytes.
pub fn decompress(bytes: &[u8], max: usize) -> Result<Vec<u8>, Error> {
    let (header, contents) = split(bytes)?;
    let raw_size = header.raw_size as usize;
    match header.kind {
        UNCOMPRESSED | COMPRESSED if raw_size > max => Err(Error::TooLarge),
        UNCOMPRESSED => Ok(contents.get(..raw_size).unwrap_or(contents).to_vec()),
        COMPRESSED if crc(contents) == header.crc => {
            let raw = expand(contents, raw_size, max);
            if raw.len() > max {
                return Err(Error::TooLarge);
            }
            Ok(raw)
        }
        _ => Err(Error::Corrupt),
    }
}

/// The first bytes of a document, at most `max`, from the first bytes of a value, which has no CRC
/// that could be checked.
pub fn decompress_start(bytes: &[u8], max: usize) -> Result<Vec<u8>, Error> {
    let (header, contents) = split(bytes)?;
    let mut raw = match header.kind {
        UNCOMPRESSED => contents.get(..max).unwrap_or(contents).to_vec(),
        COMPRESSED => expand(contents, header.raw_size as usize, max),
        _ => return Err(Error::Corrupt),
    };
    raw.truncate(max);
    Ok(raw)
}

/// Expands until the end, or until there are more than `max` bytes.
fn expand(contents: &[u8], raw_size: usize, max: usize) -> Vec<u8> {
    // No reference gives more than this for its two bytes, so a header cannot ask for much.
    let likely = raw_size
        .min(max)
        .min(contents.len().saturating_mul(MATCH_MAX / 2));
    let mut out = Vec::with_capacity(PRELOAD.len() + likely);
    out.extend_from_slice(PRELOAD);
    let max = max.saturating_add(PRELOAD.len());
    let mut rest = contents;
    'runs: while let Some((control, tokens)) = rest.split_first() {
        rest = tokens;
        for bit in 0..8 {
            if control & (1 << bit) == 0 {
                let Some((literal, after)) = rest.split_first() else {
                    break 'runs;
                };
                out.push(*literal);
                rest = after;
            } else {
                let Some((reference, after)) = rest.split_first_chunk::<2>() else {
                    break 'runs;
                };
                rest = after;
                let reference = u16::from_be_bytes(*reference);
                let (offset, len) = (usize::from(reference >> 4), usize::from(reference & 0xF));
                // How far back the place in the dictionary is from where it is written next.
                let distance = (out.len().wrapping_sub(offset)) % WINDOW;
                if distance == 0 {
                    break 'runs;
                }
                copy(&mut out, distance, len + MATCH_MIN);
            }
            if out.len() > max {
                break 'runs;
            }
        }
    }
    out.drain(..PRELOAD.len());
    out
}

/// Repeats `len` bytes from `distance` back; what is repeated may itself be new. The dictionary is
/// zeros where nothing was written.
fn copy(out: &mut Vec<u8>, distance: usize, len: usize) {
    match out.len().checked_sub(distance) {
        Some(from) if len <= distance => out.extend_from_within(from..from + len),
        _ => {
            for _ in 0..len {
                let from = out.len().checked_sub(distance);
                let byte = from.and_then(|from| out.get(from)).copied();
                out.push(byte.unwrap_or(0));
            }
        }
    }
}

/// Compresses RTF into a value of PidTagRtfCompressed (MS-OXRTFCP 2.3.3.2). Input longer than the
/// header can say is cut.
pub fn compress(rtf: &[u8]) -> Vec<u8> {
    let rtf = rtf.get(..i32::MAX as usize).unwrap_or(rtf);
    let mut history = Vec::with_capacity(PRELOAD.len() + rtf.len());
    history.extend_from_slice(PRELOAD);
    history.extend_from_slice(rtf);
    let mut matches = Matches::new();
    for at in 0..PRELOAD.len() {
        matches.note(&history, at);
    }
    let mut out = vec![0; HEADER];
    out.reserve(rtf.len() / 2);
    let mut run = Run::new(&mut out);
    let mut at = PRELOAD.len();
    while at < history.len() {
        let len = match matches.longest(&history, at) {
            Some((from, len)) => {
                run.reference(from % WINDOW, len - MATCH_MIN);
                len
            }
            None => {
                run.literal(history.get(at).copied().unwrap_or_default());
                1
            }
        };
        for _ in 0..len {
            matches.note(&history, at);
            at += 1;
        }
    }
    // A reference to where the next byte would go says that there is none.
    run.reference(at % WINDOW, 0);
    let (size, raw) = ((out.len() - HEADER) as u32, rtf.len() as u32);
    let crc = crc(out.get(HEADER..).unwrap_or_default());
    let fields = [size + HEADER_COUNTED, raw, COMPRESSED, crc];
    for (place, field) in out.as_chunks_mut::<4>().0.iter_mut().zip(fields) {
        *place = field.to_le_bytes();
    }
    out
}

/// A control byte and the eight tokens that it tells of.
struct Run<'a> {
    out: &'a mut Vec<u8>,
    control: usize,
    bit: u8,
}

impl<'a> Run<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            control: 0,
            bit: 0,
        }
    }

    fn token(&mut self, is_reference: bool) {
        let bit = self.bit % 8;
        if bit == 0 {
            self.control = self.out.len();
            self.out.push(0);
        }
        if is_reference && let Some(control) = self.out.get_mut(self.control) {
            *control |= 1 << bit;
        }
        self.bit = bit + 1;
    }

    fn literal(&mut self, byte: u8) {
        self.token(false);
        self.out.push(byte);
    }

    fn reference(&mut self, offset: usize, len: usize) {
        self.token(true);
        let reference = ((offset as u16) << 4) | len as u16;
        self.out.extend_from_slice(&reference.to_be_bytes());
    }
}

/// Where each pair of bytes was last seen, and before.
struct Matches {
    last: Vec<u32>,
    before: Vec<u32>,
}

impl Matches {
    const NONE: u32 = u32::MAX;
    /// Places that are looked at for one match: with more, what somebody wrote to be slow is slow.
    const TRIED_MAX: usize = 64;

    fn new() -> Self {
        Self {
            last: vec![Self::NONE; 1 << 16],
            before: vec![Self::NONE; WINDOW],
        }
    }

    fn pair(history: &[u8], at: usize) -> Option<usize> {
        let pair = history.get(at..)?.first_chunk::<2>()?;
        Some(usize::from(u16::from_le_bytes(*pair)))
    }

    fn note(&mut self, history: &[u8], at: usize) {
        if let Some(last) = Self::pair(history, at).and_then(|pair| self.last.get_mut(pair))
            && let Some(before) = self.before.get_mut(at % WINDOW)
        {
            *before = std::mem::replace(last, at as u32);
        }
    }

    /// The longest match for what is at a place; the oldest of those that are equally long.
    fn longest(&self, history: &[u8], at: usize) -> Option<(usize, usize)> {
        let wanted = history.get(at..)?;
        let wanted = wanted.get(..MATCH_MAX).unwrap_or(wanted);
        let mut candidate = *self.last.get(Self::pair(history, at)?)?;
        let mut best = None;
        let mut best_len = MATCH_MIN;
        for _ in 0..Self::TRIED_MAX {
            let from = candidate as usize;
            // A whole dictionary back is where the next byte goes, which means the end.
            if candidate == Self::NONE || at - from >= WINDOW {
                break;
            }
            let there = history.get(from..).unwrap_or_default();
            let len = wanted
                .iter()
                .zip(there)
                .take_while(|(left, right)| left == right)
                .count();
            if len >= best_len {
                best_len = len;
                best = Some((from, len));
                if len == MATCH_MAX {
                    break;
                }
            }
            candidate = *self.before.get(from % WINDOW)?;
            if candidate != Self::NONE && candidate as usize >= from {
                break;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// MS-OXRTFCP 3.1 and 3.2: the plain example, and the one with a reference that reads what it
    /// writes.
    const EXAMPLES: [(&[u8], &[u8]); 2] = [
        (
            b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
            &[
                0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5,
                0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42,
                0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0,
                0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
            ],
        ),
        (
            b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}",
            &[
                0x1a, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xe2, 0xd4,
                0x4b, 0x51, 0x41, 0x00, 0x04, 0x20, 0x57, 0x58, 0x59, 0x5a, 0x0d, 0x6e, 0x7d, 0x01,
                0x0e, 0xb0,
            ],
        ),
    ];

    #[test]
    fn the_examples_of_the_specification_both_ways() {
        for (raw, packed) in EXAMPLES {
            assert_eq!(decompress(packed, 1000).as_deref(), Ok(raw));
            assert_eq!(compress(raw), packed);
        }
    }

    #[test]
    fn uncompressed_contents_are_taken_as_they_are() {
        let mut value = Vec::new();
        for field in [12 + 5, 5, UNCOMPRESSED, 0_u32] {
            value.extend_from_slice(&field.to_le_bytes());
        }
        value.extend_from_slice(b"{\\rtf more");
        assert_eq!(decompress(&value, 100).as_deref(), Ok(&b"{\\rtf"[..]));
        assert_eq!(decompress(&value, 4), Err(Error::TooLarge));
    }

    #[test]
    fn damage_and_growth_are_refused() {
        let (_, packed) = EXAMPLES[0];
        for at in [12, 20, 40] {
            let mut damaged = packed.to_vec();
            damaged[at] ^= 1;
            assert_eq!(decompress(&damaged, 1000), Err(Error::Corrupt), "{at}");
        }
        assert_eq!(decompress(&packed[..15], 1000), Err(Error::Corrupt));
        assert_eq!(decompress(&[0; 16], 1000), Err(Error::Corrupt));
        // A header that tells of less than there is does not get past the limit.
        let mut bomb = compress(&vec![b'x'; 100_000]);
        bomb[4..8].copy_from_slice(&1_u32.to_le_bytes());
        assert!(bomb.len() < 20_000);
        assert_eq!(decompress(&bomb, 50_000), Err(Error::TooLarge));
        assert_eq!(decompress(&bomb, 100_000).map(|raw| raw.len()), Ok(100_000));
    }

    #[test]
    fn what_was_never_written_is_zeros_and_the_dictionary_is_a_ring() {
        let mut value = vec![0; HEADER];
        value.extend_from_slice(&[0b11, 0xFF, 0xF1, 0x0D, 0x20]);
        let crc = crc(&value[HEADER..]).to_le_bytes();
        value[0] = 12 + 5;
        value[8..12].copy_from_slice(&COMPRESSED.to_le_bytes());
        value[12..16].copy_from_slice(&crc);
        assert_eq!(decompress(&value, 100).as_deref(), Ok(&b"\0{\\"[..]));
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_back(
            raw in proptest::collection::vec(prop_oneof![b'a'..b'e', any::<u8>()], 0..9000)
        ) {
            prop_assert_eq!(decompress(&compress(&raw), raw.len()), Ok(raw));
        }

        #[test]
        fn anything_is_read_within_its_limit(
            contents in proptest::collection::vec(any::<u8>(), 0..2000), max in 0_usize..5000
        ) {
            let mut value = vec![0; HEADER];
            value[..4].copy_from_slice(&(contents.len() as u32 + 12).to_le_bytes());
            value[8..12].copy_from_slice(&COMPRESSED.to_le_bytes());
            value[12..16].copy_from_slice(&crc(&contents).to_le_bytes());
            value.extend_from_slice(&contents);
            if let Ok(raw) = decompress(&value, max) {
                prop_assert!(raw.len() <= max);
            }
        }
    }
}
