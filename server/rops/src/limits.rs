//! What one request, one session or one message may take, all in one place.

/// Bytes of one ROP payload before compression (MS-OXCROPS 2.2.1, MS-OXCRPC 3.1.4.2).
pub const PAYLOAD_BYTES_MAX: usize = 0x8000;

/// Largest MaxRopOut without ultra-large packed buffers (MS-OXCRPC 3.1.4.2).
pub const ROP_OUT_BYTES_MAX: u32 = 0x4_0000;

/// Bytes of the payloads of all extended buffers of one request, uncompressed: as many as a response may have,
/// so that a small request does not become a large one.
pub const ROP_IN_BYTES_MAX: usize = 0x4_0000;

/// Packed bytes of properties that an unsaved message, attachment or recipient list keeps in
/// memory; larger values go through streams, which keep a chunk at a time.
pub const DRAFT_BYTES_MAX: usize = 4 << 20;

/// Bytes of one stream: 2^31, which a stream may have and not exceed (MS-OXCPRPT 2.2.20.1).
pub const STREAM_BYTES_MAX: u64 = 1 << 31;

/// Recipients of one message.
pub const RECIPIENTS_MAX: usize = 10_000;

/// Attachments of one message (MS-OXCMSG 3.2.5.12 leaves the number to the server).
pub const ATTACHMENTS_MAX: usize = 1024;

/// Values longer than this leave a table cell cut (MS-OXCDATA 2.8.2): characters or bytes.
pub const CELL_LENGTH_MAX: usize = 255;

/// Bytes of a large value that a restriction looks into.
pub const SEARCHED_BYTES_MAX: usize = 1 << 20;

/// Bytes of a body that is converted from one form to another, and of what it becomes. Longer ones are
/// to be had in their native form alone.
pub const CONVERTED_BODY_BYTES_MAX: usize = 16 << 20;

/// Columns of a table, sort keys, and tags in one property request.
pub const COLUMNS_MAX: usize = 1024;

/// Bytes of all values that an unsaved message keeps in memory, with those of its recipients, its
/// attachments and the messages embedded in them; large values apart.
pub const MESSAGE_BYTES_MAX: usize = 32 << 20;

/// Bytes that the open messages, attachments, streams and tables of one session keep in memory,
/// together. What all sessions of a user, and all sessions of a server, may keep is for those to say
/// who make them ([`crate::budget::Pool`]).
pub const SESSION_BYTES_MAX: usize = 256 << 20;

/// How deep messages are embedded in each other; the store takes 32 levels.
pub const EMBEDDING_MAX: usize = 31;

/// Values of one multi-valued property that make rows of their own.
pub const INSTANCES_MAX: usize = 1024;

/// Bytes of them, as they are kept.
pub const INSTANCES_BYTES_MAX: usize = 1 << 16;

/// Columns that a table is sorted by.
pub const SORT_ORDERS_MAX: usize = 16;

/// Bytes of what a client keeps of one public folder in its mailbox (MS-OXCSTOR 2.2.1.13).
pub const PER_USER_BYTES_MAX: usize = 64 << 10;

/// Public folders of which a client keeps something.
pub const PER_USER_ENTRIES_MAX: usize = 256;

/// Bytes of a mailbox's table of receive folders: what a response has room for (MS-OXCSTOR 3.2.5.4).
pub const RECEIVE_FOLDERS_BYTES_MAX: usize = 0x7000;

/// Locked regions of a stream.
pub const REGION_LOCKS_MAX: usize = 256;

/// Bytes of all rules of a folder (MS-OXORULE 3.2.5.2).
pub const RULES_BYTES_MAX: usize = 256 << 10;

/// Bytes of the restriction and the folders of a search: what a response has room for (MS-OXCFOLD
/// 2.2.1.5.2).
pub const SEARCH_CRITERIA_BYTES_MAX: usize = 0x7000;

/// Search folders of a mailbox that have criteria.
pub const SEARCHES_MAX: usize = 1000;

/// Bytes of the results of searches that are in memory, of all mailboxes together.
pub const SEARCH_RESULTS_BYTES_MAX: usize = 512 << 20;

/// Bytes that a message's entry takes in memory, about: twice its text, its place in the tree, and itself.
pub const MESSAGE_ENTRY_BYTES: usize = size_of::<ropewalk_store::MessageEntry>() + 160;

/// Bytes of the orders of folders that are kept for the next table, of all folders together.
pub const KEPT_ORDERS_BYTES_MAX: usize = 256 << 20;
