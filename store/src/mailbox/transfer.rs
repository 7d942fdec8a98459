//! Deleting, moving and copying messages, and their read states. None of it rewrites content.

use ropewalk_props::GlobCnt;

use super::{
    Mailbox,
    txn::Txn,
    types::{MessageEntry, Missing, ReadOutcome, Transfer},
};
use crate::StoreError;

/// A message by the folder that it is in and its id.
pub type MessagePlace = (GlobCnt, GlobCnt);

fn in_one(folder: GlobCnt, ids: &[GlobCnt]) -> impl Iterator<Item = MessagePlace> {
    ids.iter().map(move |id| (folder, *id))
}

impl Mailbox {
    /// Deletes messages in one commit, for good or softly; returns the ids that were not there.
    /// Softly deleting a message that is so already counts as not there.
    pub fn delete_messages(
        &self,
        folder: GlobCnt,
        ids: &[GlobCnt],
        hard: bool,
    ) -> Result<Missing, StoreError> {
        let txn = Txn::begin(self)?;
        txn.folder(folder)?;
        delete(txn, in_one(folder, ids), hard)
    }

    /// As [`Mailbox::delete_messages`], of several folders, in one commit. A message of a folder that
    /// is gone is not there.
    pub fn delete_messages_at(
        &self,
        places: &[MessagePlace],
        hard: bool,
    ) -> Result<Missing, StoreError> {
        delete(Txn::begin(self)?, places.iter().copied(), hard)
    }

    /// Moves messages in one commit; each gets a new id and a new change number. A soft-deleted
    /// message is restored by it.
    pub fn move_messages(
        &self,
        from: GlobCnt,
        to: GlobCnt,
        ids: &[GlobCnt],
    ) -> Result<Transfer, StoreError> {
        let txn = Txn::begin(self)?;
        txn.folder(from)?;
        transfer(txn, in_one(from, ids), to, true)
    }

    /// As [`Mailbox::move_messages`], from several folders, in one commit.
    pub fn move_messages_at(
        &self,
        places: &[MessagePlace],
        to: GlobCnt,
    ) -> Result<Transfer, StoreError> {
        transfer(Txn::begin(self)?, places.iter().copied(), to, true)
    }

    /// Copies messages in one commit; their content is shared. [`StoreError::QuotaExceeded`] if it
    /// makes the mailbox larger than it may get.
    pub fn copy_messages(
        &self,
        from: GlobCnt,
        to: GlobCnt,
        ids: &[GlobCnt],
    ) -> Result<Transfer, StoreError> {
        let txn = Txn::begin(self)?;
        txn.folder(from)?;
        transfer(txn, in_one(from, ids), to, false)
    }

    /// As [`Mailbox::copy_messages`], from several folders, in one commit.
    pub fn copy_messages_at(
        &self,
        places: &[MessagePlace],
        to: GlobCnt,
    ) -> Result<Transfer, StoreError> {
        transfer(Txn::begin(self)?, places.iter().copied(), to, false)
    }

    /// Sets the read state of messages in one commit. Each one changed gets a new read change
    /// number; its change number stays (MS-OXCFXICS 3.1.5.3).
    pub fn set_read(
        &self,
        folder: GlobCnt,
        ids: &[GlobCnt],
        read: bool,
    ) -> Result<ReadOutcome, StoreError> {
        let txn = Txn::begin(self)?;
        txn.folder(folder)?;
        set_read(txn, in_one(folder, ids), read)
    }

    /// As [`Mailbox::set_read`], of several folders, in one commit.
    pub fn set_read_at(
        &self,
        places: &[MessagePlace],
        read: bool,
    ) -> Result<ReadOutcome, StoreError> {
        set_read(Txn::begin(self)?, places.iter().copied(), read)
    }
}

/// Looks messages up, folder by folder.
#[derive(Default)]
pub(super) struct Finder {
    /// The folder last asked for, and whether it is there.
    last: Option<(GlobCnt, bool)>,
}

impl Finder {
    /// A message, if it and its folder are there.
    pub(super) fn find(
        &mut self,
        txn: &Txn<'_>,
        (folder, id): MessagePlace,
    ) -> Result<Option<MessageEntry>, StoreError> {
        let is_there = match self.last {
            Some((last, is_there)) if last == folder => is_there,
            _ => match txn.folder(folder) {
                Ok(_) => true,
                Err(StoreError::NotFound) => false,
                Err(error) => return Err(error),
            },
        };
        self.last = Some((folder, is_there));
        if is_there {
            txn.entry(folder, id)
        } else {
            Ok(None)
        }
    }
}

fn delete(
    mut txn: Txn<'_>,
    places: impl Iterator<Item = MessagePlace>,
    hard: bool,
) -> Result<Missing, StoreError> {
    let (mut finder, mut missing) = (Finder::default(), Vec::new());
    let mut deleted = 0;
    for place in places {
        let entry = finder.find(&txn, place)?;
        let Some(entry) = entry.filter(|entry| hard || !entry.soft_deleted) else {
            missing.push(place.1);
            continue;
        };
        txn.delete_message(&entry, hard)?;
        deleted += 1;
    }
    if deleted > 0 {
        txn.commit()?;
    }
    Ok(missing)
}

fn set_read(
    mut txn: Txn<'_>,
    places: impl Iterator<Item = MessagePlace>,
    read: bool,
) -> Result<ReadOutcome, StoreError> {
    let (mut finder, mut outcome) = (Finder::default(), ReadOutcome::default());
    for place in places {
        let Some(entry) = finder.find(&txn, place)? else {
            outcome.missing.push(place.1);
            continue;
        };
        if entry.read == read {
            continue;
        }
        let new = MessageEntry {
            read,
            read_cn: txn.next()?,
            ..entry.clone()
        };
        txn.put_message(Some(&entry), new)?;
        outcome.changed.push(place.1);
    }
    if !outcome.changed.is_empty() {
        txn.commit()?;
    }
    Ok(outcome)
}

fn transfer(
    mut txn: Txn<'_>,
    places: impl Iterator<Item = MessagePlace>,
    to: GlobCnt,
    remove: bool,
) -> Result<Transfer, StoreError> {
    txn.folder(to)?;
    let (mut finder, mut transfer) = (Finder::default(), Transfer::default());
    for place in places {
        let id = place.1;
        let Some(entry) = finder.find(&txn, place)? else {
            transfer.missing.push(id);
            continue;
        };
        let (new_id, cn) = (txn.next()?, txn.next()?);
        let new = MessageEntry {
            id: new_id,
            folder: to,
            cn,
            read_cn: cn,
            soft_deleted: false,
            deleted_on: None,
            // A new object: only this replica has changed it so far.
            versions: None,
            ..entry.clone()
        };
        if remove {
            txn.remove_message(&entry)?;
        }
        txn.put_message(None, new)?;
        transfer.done.push((id, new_id));
    }
    if !transfer.done.is_empty() {
        if !remove {
            txn.check_quota()?;
        }
        txn.commit()?;
    }
    Ok(transfer)
}
