//! Ambiguous name resolution (MS-OXNSPI 3.1.4.7, which leaves the rules to the server).
//!
//! What a user typed is compared without regard to case. An exact match goes before all others: with
//! the display name, the alias, the SMTP address or the DN. Without one, it may be the beginning of
//! the display name, of a word of it, of the alias or of the SMTP address. With `=` before it, only
//! an exact match counts; with `SMTP:` or `EX:`, only the address of that type.

use ropewalk_store::User;
use ropewalk_wire::nspi::{MID_AMBIGUOUS, MID_RESOLVED, MID_UNRESOLVED};

use super::book::{AddressBook, Row, fold};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution<'b> {
    /// Nobody.
    Unresolved,
    /// More than one user.
    Ambiguous,
    /// This user.
    Resolved(&'b User),
}

impl Resolution<'_> {
    /// As ResolveNames reports it.
    pub const fn minimal_id(self) -> u32 {
        match self {
            Self::Unresolved => MID_UNRESOLVED,
            Self::Ambiguous => MID_AMBIGUOUS,
            Self::Resolved(_) => MID_RESOLVED,
        }
    }
}

/// A name as it was typed, taken apart.
pub struct Name {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Exact,
    Smtp,
    Ex,
}

impl Name {
    /// Takes a name apart; `None` for an empty one, which nobody has.
    pub fn parse(typed: &str) -> Option<Self> {
        let folded = fold(typed.trim());
        let (kind, text) = if let Some(text) = folded.strip_prefix('=') {
            (Kind::Exact, text)
        } else if let Some(text) = folded.strip_prefix("smtp:") {
            (Kind::Smtp, text)
        } else if let Some(text) = folded.strip_prefix("ex:") {
            (Kind::Ex, text)
        } else {
            (Kind::Any, folded.as_str())
        };
        let text = text.trim();
        (!text.is_empty()).then(|| Self {
            kind,
            text: text.to_owned(),
        })
    }

    /// Whether the name is exactly the user's.
    fn is(&self, row: &Row) -> bool {
        let text = self.text.as_str();
        match self.kind {
            Kind::Smtp => row.email == text,
            Kind::Ex => row.dn == text,
            Kind::Any | Kind::Exact => {
                let alias = row.email.split_once('@').map(|(alias, _)| alias);
                row.key == text || row.email == text || alias == Some(text) || row.dn == text
            }
        }
    }

    /// Whether the name may be meant for the user.
    fn begins(&self, row: &Row) -> bool {
        let text = self.text.as_str();
        // The address begins with the alias.
        self.kind == Kind::Any
            && (row.key.starts_with(text)
                || row.email.starts_with(text)
                || row
                    .key
                    .split_whitespace()
                    .any(|word| word.starts_with(text)))
    }

    /// Whether a search for the name finds the user.
    pub fn matches(&self, row: &Row) -> bool {
        self.is(row) || self.begins(row)
    }
}

/// The part of the SMTP address before the `@`.
pub fn alias(user: &User) -> &str {
    user.email.split_once('@').map_or("", |(local, _)| local)
}

/// Who a name stands for.
pub fn resolve<'b>(book: &'b AddressBook, typed: &str) -> Resolution<'b> {
    let Some(name) = Name::parse(typed) else {
        return Resolution::Unresolved;
    };
    match only(book, |row| name.is(row)) {
        Resolution::Unresolved => only(book, |row| name.begins(row)),
        exact => exact,
    }
}

fn only(book: &AddressBook, matches: impl Fn(&Row) -> bool) -> Resolution<'_> {
    let mut found = book.rows().iter().filter(|row| matches(row));
    match (found.next(), found.next()) {
        (None, _) => Resolution::Unresolved,
        (Some(row), None) => Resolution::Resolved(&row.user),
        (Some(_), Some(_)) => Resolution::Ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::book::tests::book, *};

    fn ids(book: &AddressBook, names: &[&str]) -> Vec<i64> {
        names
            .iter()
            .map(|name| match resolve(book, name) {
                Resolution::Unresolved => 0,
                Resolution::Ambiguous => 1,
                Resolution::Resolved(user) => user.minimal_id.into(),
            })
            .collect()
    }

    #[test]
    fn names_resolve_by_exact_match_and_then_by_prefix() {
        let book = book(&[
            ("Ada Lovelace", "ada"),
            ("Adam Smith", "smith"),
            ("Grace Hopper", "grace"),
            ("Ада", "cyrillic"),
        ]);
        let cases = [
            // Everything that is exactly the user's.
            ("Ada Lovelace", 0x10),
            ("aDA lOVELACE", 0x10),
            ("ada", 0x10),
            ("ADA@example.test", 0x10),
            ("SMTP:ada@EXAMPLE.test", 0x10),
            ("smtp: ada@example.test ", 0x10),
            (" =ada ", 0x10),
            ("=Ada Lovelace", 0x10),
            ("адА", 0x13),
            // Beginnings.
            ("ad", 1),
            ("Ada ", 0x10),
            ("adam", 0x11),
            ("lov", 0x10),
            ("smi", 0x11),
            ("grace@", 0x12),
            ("gr", 0x12),
            // What nobody has.
            ("", 0),
            ("   ", 0),
            ("=", 0),
            ("SMTP:", 0),
            ("=ad", 0),
            ("smtp:ada", 0),
            ("smtp:ada@example.tes", 0),
            ("race", 0),
            ("ada@example.test.", 0),
        ];
        let (names, wanted): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        assert_eq!(ids(&book, &names), wanted);
    }

    #[test]
    fn a_legacy_dn_resolves_with_and_without_its_type() {
        let book = book(&[("Ada", "ada"), ("Bob", "bob")]);
        let dn = book.user(0x11).unwrap().legacy_dn.to_uppercase();
        assert_eq!(ids(&book, &[&dn, &format!("EX:{dn}")]), [0x11, 0x11]);
        assert_eq!(ids(&book, &["/o=Ropewalk", "EX:/o=Ropewalk"]), [0, 0]);
    }

    #[test]
    fn two_users_of_one_name_are_ambiguous() {
        let book = book(&[("Ada", "one"), ("ada", "two"), ("Adalbert", "three")]);
        assert_eq!(
            ids(&book, &["ADA", "=Ada", "one", "adal"]),
            [1, 1, 0x10, 0x12]
        );
    }
}
