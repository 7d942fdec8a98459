//! Reading tests/vectors/*.toml.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

/// One file: the examples of one specification.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    spec: String,
    /// `layout` where the specification gives field tables and no bytes.
    #[serde(default)]
    origin: Option<Origin>,
    example: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    Layout,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    section: String,
    title: String,
    direction: Direction,
    kind: Kind,
    rop_id: Option<u8>,
    structure: Option<Structure>,
    body: Option<Body>,
    hex: Option<String>,
    parts: Option<Vec<String>>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    columns: Option<Vec<u32>>,
    skip: Option<String>,
    /// Where the specification contradicts itself; for the reader.
    #[serde(rename = "note")]
    _note: Option<String>,
    // The HTTP exchanges, which are text.
    start_line: Option<String>,
    #[serde(rename = "headers")]
    _headers: Option<Vec<String>>,
    #[serde(rename = "meta_tags")]
    _meta_tags: Option<Vec<String>>,
    #[serde(rename = "trailing_headers")]
    _trailing_headers: Option<Vec<String>>,
}

/// Who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Request,
    Response,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One ROP request or response.
    Rop,
    /// A ROP input buffer: RopSize, RopsList and the Server object handle table.
    RopBuffer,
    /// The body of a request type of MAPI over HTTP.
    MapihttpBody,
    /// An HTTP exchange, without bytes.
    Http,
    /// A structure by itself.
    Structure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Structure {
    TaggedPropertyValue,
    HandleTable,
    ExtBuffer,
    Lz77,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Body {
    Connect,
    Execute,
    Disconnect,
    NotificationWait,
    Bind,
}

/// What a vector is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Rop(u8),
    RopBuffer,
    Body(Body),
    Structure(Structure),
}

/// Bytes and what they mean.
#[derive(Debug)]
pub struct Vector {
    /// The specification, and `(layout)` where the bytes are not printed there.
    pub spec: String,
    /// Specification, section and title, for messages.
    pub name: String,
    pub direction: Direction,
    pub subject: Subject,
    pub bytes: Vec<u8>,
    /// The values of the fields, by the specification's names.
    pub fields: BTreeMap<String, String>,
    /// The columns that give rows their shape.
    pub columns: Vec<u32>,
}

/// A vector that no test uses, and why.
pub struct Skipped {
    pub spec: String,
    pub name: String,
    pub reason: String,
}

/// Every vector there is, and those marked to be skipped.
pub fn all() -> (Vec<Vector>, Vec<Skipped>) {
    let mut paths: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors"))
        .expect("the vectors directory")
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    let (mut vectors, mut skipped) = (Vec::new(), Vec::new());
    for path in paths {
        let text = fs::read_to_string(&path).expect("a readable file");
        let file: File =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let origin = if matches!(file.origin, Some(Origin::Layout)) {
            " (layout)"
        } else {
            ""
        };
        for raw in file.example {
            let spec = format!("{}{origin}", file.spec);
            let name = format!("{spec} {} {}", raw.section, raw.title);
            match raw.skip.clone() {
                Some(reason) => skipped.push(Skipped { spec, name, reason }),
                None => vectors.push(raw.into_vector(spec, name)),
            }
        }
    }
    (vectors, skipped)
}

impl Raw {
    fn into_vector(self, spec: String, name: String) -> Vector {
        let subject = match (self.kind, self.rop_id, self.body, self.structure) {
            (Kind::Rop, Some(rop_id), None, None) => Subject::Rop(rop_id),
            (Kind::RopBuffer, None, None, None) => Subject::RopBuffer,
            (Kind::MapihttpBody, None, Some(body), None) => Subject::Body(body),
            (Kind::Structure, None, None, Some(structure)) => Subject::Structure(structure),
            other => panic!("{name}: kind and its subject do not agree: {other:?}"),
        };
        assert!(
            self.start_line.is_none(),
            "{name}: HTTP text has no bytes to test"
        );
        let bytes = match (&self.hex, &self.parts) {
            (Some(hex), None) => hex_bytes(hex, &name),
            (None, Some(parts)) => parts
                .iter()
                .flat_map(|part| part_bytes(part, &name))
                .collect(),
            _ => panic!("{name}: either hex or parts"),
        };
        Vector {
            spec,
            name,
            direction: self.direction,
            subject,
            bytes,
            fields: self.fields,
            columns: self.columns.unwrap_or_default(),
        }
    }
}

/// The bytes of a part: a field's name, then the digits.
fn part_bytes(part: &str, name: &str) -> Vec<u8> {
    let (_field, digits) = part
        .split_once(' ')
        .unwrap_or_else(|| panic!("{name}: {part}"));
    hex_bytes(digits, name)
}

fn hex_bytes(digits: &str, name: &str) -> Vec<u8> {
    digits
        .split_whitespace()
        .map(|byte| {
            assert_eq!(byte.len(), 2, "{name}: {byte}");
            u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{name}: {byte}"))
        })
        .collect()
}
