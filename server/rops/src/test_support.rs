//! A store with two users and a session context, for tests that execute ROPs.

use std::sync::Arc;

use ropewalk_props::{Bag, FileTime, GlobCnt, Guid, PropTag, PropValue, tags};
use ropewalk_store::{
    Durability, FolderKind, IndexKind, Mailbox, Message, NewUser, SaveMessage, Store, StoreOptions,
    TemplateFolder, User,
};
use ropewalk_wire::{
    ErrorCode, Fid, Mid,
    client::{RopBatch, RopOutput},
    codec::Bytes16,
    ext_buffer,
    restriction::Restriction,
    rop::*,
    row::PropertyRow,
    value::Form,
};

use crate::{ConnectParams, RopContext, ids, logon::special};

/// MaxRopOut of tests that do not look at it.
pub const MAX_ROP_OUT: u32 = 0x8000 + ext_buffer::HEADER_LEN as u32;

/// The index of the input object's handle in the batches made here.
pub const INPUT: u8 = 0;
/// The index where the handle of what a ROP opens goes.
pub const OUTPUT: u8 = 1;

/// A store with two users, and a session context of the first.
pub struct Fixture {
    pub context: RopContext,
    pub store: Store,
    pub user: Arc<User>,
    pub other: Arc<User>,
    _dir: tempfile::TempDir,
}

impl Fixture {
    /// With fresh mailboxes.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = open_store(dir.path());
        let user = store.add_user(new_user("ada", 1)).unwrap();
        let other = store.add_user(new_user("bob", 2)).unwrap();
        let context = session(&store, &user);
        Self {
            context,
            store,
            user,
            other,
            _dir: dir,
        }
    }

    /// The same store, closed and opened again, and a new session context.
    pub fn reopened(self) -> Self {
        let Self {
            context,
            store,
            user,
            other,
            _dir,
        } = self;
        drop(context);
        store.close().unwrap();
        drop(store);
        let store = open_store(_dir.path());
        let context = session(&store, &user);
        Self {
            context,
            store,
            user,
            other,
            _dir,
        }
    }

    /// As [`Fixture::new`], logged on under LogonId 0; the logon's handle.
    pub fn logged_on() -> (Self, u32) {
        let mut fixture = Self::new();
        let logon = fixture.logon(0);
        (fixture, logon)
    }

    /// The user's mailbox.
    pub fn mailbox(&self) -> Arc<Mailbox> {
        self.store.mailbox(self.user.mailbox_guid).unwrap()
    }

    /// Saves a message with these properties.
    pub fn add_message(&self, folder: GlobCnt, props: &[(PropTag, PropValue)]) -> GlobCnt {
        let message = Message {
            props: props.iter().cloned().collect(),
            ..Message::default()
        };
        self.save(folder, message)
    }

    /// Saves a message.
    pub fn save(&self, folder: GlobCnt, message: Message) -> GlobCnt {
        let save = SaveMessage {
            folder,
            id: None,
            associated: false,
            read: None,
            expected_cn: None,
            message,
        };
        self.mailbox().save_message(save).unwrap().id
    }

    /// Saves a message with this subject, delivered at this time.
    pub fn add_mail(&self, folder: GlobCnt, subject: &str, delivered: u64) -> GlobCnt {
        self.add_message(
            folder,
            &[
                (tags::PID_TAG_SUBJECT, PropValue::text(subject)),
                (
                    tags::PID_TAG_MESSAGE_DELIVERY_TIME,
                    PropValue::Time(FileTime(delivered)),
                ),
            ],
        )
    }

    /// RopLogon to the user's own mailbox.
    pub fn logon(&mut self, logon_id: u8) -> u32 {
        let essdn = essdn(&self.user);
        let mut batch = RopBatch::new();
        let slot = batch.slot();
        batch.push(Request::new(logon_id, slot, logon_request(&essdn)));
        self.run(&batch, |output| {
            let response = output.responses().next().unwrap();
            assert_eq!(response.return_value, ErrorCode(0));
            output.handle(slot).unwrap()
        })
    }

    /// Executes a batch that must not fail as a whole.
    pub fn run<T>(&mut self, batch: &RopBatch<'_>, read: impl FnOnce(&RopOutput<'_>) -> T) -> T {
        self.run_into(batch, MAX_ROP_OUT, read).unwrap()
    }

    /// Executes a batch with this MaxRopOut.
    pub fn run_into<T>(
        &mut self,
        batch: &RopBatch<'_>,
        max_rop_out: u32,
        read: impl FnOnce(&RopOutput<'_>) -> T,
    ) -> Result<T, ErrorCode> {
        run_in(&mut self.context, batch, max_rop_out, read)
    }

    /// Executes one ROP of LogonId 0 on a handle; what it opens goes to [`OUTPUT`].
    pub fn call<T>(
        &mut self,
        handle: u32,
        body: RequestBody<'_>,
        columns: &[PropTag],
        read: impl FnOnce(&Response<'_>, Option<u32>) -> T,
    ) -> T {
        let mut batch = RopBatch::new();
        assert_eq!((batch.handle(handle), batch.slot()), (INPUT, OUTPUT));
        batch.push_with_columns(Request::new(0, INPUT, body), columns);
        self.run(&batch, |output| {
            read(output.responses().next().unwrap(), output.handle(OUTPUT))
        })
    }

    /// The ReturnValue of one ROP.
    pub fn code(&mut self, handle: u32, body: RequestBody<'_>) -> ErrorCode {
        self.call(handle, body, &[], |response, _| response.return_value)
    }

    /// Executes one ROP that must succeed.
    pub fn ok(&mut self, handle: u32, body: RequestBody<'_>) {
        assert_eq!(self.code(handle, body), ErrorCode(0));
    }

    /// The handle of what one ROP opens, which must succeed.
    pub fn open(&mut self, handle: u32, body: RequestBody<'_>) -> u32 {
        self.call(handle, body, &[], |response, handle| {
            assert_eq!(response.return_value, ErrorCode(0));
            handle.unwrap()
        })
    }

    /// PartialCompletion of one ROP that must succeed.
    pub fn partial(&mut self, handle: u32, body: RequestBody<'_>) -> bool {
        self.call(handle, body, &[], |response, _| {
            assert_eq!(response.return_value, ErrorCode(0));
            match &response.body {
                ResponseBody::DeleteFolder(body)
                | ResponseBody::EmptyFolder(body)
                | ResponseBody::HardDeleteMessagesAndSubfolders(body)
                | ResponseBody::DeleteMessages(body)
                | ResponseBody::HardDeleteMessages(body)
                | ResponseBody::MoveCopyMessages(body)
                | ResponseBody::SetReadFlags(body) => body.partial_completion,
                other => panic!("no PartialCompletion in {other:?}"),
            }
        })
    }

    /// RopOpenFolder.
    pub fn open_folder(&mut self, logon: u32, folder: GlobCnt) -> u32 {
        self.open(logon, open_folder(ids::fid(folder)))
    }

    /// RopRelease.
    pub fn release(&mut self, handle: u32) {
        let mut batch = RopBatch::new();
        let index = batch.handle(handle);
        batch.push(Request::new(
            0,
            index,
            RequestBody::Release(EmptyRequest {}),
        ));
        self.run(&batch, |output| assert_eq!(output.rops.len(), 0));
    }

    /// The contents table of a folder with these columns, by handles.
    pub fn contents_table(&mut self, logon: u32, folder: GlobCnt, columns: &[PropTag]) -> u32 {
        let folder = self.open_folder(logon, folder);
        let table = self.open(folder, RequestBody::GetContentsTable(table_request(0)));
        self.set_columns(table, columns);
        table
    }

    /// RopSetColumns.
    pub fn set_columns(&mut self, table: u32, columns: &[PropTag]) {
        let request = SetColumnsRequest {
            set_columns_flags: 0,
            property_tags: columns.into(),
        };
        self.ok(table, RequestBody::SetColumns(request));
    }

    /// RopQueryRows: Origin and the rows.
    pub fn query(
        &mut self,
        table: u32,
        columns: &[PropTag],
        request: QueryRowsRequest,
    ) -> (u8, Vec<PropertyRow>) {
        self.call(
            table,
            RequestBody::QueryRows(request),
            columns,
            |response, _| {
                assert_eq!(response.return_value, ErrorCode(0));
                let ResponseBody::QueryRows(body) = &response.body else {
                    panic!("{response:?}")
                };
                (
                    body.origin,
                    body.rows(columns).collect::<Result<_, _>>().unwrap(),
                )
            },
        )
    }

    /// The first cell of up to `count` rows from the cursor on.
    pub fn first_cells(&mut self, table: u32, columns: &[PropTag], count: u16) -> Vec<PropValue> {
        let (_, rows) = self.query(table, columns, forward(count));
        rows.into_iter()
            .map(|row| row.cells[0].value().cloned().unwrap())
            .collect()
    }

    /// PidTagMid of all rows of a table whose first column it is, from the start.
    pub fn mids(&mut self, table: u32, columns: &[PropTag]) -> Vec<GlobCnt> {
        self.ok(table, seek(0, 0));
        let cells = self.first_cells(table, columns, u16::MAX);
        let id = |value: &PropValue| match value {
            PropValue::Integer64(id) => Mid::from_u64(*id as u64).globcnt(),
            other => panic!("no Mid: {other:?}"),
        };
        cells.iter().map(id).collect()
    }
}

fn open_store(dir: &std::path::Path) -> Store {
    let options = StoreOptions {
        durability: Durability::None,
        index: IndexKind::Memory,
        ..StoreOptions::default()
    };
    Store::open(dir, options).unwrap()
}

/// A session context of a user.
pub fn session(store: &Store, user: &Arc<User>) -> RopContext {
    let connect = ConnectParams {
        code_page: 1252,
        sort_lcid: 0x409,
        string_lcid: 0x409,
    };
    RopContext::new(store.clone(), user.clone(), connect)
}

/// Executes a batch in a session context.
pub fn run_in<T>(
    context: &mut RopContext,
    batch: &RopBatch<'_>,
    max_rop_out: u32,
    read: impl FnOnce(&RopOutput<'_>) -> T,
) -> Result<T, ErrorCode> {
    let mut out = b"before".to_vec();
    let result = context.execute(
        0,
        &batch.encode(ext_buffer::LAST).unwrap(),
        max_rop_out,
        &mut out,
    );
    let reply = out.strip_prefix(b"before").unwrap();
    if let Err(code) = result {
        assert!(reply.is_empty());
        return Err(code);
    }
    assert!(reply.len() <= max_rop_out as usize, "{} bytes", reply.len());
    let payloads = ext_buffer::decode(reply).unwrap();
    Ok(read(&batch.decode(&payloads).unwrap()))
}

/// The user's distinguished name with its NUL.
pub fn essdn(user: &User) -> Vec<u8> {
    let mut essdn = user.legacy_dn.as_bytes().to_vec();
    essdn.push(0);
    essdn
}

/// RopLogon to a private mailbox.
pub fn logon_request(essdn: &[u8]) -> RequestBody<'_> {
    const USE_PER_MDB_REPLID_MAPPING: u32 = 0x0100_0000;
    const SUPPORT_PROGRESS: u32 = 0x2000_0000;
    RequestBody::Logon(LogonRequest {
        logon_flags: 1,
        open_flags: USE_PER_MDB_REPLID_MAPPING | SUPPORT_PROGRESS,
        store_state: 0,
        essdn: Bytes16::new(essdn),
    })
}

/// RopOpenFolder.
pub fn open_folder(folder_id: Fid) -> RequestBody<'static> {
    RequestBody::OpenFolder(OpenFolderRequest {
        output_handle_index: OUTPUT,
        folder_id,
        open_mode_flags: 0,
    })
}

/// A request that opens a table.
pub fn table_request(table_flags: u8) -> GetTableRequest {
    GetTableRequest {
        output_handle_index: OUTPUT,
        table_flags,
    }
}

/// RopQueryRows forward.
pub fn forward(row_count: u16) -> QueryRowsRequest {
    QueryRowsRequest {
        query_rows_flags: 0,
        forward_read: true,
        row_count,
    }
}

/// RopSeekRow.
pub fn seek(origin: u8, row_count: i32) -> RequestBody<'static> {
    RequestBody::SeekRow(SeekRowRequest {
        origin,
        row_count,
        want_row_moved_count: true,
    })
}

/// RestrictionData.
pub fn restriction_data(restriction: &Restriction) -> Vec<u8> {
    let mut data = Vec::new();
    restriction.encode(&mut data, Form::Rop).unwrap();
    data
}

fn new_user(name: &str, number: u8) -> NewUser {
    let folder = |id: GlobCnt, parent, kind, name: &str| {
        let mut props = Bag::new();
        props.set_text(tags::PID_TAG_DISPLAY_NAME, name);
        TemplateFolder {
            id,
            parent,
            kind,
            props,
        }
    };
    let folders = special::LOGON_FOLDERS.iter().map(|id| {
        let parent = match *id {
            special::INBOX | special::OUTBOX | special::SENT_ITEMS | special::DELETED_ITEMS => {
                special::IPM_SUBTREE
            }
            _ => special::ROOT,
        };
        let kind = match *id {
            special::ROOT => FolderKind::Root,
            special::SPOOLER_QUEUE => FolderKind::Search,
            _ => FolderKind::Generic,
        };
        folder(*id, parent, kind, &format!("Folder {}", id.0))
    });
    let class = |class: &str, folder| (class.to_owned(), folder);
    NewUser {
        email: format!("{name}@example.test"),
        display_name: name.to_owned(),
        legacy_dn: format!("/o=Ropewalk/cn=Recipients/cn={name}"),
        mailbox_guid: Guid([number; 16]),
        repl_guid: Guid([number | 0x80; 16]),
        password_hash: String::new(),
        folders: folders.collect(),
        receive_folders: vec![
            class("", special::INBOX),
            class("IPC", special::ROOT),
            class("IPM", special::INBOX),
            class("REPORT.IPM", special::INBOX),
        ],
        store_props: Bag::new(),
    }
}
