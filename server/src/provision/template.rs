//! The folders of a fresh mailbox (MS-OXOSFLD 2.2).

use ropewalk_props::{Bag, GlobCnt, Guid, PropValue, tags};
use ropewalk_store::{FolderKind, TemplateFolder};

use super::{identification, special};

/// One folder of the tree.
struct Row {
    id: GlobCnt,
    parent: GlobCnt,
    name: &'static str,
    class: Option<Class>,
    hidden: bool,
}

/// A container class and the message class of what the folder is for.
#[derive(Clone, Copy)]
struct Class {
    container: &'static str,
    message: Option<&'static str>,
}

const fn class(container: &'static str, message: &'static str) -> Option<Class> {
    Some(Class {
        container,
        message: Some(message),
    })
}

/// MS-OXOSFLD 2.2.2 and MS-OXOCAL, MS-OXOCNTC, MS-OXOJRNL, MS-OXONOTE, MS-OXOTASK 2.2, folders.
const MAIL: Option<Class> = class("IPF.Note", "IPM.Note");
const APPOINTMENTS: Option<Class> = class("IPF.Appointment", "IPM.Appointment");
const CONTACTS: Option<Class> = class("IPF.Contact", "IPM.Contact");
const JOURNAL: Option<Class> = class("IPF.Journal", "IPM.Activity");
const STICKY_NOTES: Option<Class> = class("IPF.StickyNote", "IPM.StickyNote");
const TASKS: Option<Class> = class("IPF.Task", "IPM.Task");
const CONFIGURATION: Option<Class> = Some(Class {
    container: "IPF.Configuration",
    message: None,
});

const fn row(
    id: GlobCnt,
    parent: GlobCnt,
    name: &'static str,
    class: Option<Class>,
    hidden: bool,
) -> Row {
    Row {
        id,
        parent,
        name,
        class,
        hidden,
    }
}

/// What servers make; the folders that clients make when they miss them are left to them.
#[rustfmt::skip]
static ROWS: &[Row] = {
    use special as s;
    &[
        row(s::ROOT, s::ROOT, "Root Container", None, false),
        row(s::DEFERRED_ACTION, s::ROOT, "Deferred Action", None, false),
        row(s::SPOOLER_QUEUE, s::ROOT, "Spooler Queue", None, false),
        row(s::IPM_SUBTREE, s::ROOT, "Top of Information Store", None, false),
        row(s::INBOX, s::IPM_SUBTREE, "Inbox", MAIL, false),
        row(s::OUTBOX, s::IPM_SUBTREE, "Outbox", MAIL, false),
        row(s::SENT_ITEMS, s::IPM_SUBTREE, "Sent Items", MAIL, false),
        row(s::DELETED_ITEMS, s::IPM_SUBTREE, "Deleted Items", MAIL, false),
        row(s::COMMON_VIEWS, s::ROOT, "Common Views", None, false),
        row(s::SCHEDULE, s::ROOT, "Schedule", None, false),
        row(s::FINDER, s::ROOT, "Finder", None, false),
        row(s::VIEWS, s::ROOT, "Views", None, false),
        row(s::SHORTCUTS, s::ROOT, "Shortcuts", None, false),
        row(s::DRAFTS, s::IPM_SUBTREE, "Drafts", MAIL, false),
        row(s::CALENDAR, s::IPM_SUBTREE, "Calendar", APPOINTMENTS, false),
        row(s::CONTACTS, s::IPM_SUBTREE, "Contacts", CONTACTS, false),
        row(s::JOURNAL, s::IPM_SUBTREE, "Journal", JOURNAL, false),
        row(s::NOTES, s::IPM_SUBTREE, "Notes", STICKY_NOTES, false),
        row(s::TASKS, s::IPM_SUBTREE, "Tasks", TASKS, false),
        row(s::JUNK_EMAIL, s::IPM_SUBTREE, "Junk Email", MAIL, false),
        row(s::SYNC_ISSUES, s::IPM_SUBTREE, "Sync Issues", MAIL, false),
        row(s::CONFLICTS, s::SYNC_ISSUES, "Conflicts", MAIL, false),
        row(s::LOCAL_FAILURES, s::SYNC_ISSUES, "Local Failures", MAIL, false),
        row(s::SERVER_FAILURES, s::SYNC_ISSUES, "Server Failures", MAIL, false),
        row(s::FREEBUSY_DATA, s::ROOT, "Freebusy Data", None, false),
        row(s::CONVERSATION_ACTION_SETTINGS, s::IPM_SUBTREE, "Conversation Action Settings", CONFIGURATION, true),
        row(s::QUICK_CONTACTS, s::CONTACTS, "Quick Contacts", class("IPF.Contact.MOC.QuickContacts", "IPM.Contact"), true),
        row(s::IM_CONTACT_LIST, s::CONTACTS, "IM Contact List", class("IPF.Contact.MOC.ImContactList", "IPM.DistList"), true),
        row(s::GAL_CONTACTS, s::CONTACTS, "GAL Contacts", class("IPF.Contact.GalContacts", "IPM.Contact"), true),
    ]
};

/// The receive folders of a fresh mailbox (MS-OXCSTOR 3.2.3).
pub fn receive_folders() -> Vec<(String, GlobCnt)> {
    [
        ("", special::INBOX),
        ("IPC", special::ROOT),
        ("IPM", special::INBOX),
        ("REPORT.IPM", special::INBOX),
    ]
    .map(|(class, folder)| (class.to_owned(), folder))
    .to_vec()
}

/// The folders of a fresh mailbox, parents before their children.
pub fn folders(mailbox: Guid, repl: Guid) -> Vec<TemplateFolder> {
    ROWS.iter()
        .map(|row| TemplateFolder {
            id: row.id,
            parent: row.parent,
            kind: kind(row.id),
            props: props(row, mailbox, repl),
        })
        .collect()
}

fn kind(id: GlobCnt) -> FolderKind {
    match id {
        special::ROOT => FolderKind::Root,
        special::SPOOLER_QUEUE => FolderKind::Search,
        _ => FolderKind::Generic,
    }
}

fn props(row: &Row, mailbox: Guid, repl: Guid) -> Bag {
    let mut bag = Bag::new();
    bag.set_text(tags::PID_TAG_DISPLAY_NAME, row.name);
    bag.set_text(tags::PID_TAG_COMMENT, "");
    if let Some(class) = row.class {
        bag.set_text(tags::PID_TAG_CONTAINER_CLASS, class.container);
        if let Some(message) = class.message {
            bag.set_text(tags::PID_TAG_DEFAULT_POST_MESSAGE_CLASS, message);
        }
    }
    if row.hidden {
        bag.set(tags::PID_TAG_ATTRIBUTE_HIDDEN, &PropValue::Boolean(true));
    }
    // Both carry them: an owner's client reads the Inbox, a delegate's the root (MS-OXOSFLD 3.1.4).
    if row.id == special::INBOX || row.id == special::ROOT {
        identification::add(&mut bag, mailbox, repl);
    }
    bag
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ropewalk_props::BagView;

    use super::*;

    fn fresh() -> Vec<TemplateFolder> {
        folders(Guid([1; 16]), Guid([2; 16]))
    }

    #[test]
    fn ids_are_unique_and_parents_come_first() {
        let mut seen = HashSet::new();
        for folder in fresh() {
            assert!(seen.insert(folder.id), "{:?} twice", folder.id);
            assert!(seen.contains(&folder.parent), "{:?}", folder.id);
        }
        assert!(special::LOGON_FOLDERS.iter().all(|id| seen.contains(id)));
        let in_order: Vec<GlobCnt> = (1..=13).map(GlobCnt).collect();
        assert_eq!(special::LOGON_FOLDERS[..], in_order[..]);
    }

    #[test]
    fn names_are_unique_below_each_parent() {
        let mut seen = HashSet::new();
        for row in ROWS {
            assert!(seen.insert((row.parent, row.name.to_lowercase())));
        }
    }

    #[test]
    fn classes_and_flags_are_those_of_the_table() {
        let find = |id| fresh().into_iter().find(|folder| folder.id == id).unwrap();
        let calendar = find(special::CALENDAR);
        assert_eq!(
            calendar
                .props
                .get_text(tags::PID_TAG_CONTAINER_CLASS)
                .as_deref(),
            Some("IPF.Appointment")
        );
        assert_eq!(
            calendar
                .props
                .get_text(tags::PID_TAG_DEFAULT_POST_MESSAGE_CLASS)
                .as_deref(),
            Some("IPM.Appointment")
        );
        assert_eq!(calendar.props.value(tags::PID_TAG_ATTRIBUTE_HIDDEN), None);
        let settings = find(special::CONVERSATION_ACTION_SETTINGS);
        assert_eq!(
            settings.props.value(tags::PID_TAG_ATTRIBUTE_HIDDEN),
            Some(PropValue::Boolean(true))
        );
        assert_eq!(find(special::SPOOLER_QUEUE).kind, FolderKind::Search);
        assert_eq!(find(special::ROOT).kind, FolderKind::Root);
        assert_eq!(
            find(special::COMMON_VIEWS)
                .props
                .get_text(tags::PID_TAG_CONTAINER_CLASS),
            None
        );
    }

    #[test]
    fn root_and_inbox_identify_the_same_folders() {
        let folders = fresh();
        let ids = |id| {
            let folder = folders.iter().find(|folder| folder.id == id).unwrap();
            folder.props.value(tags::PID_TAG_IPM_DRAFTS_ENTRY_ID)
        };
        assert!(ids(special::INBOX).is_some());
        assert_eq!(ids(special::INBOX), ids(special::ROOT));
        assert_eq!(ids(special::SENT_ITEMS), None);
    }
}
