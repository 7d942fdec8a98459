//! What the store should hold, as plainly as can be said.

use std::{collections::BTreeMap, sync::Arc};

use ropewalk_props::{BagView, GlobCnt, Guid, PropTag, PropertyName, tags};

use super::{
    content::{Content, MessageSpec, content, read_blob},
    history::{Op, guid_of},
};
use crate::{ContentsView, FolderCounts, Store, StoreError, versions};

/// What a message should be.
#[derive(Clone, Debug)]
pub struct ModelMessage {
    pub cn: u64,
    pub read_cn: u64,
    pub read: bool,
    pub associated: bool,
    pub soft_deleted: bool,
    pub created: u64,
    pub modified: u64,
    pub content: Arc<Content>,
}

/// What a folder should be.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    pub parent: u64,
    pub name: String,
    pub cn: u64,
    pub deleted: bool,
    pub deleted_total: u32,
    pub messages: BTreeMap<u64, ModelMessage>,
}

/// What a mailbox should be.
#[derive(Clone, Debug, Default)]
pub struct ModelMailbox {
    pub counter: u64,
    pub folders: BTreeMap<u64, ModelFolder>,
    pub names: Vec<PropertyName>,
    pub replids: Vec<Guid>,
    pub comment: Option<String>,
    pub receive: BTreeMap<String, u64>,
}

/// What the store should hold.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// By number.
    pub users: BTreeMap<u64, (String, ModelMailbox)>,
    pub largest_user: u32,
    pub minimal_ids: BTreeMap<u64, u32>,
}

pub const ROOT: u64 = 1;
pub const INBOX: u64 = 2;

type Outcome = Result<String, &'static str>;

fn folded(name: &str) -> String {
    name.to_lowercase().replace('ß', "ss")
}

impl ModelMailbox {
    fn new() -> Self {
        let folder = |parent, name: &str, cn| ModelFolder {
            parent,
            name: name.to_owned(),
            cn,
            deleted: false,
            deleted_total: 0,
            messages: BTreeMap::new(),
        };
        Self {
            counter: 0x1_0002,
            folders: BTreeMap::from([
                (ROOT, folder(ROOT, "", 0x1_0000)),
                (INBOX, folder(ROOT, "Inbox", 0x1_0001)),
            ]),
            receive: BTreeMap::from([(String::new(), INBOX)]),
            ..Self::default()
        }
    }

    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter - 1
    }

    /// A folder that is not soft-deleted.
    fn live(&self, id: u64) -> Result<&ModelFolder, &'static str> {
        let folder = self.folders.get(&id).filter(|folder| !folder.deleted);
        folder.ok_or("NotFound")
    }

    fn child_named(&self, parent: u64, name: &str) -> Option<u64> {
        let mut children = self.folders.iter();
        let same = |folder: &ModelFolder| !folder.deleted && folded(&folder.name) == folded(name);
        let found = children.find(|(id, f)| f.parent == parent && **id != ROOT && same(f));
        found.map(|(id, _)| *id)
    }

    /// A folder and all below it, siblings by name.
    fn subtree(&self, id: u64) -> Vec<u64> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(id) = found.get(next).copied() {
            let all = self.folders.iter();
            let children = all.filter(|(child, f)| f.parent == id && **child != id);
            let mut children: Vec<_> = children.map(|(id, f)| (folded(&f.name), *id)).collect();
            children.sort();
            found.extend(children.into_iter().map(|(_, id)| id));
            next += 1;
        }
        found
    }

    /// The name of a folder that is moved or copied to a place.
    fn destination(&self, id: u64, to: u64, name: Option<&String>) -> Result<String, &'static str> {
        let name = name.unwrap_or(&self.live(id)?.name).clone();
        if id == ROOT {
            return Err("Invalid");
        }
        let mut above = to;
        self.live(to)?;
        while above != ROOT {
            if above == id {
                return Err("another");
            }
            above = self.folders[&above].parent;
        }
        Ok(name)
    }

    /// Copies a folder as it was before, and its subfolders in order of name if `deep`.
    fn copy_folder(
        &mut self,
        id: u64,
        to: u64,
        name: String,
        deep: bool,
        before: BTreeMap<u64, ModelFolder>,
    ) -> u64 {
        let (copy, cn) = (self.next(), self.next());
        let mut messages = BTreeMap::new();
        for associated in [false, true] {
            for message in before[&id].messages.values() {
                if message.soft_deleted || message.associated != associated {
                    continue;
                }
                let (id, cn) = (self.next(), self.next());
                let (cn, read_cn) = (cn, cn);
                let message = message.clone();
                messages.insert(
                    id,
                    ModelMessage {
                        cn,
                        read_cn,
                        ..message
                    },
                );
            }
        }
        let folder = ModelFolder {
            parent: to,
            name,
            cn,
            deleted: false,
            deleted_total: 0,
            messages,
        };
        self.folders.insert(copy, folder);
        let children = before.iter();
        let children = children.filter(|(child, f)| f.parent == id && **child != id && !f.deleted);
        let mut children: Vec<_> = children.map(|(id, f)| (folded(&f.name), *id)).collect();
        children.sort();
        for (_, child) in children.into_iter().filter(|_| deep) {
            let name = before[&child].name.clone();
            self.copy_folder(child, copy, name, deep, before.clone());
        }
        copy
    }

    /// Deletes a folder and all below it.
    fn delete_tree(&mut self, id: u64, hard: bool) {
        for id in self.subtree(id) {
            if hard {
                self.folders.remove(&id);
                continue;
            }
            if self.live(id).is_err() {
                continue;
            }
            let cn = self.next();
            let Some(folder) = self.folders.get_mut(&id) else {
                continue;
            };
            (folder.cn, folder.deleted) = (cn, true);
            for message in folder.messages.values_mut() {
                folder.deleted_total += u32::from(!message.soft_deleted);
                message.soft_deleted = true;
            }
        }
    }

    fn save(
        &mut self,
        folder: u64,
        id: Option<u64>,
        associated: bool,
        read: Option<bool>,
        spec: &MessageSpec,
        now: u64,
    ) -> Result<(u64, u64), &'static str> {
        let found = self.live(folder)?;
        let old = match id {
            Some(id) => {
                let old = found.messages.get(&id).filter(|m| !m.soft_deleted);
                Some(old.ok_or("NotFound")?.clone())
            }
            None => None,
        };
        let id = id.unwrap_or_else(|| self.next());
        let cn = self.next();
        let message = ModelMessage {
            cn,
            read_cn: cn,
            read: read.unwrap_or(old.as_ref().is_some_and(|old| old.read)),
            associated: old.as_ref().map_or(associated, |old| old.associated),
            soft_deleted: false,
            created: old.as_ref().map_or(now, |old| old.created),
            modified: now,
            content: Arc::new(spec.content()),
        };
        let folder = self.folders.get_mut(&folder).ok_or("NotFound")?;
        folder.messages.insert(id, message);
        Ok((id, cn))
    }

    fn counts(&self, id: u64) -> FolderCounts {
        let folder = &self.folders[&id];
        let children = self.folders.iter();
        let children = children.filter(|(child, f)| f.parent == id && **child != id && !f.deleted);
        let mut counts = FolderCounts {
            child_folders: children.count() as u32,
            deleted_total: folder.deleted_total,
            ..FolderCounts::default()
        };
        for message in folder.messages.values() {
            match (message.soft_deleted, message.associated) {
                (false, false) => {
                    counts.content += 1;
                    counts.unread += u32::from(!message.read);
                    counts.size += message.size();
                }
                (false, true) => {
                    counts.associated += 1;
                    counts.associated_size += message.size();
                }
                (true, false) => counts.deleted += 1,
                (true, true) => counts.deleted_associated += 1,
            }
        }
        counts
    }
}

impl ModelMessage {
    fn size(&self) -> u64 {
        let values: usize = self.content.iter().map(|(_, _, bytes)| bytes.len()).sum();
        values as u64 + 16 // two times
    }

    fn view(&self) -> ContentsView {
        match (self.soft_deleted, self.associated) {
            (false, false) => ContentsView::Normal,
            (false, true) => ContentsView::Associated,
            (true, false) => ContentsView::SoftDeleted,
            (true, true) => ContentsView::SoftDeletedAssociated,
        }
    }
}

impl Model {
    /// Does `op`; what the store should answer.
    pub fn apply(&mut self, op: &Op, now: u64) -> Outcome {
        match op {
            Op::AddUser(user) => {
                if self.users.contains_key(user) {
                    return Err("EmailTaken");
                }
                let mailbox = ModelMailbox::new();
                self.users.insert(*user, ("first".into(), mailbox));
                self.largest_user = self.largest_user.max(0xF) + 1;
                self.minimal_ids.insert(*user, self.largest_user);
                Ok(self.largest_user.to_string())
            }
            Op::RemoveUser(user) => {
                self.minimal_ids.remove(user);
                let removed = self.users.remove(user);
                removed.map(|_| String::new()).ok_or("NotFound")
            }
            Op::SetPassword(user, password) => {
                let known = self.users.get_mut(user).ok_or("NotFound")?;
                known.0.clone_from(password);
                Ok(String::new())
            }
            Op::In(user, op) => {
                let known = self.users.get_mut(user).ok_or("NotFound")?;
                let mut mailbox = known.1.clone();
                let answer = mailbox.apply(op, now)?;
                known.1 = mailbox;
                Ok(answer)
            }
        }
    }

    /// How the store differs from this.
    pub fn check(&self, store: &Store) -> Result<(), String> {
        let users: Vec<u32> = store.users().iter().map(|user| user.minimal_id).collect();
        let mut expected: Vec<u32> = self.minimal_ids.values().copied().collect();
        expected.sort_unstable();
        same("users", &users, &expected)?;
        for (number, (password, mailbox)) in &self.users {
            let email = format!("U{number}@Example.test");
            let user = store.user_by_email(&email).ok_or("a user is missing")?;
            same("password", &user.password_hash, password)?;
            same("mailbox", &user.mailbox_guid, &guid_of(*number))?;
            mailbox
                .check(store, *number)
                .map_err(|error| format!("user {number}: {error}"))?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let (mut found, mut expected) = (format!("{found:?}"), format!("{expected:?}"));
    found.truncate(400);
    expected.truncate(400);
    Err(format!("{what}: {found} instead of {expected}"))
}

fn text<E: std::fmt::Debug>(error: E) -> String {
    format!("{error:?}")
}

impl ModelMailbox {
    fn check(&self, store: &Store, number: u64) -> Result<(), String> {
        let mailbox = store.mailbox(guid_of(number)).map_err(text)?;
        let replica = mailbox.repl_guid();
        same("counter", &mailbox.counter(), &self.counter)?;
        for (id, folder) in &self.folders {
            let found = mailbox
                .folder(GlobCnt(*id))
                .ok_or(format!("no folder {id:x}"))?;
            let name = found.props.get_text(tags::PID_TAG_DISPLAY_NAME);
            same("name", &name.as_ref(), &Some(&folder.name))?;
            same("parent", &found.parent.0, &folder.parent)?;
            same("folder's cn", &found.cn.0, &folder.cn)?;
            same("soft-deleted folder", &found.deleted, &folder.deleted)?;
            let xid = versions::xid(replica, GlobCnt(folder.cn));
            same("folder's change key", &found.change_key, &xid)?;
            let counts = self.counts(*id);
            same(&format!("counts of {id:x}"), &found.counts, &counts)?;
            for view in [
                ContentsView::Normal,
                ContentsView::Associated,
                ContentsView::SoftDeleted,
                ContentsView::SoftDeletedAssociated,
            ] {
                let contents = mailbox.contents(GlobCnt(*id), view).map_err(text)?;
                let found: Vec<u64> = contents.iter().map(|entry| entry.id.0).collect();
                let expected = folder.messages.iter().filter(|(_, m)| m.view() == view);
                let expected: Vec<u64> = expected.map(|(id, _)| *id).collect();
                same(&format!("{view:?} of {id:x}"), &found, &expected)?;
                for entry in contents.iter() {
                    let message = &folder.messages[&entry.id.0];
                    let found = (entry.cn.0, entry.read_cn.0, entry.read, entry.size);
                    let size = message.size();
                    let expected = (message.cn, message.read_cn, message.read, size);
                    same("cn, read cn, read, size", &found, &expected)?;
                    let times = (entry.created.0, entry.modified.0);
                    same("times", &times, &(message.created, message.modified))?;
                    let xid = versions::xid(replica, entry.cn);
                    same("change key", &entry.change_key(), &xid)?;
                    let list = versions::merge(&[], &xid);
                    same("change list", &entry.predecessor_change_list(), &list)?;
                    let stored = mailbox.read_message(entry).map_err(text)?.to_message();
                    let blob = |blob| read_blob(store, blob).unwrap_or_else(|e| text(e).into());
                    let mut found = content(&stored, &blob);
                    let times = |tag: PropTag| {
                        tag == tags::PID_TAG_CREATION_TIME
                            || tag == tags::PID_TAG_LAST_MODIFICATION_TIME
                    };
                    found.retain(|(path, tag, _)| !(path.is_empty() && times(*tag)));
                    same("content", &found, &*message.content)?;
                }
            }
        }
        for deleted in [false, true] {
            let found = mailbox.hierarchy(GlobCnt(ROOT), true, deleted).into_iter();
            let mut found: Vec<u64> = found.map(|(id, _)| id.0).collect();
            found.sort_unstable();
            let all = self.folders.iter();
            let expected = all.filter(|(id, f)| **id != ROOT && f.deleted == deleted);
            let expected: Vec<u64> = expected.map(|(id, _)| *id).collect();
            same("folders", &found, &expected)?;
        }
        let names: Vec<PropertyName> = mailbox.all_named().into_iter().map(|n| n.1).collect();
        same("names", &names, &self.names)?;
        for (index, guid) in self.replids.iter().enumerate() {
            same(
                "replid",
                &mailbox.replguid_of(index as u16 + 2),
                &Some(*guid),
            )?;
        }
        let next = self.replids.len() as u16 + 2;
        same("next replid", &mailbox.replguid_of(next), &None)?;
        let comment = mailbox.store_props().get_text(tags::PID_TAG_COMMENT);
        same("comment", &comment, &self.comment)?;
        let receive = mailbox.receive_folders().into_iter();
        let receive: Vec<_> = receive.map(|r| (r.message_class, r.folder.0)).collect();
        let expected = self.receive.iter();
        let expected = expected.filter(|(_, folder)| self.live(**folder).is_ok());
        let expected: Vec<_> = expected.map(|(c, f)| (c.clone(), *f)).collect();
        same("receive folders", &receive, &expected)
    }

    fn apply(&mut self, op: &super::history::MailboxOp, now: u64) -> Outcome {
        use super::history::MailboxOp as Op;
        match op {
            Op::CreateFolder { parent, name } => {
                self.live(*parent)?;
                if self.child_named(*parent, name).is_some() {
                    return Err("DuplicateName");
                }
                let (id, cn) = (self.next(), self.next());
                let folder = ModelFolder {
                    parent: *parent,
                    name: name.clone(),
                    cn,
                    deleted: false,
                    deleted_total: 0,
                    messages: BTreeMap::new(),
                };
                self.folders.insert(id, folder);
                Ok(format!("{id} {cn}"))
            }
            Op::RenameFolder { id, name } => {
                let parent = self.live(*id)?.parent;
                let twin = self.child_named(parent, name);
                if *id != ROOT && twin.is_some_and(|twin| twin != *id) {
                    return Err("DuplicateName");
                }
                let cn = self.next();
                let folder = self.folders.get_mut(id).ok_or("NotFound")?;
                folder.name.clone_from(name);
                folder.cn = cn;
                Ok(String::new())
            }
            Op::DeleteFolder { id, how } => {
                if !how.hard || !self.folders.contains_key(id) {
                    self.live(*id)?;
                }
                if *id == ROOT {
                    return Err("Invalid");
                }
                let counts = self.counts(*id);
                let full = counts.content + counts.associated > 0;
                if full && !how.messages || counts.child_folders > 0 && !how.folders {
                    return Ok("false".into());
                }
                self.delete_tree(*id, how.hard);
                Ok("true".into())
            }
            Op::MoveFolder { id, to, name } => {
                let name = self.destination(*id, *to, name.as_ref())?;
                let twin = self.child_named(*to, &name);
                if twin.is_some_and(|twin| twin != *id) {
                    return Err("DuplicateName");
                }
                let cn = self.next();
                let folder = self.folders.get_mut(id).ok_or("NotFound")?;
                (folder.parent, folder.name, folder.cn) = (*to, name, cn);
                Ok(String::new())
            }
            Op::CopyFolder { id, to, name, deep } => {
                let name = self.destination(*id, *to, name.as_ref())?;
                if self.child_named(*to, &name).is_some() {
                    return Err("DuplicateName");
                }
                let copy = self.copy_folder(*id, *to, name, *deep, self.folders.clone());
                Ok(copy.to_string())
            }
            Op::Save {
                folder,
                associated,
                specs,
            } => {
                let saved: Result<Vec<_>, _> = specs
                    .iter()
                    .map(|spec| self.save(*folder, None, *associated, None, spec, now))
                    .collect();
                Ok(format!("{:?}", saved?))
            }
            Op::Resave {
                folder,
                id,
                stale,
                read,
                spec,
            } => {
                if *stale {
                    let folder = self.folders.get(folder).ok_or("NotFound")?;
                    let message = folder.messages.get(id).filter(|m| !m.soft_deleted);
                    message.ok_or("NotFound")?;
                    return Err("Conflict");
                }
                let saved = self.save(*folder, Some(*id), false, *read, spec, now)?;
                Ok(format!("{:?}", [saved]))
            }
            Op::Delete { folder, ids, hard } => {
                self.live(*folder)?;
                let folder = self.folders.get_mut(folder).ok_or("NotFound")?;
                let mut missing = Vec::new();
                for id in ids {
                    match folder.messages.get_mut(id) {
                        Some(message) if *hard || !message.soft_deleted => {
                            folder.deleted_total += u32::from(!message.soft_deleted);
                            message.soft_deleted = true;
                            if *hard {
                                folder.messages.remove(id);
                            }
                        }
                        _ => missing.push(*id),
                    }
                }
                Ok(format!("{missing:?}"))
            }
            Op::Empty { folder, how } => {
                self.live(*folder)?;
                let folder_id = *folder;
                let folder = self.folders.get_mut(folder).ok_or("NotFound")?;
                for (id, mut message) in std::mem::take(&mut folder.messages) {
                    let kept = message.associated && !how.associated;
                    if kept || message.soft_deleted && !how.hard {
                        folder.messages.insert(id, message);
                        continue;
                    }
                    folder.deleted_total += u32::from(!message.soft_deleted);
                    if !how.hard {
                        message.soft_deleted = true;
                        folder.messages.insert(id, message);
                    }
                }
                // The order in which they take change numbers.
                let mut children = self.subtree(folder_id);
                children.retain(|id| *id != ROOT && self.folders[id].parent == folder_id);
                for child in children {
                    if how.hard || self.live(child).is_ok() {
                        self.delete_tree(child, how.hard);
                    }
                }
                Ok("true".into())
            }
            Op::Transfer {
                from,
                to,
                ids,
                remove,
            } => {
                self.live(*from)?;
                self.live(*to)?;
                let (mut done, mut missing) = (Vec::new(), Vec::new());
                for id in ids {
                    let known = self.folders[from].messages.get(id).cloned();
                    let Some(mut message) = known else {
                        missing.push(*id);
                        continue;
                    };
                    let (new, cn) = (self.next(), self.next());
                    (message.cn, message.read_cn) = (cn, cn);
                    message.soft_deleted = false;
                    if *remove {
                        let from = self.folders.get_mut(from).ok_or("NotFound")?;
                        from.messages.remove(id);
                    }
                    let to = self.folders.get_mut(to).ok_or("NotFound")?;
                    to.messages.insert(new, message);
                    done.push((*id, new));
                }
                Ok(format!("{done:?} {missing:?}"))
            }
            Op::SetRead { folder, ids, read } => {
                self.live(*folder)?;
                let (mut changed, mut missing) = (Vec::new(), Vec::new());
                for id in ids {
                    let folder = self.folders.get_mut(folder).ok_or("NotFound")?;
                    let Some(message) = folder.messages.get_mut(id) else {
                        missing.push(*id);
                        continue;
                    };
                    if message.read != *read {
                        message.read = *read;
                        message.read_cn = self.counter;
                        self.counter += 1;
                        changed.push(*id);
                    }
                }
                Ok(format!("{changed:?} {missing:?}"))
            }
            Op::Names(names) => {
                let mut ids = Vec::new();
                for name in names {
                    let known = self.names.iter().position(|known| known == name);
                    let index = known.unwrap_or_else(|| {
                        self.names.push(name.clone());
                        self.names.len() - 1
                    });
                    ids.push(0x8001 + index as u16);
                }
                Ok(format!("{ids:?}"))
            }
            Op::Replid(guid) => {
                let known = self.replids.iter().position(|known| known == guid);
                let index = known.unwrap_or_else(|| {
                    self.replids.push(*guid);
                    self.replids.len() - 1
                });
                Ok((index + 2).to_string())
            }
            Op::Reserve(count) => {
                let first = self.counter;
                self.counter += u64::from(*count);
                Ok(first.to_string())
            }
            Op::Comment(comment) => {
                self.comment.clone_from(comment);
                Ok(String::new())
            }
            Op::Receive(class, folder) => {
                match folder {
                    Some(folder) => {
                        self.live(*folder)?;
                        self.receive.insert(class.clone(), *folder);
                    }
                    None => {
                        self.receive.remove(class);
                    }
                }
                Ok(String::new())
            }
        }
    }
}

/// The name of an error's kind.
pub fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound => "NotFound",
        StoreError::Conflict => "Conflict",
        StoreError::DuplicateName(_) => "DuplicateName",
        StoreError::EmailTaken => "EmailTaken",
        StoreError::Invalid(_) => "Invalid",
        StoreError::ReadOnly { .. } => "ReadOnly",
        _ => "another",
    }
}
