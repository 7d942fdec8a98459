//! Folders.

use ropewalk_props::{Bag, BagView, GlobCnt, PropTag, PropValue, tags};

use super::{
    Mailbox,
    state::{FolderState, folded_name},
    txn::Txn,
    types::{DeleteFolder, Folder, FolderCounts, FolderKind, NewFolder, ReceiveFolder},
};
use crate::{StoreError, records::FolderMeta, versions};

/// Folders may nest this deep.
const MAX_DEPTH: usize = 300;
/// Folders in one mailbox.
const MAX_FOLDERS: usize = 100_000;

/// A copy of `bag` with properties set and then removed.
pub fn changed_bag(bag: &Bag, set: &[(PropTag, PropValue)], remove: &[u16]) -> Bag {
    let mut bag = bag.clone();
    for (tag, value) in set {
        bag.set(*tag, value);
    }
    for id in remove {
        bag.remove(*id);
    }
    bag
}

impl Mailbox {
    /// A folder.
    pub fn folder(&self, id: GlobCnt) -> Option<Folder> {
        let state = self.state.read();
        Some(state.folders.get(&id)?.snapshot(self.repl_guid))
    }

    /// The direct subfolders, by name without regard to case, then by id.
    pub fn child_folders(&self, parent: GlobCnt) -> Vec<Folder> {
        let state = self.state.read();
        let children = state.children.get(&parent).into_iter().flatten();
        children
            .filter_map(|(_, id)| Some(state.folders.get(id)?.snapshot(self.repl_guid)))
            .collect()
    }

    /// The receive folder of each message class, by class.
    pub fn receive_folders(&self) -> Vec<ReceiveFolder> {
        let state = self.state.read();
        let all = state.receive.values();
        all.filter(|entry| state.folders.contains_key(&entry.folder))
            .cloned()
            .collect()
    }

    /// Creates a folder. [`StoreError::NotFound`] without the parent, [`StoreError::DuplicateName`]
    /// if a subfolder of it has the name, whatever the case, [`StoreError::Invalid`] without a name,
    /// [`StoreError::TooDeep`] below 300 levels, [`StoreError::TooMany`] beyond 100,000 folders.
    pub fn create_folder(&self, new: NewFolder) -> Result<Folder, StoreError> {
        if new.kind == FolderKind::Root {
            return Err(StoreError::Invalid("a mailbox has one root"));
        }
        let mut txn = Txn::begin(self)?;
        self.check_place(new.parent)?;
        self.check_name(new.parent, None, &new.props)?;
        let (id, cn) = (txn.next()?, txn.next()?);
        let (props, at) = txn.add_bag(new.props)?;
        let now = txn.now;
        let folder = FolderState::new(
            FolderMeta {
                id,
                parent: new.parent,
                kind: new.kind,
                cn,
                versions: None,
                created: now,
                modified: now,
                counts: FolderCounts::default(),
                local_commit_time: now,
                local_commit_time_max: now,
                hierarchy_change: 0,
                version: 1,
                props: at,
            },
            props,
        );
        let created = folder.snapshot(self.repl_guid);
        txn.put_folder(folder);
        txn.change_folder(new.parent, |parent| {
            parent.meta.counts.child_folders += 1;
            parent.meta.hierarchy_change += 1;
        })?;
        txn.commit()?;
        Ok(created)
    }

    /// Sets and removes properties of a folder, in one commit; the folder gets a new change number.
    /// [`StoreError::DuplicateName`] if another subfolder of its parent has the new name.
    pub fn update_folder(
        &self,
        id: GlobCnt,
        set: &[(PropTag, PropValue)],
        remove: &[u16],
    ) -> Result<(), StoreError> {
        let mut txn = Txn::begin(self)?;
        let old = txn.folder(id)?;
        let bag = changed_bag(&old.props, set, remove);
        if folded_name(&bag) != old.name {
            self.check_name(old.meta.parent, Some(id), &bag)?;
        }
        let (props, at) = txn.add_bag(bag)?;
        let (cn, now, replica) = (txn.next()?, txn.now, self.repl_guid);
        txn.change_folder(id, |folder| {
            folder.name = folded_name(&props);
            folder.props = props;
            let meta = &mut folder.meta;
            meta.props = at;
            meta.versions = versions::changed(replica, cn, meta.versions.as_deref());
            meta.cn = cn;
            meta.modified = now;
            meta.local_commit_time = now;
        })?;
        if old.meta.parent != id {
            txn.change_folder(old.meta.parent, |_| {})?;
        }
        txn.commit().map(|_| ())
    }

    /// Deletes a folder for good; `false`, and nothing deleted, if it holds messages or subfolders
    /// that `how` does not cover. [`StoreError::Invalid`] for the root.
    pub fn delete_folder(&self, id: GlobCnt, how: DeleteFolder) -> Result<bool, StoreError> {
        let mut txn = Txn::begin(self)?;
        let folder = txn.folder(id)?;
        let parent = folder.meta.parent;
        if parent == id {
            return Err(StoreError::Invalid("the root cannot be deleted"));
        }
        let doomed = self.subtree(id);
        let counts = folder.meta.counts;
        let has_messages = counts.content > 0 || counts.associated > 0;
        if (has_messages && !how.messages) || (doomed.len() > 1 && !how.folders) {
            return Ok(false);
        }
        for id in doomed {
            txn.remove_folder(id);
        }
        txn.change_folder(parent, |parent| {
            let count = &mut parent.meta.counts.child_folders;
            *count = count.saturating_sub(1);
            parent.meta.hierarchy_change += 1;
        })?;
        txn.commit()?;
        Ok(true)
    }

    /// A folder and all below it.
    fn subtree(&self, id: GlobCnt) -> Vec<GlobCnt> {
        let state = self.state.read();
        let mut found = vec![id];
        let mut next = 0;
        while let Some(id) = found.get(next) {
            let children = state.children.get(id).into_iter().flatten();
            found.extend(children.map(|(_, child)| *child));
            next += 1;
        }
        found
    }

    fn check_place(&self, parent: GlobCnt) -> Result<(), StoreError> {
        let state = self.state.read();
        if state.folders.len() >= MAX_FOLDERS {
            return Err(StoreError::TooMany);
        }
        let mut at = parent;
        for _ in 0..MAX_DEPTH {
            let folder = state.folders.get(&at).ok_or(StoreError::NotFound)?;
            if folder.meta.parent == at {
                return Ok(());
            }
            at = folder.meta.parent;
        }
        Err(StoreError::TooDeep)
    }

    fn check_name(
        &self,
        parent: GlobCnt,
        own: Option<GlobCnt>,
        props: &Bag,
    ) -> Result<(), StoreError> {
        if props.get(tags::PID_TAG_DISPLAY_NAME).is_none() {
            return Err(StoreError::Invalid("a folder needs a name"));
        }
        let name = folded_name(props);
        match self.state.read().child_named(parent, &name) {
            Some(other) if Some(other) != own => Err(StoreError::DuplicateName(other)),
            _ => Ok(()),
        }
    }
}
