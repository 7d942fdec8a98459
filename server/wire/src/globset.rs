//! GLOBSET structures: sets of counters of one replica (MS-OXCFXICS 2.2.2.6).

use ropewalk_props::GlobCnt;

use crate::{DecodeError, Put, Reader};

/// Bytes of a counter.
const LEN: usize = 6;

/// The largest counter.
const MAX: u64 = (1 << 48) - 1;

/// Commands (MS-OXCFXICS 2.2.2.6.1 to 2.2.2.6.5).
mod command {
    pub const END: u8 = 0x00;
    pub const PUSH_MAX: u8 = 0x06;
    pub const BITMASK: u8 = 0x42;
    pub const POP: u8 = 0x50;
    pub const RANGE: u8 = 0x52;
}

/// A set of counters, as ascending ranges with room between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobSet(Vec<(u64, u64)>);

impl GlobSet {
    /// True without a counter.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first and last counter of each range, ascending.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = (GlobCnt, GlobCnt)> {
        self.0
            .iter()
            .map(|(low, high)| (GlobCnt(*low), GlobCnt(*high)))
    }

    /// Whether a counter is in it.
    pub fn contains(&self, counter: GlobCnt) -> bool {
        let at = self.0.partition_point(|(_, high)| *high < counter.0);
        self.0.get(at).is_some_and(|(low, _)| *low <= counter.0)
    }

    /// Puts a counter in; false if it was, or is none.
    pub fn insert(&mut self, counter: GlobCnt) -> bool {
        if counter.0 > MAX || self.contains(counter) {
            return false;
        }
        self.insert_range(counter.0, counter.0);
        true
    }

    /// Puts all counters of a range in.
    fn insert_range(&mut self, low: u64, high: u64) {
        // The ranges that it touches become one with it.
        let first = self
            .0
            .partition_point(|range| range.1.saturating_add(1) < low);
        let end = self
            .0
            .partition_point(|range| range.0 <= high.saturating_add(1));
        let touched = self.0.get(first..end).unwrap_or_default();
        let low = touched.first().map_or(low, |range| range.0.min(low));
        let high = touched.last().map_or(high, |range| range.1.max(high));
        self.0.splice(first..end.max(first), [(low, high)]);
    }

    /// Puts all counters of another set in.
    pub fn extend(&mut self, other: &Self) {
        for (low, high) in &other.0 {
            self.insert_range(*low, *high);
        }
    }

    /// The same in sets of so many ranges each, ascending.
    pub fn parts(&self, ranges: usize) -> impl Iterator<Item = Self> {
        let parts = self.0.chunks(ranges.max(1));
        parts.map(|part| Self(part.to_vec()))
    }

    /// Takes a counter out; false if it was not in.
    pub fn remove(&mut self, counter: GlobCnt) -> bool {
        let counter = counter.0;
        let at = self.0.partition_point(|(_, high)| *high < counter);
        let Some(&(low, high)) = self.0.get(at).filter(|(low, _)| *low <= counter) else {
            return false;
        };
        let below = (low < counter).then(|| (low, counter - 1));
        let above = (counter < high).then(|| (counter + 1, high));
        self.0.splice(at..=at, below.into_iter().chain(above));
        true
    }

    /// Appends the encoding. Each range stands by itself, one counter as a Push command of all its
    /// bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (low, high) in self.ranges() {
            if low == high {
                out.put_u8(command::PUSH_MAX);
                out.put_bytes(&low.to_bytes());
            } else {
                out.put_u8(command::RANGE);
                out.put_bytes(&low.to_bytes());
                out.put_bytes(&high.to_bytes());
            }
        }
        out.put_u8(command::END);
    }

    /// Reads an encoding up to its End command.
    pub fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut set = Self::default();
        let mut stack = Stack::default();
        loop {
            match input.u8()? {
                command::END if stack.bytes.is_empty() => return Ok(set),
                count @ 1..=command::PUSH_MAX => {
                    if let Some(counter) = stack.push(input.bytes(count.into())?)? {
                        set.insert_range(counter, counter);
                    }
                }
                command::POP => stack.pop()?,
                command::BITMASK => {
                    let (start, mask) = (input.u8()?, input.u8()?);
                    if stack.bytes.len() != LEN - 1 {
                        return Err(BAD);
                    }
                    let base = stack.with(&[start])?;
                    let following = (0..8).filter(|bit| mask >> bit & 1 != 0);
                    for more in std::iter::once(0).chain(following.map(|bit| bit + 1)) {
                        // It does not go on in the next 256.
                        if u64::from(start) + more > u64::from(u8::MAX) {
                            return Err(BAD);
                        }
                        set.insert_range(base + more, base + more);
                    }
                }
                command::RANGE => {
                    let rest = LEN - stack.bytes.len();
                    let low = stack.with(input.bytes(rest)?)?;
                    let high = stack.with(input.bytes(rest)?)?;
                    if low > high {
                        return Err(BAD);
                    }
                    set.insert_range(low, high);
                }
                _ => return Err(BAD),
            }
        }
    }
}

const BAD: DecodeError = DecodeError::Value {
    field: "GLOBSET",
    value: 0,
};

/// The high bytes that counters have in common.
#[derive(Default)]
struct Stack {
    bytes: Vec<u8>,
    /// How many each Push command put there.
    pushed: Vec<usize>,
}

impl Stack {
    /// Puts bytes on it; if a whole counter is there then, it is given, and the bytes are off again.
    fn push(&mut self, bytes: &[u8]) -> Result<Option<u64>, DecodeError> {
        if self.bytes.len() + bytes.len() < LEN {
            self.bytes.extend_from_slice(bytes);
            self.pushed.push(bytes.len());
            return Ok(None);
        }
        self.with(bytes).map(Some)
    }

    fn pop(&mut self) -> Result<(), DecodeError> {
        let count = self.pushed.pop().ok_or(BAD)?;
        self.bytes.truncate(self.bytes.len() - count);
        Ok(())
    }

    /// The counter of the bytes on it and these.
    fn with(&self, rest: &[u8]) -> Result<u64, DecodeError> {
        if self.bytes.len() + rest.len() != LEN {
            return Err(BAD);
        }
        let all = self.bytes.iter().chain(rest);
        Ok(all.fold(0, |counter, byte| counter << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> Result<GlobSet, DecodeError> {
        let mut input = Reader::new(bytes);
        let set = GlobSet::decode(&mut input)?;
        input.finish()?;
        Ok(set)
    }

    // MS-OXCFXICS 3.1.5.4.3.1 has the same commands.
    #[test]
    fn every_command_is_read() {
        let bitmask = [5, 0, 0, 0, 0, 0, 0x42, 0x01, 0xEB, 0x50, 0];
        let ranges = vec![(1, 3), (5, 5), (7, 9)];
        assert_eq!(decode(&bitmask), Ok(GlobSet(ranges)));
        let range = [4, 0, 0, 0, 0, 0x52, 0, 9, 1, 2, 2, 3, 4, 0x50, 0];
        assert_eq!(
            decode(&range),
            Ok(GlobSet(vec![(9, 0x102), (0x304, 0x304)]))
        );
        let nested = [
            2, 0, 0, 2, 0, 1, 2, 0, 7, 0x50, 0x50, 6, 0, 0, 0, 0, 0, 9, 0,
        ];
        assert_eq!(
            decode(&nested),
            Ok(GlobSet(vec![(9, 9), (0x1_0007, 0x1_0007)]))
        );
        assert_eq!(decode(&[0]), Ok(GlobSet::default()));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let bad: [&[u8]; 9] = [
            &[],
            &[0x50, 0],
            &[1, 0, 0],
            &[4, 0, 0, 0, 0, 0x42, 1, 1, 0x50, 0],
            &[5, 0, 0, 0, 0, 0, 0x42, 0xFF, 1, 0x50, 0],
            &[0x52, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 8, 0],
            &[0x52, 0, 0, 0, 0],
            &[5, 0, 0, 0, 0, 0, 2, 1, 1, 0x50, 0],
            &[7, 0],
        ];
        for bytes in bad {
            assert!(decode(bytes).is_err(), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn sets_are_as_those_of_the_library(
            steps in prop::collection::vec((0u64..60, any::<bool>()), 0..200),
        ) {
            let (mut set, mut model) = (GlobSet::default(), BTreeSet::new());
            for (counter, insert) in steps {
                let (changed, expected) = if insert {
                    (set.insert(GlobCnt(counter)), model.insert(counter))
                } else {
                    (set.remove(GlobCnt(counter)), model.remove(&counter))
                };
                prop_assert_eq!(changed, expected);
            }
            let found: Vec<u64> = (0..70).filter(|n| set.contains(GlobCnt(*n))).collect();
            prop_assert_eq!(found, model.iter().copied().collect::<Vec<_>>());
            for pair in set.0.windows(2) {
                prop_assert!(pair[0].1 + 1 < pair[1].0);
            }
            let mut bytes = Vec::new();
            set.encode(&mut bytes);
            prop_assert_eq!(decode(&bytes), Ok(set));
        }

        #[test]
        fn any_bytes_are_a_set_or_not(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&bytes);
        }
    }
}
