//! The configuration file: TOML, every key optional.
//!
//! `data/ropewalk.sample.toml` documents each key; a test holds it to [`keys::KEYS`].

pub mod keys;
pub mod units;

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use toml::Table;

use units::{ByteSize, Span};

/// Where the store is when neither the command line nor the configuration says.
pub const DEFAULT_DATA_DIR: &str = "ropewalk-data";

/// Everything that a configuration file can say, with the defaults of a file that says nothing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The store's directory.
    pub data_dir: PathBuf,
    /// Where plain HTTP is served.
    #[serde(deserialize_with = "units::socket_address")]
    pub http: SocketAddr,
    /// Where HTTPS is served.
    #[serde(deserialize_with = "units::socket_address")]
    pub https: SocketAddr,
    /// Plain HTTP on an address that other machines can reach.
    pub allow_plaintext: bool,
    /// The host name, and perhaps port, that clients are told to use.
    pub public_host: Option<String>,
    /// When a write counts as done.
    pub durability: DurabilityLevel,
    /// What is logged, in the syntax of `RUST_LOG`.
    pub log: String,
    /// The HTTPS certificate.
    pub tls: Tls,
    /// How the store works.
    pub store: StoreSection,
    /// What clients may use.
    pub limits: Limits,
}

/// `[tls]`: both or neither; without them a self-signed certificate is made.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a section, as in [tls]")]
pub struct Tls {
    /// A PEM file with the certificate chain.
    pub certificate: Option<PathBuf>,
    /// A PEM file with the private key.
    pub private_key: Option<PathBuf>,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a section, as in [store]")]
pub struct StoreSection {
    /// What finds messages and folders in the log.
    pub index: IndexChoice,
    /// Bytes of messages kept in memory.
    pub cache_size: ByteSize,
    /// Whether the store may be on a network file system.
    pub allow_network: bool,
    /// A file with the key of an encrypted store.
    pub key_file: Option<PathBuf>,
    /// How long deleted items can be recovered.
    pub keep_deleted: Span,
    /// Bytes a second that compaction reads and writes.
    pub compaction_rate: ByteSize,
}

/// The index under the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexChoice {
    /// On disk; a start only catches up.
    Sled,
    /// In memory; each start reads the whole log.
    Memory,
}

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a section, as in [limits]")]
pub struct Limits {
    /// Bytes of one message that is imported.
    pub max_message_size: ByteSize,
    /// How long a session without requests is kept.
    pub context_idle_timeout: Span,
    /// Bytes that the open objects of all sessions keep in memory.
    pub session_memory: ByteSize,
    /// Execute requests that run at a time; the clients of others are asked to wait.
    pub running_requests: usize,
    /// What one request does of an operation that its client wants done asynchronously; none for as
    /// little as possible.
    pub asynchronous_slice: Span,
}

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurabilityLevel {
    /// Once it is on disk.
    Always,
    /// At once; it is on disk after at most this time.
    Interval(Duration),
    /// At once; it is on disk when the operating system sees fit.
    None,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: DEFAULT_DATA_DIR.into(),
            http: (Ipv4Addr::LOCALHOST, 8080).into(),
            https: (Ipv4Addr::LOCALHOST, 8443).into(),
            allow_plaintext: false,
            public_host: None,
            durability: DurabilityLevel::Always,
            log: "warn,ropewalk_server=info".to_owned(),
            tls: Tls::default(),
            store: StoreSection::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            index: IndexChoice::Sled,
            cache_size: ByteSize(64 << 20),
            allow_network: false,
            key_file: None,
            keep_deleted: Span(Duration::from_secs(14 * 24 * 3600)),
            compaction_rate: ByteSize(32 << 20),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: ByteSize(64 << 20),
            context_idle_timeout: Span(Duration::from_secs(15 * 60)),
            session_memory: ByteSize(1 << 30),
            running_requests: 1024,
            asynchronous_slice: Span(Duration::from_millis(50)),
        }
    }
}

impl<'de> Deserialize<'de> for DurabilityLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "always" => Ok(Self::Always),
            "none" => Ok(Self::None),
            _ => Span::parse(&text)
                .filter(|span| !span.0.is_zero())
                .map(|span| Self::Interval(span.0))
                .ok_or_else(|| {
                    de::Error::invalid_value(
                        de::Unexpected::Str(&text),
                        &"\"always\", \"none\" or an interval such as \"200 ms\"",
                    )
                }),
        }
    }
}

/// Why a configuration cannot be used. Each message is one sentence that names the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {path}: {source}; check the path given to --config")]
    Read {
        /// The file.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A key that does not exist.
    #[error("unknown key '{key}' in {path}; did you mean '{nearest}'?")]
    UnknownKey {
        /// The file.
        path: String,
        /// The key as written, with its section.
        key: String,
        /// The known key that looks most like it.
        nearest: &'static str,
    },
    /// No TOML, or a value of the wrong kind.
    #[error("the configuration {path} is wrong{line}: {message}")]
    Invalid {
        /// The file.
        path: String,
        /// `" in line N"`, if it is known.
        line: String,
        /// What is wrong, in one line.
        message: String,
    },
    /// A public_host that is no host.
    #[error(
        "public_host in {path} must be a host name or address, with a port or without, as in mail.example.test:8443"
    )]
    PublicHost {
        /// The file.
        path: String,
    },
    /// A value that leaves nothing to work with.
    #[error("{key} in {path} is {value}, which does not work; the default is {default}")]
    Nothing {
        /// The file.
        path: String,
        /// The key.
        key: &'static str,
        /// What it says, for people.
        value: &'static str,
        /// What it would be if it were not there.
        default: &'static str,
    },
    /// A certificate without a key, or the other way round.
    #[error(
        "the configuration {path} names only one of tls.certificate and tls.private_key; give both or neither"
    )]
    HalfTls {
        /// The file.
        path: String,
    },
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &name),
            Err(source) => Err(ConfigError::Read { path: name, source }),
        }
    }

    /// Reads the text of a configuration file that is called `path` in errors.
    pub fn parse(text: &str, path: &str) -> Result<Self, ConfigError> {
        let invalid = |error: toml::de::Error| ConfigError::Invalid {
            path: path.to_owned(),
            line: line_of(text, &error),
            message: error.message().replace('\n', " "),
        };
        let table: Table = text.parse().map_err(invalid)?;
        if let Some(key) = keys::first_unknown(&table) {
            return Err(ConfigError::UnknownKey {
                path: path.to_owned(),
                nearest: keys::nearest(&key),
                key,
            });
        }
        let config: Self = toml::from_str(text).map_err(invalid)?;
        let path = path.to_owned();
        if !config.public_host.as_deref().is_none_or(is_authority) {
            return Err(ConfigError::PublicHost { path });
        }
        let limits = &config.limits;
        for (nothing, key, value, default) in [
            (
                config.data_dir.as_os_str().is_empty(),
                "data_dir",
                "empty",
                "\"ropewalk-data\"",
            ),
            (
                limits.context_idle_timeout.0.is_zero(),
                "limits.context_idle_timeout",
                "zero",
                "\"15 min\"",
            ),
            (
                limits.max_message_size.0 == 0,
                "limits.max_message_size",
                "zero",
                "\"64 MiB\"",
            ),
            (
                limits.session_memory.0 == 0,
                "limits.session_memory",
                "zero",
                "\"1 GiB\"",
            ),
            (
                limits.running_requests == 0,
                "limits.running_requests",
                "zero",
                "1024",
            ),
        ] {
            if nothing {
                return Err(ConfigError::Nothing {
                    path,
                    key,
                    value,
                    default,
                });
            }
        }
        if config.tls.certificate.is_some() != config.tls.private_key.is_some() {
            return Err(ConfigError::HalfTls { path });
        }
        Ok(config)
    }
}

/// Host and perhaps port, in characters that need no escape in a URL (RFC 3986 3.2.2).
fn is_authority(host: &str) -> bool {
    format!("https://{host}/")
        .parse::<hyper::Uri>()
        .is_ok_and(|uri| uri.authority().is_some_and(|authority| authority == host))
        && !host.contains(['@', '%', '\'', '&'])
}

fn line_of(text: &str, error: &toml::de::Error) -> String {
    error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| {
            let number = before.matches('\n').count();
            // The key that is before the value, if it is on the same line.
            let key = text
                .lines()
                .nth(number)
                .and_then(|line| line.split_once('='))
                .map(|(key, _)| key.trim())
                .filter(|key| keys::is_bare(key))
                .map(|key| format!(", '{key}'"));
            format!(" in line {}{}", number + 1, key.unwrap_or_default())
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
