//! The command line: parsing, what each command does, and how it tells that it went wrong.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage. An error is one sentence on standard error.

pub mod args;
mod demo_table;
mod import;
mod key;
mod logging;
mod password;
mod serve;
mod signals;
mod store;
mod store_text;
mod user;

use std::{io, io::Write as _, process::ExitCode};

use clap::{Parser as _, error::ErrorKind};

use args::{Cli, Command};

/// Exit code of a command that failed.
const FAILED: u8 = 1;
/// Exit code of a command line that makes no sense.
const USAGE: u8 = 2;

/// A command failed; the text is the sentence for the user.
#[derive(Debug)]
pub struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => match run(cli.command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure(sentence)) => {
                complain(&sentence);
                ExitCode::from(FAILED)
            }
        },
        Err(error) => usage(&error),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(&args),
        Command::User(args) => user::run(args),
        Command::Import(args) => import::run(&args),
        Command::Store(args) => store::run(args),
    }
}

/// Prints help where it was asked for, and a sentence where the command line is wrong.
fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Whoever closed the pipe has read enough.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(USAGE)
        }
        _ => {
            complain(&usage_sentence(&error.to_string()));
            ExitCode::from(USAGE)
        }
    }
}

/// clap's message without its headings, in one line.
fn usage_sentence(rendered: &str) -> String {
    let lines: Vec<&str> = rendered
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .map(str::trim)
        .collect();
    // An empty line is between what is wrong and a tip.
    let body = lines
        .split(|line| line.is_empty())
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| paragraph.join(" "))
        .collect::<Vec<_>>()
        .join("; ");
    let body = body.strip_prefix("error: ").unwrap_or(&body);
    format!("{body}; add --help to the command to see what it takes")
}

fn complain(sentence: &str) {
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(io::stderr(), "ropewalk: {sentence}");
}

/// A server of another version answered.
fn unexpected() -> Failure {
    Failure(
        "the running server does not understand this command; restart it with this version"
            .to_owned(),
    )
}

/// Writes to standard output; a reader that went away ends the command without a fuss.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_is_one_sentence() {
        let error = Cli::try_parse_from(["ropewalk", "serve", "--dmeo"]).unwrap_err();
        let sentence = usage_sentence(&error.to_string());
        assert!(
            sentence.starts_with("unexpected argument '--dmeo' found; tip: a similar"),
            "{sentence}"
        );
        assert!(sentence.ends_with("see what it takes"), "{sentence}");
        assert!(
            !sentence.contains('\n') && !sentence.contains("Usage"),
            "{sentence}"
        );
    }
}
