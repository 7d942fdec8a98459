//! A mailbox in memory: what readers see.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use imbl::OrdMap;
use ropewalk_props::{
    Bag, BagView, FileTime, GlobCnt, Guid, PropType, PropertyName, tags, text::comparable,
};

use super::types::{
    Companion, Contents, ContentsView, Folder, FolderCounts, MessageEntry, ReceiveFolder,
};
use crate::{log::frame::Location, records::FolderMeta, versions};

/// A folder, with what only the store needs to know.
#[derive(Clone, Debug)]
pub struct FolderState {
    pub meta: FolderMeta,
    pub props: Arc<Bag>,
    /// The display name, folded so that names that differ in case alone are equal.
    pub name: String,
    /// Soft-deleted: its bag has PidTagDeletedOn.
    pub deleted: bool,
}

/// A folder's messages by view.
#[derive(Debug, Default)]
pub struct FolderContents {
    views: [OrdMap<GlobCnt, MessageEntry>; 4],
    companions: [Companion; 4],
    /// When somebody last looked at them.
    used: AtomicU64,
}

/// What is shown of a folder's messages while they are being read from the index.
#[derive(Debug, Default)]
pub struct Missed {
    /// All that was read is gone.
    pub cleared: bool,
    /// The messages changed since.
    pub changes: Vec<(GlobCnt, Option<MessageEntry>)>,
}

/// A mailbox in memory.
#[derive(Debug, Default)]
pub struct State {
    pub folders: HashMap<GlobCnt, FolderState>,
    /// Subfolders by folded name.
    pub children: HashMap<GlobCnt, BTreeSet<(String, GlobCnt)>>,
    /// Soft-deleted subfolders by folded name.
    pub deleted_children: HashMap<GlobCnt, BTreeSet<(String, GlobCnt)>>,
    /// Contents of the folders that were asked for so far.
    pub contents: HashMap<GlobCnt, FolderContents>,
    pub names: BTreeMap<u16, PropertyName>,
    pub name_ids: HashMap<PropertyName, u16>,
    pub replids: BTreeMap<u16, Guid>,
    pub receive: BTreeMap<String, ReceiveFolder>,
    pub props: Arc<Bag>,
    pub props_at: Location,
    /// Rises with every change of any folder, of its counts too.
    pub folders_version: u64,
    /// Bytes of the messages of all folders that are not soft-deleted.
    pub size: u64,
    /// The user was removed, and the mailbox with him.
    pub removed: bool,
    /// The last commit that is shown here.
    pub shown: u64,
    /// Changes of a folder shown while its contents are being read from the index.
    pub loading: HashMap<GlobCnt, Missed>,
}

/// A name, in UTF-16LE, as it is compared: names that differ in case alone are equal. Full case folding (Unicode
/// 3.13), which is lower case of upper case of lower case, character by character; the dotless i
/// alone would become another letter that way.
pub fn fold(name: &[u8]) -> String {
    let lower = comparable(name).flat_map(char::to_lowercase);
    let folded = lower.flat_map(|c| {
        let (same, upper) = match c {
            '\u{131}' => (Some(c), None),
            _ => (None, Some(c.to_uppercase())),
        };
        same.into_iter()
            .chain(upper.into_iter().flatten().flat_map(char::to_lowercase))
    });
    folded.collect()
}

/// The folded display name of a folder's bag.
pub fn folded_name(props: &Bag) -> String {
    let name = props.get(tags::PID_TAG_DISPLAY_NAME);
    let name = name.filter(|name| name.ty == PropType::STRING);
    fold(name.map_or(&[][..], |name| name.data))
}

impl FolderState {
    /// A folder with its bag.
    pub fn new(meta: FolderMeta, props: Arc<Bag>) -> Self {
        let name = folded_name(&props);
        let deleted = props.position(tags::PID_TAG_DELETED_ON.id()).is_some();
        Self {
            meta,
            props,
            name,
            deleted,
        }
    }

    /// What readers get.
    pub fn snapshot(&self, replica: Guid) -> Folder {
        let meta = &self.meta;
        let versions = meta.versions.as_deref();
        Folder {
            id: meta.id,
            parent: meta.parent,
            kind: meta.kind,
            props: self.props.clone(),
            cn: meta.cn,
            change_key: versions::change_key(replica, meta.cn, versions),
            predecessor_change_list: versions::predecessors(replica, meta.cn, versions),
            created: meta.created,
            modified: meta.modified,
            counts: meta.counts,
            local_commit_time: meta.local_commit_time,
            local_commit_time_max: meta.local_commit_time_max,
            hierarchy_change: meta.hierarchy_change,
            version: meta.version,
            deleted: self.deleted,
        }
    }
}

impl FolderCounts {
    /// Messages of all views.
    pub(crate) fn all(&self) -> u32 {
        let counts = [
            self.content,
            self.associated,
            self.deleted,
            self.deleted_associated,
        ];
        counts.into_iter().fold(0, u32::saturating_add)
    }

    /// Counts a message in.
    pub fn add(&mut self, entry: &MessageEntry) {
        match entry.view() {
            ContentsView::Normal => {
                self.content += 1;
                self.unread += u32::from(!entry.read);
                self.size = self.size.saturating_add(entry.size);
            }
            ContentsView::Associated => {
                self.associated += 1;
                self.associated_size = self.associated_size.saturating_add(entry.size);
            }
            ContentsView::SoftDeleted => self.deleted += 1,
            ContentsView::SoftDeletedAssociated => self.deleted_associated += 1,
        }
    }

    /// Counts a message out.
    pub fn remove(&mut self, entry: &MessageEntry) {
        match entry.view() {
            ContentsView::Normal => {
                self.content = self.content.saturating_sub(1);
                self.unread = self.unread.saturating_sub(u32::from(!entry.read));
                self.size = self.size.saturating_sub(entry.size);
            }
            ContentsView::Associated => {
                self.associated = self.associated.saturating_sub(1);
                self.associated_size = self.associated_size.saturating_sub(entry.size);
            }
            ContentsView::SoftDeleted => self.deleted = self.deleted.saturating_sub(1),
            ContentsView::SoftDeletedAssociated => {
                self.deleted_associated = self.deleted_associated.saturating_sub(1);
            }
        }
    }
}

impl FolderContents {
    /// A folder's messages.
    pub fn of(entries: impl IntoIterator<Item = MessageEntry>) -> Self {
        let mut contents = Self {
            views: Default::default(),
            companions: std::array::from_fn(|_| Companion::new()),
            used: AtomicU64::new(0),
        };
        entries.into_iter().for_each(|entry| contents.add(entry));
        contents
    }

    /// Puts a message in that is in none of the views.
    pub fn add(&mut self, entry: MessageEntry) {
        if let Some(view) = self.views.get_mut(entry.view() as usize) {
            view.insert(entry.id, entry);
        }
    }

    /// Takes all of them out.
    pub fn take(&mut self) -> Self {
        Self {
            views: std::mem::take(&mut self.views),
            ..Self::default()
        }
    }

    /// Somebody looks at them.
    pub fn note_use(&self, now: FileTime) {
        self.used.store(now.0, Ordering::Relaxed);
    }

    /// When somebody last looked at them.
    pub fn last_use(&self) -> FileTime {
        FileTime(self.used.load(Ordering::Relaxed))
    }

    /// The messages of each view.
    pub fn all(&self) -> [Contents; 4] {
        use ContentsView::*;
        [Normal, Associated, SoftDeleted, SoftDeletedAssociated].map(|view| self.view(view))
    }

    /// The messages of a view.
    pub fn view(&self, view: ContentsView) -> Contents {
        let view = view as usize;
        Contents {
            map: self.views.get(view).cloned().unwrap_or_default(),
            companion: self.companions.get(view).cloned().unwrap_or_default(),
        }
    }

    /// A message of any view.
    pub fn get(&self, id: GlobCnt) -> Option<&MessageEntry> {
        self.views.iter().find_map(|view| view.get(&id))
    }

    /// `known` with the messages counted anew.
    pub fn counts(&self, known: FolderCounts) -> FolderCounts {
        let mut counts = FolderCounts {
            child_folders: known.child_folders,
            deleted_total: known.deleted_total,
            ..FolderCounts::default()
        };
        self.iter().for_each(|entry| counts.add(entry));
        counts
    }

    /// All messages.
    pub fn iter(&self) -> impl Iterator<Item = &MessageEntry> {
        self.views.iter().flat_map(OrdMap::values)
    }

    /// Puts a message where it belongs and takes it out of any other view.
    pub fn put(&mut self, entry: MessageEntry) {
        let wanted = entry.view() as usize;
        for (index, view) in self.views.iter_mut().enumerate() {
            if index != wanted {
                view.remove(&entry.id);
            }
        }
        if let Some(view) = self.views.get_mut(wanted) {
            view.insert(entry.id, entry);
        }
    }

    /// Puts a message in or takes it out.
    pub fn change(&mut self, id: GlobCnt, entry: Option<MessageEntry>) {
        match entry {
            Some(entry) => self.put(entry),
            None => self.remove(id),
        }
    }

    /// Takes a message out.
    pub fn remove(&mut self, id: GlobCnt) {
        self.views.iter_mut().for_each(|view| {
            view.remove(&id);
        });
    }
}

impl State {
    /// Adds or replaces a folder.
    pub fn put_folder(&mut self, folder: FolderState) {
        let id = folder.meta.id;
        self.folders_version += 1;
        self.unlink(id);
        if folder.meta.parent != id {
            let siblings = if folder.deleted {
                &mut self.deleted_children
            } else {
                &mut self.children
            };
            let siblings = siblings.entry(folder.meta.parent).or_default();
            siblings.insert((folder.name.clone(), id));
        }
        let size = folder.meta.counts.bytes();
        let old = self.folders.insert(id, folder);
        self.resize(old, size);
    }

    /// Removes a folder and its messages, which it returns if they are in memory.
    pub fn remove_folder(&mut self, id: GlobCnt) -> Option<FolderContents> {
        self.folders_version += 1;
        self.unlink(id);
        let old = self.folders.remove(&id);
        self.resize(old, 0);
        self.children.remove(&id);
        self.deleted_children.remove(&id);
        self.contents.remove(&id)
    }

    fn resize(&mut self, old: Option<FolderState>, new: u64) {
        let old = old.map_or(0, |old| old.meta.counts.bytes());
        self.size = self.size.saturating_add(new).saturating_sub(old);
    }

    fn unlink(&mut self, id: GlobCnt) {
        let Some(old) = self.folders.get(&id) else {
            return;
        };
        for siblings in [&mut self.children, &mut self.deleted_children] {
            if let Some(siblings) = siblings.get_mut(&old.meta.parent) {
                siblings.remove(&(old.name.clone(), id));
            }
        }
    }

    /// Shows that a folder has no messages; returns those in memory.
    pub fn clear_messages(&mut self, id: GlobCnt) -> Option<FolderContents> {
        if let Some(missed) = self.loading.get_mut(&id) {
            missed.cleared = true;
            missed.changes.clear();
        }
        Some(self.contents.get_mut(&id)?.take())
    }

    /// Shows a message as it is now, or that it is gone.
    pub fn put_message(&mut self, folder: GlobCnt, id: GlobCnt, entry: Option<MessageEntry>) {
        if let Some(contents) = self.contents.get_mut(&folder) {
            contents.change(id, entry);
        } else if let Some(missed) = self.loading.get_mut(&folder) {
            missed.changes.push((id, entry));
        }
    }

    /// Adds a named property.
    pub fn put_name(&mut self, id: u16, name: PropertyName) {
        self.name_ids.insert(name.clone(), id);
        self.names.insert(id, name);
    }

    /// The subfolder with this folded name.
    pub fn child_named(&self, parent: GlobCnt, name: &str) -> Option<GlobCnt> {
        let from = (name.to_owned(), GlobCnt(0));
        let (found, id) = self.children.get(&parent)?.range(from..).next()?;
        (found == name).then_some(*id)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_that_differ_in_case_alone_are_equal() {
        let fold = |name: &str| super::fold(ropewalk_props::Utf16Text::from(name).as_bytes());
        for (a, b) in [
            ("Inbox", "INBOX"),
            ("Straße", "STRASSE"),
            ("STRA\u{1E9E}E", "strasse"),
            ("ΟΔΟΣ", "οδος"),
            ("ΟΔΟΣ", "οδοσ"),
            ("\u{212A}elvin", "kelvin"),
            ("Ünal", "üNAL"),
        ] {
            assert_eq!(fold(a), fold(b));
        }
        assert_ne!(fold("\u{131}"), fold("i"));
        assert_ne!(fold("resume"), fold("résumé"));
        // An unpaired surrogate is a character too.
        assert_ne!(super::fold(&[0x00, 0xD8]), super::fold(&[0x01, 0xD8]));
    }
}
