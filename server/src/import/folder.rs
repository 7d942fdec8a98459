//! The folder that an import goes to.

use ropewalk_props::{Bag, GlobCnt, tags};
use ropewalk_store::{FolderKind, Mailbox, NewFolder, StoreError};

use super::Kind;
use crate::provision::special;

/// Characters of a folder's name.
const NAME_CHARS_MAX: usize = 255;
/// Folders in a path.
const PATH_DEPTH_MAX: usize = 32;

/// Why there is no such folder and none can be made.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Not names with `/` between them.
    #[error(
        "'{0}' is no folder path; write names with '/' between them, as in Archive/2019, at most 32 deep"
    )]
    Path(String),
    /// The store refused to make it.
    #[error("cannot make the folder '{path}': {source}")]
    Make {
        /// The path.
        path: String,
        /// Why.
        source: StoreError,
    },
}

/// The folder for items of a kind when none was asked for.
pub fn default_folder(kind: Kind) -> GlobCnt {
    match kind {
        Kind::Message => special::INBOX,
        Kind::Contacts => special::CONTACTS,
        Kind::Calendar => special::CALENDAR,
    }
}

/// The folder with this path below the top of the mailbox; missing ones are made, for `kind`.
pub fn find_or_make(mailbox: &Mailbox, path: &str, kind: Kind) -> Result<GlobCnt, FolderError> {
    let names = names(path).ok_or_else(|| FolderError::Path(path.to_owned()))?;
    names
        .into_iter()
        .try_fold(special::IPM_SUBTREE, |parent, name| {
            child(mailbox, parent, name, kind).map_err(|source| FolderError::Make {
                path: path.to_owned(),
                source,
            })
        })
}

/// The names in a path; `None` if one of them can be no folder's name.
fn names(path: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = path.split('/').map(str::trim).collect();
    let good = |name: &&str| {
        !name.is_empty()
            && name.chars().count() <= NAME_CHARS_MAX
            && !name.chars().any(char::is_control)
    };
    (names.len() <= PATH_DEPTH_MAX && names.iter().all(good)).then_some(names)
}

fn child(
    mailbox: &Mailbox,
    parent: GlobCnt,
    name: &str,
    kind: Kind,
) -> Result<GlobCnt, StoreError> {
    let mut props = Bag::new();
    props.set_text(tags::PID_TAG_DISPLAY_NAME, name);
    props.set_text(tags::PID_TAG_COMMENT, "");
    props.set_text(tags::PID_TAG_CONTAINER_CLASS, container_class(kind));
    let new = NewFolder {
        parent,
        kind: FolderKind::Generic,
        props,
    };
    match mailbox.create_folder(new) {
        Ok(folder) => Ok(folder.id),
        // The store compares names as clients do; what it calls the same is the one that was meant.
        Err(StoreError::DuplicateName(existing)) => Ok(existing),
        Err(error) => Err(error),
    }
}

fn container_class(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "IPF.Note",
        Kind::Contacts => "IPF.Contact",
        Kind::Calendar => "IPF.Appointment",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_names_with_slashes() {
        assert_eq!(names("Inbox"), Some(vec!["Inbox"]));
        assert_eq!(names("Archive / 2019"), Some(vec!["Archive", "2019"]));
        let deep = "a/".repeat(32) + "a";
        let long = "x".repeat(256);
        for bad in ["", "/", "/Inbox", "a//b", "a/\u{7}", &deep, &long] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }
}
