//! What is in a store, in numbers.

use std::{fs, io, path::Path, sync::Arc};

use ropewalk_props::{FileTime, Guid};

use super::{
    UpkeepError,
    against::IndexCopy,
    closed::Closed,
    copy::Source,
    files::FileKind,
    reach::{mailboxes, owners},
    walk::Piece,
};
use crate::{
    OpenError, Store, StoreError, StoreOptions,
    disk::OsDisk,
    index::{
        Kv,
        keys::{self, Part},
        scan, value,
    },
    log::segment::SEGMENT_HEADER,
    records::{BlobRecord, FolderMeta},
};

/// Files of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStats {
    /// How many.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// What the mailboxes hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The last commit that these numbers reflect.
    pub lsn: u64,
    /// Users, each with one mailbox.
    pub users: u64,
    /// Folders, soft-deleted ones included.
    pub folders: u64,
    /// Normal and folder-associated messages.
    pub messages: u64,
    /// Soft-deleted messages.
    pub deleted_messages: u64,
    /// Bytes of the normal and folder-associated messages, as their owners see it: a value that is stored
    /// once for many counts for each.
    pub message_bytes: u64,
    /// Large values, each stored once.
    pub blobs: u64,
    /// Bytes of the large values.
    pub blob_bytes: u64,
}

/// What is in a store, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// The store's own GUID.
    pub store: Guid,
    /// The format version of the log's last segment.
    pub format: u16,
    /// The last frame of the log.
    pub last_lsn: u64,
    /// When it was written; zero if that is not known.
    pub last_time: FileTime,
    /// Segments of the log, compacted ones not included.
    pub segments: FileStats,
    /// What compaction made of segments.
    pub packs: FileStats,
    /// Checkpoints.
    pub checkpoints: FileStats,
    /// What starts moved away from an unfinished end of the log. May be deleted.
    pub cut: FileStats,
    /// The index.
    pub index: FileStats,
    /// Everything in the store's directory.
    pub total: FileStats,
    /// Bytes of the log that were in use at the last compaction, and the last commit that it saw. `None`
    /// if there was none since the store was opened.
    pub live: Option<(u64, u64)>,
    /// Whether new records are encrypted.
    pub encrypted: bool,
    /// What the mailboxes hold; `None` if the index cannot tell.
    pub counts: Option<Counts>,
}

impl Store {
    /// What is in the store, in numbers. Looks at each folder and each large value's entry, not at
    /// messages.
    pub fn stats(&self) -> Result<StoreStats, UpkeepError> {
        let core = self.core();
        let end = core.log.end();
        let segments = core.log.segments();
        let mut stats = StoreStats {
            store: core.store_guid(),
            encrypted: segments.keys.current().is_some(),
            live: core.compactor.live(),
            ..StoreStats::default()
        };
        {
            let _files_stay = core.files.read_recursive();
            let sources = super::backup::sources(core, end)?;
            stats.log(&sources)?;
        }
        stats.last_lsn = stats.last_lsn.max(end.lsn);
        let dir = segments.dir().parent().unwrap_or(segments.dir());
        stats.directory(dir)?;
        let applied = core.index.applied();
        stats.counts = Some(counts(&*core.index.kv()?, applied)?);
        Ok(stats)
    }
}

/// What is in a store that is closed, in numbers. Changes nothing in `dir`; the index is copied to the
/// directory for temporary files to be read. Of `options` the key counts.
pub fn stats(dir: &Path, options: &StoreOptions) -> Result<StoreStats, UpkeepError> {
    let closed = Closed::open(Arc::new(OsDisk), dir, options)?;
    let cipher = closed.keys.current().cloned();
    let mut stats = StoreStats {
        store: closed.store,
        encrypted: cipher.is_some(),
        ..StoreStats::default()
    };
    let sources = closed.sources()?;
    complete(dir, &sources)?;
    stats.log(&sources)?;
    stats.directory(dir)?;
    let copy = IndexCopy::open(dir, closed.store, cipher);
    if let (Some(kv), Some(applied)) = (&copy.kv, copy.applied) {
        stats.counts = counts(&**kv, applied.lsn).ok();
    }
    Ok(stats)
}

/// An error if files of the log are missing. What is in those that are there is not looked at.
fn complete(dir: &Path, sources: &[Source]) -> Result<(), UpkeepError> {
    let names = || sources.iter().map(|source| &source.name);
    let of_kind = |kind| names().filter(move |name| name.kind == kind);
    let mut spans: Vec<(u32, u32)> = of_kind(FileKind::Pack)
        .chain(of_kind(FileKind::Segment))
        .map(|name| (name.first, name.last))
        .collect();
    spans.sort_unstable();
    let mut next = 1;
    let mut missing = None;
    for (first, last) in spans {
        if first > next {
            missing = missing.or(Some(next));
        }
        next = next.max(last.saturating_add(1));
    }
    // The last one is never in a pack.
    let packed = of_kind(FileKind::Pack).map(|name| name.last).max();
    let last = of_kind(FileKind::Segment).map(|name| name.last).max();
    if last <= packed {
        missing = missing.or(Some(next));
    }
    match missing {
        Some(segment) => Err(OpenError::BadLog {
            dir: dir.to_owned(),
            reason: format!("segment {segment} is missing"),
        }
        .into()),
        None => Ok(()),
    }
}

impl StoreStats {
    /// The files of the log, and its last frame.
    fn log(&mut self, sources: &[Source]) -> Result<(), UpkeepError> {
        let mut last = None;
        for source in sources {
            let of_kind = match source.name.kind {
                FileKind::Segment => {
                    last = Some(source);
                    &mut self.segments
                }
                FileKind::Pack => &mut self.packs,
                FileKind::Checkpoint => &mut self.checkpoints,
                FileKind::Keys => continue,
            };
            of_kind.add(source.len);
        }
        let Some(last) = last else {
            return Ok(());
        };
        let read = || {
            let header = last.header()?;
            let mut found = header.map_or((0, FileTime(0)), |header| {
                (header.base_lsn.saturating_sub(1), FileTime(0))
            });
            let mut walk = last.walk(u64::from(SEGMENT_HEADER));
            while let Some(stretch) = walk.next()? {
                if let Piece::Frame(header) = stretch.piece {
                    found = (header.lsn, header.time);
                }
            }
            Ok((last.format()?, found))
        };
        let (format, found) = read().map_err(UpkeepError::io("log".as_ref()))?;
        self.format = format;
        (self.last_lsn, self.last_time) = found;
        Ok(())
    }

    /// Everything in the store's directory.
    fn directory(&mut self, dir: &Path) -> Result<(), UpkeepError> {
        let mut visit = |path: &Path, len: u64| {
            self.total.add(len);
            let below = path.strip_prefix(dir).unwrap_or(path);
            let name = below.file_name().and_then(|name| name.to_str());
            if below.starts_with("index") {
                self.index.add(len);
            } else if below.starts_with("log") && name.is_some_and(|name| name.starts_with("cut")) {
                self.cut.add(len);
            }
        };
        each_file(dir, &mut visit).map_err(UpkeepError::io(dir))
    }
}

impl FileStats {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// Calls `visit` for each file below a directory; those that go meanwhile are left out.
fn each_file(dir: &Path, visit: &mut dyn FnMut(&Path, u64)) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let there = entry
            .metadata()
            .and_then(|metadata| match metadata.is_dir() {
                true => each_file(&entry.path(), visit),
                false => {
                    visit(&entry.path(), metadata.len());
                    Ok(())
                }
            });
        match there {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What the mailboxes hold, as an index says.
fn counts(kv: &dyn Kv, lsn: u64) -> Result<Counts, StoreError> {
    let mut counts = Counts {
        lsn,
        users: owners(kv)?.len() as u64,
        ..Counts::default()
    };
    for guid in mailboxes(kv)? {
        scan(kv, &keys::part(guid, Part::Folder), &mut |_, bytes| {
            let held = value::decode::<FolderMeta>(bytes)?.counts;
            counts.folders += 1;
            counts.messages += u64::from(held.content) + u64::from(held.associated);
            counts.deleted_messages += u64::from(held.deleted) + u64::from(held.deleted_associated);
            counts.message_bytes += held.size + held.associated_size;
            Ok(())
        })?;
    }
    scan(kv, keys::BLOBS, &mut |_, bytes| {
        counts.blobs += 1;
        counts.blob_bytes += value::decode::<BlobRecord>(bytes)?.len;
        Ok(())
    })?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use ropewalk_props::{GlobCnt, PropValue, tags};

    use super::*;
    use crate::{
        ContentsView, Message, SaveMessage,
        tests::history::{guid_of, new_user},
    };

    #[test]
    fn an_open_and_a_closed_store_tell_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions::default();
        let store = Store::open(dir.path(), options.clone()).unwrap();
        store.add_user(new_user(0)).unwrap();
        store.add_user(new_user(1)).unwrap();
        let mailbox = store.mailbox(guid_of(1)).unwrap();
        for number in 0..7 {
            let mut message = Message::default();
            let body = PropValue::Binary(vec![number; 20_000]);
            message.props.set(tags::PID_TAG_RTF_COMPRESSED, &body);
            let save = SaveMessage {
                folder: GlobCnt(2),
                id: None,
                associated: number == 0,
                read: None,
                expected_cn: None,
                message,
            };
            mailbox.save_message(save).unwrap();
        }
        let contents = mailbox.contents(GlobCnt(2), ContentsView::Normal).unwrap();
        let first = contents.iter().next().unwrap().id;
        mailbox
            .delete_messages(GlobCnt(2), &[first], false)
            .unwrap();
        let lsn = store.core().log.last_lsn();
        store.core().index.wait_applied(lsn).unwrap();
        let open = store.stats().unwrap();
        drop(mailbox);
        store.close().unwrap();
        let closed = super::stats(dir.path(), &options).unwrap();
        for stats in [&open, &closed] {
            let counts = stats.counts.unwrap();
            assert_eq!((counts.users, counts.folders), (2, 4));
            assert_eq!((counts.messages, counts.deleted_messages), (6, 1));
            assert_eq!((counts.blobs, counts.blob_bytes), (7, 140_000));
            assert!(counts.message_bytes > 120_000 && counts.message_bytes < 130_000);
            assert_eq!((stats.segments.files, stats.packs.files), (1, 0));
            assert!(stats.segments.bytes > 120_000 && stats.index.bytes > 0);
            assert!(stats.total.bytes >= stats.segments.bytes + stats.index.bytes);
            assert_eq!((stats.format, stats.store), (2, store.store_guid()));
            assert!(stats.last_time > FileTime(0) && !stats.encrypted);
        }
        assert_eq!(open.last_lsn, lsn);
        assert_eq!(closed.last_lsn, lsn + 1, "the end mark");
    }
}
