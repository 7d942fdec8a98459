//! The command line: what can be said, and what `--help` says of it.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};
use ropewalk_props::FileTime;

use crate::{
    config::{DEFAULT_DATA_DIR, units::ByteSize},
    moment,
    provision::Email,
};

/// A mail server that speaks MAPI over HTTP, with its store inside.
#[derive(Debug, Parser)]
#[command(
    name = "ropewalk",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Example: a server with three users and some mail, to try things out\n  \
                  ropewalk serve --demo"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server until Ctrl-C or SIGTERM.
    Serve(ServeArgs),
    /// Add, list, show and remove users; works beside a running server.
    User(UserArgs),
    /// Put mail, contacts and appointments from files into a mailbox; works beside a running server.
    Import(ImportArgs),
    /// Check, compact, back up and restore the store.
    Store(StoreArgs),
}

/// `ropewalk serve`.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Example: a server for the mailboxes in /srv/mail, HTTPS on all addresses\n  \
                        ropewalk serve --data-dir /srv/mail --https 0.0.0.0:443"
)]
pub struct ServeArgs {
    /// Configuration file (TOML); the other options win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the store, made if it is missing [default: ropewalk-data, with --demo a
    /// temporary one]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address for plain HTTP; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = socket_address)]
    pub http: Option<SocketAddr>,
    /// Address for HTTPS; port 0 takes a free one [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDR", value_parser = socket_address)]
    pub https: Option<SocketAddr>,
    /// Fill the store with a demo office: users, mail, a contact and an appointment
    #[arg(long)]
    pub demo: bool,
}

/// `ropewalk user`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Example: who has a mailbox\n  ropewalk user list --data-dir /srv/mail"
)]
pub struct UserArgs {
    /// Where the store is.
    #[command(flatten)]
    pub place: StorePlace,
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// `ropewalk user …`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user with an empty mailbox; makes the store if it is missing.
    #[command(after_help = "Example: the password is the first line of a file\n  \
                            ropewalk user add ada@example.test --name 'Ada Lovelace' \
                            --password-stdin <password.txt")]
    Add {
        /// E-mail address, also the name to log on with
        #[arg(value_parser = email)]
        email: Email,
        /// Name that others see [default: the part of EMAIL before '@']
        #[arg(long, value_parser = display_name)]
        name: Option<String>,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// List the users.
    #[command(after_help = "Example: the addresses only\n  \
                            ropewalk user list --json | jq -r '.[].email'")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show one user, with the folders of the mailbox and what is in them.
    #[command(after_help = "Example: the X500 name, as NSPI wants it\n  \
                            ropewalk user show ada@example.test --json | jq -r .legacy_dn")]
    Show {
        /// The user's e-mail address
        email: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Give a user a new password.
    #[command(after_help = "Example: make a new one and print it\n  \
                            ropewalk user passwd ada@example.test")]
    Passwd {
        /// The user's e-mail address
        email: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Say how large a mailbox may get; what is not given is without limit.
    #[command(
        after_help = "Example: warned at 1.8 GiB, nothing more comes in at 2 GiB\n  \
                            ropewalk user quota ada@example.test --warn '1843 MiB' --receive '2 GiB'"
    )]
    Quota {
        /// The user's e-mail address
        email: String,
        /// The user is warned from this size on
        #[arg(long, value_name = "SIZE", value_parser = kilobytes)]
        warn: Option<u32>,
        /// Nothing can be sent beyond this size
        #[arg(long, value_name = "SIZE", value_parser = kilobytes)]
        send: Option<u32>,
        /// Nothing can be saved or received beyond this size
        #[arg(long, value_name = "SIZE", value_parser = kilobytes)]
        receive: Option<u32>,
    },
    /// Remove a user and the whole mailbox, for good.
    #[command(after_help = "Example:\n  ropewalk user remove ada@example.test")]
    Remove {
        /// The user's e-mail address
        email: String,
    },
}

/// Where the password comes from.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Read the password from the first line of standard input; without it one is made and printed
    #[arg(long)]
    pub password_stdin: bool,
}

/// `ropewalk import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: an mbox file and a maildir into a folder of their own\n  \
                        ropewalk import --data-dir /srv/mail --user ada@example.test \
                        --folder 'Archive/2019' old.mbox ~/Maildir\n\n\
                        Exit code 0 if all was imported, 1 if anything was not."
)]
pub struct ImportArgs {
    /// Where the store is.
    #[command(flatten)]
    pub place: StorePlace,
    /// E-mail address of the user whose mailbox it is
    #[arg(long, value_name = "EMAIL")]
    pub user: String,
    /// Folder below the top of the mailbox, made if it is missing [default: Inbox; contacts go to
    /// Contacts and appointments to Calendar]
    #[arg(long, value_name = "PATH")]
    pub folder: Option<String>,
    /// .eml files, mbox files, maildirs, .vcf and .ics files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `ropewalk store`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Example: a backup every night, beside the running server\n  \
                        ropewalk store backup /mnt/backup/mail --data-dir /srv/mail"
)]
pub struct StoreArgs {
    /// Where the store is.
    #[command(flatten)]
    pub place: StorePlace,
    /// Print the result as a JSON object, and no progress
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// Where a store is, and what opens it.
#[derive(Debug, Args)]
pub struct StorePlace {
    /// Directory of the store
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA_DIR, global = true)]
    pub data_dir: PathBuf,
    /// File with the key of an encrypted store: 64 hexadecimal digits [default: the variable
    /// ROPEWALK_STORE_KEY]
    #[arg(long, value_name = "FILE", global = true)]
    pub key_file: Option<PathBuf>,
}

/// `ropewalk store …`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Read everything and check it; works beside a running server. Changes nothing.
    #[command(
        after_help = "Example:\n  ropewalk store verify --data-dir /srv/mail && echo whole\n\n\
                            Exit code 0 if all is whole, 1 if there is damage."
    )]
    Verify,
    /// Make the index anew from the log. Stop the server first.
    #[command(after_help = "Example:\n  ropewalk store rebuild --data-dir /srv/mail")]
    Rebuild,
    /// Give back the space of what was deleted; works beside a running server, which also does it
    /// by itself.
    #[command(
        after_help = "Example: encrypt the store anew, with a new data key\n  \
                            ropewalk store compact --new-key --data-dir /srv/mail"
    )]
    Compact {
        /// Write everything anew with a new data key; encrypts a store that is not encrypted yet.
        /// Stop the server first
        #[arg(long)]
        new_key: bool,
    },
    /// Tell how much is in the store and what it takes on disk; works beside a running server.
    #[command(after_help = "Example: bytes on disk\n  \
                            ropewalk store stats --json --data-dir /srv/mail | jq .disk_bytes")]
    Stats,
    /// Back up into a directory, which gets what it does not have yet; works beside a running
    /// server.
    #[command(
        after_help = "Example:\n  ropewalk store backup /mnt/backup/mail --data-dir /srv/mail"
    )]
    Backup {
        /// The backup's directory, made if it is missing
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// List what can be restored from DIR, and do nothing
        #[arg(long)]
        list: bool,
    },
    /// Fill an empty data directory from a backup.
    #[command(after_help = "Example: as it was at noon\n  \
                            ropewalk store restore /mnt/backup/mail --time 2026-05-01T12:00:00Z \
                            --data-dir /srv/restored")]
    Restore {
        /// The backup's directory
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Restore the store as it was after this commit
        #[arg(long, value_name = "NUMBER", conflicts_with = "time")]
        lsn: Option<u64>,
        /// Restore the store as it was at this time (RFC 3339, as in 2026-05-01T12:00:00Z)
        #[arg(long, value_name = "TIME", value_parser = point_in_time)]
        time: Option<FileTime>,
    },
}

fn point_in_time(text: &str) -> Result<FileTime, String> {
    moment::parse(text).ok_or_else(|| {
        "write it as in 2026-05-01T12:00:00Z or 2026-05-01T14:00:00+02:00".to_owned()
    })
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|error| error.to_string())
}

/// A quota is kept in kilobytes (MS-OXCSTOR 2.2.2.1.1.3).
fn kilobytes(text: &str) -> Result<u32, String> {
    ByteSize::parse(text)
        .and_then(|size| u32::try_from(size.0.div_ceil(1024)).ok())
        .filter(|kilobytes| i32::try_from(*kilobytes).is_ok())
        .ok_or_else(|| "write a size of less than 2048 GiB, as in '2 GiB' or '500 MiB'".to_owned())
}

/// Characters of a display name; address lists cut longer ones (MS-OXOABK 2.2.3.1).
const DISPLAY_NAME_CHARS_MAX: usize = 256;

fn display_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("a name has at least one visible character".to_owned());
    }
    if text.chars().count() > DISPLAY_NAME_CHARS_MAX || text.chars().any(char::is_control) {
        return Err("a name has at most 256 characters and no control characters".to_owned());
    }
    Ok(text.trim().to_owned())
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| {
            "write an address and a port of this machine, as in 127.0.0.1:8080".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound_and_every_command_has_an_example() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        command.build();
        let mut queue = vec![command];
        let mut seen = 0;
        while let Some(command) = queue.pop() {
            let help = command.get_after_help().map(ToString::to_string);
            let name = command.get_name();
            assert!(
                help.is_some_and(|text| text.contains("  ropewalk ")),
                "{name}"
            );
            queue.extend(command.get_subcommands().cloned());
            seen += 1;
        }
        assert_eq!(seen, 17);
    }

    #[test]
    fn serve_takes_addresses() {
        let cli = parse("ropewalk serve --http 127.0.0.1:0 --https [::1]:8443 --demo").unwrap();
        let Command::Serve(args) = cli.command else {
            panic!("serve")
        };
        assert_eq!(args.http.map(|addr| addr.port()), Some(0));
        assert!(args.https.is_some_and(|addr| addr.is_ipv6()) && args.demo);
        assert_eq!(
            parse("ropewalk serve --http 8080").unwrap_err().kind(),
            ErrorKind::ValueValidation
        );
    }

    #[test]
    fn user_takes_the_data_dir_anywhere() {
        for line in [
            "ropewalk user --data-dir /d show a@b.test --json",
            "ropewalk user show a@b.test --data-dir /d --json",
        ] {
            let Command::User(args) = parse(line).unwrap().command else {
                panic!("user")
            };
            assert_eq!(args.place.data_dir, PathBuf::from("/d"));
            assert!(matches!(args.command, UserCommand::Show { json: true, .. }));
        }
        let Command::User(args) = parse("ropewalk user list").unwrap().command else {
            panic!("user")
        };
        assert_eq!(args.place.data_dir, PathBuf::from(DEFAULT_DATA_DIR));
    }

    #[test]
    fn addresses_and_names_are_checked() {
        for line in [
            "ropewalk user add ada",
            "ropewalk user add a@b.test --name \u{1}",
            "ropewalk user add a@b.test --name ",
        ] {
            assert_eq!(
                parse(line).unwrap_err().kind(),
                ErrorKind::ValueValidation,
                "{line}"
            );
        }
    }

    #[test]
    fn import_wants_a_user_and_files() {
        assert!(parse("ropewalk import --user a@b.test x.eml y.mbox").is_ok());
        for line in ["ropewalk import x.eml", "ropewalk import --user a@b.test"] {
            assert_eq!(
                parse(line).unwrap_err().kind(),
                ErrorKind::MissingRequiredArgument
            );
        }
    }
}
