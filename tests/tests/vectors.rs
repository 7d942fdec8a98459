//! Every example of tests/vectors/*.toml through the codec, both ways.

use std::collections::BTreeMap;

#[path = "vectors/codec.rs"]
mod codec;
#[path = "vectors/fields.rs"]
mod fields;
#[path = "vectors/load.rs"]
mod load;

use load::{Structure, Subject, Vector};

/// How many examples there are of each specification: used, and marked to be skipped.
const COUNTS: [(&str, usize, usize); 12] = [
    ("MS-OXCFOLD", 14, 0),
    ("MS-OXCMAPIHTTP", 0, 10),
    ("MS-OXCMAPIHTTP (layout)", 11, 0),
    ("MS-OXCMSG", 1, 0),
    ("MS-OXCPERM", 3, 1),
    ("MS-OXCPRPT", 5, 0),
    ("MS-OXCROPS (layout)", 103, 0),
    ("MS-OXCRPC (layout)", 3, 0),
    ("MS-OXCSTOR", 1, 0),
    ("MS-OXCTABL", 5, 1),
    ("MS-OXORULE", 7, 0),
    ("MS-XCA", 2, 0),
];

#[test]
fn every_example_is_used_or_says_why_not() {
    let (vectors, skipped) = load::all();
    let mut counts = BTreeMap::new();
    for vector in &vectors {
        counts.entry(vector.spec.as_str()).or_insert((0, 0)).0 += 1;
    }
    for vector in &skipped {
        assert!(vector.reason.len() > 20, "{}: no reason", vector.name);
        counts.entry(vector.spec.as_str()).or_insert((0, 0)).1 += 1;
    }
    let counts: Vec<_> = counts
        .into_iter()
        .map(|(spec, (used, skipped))| (spec, used, skipped))
        .collect();
    assert_eq!(counts, COUNTS);
}

#[test]
fn every_example_decodes_to_its_fields_and_encodes_to_its_bytes() {
    for vector in load::all().0 {
        let name = &vector.name;
        let decoded =
            codec::decode(&vector, &vector.bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!vector.fields.is_empty(), "{name}: no fields");
        for (field, expected) in &vector.fields {
            let found = decoded
                .fields
                .get(field)
                .unwrap_or_else(|| panic!("{name}: no {field}"));
            assert!(
                same_text(found, expected),
                "{name}: {field} is {found:?} and should be {expected:?}"
            );
        }
        if let Some(again) = decoded.again {
            assert_eq!(again, vector.bytes, "{name}");
        }
    }
}

/// Hexadecimal digits may be of either case.
fn same_text(found: &str, expected: &str) -> bool {
    found == expected || (expected.contains("0x") && found.eq_ignore_ascii_case(expected))
}

#[test]
fn an_example_cut_short_anywhere_is_an_error() {
    for vector in load::all().0 {
        for len in 0..vector.bytes.len() {
            let decoded = codec::decode(&vector, &vector.bytes[..len]);
            assert!(
                decoded.is_err() || ends_anywhere(&vector, len),
                "{} cut to {len} bytes",
                vector.name
            );
        }
    }
}

/// Structures that run to the end of their bytes, wherever that is.
fn ends_anywhere(vector: &Vector, len: usize) -> bool {
    match vector.subject {
        // RequestBuffers.
        Subject::Rop(0xFF) => len >= 3,
        Subject::Structure(Structure::HandleTable) => len.is_multiple_of(4),
        // RopSize and the RopsList, then any number of handles.
        Subject::RopBuffer => (len - 0x0F).is_multiple_of(4),
        _ => false,
    }
}
