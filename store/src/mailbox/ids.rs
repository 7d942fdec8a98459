//! Counter values, REPLIDs and the properties of the mailbox itself.

use std::{collections::BTreeMap, sync::Arc};

use ropewalk_props::{Bag, GlobCnt, Guid, PropTag, PropValue};

use super::{Mailbox, folders::changed_bag, txn::Txn};
use crate::StoreError;

/// The REPLID of the mailbox's own replica.
pub const OWN_REPLID: u16 = 1;
/// More values than this are not given away at once.
const MAX_RESERVED: u32 = 1 << 24;
/// Ids of names and replicas that are left out after commits were lost.
const LOST_IDS: u16 = 1024;

impl Mailbox {
    /// The properties of the mailbox itself.
    pub fn store_props(&self) -> Arc<Bag> {
        self.state.read().props.clone()
    }

    /// Sets and removes properties of the mailbox itself, in one commit.
    pub fn update_store_props(
        &self,
        set: &[(PropTag, PropValue)],
        remove: &[u16],
    ) -> Result<(), StoreError> {
        let mut txn = Txn::begin(self)?;
        let bag = changed_bag(&self.store_props(), set, remove);
        txn.put_props(bag)?;
        txn.commit().map(|_| ())
    }

    /// Takes `count` (at least one) counter values that the store will never use itself; returns the
    /// first. Durable when it returns. [`StoreError::TooMany`] beyond 2^24 at once.
    pub fn reserve_ids(&self, count: u32) -> Result<GlobCnt, StoreError> {
        if count > MAX_RESERVED {
            return Err(StoreError::TooMany);
        }
        let mut txn = Txn::begin(self)?;
        let first = txn.take(u64::from(count.max(1)))?;
        txn.commit()?;
        Ok(first)
    }

    /// The REPLID of a replica GUID (MS-OXCSTOR 2.2.1.9); an unknown one is registered if `create`.
    /// [`StoreError::ReplidsExhausted`] if all are taken.
    pub fn replid_of(&self, guid: Guid, create: bool) -> Result<Option<u16>, StoreError> {
        if let Some(known) = self.known_replid(guid) {
            return Ok(Some(known));
        }
        if !create {
            return Ok(None);
        }
        let mut txn = Txn::begin(self)?;
        if let Some(known) = self.known_replid(guid) {
            return Ok(Some(known));
        }
        let id = self.next_id(OWN_REPLID, &self.state.read().replids);
        let id = id.ok_or(StoreError::ReplidsExhausted)?;
        txn.put_replid(id, guid);
        txn.commit()?;
        Ok(Some(id))
    }

    /// The replica GUID of a REPLID.
    pub fn replguid_of(&self, replid: u16) -> Option<Guid> {
        self.state.read().replids.get(&replid).copied()
    }

    /// The id after the last one that is taken; `first` is the first one of all. If commits were lost
    /// to damage, ids that clients remember may have been with them: some are left out, once.
    pub(super) fn next_id<T>(&self, first: u16, taken: &BTreeMap<u16, T>) -> Option<u16> {
        let last = taken.keys().next_back().copied();
        let next = last.map_or(Some(first), |last| last.checked_add(1))?;
        let free = usize::from(next.saturating_sub(first)).saturating_sub(taken.len());
        if self.core.recount && free < usize::from(LOST_IDS) {
            return next.checked_add(LOST_IDS);
        }
        Some(next)
    }

    fn known_replid(&self, guid: Guid) -> Option<u16> {
        if guid == self.repl_guid {
            return Some(OWN_REPLID);
        }
        let state = self.state.read();
        let mut known = state.replids.iter();
        known.find(|(_, known)| **known == guid).map(|(id, _)| *id)
    }
}
