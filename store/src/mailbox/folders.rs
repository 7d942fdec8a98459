//! Folders.

use std::{collections::BTreeSet, sync::Arc};

use ropewalk_props::{Bag, BagView, GlobCnt, PropTag, PropValue, tags};

use super::{
    Mailbox,
    state::{FolderState, folded_name},
    txn::Txn,
    types::{Folder, FolderCounts, FolderEdit, FolderKind, NewFolder, ReceiveFolder},
};
use crate::{StoreError, records::FolderMeta, versions};

/// Folders may nest this deep.
pub(super) const MAX_DEPTH: usize = 300;
/// Folders in one mailbox, those that are soft-deleted not counted, of which there may be as many.
pub(super) const MAX_FOLDERS: usize = 100_000;
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

    /// The properties of a folder, and whether it is soft-deleted.
    pub fn folder_props(&self, id: GlobCnt) -> Option<(Arc<Bag>, bool)> {
        let state = self.state.read();
        let folder = state.folders.get(&id)?;
        Some((Arc::clone(&folder.props), folder.deleted))
    }

    /// Whether any folder that is not soft-deleted has properties like this.
    pub fn any_folder(&self, is_one: impl Fn(GlobCnt, &Bag) -> bool) -> bool {
        let state = self.state.read();
        let mut live = state.folders.iter().filter(|(_, folder)| !folder.deleted);
        live.any(|(id, folder)| is_one(*id, &folder.props))
    }

    /// What kind of folder it is, soft-deleted or not.
    pub fn folder_kind(&self, id: GlobCnt) -> Option<FolderKind> {
        Some(self.state.read().folders.get(&id)?.meta.kind)
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
    /// unless `deep`. The soft-deleted ones if `deleted`, those below others too, else the others.
    pub fn hierarchy(&self, parent: GlobCnt, deep: bool, deleted: bool) -> Vec<(GlobCnt, u32)> {
        let state = self.state.read();
        let mut found = Vec::new();
        // Folders that are still to come, the next one last.
        let mut waiting: Vec<(&(String, GlobCnt), u32)> = Vec::new();
        let (mut at, mut depth) = (parent, 0);
        loop {
            if depth == 0 || deep {
                let live = state.children.get(&at).filter(|_| deep || !deleted);
                let gone = state.deleted_children.get(&at).filter(|_| deleted);
                let children = live.into_iter().chain(gone).flatten();
                let first = waiting.len();
                waiting.extend(children.map(|child| (child, depth + 1)));
                if let Some(children) = waiting.get_mut(first..) {
                    children.sort_unstable_by(|a, b| b.cmp(a));
                }
            }
            let Some(((_, id), below)) = waiting.pop() else {
                return found;
            };
            (at, depth) = (*id, below);
            let folder = state.folders.get(&at);
            if folder.is_some_and(|folder| folder.deleted == deleted) {
                found.push((at, depth));
            }
        }
    }

    /// The number of a folder's direct subfolders that are soft-deleted.
    pub fn soft_deleted_folders(&self, parent: GlobCnt) -> u32 {
        let state = self.state.read();
        let count = state.deleted_children.get(&parent).map_or(0, BTreeSet::len);
        u32::try_from(count).unwrap_or(u32::MAX)
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
            parent.meta.local_commit_time_max = now;
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
        let txn = Txn::begin(self)?;
        let old = txn.folder(id)?;
        let bag = changed_bag(&old.props, set, remove);
        self.put_folder_bag(txn, &old, bag)
    }

    /// As [`Mailbox::update_folder`], with what `edit` makes of the properties as they are: nobody else
    /// changes the folder meanwhile.
    pub fn edit_folder<E: From<StoreError>>(
        &self,
        id: GlobCnt,
        edit: impl FnOnce(&Bag) -> Result<FolderEdit, E>,
    ) -> Result<(), E> {
        let txn = Txn::begin(self)?;
        let old = txn.folder(id)?;
        let (set, remove) = edit(&old.props)?;
        let bag = changed_bag(&old.props, &set, &remove);
        Ok(self.put_folder_bag(txn, &old, bag)?)
    }

    fn put_folder_bag(
        &self,
        mut txn: Txn<'_>,
        old: &FolderState,
        mut bag: Bag,
    ) -> Result<(), StoreError> {
        let id = old.meta.id;
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
            // A subfolder is a top level object of its parent (MS-OXCFOLD 2.2.2.2.1.14).
            txn.change_folder(old.meta.parent, |parent| {
                parent.meta.local_commit_time_max = now;
            })?;
        }
        txn.commit().map(|_| ())
    }

    /// Sets and removes properties of a folder, in one commit, without a new change number or another
    /// time: what only the server knows of it. Its name stays as it is. [`StoreError::NotFound`]
    /// without the folder, [`StoreError::TooLarge`] beyond 64 MiB.
    pub fn amend_folder(
        &self,
        id: GlobCnt,
        set: &[(PropTag, PropValue)],
        remove: &[u16],
    ) -> Result<(), StoreError> {
        let mut txn = Txn::begin(self)?;
        let old = txn.folder(id)?;
        let (props, at) = txn.add_bag(changed_bag(&old.props, set, remove))?;
        txn.change_folder(id, |folder| {
            folder.props = props;
            folder.meta.props = at;
        })?;
        txn.commit().map(|_| ())
    }

    fn check_place(&self, parent: GlobCnt) -> Result<(), StoreError> {
        let state = self.state.read();
        // Those that are soft-deleted go by themselves after a while, but take room until then.
        if state.folders.len() >= MAX_FOLDERS {
            let deleted = state.folders.values().filter(|folder| folder.deleted);
            let deleted = deleted.count();
            if deleted >= MAX_FOLDERS || state.folders.len() - deleted >= MAX_FOLDERS {
                return Err(StoreError::TooMany);
            }
        }
        drop(state);
        self.depth(parent, None).map(|_| ())
    }

    /// How deep a folder lies: 0 for the root. [`StoreError::FolderCycle`] if it is `inside` or below
    /// it, [`StoreError::TooDeep`] where nothing can be below it.
    pub(super) fn depth(&self, id: GlobCnt, inside: Option<GlobCnt>) -> Result<usize, StoreError> {
        let state = self.state.read();
        let mut at = id;
        for depth in 0..MAX_DEPTH {
            let folder = state.folders.get(&at).filter(|folder| !folder.deleted);
            let folder = folder.ok_or(StoreError::NotFound)?;
            if Some(at) == inside {
                return Err(StoreError::FolderCycle);
            }
            if folder.meta.parent == at {
                return Ok(depth);
            }
            at = folder.meta.parent;
        }
        Err(StoreError::TooDeep)
    }

    pub(super) fn check_name(
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
