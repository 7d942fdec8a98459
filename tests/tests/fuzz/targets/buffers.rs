//! What surrounds ROPs, and files that an import reads.

use std::{fs, path::Path};

use ropewalk_wire::{Reader, aux_buffer, ext_buffer, list::List, lz77};

use super::vectors;
use crate::load::{Structure, Subject};

pub fn ext_buffers() -> Vec<Vec<u8>> {
    let mut corpus = vectors(|vector| vector.subject == Subject::Structure(Structure::ExtBuffer));
    let mut compressed = Vec::new();
    let plain = b"abcabcabcabcdefdefdef".repeat(10);
    let form = ext_buffer::COMPRESSED | ext_buffer::XOR_MAGIC;
    ext_buffer::encode(&mut compressed, &plain, form).unwrap();
    ext_buffer::encode(&mut compressed, &plain, form | ext_buffer::LAST).unwrap();
    corpus.push(compressed);
    corpus
}

pub fn check_ext_buffer(bytes: &[u8]) -> bool {
    let Ok(payloads) = ext_buffer::decode(bytes) else {
        return false;
    };
    assert!(payloads.len() <= ext_buffer::BUFFERS_MAX);
    for payload in &payloads {
        assert!(payload.len() <= ext_buffer::PAYLOAD_MAX);
        for form in 0..4 {
            let mut out = Vec::new();
            ext_buffer::encode(&mut out, payload, form | ext_buffer::LAST).unwrap();
            assert_eq!(
                ext_buffer::decode(&out).unwrap(),
                std::slice::from_ref(payload)
            );
        }
    }
    true
}

/// The first two bytes say the size.
pub fn lz77_inputs() -> Vec<Vec<u8>> {
    let mut corpus: Vec<_> =
        vectors(|vector| vector.subject == Subject::Structure(Structure::Lz77))
            .iter()
            .map(|bytes| [&300u16.to_le_bytes()[..], bytes].concat())
            .collect();
    let plain = b"to be or not to be, that is to be".repeat(8);
    let mut packed = (plain.len() as u16).to_le_bytes().to_vec();
    lz77::compress(&plain, &mut packed);
    corpus.push(packed);
    corpus
}

pub fn check_lz77(bytes: &[u8]) -> bool {
    let mut input = Reader::new(bytes);
    let Ok(size) = input.u16() else { return false };
    let mut plain = Vec::new();
    let decompressed = lz77::decompress(input.rest(), size.into(), &mut plain);
    match decompressed {
        Ok(()) => assert_eq!(plain.len(), usize::from(size)),
        Err(_) => assert!(plain.is_empty()),
    }
    // Anything can be compressed.
    let mut packed = Vec::new();
    lz77::compress(bytes, &mut packed);
    let mut again = Vec::new();
    lz77::decompress(&packed, bytes.len(), &mut again).unwrap();
    assert_eq!(again, bytes);
    decompressed.is_ok()
}

pub fn aux_buffers() -> Vec<Vec<u8>> {
    let client_info = [&b"\x2C\0\x01\x02"[..], &[0; 40]].concat();
    vec![
        client_info.clone(),
        [&client_info[..], b"\x08\0\x01\x0A\0\0\0\0"].concat(),
    ]
}

pub fn check_aux_buffer(bytes: &[u8]) -> bool {
    for block in aux_buffer::blocks(bytes) {
        assert!(block.data.len() < bytes.len());
        let _ = aux_buffer::ClientInfo::of(&block);
    }
    // Lists of fixed items count by their length.
    if let Ok(handles) = List::<u32>::take_all(Reader::new(bytes)) {
        assert_eq!(handles.len() * 4, bytes.len());
        assert_eq!(handles.iter().count(), handles.len());
    }
    aux_buffer::blocks(bytes).next().is_some()
}

/// The small files of the demo office: messages, contacts and appointments.
pub fn mime_files() -> Vec<Vec<u8>> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/demo");
    let mut folders = vec![demo];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the demo office") {
            let path = entry.expect("a directory entry").path();
            let list = if path.is_dir() {
                &mut folders
            } else {
                &mut paths
            };
            list.push(path);
        }
    }
    // In an order that does not depend on the file system.
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a readable file"))
        .filter(|file| file.len() <= MIME_BYTES_MAX)
        .collect()
}

/// Larger files take longer and have no more in them.
const MIME_BYTES_MAX: usize = 3000;

/// Anything is converted.
pub fn check_mime(bytes: &[u8]) -> bool {
    ropewalk_mime::fuzz(bytes);
    true
}
