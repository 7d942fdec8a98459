//! The properties of a logon: those of the mailbox's bag, and those of its owner and of the session
//! (MS-OXCSTOR 2.2.2).

use ropewalk_props::{BagView, GlobCnt, PropTag, PropType, tags::*};
use ropewalk_store::{Mailbox, STORAGE_QUOTA_LIMIT};

use super::{
    identity,
    value::{Found, Properties, in_bag},
};
use crate::{context::Session, ids, logon::store_state, public};

/// A logon as a property source.
#[derive(Clone, Copy)]
pub struct LogonProperties<'a> {
    session: &'a Session,
    mailbox: &'a Mailbox,
    bag: &'a dyn BagView,
}

/// PidTagObjectType of a store (MS-OXCPRPT 2.2.1.7).
const OBJECT_TYPE_STORE: i32 = 1;

/// PidTagAccess of one's own mailbox (MS-OXCPRPT 2.2.1.1): all six rights; of another one: to read.
const ACCESS_OWNER: i32 = 0x0000_003F;
const ACCESS_OTHER: i32 = 0x0000_0002;

/// PidTagExtendedRuleSizeLimit (MS-OXCSTOR 2.2.2.1.1.1), in bytes.
const EXTENDED_RULE_SIZE_LIMIT: i32 = 96 << 10;

/// PidTagMaximumSubmitMessageSize (MS-OXCSTOR 2.2.2.1.1.3), in KiB.
const MAXIMUM_SUBMIT_MESSAGE_SIZE: i32 = 128 << 10;

/// PidTagProhibitReceiveQuota and PidTagProhibitSendQuota without a limit (MS-OXCSTOR
/// 2.2.2.1.1.3).
const NO_QUOTA: i32 = -1;

/// The root folder of a mailbox (MS-OXCSTOR 2.2.1.1.3, the first of FolderIds).
const ROOT: GlobCnt = GlobCnt(1);

const COMPUTED: [PropTag; 21] = [
    PID_TAG_MESSAGE_SIZE,
    PID_TAG_MESSAGE_SIZE_EXTENDED,
    PID_TAG_CONTENT_COUNT,
    PID_TAG_EXTENDED_RULE_SIZE_LIMIT,
    PID_TAG_ACCESS,
    PID_TAG_ACCESS_LEVEL,
    PID_TAG_MAPPING_SIGNATURE,
    PID_TAG_RECORD_KEY,
    PID_TAG_STORE_RECORD_KEY,
    PID_TAG_ENTRY_ID,
    PID_TAG_STORE_ENTRY_ID,
    PID_TAG_OBJECT_TYPE,
    PID_TAG_STORE_STATE,
    PID_TAG_USER_ENTRY_ID,
    PID_TAG_MAILBOX_OWNER_ENTRY_ID,
    PID_TAG_MAILBOX_OWNER_NAME,
    PID_TAG_PROHIBIT_RECEIVE_QUOTA,
    PID_TAG_PROHIBIT_SEND_QUOTA,
    PID_TAG_MAXIMUM_SUBMIT_MESSAGE_SIZE,
    PID_TAG_CODE_PAGE_ID,
    PID_TAG_SERIALIZED_REPLID_GUID_MAP,
];

/// What tells how much there is in a mailbox, in the folders that are not to be seen too: of a private
/// mailbox it is for its owner alone (MS-OXCPERM 2.2.7).
const OF_THE_WHOLE: [PropTag; 6] = [
    PID_TAG_MESSAGE_SIZE,
    PID_TAG_MESSAGE_SIZE_EXTENDED,
    PID_TAG_CONTENT_COUNT,
    PID_TAG_PROHIBIT_RECEIVE_QUOTA,
    PID_TAG_PROHIBIT_SEND_QUOTA,
    STORAGE_QUOTA_LIMIT,
];

/// True for properties that only the server sets.
pub fn is_read_only(tag: PropTag) -> bool {
    is_computed(tag) || tag.id() == STORAGE_QUOTA_LIMIT.id()
}

fn is_computed(tag: PropTag) -> bool {
    COMPUTED.iter().any(|known| known.id() == tag.id())
}

fn quota(kilobytes: Option<u32>) -> Found<'static> {
    let limit = kilobytes.and_then(|limit| i32::try_from(limit).ok());
    Found::i32(limit.unwrap_or(NO_QUOTA))
}

impl<'a> LogonProperties<'a> {
    /// Of a mailbox, as a session sees it. `bag` is [`Mailbox::store_props`].
    pub fn new(session: &'a Session, mailbox: &'a Mailbox, bag: &'a dyn BagView) -> Self {
        Self {
            session,
            mailbox,
            bag,
        }
    }

    fn is_owner(&self) -> bool {
        self.session.user.mailbox_guid == self.mailbox.guid()
    }

    /// Whether the session's user is told this property.
    fn is_told(&self, tag: PropTag) -> bool {
        OF_THE_WHOLE.iter().all(|known| known.id() != tag.id())
            || self.is_owner()
            || public::is_public(self.mailbox)
    }

    /// Messages of all folders.
    fn content_count(&self) -> u32 {
        let below = self.mailbox.hierarchy(ROOT, true, false);
        let all = below.into_iter().map(|(id, _)| id).chain([ROOT]);
        all.filter_map(|id| self.mailbox.folder(id))
            .fold(0, |count, folder| {
                u32::saturating_add(count, folder.counts.content)
            })
    }

    fn owner<T>(&self, take: impl FnOnce(&ropewalk_store::User) -> T) -> Option<T> {
        let owner = self.session.store.user_by_mailbox(self.mailbox.guid())?;
        Some(take(&owner))
    }

    fn of_store(&self, tag: PropTag) -> Option<Found<'static>> {
        identity::of_store(Some(&self.session.store), self.mailbox, tag)
    }

    fn computed(&self, tag: PropTag) -> Option<Found<'static>> {
        let mailbox = self.mailbox;
        Some(match tag {
            PID_TAG_MESSAGE_SIZE => {
                Found::u32(u32::try_from(mailbox.size()).unwrap_or(i32::MAX as u32))
            }
            PID_TAG_MESSAGE_SIZE_EXTENDED => Found::u64(mailbox.size()),
            PID_TAG_CONTENT_COUNT => Found::u32(self.content_count()),
            PID_TAG_EXTENDED_RULE_SIZE_LIMIT => Found::i32(EXTENDED_RULE_SIZE_LIMIT),
            PID_TAG_ACCESS if self.is_owner() => Found::i32(ACCESS_OWNER),
            PID_TAG_ACCESS => Found::i32(ACCESS_OTHER),
            PID_TAG_ACCESS_LEVEL => Found::i32(self.is_owner().into()),
            PID_TAG_RECORD_KEY => self.of_store(PID_TAG_STORE_RECORD_KEY)?,
            PID_TAG_ENTRY_ID => self.of_store(PID_TAG_STORE_ENTRY_ID)?,
            PID_TAG_STORE_ENTRY_ID | PID_TAG_STORE_RECORD_KEY | PID_TAG_MAPPING_SIGNATURE => {
                self.of_store(tag)?
            }
            PID_TAG_MAILBOX_OWNER_ENTRY_ID | PID_TAG_MAILBOX_OWNER_NAME
                if public::is_public(mailbox) =>
            {
                return None;
            }
            PID_TAG_OBJECT_TYPE => Found::i32(OBJECT_TYPE_STORE),
            PID_TAG_STORE_STATE => Found::u32(store_state(&self.session.store, mailbox)),
            PID_TAG_USER_ENTRY_ID => {
                Found::binary(ids::address_book_entry_id(&self.session.user.legacy_dn))
            }
            PID_TAG_MAILBOX_OWNER_ENTRY_ID => {
                self.owner(|owner| Found::binary(ids::address_book_entry_id(&owner.legacy_dn)))?
            }
            PID_TAG_MAILBOX_OWNER_NAME => self.owner(|owner| Found::text(&owner.display_name))?,
            PID_TAG_PROHIBIT_RECEIVE_QUOTA => quota(mailbox.quota().prohibit_receive),
            PID_TAG_PROHIBIT_SEND_QUOTA => quota(mailbox.quota().prohibit_send),
            PID_TAG_MAXIMUM_SUBMIT_MESSAGE_SIZE => Found::i32(MAXIMUM_SUBMIT_MESSAGE_SIZE),
            PID_TAG_CODE_PAGE_ID => Found::u32(self.session.code_page_id),
            PID_TAG_SERIALIZED_REPLID_GUID_MAP => Found::binary(self.replid_map()),
            _ => return None,
        })
    }

    /// PidTagSerializedReplidGuidMap (MS-OXCSTOR 2.2.2.1.1.13): a REPLID and a REPLGUID for each
    /// replica that the mailbox knows by number, its own first.
    fn replid_map(&self) -> Vec<u8> {
        (ids::OWN_REPLID..=u16::MAX)
            .map_while(|replid| Some((replid, self.mailbox.replguid_of(replid)?)))
            .flat_map(|(replid, guid)| [&replid.to_le_bytes()[..], &guid.0[..]].concat())
            .collect()
    }
}

impl Properties for LogonProperties<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        // Of a string, the type that is asked for does not matter.
        let kept = match tag.ty() {
            PropType::STRING8 | PropType::UNSPECIFIED => COMPUTED
                .into_iter()
                .find(|known| known.id() == tag.id())
                .unwrap_or(tag),
            _ => tag,
        };
        if !self.is_told(tag) {
            return None;
        }
        self.computed(kept)
            .or_else(|| in_bag(self.bag, tag.id()))
            .or_else(|| {
                // MS-OXCSTOR 2.2.2.1.2.3: the client may give the mailbox another name.
                (tag.id() == PID_TAG_DISPLAY_NAME.id())
                    .then(|| self.owner(|owner| Found::text(&owner.display_name)))?
            })
    }

    fn tags(&self) -> Vec<PropTag> {
        let stored = (0..self.bag.len()).filter_map(|index| self.bag.entry(index));
        let stored = stored.map(|(tag, _)| tag).filter(|tag| !is_computed(*tag));
        let name = self
            .bag
            .get(PID_TAG_DISPLAY_NAME)
            .is_none()
            .then_some(PID_TAG_DISPLAY_NAME);
        let all = COMPUTED.into_iter().chain(name).chain(stored);
        all.filter(|tag| self.is_told(*tag)).collect()
    }
}
