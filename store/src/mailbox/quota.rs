//! How large a mailbox may get (MS-OXCSTOR 2.2.2.1.1).

use ropewalk_props::{Bag, BagView, PropTag, PropValue, tags};

use super::{Mailbox, txn::Txn, types::FolderCounts};
use crate::{Store, StoreError};

/// PidTagStorageQuotaLimit (PR_STORAGE_QUOTA_LIMIT), PtypInteger32.
pub const STORAGE_QUOTA_LIMIT: PropTag = PropTag(0x3FF5_0003);

/// Bytes of a kilobyte.
const KILOBYTE: u64 = 1024;

/// How large a mailbox may get, in kilobytes of 1024 bytes; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// From when on its user is warned (PidTagStorageQuotaLimit).
    pub warning: Option<u32>,
    /// Beyond this nothing may be sent from it (PidTagProhibitSendQuota).
    pub prohibit_send: Option<u32>,
    /// Beyond this nothing comes into it (PidTagProhibitReceiveQuota).
    pub prohibit_receive: Option<u32>,
}

impl Quota {
    /// What a mailbox's bag says. A value of -1 is no limit (MS-OXCSTOR 2.2.2.1.1.3).
    fn of(bag: &Bag) -> Self {
        let limit = |tag| bag.get_i32(tag).and_then(|limit| u32::try_from(limit).ok());
        Self {
            warning: limit(STORAGE_QUOTA_LIMIT),
            prohibit_send: limit(tags::PID_TAG_PROHIBIT_SEND_QUOTA),
            prohibit_receive: limit(tags::PID_TAG_PROHIBIT_RECEIVE_QUOTA),
        }
    }

    fn limits(self) -> [(PropTag, Option<u32>); 3] {
        [
            (STORAGE_QUOTA_LIMIT, self.warning),
            (tags::PID_TAG_PROHIBIT_SEND_QUOTA, self.prohibit_send),
            (tags::PID_TAG_PROHIBIT_RECEIVE_QUOTA, self.prohibit_receive),
        ]
    }
}

impl FolderCounts {
    /// Bytes of all messages that are not soft-deleted.
    pub(crate) fn bytes(&self) -> u64 {
        self.size.saturating_add(self.associated_size)
    }
}

impl Mailbox {
    /// Bytes of all messages that are not soft-deleted (PidTagMessageSizeExtended); kept up to date,
    /// not counted anew.
    pub fn size(&self) -> u64 {
        self.state.read().size
    }

    /// How large it may get.
    pub fn quota(&self) -> Quota {
        Quota::of(&self.state.read().props)
    }

    /// Changes how large it may get, in one commit. [`StoreError::Invalid`] beyond 2^31 - 1
    /// kilobytes, or if a limit for sending is above that for receiving.
    pub fn set_quota(&self, quota: Quota) -> Result<(), StoreError> {
        if let (Some(send), Some(receive)) = (quota.prohibit_send, quota.prohibit_receive)
            && send > receive
        {
            return Err(StoreError::Invalid(
                "what prohibits sending cannot be more than what prohibits receiving",
            ));
        }
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (tag, limit) in quota.limits() {
            match limit.map(i32::try_from) {
                Some(Ok(limit)) => set.push((tag, PropValue::Integer32(limit))),
                Some(Err(_)) => {
                    return Err(StoreError::Invalid("a quota is at most 2147483647 KB"));
                }
                None => remove.push(tag.id()),
            }
        }
        self.update_store_props(&set, &remove)
    }

    /// [`StoreError::QuotaExceeded`] if it is too large for anything to be sent from it.
    pub fn check_send(&self) -> Result<(), StoreError> {
        let state = self.state.read();
        let quota = Quota::of(&state.props);
        let limits = [quota.prohibit_send, quota.prohibit_receive];
        let mut limits = limits.into_iter().flatten().map(bytes);
        if limits.any(|limit| state.size > limit) {
            return Err(StoreError::QuotaExceeded);
        }
        Ok(())
    }
}

impl Mailbox {
    /// [`StoreError::QuotaExceeded`] if so many bytes more make it larger than it may get.
    pub(super) fn check_room_for(&self, more: u64) -> Result<(), StoreError> {
        let state = self.state.read();
        match Quota::of(&state.props).prohibit_receive {
            Some(limit) if more > 0 && state.size.saturating_add(more) > bytes(limit) => {
                Err(StoreError::QuotaExceeded)
            }
            _ => Ok(()),
        }
    }
}

fn bytes(kilobytes: u32) -> u64 {
    u64::from(kilobytes) * KILOBYTE
}

impl Txn<'_> {
    /// [`StoreError::QuotaExceeded`] if this commit makes the mailbox larger than it may get. What
    /// makes it no larger may always be done.
    pub fn check_quota(&self) -> Result<(), StoreError> {
        let state = self.mailbox.state.read();
        let Some(limit) = Quota::of(&state.props).prohibit_receive else {
            return Ok(());
        };
        let (mut gone, mut come) = (0_u64, 0_u64);
        for (id, new) in self.changed_folders() {
            let old = state.folders.get(&id);
            gone = gone.saturating_add(old.map_or(0, |old| old.meta.counts.bytes()));
            come = come.saturating_add(new.map_or(0, |new| new.meta.counts.bytes()));
        }
        let after = state.size.saturating_add(come).saturating_sub(gone);
        if after > state.size && after > bytes(limit) {
            return Err(StoreError::QuotaExceeded);
        }
        Ok(())
    }
}

impl Store {
    /// Changes how large a user's mailbox may get; see [`Mailbox::set_quota`].
    /// [`StoreError::NotFound`] without the user.
    pub fn set_quota(&self, email: &str, quota: Quota) -> Result<(), StoreError> {
        let user = self.user_by_email(email).ok_or(StoreError::NotFound)?;
        self.mailbox(user.mailbox_guid)?.set_quota(quota)
    }
}
