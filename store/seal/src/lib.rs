//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) over bytes in place, and nothing else.
//!
//! A crate of its own since the cipher's crates are generic to the last: without this one debug builds
//! would compile them unoptimised into the store, a hundred times slower than they are.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

use chacha20poly1305::{AeadInOut as _, KeyInit as _, XChaCha20Poly1305, aead::inout::InOutBuf};
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY: usize = 32;
/// Bytes of a nonce.
pub const NONCE: usize = 24;
/// Bytes of the tag that shows that nothing was changed.
pub const TAG: usize = 16;
/// Bytes that what is sealed is longer than before: a tag and a nonce.
pub const OVERHEAD: usize = TAG + NONCE;

/// A key, wiped when it is no longer needed.
pub type Secret = Zeroizing<[u8; KEY]>;

/// A key at work. Wiped when it is dropped.
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// Uses this key.
    pub fn new(key: &Secret) -> Self {
        Self(XChaCha20Poly1305::new((&**key).into()))
    }

    /// Encrypts `data` where it lies; returns tag and nonce. No nonce may be used twice with a key.
    /// `None` beyond 256 GiB.
    pub fn seal(
        &self,
        nonce: [u8; NONCE],
        associated: &[u8],
        data: &mut [u8],
    ) -> Option<[u8; OVERHEAD]> {
        let data = InOutBuf::from(data);
        let sealed = self
            .0
            .encrypt_inout_detached((&nonce).into(), associated, data);
        let mut end = [0; OVERHEAD];
        let (tag, rest) = end.split_at_mut(TAG);
        tag.copy_from_slice(&sealed.ok()?);
        rest.copy_from_slice(&nonce);
        Some(end)
    }

    /// Decrypts data that tag and nonce follow, where it lies; returns its length. `None`, and nothing
    /// is changed, if this key did not seal it, or not with this associated data.
    pub fn open(&self, associated: &[u8], stored: &mut [u8]) -> Option<usize> {
        let (rest, nonce) = stored.split_last_chunk_mut::<NONCE>()?;
        let (data, tag) = rest.split_last_chunk_mut::<TAG>()?;
        let len = data.len();
        let (nonce, tag) = ((&*nonce).into(), (&*tag).into());
        let data = InOutBuf::from(data);
        let opened = self.0.decrypt_inout_detached(nonce, associated, data, tag);
        opened.ok().map(|()| len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pairs = digits
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap());
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    /// draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn the_drafts_example_comes_out() {
        let key: [u8; KEY] = std::array::from_fn(|index| 0x80 + index as u8);
        let nonce: [u8; NONCE] = std::array::from_fn(|index| 0x40 + index as u8);
        let associated = bytes("50515253c0c1c2c3c4c5c6c7");
        let plain =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
            the future, sunscreen would be it.";
        let expected = bytes(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb\
             731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
             2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
             21f9664c97637da9768812f615c68b13b52e",
        );
        let tag = bytes("c0875924c1c7987947deafd8780acf49");
        let sealer = Sealer::new(&Zeroizing::new(key));
        let mut data = plain.to_vec();
        let end = sealer.seal(nonce, &associated, &mut data).unwrap();
        assert_eq!(data, expected);
        assert_eq!(end[..], [&tag[..], &nonce].concat());
        data.extend_from_slice(&end);
        assert_eq!(sealer.open(&associated, &mut data), Some(plain.len()));
        assert_eq!(&data[..plain.len()], plain);
    }
}
