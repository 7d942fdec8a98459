//! The public store: folders that all users of the server share (MS-OXCSTOR 1.3.2). There is one, on this
//! server alone; it is made when somebody first logs on to it.
//!
//! To the store it is a mailbox as any other, of a user that nobody can be: without a password, and in no
//! list of users. Nobody is the owner of all of it: what a user may do there is what the permissions list
//! of each folder says.

pub mod per_user;
pub mod reads;

use std::sync::Arc;

use ropewalk_props::{Bag, GlobCnt, Guid, tags};
use ropewalk_store::{FolderKind, Mailbox, NewUser, Store, StoreError, TemplateFolder};
use ropewalk_wire::{ErrorCode, Fid};

use crate::{
    ids,
    logon::special,
    rights::{Rights, list::PermissionsList},
    store_error,
};

pub use ropewalk_store::PUBLIC_STORE;

/// Interpersonal messages subtree: what users see.
pub const IPM_SUBTREE: GlobCnt = special::IPM_SUBTREE;
/// Non-interpersonal messages subtree: what clients look for by themselves.
pub const NON_IPM_SUBTREE: GlobCnt = GlobCnt(0x41);
/// EForms Registry.
pub const EFORMS_REGISTRY: GlobCnt = GlobCnt(0x42);
/// Free/Busy data.
pub const FREE_BUSY: GlobCnt = GlobCnt(0x43);
/// Offline address books.
pub const OFFLINE_ADDRESS_BOOK: GlobCnt = GlobCnt(0x44);
/// Which messages each user has read. Nobody has a right on it.
pub const PER_USER: GlobCnt = GlobCnt(0x45);

/// What everybody may do in a public folder, unless its list says otherwise: read, write, change and
/// delete what is one's own, and make folders below it (PublishingAuthor in MS-OXCPERM's terms).
const PUBLISHING_AUTHOR: Rights = Rights::from_bits(0x049B);

/// Whether a mailbox is the public store.
pub fn is_public(mailbox: &Mailbox) -> bool {
    mailbox.guid() == PUBLIC_STORE
}

/// FolderIds of the logon response (MS-OXCSTOR 2.2.1.1.4): the folders of sites that there are no more of
/// are zero.
pub fn logon_folders() -> [Fid; 13] {
    let mut all = [Fid::default(); 13];
    let there = [
        special::ROOT,
        IPM_SUBTREE,
        NON_IPM_SUBTREE,
        EFORMS_REGISTRY,
        FREE_BUSY,
        OFFLINE_ADDRESS_BOOK,
    ];
    for (place, id) in all.iter_mut().zip(there) {
        *place = ids::fid(id);
    }
    all
}

/// The public store, which is made if there is none yet.
pub fn open(store: &Store) -> Result<Arc<Mailbox>, ErrorCode> {
    let found = match store.mailbox(PUBLIC_STORE) {
        Err(StoreError::NotFound) => match store.add_user(new()?) {
            // Another session made it meanwhile.
            Ok(_) | Err(StoreError::EmailTaken) => store.mailbox(PUBLIC_STORE),
            Err(error) => Err(error),
        },
        found => found,
    };
    found.map_err(|error| store_error::code(&error))
}

fn new() -> Result<NewUser, ErrorCode> {
    let mut repl_guid = [0; 16];
    getrandom::fill(&mut repl_guid).map_err(|_| ErrorCode::GENERAL_FAILURE)?;
    let folder = |id, parent, name: &str, default: Rights| {
        let mut props = Bag::new();
        props.set_text(tags::PID_TAG_DISPLAY_NAME, name);
        props.set_text(tags::PID_TAG_COMMENT, "");
        let list = PermissionsList {
            default,
            ..PermissionsList::default()
        };
        let (tag, value) = list.to_property();
        props.set(tag, &value);
        TemplateFolder {
            id,
            parent,
            kind: if id == special::ROOT {
                FolderKind::Root
            } else {
                FolderKind::Generic
            },
            props,
        }
    };
    let (root, seen) = (special::ROOT, Rights::FOLDER_VISIBLE);
    let read = seen | Rights::READ_ANY;
    Ok(NewUser {
        // No address of anybody: RFC 6761 6.4.
        email: "public-folders@ropewalk.invalid".to_owned(),
        display_name: "Public Folders".to_owned(),
        legacy_dn: "/o=ropewalk/cn=public folders".to_owned(),
        mailbox_guid: PUBLIC_STORE,
        repl_guid: Guid(repl_guid),
        password_hash: String::new(),
        folders: vec![
            folder(root, root, "Public Root", seen),
            folder(IPM_SUBTREE, root, "IPM_SUBTREE", PUBLISHING_AUTHOR),
            folder(NON_IPM_SUBTREE, root, "NON_IPM_SUBTREE", seen),
            folder(EFORMS_REGISTRY, NON_IPM_SUBTREE, "EFORMS REGISTRY", read),
            folder(FREE_BUSY, NON_IPM_SUBTREE, "SCHEDULE+ FREE BUSY", read),
            folder(
                OFFLINE_ADDRESS_BOOK,
                NON_IPM_SUBTREE,
                "OFFLINE ADDRESS BOOK",
                read,
            ),
            folder(PER_USER, root, "Per-user data", Rights::NONE),
        ],
        receive_folders: Vec::new(),
        store_props: Bag::new(),
    })
}
