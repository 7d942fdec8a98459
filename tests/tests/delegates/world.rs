//! A folder of one user's mailbox, and another user who has a logon to that mailbox.

use std::sync::OnceLock;

use ropewalk_tests::{
    client::{
        Client, Handle, Logon,
        permission::{
            ANONYMOUS, DEFAULT, PermissionData, add_user_row, modify_row, remove_row, user_entry_id,
        },
    },
    fixture::{PASSWORD, ada, legacy_dn, new_folder, new_message, shared},
    server::add_user,
};

pub const READ_ANY: u32 = 0x001;
pub const CREATE: u32 = 0x002;
pub const EDIT_OWNED: u32 = 0x008;
pub const DELETE_OWNED: u32 = 0x010;
pub const EDIT_ANY: u32 = 0x020;
pub const DELETE_ANY: u32 = 0x040;
pub const CREATE_SUBFOLDER: u32 = 0x080;
pub const OWNER: u32 = 0x100;
pub const CONTACT: u32 = 0x200;
pub const VISIBLE: u32 = 0x400;
pub const ALL: u32 = 0x7FB;
pub const BITS: [u32; 10] = [
    READ_ANY,
    CREATE,
    EDIT_OWNED,
    DELETE_OWNED,
    EDIT_ANY,
    DELETE_ANY,
    CREATE_SUBFOLDER,
    OWNER,
    CONTACT,
    VISIBLE,
];

pub const BOB: &str = "bob@example.test";
pub const CAROL: &str = "carol@example.test";

/// The LegacyDN of a user, who is made if need be.
pub fn dn(email: &str) -> String {
    static USERS: OnceLock<()> = OnceLock::new();
    let dir = shared().server.data_dir();
    USERS.get_or_init(|| {
        for (email, name) in [(BOB, "Bob"), (CAROL, "Carol")] {
            add_user(dir, email, name, PASSWORD);
        }
    });
    legacy_dn(dir, email)
}

/// A session of a user who is to log on to the mailbox of Ada.
pub fn session(email: &str) -> Client {
    Client::connect(shared().server.http(), email, PASSWORD, &dn(email)).unwrap()
}

/// RopLogon to the mailbox of Ada.
pub fn to_ada(client: &mut Client) -> ropewalk_tests::client::Result<Logon> {
    client.logon_with(0x01, 0x0100_0000, &shared().user_dn)
}

/// A logon to Ada's mailbox or to the public store.
pub struct LoggedOn {
    pub handle: Handle,
    pub folder_ids: [u64; 13],
}

impl LoggedOn {
    pub fn new(client: &mut Client, store: Store) -> Self {
        let (handle, folder_ids) = match store {
            Store::Private => {
                let logon = to_ada(client).unwrap();
                (logon.handle, logon.folder_ids)
            }
            Store::Public => {
                let logon = client.public_logon().unwrap();
                (logon.handle, logon.folder_ids)
            }
        };
        Self { handle, folder_ids }
    }

    /// The Inbox, which has the same id in all mailboxes.
    pub fn inbox(&self) -> u64 {
        self.folder_ids[Logon::INBOX]
    }
}

/// Whose folders they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Those of Ada's mailbox.
    Private,
    /// Public ones, which Ada made.
    Public,
}

/// By what a user has his rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An entry of his own.
    Name,
    /// That of the default user.
    Default,
}

/// Ada and a guest, with a logon of each to Ada's mailbox, or to the public store.
pub struct Both {
    pub store: Store,
    pub ada: Client,
    pub guest: Client,
    pub guest_logon: LoggedOn,
    pub guest_dn: String,
    pub by: By,
    /// A folder of Ada's that the guest sees: his handle of it and hers.
    pub parent: Handle,
    pub ada_parent: Handle,
    /// One in which he may do everything.
    pub free_id: u64,
    pub free: Handle,
    pub ada_free: Handle,
}

impl Both {
    pub fn new(email: &str, by: By) -> Self {
        Self::within(Store::Private, email, by)
    }

    pub fn within(store: Store, email: &str, by: By) -> Self {
        let guest_dn = dn(email);
        let (mut ada, ada_logon) = ada();
        let [(ada_parent, parent_id), (ada_free, free_id)] = match store {
            Store::Private => [(); 2].map(|()| new_folder(&mut ada, &ada_logon)),
            Store::Public => {
                let public = ada.public_logon().unwrap();
                let subtree = ada
                    .open_folder(public.handle, public.ipm_subtree())
                    .unwrap();
                ["parent", "free"].map(|name| {
                    let name = format!("{name} of {email} by {by:?}");
                    let made = ada.create_folder(subtree, &name).unwrap();
                    (made.handle, made.folder_id)
                })
            }
        };
        for (folder, rights) in [(ada_parent, VISIBLE), (ada_free, ALL)] {
            let row = add_user_row(&guest_dn, rights);
            ada.modify_permissions(folder, 1, &[row]).unwrap();
        }
        let mut guest = session(email);
        let guest_logon = LoggedOn::new(&mut guest, store);
        let parent = guest.open_folder(guest_logon.handle, parent_id).unwrap();
        let free = guest.open_folder(guest_logon.handle, free_id).unwrap();
        Self {
            store,
            ada,
            guest,
            guest_logon,
            guest_dn,
            by,
            parent,
            ada_parent,
            free_id,
            free,
            ada_free,
        }
    }

    /// Gives the guest these rights on a folder. Whoever else may be mistaken for him has all that he
    /// has not.
    pub fn permit(&mut self, folder: Handle, rights: u32) {
        let others = ALL & !rights;
        let rows: Vec<PermissionData> = match self.by {
            By::Name => vec![
                add_user_row(&self.guest_dn, rights),
                modify_row(DEFAULT, others),
                modify_row(ANONYMOUS, others),
            ],
            By::Default => {
                let members = self.ada.permissions(folder).unwrap();
                // In a public folder Ada has her rights by an entry too.
                let hers = user_entry_id(&shared().user_dn);
                let named = members
                    .iter()
                    .filter(|m| !m.entry_id.is_empty() && m.entry_id != hers);
                let out = named.map(|member| remove_row(member.id));
                let other = if self.guest_dn == dn(BOB) { CAROL } else { BOB };
                out.chain([
                    add_user_row(&dn(other), others),
                    modify_row(DEFAULT, rights),
                    modify_row(ANONYMOUS, others),
                ])
                .collect()
            }
        };
        self.ada.modify_permissions(folder, 0, &rows).unwrap();
    }

    /// A folder below the parent with messages of both, and folders in it; the guest has all rights.
    pub fn folder(&mut self, name: &str, messages: usize) -> Folder {
        let created = self.ada.create_folder(self.ada_parent, name).unwrap();
        let (ada_handle, id) = (created.handle, created.folder_id);
        self.permit(ada_handle, ALL);
        let handle = self.guest.open_folder(self.guest_logon.handle, id).unwrap();
        let make = |client: &mut Client, folder: Handle, subject: &str| {
            let (message, message_id) = new_message(client, folder, id, subject);
            client.release(message).unwrap();
            message_id
        };
        let own = (0..messages)
            .map(|_| make(&mut self.guest, handle, "the guest's"))
            .collect();
        let other = (0..messages)
            .map(|_| make(&mut self.ada, ada_handle, "Ada's"))
            .collect();
        let below = ["one", "two", "three", "four"].map(|name| {
            let below = self.ada.create_folder(ada_handle, name).unwrap();
            let handle = self
                .guest
                .open_folder(self.guest_logon.handle, below.folder_id)
                .unwrap();
            Below {
                id: below.folder_id,
                handle,
                ada_handle: below.handle,
            }
        });
        Folder {
            id,
            handle,
            ada_handle,
            own,
            other,
            below,
        }
    }
}

/// See [`Both::folder`].
pub struct Folder {
    pub id: u64,
    pub handle: Handle,
    pub ada_handle: Handle,
    /// The guest's messages, and Ada's.
    pub own: Vec<u64>,
    pub other: Vec<u64>,
    pub below: [Below; 4],
}

/// A folder in it.
pub struct Below {
    pub id: u64,
    pub handle: Handle,
    pub ada_handle: Handle,
}
