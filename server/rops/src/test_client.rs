//! A client for the tests of this crate: whole RopBuffers into a session context and out of it.

use std::sync::Arc;

use ropewalk_props::{Bag, GlobCnt, Guid, PropTag, PropValue, tags::*};
use ropewalk_store::{
    Durability, FolderKind, IndexKind, Mailbox, NewUser, Store, StoreOptions, TemplateFolder, User,
};
use ropewalk_wire::{
    ErrorCode, Fid, Mid, Put, Reader, ext_buffer,
    rop::*,
    row::RowCell,
    value::{PropertyProblem, TaggedPropertyValue},
};

use crate::{
    ConnectParams, RopContext,
    budget::{Budget, Pool},
    handles::NO_HANDLE,
    ids,
};

/// The root and the Inbox of every mailbox.
pub const ROOT: GlobCnt = GlobCnt(1);
pub const INBOX: GlobCnt = GlobCnt(5);
pub const OTHER: GlobCnt = GlobCnt(6);

/// A user's mailbox in a store of its own, and one session on it.
pub struct Client {
    context: RopContext,
    pub store: Store,
    pub user: Arc<User>,
    pub logon: u32,
    _dir: Option<Arc<tempfile::TempDir>>,
}

/// The body of a success response, or the ReturnValue.
pub type Answer = Result<ResponseBody<'static>, ErrorCode>;

pub fn inbox() -> Fid {
    ids::fid(INBOX)
}

/// A value with its tag.
pub fn tagged(tag: PropTag, value: PropValue) -> TaggedPropertyValue {
    TaggedPropertyValue { tag, value }
}

/// PtypString text with its tag.
pub fn text(tag: PropTag, text: &str) -> TaggedPropertyValue {
    tagged(tag, PropValue::text(text))
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

impl Client {
    /// A fresh store with one user, logged on.
    pub fn new() -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let options = StoreOptions {
            durability: Durability::None,
            index: IndexKind::Memory,
            ..StoreOptions::default()
        };
        let store = Store::open(dir.path(), options).unwrap();
        let folder = |id, parent, kind, name| TemplateFolder {
            id,
            parent,
            kind,
            props: [(PID_TAG_DISPLAY_NAME, PropValue::text(name))]
                .into_iter()
                .collect(),
        };
        let user = store
            .add_user(NewUser {
                email: "ada@example.test".into(),
                display_name: "Ada Lovelace".into(),
                legacy_dn: "/o=Ropewalk/cn=Recipients/cn=ada".into(),
                mailbox_guid: Guid([1; 16]),
                repl_guid: Guid([2; 16]),
                password_hash: String::new(),
                folders: vec![
                    folder(ROOT, ROOT, FolderKind::Root, "Root"),
                    folder(INBOX, ROOT, FolderKind::Generic, "Inbox"),
                    folder(OTHER, ROOT, FolderKind::Generic, "Other"),
                ],
                receive_folders: vec![(String::new(), INBOX)],
                store_props: Bag::new(),
            })
            .unwrap();
        let mut client = Self::session(&store, &user, Budget::default());
        client._dir = Some(dir);
        client
    }

    /// Another session of the same user.
    pub fn other(&self) -> Self {
        Self::session(&self.store, &self.user, Budget::default())
    }

    /// Another session, which shares its budget.
    pub fn within(&self, pool: &Arc<Pool>) -> Self {
        Self::session(&self.store, &self.user, Budget::within(Arc::clone(pool)))
    }

    fn session(store: &Store, user: &Arc<User>, budget: Budget) -> Self {
        let connect = ConnectParams {
            code_page: 1252,
            sort_lcid: 0x409,
            string_lcid: 0x409,
        };
        let context = RopContext::with_budget(store.clone(), Arc::clone(user), connect, budget);
        let (store, user) = (store.clone(), Arc::clone(user));
        let mut client = Self {
            context,
            store,
            user,
            logon: NO_HANDLE,
            _dir: None,
        };
        let essdn = client.user.legacy_dn.clone() + "\0";
        let body = RequestBody::Logon(LogonRequest {
            logon_flags: 1,
            // SUPPORT_PROGRESS (MS-OXCSTOR 2.2.1.1.1).
            open_flags: 0x2000_0000,
            store_state: 0,
            essdn: leak(essdn).as_bytes().into(),
        });
        let mut handles = vec![NO_HANDLE];
        client.send(&mut handles, 0, body).unwrap();
        client.logon = handles[0];
        client
    }

    pub fn mailbox(&self) -> Arc<Mailbox> {
        self.store.mailbox(self.user.mailbox_guid).unwrap()
    }

    /// Sends one ROP with a handle table, which is brought up to date.
    pub fn send(&mut self, handles: &mut [u32], index: u8, body: RequestBody<'_>) -> Answer {
        self.send_with_room(handles, index, body, 0x8008).unwrap()
    }

    /// As [`Client::send`], with a MaxRopOut; fails with the code of the whole request.
    pub fn send_with_room(
        &mut self,
        handles: &mut [u32],
        index: u8,
        body: RequestBody<'_>,
        max_rop_out: u32,
    ) -> Result<Answer, ErrorCode> {
        let request = Request::new(0, index, body);
        let mut rops = Vec::new();
        request.encode(&mut rops).unwrap();
        let mut payload = Vec::new();
        payload.put_u16(rops.len() as u16 + 2);
        payload.put_bytes(&rops);
        handles.iter().for_each(|handle| payload.put_u32(*handle));
        let mut input = Vec::new();
        ext_buffer::encode(&mut input, &payload, ext_buffer::LAST).unwrap();
        let mut output = Vec::new();
        self.context.execute(0, &input, max_rop_out, &mut output)?;
        assert!(output.len() <= max_rop_out as usize);
        let output: &'static Vec<u8> = leak(output);
        let payloads = ext_buffer::decode(output).unwrap();
        let payload: &'static [u8] = leak(payloads[0].to_vec());
        let mut reader = Reader::new(payload);
        let size = usize::from(reader.u16().unwrap()) - 2;
        let mut rops = reader.sub(size).unwrap();
        let table = reader.take_rest();
        for (handle, bytes) in handles.iter_mut().zip(table.chunks_exact(4)) {
            *handle = u32::from_le_bytes(bytes.try_into().unwrap());
        }
        if matches!(request.body, RequestBody::Release(_)) {
            assert!(rops.is_empty());
            return Ok(Err(ErrorCode(0)));
        }
        if rops.rest().first() == Some(&RopId::BUFFER_TOO_SMALL.0) {
            return Err(ErrorCode::BUFFER_TOO_SMALL);
        }
        let response = Response::decode(&mut rops, &request, &[]).unwrap();
        rops.finish().unwrap();
        Ok(match response.return_value.is_success() {
            true => Ok(response.body),
            false => Err(response.return_value),
        })
    }

    /// Sends a ROP about one object; every index in it is 0.
    pub fn ask(&mut self, handle: u32, body: RequestBody<'_>) -> Answer {
        self.send(&mut [handle], 0, body)
    }

    /// Sends a ROP that opens something; its OutputHandleIndex must be 1.
    pub fn open(
        &mut self,
        handle: u32,
        body: RequestBody<'_>,
    ) -> Result<(u32, ResponseBody<'static>), ErrorCode> {
        let mut handles = vec![handle, NO_HANDLE];
        let answer = self.send(&mut handles, 0, body)?;
        assert_ne!(handles[1], NO_HANDLE);
        Ok((handles[1], answer))
    }

    pub fn release(&mut self, handle: u32) {
        let _ = self.ask(handle, RequestBody::Release(EmptyRequest {}));
    }

    pub fn create_message(&mut self) -> u32 {
        let body = CreateMessageRequest {
            output_handle_index: 1,
            code_page_id: 0x0FFF,
            folder_id: inbox(),
            associated_flag: false,
        };
        self.open(self.logon, RequestBody::CreateMessage(body))
            .unwrap()
            .0
    }

    pub fn open_message_in(
        &mut self,
        folder_id: Fid,
        message_id: Mid,
        open_mode_flags: u8,
    ) -> Result<(u32, OpenMessageResponse<'static>), ErrorCode> {
        let body = OpenMessageRequest {
            output_handle_index: 1,
            code_page_id: 0x0FFF,
            folder_id,
            open_mode_flags,
            message_id,
        };
        match self.open(self.logon, RequestBody::OpenMessage(body))? {
            (handle, ResponseBody::OpenMessage(response)) => Ok((handle, response)),
            other => panic!("{other:?}"),
        }
    }

    pub fn open_message(&mut self, id: Mid, open_mode_flags: u8) -> u32 {
        self.open_message_in(inbox(), id, open_mode_flags)
            .unwrap()
            .0
    }

    pub fn save(&mut self, message: u32, save_flags: u8) -> Result<Mid, ErrorCode> {
        let body = SaveChangesRequest {
            input_handle_index: 0,
            save_flags,
        };
        match self.ask(message, RequestBody::SaveChangesMessage(body))? {
            ResponseBody::SaveChangesMessage(response) => Ok(response.message_id),
            other => panic!("{other:?}"),
        }
    }

    /// A message with these properties, saved.
    pub fn saved(&mut self, properties: &[TaggedPropertyValue]) -> Mid {
        let message = self.create_message();
        assert_eq!(self.set(message, properties), Ok(vec![]));
        let id = self.save(message, 2).unwrap();
        self.release(message);
        id
    }

    pub fn set(
        &mut self,
        handle: u32,
        properties: &[TaggedPropertyValue],
    ) -> Result<Vec<PropertyProblem>, ErrorCode> {
        let body = SetPropertiesRequest {
            property_values: properties.into(),
        };
        match self.ask(handle, RequestBody::SetProperties(body))? {
            ResponseBody::SetProperties(response) => {
                Ok(response.property_problems.iter().collect())
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn delete(
        &mut self,
        handle: u32,
        tags: &[PropTag],
    ) -> Result<Vec<PropertyProblem>, ErrorCode> {
        let body = DeletePropertiesRequest {
            property_tags: tags.into(),
        };
        match self.ask(handle, RequestBody::DeleteProperties(body))? {
            ResponseBody::DeleteProperties(response) => {
                Ok(response.property_problems.iter().collect())
            }
            other => panic!("{other:?}"),
        }
    }

    /// The row of RopGetPropertiesSpecific and its first byte.
    pub fn row(
        &mut self,
        handle: u32,
        tags: &[PropTag],
        want_unicode: u16,
    ) -> Result<(u8, Vec<RowCell>), ErrorCode> {
        let body = GetPropertiesSpecificRequest {
            property_size_limit: 0,
            want_unicode,
            property_tags: tags.into(),
        };
        match self.ask(handle, RequestBody::GetPropertiesSpecific(body))? {
            ResponseBody::GetPropertiesSpecific(response) => {
                Ok((response.row_data[0], response.row(tags).unwrap().cells))
            }
            other => panic!("{other:?}"),
        }
    }

    /// One property, or the error in its place.
    pub fn get(&mut self, handle: u32, tag: PropTag) -> Result<PropValue, ErrorCode> {
        match self.row(handle, &[tag], 1)?.1.remove(0) {
            RowCell::Value(value) => Ok(value),
            RowCell::Error(code) => Err(code),
            RowCell::Absent => panic!("absent without a reason"),
        }
    }

    /// RopGetPropertiesAll.
    pub fn all(&mut self, handle: u32) -> Vec<TaggedPropertyValue> {
        let body = GetPropertiesAllRequest {
            property_size_limit: 0,
            want_unicode: 1,
        };
        match self
            .ask(handle, RequestBody::GetPropertiesAll(body))
            .unwrap()
        {
            ResponseBody::GetPropertiesAll(response) => response.property_values.iter().collect(),
            other => panic!("{other:?}"),
        }
    }

    pub fn open_stream(
        &mut self,
        handle: u32,
        tag: PropTag,
        mode: u8,
    ) -> Result<(u32, u32), ErrorCode> {
        let body = OpenStreamRequest {
            output_handle_index: 1,
            property_tag: tag,
            open_mode_flags: mode,
        };
        match self.open(handle, RequestBody::OpenStream(body))? {
            (stream, ResponseBody::OpenStream(response)) => Ok((stream, response.stream_size)),
            other => panic!("{other:?}"),
        }
    }

    pub fn write(&mut self, stream: u32, bytes: &[u8]) -> Result<u16, ErrorCode> {
        let body = WriteStreamRequest { data: bytes.into() };
        match self.ask(stream, RequestBody::WriteStream(body))? {
            ResponseBody::WriteStream(response) => Ok(response.written_size),
            other => panic!("{other:?}"),
        }
    }

    pub fn read(&mut self, stream: u32, byte_count: u16) -> Result<Vec<u8>, ErrorCode> {
        let body = ReadStreamRequest {
            byte_count,
            maximum_byte_count: None,
        };
        match self.ask(stream, RequestBody::ReadStream(body))? {
            ResponseBody::ReadStream(response) => Ok(response.data.to_vec()),
            other => panic!("{other:?}"),
        }
    }

    pub fn seek(&mut self, stream: u32, origin: u8, offset: i64) -> Result<u64, ErrorCode> {
        let body = SeekStreamRequest { origin, offset };
        match self.ask(stream, RequestBody::SeekStream(body))? {
            ResponseBody::SeekStream(response) => Ok(response.new_position),
            other => panic!("{other:?}"),
        }
    }

    pub fn create_attachment(&mut self, message: u32) -> Result<(u32, u32), ErrorCode> {
        let body = OpenOnlyRequest {
            output_handle_index: 1,
        };
        match self.open(message, RequestBody::CreateAttachment(body))? {
            (handle, ResponseBody::CreateAttachment(response)) => {
                Ok((handle, response.attachment_id))
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn open_attachment(
        &mut self,
        message: u32,
        attachment_id: u32,
        open_attachment_flags: u8,
    ) -> Result<u32, ErrorCode> {
        let body = OpenAttachmentRequest {
            output_handle_index: 1,
            open_attachment_flags,
            attachment_id,
        };
        Ok(self.open(message, RequestBody::OpenAttachment(body))?.0)
    }

    pub fn save_attachment(&mut self, attachment: u32, save_flags: u8) -> Result<(), ErrorCode> {
        let body = SaveChangesRequest {
            input_handle_index: 0,
            save_flags,
        };
        self.ask(attachment, RequestBody::SaveChangesAttachment(body))
            .map(drop)
    }

    pub fn open_embedded(&mut self, attachment: u32, mode: u8) -> Result<u32, ErrorCode> {
        let body = OpenEmbeddedMessageRequest {
            output_handle_index: 1,
            code_page_id: 0x0FFF,
            open_mode_flags: mode,
        };
        Ok(self
            .open(attachment, RequestBody::OpenEmbeddedMessage(body))?
            .0)
    }

    pub fn open_folder(&mut self, folder: GlobCnt) -> u32 {
        let body = OpenFolderRequest {
            output_handle_index: 1,
            folder_id: ids::fid(folder),
            open_mode_flags: 0,
        };
        self.open(self.logon, RequestBody::OpenFolder(body))
            .unwrap()
            .0
    }
}
