//! The log, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use super::Failure;

/// Starts to log what `RUST_LOG` asks for, or `filter` without it.
pub fn start(filter: &str) -> Result<(), Failure> {
    let (source, directives) = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(directives) if !directives.is_empty() => (EnvFilter::DEFAULT_ENV, directives),
        _ => ("the key 'log'", filter.to_owned()),
    };
    let filter = EnvFilter::try_new(&directives).map_err(|error| {
        Failure(format!(
            "{source} is no log filter ({error}); write for example info or warn,ropewalk_server=debug"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init()
        .map_err(|error| Failure(format!("cannot log: {error}")))
}
