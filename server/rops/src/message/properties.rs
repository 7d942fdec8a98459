//! The properties of a message: those of its bag, and those worked out from where it lies.

use ropewalk_props::{PropTag, PropType, tags::*};
use ropewalk_store::{Mailbox, MessageEntry, Store};

use super::body::{self, Conversions, Extent, Form};
use crate::{
    budget::Share,
    code_page::CodePage,
    ids,
    property::{
        identity,
        value::{Found, Properties, in_bag},
    },
    rights::messages::MessageAccess,
    view::MessageView,
};

/// PidTagMessageFlags bits (MS-OXCMSG 2.2.1.6).
pub mod flags {
    /// mfRead.
    pub const READ: u32 = 0x0000_0001;
    /// mfUnsent.
    pub const UNSENT: u32 = 0x0000_0008;
    /// mfUnmodified.
    pub const UNMODIFIED: u32 = 0x0000_0002;
    /// mfHasAttach.
    pub const HAS_ATTACH: u32 = 0x0000_0010;
    /// mfFAI.
    pub const FAI: u32 = 0x0000_0040;
    /// mfEverRead.
    pub const EVER_READ: u32 = 0x0000_0400;
    /// mfResend.
    pub const RESEND: u32 = 0x0000_0080;
    /// The bits that are worked out on demand.
    pub const COMPUTED: u32 = READ | EVER_READ | HAS_ATTACH | FAI;
    /// The bits that a client may set, until the first save; the others are the server's alone.
    pub const CLIENT: u32 = READ | UNSENT | RESEND;
    /// mfNotifyRead.
    pub const NOTIFY_READ: u32 = 0x0000_0100;
    /// mfNotifyUnread.
    pub const NOTIFY_UNREAD: u32 = 0x0000_0200;
}

/// PidTagObjectType of a message (MS-OXCPRPT 2.2.1.7).
const OBJECT_TYPE_MESSAGE: i32 = 5;

/// PidTagAccess (MS-OXCPRPT 2.2.1.1) of a message that is not saved yet (MS-OXCMSG 3.2.5.2): modify and read.
const ACCESS_NEW: i32 = 0x0000_0003;

/// A message as a property source.
#[derive(Clone, Copy)]
pub struct MessageProperties<'a> {
    /// The store; `None` where PidTagStoreEntryId is not asked for.
    pub store: Option<&'a Store>,
    /// Its mailbox.
    pub mailbox: &'a Mailbox,
    /// Where it lies; `None` before the first save and for an embedded message.
    pub entry: Option<&'a MessageEntry>,
    /// Its content; `None` where only properties of the entry are wanted.
    pub view: Option<MessageView<'a>>,
    /// What its handle keeps of its body in other forms.
    pub conversions: Option<(&'a Conversions, &'a Share)>,
    /// How much of its body in another form is wanted.
    pub extent: Extent,
    /// PidTagAccessLevel of the handle; tables report what an open would give.
    pub writable: bool,
    /// What its user may do with it.
    pub access: MessageAccess,
    /// For a message without an entry.
    pub associated: bool,
}

/// Properties that need nothing of a message's content, only its entry.
pub fn is_of_entry(tag: PropTag) -> bool {
    matches!(
        tag.with_type(PropType::UNSPECIFIED),
        t if ENTRY_TAGS.iter().any(|known| known.id() == t.id())
    )
}

const ENTRY_TAGS: [PropTag; 25] = [
    PID_TAG_MID,
    PID_TAG_FOLDER_ID,
    PID_TAG_PARENT_FOLDER_ID,
    PID_TAG_INST_ID,
    PID_TAG_INSTANCE_NUM,
    PID_TAG_ENTRY_ID,
    PID_TAG_PARENT_ENTRY_ID,
    PID_TAG_RECORD_KEY,
    PID_TAG_INSTANCE_KEY,
    PID_TAG_SOURCE_KEY,
    PID_TAG_PARENT_SOURCE_KEY,
    PID_TAG_CHANGE_KEY,
    PID_TAG_PREDECESSOR_CHANGE_LIST,
    PID_TAG_CHANGE_NUMBER,
    PID_TAG_MESSAGE_SIZE,
    PID_TAG_ASSOCIATED,
    PID_TAG_ROW_TYPE,
    PID_TAG_DEPTH,
    PID_TAG_OBJECT_TYPE,
    PID_TAG_STORE_ENTRY_ID,
    PID_TAG_STORE_RECORD_KEY,
    PID_TAG_MAPPING_SIGNATURE,
    PID_TAG_ACCESS,
    PID_TAG_ACCESS_LEVEL,
    PID_TAG_LOCAL_COMMIT_TIME,
];

/// Properties that every saved message has.
pub fn columns() -> Vec<PropTag> {
    let mut columns = vec![
        PID_TAG_MESSAGE_FLAGS,
        PID_TAG_HAS_ATTACHMENTS,
        PID_TAG_READ,
        PID_TAG_MESSAGE_CLASS,
        PID_TAG_SUBJECT,
        PID_TAG_CREATION_TIME,
        PID_TAG_LAST_MODIFICATION_TIME,
    ];
    columns.extend(ENTRY_TAGS);
    columns
}

/// Computed properties that a client may not set; setting one is answered with a PropertyProblem
/// (MS-OXCMSG 2.2.1, MS-OXCPRPT 2.2.1).
pub fn is_read_only(tag: PropTag) -> bool {
    const ALSO: [PropTag; 10] = [
        PID_TAG_CREATION_TIME,
        PID_TAG_LAST_MODIFICATION_TIME,
        PID_TAG_LAST_MODIFIER_NAME,
        PID_TAG_LAST_MODIFIER_ENTRY_ID,
        PID_TAG_HAS_ATTACHMENTS,
        PID_TAG_READ,
        PID_TAG_DISPLAY_TO,
        PID_TAG_DISPLAY_CC,
        PID_TAG_DISPLAY_BCC,
        PID_TAG_HAS_NAMED_PROPERTIES,
    ];
    // The ICS trio and the source key are set through imports, which do not come this way.
    is_of_entry(tag) || ALSO.iter().any(|known| known.id() == tag.id())
}

/// Properties that a client may not set but by copying what has them: a copy has the search key of its
/// original (MS-OXCPRPT 2.2.1.9).
pub fn is_kept_by_copies(tag: PropTag) -> bool {
    tag.id() == PID_TAG_SEARCH_KEY.id()
}

/// PidTagMessageFlags as they become when a client sets them.
pub fn flags_as_set(old: i32, given: i32) -> i32 {
    let client = flags::CLIENT as i32;
    old & !client | given & client
}

/// Properties that a client may set before the first save only; afterwards they have ROPs of their
/// own (MS-OXCMSG 2.2.1.6, 2.2.1.8).
pub fn is_read_only_once_saved(tag: PropTag) -> bool {
    [PID_TAG_MESSAGE_FLAGS.id(), PID_TAG_MESSAGE_STATUS.id()].contains(&tag.id())
}

impl Properties for MessageProperties<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        if let Some(found) = self.of_handle(tag) {
            return Some(found);
        }
        if let Some(entry) = self.entry
            && let Some(found) = self.of_entry(tag, entry)
        {
            return Some(found);
        }
        let view = self.view?;
        match tag.id() {
            id if id == PID_TAG_MESSAGE_FLAGS.id() => Some(Found::u32(self.message_flags(view))),
            id if id == PID_TAG_HAS_ATTACHMENTS.id() => Some(Found::bool(has_attachments(view))),
            id if id == PID_TAG_READ.id() => Some(Found::bool(self.is_read(view))),
            id if id == PID_TAG_NATIVE_BODY.id() => {
                Some(Found::i32(body::native_body(view.props())))
            }
            id => {
                let stored = in_bag(view.props(), id);
                if id == PID_TAG_HTML.id() {
                    return self.html(tag, stored);
                }
                stored.or_else(|| self.fallback(tag, view))
            }
        }
    }

    fn find_start(&self, tag: PropTag, max: usize) -> Option<Found<'_>> {
        if Form::of(tag.id()).is_none() {
            return self.find(tag);
        }
        let converted = self.converted(tag, Extent::Start(max));
        converted.or_else(|| in_bag(self.view?.props(), tag.id()))
    }

    fn tags(&self) -> Vec<PropTag> {
        let mut tags = vec![PID_TAG_MESSAGE_FLAGS, PID_TAG_HAS_ATTACHMENTS];
        tags.extend(HANDLE_TAGS);
        if self.entry.is_some() {
            tags.extend(ENTRY_TAGS.iter().copied().filter(|tag| {
                // Table columns, not properties of the object.
                ![
                    PID_TAG_ROW_TYPE,
                    PID_TAG_DEPTH,
                    PID_TAG_INST_ID,
                    PID_TAG_INSTANCE_NUM,
                ]
                .contains(tag)
                    && !HANDLE_TAGS.contains(tag)
            }));
        }
        if let Some(view) = self.view {
            let worked_out = [PID_TAG_NATIVE_BODY, PID_TAG_CONVERSATION_ID];
            tags.extend(
                worked_out
                    .into_iter()
                    .filter(|tag| self.find(*tag).is_some()),
            );
            // A bag has no id twice.
            let computed = tags.clone();
            let bag = view.props();
            let stored = (0..bag.len()).filter_map(|index| bag.entry(index));
            tags.extend(
                stored
                    .map(|(tag, _)| tag)
                    .filter(|tag| computed.iter().all(|known| known.id() != tag.id())),
            );
        }
        tags
    }
}

const HANDLE_TAGS: [PropTag; 6] = [
    PID_TAG_OBJECT_TYPE,
    PID_TAG_ACCESS,
    PID_TAG_ACCESS_LEVEL,
    PID_TAG_STORE_ENTRY_ID,
    PID_TAG_STORE_RECORD_KEY,
    PID_TAG_MAPPING_SIGNATURE,
];

impl<'a> MessageProperties<'a> {
    fn of_handle(&self, tag: PropTag) -> Option<Found<'a>> {
        Some(match tag {
            PID_TAG_OBJECT_TYPE => Found::i32(OBJECT_TYPE_MESSAGE),
            PID_TAG_ACCESS if self.entry.is_none() => Found::i32(ACCESS_NEW),
            PID_TAG_ACCESS => Found::i32(self.access.bits().into()),
            PID_TAG_ACCESS_LEVEL => Found::i32(i32::from(self.writable)),
            PID_TAG_STORE_ENTRY_ID | PID_TAG_STORE_RECORD_KEY | PID_TAG_MAPPING_SIGNATURE => {
                identity::of_store(self.store, self.mailbox, tag)?
            }
            PID_TAG_ASSOCIATED => Found::bool(self.is_associated()),
            _ => return None,
        })
    }

    fn of_entry(&self, tag: PropTag, entry: &MessageEntry) -> Option<Found<'a>> {
        const MESSAGE_SIZE_EXTENDED: PropTag = PID_TAG_MESSAGE_SIZE.with_type(PropType::INTEGER64);
        const LEAF_ROW: i32 = 1; // TBL_LEAF_ROW, MS-OXCTABL 2.2.1.3
        let mailbox = self.mailbox;
        Some(match tag {
            PID_TAG_MID | PID_TAG_INST_ID => Found::u64(ids::mid(entry.id).to_u64()),
            PID_TAG_FOLDER_ID | PID_TAG_PARENT_FOLDER_ID => {
                Found::u64(ids::fid(entry.folder).to_u64())
            }
            PID_TAG_INSTANCE_NUM | PID_TAG_DEPTH => Found::i32(0),
            PID_TAG_ROW_TYPE => Found::i32(LEAF_ROW),
            PID_TAG_ENTRY_ID | PID_TAG_RECORD_KEY => {
                Found::binary(ids::message_entry_id(mailbox, entry.folder, entry.id))
            }
            PID_TAG_INSTANCE_KEY => Found::binary(instance_key(entry, 0)),
            PID_TAG_PARENT_ENTRY_ID => Found::binary(ids::folder_entry_id(mailbox, entry.folder)),
            PID_TAG_SOURCE_KEY => Found::binary(ids::gid(mailbox.repl_guid(), entry.id)),
            PID_TAG_PARENT_SOURCE_KEY => Found::binary(ids::gid(mailbox.repl_guid(), entry.folder)),
            PID_TAG_CHANGE_KEY => Found::binary(entry.change_key()),
            PID_TAG_PREDECESSOR_CHANGE_LIST => Found::binary(entry.predecessor_change_list()),
            PID_TAG_CHANGE_NUMBER => Found::u64(ids::mid(entry.cn).to_u64()),
            PID_TAG_MESSAGE_SIZE => {
                Found::u32(u32::try_from(entry.size).unwrap_or(i32::MAX as u32))
            }
            MESSAGE_SIZE_EXTENDED => Found::u64(entry.size),
            PID_TAG_LOCAL_COMMIT_TIME => Found::time(entry.modified),
            _ => return None,
        })
    }

    /// What the server answers for a property that the message itself does not have.
    fn fallback(&self, tag: PropTag, view: MessageView<'_>) -> Option<Found<'a>> {
        Some(match tag.with_type(PropType::UNSPECIFIED).id() {
            id if id == PID_TAG_HAS_NAMED_PROPERTIES.id() => {
                Found::bool(super::has_named_properties(view))
            }
            id if id == PID_TAG_CONVERSATION_ID.id() => {
                Found::binary(super::conversation::id(view.props())?)
            }
            id if id == PID_TAG_MESSAGE_STATUS.id() => Found::i32(0),
            id if id == PID_TAG_RTF_IN_SYNC.id() => Found::bool(body::rtf_in_sync(view.props())?),
            // Before the first save it is the time of creation (MS-OXCMSG 3.2.5.2).
            id if id == PID_TAG_LOCAL_COMMIT_TIME.id() => {
                Found::time(view.props().get(PID_TAG_CREATION_TIME)?.as_time()?)
            }
            // Before the first save, and of an embedded message.
            id if id == PID_TAG_MESSAGE_SIZE.id() && self.entry.is_none() => {
                let size = view.size();
                match tag.ty() {
                    PropType::INTEGER64 => Found::u64(size),
                    _ => Found::u32(u32::try_from(size).unwrap_or(i32::MAX as u32)),
                }
            }
            // Mail that came without one: it has to be there and stay (MS-OXCPRPT 2.2.1.9).
            id if id == PID_TAG_SEARCH_KEY.id() => {
                let entry = self.entry?;
                let mut key = self.mailbox.repl_guid().0;
                for (byte, counter) in key.iter_mut().rev().zip(entry.id.to_bytes().iter().rev()) {
                    *byte ^= counter;
                }
                Found::binary(key.to_vec())
            }
            _ => return self.converted(tag, self.extent),
        })
    }

    /// PidTagHtml and PidTagBodyHtml, which are one property.
    fn html(&self, tag: PropTag, stored: Option<Found<'a>>) -> Option<Found<'a>> {
        match stored {
            Some(found) if is_other_html(found.ty(), tag.ty()) => {
                self.converted(tag, self.extent).or(Some(found))
            }
            Some(found) => Some(found),
            None => self.converted(tag, self.extent),
        }
    }

    /// A body in a form that the message does not have (MS-OXCMSG 3.2.4.1).
    #[cold]
    fn converted(&self, tag: PropTag, extent: Extent) -> Option<Found<'a>> {
        body::find(self.mailbox, self.view?, self.conversions, tag, extent)
    }

    fn is_associated(&self) -> bool {
        self.entry.map_or(self.associated, |entry| entry.associated)
    }

    fn is_read(&self, view: MessageView<'_>) -> bool {
        match self.entry {
            Some(entry) => entry.read,
            None => stored_flags(view) & flags::READ != 0,
        }
    }

    fn message_flags(&self, view: MessageView<'_>) -> u32 {
        let mut bits = stored_flags(view) & !flags::COMPUTED;
        if self.is_read(view) {
            bits |= flags::READ | flags::EVER_READ;
        }
        if has_attachments(view) {
            bits |= flags::HAS_ATTACH;
        }
        if self.is_associated() {
            bits |= flags::FAI;
        }
        bits
    }
}

/// PidTagMessageFlags as the bag has it, computed bits and all.
pub fn stored_flags(view: MessageView<'_>) -> u32 {
    view.props().get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0) as u32
}

/// Whether PidTagHtml is asked for as text and kept as bytes, or the other way round: it is one
/// property (MS-OXCMSG 2.2.1.58.9).
fn is_other_html(have: PropType, want: PropType) -> bool {
    matches!(
        (have, want),
        (PropType::BINARY, PropType::STRING | PropType::STRING8)
            | (PropType::STRING, PropType::BINARY)
    )
}

/// The code page of a message's HTML: PidTagInternetCodepage, or UTF-8.
pub fn html_code_page(view: MessageView<'_>) -> CodePage {
    const UTF_8: i32 = 65001;
    let id = view
        .props()
        .get_i32(PID_TAG_INTERNET_CODEPAGE)
        .unwrap_or(UTF_8);
    CodePage::new(id as u32)
}

/// PidTagHasAttachments and mfHasAttach: of any kind; whether there are some that a user sees is what
/// PidLidSmartNoAttach tells (MS-OXCMSG 2.2.1.2, 2.2.1.6, 2.2.1.14).
fn has_attachments(view: MessageView<'_>) -> bool {
    view.attachment_count() > 0
}

/// PidTagInstanceKey: names the row among all rows of a table (MS-OXCTABL 2.2.1.5).
pub fn instance_key(entry: &MessageEntry, part: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(20);
    key.extend_from_slice(&ids::fid(entry.folder).to_u64().to_le_bytes());
    key.extend_from_slice(&ids::mid(entry.id).to_u64().to_le_bytes());
    key.extend_from_slice(&part.to_le_bytes());
    key
}
