use std::collections::BTreeSet;

use super::*;

const SAMPLE: &str = include_str!("../../../data/ropewalk.sample.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "test.toml")
}

fn message(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// The sample with each `#key = value` taken out of its comment.
fn uncommented() -> String {
    SAMPLE
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| !rest.starts_with(' '))
                .unwrap_or(line)
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_sample_changes_nothing_as_it_is() {
    assert_eq!(parse(SAMPLE).unwrap(), Config::default());
}

#[test]
fn the_sample_has_every_key_and_no_other() {
    let table: Table = uncommented().parse().unwrap();
    let mut found = BTreeSet::new();
    for (key, value) in &table {
        match value.as_table() {
            Some(section) => found.extend(section.keys().map(|inner| format!("{key}.{inner}"))),
            None => {
                found.insert(key.clone());
            }
        }
    }
    assert_eq!(
        found,
        keys::KEYS.iter().map(|key| (*key).to_owned()).collect()
    );
    parse(&uncommented()).unwrap();
}

#[test]
fn values_are_read() {
    let config = parse(
        "data_dir = \"/srv/mail\"\nhttps = \"[::1]:443\"\ndurability = \"200 ms\"\n\
         [store]\nindex = \"memory\"\n[limits]\nmax_message_size = \"1 MiB\"\n",
    )
    .unwrap();
    assert_eq!(config.data_dir, Path::new("/srv/mail"));
    assert_eq!(config.https.to_string(), "[::1]:443");
    assert_eq!(
        config.durability,
        DurabilityLevel::Interval(Duration::from_millis(200))
    );
    assert_eq!(config.store.index, IndexChoice::Memory);
    assert_eq!(config.limits.max_message_size, ByteSize(1 << 20));
    assert_eq!(config.http, Config::default().http);
}

#[test]
fn a_public_host_may_have_a_port() {
    for host in [
        "mail.example.test",
        "mail.example.test:8443",
        "192.0.2.1",
        "[2001:db8::1]:443",
    ] {
        let config = parse(&format!("public_host = \"{host}\"")).unwrap();
        assert_eq!(config.public_host.as_deref(), Some(host));
    }
}

#[test]
fn an_unknown_key_is_named_with_its_nearest_neighbour() {
    assert_eq!(
        message("htpp = \"127.0.0.1:1\""),
        "unknown key 'htpp' in test.toml; did you mean 'http'?"
    );
    assert_eq!(
        message("[tls]\ncertifikate = \"x\""),
        "unknown key 'tls.certifikate' in test.toml; did you mean 'tls.certificate'?"
    );
}

#[test]
fn other_mistakes_are_told_in_one_line() {
    for (text, part) in [
        ("\nhttp = 8080", "in line 2, 'http'"),
        ("https = \"8443\"", "an address and a port"),
        ("tls = 3", "a section, as in [tls]"),
        ("data_dir = \"\"", "data_dir in test.toml is empty"),
        ("[limits]\nsession_memory = 0", "session_memory"),
        ("[limits]\nrunning_requests = 0", "running_requests"),
        ("[limits]\nmax_message_size = 0", "max_message_size"),
        ("[limits]\nasynchronous_slice = 50", "a span of time"),
        ("[limits]\ncontext_idle_timeout = 15", "a span of time"),
        (
            "[limits]\ncontext_idle_timeout = \"5000000000 h\"",
            "at most a year",
        ),
        ("durability = \"often\"", "\"always\""),
        ("durability = \"0 ms\"", "\"always\""),
        ("allow_plaintext = \"yes\"", "in line 1"),
        ("http = ", "in line 1"),
        ("tls = 1", "in line 1"),
        ("[tls]\ncertificate = \"a.pem\"", "give both or neither"),
        ("[store]\ncache_size = -1", "in line 2"),
        ("public_host = \"https://mail.example.test\"", "a host name"),
        ("public_host = \"\"", "a host name"),
        ("public_host = \"a&b\"", "a host name"),
        (
            "[limits]\ncontext_idle_timeout = \"0 s\"",
            "context_idle_timeout",
        ),
    ] {
        let message = message(text);
        assert!(message.contains(part), "{text}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
}
