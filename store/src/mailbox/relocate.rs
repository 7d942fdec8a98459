//! Moving and copying folders with all that is in them.

use std::collections::HashMap;

use ropewalk_props::{GlobCnt, PropValue, Utf16Text, tags};

use super::{
    Mailbox,
    folders::{MAX_DEPTH, MAX_FOLDERS, changed_bag},
    state::{FolderState, folded_name},
    txn::Txn,
    types::{FolderCounts, MessageEntry},
};
use crate::{StoreError, records::FolderMeta, versions};

impl Mailbox {
    /// Moves a folder below another one, or gives it another name, in one commit. It keeps its id and
    /// gets a new change number; what is in it stays as it is. Without a name it keeps its own.
    ///
    /// [`StoreError::NotFound`] without one of the folders, [`StoreError::FolderCycle`] if the
    /// destination is the folder or below it, [`StoreError::DuplicateName`] if a subfolder of the
    /// destination has the name, [`StoreError::Invalid`] for the root, and bounds as for
    /// [`Mailbox::create_folder`].
    pub fn move_folder(
        &self,
        id: GlobCnt,
        to: GlobCnt,
        name: Option<&Utf16Text>,
    ) -> Result<(), StoreError> {
        let mut txn = Txn::begin(self)?;
        let old = txn.folder(id)?;
        let from = old.meta.parent;
        if from == id {
            return Err(StoreError::Invalid("the root cannot be moved"));
        }
        self.check_destination(id, to, self.height(id))?;
        let bag = named(&old, name);
        self.check_name(to, Some(id), &bag)?;
        let (props, at) = txn.add_bag(bag)?;
        let (cn, now, replica) = (txn.next()?, txn.now, self.repl_guid);
        txn.change_folder(id, |folder| {
            folder.name = folded_name(&props);
            folder.props = props;
            let meta = &mut folder.meta;
            meta.parent = to;
            meta.props = at;
            meta.versions = versions::changed(replica, cn, meta.versions.as_deref());
            meta.cn = cn;
            meta.modified = now;
            meta.local_commit_time = now;
        })?;
        txn.change_folder(from, |parent| {
            let count = &mut parent.meta.counts.child_folders;
            *count = count.saturating_sub(1);
            parent.meta.hierarchy_change += 1;
            parent.meta.local_commit_time_max = now;
        })?;
        txn.change_folder(to, |parent| {
            parent.meta.counts.child_folders += 1;
            parent.meta.hierarchy_change += 1;
            parent.meta.local_commit_time_max = now;
        })?;
        txn.commit().map(|_| ())
    }

    /// Copies a folder with its messages to a place below another one, in one commit, and if `deep`
    /// its subfolders with theirs; returns the copy's id. What is soft-deleted is not copied; the
    /// messages share their content. Fails as [`Mailbox::move_folder`] does, and with
    /// [`StoreError::QuotaExceeded`] if it makes the mailbox larger than it may get.
    pub fn copy_folder(
        &self,
        id: GlobCnt,
        to: GlobCnt,
        name: Option<&Utf16Text>,
        deep: bool,
    ) -> Result<GlobCnt, StoreError> {
        let mut txn = Txn::begin(self)?;
        let source = txn.folder(id)?;
        if source.meta.parent == id {
            return Err(StoreError::Invalid("the root cannot be copied"));
        }
        let below = if deep {
            self.hierarchy(id, true, false)
        } else {
            Vec::new()
        };
        self.check_destination(id, to, if deep { self.height(id) } else { 0 })?;
        self.check_room(below.len() + 1)?;
        let bag = named(&source, name);
        self.check_name(to, None, &bag)?;
        // Of each folder, the copy; those above come first.
        let mut copies = HashMap::from([(id, txn.copy_one(&source, to, bag)?)]);
        for (folder, _) in below {
            let source = txn.folder(folder)?;
            let parent = *copies
                .get(&source.meta.parent)
                .ok_or(StoreError::NotFound)?;
            let bag = named(&source, None);
            copies.insert(folder, txn.copy_one(&source, parent, bag)?);
        }
        txn.check_quota()?;
        txn.commit()?;
        copies.get(&id).copied().ok_or(StoreError::NotFound)
    }

    /// Whether a folder with this many levels below it can go below another one.
    pub(super) fn check_destination(
        &self,
        id: GlobCnt,
        to: GlobCnt,
        height: usize,
    ) -> Result<(), StoreError> {
        let depth = self.depth(to, Some(id))?;
        if depth.saturating_add(height) >= MAX_DEPTH {
            return Err(StoreError::TooDeep);
        }
        Ok(())
    }

    /// Whether there may be so many more folders.
    pub(super) fn check_room(&self, more: usize) -> Result<(), StoreError> {
        let state = self.state.read();
        let live = state.folders.values().filter(|folder| !folder.deleted);
        if live.count().saturating_add(more) > MAX_FOLDERS {
            return Err(StoreError::TooMany);
        }
        Ok(())
    }

    /// Levels of folders below one.
    pub(super) fn height(&self, id: GlobCnt) -> usize {
        let below = self.hierarchy(id, true, false);
        below.iter().map(|(_, depth)| *depth).max().unwrap_or(0) as usize
    }
}

/// The properties of a folder that is moved or copied, under a name.
pub(super) fn named(folder: &FolderState, name: Option<&Utf16Text>) -> ropewalk_props::Bag {
    let name = name.map(|name| {
        let tag = tags::PID_TAG_DISPLAY_NAME;
        (tag, PropValue::String(name.clone()))
    });
    changed_bag(&folder.props, name.as_slice(), &[])
}

impl Txn<'_> {
    /// A copy of one folder and its messages below another one, and its id.
    fn copy_one(
        &mut self,
        source: &FolderState,
        parent: GlobCnt,
        bag: ropewalk_props::Bag,
    ) -> Result<GlobCnt, StoreError> {
        let id = self.copy_alone(source, parent, bag)?;
        let [normal, associated, ..] = self.entries(source.meta.id)?;
        for entry in normal.iter().chain(associated.iter()) {
            self.copy_message(entry, id)?;
        }
        Ok(id)
    }

    /// A copy of one folder without its messages below another one, and its id.
    pub(super) fn copy_alone(
        &mut self,
        source: &FolderState,
        parent: GlobCnt,
        bag: ropewalk_props::Bag,
    ) -> Result<GlobCnt, StoreError> {
        let (id, cn) = (self.next()?, self.next()?);
        let (props, at) = self.add_bag(bag)?;
        let now = self.now;
        let meta = FolderMeta {
            id,
            parent,
            kind: source.meta.kind,
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
        };
        self.put_folder(FolderState::new(meta, props));
        self.change_folder(parent, |parent| {
            parent.meta.counts.child_folders += 1;
            parent.meta.hierarchy_change += 1;
            parent.meta.local_commit_time_max = now;
        })?;
        Ok(id)
    }

    /// A copy of a message in another folder, with the same content.
    pub(super) fn copy_message(
        &mut self,
        entry: &MessageEntry,
        folder: GlobCnt,
    ) -> Result<(), StoreError> {
        let (id, cn) = (self.next()?, self.next()?);
        let copy = MessageEntry {
            id,
            folder,
            cn,
            read_cn: cn,
            // A new object: only this replica has changed it so far.
            versions: None,
            ..entry.clone()
        };
        self.put_message(None, copy)
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use ropewalk_props::{Bag, BagView, Guid};

    use super::*;
    use crate::{
        ContentsView, DeleteFolder, Durability, FolderKind, IndexKind, Message, NewFolder, NewUser,
        SaveMessage, Store, StoreOptions, TemplateFolder,
    };

    const ROOT: GlobCnt = GlobCnt(1);
    const MAILBOX: Guid = Guid([7; 16]);

    fn named(name: &str) -> Bag {
        Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))])
    }

    fn open(dir: &Path) -> (Store, Arc<Mailbox>) {
        let options = StoreOptions {
            durability: Durability::None,
            index: IndexKind::Memory,
            ..StoreOptions::default()
        };
        let store = Store::open(dir, options).unwrap();
        if store.users().is_empty() {
            store
                .add_user(NewUser {
                    email: "ada@example.test".into(),
                    display_name: "Ada".into(),
                    legacy_dn: "/o=Ropewalk/cn=ada".into(),
                    mailbox_guid: MAILBOX,
                    repl_guid: Guid([8; 16]),
                    password_hash: String::new(),
                    folders: vec![TemplateFolder {
                        id: ROOT,
                        parent: ROOT,
                        kind: FolderKind::Root,
                        props: named("Root"),
                    }],
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

    fn save(mailbox: &Mailbox, folder: GlobCnt, associated: bool) -> GlobCnt {
        let mut message = Message::default();
        message.props.set_text(tags::PID_TAG_SUBJECT, "a");
        let save = SaveMessage {
            folder,
            id: None,
            associated,
            read: Some(true),
            expected_cn: None,
            message,
        };
        mailbox.save_message(save).unwrap().id
    }

    fn text(text: &str) -> Utf16Text {
        Utf16Text::from(text)
    }

    fn name(mailbox: &Mailbox, id: GlobCnt) -> String {
        let folder = mailbox.folder(id).unwrap();
        folder.props.get_text(tags::PID_TAG_DISPLAY_NAME).unwrap()
    }

    fn children(mailbox: &Mailbox, id: GlobCnt) -> Vec<GlobCnt> {
        let children = mailbox.hierarchy(id, false, false);
        let ids: Vec<GlobCnt> = children.into_iter().map(|(id, _)| id).collect();
        let count = mailbox.folder(id).unwrap().counts.child_folders;
        assert_eq!(count as usize, ids.len());
        ids
    }

    /// `a` with `b` below it, which has a message of each kind and a soft-deleted one; and `c`.
    fn tree(mailbox: &Mailbox) -> [GlobCnt; 3] {
        let a = create(mailbox, ROOT, "a");
        let b = create(mailbox, a, "b");
        let c = create(mailbox, ROOT, "c");
        save(mailbox, b, false);
        save(mailbox, b, true);
        let gone = save(mailbox, b, false);
        mailbox.delete_messages(b, &[gone], false).unwrap();
        [a, b, c]
    }

    #[test]
    fn a_moved_folder_has_its_id_its_messages_and_another_parent_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (store, mailbox) = open(dir.path());
        let [a, b, c] = tree(&mailbox);
        let before = mailbox.folder(a).unwrap();
        mailbox.move_folder(a, c, Some(&text("x"))).unwrap();
        let moved = mailbox.folder(a).unwrap();
        assert!(moved.cn > before.cn && moved.change_key != before.change_key);
        drop((mailbox, store));
        let (_store, mailbox) = open(dir.path());
        assert_eq!(children(&mailbox, ROOT), [c]);
        assert_eq!(children(&mailbox, c), [a]);
        assert_eq!(children(&mailbox, a), [b]);
        assert_eq!(name(&mailbox, a), "x");
        let counts = mailbox.folder(b).unwrap().counts;
        assert_eq!(
            (counts.content, counts.associated, counts.deleted),
            (1, 1, 1)
        );
        // Its place under the old name is free, and it can be renamed where it is.
        create(&mailbox, ROOT, "a");
        mailbox.move_folder(a, c, Some(&text("y"))).unwrap();
        assert_eq!(
            (children(&mailbox, c), name(&mailbox, a)),
            (vec![a], "y".into())
        );
    }

    #[test]
    fn a_copied_folder_has_copies_of_what_is_not_soft_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let (store, mailbox) = open(dir.path());
        let [a, b, c] = tree(&mailbox);
        let deep = mailbox.copy_folder(a, c, None, true).unwrap();
        let flat = mailbox.copy_folder(a, c, Some(&text("z")), false).unwrap();
        drop((mailbox, store));
        let (_store, mailbox) = open(dir.path());
        assert_eq!(children(&mailbox, ROOT), [a, c]);
        assert_eq!(children(&mailbox, c), [deep, flat]);
        assert_eq!(
            (name(&mailbox, deep), name(&mailbox, flat)),
            ("a".into(), "z".into())
        );
        assert!(children(&mailbox, flat).is_empty());
        let below = children(&mailbox, deep);
        assert_eq!(name(&mailbox, below[0]), "b");
        let counts = mailbox.folder(below[0]).unwrap().counts;
        assert_eq!(
            (counts.content, counts.associated, counts.deleted),
            (1, 1, 0)
        );
        let view = |folder| mailbox.contents(folder, ContentsView::Normal).unwrap();
        let (old, new) = (view(b), view(below[0]));
        let (old, new) = (old.iter().next().unwrap(), new.iter().next().unwrap());
        assert!(new.read && new.id != old.id && new.cn != old.cn);
        let content = mailbox.read_message(new).unwrap();
        let subject = content.view().props.get_text(tags::PID_TAG_SUBJECT);
        assert_eq!(subject.as_deref(), Some("a"));
    }

    #[test]
    fn a_folder_goes_neither_into_itself_nor_where_its_name_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path());
        let [a, b, c] = tree(&mailbox);
        let other = create(&mailbox, c, "A");
        for to in [a, b] {
            let moved = mailbox.move_folder(a, to, None);
            assert!(matches!(moved, Err(StoreError::FolderCycle)), "{moved:?}");
            let copied = mailbox.copy_folder(a, to, None, true);
            assert!(matches!(copied, Err(StoreError::FolderCycle)), "{copied:?}");
        }
        let taken = |result: Result<(), StoreError>| match result {
            Err(StoreError::DuplicateName(id)) => id == other,
            _ => false,
        };
        assert!(taken(mailbox.move_folder(a, c, None)));
        assert!(taken(mailbox.copy_folder(a, c, None, true).map(|_| ())));
        let root = mailbox.move_folder(ROOT, c, None);
        assert!(matches!(root, Err(StoreError::Invalid(_))), "{root:?}");
        let how = DeleteFolder {
            messages: true,
            folders: true,
            hard: false,
        };
        mailbox.delete_folder(c, how).unwrap();
        for (from, to) in [(a, c), (c, a), (GlobCnt(0x9999), a), (a, GlobCnt(0x9999))] {
            let moved = mailbox.move_folder(from, to, None);
            assert!(matches!(moved, Err(StoreError::NotFound)), "{moved:?}");
            let copied = mailbox.copy_folder(from, to, None, true);
            assert!(matches!(copied, Err(StoreError::NotFound)), "{copied:?}");
        }
        assert_eq!(children(&mailbox, ROOT), [a]);
    }

    // MS-OXCFOLD 2.2.2.2.1.14: direct subfolders are top level objects of a folder.
    #[test]
    fn what_becomes_of_a_subfolder_is_a_change_in_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path());
        let [a, b, c] = tree(&mailbox);
        let changed = |parent| mailbox.folder(parent).unwrap().local_commit_time_max;
        let modified = |id| mailbox.folder(id).unwrap().modified;
        let made = create(&mailbox, c, "x");
        assert_eq!(changed(c), modified(made));
        let tag = tags::PID_TAG_COMMENT;
        let comment = [(tag, PropValue::text("y"))];
        mailbox.update_folder(made, &comment, &[]).unwrap();
        assert_eq!(changed(c), modified(made));
        mailbox.move_folder(b, c, None).unwrap();
        assert_eq!((changed(a), changed(c)), (modified(b), modified(b)));
        let copy = mailbox.copy_folder(b, a, None, true).unwrap();
        assert_eq!(changed(a), modified(copy));
        let before = changed(c);
        let how = DeleteFolder {
            messages: true,
            folders: true,
            hard: false,
        };
        mailbox.delete_folder(b, how).unwrap();
        assert_eq!(changed(c), modified(b));
        assert_ne!(changed(c), before);
    }

    #[test]
    fn what_is_moved_or_copied_does_not_nest_too_deeply() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path());
        let mut deepest = ROOT;
        for _ in 0..MAX_DEPTH - 1 {
            deepest = create(&mailbox, deepest, "d");
        }
        let [a, b, _] = tree(&mailbox);
        let moved = mailbox.move_folder(a, deepest, None);
        assert!(matches!(moved, Err(StoreError::TooDeep)), "{moved:?}");
        let copied = mailbox.copy_folder(a, deepest, None, true);
        assert!(matches!(copied, Err(StoreError::TooDeep)), "{copied:?}");
        mailbox.move_folder(b, deepest, None).unwrap();
        mailbox.copy_folder(a, deepest, None, false).unwrap();
    }
}
