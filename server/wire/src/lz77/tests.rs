use proptest::prelude::*;

use super::*;

fn decompressed(bytes: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    decompress(bytes, size, &mut out).map(|()| out)
}

/// MS-XCA 3.1.
const ALPHABET: &[u8] = b"\x3f\0\0\0abcdefghijklmnopqrstuvwxyz";
const ABC_100: &[u8] = b"\xff\xff\xff\x1fabc\x17\0\x0f\xff\x26\x01";

#[test]
fn decompresses_the_examples_of_the_specification() {
    assert_eq!(
        decompressed(ALPHABET, 26).unwrap(),
        b"abcdefghijklmnopqrstuvwxyz"
    );
    assert_eq!(decompressed(ABC_100, 300).unwrap(), b"abc".repeat(100));
}

#[test]
fn compresses_the_examples_of_the_specification_to_the_same_bytes() {
    for (plain, expected) in [
        (b"abcdefghijklmnopqrstuvwxyz".to_vec(), ALPHABET),
        (b"abc".repeat(100), ABC_100),
    ] {
        let mut out = Vec::new();
        compress(&plain, &mut out);
        assert_eq!(out, expected);
    }
}

#[test]
fn data_that_gives_another_size_is_refused() {
    assert!(decompressed(ALPHABET, 27).is_err());
    // The match is longer than what is left.
    assert_eq!(decompressed(ABC_100, 299), Err(DecodeError::Compression));
    assert!(decompressed(&[], 1).is_err());
    assert_eq!(decompressed(&[], 0), Ok(vec![]));
}

#[test]
fn a_match_from_before_the_start_is_refused() {
    let bytes = [0xFF, 0xFF, 0xFF, 0x7F, b'a', 0x08, 0x00];
    assert_eq!(decompressed(&bytes, 4), Err(DecodeError::Compression));
}

#[test]
fn a_match_reaches_back_to_the_bytes_of_this_call_only() {
    let mut out = b"before".to_vec();
    let bytes = [0xFF, 0xFF, 0xFF, 0x7F, b'a', 0x08, 0x00];
    assert!(decompress(&bytes, 4, &mut out).is_err());
    assert_eq!(out, b"before");
}

#[test]
fn every_way_to_write_a_length_round_trips() {
    for len in (3..40).chain(270..300).chain([65537, 65538, 65539]) {
        // The second match uses the other half of the length byte.
        let mut plain = vec![b'x'; len + 1];
        plain.push(b'-');
        plain.extend(vec![b'y'; len + 1]);
        let mut packed = Vec::new();
        compress(&plain, &mut packed);
        assert!(
            decompressed(&packed, plain.len()).unwrap() == plain,
            "{len}"
        );
    }
}

proptest! {
    #[test]
    fn whatever_is_compressed_decompresses_to_itself(
        plain in prop::collection::vec(prop::sample::select(&b"abc\0\xff"[..]), 0..3000),
    ) {
        let mut packed = Vec::new();
        compress(&plain, &mut packed);
        prop_assert!(packed.len() <= plain.len() + plain.len() / 8 + 8);
        prop_assert_eq!(decompressed(&packed, plain.len()).unwrap(), plain);
    }

    #[test]
    fn any_bytes_decompress_to_the_size_wanted_or_not_at_all(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        size in 0usize..70000,
    ) {
        if let Ok(out) = decompressed(&bytes, size) {
            prop_assert_eq!(out.len(), size);
        }
    }
}
