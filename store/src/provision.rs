//! Making a mailbox: the user, the folders to begin with, all in one commit.

use std::collections::HashMap;

use rkyv::rancor;
use ropewalk_props::{Bag, BagView, FileTime, GlobCnt, tags};

use crate::{
    FolderCounts, NewUser, StoreError, TemplateFolder, User,
    blob::{Spill, Spilled, pins::Referring},
    core::Core,
    index::value,
    log::frame::{FrameBuilder, Location, RecordKind},
    mailbox::folded_name,
    records::{Batch, FolderMeta, MailboxMeta, Op, ReceiveRecord, UserRecord},
};

/// Where a mailbox's counter starts; the ids of template folders are below.
const FIRST_COUNTER: u64 = 0x1_0000;
/// Bytes of a message class (MS-OXCSTOR 2.2.1.3: 255 characters and a terminator).
const MAX_CLASS: usize = 255;

/// The frame and the changes of the commit that adds a user and a mailbox, and the large values that it
/// refers to.
pub fn provision<'a>(
    core: &'a Core,
    new: NewUser,
    user: &User,
) -> Result<(FrameBuilder, Batch, Option<Referring<'a>>), StoreError> {
    let record = checked_user(user)?;
    let mut making = Making {
        core,
        now: user.created,
        frame: core.frame(),
        ops: vec![Op::PutUser(Box::new(record))],
        spill: Spill::default(),
        counter: FIRST_COUNTER,
    };
    let counts = child_counts(&new.folders)?;
    let props = making.bag(new.store_props)?;
    making.ops.push(Op::PutMailbox(Box::new(MailboxMeta {
        guid: new.mailbox_guid,
        repl_guid: new.repl_guid,
        props,
    })));
    for folder in new.folders {
        let child_folders = counts.get(&folder.id).copied().unwrap_or(0);
        making.folder(folder, child_folders)?;
    }
    for (message_class, folder) in new.receive_folders {
        if message_class.len() > MAX_CLASS {
            return Err(StoreError::TooLarge);
        }
        making
            .ops
            .push(Op::PutReceiveFolder(Box::new(ReceiveRecord {
                message_class,
                folder,
                modified: user.created,
            })));
    }
    let (mut ops, refs) = making.spill.finish();
    ops.append(&mut making.ops);
    let batch = Batch {
        mailbox: Some(new.mailbox_guid),
        counter: making.counter,
        ops,
    };
    Ok((making.frame, batch, refs))
}

/// A user's record, if the index can hold it: about 900 bytes of text in all.
pub fn checked_user(user: &User) -> Result<UserRecord, StoreError> {
    if user.email.is_empty() {
        return Err(StoreError::Invalid("a user needs an e-mail address"));
    }
    let record = UserRecord::from(user);
    value::encode(&record).map_err(|_| StoreError::TooLarge)?;
    Ok(record)
}

/// Checks the folders to begin with; returns how many subfolders each has.
fn child_counts(folders: &[TemplateFolder]) -> Result<HashMap<GlobCnt, u32>, StoreError> {
    let mut counts: HashMap<GlobCnt, u32> = HashMap::new();
    let mut names = std::collections::HashSet::new();
    let mut roots = 0;
    for folder in folders {
        if folder.id.0 >= FIRST_COUNTER || counts.contains_key(&folder.id) {
            return Err(StoreError::Invalid(
                "a template folder's id is taken or too large",
            ));
        }
        if folder.props.get(tags::PID_TAG_DISPLAY_NAME).is_none() {
            return Err(StoreError::Invalid("a template folder needs a name"));
        }
        if folder.parent == folder.id {
            roots += 1;
        } else {
            let parent = counts.get_mut(&folder.parent);
            *parent.ok_or(StoreError::Invalid(
                "a template folder comes before its parent",
            ))? += 1;
            if !names.insert((folder.parent, folded_name(&folder.props))) {
                return Err(StoreError::DuplicateName(folder.id));
            }
        }
        counts.insert(folder.id, 0);
    }
    match roots {
        0 | 1 => Ok(counts),
        _ => Err(StoreError::Invalid("a mailbox has one root")),
    }
}

struct Making<'a> {
    core: &'a Core,
    now: FileTime,
    frame: FrameBuilder,
    ops: Vec<Op>,
    spill: Spill<'a>,
    counter: u64,
}

impl Making<'_> {
    fn bag(&mut self, mut bag: Bag) -> Result<Location, StoreError> {
        let found = &mut Spilled::default();
        self.spill
            .bag(self.core, &mut self.frame, &mut bag, found)?;
        let archive = rkyv::to_bytes::<rancor::Error>(&bag).map_err(|_| StoreError::TooLarge)?;
        Ok(self.frame.add(RecordKind::Bag, &archive))
    }

    fn folder(&mut self, folder: TemplateFolder, child_folders: u32) -> Result<(), StoreError> {
        let props = self.bag(folder.props)?;
        let cn = GlobCnt(self.counter);
        self.counter += 1;
        let counts = FolderCounts {
            child_folders,
            ..FolderCounts::default()
        };
        self.ops.push(Op::PutFolder(Box::new(FolderMeta {
            id: folder.id,
            parent: folder.parent,
            kind: folder.kind,
            cn,
            versions: None,
            created: self.now,
            modified: self.now,
            counts,
            local_commit_time: self.now,
            local_commit_time_max: self.now,
            hierarchy_change: u64::from(child_folders),
            version: 1,
            props,
        })));
        Ok(())
    }
}
