//! The names that a configuration file may use, and what was meant by one that it may not.

use toml::Table;

/// Every key, sections with a dot.
pub const KEYS: &[&str] = &[
    "data_dir",
    "http",
    "https",
    "allow_plaintext",
    "public_host",
    "durability",
    "log",
    "tls.certificate",
    "tls.private_key",
    "store.index",
    "store.cache_size",
    "store.allow_network",
    "store.key_file",
    "store.keep_deleted",
    "store.compaction_rate",
    "limits.max_message_size",
    "limits.context_idle_timeout",
    "limits.session_memory",
    "limits.running_requests",
    "limits.asynchronous_slice",
];

/// The first key of `table` that is not in [`KEYS`].
pub fn first_unknown(table: &Table) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let section = KEYS.iter().any(|known| section(known) == Some(key));
        match value.as_table() {
            Some(inner) if section => inner
                .keys()
                .map(|inner| format!("{key}.{inner}"))
                .find(|path| !KEYS.contains(&path.as_str())),
            // A section that is no table: the value's type is wrong, not its name.
            _ if section || KEYS.contains(&key.as_str()) => None,
            _ => Some(key.clone()),
        }
    })
}

/// A key that needs no quotes.
pub fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&c))
}

/// The known key or section that looks most like `unknown`, by its whole name or its last part.
pub fn nearest(unknown: &str) -> &'static str {
    let distance = |known: &str| {
        let whole = strsim::damerau_levenshtein(unknown, known);
        let last = strsim::damerau_levenshtein(last_part(unknown), last_part(known));
        // The right name in the wrong section is near, but not as near as a slip in one letter.
        whole.min(last + 1)
    };
    KEYS.iter()
        .copied()
        .chain(KEYS.iter().filter_map(|key| section(key)))
        .min_by_key(|known| distance(known))
        .unwrap_or("data_dir")
}

fn section(key: &str) -> Option<&str> {
    key.split_once('.').map(|(section, _)| section)
}

fn last_part(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key() {
        for (unknown, known) in [
            ("htpp", "http"),
            ("data-dir", "data_dir"),
            ("max_message_size", "limits.max_message_size"),
            ("tls.certifcate", "tls.certificate"),
            ("limits.durability", "durability"),
            ("private_key", "tls.private_key"),
            ("limit", "limits"),
        ] {
            assert_eq!(nearest(unknown), known);
        }
    }

    #[test]
    fn unknown_keys_are_found_in_sections_too() {
        let unknown = |text: &str| first_unknown(&text.parse().unwrap());
        assert_eq!(unknown("http = \"x\"\n[tls]\ncertificate = \"a\""), None);
        assert_eq!(unknown("htpp = 1").as_deref(), Some("htpp"));
        assert_eq!(unknown("[tls]\nkey = 1").as_deref(), Some("tls.key"));
        assert_eq!(unknown("[limit]\nx = 1").as_deref(), Some("limit"));
        assert_eq!(unknown("tls = 1"), None);
    }
}
