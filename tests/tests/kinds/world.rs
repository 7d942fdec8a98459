//! One object of each kind, in a session of its own.

use ropewalk_tests::{
    client::{Client, Handle, Logon, Rop, logon_rop},
    fixture::{ada, new_folder, new_message, shared, tag, text},
};

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
}

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::Logon,
        Self::Folder,
        Self::Message,
        Self::ReadOnlyMessage,
        Self::Embedded,
        Self::Attachment,
        Self::ReadOnlyAttachment,
        Self::Stream,
        Self::ReadOnlyStream,
        Self::Contents,
        Self::Hierarchy,
        Self::Attachments,
        Self::Permissions,
        Self::Rules,
    ];
}

/// A session with an object of each kind.
pub struct World {
    pub client: Client,
    pub logon: Logon,
    pub folder_id: u64,
    pub message_id: u64,
    /// A folder below the folder.
    pub below_id: u64,
    pub attachment_number: u32,
    handles: Vec<(Kind, Handle)>,
}

impl World {
    pub fn new() -> Self {
        let (mut client, logon) = ada();
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let below = client.create_folder(folder, "below").unwrap();
        client.release(below.handle).unwrap();
        let (message, message_id) = new_message(&mut client, folder, folder_id, "kinds");
        let binary = (
            0x7801_0102,
            ropewalk_tests::client::Value::Binary(vec![7; 9]),
        );
        client.set_props(message, &[binary]).unwrap();
        let (attachment, attachment_number) = client.create_attachment(message).unwrap();
        let method = (0x3705_0003, ropewalk_tests::client::Value::Integer32(5));
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
        let (stream, _) = client.open_stream(message, 0x7801_0102, 1).unwrap();
        let (read_only_stream, _) = client
            .open_stream(read_only.handle, 0x7801_0102, 0)
            .unwrap();
        let (contents, _) = client.contents_table(folder, 0).unwrap();
        let (hierarchy, _) = client.hierarchy_table(folder, 0).unwrap();
        let attachments = client.attachment_table(message).unwrap();
        let permissions = client.permissions_table(folder, 0).unwrap();
        let rules = client
            .rop(&Rop::new(0x3F, 0).u8(1).u8(0), &[folder, u32::MAX])
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
            (Kind::Logon, logon.handle),
            (Kind::Folder, folder),
            (Kind::Message, message),
            (Kind::ReadOnlyMessage, read_only.handle),
            (Kind::Embedded, embedded.handle),
            (Kind::Attachment, attachment),
            (Kind::ReadOnlyAttachment, read_only_attachment),
            (Kind::Stream, stream),
            (Kind::ReadOnlyStream, read_only_stream),
            (Kind::Contents, contents),
            (Kind::Hierarchy, hierarchy),
            (Kind::Attachments, attachments),
            (Kind::Permissions, permissions),
            (Kind::Rules, rules),
        ];
        Self {
            client,
            logon,
            folder_id,
            message_id,
            below_id: below.folder_id,
            attachment_number,
            handles,
        }
    }

    pub fn handle(&self, kind: Kind) -> Handle {
        let found = self.handles.iter().find(|(known, _)| *known == kind);
        found.unwrap().1
    }

    /// A handle that was one.
    pub fn released(&mut self) -> Handle {
        let folder = self
            .client
            .open_folder(self.logon.handle, self.folder_id)
            .unwrap();
        self.client.release(folder).unwrap();
        folder
    }

    /// The folder's handle under LogonId 1.
    pub fn other_logon(&mut self) -> Handle {
        let under = |rop: &Rop| {
            let mut bytes = rop.as_bytes().to_vec();
            bytes[1] = 1;
            bytes
        };
        let logon = under(&logon_rop(1, 0x0100_0000, &shared().user_dn));
        let open = under(&Rop::new(0x02, 0).u8(1).u64(self.folder_id).u8(0));
        let rops = [logon, open].concat();
        let payload = ropewalk_tests::client::framing::rop_buffer(&rops, &[u32::MAX, u32::MAX]);
        let answer = self.client.execute_payload(&payload).unwrap();
        answer.handles[1]
    }
}
