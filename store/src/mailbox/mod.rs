//! One mailbox: folders, messages, identifiers and names.

mod types;

use std::sync::Arc;

use ropewalk_props::{Bag, GlobCnt, Guid, PropTag, PropValue, PropertyName};

pub use types::{
    Contents, ContentsView, DeleteFolder, Folder, FolderCounts, FolderKind, MessageEntry, Missing,
    NewFolder, ReadOutcome, ReceiveFolder, SaveMessage, Transfer,
};

use crate::{StoreError, StoredMessage};

/// One user's mailbox. Reads work on snapshots; writes come one at a time, each one commit.
#[derive(Debug)]
pub struct Mailbox {
    guid: Guid,
    repl_guid: Guid,
}

impl Mailbox {
    /// The mailbox's GUID.
    pub fn guid(&self) -> Guid {
        self.guid
    }

    /// The GUID of the mailbox's own replica, REPLID 1.
    pub fn repl_guid(&self) -> Guid {
        self.repl_guid
    }

    /// The e-mail address of the user whose mailbox this is.
    pub fn owner_email(&self) -> String {
        String::new()
    }

    /// The properties of the mailbox itself.
    pub fn store_props(&self) -> Arc<Bag> {
        Arc::default()
    }

    /// Sets and removes properties of the mailbox itself, in one commit.
    pub fn update_store_props(
        &self,
        _set: &[(PropTag, PropValue)],
        _remove: &[u16],
    ) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Takes `count` counter values that the store will never use; returns the first.
    pub fn reserve_ids(&self, _count: u32) -> Result<GlobCnt, StoreError> {
        Err(StoreError::Closed)
    }

    /// The REPLID of a replica GUID, registered if `create`.
    pub fn replid_of(&self, _guid: Guid, _create: bool) -> Result<Option<u16>, StoreError> {
        Err(StoreError::Closed)
    }

    /// The replica GUID of a REPLID.
    pub fn replguid_of(&self, _replid: u16) -> Option<Guid> {
        None
    }

    /// The ids of named properties, in the order asked, registered if `create`.
    pub fn named_ids(
        &self,
        _names: &[PropertyName],
        _create: bool,
    ) -> Result<Vec<Option<u16>>, StoreError> {
        Err(StoreError::Closed)
    }

    /// The name of a named property.
    pub fn named_property(&self, _id: u16) -> Option<PropertyName> {
        None
    }

    /// All named properties, by ascending id.
    pub fn all_named(&self) -> Vec<(u16, PropertyName)> {
        Vec::new()
    }

    /// The receive folder of each message class.
    pub fn receive_folders(&self) -> Vec<ReceiveFolder> {
        Vec::new()
    }

    /// A folder.
    pub fn folder(&self, _id: GlobCnt) -> Option<Folder> {
        None
    }

    /// The direct subfolders, by name without regard to case, then by id.
    pub fn child_folders(&self, _parent: GlobCnt) -> Vec<Folder> {
        Vec::new()
    }

    /// Creates a folder.
    pub fn create_folder(&self, _new: NewFolder) -> Result<Folder, StoreError> {
        Err(StoreError::Closed)
    }

    /// Sets and removes properties of a folder, in one commit.
    pub fn update_folder(
        &self,
        _id: GlobCnt,
        _set: &[(PropTag, PropValue)],
        _remove: &[u16],
    ) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Deletes a folder; `false`, and nothing deleted, if it holds what `how` does not cover.
    pub fn delete_folder(&self, _id: GlobCnt, _how: DeleteFolder) -> Result<bool, StoreError> {
        Err(StoreError::Closed)
    }

    /// A folder's messages.
    pub fn contents(&self, _folder: GlobCnt, _view: ContentsView) -> Result<Contents, StoreError> {
        Err(StoreError::Closed)
    }

    /// One message of a folder, whatever view it is in.
    pub fn entry(
        &self,
        _folder: GlobCnt,
        _id: GlobCnt,
    ) -> Result<Option<MessageEntry>, StoreError> {
        Err(StoreError::Closed)
    }

    /// A message's content. [`StoreError::Damaged`] if its checksum does not match.
    pub fn read_message(&self, _entry: &MessageEntry) -> Result<StoredMessage, StoreError> {
        Err(StoreError::Closed)
    }

    /// Saves a new message or the new content of an existing one.
    pub fn save_message(&self, _save: SaveMessage) -> Result<MessageEntry, StoreError> {
        Err(StoreError::Closed)
    }

    /// Saves several messages in one commit: all or none.
    pub fn save_messages(&self, _saves: Vec<SaveMessage>) -> Result<Vec<MessageEntry>, StoreError> {
        Err(StoreError::Closed)
    }

    /// Deletes messages, for good or softly; returns the ids that were not there.
    pub fn delete_messages(
        &self,
        _folder: GlobCnt,
        _ids: &[GlobCnt],
        _hard: bool,
    ) -> Result<Missing, StoreError> {
        Err(StoreError::Closed)
    }

    /// Moves messages; each gets a new id and a new change number.
    pub fn move_messages(
        &self,
        _from: GlobCnt,
        _to: GlobCnt,
        _ids: &[GlobCnt],
    ) -> Result<Transfer, StoreError> {
        Err(StoreError::Closed)
    }

    /// Copies messages; their content is shared.
    pub fn copy_messages(
        &self,
        _from: GlobCnt,
        _to: GlobCnt,
        _ids: &[GlobCnt],
    ) -> Result<Transfer, StoreError> {
        Err(StoreError::Closed)
    }

    /// Sets the read state of messages, in one commit.
    pub fn set_read(
        &self,
        _folder: GlobCnt,
        _ids: &[GlobCnt],
        _read: bool,
    ) -> Result<ReadOutcome, StoreError> {
        Err(StoreError::Closed)
    }
}
