//! The files of the log: their names, and which of them a segment's number stands for.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rkyv::util::AlignedVec;

use super::{
    frame::{Location, MAX_PAYLOAD, RECORD_HEADER, RecordKind},
    pack::{FinishedPack, Pack},
    sealed,
};
use crate::{
    crypto::{FileKey, Keyring, OVERHEAD},
    disk::{Disk, DiskFile, has_no_handle, is_full},
    sync::{Mutex, RwLock},
};

pub use super::header::{BadSegment, SEGMENT_HEADER, SegmentHeader, SegmentKind};

/// A segment that has reached this many bytes gets no more frames. What is not in use is given back by the
/// segment: with larger ones a small store would take more than twice what is in use between two compactions.
pub const SEGMENT_BYTES: u64 = 16 << 20;

/// Space for the header and some small frames: what is made has at least that.
const FIRST_SPACE: u64 = 64 << 10;
/// Files kept open for reading.
const OPEN_FILES: usize = 256;

/// Which segments a file stands for, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first segment.
    pub first: u32,
    /// The last one; that of a plain segment is the first.
    pub last: u32,
    /// Whether it is a pack.
    pub pack: bool,
}

impl Span {
    /// That of a plain segment.
    pub const fn plain(number: u32) -> Self {
        Self {
            first: number,
            last: number,
            pack: false,
        }
    }

    /// The file's name.
    pub fn name(self) -> String {
        match self.pack {
            true => format!("{:08}-{:08}.seg", self.first, self.last),
            false => format!("{:08}.seg", self.first),
        }
    }

    /// What a file of this name stands for, if it is one of the log's. Similar names do not count.
    pub fn of_name(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".seg")?;
        let span = match stem.split_once('-') {
            None => Self::plain(stem.parse().ok()?),
            Some((first, last)) => Self {
                first: first.parse().ok()?,
                last: last.parse().ok()?,
                pack: true,
            },
        };
        (span.name() == name && span.first >= 1 && span.first <= span.last).then_some(span)
    }

    /// Whether it stands for all that the other one stands for.
    pub const fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

/// One file of the log, as backups, statistics, checks and compaction see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// What it holds.
    pub kind: SegmentKind,
    /// The first segment that it stands for. Of a checkpoint: the segment where reading the log begins.
    pub first: u32,
    /// The last segment that it stands for.
    pub last: u32,
    /// Bytes.
    pub len: u64,
    /// What its header says; of a pack whose header is damaged, what its end says. `None` if that is
    /// damaged too.
    pub header: Option<SegmentHeader>,
    /// Where it is.
    pub path: PathBuf,
}

/// A record as a file has it.
pub struct Stored {
    /// The record's header and data, without padding.
    pub bytes: AlignedVec,
    /// What it is encrypted with.
    pub key: FileKey,
}

/// A file that is open.
#[derive(Clone)]
enum Opened {
    Plain {
        file: Arc<dyn DiskFile>,
        key: FileKey,
    },
    Pack(Arc<Pack>),
}

/// Where a record is.
struct Place<'a> {
    file: &'a dyn DiskFile,
    offset: u64,
    key: FileKey,
}

impl Opened {
    /// Where the record is that was written to this place; `None` if a pack does not have it.
    fn place(&self, at: Location) -> Option<Place<'_>> {
        match self {
            Self::Plain { file, key } => Some(Place {
                file: &**file,
                offset: u64::from(at.offset),
                key: *key,
            }),
            Self::Pack(pack) => {
                let entry = pack.find(at.segment, at.offset)?;
                let key = FileKey::from(pack.header.key);
                (entry.len == stored_len(at.len, key)?).then_some(Place {
                    file: &*pack.file,
                    offset: u64::from(entry.physical),
                    key,
                })
            }
        }
    }
}

/// Bytes that a record's data takes in a file, if that is known.
fn stored_len(len: u32, key: FileKey) -> Option<u32> {
    match key {
        FileKey::Plain => Some(len),
        FileKey::Sealed(_) => len.checked_add(OVERHEAD as u32),
        FileKey::Unknown => None,
    }
}

/// A file that was replaced and that somebody may still want to read.
struct Retired {
    span: Span,
    file: Opened,
    since: Instant,
}

#[derive(Default)]
struct State {
    /// The files that count, by the first segment that each stands for.
    files: BTreeMap<u32, Span>,
    /// Those that are open, by the same number.
    open: HashMap<u32, Opened>,
    /// The newest last.
    retired: Vec<Retired>,
    /// How many packs were put in place.
    installed: u64,
}

impl State {
    fn span(&self, segment: u32) -> Option<Span> {
        let (_, span) = self.files.range(..=segment).next_back()?;
        (span.last >= segment).then_some(*span)
    }

    fn keep_open(&mut self, first: u32, file: Opened) {
        if self.open.len() >= OPEN_FILES {
            let victim = self.open.keys().next().copied();
            victim.map(|number| self.open.remove(&number));
        }
        self.open.insert(first, file);
    }
}

/// The segment files of one log.
pub struct Segments {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    state: RwLock<State>,
    /// Held while a pack is put in place.
    installing: Mutex<()>,
    /// The keys that the files are encrypted with.
    pub keys: Keyring,
}

impl Segments {
    /// The segments in `dir`, which is created if missing. It knows of none before
    /// [`super::recovery::identify`] has looked.
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> io::Result<Self> {
        disk.create_dir(&dir)?;
        Ok(Self::of_existing(disk, dir))
    }

    /// The segments in `dir`, which is there.
    pub fn of_existing(disk: Arc<dyn Disk>, dir: PathBuf) -> Self {
        Self {
            disk,
            dir,
            state: RwLock::default(),
            installing: Mutex::default(),
            keys: Keyring::default(),
        }
    }

    /// The directory that they are in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The disk that they are on.
    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// The names of the files in the directory.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let paths = self.disk.list(&self.dir)?;
        let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
        Ok(names.map(ToOwned::to_owned).collect())
    }

    /// The path of a file that stands for these segments.
    pub fn path(&self, span: Span) -> PathBuf {
        self.dir.join(span.name())
    }

    /// Says which files count. They must not overlap.
    pub fn set_files(&self, files: &[Span]) {
        let mut state = self.state.write();
        state.files = files.iter().map(|span| (span.first, *span)).collect();
        state.open.clear();
    }

    /// The files that count, ascending.
    pub fn spans(&self) -> Vec<Span> {
        self.state.read().files.values().copied().collect()
    }

    /// The file that stands for a segment.
    pub fn span(&self, segment: u32) -> Option<Span> {
        self.state.read().span(segment)
    }

    /// The numbers of the plain segments, ascending.
    pub fn numbers(&self) -> Vec<u32> {
        let spans = self.spans().into_iter();
        spans
            .filter(|span| !span.pack)
            .map(|span| span.first)
            .collect()
    }

    /// The last segment that a pack stands for; 0 without packs.
    pub fn packed(&self) -> u32 {
        let spans = self.spans().into_iter();
        let packs = spans.filter(|span| span.pack);
        packs.map(|span| span.last).max().unwrap_or(0)
    }

    /// All segments and packs, ascending.
    pub fn files(&self) -> io::Result<Vec<LogFile>> {
        let spans = self.spans().into_iter();
        spans
            .map(|span| {
                let (header, len) = self.header_of(span)?;
                Ok(LogFile {
                    kind: match span.pack {
                        true => SegmentKind::Pack,
                        false => SegmentKind::Log,
                    },
                    first: span.first,
                    last: span.last,
                    len,
                    header: header.ok(),
                    path: self.path(span),
                })
            })
            .collect()
    }

    /// Packs that nothing can be read from, since neither copy of their directories is whole. Looks at
    /// their ends only, unless one is damaged: that is where a file lacks something that was cut off.
    pub fn broken_packs(&self) -> io::Result<Vec<Span>> {
        let mut broken = Vec::new();
        for span in self.spans().into_iter().filter(|span| span.pack) {
            let file = self.disk.open(&self.path(span))?;
            if super::pack::has_end(&*file)? {
                continue;
            }
            match self.pack(span.first) {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => broken.push(span),
                other => drop(other?),
            }
        }
        Ok(broken)
    }

    /// Creates a segment with its header and makes both survive a power failure.
    pub fn create(&self, header: SegmentHeader) -> io::Result<Arc<dyn DiskFile>> {
        let span = Span::plain(header.number);
        let path = self.path(span);
        let file = match self.disk.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // An earlier try found the disk full.
                let file = self.disk.open(&path)?;
                if file.len()? > u64::from(SEGMENT_HEADER) {
                    return Err(error);
                }
                file.set_len(0)?;
                file
            }
            other => other?,
        };
        match file.reserve(FIRST_SPACE) {
            Err(error) if is_full(&error) => return Err(error),
            _ => {}
        }
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        // The next try makes the file's contents anew, but not its name: a disk that was too full
        // for that is not asked again.
        let named = self.disk.sync_dir(&self.dir);
        named.map_err(|error| match has_no_handle(&error) {
            true => error,
            false => io::Error::other(error),
        })?;
        let mut state = self.state.write();
        state.files.insert(span.first, span);
        let opened = Opened::Plain {
            file: file.clone(),
            key: header.key.into(),
        };
        state.keep_open(span.first, opened);
        Ok(file)
    }

    /// An empty file that has no name of its own yet, in place of one that was left behind.
    pub(super) fn create_part(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.dir.join(name);
        match self.disk.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(&path)?;
                self.disk.create(&path)
            }
            other => other,
        }
    }

    fn open(&self, segment: u32) -> io::Result<(Span, Opened)> {
        let mut tries = 0;
        loop {
            let (span, installed) = {
                let state = self.state.read();
                let span = state.span(segment).ok_or(io::ErrorKind::NotFound)?;
                if let Some(open) = state.open.get(&span.first) {
                    return Ok((span, open.clone()));
                }
                (span, state.installed)
            };
            let opened = match self.open_span(span) {
                // It may have been replaced just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 3 => {
                    tries += 1;
                    continue;
                }
                other => other?,
            };
            let mut state = self.state.write();
            if state.installed != installed {
                // It may have been replaced just now, by a pack of the same name even.
                continue;
            }
            if let Some(open) = state.open.get(&span.first) {
                return Ok((span, open.clone()));
            }
            state.keep_open(span.first, opened.clone());
            return Ok((span, opened));
        }
    }

    fn open_span(&self, span: Span) -> io::Result<Opened> {
        let file = self.disk.open(&self.path(span))?;
        if span.pack {
            return Ok(Opened::Pack(Arc::new(Pack::open(file, span)?)));
        }
        let (header, _) = read_header(&*file)?;
        let key = header.map_or(FileKey::Unknown, |header| header.key.into());
        Ok(Opened::Plain { file, key })
    }

    /// A plain segment's file.
    pub fn file(&self, number: u32) -> io::Result<Arc<dyn DiskFile>> {
        match self.open(number)? {
            (_, Opened::Plain { file, .. }) => Ok(file),
            (_, Opened::Pack(_)) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A pack, by any segment that it stands for. [`io::ErrorKind::NotFound`] if there is none,
    /// [`io::ErrorKind::InvalidData`] if its directory is damaged.
    pub fn pack(&self, segment: u32) -> io::Result<Arc<Pack>> {
        match self.open(segment)? {
            (_, Opened::Pack(pack)) => Ok(pack),
            (_, Opened::Plain { .. }) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What the records of a plain segment are encrypted with.
    pub fn key(&self, number: u32) -> io::Result<FileKey> {
        match self.open(number)? {
            (_, Opened::Plain { key, .. }) => Ok(key),
            (_, Opened::Pack(_)) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Forgets a plain segment that got another name.
    pub fn forget(&self, number: u32) {
        let mut state = self.state.write();
        state.files.remove(&number);
        state.open.remove(&number);
    }

    /// What each file is encrypted with, checkpoints included, in no order.
    pub fn keys_in_use(&self) -> io::Result<Vec<FileKey>> {
        let key = |header: Option<SegmentHeader>| {
            header.map_or(FileKey::Unknown, |header| header.key.into())
        };
        let checkpoints = super::checkpoint::files(self)?;
        let mut keys: Vec<FileKey> = checkpoints.iter().map(|file| key(file.header)).collect();
        for span in self.spans() {
            keys.push(key(self.header_of(span)?.0.ok()));
        }
        Ok(keys)
    }

    /// A plain segment's header and its file's length; the header may be damaged or cut short.
    pub fn header(&self, number: u32) -> io::Result<(Result<SegmentHeader, BadSegment>, u64)> {
        read_header(&*self.file(number)?)
    }

    /// A file's header, and its length; that of a pack is repeated at its end.
    pub fn header_of(&self, span: Span) -> io::Result<(Result<SegmentHeader, BadSegment>, u64)> {
        if !span.pack {
            return self.header(span.first);
        }
        let file = self.disk.open(&self.path(span))?;
        let (header, len) = read_header(&*file)?;
        match header {
            Err(BadSegment::Damaged) => {
                let trailer = super::pack::last_trailer(&*file, len)?;
                Ok((
                    trailer.map(|found| found.header).ok_or(BadSegment::Damaged),
                    len,
                ))
            }
            other => Ok((other, len)),
        }
    }

    /// A record's header and plain data, verified; `None` if there is none at this place or it is damaged.
    pub fn record(&self, at: Location, kind: RecordKind) -> io::Result<Option<AlignedVec>> {
        self.find(at, |place| {
            let key = (&self.keys, place.key);
            sealed::read_record(place.file, place.offset, at.len, kind, key)
        })
    }

    /// A record as it is stored, not verified; `None` if there is none at this place.
    pub fn stored(&self, at: Location) -> io::Result<Option<Stored>> {
        self.find(at, |place| {
            let bytes = sealed::read_stored(place.file, place.offset, at.len, place.key)?;
            let key = place.key;
            Ok(bytes.map(|bytes| Stored { bytes, key }))
        })
    }

    /// Reads a record with `read`. What a pack does not have is looked for in the files that it replaced,
    /// as long as they are kept.
    fn find<T>(
        &self,
        at: Location,
        read: impl Fn(Place<'_>) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        let opened = self.open_at(at)?;
        match opened.as_ref().and_then(|file| file.place(at)) {
            Some(place) => read(place),
            None => self.find_in_retired(at, read),
        }
    }

    /// The file that a location is in; `None` if there is no such segment, or if it is in a pack whose
    /// directory is damaged.
    fn open_at(&self, at: Location) -> io::Result<Option<Opened>> {
        if at.segment == 0 || at.len as usize > MAX_PAYLOAD {
            return Ok(None);
        }
        match self.open(at.segment) {
            Ok((_, opened)) => Ok(Some(opened)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData => Ok(None),
                _ => Err(error),
            },
        }
    }

    fn find_in_retired<T>(
        &self,
        at: Location,
        read: impl Fn(Place<'_>) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        let retired: Vec<Opened> = {
            let state = self.state.read();
            let covering = state.retired.iter().rev().filter(|retired| {
                retired.span.first <= at.segment && at.segment <= retired.span.last
            });
            covering.map(|retired| retired.file.clone()).collect()
        };
        for file in &retired {
            if let Some(place) = file.place(at)
                && let Some(found) = read(place)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether there is a record at this place; of a plain segment only that it is long enough.
    /// What was replaced does not count.
    pub fn contains(&self, at: Location) -> io::Result<bool> {
        let Some(opened) = self.open_at(at)? else {
            return Ok(false);
        };
        Ok(match (&opened, opened.place(at)) {
            (Opened::Plain { file, key }, Some(place)) => {
                let stored = stored_len(at.len, *key).unwrap_or(at.len);
                let end = place.offset + RECORD_HEADER as u64 + u64::from(stored);
                end <= file.len()?
            }
            (Opened::Pack(_), place) => place.is_some(),
            (Opened::Plain { .. }, None) => false,
        })
    }

    /// Puts a pack in the place of the files that it replaces, which must lie within it. `sync` makes
    /// the directory's names durable. The replaced files are removed and kept open until
    /// [`Segments::forget_retired`].
    ///
    /// After an error the log is as it was, or, if only its names are not surely durable, reads
    /// from the pack while the old files stay on the disk as well.
    pub(super) fn install_pack(
        &self,
        pack: FinishedPack,
        sync: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let _installing = self.installing.lock();
        let span = pack.span;
        let replaced: Vec<Span> = {
            let within = |other: &Span| other.first <= span.last && span.first <= other.last;
            self.spans().into_iter().filter(within).collect()
        };
        let complete = replaced.first().is_some_and(|old| old.first == span.first)
            && replaced.last().is_some_and(|old| old.last == span.last);
        if !complete {
            return Err(io::Error::other("a pack would cut a file of the log"));
        }
        let mut retired = Vec::with_capacity(replaced.len());
        for old in &replaced {
            match self.open(old.first) {
                Ok((_, file)) => retired.push((*old, file)),
                // A damaged pack: there is nothing to be read from it.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
                Err(error) => return Err(error),
            }
        }
        let path = self.path(span);
        self.disk.rename(&pack.part, &path)?;
        let synced = sync();
        let since = Instant::now();
        {
            let mut state = self.state.write();
            for old in &replaced {
                state.files.remove(&old.first);
                state.open.remove(&old.first);
            }
            state.files.insert(span.first, span);
            state.installed += 1;
            state.keep_open(span.first, Opened::Pack(Arc::new(pack.pack)));
            let retired = retired
                .into_iter()
                .map(|(span, file)| Retired { span, file, since });
            state.retired.extend(retired);
        }
        synced?;
        for old in replaced.iter().filter(|old| **old != span) {
            if let Err(error) = self.disk.remove(&self.path(*old)) {
                tracing::warn!(%error, file = %old.name(), "a replaced file of the log stays until the next start");
            }
        }
        Ok(())
    }

    /// How many files that were replaced are open.
    pub fn retired(&self) -> usize {
        self.state.read().retired.len()
    }

    /// Closes files that were replaced at least this long ago.
    pub fn forget_retired(&self, older_than: Duration) {
        if self.state.read().retired.is_empty() {
            return;
        }
        let old = |retired: &mut Retired| retired.since.elapsed() >= older_than;
        let gone: Vec<Retired> = self.state.write().retired.extract_if(.., old).collect();
        // Closing a large file that has no name any more takes a while, in which nobody has to wait.
        drop(gone);
    }
}

/// The header at a file's start, and the file's length.
pub(super) fn read_header(
    file: &dyn DiskFile,
) -> io::Result<(Result<SegmentHeader, BadSegment>, u64)> {
    let len = file.len()?;
    if len < u64::from(SEGMENT_HEADER) {
        return Ok((Err(BadSegment::Damaged), len));
    }
    let mut bytes = [0; SEGMENT_HEADER as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok((SegmentHeader::decode(&bytes), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_segments_a_file_stands_for_and_similar_ones_do_not_count() {
        let pack = Span {
            first: 3,
            last: 12,
            pack: true,
        };
        for span in [Span::plain(7), Span::plain(123_456_789), pack] {
            assert_eq!(Span::of_name(&span.name()), Some(span));
        }
        for name in [
            "1.seg",
            "00000000.seg",
            "000000001.seg",
            "00000001.seg.part",
            "00000003-00000002.seg",
            "00000001-2.seg",
            "+0000001.seg",
            "x.seg",
        ] {
            assert_eq!(Span::of_name(name), None, "{name}");
        }
    }
}
