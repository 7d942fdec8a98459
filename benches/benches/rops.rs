//! What a batch of ROPs takes without HTTP around it, and how often it allocates.
//!
//! `cargo bench -p ropewalk-benches --bench rops -- [--messages N] [--json] [--only NAME] [--seconds N]`.
//! The ROP executor of this process is asked, with no server and no client: beside it stands a batch of
//! one ROP that does nothing but look at its handle (RopGetStatus of a table).

mod common;

use std::{env, hint::black_box, sync::Arc, time::Duration};

use common::{
    inbox::{self, COLUMNS},
    timed, value_of,
};
use ropewalk_props::PropTag;
use ropewalk_rops::{ConnectParams, RopContext};
use ropewalk_server::provision::special;
use ropewalk_store::{Durability, Store, StoreOptions};
use ropewalk_store_benches::counting::{Counting, allocations};
use ropewalk_tests::{
    client::{NO_HANDLE, Rop, concat, framing, logon_rop, restriction_bytes, tagged_values},
    fixture::{tag, text},
};
use ropewalk_wire::restriction::Restriction;
use serde_json::json;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Properties that a client asks of a message that it shows.
const TWENTY: [u32; 20] = [
    tag::MESSAGE_CLASS,
    tag::SUBJECT,
    tag::NORMALIZED_SUBJECT,
    tag::MESSAGE_FLAGS,
    tag::MESSAGE_SIZE,
    tag::HAS_ATTACHMENTS,
    tag::LAST_MODIFICATION_TIME,
    tag::IMPORTANCE,
    tag::DISPLAY_TO,
    tag::DISPLAY_CC,
    tag::DISPLAY_BCC,
    tag::SENSITIVITY,
    tag::CREATION_TIME,
    tag::ENTRY_ID,
    tag::RECORD_KEY,
    tag::SEARCH_KEY,
    tag::CHANGE_KEY,
    tag::PREDECESSOR_CHANGE_LIST,
    tag::ACCESS,
    tag::BODY,
];

/// SearchFlags of RopSetSearchCriteria (MS-OXCFOLD 2.2.1.4.1).
const STATIC_SEARCH: u32 = 0x0004_0000;

/// A session context of the one user.
struct Session {
    context: RopContext,
    out: Vec<u8>,
}

impl Session {
    /// Executes a batch; the handle table of the response.
    fn execute(&mut self, buffer: &[u8]) -> Vec<u32> {
        self.run(buffer);
        let size = usize::from(u16::from_le_bytes([self.out[8], self.out[9]]));
        let handles = self.out[8 + size..].as_chunks::<4>().0;
        handles.iter().copied().map(u32::from_le_bytes).collect()
    }

    fn run(&mut self, buffer: &[u8]) {
        self.out.clear();
        self.context
            .execute(3, buffer, 0x1_0008, &mut self.out)
            .expect("Execute");
    }
}

fn batch(rops: &[Rop], handles: &[u32]) -> Vec<u8> {
    let payload = framing::rop_buffer(&concat(rops), handles);
    framing::extended_buffer(&payload, framing::InputForm::default())
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let json = args.iter().any(|arg| arg == "--json");
    let messages = value_of(&args, "--messages").unwrap_or(10_000);
    let seconds = value_of(&args, "--seconds").unwrap_or(1);
    let only = args.iter().position(|arg| arg == "--only");
    let only = only.and_then(|at| args.get(at + 1));

    let dir = common::directory();
    common::add_user(dir.path());
    inbox::fill(dir.path(), messages);
    let options = StoreOptions {
        durability: Durability::None,
        ..StoreOptions::default()
    };
    let store = Store::open(dir.path(), options).expect("the store opens");
    let user = store.user_by_email(common::EMAIL).expect("the user");
    let mailbox = store.mailbox(user.mailbox_guid).expect("the mailbox");
    let contents = mailbox.contents(special::INBOX, ropewalk_store::ContentsView::Normal);
    let message = contents.expect("the Inbox").iter().next().expect("one").id;
    let connect = ConnectParams {
        code_page: 1252,
        sort_lcid: 0x409,
        string_lcid: 0x409,
    };
    let essdn = user.legacy_dn.clone();
    let mut session = Session {
        context: RopContext::new(store, Arc::clone(&user), connect),
        out: Vec::new(),
    };
    let logon = session.execute(&batch(&[logon_rop(1, 0x0100_040C, &essdn)], &[NO_HANDLE]))[0];
    let id = |counter: u64| counter.swap_bytes() & !0xFFFF | 1;
    let (folder_id, message_id) = (id(special::INBOX.0), id(message.0));
    let open_folder = Rop::new(0x02, 0).u8(1).u64(folder_id).u8(0);
    let folder = session.execute(&batch(&[open_folder], &[logon, NO_HANDLE]))[1];
    let open_message = || {
        let open = Rop::new(0x03, 0).u8(1).u16(0x0FFF).u64(folder_id);
        open.u8(0).u64(message_id)
    };
    let read = Rop::new(0x07, 1).u16(0).u16(1).tags(&TWENTY);
    let release = || Rop::new(0x01, 1);
    let open_table = || Rop::new(0x05, 0).u8(1).u8(0);
    let columns = || Rop::new(0x12, 1).u8(0).tags(&COLUMNS);
    let rows = || Rop::new(0x15, 1).u8(0).u8(1).u16(50);
    let newest = Rop::new(0x13, 1).u8(0).u16(1).u16(0).u16(0);
    let newest = newest.u32(tag::MESSAGE_DELIVERY_TIME).u8(1);
    let unread = restriction_bytes(Some(&Restriction::BitMask {
        bitmap_rel_op: 0,
        prop_tag: PropTag(tag::MESSAGE_FLAGS),
        mask: 1,
    }));
    // Two search folders for them: one that keeps up, and one that is filled anew each time.
    let criteria = |flags: u32| {
        let set = Rop::new(0x30, 0).sized(&unread).ids(&[folder_id]);
        set.u32(flags)
    };
    let mut search = |name: &str, flags: u32| {
        let made = Rop::new(0x1C, 0).u8(1).u8(2).u8(1).u8(0).u8(0);
        let made = made.utf16_z(name).utf16_z("");
        let search = session.execute(&batch(&[made], &[folder, NO_HANDLE]))[1];
        session.execute(&batch(&[criteria(flags)], &[search]));
        search
    };
    let (dynamic, fixed) = (search("Dynamic", 0), search("Static", STATIC_SEARCH));
    let unread = Rop::new(0x14, 1).u8(0).sized(&unread);
    let opened = session.execute(&batch(&[open_message()], &[logon, NO_HANDLE]))[1];
    let table = session.execute(&batch(&[open_table(), columns()], &[folder, NO_HANDLE]))[1];
    let values = tagged_values(&[(tag::SUBJECT, text("a coil of rope"))]);
    let kinds = [
        ("RopGetStatus", batch(&[Rop::new(0x16, 0)], &[table])),
        (
            "RopGetPropertiesSpecific of 20",
            batch(&[Rop::new(0x07, 0).u16(0).u16(1).tags(&TWENTY)], &[opened]),
        ),
        (
            "RopOpenMessage, RopGetPropertiesSpecific of 20, RopRelease",
            batch(&[open_message(), read, release()], &[logon, NO_HANDLE]),
        ),
        (
            "RopSeekRow, RopQueryRows of 50 x 12",
            batch(
                &[
                    Rop::new(0x18, 0).u8(0).u32(0).u8(0),
                    Rop::new(0x15, 0).u8(0).u8(1).u16(50),
                ],
                &[table],
            ),
        ),
        (
            "a table opened, 50 x 12, released",
            batch(
                &[open_table(), columns(), rows(), release()],
                &[folder, NO_HANDLE],
            ),
        ),
        (
            "a table opened, newest first, 50 x 12, released",
            batch(
                &[open_table(), columns(), newest, rows(), release()],
                &[folder, NO_HANDLE],
            ),
        ),
        (
            "a table opened, unread ones, 50 x 12, released",
            batch(
                &[open_table(), columns(), unread, rows(), release()],
                &[folder, NO_HANDLE],
            ),
        ),
        (
            "a search folder of unread ones opened, 50 x 12, released",
            batch(
                &[open_table(), columns(), rows(), release()],
                &[dynamic, NO_HANDLE],
            ),
        ),
        (
            "a message unread and read, and a search folder's counts after each",
            batch(
                &[
                    Rop::new(0x66, 0).u8(0).u8(4).ids(&[message_id]),
                    Rop::new(0x07, 1).u16(0).u16(1).tags(&[tag::CONTENT_COUNT]),
                    Rop::new(0x66, 0).u8(0).u8(0).ids(&[message_id]),
                    Rop::new(0x07, 1).u16(0).u16(1).tags(&[tag::CONTENT_COUNT]),
                ],
                &[folder, dynamic],
            ),
        ),
        (
            "a message unread and read",
            batch(
                &[
                    Rop::new(0x66, 0).u8(0).u8(4).ids(&[message_id]),
                    Rop::new(0x66, 0).u8(0).u8(0).ids(&[message_id]),
                ],
                &[folder],
            ),
        ),
        (
            "RopSetSearchCriteria of all unread ones, static",
            batch(&[criteria(STATIC_SEARCH)], &[fixed]),
        ),
        (
            "RopOpenMessage, RopSetProperties, RopSaveChangesMessage, RopRelease",
            batch(
                &[
                    Rop::new(0x03, 0)
                        .u8(1)
                        .u16(0x0FFF)
                        .u64(folder_id)
                        .u8(1)
                        .u64(message_id),
                    Rop::new(0x0A, 1).sized(&values),
                    Rop::new(0x0C, 2).u8(1).u8(0),
                    release(),
                ],
                &[logon, NO_HANDLE, folder],
            ),
        ),
    ];
    let mut results = Vec::new();
    for (name, buffer) in kinds {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let (nanos, allocated) =
            measure(&mut session, &buffer, Duration::from_secs(seconds as u64));
        if !json {
            println!("{name}: p50 {nanos} ns, {allocated:.1} allocations");
        }
        results.push(json!({ "name": name, "p50_ns": nanos, "allocations": allocated }));
    }
    if json {
        println!("{}", json!({ "results": results }));
    }
}

/// The median time of a batch, and its allocations.
fn measure(session: &mut Session, buffer: &[u8], during: Duration) -> (u128, f64) {
    let handles = session.execute(buffer);
    black_box(handles);
    let mut times = Vec::new();
    let mut total = Duration::ZERO;
    let mut counted = 0;
    while total < during {
        let before = allocations();
        let taken = timed(|| session.run(buffer));
        counted += allocations() - before;
        total += taken;
        times.push(taken);
    }
    let count = times.len();
    let (_, median, _) = times.select_nth_unstable(count / 2);
    (median.as_nanos(), counted as f64 / count as f64)
}
