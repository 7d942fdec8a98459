//! One object of each kind, in a session of its own. What few ROPs need is made when it is asked for.

use std::sync::atomic::{AtomicU32, Ordering};

use ropewalk_tests::{
    client::{
        Cells as _, Client, Handle, Logon, NO_HANDLE, NewFolder, Rop, Value, framing, logon_rop,
    },
    fixture::{ada, new_folder, new_message, shared, tag, text},
};
use ropewalk_wire::{Reader, restriction::Restriction};

/// A kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Logon,
    Folder,
    Message,
    ReadOnlyMessage,
    Embedded,
    Attachment,
    ReadOnlyAttachment,
    Stream,
    ReadOnlyStream,
    Contents,
    Hierarchy,
    Attachments,
    Permissions,
    Rules,
    /// A search folder that has found a message.
    SearchFolder,
    /// Its contents table.
    SearchContents,
    /// The message, opened where it was found.
    Found,
    /// A logon to the public store.
    PublicLogon,
    PublicFolder,
    PublicMessage,
    PublicContents,
    PublicHierarchy,
    /// An FAI message.
    Associated,
    /// A stream on a property of a folder.
    FolderStream,
    /// A contents table in groups.
    Grouped,
    /// A table of soft-deleted messages.
    SoftDeleted,
    /// A table of the members of a conversation.
    Members,
}

use Kind::*;

impl Kind {
    pub const ALL: [Self; 27] = [
        Logon,
        Folder,
        Message,
        ReadOnlyMessage,
        Embedded,
        Attachment,
        ReadOnlyAttachment,
        Stream,
        ReadOnlyStream,
        Contents,
        Hierarchy,
        Attachments,
        Permissions,
        Rules,
        SearchFolder,
        SearchContents,
        Found,
        PublicLogon,
        PublicFolder,
        PublicMessage,
        PublicContents,
        PublicHierarchy,
        Associated,
        FolderStream,
        Grouped,
        SoftDeleted,
        Members,
    ];

    /// The kind that it is one of: a ROP is for both or for neither.
    pub fn base(self) -> Self {
        match self {
            PublicLogon => Logon,
            SearchFolder | PublicFolder => Folder,
            Found | PublicMessage | Associated => Message,
            FolderStream => Stream,
            SearchContents | PublicContents | Grouped | SoftDeleted | Members => Contents,
            PublicHierarchy => Hierarchy,
            other => other,
        }
    }

    /// The kind of the public store that is like this one.
    pub fn in_public(self) -> Option<Self> {
        match self.base() {
            Logon => Some(PublicLogon),
            Folder => Some(PublicFolder),
            Message => Some(PublicMessage),
            Contents => Some(PublicContents),
            Hierarchy => Some(PublicHierarchy),
            _ => None,
        }
    }

    pub fn is_public(self) -> bool {
        self.in_public() == Some(self)
    }

    /// The LogonId that it is under.
    pub fn logon_id(self) -> u8 {
        if self.is_public() { PUBLIC_LOGON_ID } else { 0 }
    }
}

const PUBLIC_LOGON_ID: u8 = 2;

/// A property that is a stream's.
const BINARY: u32 = 0x7801_0102;

/// What a request names.
#[derive(Clone, Copy, Default)]
pub struct Ids {
    /// Where the message lies, or was found.
    pub folder_id: u64,
    /// Where the message lies.
    pub home_id: u64,
    pub message_id: u64,
    /// A folder below that one.
    pub below_id: u64,
    pub attachment_number: u32,
    /// The LongTermID of the folder.
    pub long_id: [u8; 24],
    /// PidTagInstID of a group.
    pub category_id: u64,
    pub is_public: bool,
}

/// A session with an object of each kind.
pub struct World {
    pub client: Client,
    pub logon: Logon,
    private: Ids,
    public: Ids,
    search_id: u64,
    handles: Vec<(Kind, Handle)>,
}

fn anything() -> Restriction {
    Restriction::Exist {
        prop_tag: ropewalk_props::PropTag(tag::MID),
    }
}

impl World {
    pub fn new() -> Self {
        let (mut client, logon) = ada();
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let below = client.create_folder(folder, "below").unwrap();
        client.release(below.handle).unwrap();
        let (message, message_id) = new_message(&mut client, folder, folder_id, "kinds");
        let binary = (BINARY, Value::Binary(vec![7; 9]));
        client.set_props(message, &[binary]).unwrap();
        let (attachment, attachment_number) = client.create_attachment(message).unwrap();
        let method = (tag::ATTACH_METHOD, Value::Integer32(5));
        client.set_props(attachment, &[method]).unwrap();
        let (embedded, _) = client.open_embedded_message(attachment, 2).unwrap();
        client
            .set_props(embedded.handle, &[(tag::SUBJECT, text("inside"))])
            .unwrap();
        client.save_message(embedded.handle).unwrap();
        client.save_attachment(message, attachment).unwrap();
        client.save_message(message).unwrap();
        let read_only = client
            .open_message(logon.handle, folder_id, message_id, 0)
            .unwrap();
        let read_only_attachment = client
            .open_attachment(read_only.handle, attachment_number, 0)
            .unwrap();
        let (stream, _) = client.open_stream(message, BINARY, 1).unwrap();
        let (read_only_stream, _) = client.open_stream(read_only.handle, BINARY, 0).unwrap();
        let (contents, _) = client.contents_table(folder, 0).unwrap();
        let (hierarchy, _) = client.hierarchy_table(folder, 0).unwrap();
        let attachments = client.attachment_table(message).unwrap();
        let permissions = client.permissions_table(folder, 0).unwrap();
        let rules = client
            .rop(&Rop::new(0x3F, 0).u8(1).u8(0), &[folder, NO_HANDLE])
            .and_then(|answer| answer.handle(1))
            .unwrap();
        for (table, column) in [
            (contents, tag::MID),
            (hierarchy, tag::FOLDER_ID),
            (attachments, tag::ATTACH_NUMBER),
            (permissions, 0x6671_0014),
            (rules, 0x6674_0014),
        ] {
            client.set_columns(table, &[column]).unwrap();
        }
        let handles = vec![
            (Logon, logon.handle),
            (Folder, folder),
            (Message, message),
            (ReadOnlyMessage, read_only.handle),
            (Embedded, embedded.handle),
            (Attachment, attachment),
            (ReadOnlyAttachment, read_only_attachment),
            (Stream, stream),
            (ReadOnlyStream, read_only_stream),
            (Contents, contents),
            (Hierarchy, hierarchy),
            (Attachments, attachments),
            (Permissions, permissions),
            (Rules, rules),
        ];
        let private = Ids {
            folder_id,
            home_id: folder_id,
            message_id,
            below_id: below.folder_id,
            attachment_number,
            long_id: [7; 24],
            category_id: 0x7777_0000,
            is_public: false,
        };
        Self {
            client,
            logon,
            private,
            public: Ids::default(),
            search_id: 0,
            handles,
        }
    }

    /// What a request on an object of this kind names. The object has to be there.
    pub fn ids(&self, kind: Kind) -> Ids {
        match kind {
            kind if kind.is_public() => self.public,
            SearchFolder => Ids {
                folder_id: self.search_id,
                ..self.private
            },
            _ => self.private,
        }
    }

    /// The object of this kind, which is made if there is none yet.
    pub fn handle(&mut self, kind: Kind) -> Handle {
        if let Some(handle) = self.known(kind) {
            return handle;
        }
        match kind {
            SearchFolder | SearchContents | Found => self.search(),
            kind if kind.is_public() => self.go_public(),
            kind => {
                let handle = self.make(kind);
                self.handles.push((kind, handle));
            }
        }
        self.known(kind).unwrap()
    }

    fn known(&self, kind: Kind) -> Option<Handle> {
        let found = self.handles.iter().find(|(known, _)| *known == kind);
        found.map(|(_, handle)| *handle)
    }

    fn contents(&mut self, folder: Handle, flags: u8, columns: &[u32]) -> Handle {
        let (table, _) = self.client.contents_table(folder, flags).unwrap();
        self.client.set_columns(table, columns).unwrap();
        table
    }

    fn make(&mut self, kind: Kind) -> Handle {
        let folder = self.handle(Folder);
        let folder_id = self.private.folder_id;
        match kind {
            Associated => {
                let rop = Rop::new(0x06, 0).u8(1).u16(0x0FFF).u64(folder_id).u8(1);
                let answer = self.client.rop(&rop, &[folder, NO_HANDLE]).unwrap();
                let message = answer.handle(1).unwrap();
                let subject = [(tag::SUBJECT, text("associated"))];
                self.client.set_props(message, &subject).unwrap();
                self.client.save_message(message).unwrap();
                message
            }
            FolderStream => {
                let (stream, _) = self.client.open_stream(folder, BINARY, 2).unwrap();
                self.client.write_stream(stream, &[7; 9]).unwrap();
                self.client
                    .rop(&Rop::new(0x2E, 0).u8(0).u64(0), &[stream])
                    .unwrap();
                stream
            }
            Grouped => {
                let table = self.contents(folder, 0, &[tag::INST_ID]);
                let sort = Rop::new(0x13, 0).u8(0).u16(1).u16(1).u16(1);
                let sort = sort.u32(tag::SUBJECT).u8(0);
                self.client.rop(&sort, &[table]).unwrap();
                let rows = self.client.query_rows(table, &[tag::INST_ID], 1, true, 1);
                self.private.category_id = rows.unwrap().rows[0].id(0);
                table
            }
            SoftDeleted => {
                let (message, id) = new_message(&mut self.client, folder, folder_id, "gone");
                self.client.release(message).unwrap();
                self.client.delete_messages(folder, &[id]).unwrap();
                self.contents(folder, 0x20, &[tag::MID])
            }
            Members => {
                let root = self
                    .client
                    .open_folder(self.logon.handle, self.logon.folder_ids[0])
                    .unwrap();
                self.contents(root, 0x80, &[tag::MID])
            }
            _ => unreachable!("{kind:?}"),
        }
    }

    fn search(&mut self) {
        let parent = self.handle(Folder);
        let Ids {
            home_id,
            message_id,
            ..
        } = self.private;
        let client = &mut self.client;
        let search = NewFolder {
            folder_type: 2,
            ..NewFolder::named("search")
        };
        let search = client.create_folder_with(parent, &search).unwrap();
        client
            .set_search_criteria(search.handle, Some(&anything()), &[home_id], 0)
            .unwrap();
        let (table, count) = client.contents_table(search.handle, 0).unwrap();
        assert!(count > 0, "nothing is found");
        client.set_columns(table, &[tag::MID]).unwrap();
        let found = client
            .open_message(self.logon.handle, search.folder_id, message_id, 1)
            .unwrap();
        self.search_id = search.folder_id;
        self.handles.extend([
            (SearchFolder, search.handle),
            (SearchContents, table),
            (Found, found.handle),
        ]);
    }

    fn go_public(&mut self) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("public {}", NEXT.fetch_add(1, Ordering::Relaxed));
        let logon = self.under(&logon_rop(0, 0x0100_0002, ""), NO_HANDLE);
        let subtree = u64::from_le_bytes(logon.0[1 + 8..1 + 16].try_into().unwrap());
        let logon = logon.1;
        let open = Rop::new(0x02, 0).u8(1).u64(subtree).u8(0);
        let (_, subtree) = self.under(&open, logon);
        let create = |name: &str| {
            let rop = Rop::new(0x1C, 0).u8(1).u8(1).u8(1).u8(0).u8(0);
            rop.utf16_z(name).utf16_z("")
        };
        let id = |body: &[u8]| Reader::new(body).u64().unwrap();
        let (body, folder) = self.under(&create(&name), subtree);
        let folder_id = id(&body);
        let (body, _) = self.under(&create("below"), folder);
        let below_id = id(&body);
        let new = Rop::new(0x06, 0).u8(1).u16(0x0FFF).u64(folder_id).u8(0);
        let (_, message) = self.under(&new, folder);
        // The response comes with the handle index of the request's body.
        let (body, _) = self.under(&Rop::new(0x0C, 0).u8(0).u8(2), message);
        let message_id = id(&body[1..]);
        let (_, contents) = self.under(&Rop::new(0x05, 0).u8(1).u8(0), folder);
        let (_, hierarchy) = self.under(&Rop::new(0x04, 0).u8(1).u8(0), folder);
        for (table, column) in [(contents, tag::MID), (hierarchy, tag::FOLDER_ID)] {
            self.under(&Rop::new(0x12, 0).u8(0).tags(&[column]), table);
        }
        let (long_id, _) = self.under(&Rop::new(0x43, 0).u64(folder_id), logon);
        self.public = Ids {
            folder_id,
            home_id: folder_id,
            message_id,
            below_id,
            attachment_number: 0,
            long_id: long_id.try_into().unwrap(),
            category_id: 0x7777_0000,
            is_public: true,
        };
        self.handles.extend([
            (PublicLogon, logon),
            (PublicFolder, folder),
            (PublicMessage, message),
            (PublicContents, contents),
            (PublicHierarchy, hierarchy),
        ]);
    }

    /// The body of a ROP's response under the public store's LogonId, and the handle it opens, if it
    /// opens one.
    fn under(&mut self, rop: &Rop, object: Handle) -> (Vec<u8>, Handle) {
        let rop = rop.clone().logon_id(PUBLIC_LOGON_ID);
        let answer = self.client.rop(&rop, &[object, NO_HANDLE]).unwrap();
        let opened = answer.handle(1).or_else(|_| answer.handle(0)).unwrap();
        (answer.body, opened)
    }

    /// A handle that was one.
    pub fn released(&mut self) -> Handle {
        let folder = self
            .client
            .open_folder(self.logon.handle, self.private.folder_id)
            .unwrap();
        self.client.release(folder).unwrap();
        folder
    }

    /// The folder's handle under LogonId 1.
    pub fn other_logon(&mut self) -> Handle {
        let logon = logon_rop(1, 0x0100_0000, &shared().user_dn);
        let open = Rop::new(0x02, 0).u8(1).u64(self.private.folder_id).u8(0);
        let rops = [logon, open].map(|rop| rop.logon_id(1).as_bytes().to_vec());
        let payload = framing::rop_buffer(&rops.concat(), &[NO_HANDLE, NO_HANDLE]);
        let answer = self.client.execute_payload(&payload).unwrap();
        answer.handles[1]
    }
}
