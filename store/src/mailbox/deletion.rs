//! Deleting folders, for good or softly.
//!
//! A soft-deleted folder keeps its id, its parent and its properties; PidTagDeletedOn among them says
//! what it is. All that is below it is soft-deleted with it: its messages, its subfolders and theirs.

use ropewalk_props::{GlobCnt, PropValue, tags};

use super::{
    Mailbox,
    folders::changed_bag,
    txn::Txn,
    types::{Contents, DeleteFolder, EmptyFolder},
};
use crate::{StoreError, versions};

impl Mailbox {
    /// Deletes a folder with all in it, in one commit, for good or softly; `false`, and nothing
    /// deleted, if it holds messages or subfolders that `how` does not cover. What is soft-deleted in
    /// it needs no cover. Each folder softly deleted gets a new change number.
    ///
    /// [`StoreError::NotFound`] without the folder, or if it is to be deleted softly and is so
    /// already; [`StoreError::Invalid`] for the root.
    pub fn delete_folder(&self, id: GlobCnt, how: DeleteFolder) -> Result<bool, StoreError> {
        let mut txn = Txn::begin(self)?;
        let folder = if how.hard {
            txn.any_folder(id)?
        } else {
            txn.folder(id)?
        };
        let parent = folder.meta.parent;
        if parent == id {
            return Err(StoreError::Invalid("the root cannot be deleted"));
        }
        let counts = folder.meta.counts;
        let has_messages = counts.content > 0 || counts.associated > 0;
        let has_folders = !self.hierarchy(id, false, false).is_empty();
        if (has_messages && !how.messages) || (has_folders && !how.folders) {
            return Ok(false);
        }
        txn.delete_tree(parent, id, how.hard)?;
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
        let mut changed = if how.hard {
            txn.clear_own(id, how.associated)?
        } else {
            let all = txn.entries(id)?;
            let mut deleted = all
                .iter()
                .flat_map(Contents::iter)
                .filter(|entry| !entry.soft_deleted && (how.associated || !entry.associated));
            deleted.try_fold(false, |_, entry| {
                txn.delete_message(entry, false).map(|()| true)
            })?
        };
        let mut complete = true;
        for child in self.children(id, how.hard) {
            if self.subtree(child, how.hard).into_iter().any(keep) {
                complete = false;
                continue;
            }
            changed = true;
            txn.delete_tree(id, child, how.hard)?;
        }
        if changed {
            txn.commit()?;
        }
        Ok(complete)
    }

    /// The direct subfolders of a folder, those that are soft-deleted too or not.
    pub(super) fn children(&self, id: GlobCnt, deleted: bool) -> Vec<GlobCnt> {
        let mut children = self.hierarchy(id, false, false);
        if deleted {
            children.extend(self.hierarchy(id, false, true));
        }
        children.into_iter().map(|(child, _)| child).collect()
    }

    /// A folder and all below it, `deleted` ones too or not.
    pub(super) fn subtree(&self, id: GlobCnt, deleted: bool) -> Vec<GlobCnt> {
        let state = self.state.read();
        let mut found = vec![id];
        let mut next = 0;
        while let Some(id) = found.get(next) {
            let live = state.children.get(id);
            let deleted = state.deleted_children.get(id).filter(|_| deleted);
            let children = live.into_iter().chain(deleted).flatten();
            found.extend(children.map(|(_, child)| *child));
            next += 1;
        }
        found
    }
}

impl Txn<'_> {
    /// Deletes the messages of a folder for good, soft-deleted or not, unless there are none; those that
    /// are folder-associated only if that is wanted.
    pub(super) fn clear_own(&mut self, id: GlobCnt, associated: bool) -> Result<bool, StoreError> {
        let counts = self.any_folder(id)?.meta.counts;
        let others = counts.content > 0 || counts.deleted > 0;
        let count = counts.associated.saturating_add(counts.deleted_associated);
        let kept = if count > 0 && !associated {
            let [_, live, _, deleted] = self.entries(id)?;
            live.iter().chain(deleted.iter()).cloned().collect()
        } else {
            Vec::new()
        };
        let has_any = others || (associated && count > 0);
        if has_any {
            self.clear_folder(id, kept)?;
        }
        Ok(has_any)
    }

    /// Deletes a folder and all below it, and tells its parent.
    pub(super) fn delete_tree(
        &mut self,
        parent: GlobCnt,
        id: GlobCnt,
        hard: bool,
    ) -> Result<(), StoreError> {
        let was_counted = !self.any_folder(id)?.deleted;
        for id in self.mailbox.subtree(id, hard) {
            if hard {
                self.remove_folder(id);
            } else {
                self.soft_delete_folder(id)?;
            }
        }
        self.lose_child(parent, was_counted)
    }

    /// Tells a folder that one of its subfolders went, which it counted or not.
    pub(super) fn lose_child(
        &mut self,
        parent: GlobCnt,
        was_counted: bool,
    ) -> Result<(), StoreError> {
        let now = self.now;
        self.change_folder(parent, |parent| {
            let count = &mut parent.meta.counts.child_folders;
            *count = count.saturating_sub(u32::from(was_counted));
            parent.meta.hierarchy_change += 1;
            parent.meta.local_commit_time_max = now;
        })
    }

    /// Marks a folder and its messages as soft-deleted. Its subfolders have to go with it: they are
    /// not counted any more.
    fn soft_delete_folder(&mut self, id: GlobCnt) -> Result<(), StoreError> {
        for contents in self.entries(id)? {
            for entry in contents.iter().filter(|entry| !entry.soft_deleted) {
                self.delete_message(entry, false)?;
            }
        }
        self.mark_deleted(id)
    }

    /// Marks a folder as soft-deleted; its messages have to be so by then.
    pub(super) fn mark_deleted(&mut self, id: GlobCnt) -> Result<(), StoreError> {
        let (cn, now, replica) = (self.next()?, self.now, self.mailbox.repl_guid);
        let deleted_on = (tags::PID_TAG_DELETED_ON, PropValue::Time(now));
        let bag = changed_bag(&self.folder(id)?.props, &[deleted_on], &[]);
        let (props, at) = self.add_bag(bag)?;
        self.change_folder(id, |folder| {
            folder.deleted = true;
            folder.props = props;
            let meta = &mut folder.meta;
            meta.props = at;
            meta.hierarchy_change += u64::from(meta.counts.child_folders > 0);
            meta.counts.child_folders = 0;
            meta.versions = versions::changed(replica, cn, meta.versions.as_deref());
            meta.cn = cn;
            meta.modified = now;
            meta.local_commit_time = now;
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use ropewalk_props::{Bag, BagView, Guid};

    use super::*;
    use crate::{
        ContentsView, Durability, Folder, FolderKind, IndexKind, Message, NewFolder, NewUser,
        SaveMessage, Store, StoreOptions, TemplateFolder,
    };

    const ROOT: GlobCnt = GlobCnt(1);
    const MAILBOX: Guid = Guid([7; 16]);
    const SOFT: DeleteFolder = DeleteFolder {
        messages: true,
        folders: true,
        hard: false,
    };
    const HARD: DeleteFolder = DeleteFolder {
        messages: false,
        folders: false,
        hard: true,
    };
    const NOBODY: &dyn Fn(GlobCnt) -> bool = &|_| false;

    fn named(name: &str) -> Bag {
        Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))])
    }

    fn open(dir: &Path, index: IndexKind) -> (Store, Arc<Mailbox>) {
        let durability = Durability::None;
        let options = StoreOptions {
            durability,
            index,
            ..StoreOptions::default()
        };
        let store = Store::open(dir, options).unwrap();
        if store.users().is_empty() {
            let root = TemplateFolder {
                id: ROOT,
                parent: ROOT,
                kind: FolderKind::Root,
                props: named("Root"),
            };
            store
                .add_user(NewUser {
                    email: "ada@example.test".into(),
                    display_name: "Ada".into(),
                    legacy_dn: "/o=Ropewalk/cn=ada".into(),
                    mailbox_guid: MAILBOX,
                    repl_guid: Guid([8; 16]),
                    password_hash: String::new(),
                    folders: vec![root],
                    receive_folders: Vec::new(),
                    store_props: Bag::new(),
                })
                .unwrap();
        }
        let mailbox = store.mailbox(MAILBOX).unwrap();
        (store, mailbox)
    }

    fn create(mailbox: &Mailbox, parent: GlobCnt, name: &str) -> GlobCnt {
        let new = NewFolder {
            parent,
            kind: FolderKind::Generic,
            props: named(name),
        };
        mailbox.create_folder(new).unwrap().id
    }

    fn save(mailbox: &Mailbox, folder: GlobCnt, associated: bool) -> Result<GlobCnt, StoreError> {
        let save = SaveMessage {
            folder,
            id: None,
            associated,
            read: None,
            expected_cn: None,
            message: Message::default(),
        };
        Ok(mailbox.save_message(save)?.id)
    }

    fn folder(mailbox: &Mailbox, id: GlobCnt) -> Folder {
        mailbox.folder(id).unwrap()
    }

    fn folders(mailbox: &Mailbox, id: GlobCnt) -> (u32, u32) {
        let counts = folder(mailbox, id).counts;
        (counts.child_folders, mailbox.soft_deleted_folders(id))
    }

    fn views(mailbox: &Mailbox, id: GlobCnt) -> [usize; 4] {
        use ContentsView::*;
        let views = [Normal, Associated, SoftDeleted, SoftDeletedAssociated];
        views.map(|view| mailbox.contents(id, view).unwrap().len())
    }

    /// `outer` with a subfolder `inner`, and a message of each kind in both.
    fn nested(mailbox: &Mailbox) -> (GlobCnt, GlobCnt) {
        let outer = create(mailbox, ROOT, "outer");
        let inner = create(mailbox, outer, "inner");
        for folder in [outer, inner] {
            save(mailbox, folder, false).unwrap();
            save(mailbox, folder, true).unwrap();
        }
        (outer, inner)
    }

    #[test]
    fn a_folder_is_soft_deleted_with_all_below_it() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path(), IndexKind::Memory);
        let (outer, inner) = nested(&mailbox);
        let before = [ROOT, outer, inner].map(|id| folder(&mailbox, id));
        assert!(mailbox.delete_folder(outer, SOFT).unwrap());
        for (id, before) in [outer, inner].into_iter().zip(&before[1..]) {
            let now = folder(&mailbox, id);
            assert!(now.deleted && !mailbox.has_folder(id));
            let deleted_on = now.props.get(tags::PID_TAG_DELETED_ON).unwrap();
            assert_eq!(deleted_on.as_time(), Some(now.modified));
            assert!(now.cn > before.cn && now.change_key != before.change_key);
            assert_eq!(views(&mailbox, id), [0, 0, 1, 1]);
            assert_eq!((now.counts.content, now.counts.associated), (0, 0));
            assert_eq!(now.counts.deleted_total, 2);
        }
        assert_eq!(folders(&mailbox, ROOT), (0, 1));
        assert_eq!(folders(&mailbox, outer), (0, 1));
        assert!(folder(&mailbox, ROOT).hierarchy_change > before[0].hierarchy_change);
        assert!(mailbox.hierarchy(ROOT, true, false).is_empty());
        assert!(mailbox.child_folders(outer).is_empty());
        assert_eq!(mailbox.hierarchy(ROOT, false, true), [(outer, 1)]);
        let both = [(outer, 1), (inner, 2)];
        assert_eq!(mailbox.hierarchy(ROOT, true, true), both);
    }

    #[test]
    fn messages_and_subfolders_need_cover_but_not_soft_deleted_ones() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path(), IndexKind::Memory);
        let (outer, inner) = nested(&mailbox);
        let only_messages = DeleteFolder {
            folders: false,
            ..SOFT
        };
        let only_folders = DeleteFolder {
            messages: false,
            ..SOFT
        };
        for how in [HARD, only_messages, only_folders] {
            assert!(!mailbox.delete_folder(outer, how).unwrap(), "{how:?}");
            assert_eq!(views(&mailbox, outer), [1, 1, 0, 0]);
        }
        assert!(mailbox.delete_folder(inner, only_messages).unwrap());
        assert_eq!(folders(&mailbox, outer), (0, 1));
        assert!(mailbox.delete_folder(outer, only_messages).unwrap());
        assert_eq!(folders(&mailbox, outer), (0, 1));
        assert_eq!(folders(&mailbox, ROOT), (0, 1));
    }

    #[test]
    fn a_soft_deleted_folder_takes_nothing_and_leaves_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path(), IndexKind::Memory);
        let (outer, _) = nested(&mailbox);
        let entry = mailbox.contents(outer, ContentsView::Normal).unwrap();
        let message = entry.iter().next().unwrap().id;
        mailbox.set_receive_folder("IPM.Note", Some(outer)).unwrap();
        assert!(mailbox.delete_folder(outer, SOFT).unwrap());
        assert!(mailbox.receive_folders().is_empty());
        let new = NewFolder {
            parent: outer,
            kind: FolderKind::Generic,
            props: named("x"),
        };
        let not_found = [
            mailbox.create_folder(new).map(drop),
            save(&mailbox, outer, false).map(drop),
            mailbox.update_folder(outer, &[], &[]),
            mailbox.delete_folder(outer, SOFT).map(drop),
            mailbox.set_receive_folder("IPM", Some(outer)),
            mailbox.copy_messages(outer, outer, &[message]).map(drop),
        ];
        for result in not_found {
            assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
        }
        // The name is free, and two soft-deleted siblings may have it.
        let second = create(&mailbox, ROOT, "OUTER");
        assert!(mailbox.delete_folder(second, SOFT).unwrap());
        let third = create(&mailbox, ROOT, "outer");
        assert_eq!(folders(&mailbox, ROOT), (1, 2));
        assert_eq!(mailbox.hierarchy(ROOT, true, false), [(third, 1)]);
    }

    #[test]
    fn soft_deleted_folders_below_others_are_listed_in_depth() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path(), IndexKind::Memory);
        let b = create(&mailbox, ROOT, "b");
        let c = create(&mailbox, ROOT, "c");
        let a = create(&mailbox, ROOT, "a");
        let below = create(&mailbox, b, "below");
        let beside = create(&mailbox, b, "beside");
        for id in [c, below, a] {
            assert!(mailbox.delete_folder(id, SOFT).unwrap());
        }
        let all = mailbox.hierarchy(ROOT, true, true);
        assert_eq!(all, [(a, 1), (below, 2), (c, 1)]);
        assert_eq!(mailbox.hierarchy(ROOT, false, true), [(a, 1), (c, 1)]);
        assert_eq!(mailbox.hierarchy(ROOT, true, false), [(b, 1), (beside, 2)]);
        // Those that are soft-deleted already stay as they are.
        let cn = folder(&mailbox, below).cn;
        assert!(mailbox.delete_folder(b, SOFT).unwrap());
        assert_eq!(folder(&mailbox, below).cn, cn);
        assert_eq!(folders(&mailbox, b), (0, 2));
    }

    #[test]
    fn a_hard_delete_takes_soft_deleted_folders_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path(), IndexKind::Memory);
        let (outer, inner) = nested(&mailbox);
        assert!(mailbox.delete_folder(outer, SOFT).unwrap());
        assert!(mailbox.delete_folder(outer, HARD).unwrap());
        assert!(mailbox.folder(outer).is_none() && mailbox.folder(inner).is_none());
        assert_eq!(folders(&mailbox, ROOT), (0, 0));
        assert!(mailbox.hierarchy(ROOT, true, true).is_empty());
        // Also below one that is not soft-deleted.
        let (outer, inner) = nested(&mailbox);
        assert!(mailbox.delete_folder(inner, SOFT).unwrap());
        let how = DeleteFolder {
            messages: true,
            ..HARD
        };
        assert!(mailbox.delete_folder(outer, how).unwrap());
        assert!(mailbox.folder(outer).is_none() && mailbox.folder(inner).is_none());
    }

    #[test]
    fn emptying_is_soft_or_takes_what_is_soft_deleted_as_well() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path(), IndexKind::Memory);
        let (outer, inner) = nested(&mailbox);
        let kept = create(&mailbox, outer, "kept");
        let soft = EmptyFolder {
            associated: false,
            hard: false,
        };
        assert!(!mailbox.empty_folder(outer, soft, &|id| id == kept).unwrap());
        assert_eq!(views(&mailbox, outer), [0, 1, 1, 0]);
        // Of a subfolder everything goes.
        assert_eq!(views(&mailbox, inner), [0, 0, 1, 1]);
        assert!(folder(&mailbox, inner).deleted && mailbox.has_folder(kept));
        assert_eq!(folders(&mailbox, outer), (1, 1));
        // Once more: what is soft-deleted stays so.
        let cn = folder(&mailbox, inner).cn;
        assert!(mailbox.empty_folder(outer, soft, NOBODY).unwrap());
        assert_eq!(folder(&mailbox, inner).cn, cn);
        assert_eq!(folders(&mailbox, outer), (0, 2));
        let hard = EmptyFolder {
            associated: true,
            hard: true,
        };
        assert!(mailbox.empty_folder(outer, hard, NOBODY).unwrap());
        assert_eq!(views(&mailbox, outer), [0; 4]);
        assert_eq!(folders(&mailbox, outer), (0, 0));
        assert!(mailbox.folder(inner).is_none() && mailbox.folder(kept).is_none());
    }

    #[test]
    fn emptying_for_good_keeps_soft_deleted_associated_messages_unless_they_are_wanted_too() {
        let dir = tempfile::tempdir().unwrap();
        let (store, mailbox) = open(dir.path(), IndexKind::Sled);
        let (outer, _) = nested(&mailbox);
        let gone = save(&mailbox, outer, true).unwrap();
        mailbox.delete_messages(outer, &[gone], false).unwrap();
        save(&mailbox, outer, true).unwrap();
        assert_eq!(views(&mailbox, outer), [1, 2, 0, 1]);
        let mut how = EmptyFolder {
            associated: false,
            hard: true,
        };
        assert!(mailbox.empty_folder(outer, how, NOBODY).unwrap());
        assert_eq!(views(&mailbox, outer), [0, 2, 0, 1]);
        assert_eq!(folder(&mailbox, outer).counts.deleted_total, 2);
        store.close().unwrap();
        drop((store, mailbox));
        let (_store, mailbox) = open(dir.path(), IndexKind::Memory);
        assert_eq!(views(&mailbox, outer), [0, 2, 0, 1]);
        how.associated = true;
        assert!(mailbox.empty_folder(outer, how, NOBODY).unwrap());
        assert_eq!(views(&mailbox, outer), [0; 4]);
    }

    /// All there is to see of soft-deleted folders.
    fn seen(mailbox: &Mailbox) -> Vec<String> {
        let live = mailbox.hierarchy(ROOT, true, false);
        let deleted = mailbox.hierarchy(ROOT, true, true);
        let all = [(ROOT, 0)].into_iter().chain(live).chain(deleted);
        let line =
            |(id, depth)| format!("{depth} {:?} {:?}", folder(mailbox, id), views(mailbox, id));
        all.map(line).collect()
    }

    #[test]
    fn soft_deletion_survives_reopening_and_a_rebuilt_index() {
        let dir = tempfile::tempdir().unwrap();
        let (store, mailbox) = open(dir.path(), IndexKind::Sled);
        let (outer, inner) = nested(&mailbox);
        assert!(mailbox.delete_folder(inner, SOFT).unwrap());
        create(&mailbox, outer, "inner");
        let gone = create(&mailbox, ROOT, "gone");
        assert!(mailbox.delete_folder(gone, SOFT).unwrap());
        assert!(mailbox.delete_folder(gone, HARD).unwrap());
        let other = create(&mailbox, ROOT, "other");
        assert!(mailbox.delete_folder(other, SOFT).unwrap());
        let before = seen(&mailbox);
        assert_eq!(before.len(), 5);
        store.close().unwrap();
        drop((store, mailbox));
        for index in [IndexKind::Sled, IndexKind::Memory] {
            let (store, mailbox) = open(dir.path(), index);
            assert_eq!(seen(&mailbox), before, "{index:?}");
            store.close().unwrap();
        }
    }
}
