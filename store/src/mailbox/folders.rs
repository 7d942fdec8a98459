//! Folders.

use ropewalk_props::{Bag, BagView, GlobCnt, PropTag, PropValue, tags};

use super::{
    Mailbox,
    state::{FolderState, folded_name},
    txn::Txn,
    types::{
        DeleteFolder, EmptyFolder, Folder, FolderCounts, FolderKind, MessageEntry, NewFolder,
        ReceiveFolder,
    },
};
use crate::{StoreError, records::FolderMeta, versions};

/// Folders may nest this deep.
const MAX_DEPTH: usize = 300;
/// Folders in one mailbox.
const MAX_FOLDERS: usize = 100_000;
/// Bytes of UTF-16 in a folder's name: 255 units.
const MAX_NAME: usize = 510;

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
    /// A folder, soft-deleted or not.
    pub fn folder(&self, id: GlobCnt) -> Option<Folder> {
        let state = self.state.read();
        Some(state.folders.get(&id)?.snapshot(self.repl_guid))
    }

    /// Whether there is a folder with this id that is not soft-deleted.
    pub fn has_folder(&self, id: GlobCnt) -> bool {
        self.is_folder_deleted(id) == Some(false)
    }

    /// Whether a folder is soft-deleted; `None` without the folder.
    pub fn is_folder_deleted(&self, id: GlobCnt) -> Option<bool> {
        Some(self.state.read().folders.get(&id)?.deleted)
    }

    /// The direct subfolders, by name without regard to case, then by id.
    pub fn child_folders(&self, parent: GlobCnt) -> Vec<Folder> {
        let state = self.state.read();
        let children = state.children.get(&parent).into_iter().flatten();
        children
            .filter_map(|(_, id)| Some(state.folders.get(id)?.snapshot(self.repl_guid)))
            .collect()
    }

    /// The ids of the subfolders, with their depth below `parent` (1 for direct ones), each before
    /// its own subfolders; siblings as [`Mailbox::child_folders`] has them. Only the direct ones
    /// unless `deep`. The soft-deleted ones if `deleted`, else the others.
    pub fn hierarchy(&self, parent: GlobCnt, deep: bool, deleted: bool) -> Vec<(GlobCnt, u32)> {
        let state = self.state.read();
        let by_parent = if deleted {
            &state.deleted_children
        } else {
            &state.children
        };
        let children = |id| by_parent.get(&id).into_iter().flatten();
        let mut found = Vec::new();
        // Folders whose subfolders are still to come, the next one last.
        let mut waiting: Vec<(GlobCnt, u32)> =
            children(parent).rev().map(|(_, id)| (*id, 1)).collect();
        while let Some((id, depth)) = waiting.pop() {
            found.push((id, depth));
            if deep {
                waiting.extend(children(id).rev().map(|(_, id)| (*id, depth + 1)));
            }
        }
        found
    }

    /// A number that rises with every change of any folder: its properties, its place, its counts.
    pub fn folders_version(&self) -> u64 {
        self.state.read().folders_version
    }

    /// The receive folder of each message class, by class.
    pub fn receive_folders(&self) -> Vec<ReceiveFolder> {
        let state = self.state.read();
        let all = state.receive.values();
        let is_there = |id| state.folders.get(id).is_some_and(|folder| !folder.deleted);
        all.filter(|entry| is_there(&entry.folder))
            .cloned()
            .collect()
    }

    /// Gives a message class a receive folder, or takes it away, in one commit. Classes are the same
    /// without regard to ASCII case. [`StoreError::NotFound`] without the folder,
    /// [`StoreError::TooLarge`] for a class of more than 255 bytes.
    pub fn set_receive_folder(
        &self,
        class: &str,
        folder: Option<GlobCnt>,
    ) -> Result<(), StoreError> {
        const MAX_CLASS: usize = 255;
        if class.len() > MAX_CLASS {
            return Err(StoreError::TooLarge);
        }
        let mut txn = Txn::begin(self)?;
        let known = {
            let state = self.state.read();
            let mut classes = state.receive.keys();
            classes
                .find(|known| known.eq_ignore_ascii_case(class))
                .cloned()
        };
        match folder {
            Some(folder) => {
                txn.folder(folder)?;
                if let Some(known) = known.filter(|known| known != class) {
                    txn.remove_receive_folder(known);
                }
                let (message_class, modified) = (class.to_owned(), txn.now);
                txn.put_receive_folder(ReceiveFolder {
                    message_class,
                    folder,
                    modified,
                });
            }
            None => match known {
                Some(known) => txn.remove_receive_folder(known),
                None => return Ok(()),
            },
        }
        txn.commit().map(|_| ())
    }

    /// Creates a folder. [`StoreError::NotFound`] without the parent, [`StoreError::DuplicateName`]
    /// if a subfolder of it has the name, whatever the case, [`StoreError::Invalid`] without a name,
    /// [`StoreError::TooLarge`] for a name of more than 255 UTF-16 units, [`StoreError::TooDeep`]
    /// below 300 levels, [`StoreError::TooMany`] beyond 100,000 folders.
    pub fn create_folder(&self, new: NewFolder) -> Result<Folder, StoreError> {
        if new.kind == FolderKind::Root {
            return Err(StoreError::Invalid("a mailbox has one root"));
        }
        let mut txn = Txn::begin(self)?;
        self.check_place(new.parent)?;
        self.check_name(new.parent, None, &new.props)?;
        let mut props = new.props;
        props.remove(tags::PID_TAG_DELETED_ON.id()); // It says that a folder is soft-deleted.
        let (id, cn) = (txn.next()?, txn.next()?);
        let (props, at) = txn.add_bag(props)?;
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
    /// [`StoreError::DuplicateName`] if another subfolder of its parent has the new name; bounds as
    /// for [`Mailbox::create_folder`].
    pub fn update_folder(
        &self,
        id: GlobCnt,
        set: &[(PropTag, PropValue)],
        remove: &[u16],
    ) -> Result<(), StoreError> {
        let mut txn = Txn::begin(self)?;
        let old = txn.folder(id)?;
        let mut bag = changed_bag(&old.props, set, remove);
        bag.remove(tags::PID_TAG_DELETED_ON.id()); // It says that a folder is soft-deleted.
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

    /// Deletes a folder; `false`, and nothing deleted, if it holds messages or subfolders
    /// that `how` does not cover. [`StoreError::Invalid`] for the root.
    pub fn delete_folder(&self, id: GlobCnt, how: DeleteFolder) -> Result<bool, StoreError> {
        let mut txn = Txn::begin(self)?;
        let folder = txn.folder(id)?;
        let parent = folder.meta.parent;
        if parent == id {
            return Err(StoreError::Invalid("the root cannot be deleted"));
        }
        let doomed = self.subtree(id, false);
        let counts = folder.meta.counts;
        let has_messages = counts.content > 0 || counts.associated > 0;
        if (has_messages && !how.messages) || (doomed.len() > 1 && !how.folders) {
            return Ok(false);
        }
        self.doom(&mut txn, id, doomed, how.hard)?;
        txn.change_folder(parent, |parent| {
            let count = &mut parent.meta.counts.child_folders;
            *count = count.saturating_sub(1);
            parent.meta.hierarchy_change += 1;
        })?;
        txn.commit()?;
        Ok(true)
    }

    /// Deletes a folder's messages and subfolders in one commit; the folder stays. Subfolders that
    /// `keep` names stay as well, with those above them; `false` if there were such.
    pub fn empty_folder(
        &self,
        id: GlobCnt,
        how: EmptyFolder,
        keep: &dyn Fn(GlobCnt) -> bool,
    ) -> Result<bool, StoreError> {
        let mut txn = Txn::begin(self)?;
        txn.folder(id)?;
        let mut changed = false;
        for entry in txn.entries(id)? {
            if entry.associated && !how.associated || entry.soft_deleted && !how.hard {
                continue;
            }
            changed = true;
            if !entry.soft_deleted {
                txn.change_folder(id, |folder| folder.meta.counts.deleted_total += 1)?;
            }
            if how.hard {
                txn.remove_message(&entry)?;
            } else {
                let soft_deleted = true;
                let new = MessageEntry {
                    soft_deleted,
                    ..entry.clone()
                };
                txn.put_message(Some(&entry), new)?;
            }
        }
        let children = self.hierarchy(id, false, false);
        let mut complete = true;
        if how.hard {
            for (child, _) in self.hierarchy(id, false, true) {
                changed = true;
                self.doom(&mut txn, child, Vec::new(), true)?;
            }
        }
        for (child, _) in children {
            let doomed = self.subtree(child, false);
            if doomed.iter().any(|id| keep(*id)) {
                complete = false;
                continue;
            }
            changed = true;
            self.doom(&mut txn, child, doomed, how.hard)?;
            txn.change_folder(id, |folder| {
                let count = &mut folder.meta.counts.child_folders;
                *count = count.saturating_sub(1);
                folder.meta.hierarchy_change += 1;
            })?;
        }
        if changed {
            txn.commit()?;
        }
        Ok(complete)
    }

    /// Deletes a folder with all below it: `live`, which is known already, softly, or everything
    /// for good.
    fn doom(
        &self,
        txn: &mut Txn<'_>,
        id: GlobCnt,
        live: Vec<GlobCnt>,
        hard: bool,
    ) -> Result<(), StoreError> {
        if hard {
            let all = self.subtree(id, true);
            all.into_iter().for_each(|id| txn.remove_folder(id));
            return Ok(());
        }
        live.into_iter()
            .try_for_each(|id| txn.soft_delete_folder(id))
    }

    /// A folder and all below it, the soft-deleted ones only if `deleted`.
    fn subtree(&self, id: GlobCnt, deleted: bool) -> Vec<GlobCnt> {
        let state = self.state.read();
        let mut found = vec![id];
        let mut next = 0;
        while let Some(id) = found.get(next) {
            let live = state.children.get(id).into_iter().flatten();
            let gone = state.deleted_children.get(id).filter(|_| deleted);
            let children = live.chain(gone.into_iter().flatten());
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
            let folder = state.folders.get(&at).filter(|folder| !folder.deleted);
            let folder = folder.ok_or(StoreError::NotFound)?;
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
        match props.get(tags::PID_TAG_DISPLAY_NAME) {
            Some(name) if name.data.len() > MAX_NAME => return Err(StoreError::TooLarge),
            Some(name) if !name.data.is_empty() => {}
            _ => return Err(StoreError::Invalid("a folder needs a name")),
        }
        if own == Some(parent) {
            return Ok(()); // The root has no siblings.
        }
        let name = folded_name(props);
        match self.state.read().child_named(parent, &name) {
            Some(other) if Some(other) != own => Err(StoreError::DuplicateName(other)),
            _ => Ok(()),
        }
    }
}
