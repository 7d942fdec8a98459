//! Deleting, moving and copying messages, and their read states. None of it rewrites content.

use ropewalk_props::GlobCnt;

use super::{
    Mailbox,
    txn::Txn,
    types::{MessageEntry, Missing, ReadOutcome, Transfer},
};
use crate::StoreError;

impl Mailbox {
    /// Deletes messages in one commit, for good or softly; returns the ids that were not there.
    /// Softly deleting a message that is so already counts as not there.
    pub fn delete_messages(
        &self,
        folder: GlobCnt,
        ids: &[GlobCnt],
        hard: bool,
    ) -> Result<Missing, StoreError> {
        let mut txn = Txn::begin(self)?;
        txn.folder(folder)?;
        let mut missing = Vec::new();
        let mut deleted = 0;
        for id in ids {
            let entry = txn.entry(folder, *id)?;
            let Some(entry) = entry.filter(|entry| hard || !entry.soft_deleted) else {
                missing.push(*id);
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

    /// Moves messages in one commit; each gets a new id and a new change number. A soft-deleted
    /// message is restored by it.
    pub fn move_messages(
        &self,
        from: GlobCnt,
        to: GlobCnt,
        ids: &[GlobCnt],
    ) -> Result<Transfer, StoreError> {
        self.transfer(from, to, ids, true)
    }

    /// Copies messages in one commit; their content is shared. [`StoreError::QuotaExceeded`] if it
    /// makes the mailbox larger than it may get.
    pub fn copy_messages(
        &self,
        from: GlobCnt,
        to: GlobCnt,
        ids: &[GlobCnt],
    ) -> Result<Transfer, StoreError> {
        self.transfer(from, to, ids, false)
    }

    /// Sets the read state of messages in one commit. Each one changed gets a new read change
    /// number; its change number stays (MS-OXCFXICS 3.1.5.3).
    pub fn set_read(
        &self,
        folder: GlobCnt,
        ids: &[GlobCnt],
        read: bool,
    ) -> Result<ReadOutcome, StoreError> {
        let mut txn = Txn::begin(self)?;
        txn.folder(folder)?;
        let mut outcome = ReadOutcome::default();
        for id in ids {
            let Some(entry) = txn.entry(folder, *id)? else {
                outcome.missing.push(*id);
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
            outcome.changed.push(*id);
        }
        if !outcome.changed.is_empty() {
            txn.commit()?;
        }
        Ok(outcome)
    }

    fn transfer(
        &self,
        from: GlobCnt,
        to: GlobCnt,
        ids: &[GlobCnt],
        remove: bool,
    ) -> Result<Transfer, StoreError> {
        let mut txn = Txn::begin(self)?;
        txn.folder(from)?;
        txn.folder(to)?;
        let mut transfer = Transfer::default();
        for id in ids {
            let Some(entry) = txn.entry(from, *id)? else {
                transfer.missing.push(*id);
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
            transfer.done.push((*id, new_id));
        }
        if !transfer.done.is_empty() {
            if !remove {
                txn.check_quota()?;
            }
            txn.commit()?;
        }
        Ok(transfer)
    }
}
