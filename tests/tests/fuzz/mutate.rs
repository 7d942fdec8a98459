//! Inputs made from a corpus: always the same ones for a seed.

/// Bytes of an input at most.
const INPUT_BYTES_MAX: usize = 4096;
/// Numbers that counts, lengths and flags go wrong with.
const INTERESTING: [u32; 14] = [
    0,
    1,
    2,
    3,
    7,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
];

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, or 0.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}

/// An input of the corpus with a few changes; now and then one of random bytes.
pub fn input(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = if corpus.is_empty() || random.below(20) == 0 {
        let len = random.below(64);
        (0..len).map(|_| random.byte()).collect()
    } else {
        corpus[random.below(corpus.len())].clone()
    };
    for _ in 0..=random.below(4) {
        change(random, &mut input, corpus);
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn change(random: &mut Random, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = random.below(input.len());
    let len = random.below(8.min(input.len() - at)) + 1;
    let end = (at + len).min(input.len());
    match random.below(9) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.byte();
            }
        }
        width @ 2..=4 => {
            let number = INTERESTING[random.below(INTERESTING.len())].to_le_bytes();
            let width = 1 << (width - 2);
            for (byte, new) in input.iter_mut().skip(at).zip(&number[..width]) {
                *byte = *new;
            }
        }
        5 => {
            let new = random.byte();
            input.splice(at..at, std::iter::repeat_n(new, len));
        }
        6 => drop(input.drain(at..end)),
        7 => {
            let copy = input[at..end].to_vec();
            input.splice(at..at, copy);
        }
        _ => {
            // The rest of another input, or none.
            input.truncate(at);
            if let Some(other) = corpus.get(random.below(corpus.len() * 2)) {
                input.extend(&other[random.below(other.len())..]);
            }
        }
    }
}
