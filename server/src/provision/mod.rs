//! Making a user: the address, the X500 name, and the folders of a fresh mailbox.

pub mod address;
pub mod identification;
pub mod template;

use std::sync::Arc;

use ropewalk_props::{Bag, Guid, PropValue, tags};
use ropewalk_store::{NewUser, Store, StoreError, User};

pub use address::{Email, EmailError};
pub use ropewalk_rops::logon::special;

/// Why a user could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The operating system gave no random bytes for the GUIDs.
    #[error("the operating system gave no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The store refused the user.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a user with a mailbox that has every special folder. Durable when it returns.
pub fn add_user(
    store: &Store,
    email: &Email,
    display_name: &str,
    password_hash: String,
) -> Result<Arc<User>, ProvisionError> {
    let new = new_user(email, display_name, password_hash)?;
    Ok(store.add_user(new)?)
}

/// Everything that the store needs to make the user, with new GUIDs.
fn new_user(
    email: &Email,
    display_name: &str,
    password_hash: String,
) -> Result<NewUser, getrandom::Error> {
    let mailbox_guid = random_guid()?;
    let repl_guid = random_guid()?;
    Ok(NewUser {
        email: email.as_str().to_owned(),
        display_name: display_name.to_owned(),
        legacy_dn: address::legacy_dn(email, mailbox_guid),
        mailbox_guid,
        repl_guid,
        password_hash,
        folders: template::folders(mailbox_guid, repl_guid),
        receive_folders: template::receive_folders(),
        store_props: store_props(),
    })
}

/// The logon properties that a client may change, as they are at first (MS-OXCSTOR 2.2.2.1.2).
fn store_props() -> Bag {
    const ENGLISH_US: i32 = 0x0409;
    [
        (tags::PID_TAG_OUT_OF_OFFICE_STATE, PropValue::Boolean(false)),
        (tags::PID_TAG_LOCALE_ID, PropValue::Integer32(ENGLISH_US)),
        (
            tags::PID_TAG_SORT_LOCALE_ID,
            PropValue::Integer32(ENGLISH_US),
        ),
    ]
    .into_iter()
    .collect()
}

/// A random GUID (RFC 9562 version 4).
fn random_guid() -> Result<Guid, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    // The wire keeps the third field little-endian: its high byte, with the version, comes last.
    bytes[7] = (bytes[7] & 0x0F) | 0x40;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    Ok(Guid(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_user_has_its_own_guids_and_name() {
        let email = Email::parse("ada@example.test").unwrap();
        let one = new_user(&email, "Ada", String::new()).unwrap();
        let two = new_user(&email, "Ada", String::new()).unwrap();
        assert_ne!(one.mailbox_guid, two.mailbox_guid);
        assert_ne!(one.mailbox_guid, one.repl_guid);
        assert_ne!(one.legacy_dn, two.legacy_dn);
        assert!(one.legacy_dn.ends_with("-ada"));
        assert_eq!(one.mailbox_guid.to_string().as_bytes()[14], b'4');
    }
}
