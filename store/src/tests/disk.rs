//! A disk in memory that loses what was not synced, tears writes, and fails when it is told to.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::{Condvar, Mutex};

use super::random::Random;
use crate::disk::{Disk, DiskFile, Space};

/// What goes wrong, and at which of the calls that change something (counted from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The machine stops: the call is done in part or not at all, every later one fails.
    Stop(u64),
    /// One call fails; a write leaves a part behind, a failed fsync loses what it should have written
    /// although reading still shows it.
    Fail(u64, io::ErrorKind),
}

enum Pending {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Default)]
struct File {
    /// What programs see.
    seen: Vec<u8>,
    /// What is on the platter.
    kept: Vec<u8>,
    /// What lies between the two.
    pending: Vec<Pending>,
    /// Up to where space was taken ahead.
    reserved: u64,
}

impl File {
    /// Bytes of the disk that the file takes.
    fn takes(&self) -> u64 {
        self.reserved.max(self.seen.len() as u64)
    }
}

/// A change of the directory.
#[derive(Clone)]
enum Name {
    Put(String, usize),
    Remove(String),
    Rename(String, String, usize),
}

impl Name {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Put(name, id) => {
                names.insert(name, id);
            }
            Self::Remove(name) => {
                names.remove(&name);
            }
            Self::Rename(from, to, id) => {
                names.remove(&from);
                names.insert(to, id);
            }
        }
    }
}

#[derive(Default)]
struct World {
    files: Vec<File>,
    /// Files by name; there is one directory.
    names: BTreeMap<String, usize>,
    kept_names: BTreeMap<String, usize>,
    /// What lies between the two.
    renamed: Vec<Name>,
    calls: u64,
    syncs: u64,
    writes: u64,
    read: u64,
    fault: Option<Fault>,
    stopped: bool,
    /// Bytes that fit; `None`: any number.
    capacity: Option<u64>,
    /// Whether space can be taken ahead.
    no_reserve: bool,
    /// A file that cannot be made, and how often that was tried.
    barred: Option<String>,
    refused: usize,
    /// No file or directory can be opened.
    no_handles: bool,
    random: Random,
}

/// Where fsyncs wait while it is shut.
#[derive(Default)]
struct Gate {
    /// Whether it is shut, and how many wait.
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock();
        state.1 += 1;
        self.changed.notify_all();
        while state.0 {
            self.changed.wait(&mut state);
        }
        state.1 -= 1;
    }
}

/// The disk. Clones share it.
#[derive(Clone)]
pub struct SimDisk {
    world: Arc<Mutex<World>>,
    gate: Arc<Gate>,
}

struct SimFile {
    world: Arc<Mutex<World>>,
    gate: Arc<Gate>,
    id: usize,
}

fn apply(bytes: &mut Vec<u8>, change: &Pending) {
    match change {
        Pending::SetLen(len) => bytes.resize(*len as usize, 0),
        Pending::Write(at, data) => {
            let (start, end) = (*at as usize, *at as usize + data.len());
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(data);
        }
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

enum Step {
    Go,
    /// Fail, after doing part of it.
    Fail(io::Error),
}

impl World {
    /// An error if no file can be opened.
    fn handle(&self) -> io::Result<()> {
        match self.no_handles {
            // EMFILE
            true => Err(io::Error::from_raw_os_error(24)),
            false => Ok(()),
        }
    }

    /// Counts one call that changes something.
    fn step(&mut self) -> io::Result<Step> {
        let call = self.calls;
        self.calls += 1;
        if self.stopped {
            return Err(io::Error::other("the machine is off"));
        }
        match self.fault {
            Some(Fault::Stop(at)) if at == call => {
                self.stopped = true;
                Ok(Step::Fail(io::Error::other("the machine stops")))
            }
            Some(Fault::Fail(at, kind)) if at == call => Ok(Step::Fail(kind.into())),
            _ => Ok(Step::Go),
        }
    }

    /// Bytes that are free. Files without a name count, as in real life as long as they are open.
    fn free(&self) -> u64 {
        let taken: u64 = self.files.iter().map(File::takes).sum();
        self.capacity
            .map_or(u64::MAX, |all| all.saturating_sub(taken))
    }

    fn rename(&mut self, change: Name) {
        change.clone().apply(&mut self.names);
        self.renamed.push(change);
    }

    fn keep_names(&mut self) {
        self.kept_names = self.names.clone();
        self.renamed.clear();
    }

    fn change(&mut self, id: usize, change: Pending) {
        if let Pending::SetLen(len) = change {
            self.files[id].reserved = len;
        }
        apply(&mut self.files[id].seen, &change);
        self.files[id].pending.push(change);
    }
}

impl SimDisk {
    pub fn new(seed: u64) -> Self {
        let world = World {
            random: Random::new(seed ^ 0xD15C),
            ..World::default()
        };
        Self {
            world: Arc::new(Mutex::new(world)),
            gate: Arc::default(),
        }
    }

    /// Makes fsyncs wait, or lets them go on.
    pub fn hold_syncs(&self, hold: bool) {
        self.gate.state.lock().0 = hold;
        self.gate.changed.notify_all();
    }

    /// Returns once an fsync waits.
    pub fn wait_for_sync(&self) {
        let mut state = self.gate.state.lock();
        while state.1 == 0 {
            self.gate.changed.wait(&mut state);
        }
    }

    /// A file's bytes.
    pub fn get(&self, name: &str) -> Vec<u8> {
        let world = self.world.lock();
        world.files[world.names[name]].seen.clone()
    }

    /// Adds a file.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut world = self.world.lock();
        let id = world.files.len();
        world.files.push(File {
            seen: bytes.to_vec(),
            kept: bytes.to_vec(),
            ..File::default()
        });
        world.names.insert(name.to_owned(), id);
        world.keep_names();
    }

    /// Sets what goes wrong, counted from now on.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut world = self.world.lock();
        let now = world.calls;
        world.fault = fault.map(|fault| match fault {
            Fault::Stop(n) => Fault::Stop(now + n),
            Fault::Fail(n, kind) => Fault::Fail(now + n, kind),
        });
    }

    /// Gives the disk so many bytes; `None`: any number.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.world.lock().capacity = bytes;
    }

    /// Lets files take this many bytes more than they have.
    pub fn set_free(&self, bytes: u64) {
        let mut world = self.world.lock();
        let taken: u64 = world.files.iter().map(File::takes).sum();
        world.capacity = Some(taken + bytes);
    }

    /// The disk cannot take space ahead: writes find out that it is full.
    pub fn cannot_reserve(&self) {
        self.world.lock().no_reserve = true;
    }

    /// A file of this name cannot be made.
    pub fn cannot_create(&self, name: Option<&str>) {
        self.world.lock().barred = name.map(ToOwned::to_owned);
    }

    /// The process has as many files open as it may, or not any more.
    pub fn no_handles(&self, none: bool) {
        self.world.lock().no_handles = none;
    }

    /// How often that was tried.
    pub fn refused(&self) -> usize {
        self.world.lock().refused
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.world.lock().read
    }

    /// Calls that change something so far.
    pub fn calls(&self) -> u64 {
        self.world.lock().calls
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        let world = self.world.lock();
        let files = world.names.values();
        files.map(|id| world.files[*id].seen.len() as u64).sum()
    }

    /// Writes and fsyncs of files so far.
    pub fn counts(&self) -> (u64, u64) {
        let world = self.world.lock();
        (world.writes, world.syncs)
    }

    /// Whether files can be read.
    pub fn is_on(&self) -> bool {
        !self.world.lock().stopped
    }

    /// Nothing can be changed or read any more.
    pub fn stop(&self) {
        self.world.lock().stopped = true;
    }

    /// The program is killed: what it wrote is still seen.
    pub fn kill(&self) {
        let mut world = self.world.lock();
        (world.stopped, world.fault) = (false, None);
    }

    /// The power fails: of what was not synced, any part may be there, in any order, torn. A rename is
    /// done or not; what was removed or replaced may be back.
    pub fn power_failure(&self) {
        let mut world = self.world.lock();
        let World {
            files,
            names,
            kept_names,
            renamed,
            random,
            ..
        } = &mut *world;
        for file in files.iter_mut() {
            for change in std::mem::take(&mut file.pending) {
                match random.below(4) {
                    0 => {}
                    1 => {
                        if let Pending::Write(at, data) = change {
                            // Some sectors of it, which may leave zeros before them.
                            for (index, sector) in data.chunks(64).enumerate() {
                                if random.below(2) == 0 {
                                    let at = at + index as u64 * 64;
                                    apply(&mut file.kept, &Pending::Write(at, sector.to_vec()));
                                }
                            }
                        }
                    }
                    _ => apply(&mut file.kept, &change),
                }
            }
            file.seen = file.kept.clone();
        }
        let fate = random.below(3);
        for change in std::mem::take(renamed) {
            // None of them, all, or any.
            if fate == 1 || (fate == 2 && random.below(2) == 0) {
                change.apply(kept_names);
            }
        }
        *names = kept_names.clone();
        (world.stopped, world.fault) = (false, None);
    }

    /// Flips one bit of the log; returns the file and the offset of the byte.
    pub fn flip_a_bit(&self) -> (String, u64) {
        self.flip_a_bit_of(&[".seg"])
    }

    /// The same of the files whose names end so.
    pub fn flip_a_bit_of(&self, ends: &[&str]) -> (String, u64) {
        let mut world = self.world.lock();
        let is_one = |name: &str| ends.iter().any(|end| name.ends_with(end));
        let segments = world
            .names
            .iter()
            .filter(|(name, id)| is_one(name) && !world.files[**id].seen.is_empty());
        let segments: Vec<(String, usize)> = segments.map(|(n, id)| (n.clone(), *id)).collect();
        let (name, id) = world.random.pick(&segments).expect("there is a log");
        let len = world.files[id].seen.len() as u64;
        let (at, bit) = (world.random.below(len), 1 << world.random.below(8));
        let file = &mut world.files[id];
        file.seen[at as usize] ^= bit;
        file.kept = file.seen.clone();
        (name, at)
    }

    /// The names of the files.
    pub fn file_names(&self) -> Vec<String> {
        self.world.lock().names.keys().cloned().collect()
    }

    /// Changes a file as no one should.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut world = self.world.lock();
        let id = world.names[name];
        let file = &mut world.files[id];
        change(&mut file.seen);
        file.pending.clear();
        file.kept = file.seen.clone();
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        let mut world = self.world.lock();
        world.names.remove(name);
        world.keep_names();
    }

    /// An independent copy of the disk as it is seen now.
    pub fn copy(&self) -> Self {
        let world = self.world.lock();
        let copy = Self::new(world.calls);
        {
            let mut new = copy.world.lock();
            new.names = world.names.clone();
            new.kept_names = world.names.clone();
            new.files = world
                .files
                .iter()
                .map(|file| File {
                    seen: file.seen.clone(),
                    kept: file.seen.clone(),
                    ..File::default()
                })
                .collect();
        }
        copy
    }
}

impl DiskFile for SimFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut world = self.world.lock();
        if world.stopped {
            return Err(io::Error::other("the machine is off"));
        }
        world.read += buffer.len() as u64;
        let bytes = &world.files[self.id].seen;
        let found = bytes.get(offset as usize..offset as usize + buffer.len());
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut world = self.world.lock();
        world.writes += 1;
        let end = offset + bytes.len() as u64;
        let more = end.saturating_sub(world.files[self.id].takes());
        let fits = bytes.len() - (more.saturating_sub(world.free()) as usize).min(bytes.len());
        let (take, result) = match world.step()? {
            Step::Go if fits < bytes.len() => (fits, Err(io::ErrorKind::StorageFull.into())),
            Step::Go => (bytes.len(), Ok(())),
            Step::Fail(error) => {
                let part = world.random.below(bytes.len() as u64 + 1) as usize;
                (part, Err(error))
            }
        };
        if take > 0 {
            world.change(self.id, Pending::Write(offset, bytes[..take].to_vec()));
        }
        result
    }

    fn sync_data(&self) -> io::Result<()> {
        self.gate.pass();
        let mut world = self.world.lock();
        world.syncs += 1;
        match world.step()? {
            Step::Go => {
                let file = &mut world.files[self.id];
                for change in std::mem::take(&mut file.pending) {
                    apply(&mut file.kept, &change);
                }
                Ok(())
            }
            Step::Fail(error) => {
                if !world.stopped {
                    world.files[self.id].pending.clear();
                }
                Err(error)
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut world = self.world.lock();
        match world.step()? {
            Step::Go => world.change(self.id, Pending::SetLen(len)),
            Step::Fail(error) => return Err(error),
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.world.lock().files[self.id].seen.len() as u64)
    }

    /// Not counted as a call: a machine that stops here is one that stopped before the next write.
    fn reserve(&self, up_to: u64) -> io::Result<bool> {
        let mut world = self.world.lock();
        if world.no_reserve {
            return Ok(false);
        }
        let more = up_to.saturating_sub(world.files[self.id].takes());
        if more > world.free() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = &mut world.files[self.id];
        file.reserved = file.takes().max(up_to);
        Ok(true)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let world = self.world.lock();
        world.handle()?;
        let id = *world
            .names
            .get(&name_of(path))
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile {
            world: self.world.clone(),
            gate: self.gate.clone(),
            id,
        }))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.world.lock();
        world.handle()?;
        let result = world.step()?;
        if world.names.contains_key(&name_of(path)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if world.barred.as_ref() == Some(&name_of(path)) {
            world.refused += 1;
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if let Step::Fail(error) = result {
            return Err(error);
        }
        let id = world.files.len();
        world.files.push(File::default());
        world.rename(Name::Put(name_of(path), id));
        Ok(Arc::new(SimFile {
            world: self.world.clone(),
            gate: self.gate.clone(),
            id,
        }))
    }

    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        if let Step::Fail(error) = world.step()? {
            return Err(error);
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let world = self.world.lock();
        let names = world.names.keys();
        Ok(names.map(|name| path.join(name)).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        if let Step::Fail(error) = world.step()? {
            return Err(error);
        }
        let id = world.names.get(&name_of(from)).copied();
        let id = id.ok_or(io::ErrorKind::NotFound)?;
        world.rename(Name::Rename(name_of(from), name_of(to), id));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        if let Step::Fail(error) = world.step()? {
            return Err(error);
        }
        if !world.names.contains_key(&name_of(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.rename(Name::Remove(name_of(path)));
        Ok(())
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        world.handle()?;
        if let Step::Fail(error) = world.step()? {
            return Err(error);
        }
        world.keep_names();
        Ok(())
    }

    fn space(&self, _path: &Path) -> io::Result<Option<Space>> {
        let world = self.world.lock();
        Ok(world.capacity.map(|total| Space {
            free: world.free(),
            total,
        }))
    }
}
