//! Nonces that no two seals share, whoever makes them and whenever.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use ropewalk_seal::NONCE;

/// Bytes of it that are random.
const RANDOM: usize = 16;

/// The nonces of one run of the program: 16 random bytes, drawn once, and a counter. Two runs draw
/// the same bytes with a chance of 2^-128 each time; within a run the counter tells all apart.
pub struct Nonces {
    run: [u8; RANDOM],
    next: AtomicU64,
}

impl Nonces {
    /// Draws the random part. An error if the operating system has none.
    pub fn new() -> io::Result<Self> {
        let mut run = [0; RANDOM];
        getrandom::fill(&mut run).map_err(io::Error::other)?;
        Ok(Self {
            run,
            next: AtomicU64::new(0),
        })
    }

    /// The next one. The counter would take centuries to come round.
    pub fn take(&self) -> [u8; NONCE] {
        Self::compose(self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A nonce that [`Nonces::take`] never gives, since its counter is the last one: for keys that are
    /// derived from another.
    pub const fn derived(label: [u8; RANDOM]) -> [u8; NONCE] {
        Self::compose(label, u64::MAX)
    }

    const fn compose(start: [u8; RANDOM], counter: u64) -> [u8; NONCE] {
        let mut out = [0xFF; NONCE];
        let (first, last) = out.split_at_mut(RANDOM);
        first.copy_from_slice(&start);
        last.copy_from_slice(&counter.to_le_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_two_nonces_are_the_same_across_runs_and_threads(
            plan in prop::collection::vec(prop::collection::vec(1usize..200, 1..5), 1..5),
        ) {
            let mut seen = HashSet::new();
            let mut taken = 0;
            for run in &plan {
                let nonces = Nonces::new().unwrap();
                let of_threads = std::thread::scope(|scope| {
                    let threads = run.iter().map(|count| {
                        let nonces = &nonces;
                        scope.spawn(move || (0..*count).map(|_| nonces.take()).collect::<Vec<_>>())
                    });
                    let threads: Vec<_> = threads.collect();
                    let all = threads.into_iter().flat_map(|thread| thread.join().unwrap());
                    all.collect::<Vec<_>>()
                });
                taken += of_threads.len();
                seen.extend(of_threads);
            }
            prop_assert_eq!(seen.len(), taken);
            prop_assert!(!seen.contains(&Nonces::derived([0; RANDOM])));
        }
    }
}
