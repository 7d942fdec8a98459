//! The demo office: users and mail from `data/demo`, which is part of the binary.

use ropewalk_props::Guid;
use ropewalk_store::{Store, StoreError};
use serde::Deserialize;

use crate::{
    auth,
    import::{FolderError, Importer, Item, ItemHeader, Kind, Outcome, source},
    provision::{self, Email, EmailError, ProvisionError},
};

/// Each file with its path below `data/demo`: `users.toml`, and the users' files as
/// `LOCAL-PART/FOLDER/NAME`, in order of path.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

/// A user of the demo office.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoUser {
    /// The address.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// The password, which is no secret.
    pub password: String,
}

/// A user of the demo office in the store.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The user as the demo has it.
    pub user: DemoUser,
    /// Added just now; otherwise the user was there already and is as it was.
    pub new: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Users {
    user: Vec<DemoUser>,
}

/// Why the demo office cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// `users.toml` is missing or wrong; a test keeps it right.
    #[error("the demo's users.toml is wrong: {0}")]
    Users(String),
    /// A wrong address in it.
    #[error("the demo has a wrong address: {0}")]
    Email(#[from] EmailError),
    /// The password could not be hashed.
    #[error("cannot hash a demo password: {0}")]
    Password(#[from] auth::HashError),
    /// The store refused a user.
    #[error("cannot add a demo user: {0}")]
    Provision(#[from] ProvisionError),
    /// The store has no mailbox for the user.
    #[error("cannot open a demo mailbox: {0}")]
    Mailbox(#[from] StoreError),
    /// A folder could not be made.
    #[error("cannot fill a demo mailbox: {0}")]
    Folder(#[from] FolderError),
    /// A file was not imported.
    #[error("cannot import the demo's {0}: {1}")]
    Item(String, String),
}

/// The users of the demo office.
pub fn users() -> Result<Vec<DemoUser>, DemoError> {
    let wrong = |reason: &dyn std::fmt::Display| DemoError::Users(reason.to_string());
    let (_, text) = FILES
        .iter()
        .find(|(path, _)| *path == "users.toml")
        .ok_or_else(|| wrong(&"it is missing"))?;
    let text = std::str::from_utf8(text).map_err(|error| wrong(&error))?;
    let users: Users = toml::from_str(text).map_err(|error| wrong(&error.message()))?;
    Ok(users.user)
}

/// Adds the users of the demo office with their mail. Users who are there already stay as they are.
pub fn load(store: &Store) -> Result<Vec<Loaded>, DemoError> {
    users()?
        .into_iter()
        .map(|user| {
            let new = store.user_by_email(&user.email).is_none();
            if new {
                add(store, &user)?;
            }
            Ok(Loaded { user, new })
        })
        .collect()
}

fn add(store: &Store, user: &DemoUser) -> Result<(), DemoError> {
    let email = Email::parse(&user.email)?;
    let hash = auth::hash_password(&user.password)?;
    let added = provision::add_user(store, &email, &user.name, hash)?;
    fill(store, &email, added.mailbox_guid)
}

/// A file of the demo office that goes into a mailbox.
struct DemoFile {
    path: &'static str,
    folder: &'static str,
    item: Item,
}

/// Imports the files of one user, folder by folder.
fn fill(store: &Store, email: &Email, mailbox: Guid) -> Result<(), DemoError> {
    let mailbox = store.mailbox(mailbox)?;
    let files: Vec<DemoFile> = files_of(email.local()).collect();
    for group in files.chunk_by(|one, other| one.folder == other.folder) {
        let Some(first) = group.first() else { continue };
        let items = group.iter().map(|file| file.item.clone()).collect();
        let importer = Importer::new(&mailbox, Some(first.folder));
        for (file, outcome) in group.iter().zip(importer.save(items)?) {
            if let Outcome::Failed(reason) = outcome {
                return Err(DemoError::Item(file.path.to_owned(), reason));
            }
        }
    }
    Ok(())
}

fn files_of(local_part: &str) -> impl Iterator<Item = DemoFile> {
    FILES.iter().filter_map(move |(path, data)| {
        let (folder, name) = path
            .strip_prefix(local_part)?
            .strip_prefix('/')?
            .rsplit_once('/')?;
        let kind = match name.rsplit_once('.')?.1 {
            "eml" => Kind::Message,
            "vcf" => Kind::Contacts,
            "ics" => Kind::Calendar,
            _ => return None,
        };
        let header = ItemHeader {
            kind,
            // New mail is unread unless it says otherwise, as in an mbox file.
            read: !folder.starts_with("Inbox") || source::status_says_read(data),
            length: data.len() as u64,
        };
        let data = data.to_vec();
        let item = Item { header, data };
        Some(DemoFile { path, folder, item })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_belongs_to_a_user_and_is_of_a_known_kind() {
        let users = users().unwrap();
        assert_eq!(users.len(), 3);
        let emails: Vec<Email> = users
            .iter()
            .map(|user| Email::parse(&user.email).unwrap())
            .collect();
        let used: usize = emails
            .iter()
            .map(|email| files_of(email.local()).count())
            .sum();
        let beside = FILES
            .iter()
            .filter(|(path, _)| ["users.toml", "README.md"].contains(path))
            .count();
        assert_eq!(used + beside, FILES.len());
        assert!(used >= 30, "{used}");
    }
}
