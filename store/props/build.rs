//! Generates one constant per property tag from `data/protocol/properties.csv`.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let csv_path = "../../data/protocol/properties.csv";
    println!("cargo::rerun-if-changed={csv_path}");
    let csv = fs::read_to_string(csv_path).expect("data/protocol/properties.csv is readable");
    let mut tags = String::new();
    let mut named = String::new();
    for line in csv.lines().skip(1) {
        // The columns read here stand before the first one that may be quoted.
        let columns: Vec<&str> = line.split(',').collect();
        let [
            name,
            kind,
            id,
            ty,
            ty_name,
            set,
            set_name,
            lid,
            string_name,
            ..,
        ] = columns[..]
        else {
            continue;
        };
        let constant = screaming_snake(name);
        match kind {
            "tag" if !ty.is_empty() => {
                let value = (hex(id) << 16) | hex(ty);
                let _ = writeln!(
                    tags,
                    "/// {name} ({ty_name}).\npub const {constant}: PropTag = PropTag(0x{value:08X});"
                );
            }
            "lid" if !lid.is_empty() && !ty.is_empty() && set.len() == 36 => {
                let _ = writeln!(
                    named,
                    "/// {name} ({ty_name}, {set_name}).\npub const {constant}: NamedTag = \
                     NamedTag::lid(Guid::from_fields({}), 0x{:08X}, PropType(0x{:04X}));",
                    guid_fields(set),
                    hex(lid),
                    hex(ty)
                );
            }
            "name" if !string_name.is_empty() && !ty.is_empty() && set.len() == 36 => {
                let _ = writeln!(
                    named,
                    "/// {name} ({ty_name}, {set_name}).\npub const {constant}: NamedTag = \
                     NamedTag::named(Guid::from_fields({}), \"{string_name}\", PropType(0x{:04X}));",
                    guid_fields(set),
                    hex(ty)
                );
            }
            _ => {}
        }
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("tags.rs"), tags).expect("OUT_DIR is writable");
    fs::write(Path::new(&out).join("named.rs"), named).expect("OUT_DIR is writable");
}

fn hex(text: &str) -> u32 {
    u32::from_str_radix(text.trim_start_matches("0x"), 16).expect("a hexadecimal column")
}

fn guid_fields(text: &str) -> String {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let tail: Vec<String> = (16..32)
        .step_by(2)
        .map(|i| format!("0x{}", &digits[i..i + 2]))
        .collect();
    format!(
        "0x{}, 0x{}, 0x{}, [{}]",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        tail.join(", ")
    )
}

/// `PidTagSearchKey` becomes `PID_TAG_SEARCH_KEY`, `PR_FOO` stays.
fn screaming_snake(name: &str) -> String {
    let chars: Vec<char> = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
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
        if starts_word && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
