//! Generates one constant per error code name from `data/protocol/errors.csv`.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

fn main() {
    let csv_path = "../../data/protocol/errors.csv";
    println!("cargo::rerun-if-changed={csv_path}");
    let csv = fs::read_to_string(csv_path).expect("data/protocol/errors.csv is readable");
    // The columns read here stand before the first one that may be quoted.
    let rows: Vec<[&str; 4]> = csv
        .lines()
        .skip(1)
        .filter_map(|line| line.splitn(5, ',').next_chunk_of_four())
        .collect();
    let mut codes: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for [code, spec_names, _, mapi_names] in &rows {
        for name in spec_names.split_whitespace() {
            let mut constant = screaming_snake(name);
            if codes.get(&constant).is_some_and(|(known, _)| known != code) {
                // One name for two codes: the later one goes by its MAPI name.
                let Some(mapi) = mapi_names.split_whitespace().next() else {
                    continue;
                };
                constant = mapi.trim_start_matches("MAPI_E_").to_owned();
            }
            codes.entry(constant).or_insert((code, name));
            names.entry(code).or_insert(name);
        }
    }
    // The `ec…` names that say something else than the specification's, such as ecRpcFailed.
    for [code, _, ec_names, _] in &rows {
        for name in ec_names.split_whitespace() {
            let constant = screaming_snake(name.trim_start_matches("ec"));
            codes.entry(constant).or_insert((code, name));
        }
    }
    let mut out = String::from("#[allow(missing_docs)]\nimpl ErrorCode {\n");
    for (constant, (code, name)) in &codes {
        let _ = writeln!(
            out,
            "    #[doc = \"{name} ({code}).\"]\n    pub const {constant}: Self = Self({code});"
        );
    }
    out.push_str("}\n/// The specification's first name for each code, sorted by code.\n");
    out.push_str("const NAMES: &[(u32, &str)] = &[\n");
    for (code, name) in &names {
        let _ = writeln!(out, "    ({code}, \"{name}\"),");
    }
    out.push_str("];\n");
    let dir = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&dir).join("errors.rs"), out).expect("OUT_DIR is writable");
}

/// The first four columns of a row.
trait NextChunk<'a> {
    fn next_chunk_of_four(self) -> Option<[&'a str; 4]>;
}

impl<'a, I: Iterator<Item = &'a str>> NextChunk<'a> for I {
    fn next_chunk_of_four(mut self) -> Option<[&'a str; 4]> {
        Some([self.next()?, self.next()?, self.next()?, self.next()?])
    }
}

/// `NullObject` becomes `NULL_OBJECT`, `FXBufferEmpty` becomes `FX_BUFFER_EMPTY`.
fn screaming_snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let prev = i.checked_sub(1).map(|p| chars[p]);
        let next = chars.get(i + 1);
        let starts_word = c.is_ascii_uppercase()
            && prev.is_some_and(|p| {
                p.is_ascii_lowercase()
                    || p.is_ascii_digit()
                    || (p.is_ascii_uppercase() && next.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word {
            out.push('_');
        }
        out.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
    }
    out
}
