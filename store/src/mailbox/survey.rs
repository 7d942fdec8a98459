//! A look at several folders at one moment, without their messages.

use std::collections::HashSet;

use ropewalk_props::{FileTime, GlobCnt};

use super::{
    Mailbox,
    types::{Folder, FolderKind},
};

/// Folders at one moment.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// [`Mailbox::folders_version`] of the moment.
    pub version: u64,
    /// Each once, those named first, in their order.
    pub folders: Vec<Surveyed>,
}

/// What a survey says of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Surveyed {
    /// Its id.
    pub id: GlobCnt,
    /// What kind of folder.
    pub kind: FolderKind,
    /// Rises with any change in or of the folder.
    pub version: u64,
    /// The number of its normal messages.
    pub content: u32,
    /// When a message or a direct subfolder in it last changed.
    pub local_commit_time_max: FileTime,
}

impl Mailbox {
    /// The folders named that are there and not soft-deleted, and if `deep` all below them.
    pub fn survey(&self, named: &[GlobCnt], deep: bool) -> Survey {
        let state = self.state.read();
        let mut known = HashSet::new();
        let mut ids: Vec<GlobCnt> = named
            .iter()
            .copied()
            .filter(|id| known.insert(*id))
            .collect();
        let mut next = 0;
        while let Some(id) = ids.get(next).copied().filter(|_| deep) {
            let live = state.folders.get(&id).is_some_and(|folder| !folder.deleted);
            let children = state.children.get(&id).filter(|_| live);
            let children = children.into_iter().flatten().map(|(_, child)| *child);
            ids.extend(children.filter(|child| known.insert(*child)));
            next += 1;
        }
        let folders = ids.into_iter().filter_map(|id| state.folders.get(&id));
        let folders = folders.filter(|folder| !folder.deleted);
        Survey {
            version: state.folders_version,
            folders: folders
                .map(|folder| Surveyed {
                    id: folder.meta.id,
                    kind: folder.meta.kind,
                    version: folder.meta.version,
                    content: folder.meta.counts.content,
                    local_commit_time_max: folder.meta.local_commit_time_max,
                })
                .collect(),
        }
    }

    /// The search folders that are not soft-deleted, in no order.
    pub fn search_folders(&self) -> Vec<Folder> {
        let state = self.state.read();
        let folders = state.folders.values();
        let searches =
            folders.filter(|folder| folder.meta.kind == FolderKind::Search && !folder.deleted);
        searches
            .map(|folder| folder.snapshot(self.repl_guid))
            .collect()
    }

    /// Whether a folder is another one or lies below it.
    pub fn is_within(&self, folder: GlobCnt, above: GlobCnt) -> bool {
        let state = self.state.read();
        let mut at = folder;
        for _ in 0..=state.folders.len() {
            if at == above {
                return true;
            }
            match state.folders.get(&at) {
                Some(folder) if folder.meta.parent != at => at = folder.meta.parent,
                _ => return false,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ropewalk_props::{Bag, Guid, PropValue, tags};

    use super::*;
    use crate::{
        ContentsView, DeleteFolder, Durability, IndexKind, Message, MessagePlace, NewFolder,
        NewUser, SaveMessage, Store, StoreError, StoreOptions, TemplateFolder,
    };

    const ROOT: GlobCnt = GlobCnt(1);
    const MAILBOX: Guid = Guid([7; 16]);

    fn named(name: &str) -> Bag {
        Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))])
    }

    fn open(dir: &std::path::Path) -> (Store, Arc<Mailbox>) {
        let options = StoreOptions {
            durability: Durability::None,
            index: IndexKind::Memory,
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
            let user = NewUser {
                email: "ada@example.test".into(),
                display_name: "Ada".into(),
                legacy_dn: "/o=Ropewalk/cn=ada".into(),
                mailbox_guid: MAILBOX,
                repl_guid: Guid([8; 16]),
                password_hash: String::new(),
                folders: vec![root],
                receive_folders: Vec::new(),
                store_props: Bag::new(),
            };
            store.add_user(user).unwrap();
        }
        let mailbox = store.mailbox(MAILBOX).unwrap();
        (store, mailbox)
    }

    fn create(mailbox: &Mailbox, parent: GlobCnt, kind: FolderKind, name: &str) -> GlobCnt {
        let props = named(name);
        let new = NewFolder {
            parent,
            kind,
            props,
        };
        mailbox.create_folder(new).unwrap().id
    }

    fn save(mailbox: &Mailbox, folder: GlobCnt) -> GlobCnt {
        let save = SaveMessage {
            folder,
            id: None,
            associated: false,
            read: None,
            expected_cn: None,
            message: Message::default(),
        };
        mailbox.save_message(save).unwrap().id
    }

    #[test]
    fn a_survey_has_each_folder_once_and_tells_whether_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path());
        let outer = create(&mailbox, ROOT, FolderKind::Generic, "outer");
        let inner = create(&mailbox, outer, FolderKind::Generic, "inner");
        let search = create(&mailbox, outer, FolderKind::Search, "search");
        let ids = |named: &[GlobCnt], deep| {
            let survey = mailbox.survey(named, deep);
            assert_eq!(survey.version, mailbox.folders_version());
            let ids = survey.folders.iter().map(|folder| folder.id);
            ids.collect::<Vec<_>>()
        };
        assert_eq!(ids(&[inner, outer, inner], false), [inner, outer]);
        assert_eq!(ids(&[inner, ROOT], true), [inner, ROOT, outer, search]);
        assert!(ids(&[GlobCnt(0x7777)], true).is_empty());
        let version = |id| mailbox.survey(&[id], false).folders[0].version;
        let before = [inner, outer].map(version);
        save(&mailbox, inner);
        assert!(version(inner) > before[0]);
        assert_eq!(version(outer), before[1]);
        assert_eq!(mailbox.survey(&[inner], false).folders[0].content, 1);
        assert!(mailbox.is_within(inner, outer) && mailbox.is_within(outer, outer));
        assert!(mailbox.is_within(inner, ROOT) && !mailbox.is_within(outer, inner));
        let searches = mailbox.search_folders().into_iter();
        assert!(searches.map(|folder| folder.id).eq([search]));
        let how = DeleteFolder {
            messages: true,
            folders: true,
            hard: false,
        };
        assert!(mailbox.delete_folder(outer, how).unwrap());
        assert!(ids(&[outer, inner], true).is_empty());
        assert!(mailbox.search_folders().is_empty());
    }

    #[test]
    fn messages_of_several_folders_are_seen_to_in_one_commit() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path());
        let [a, b, to] =
            ["a", "b", "to"].map(|name| create(&mailbox, ROOT, FolderKind::Generic, name));
        let nowhere = GlobCnt(0x7777);
        let mut places: Vec<MessagePlace> = [a, b, a]
            .into_iter()
            .map(|folder| (folder, save(&mailbox, folder)))
            .collect();
        places.insert(1, (nowhere, places[0].1));
        places.push((b, places[0].1));
        let missing = vec![places[1].1, places[4].1];
        let version = mailbox.folders_version();
        let read = mailbox.set_read_at(&places, true).unwrap();
        assert_eq!((read.changed.len(), &read.missing), (3, &missing));
        // Two folders changed, each once.
        assert_eq!(mailbox.folders_version(), version + 2);
        let copied = mailbox.copy_messages_at(&places[..4], to).unwrap();
        assert_eq!((copied.done.len(), copied.missing.len()), (3, 1));
        let moved = mailbox.move_messages_at(&places[3..], to).unwrap();
        assert_eq!((moved.done.len(), moved.missing.len()), (1, 1));
        let gone = mailbox.move_messages_at(&places, nowhere);
        assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
        let deleted = mailbox.delete_messages_at(&places[..3], false).unwrap();
        assert_eq!(deleted, [places[1].1]);
        let count = |folder| {
            let view = mailbox.contents(folder, ContentsView::Normal).unwrap();
            assert!(view.iter().all(|entry| entry.read));
            view.len()
        };
        assert_eq!([a, b, to].map(count), [0, 0, 4]);
    }

    #[test]
    fn an_amended_folder_is_no_other_folder_and_keeps_what_it_got() {
        let dir = tempfile::tempdir().unwrap();
        let (store, mailbox) = open(dir.path());
        let id = create(&mailbox, ROOT, FolderKind::Search, "search");
        let before = mailbox.folder(id).unwrap();
        let tag = ropewalk_props::PropTag(0x67FC_0102);
        // More than a bag holds itself.
        let value = PropValue::Binary(vec![7; 20_000]);
        mailbox.amend_folder(id, &[(tag, value)], &[]).unwrap();
        let after = mailbox.folder(id).unwrap();
        assert_eq!((after.cn, after.modified), (before.cn, before.modified));
        assert_eq!(after.local_commit_time, before.local_commit_time);
        assert!(after.version > before.version);
        drop((mailbox, store));
        let (_store, mailbox) = open(dir.path());
        let props = mailbox.folder(id).unwrap().props;
        let len = match ropewalk_props::BagView::slot(&*props, tag.id()) {
            Some((_, ropewalk_props::Slot::External(blob))) => blob.len,
            other => panic!("{other:?}"),
        };
        assert_eq!(len, 20_000);
        mailbox.amend_folder(id, &[], &[tag.id()]).unwrap();
        let props = mailbox.folder(id).unwrap().props;
        assert!(ropewalk_props::BagView::slot(&*props, tag.id()).is_none());
        let gone = mailbox.amend_folder(GlobCnt(0x7777), &[], &[]);
        assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    }
}
