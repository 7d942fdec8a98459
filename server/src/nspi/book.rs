//! The Global Address List: the server's users in the order of their names.

use std::{cmp::Ordering, sync::Arc};

use ropewalk_store::{Store, User};

/// The users at one moment, as rows of the Global Address List.
///
/// Rows are sorted by the lower-case form of PidTagDisplayName, code point by code point, and by
/// Minimal Entry ID where that is the same (MS-OXNSPI 3.1.4.3.6, SortTypeDisplayName).
pub struct AddressBook {
    rows: Vec<Row>,
    /// Minimal Entry IDs with their row, ascending.
    by_id: Vec<(u32, usize)>,
}

/// A user, and the names that are compared.
pub struct Row {
    /// The display name, folded: what rows are sorted by.
    pub key: String,
    /// The SMTP address, folded.
    pub email: String,
    /// The DN, folded.
    pub dn: String,
    /// The user.
    pub user: Arc<User>,
}

/// A name in the form in which names are compared.
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

impl AddressBook {
    /// The users that the store has now.
    pub fn read(store: &Store) -> Self {
        Self::new(store.users())
    }

    /// These users.
    pub fn new(users: Vec<Arc<User>>) -> Self {
        let mut rows: Vec<Row> = users
            .into_iter()
            .map(|user| Row {
                key: fold(&user.display_name),
                email: fold(&user.email),
                dn: fold(&user.legacy_dn),
                user,
            })
            .collect();
        rows.sort_by(compare);
        let mut by_id: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(row, entry)| (entry.user.minimal_id, row))
            .collect();
        by_id.sort_unstable();
        Self { rows, by_id }
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row of the user with this Minimal Entry ID.
    pub fn row_of(&self, minimal_id: u32) -> Option<usize> {
        let index = self
            .by_id
            .binary_search_by_key(&minimal_id, |(id, _)| *id)
            .ok()?;
        self.by_id.get(index).map(|(_, row)| *row)
    }

    /// The user with this Minimal Entry ID.
    pub fn user(&self, minimal_id: u32) -> Option<&User> {
        let row = self.row_of(minimal_id)?;
        self.rows.get(row).map(|row| &*row.user)
    }

    /// The Minimal Entry ID of a row; `None` past the last.
    pub fn minimal_id(&self, row: usize) -> Option<u32> {
        self.rows.get(row).map(|row| row.user.minimal_id)
    }
}

fn compare(one: &Row, other: &Row) -> Ordering {
    one.key
        .cmp(&other.key)
        .then(one.user.minimal_id.cmp(&other.user.minimal_id))
}

#[cfg(test)]
pub(super) mod tests {
    use ropewalk_props::{FileTime, Guid};

    use super::*;

    /// A user whose address and DN follow from the alias.
    pub fn user(minimal_id: u32, display_name: &str, alias: &str) -> Arc<User> {
        let mut guid = [0xAB; 16];
        guid[..4].copy_from_slice(&minimal_id.to_le_bytes());
        Arc::new(User {
            email: format!("{alias}@example.test"),
            display_name: display_name.to_owned(),
            legacy_dn: format!(
                "/o=Ropewalk/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)\
                 /cn=Recipients/cn={minimal_id:08x}-{alias}"
            ),
            mailbox_guid: Guid(guid),
            password_hash: String::new(),
            minimal_id,
            created: FileTime(1),
        })
    }

    /// A book of users with these names and aliases, with Minimal Entry IDs from 0x10 on.
    pub fn book(names: &[(&str, &str)]) -> AddressBook {
        let users = (0x10..)
            .zip(names)
            .map(|(id, (name, alias))| user(id, name, alias))
            .collect();
        AddressBook::new(users)
    }

    #[test]
    fn rows_are_sorted_by_name_without_regard_to_case_and_then_by_id() {
        let book = book(&[("bob", "b"), ("Ada", "a"), ("Zoë", "z"), ("BOB", "b2")]);
        let ids: Vec<_> = book.rows().iter().map(|row| row.user.minimal_id).collect();
        assert_eq!(ids, [0x11, 0x10, 0x13, 0x12]);
        assert_eq!(book.row_of(0x13), Some(2));
        assert_eq!(book.user(0x12).unwrap().display_name, "Zoë");
        assert_eq!(book.row_of(0x14), None);
        assert_eq!(book.minimal_id(4), None);
    }
}
