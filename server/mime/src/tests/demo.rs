//! The demo office: what each of its files becomes.

use std::{fs, path::Path};

use super::*;

/// The demo's files with their paths below `data/demo`, in order.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/demo");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    files
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.push((name, fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn every_file_becomes_what_it_should() {
    let mut found = String::new();
    for (name, data) in files() {
        let names = Names::default();
        let messages = match name.rsplit_once('.').map(|(_, ext)| ext) {
            Some("eml") => vec![crate::message(&data, &names, now())],
            Some("vcf") => crate::contacts(&data, &names, now()).unwrap(),
            Some("ics") => crate::calendar(&data, &names, now()).unwrap(),
            _ => continue,
        };
        let _ = writeln!(found, "== {name}");
        messages
            .iter()
            .for_each(|message| found.push_str(&summary(message)));
    }
    if let Some(path) = std::env::var_os("ROPEWALK_WRITE_SUMMARY") {
        fs::write(path, &found).unwrap();
    }
    let expected = include_str!("demo_summary.txt");
    for (found, expected) in found.split("== ").zip(expected.split("== ")) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}
