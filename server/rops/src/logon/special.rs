//! The special folders of a mailbox and the identifiers that they have in every mailbox.
//!
//! The identifiers are the first ones of the mailbox's counter, so that a folder is found by a
//! constant, never by its name.

use ropewalk_props::GlobCnt;

/// The root of the mailbox, invisible to the user.
pub const ROOT: GlobCnt = GlobCnt(1);
/// Deferred Action: what server-side rules leave for the client to do.
pub const DEFERRED_ACTION: GlobCnt = GlobCnt(2);
/// Spooler Queue: a search folder over submitted messages.
pub const SPOOLER_QUEUE: GlobCnt = GlobCnt(3);
/// Top of Information Store: the IPM subtree, all that the user sees.
pub const IPM_SUBTREE: GlobCnt = GlobCnt(4);
/// Inbox.
pub const INBOX: GlobCnt = GlobCnt(5);
/// Outbox.
pub const OUTBOX: GlobCnt = GlobCnt(6);
/// Sent Items.
pub const SENT_ITEMS: GlobCnt = GlobCnt(7);
/// Deleted Items.
pub const DELETED_ITEMS: GlobCnt = GlobCnt(8);
/// Common Views: view definitions and navigation shortcuts.
pub const COMMON_VIEWS: GlobCnt = GlobCnt(9);
/// Schedule.
pub const SCHEDULE: GlobCnt = GlobCnt(10);
/// Finder: the parent of the search folders.
pub const FINDER: GlobCnt = GlobCnt(11);
/// Views: personal view definitions.
pub const VIEWS: GlobCnt = GlobCnt(12);
/// Shortcuts.
pub const SHORTCUTS: GlobCnt = GlobCnt(13);
/// Drafts.
pub const DRAFTS: GlobCnt = GlobCnt(14);
/// Calendar.
pub const CALENDAR: GlobCnt = GlobCnt(15);
/// Contacts.
pub const CONTACTS: GlobCnt = GlobCnt(16);
/// Journal.
pub const JOURNAL: GlobCnt = GlobCnt(17);
/// Notes.
pub const NOTES: GlobCnt = GlobCnt(18);
/// Tasks.
pub const TASKS: GlobCnt = GlobCnt(19);
/// Junk Email.
pub const JUNK_EMAIL: GlobCnt = GlobCnt(20);
/// Sync Issues.
pub const SYNC_ISSUES: GlobCnt = GlobCnt(21);
/// Conflicts, below Sync Issues.
pub const CONFLICTS: GlobCnt = GlobCnt(22);
/// Local Failures, below Sync Issues.
pub const LOCAL_FAILURES: GlobCnt = GlobCnt(23);
/// Server Failures, below Sync Issues.
pub const SERVER_FAILURES: GlobCnt = GlobCnt(24);
/// Freebusy Data: delegate information and published free/busy times.
pub const FREEBUSY_DATA: GlobCnt = GlobCnt(25);
/// Conversation Action Settings.
pub const CONVERSATION_ACTION_SETTINGS: GlobCnt = GlobCnt(26);
/// Quick Contacts, below Contacts.
pub const QUICK_CONTACTS: GlobCnt = GlobCnt(27);
/// IM Contact List, below Contacts.
pub const IM_CONTACT_LIST: GlobCnt = GlobCnt(28);
/// GAL Contacts, below Contacts.
pub const GAL_CONTACTS: GlobCnt = GlobCnt(29);

/// The FolderIds of a private mailbox's RopLogon response, in order (MS-OXCSTOR 2.2.1.1.3).
pub const LOGON_FOLDERS: [GlobCnt; 13] = [
    ROOT,
    DEFERRED_ACTION,
    SPOOLER_QUEUE,
    IPM_SUBTREE,
    INBOX,
    OUTBOX,
    SENT_ITEMS,
    DELETED_ITEMS,
    COMMON_VIEWS,
    SCHEDULE,
    FINDER,
    VIEWS,
    SHORTCUTS,
];
