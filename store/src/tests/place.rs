//! Places that no store can be in, or not this one: each gets a sentence, and nothing is changed.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use ropewalk_props::{Bag, GlobCnt, PropValue, tags};

use super::{
    history::{guid_of, new_user},
    model::INBOX,
};
use crate::{
    ContentsView, Message, OpenError, SaveMessage, Store, StoreOptions,
    place::{self, Mount, Os, System},
    rebuild,
};

/// An operating system that tells what the test wants.
struct Fake {
    mount: Mount,
    user: u32,
    denied: Option<(PathBuf, io::ErrorKind)>,
}

const EXT4: u64 = 0xEF53;

impl Fake {
    fn new(kind: u64) -> Self {
        Self {
            mount: Mount {
                kind,
                read_only: false,
            },
            user: Os.user(),
            denied: None,
        }
    }
}

impl System for Fake {
    fn mount(&self, _: &Path) -> io::Result<Mount> {
        Ok(self.mount)
    }

    fn user(&self) -> u32 {
        self.user
    }

    fn may_write(&self, path: &Path) -> io::Result<()> {
        match &self.denied {
            Some((denied, kind)) if denied == path => Err((*kind).into()),
            _ => Ok(()),
        }
    }
}

/// All that is looked at before anything is touched.
fn check(dir: &Path, allow_network: bool, system: &dyn System) -> Result<(), OpenError> {
    place::check(dir, allow_network, system)?;
    match dir.exists() {
        true => place::check_files(dir, system),
        false => Ok(()),
    }
}

/// All files below a directory but the index, which engines change by opening it, and the lock.
fn bytes(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut left = vec![dir.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path == dir.join("index") || path == dir.join("lock") {
                continue;
            }
            let file = path.is_file().then(|| fs::read(&path).unwrap());
            if path.is_dir() {
                left.push(path.clone());
            }
            all.insert(path, file);
        }
    }
    all
}

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(dir, StoreOptions::default())
}

/// Opening is refused, twice, with the same sentence, and leaves everything as it is.
#[track_caller]
fn refused(dir: &Path) -> OpenError {
    let before = bytes(dir);
    let first = open(dir).unwrap_err();
    assert_eq!(bytes(dir), before, "{first}");
    let second = open(dir).unwrap_err();
    assert_eq!(bytes(dir), before, "{first}");
    assert_eq!(first.to_string(), second.to_string());
    let said = first.to_string();
    assert!(said.contains(": ") && !said.contains('\n'), "{said}");
    first
}

/// Large, so that half a store lacks more than an end that was torn, but no large value.
fn message() -> Message {
    let body = PropValue::Binary(vec![7; 8000]);
    Message {
        props: Bag::from_iter([(tags::PID_TAG_HTML, body)]),
        ..Message::default()
    }
}

fn fill(dir: &Path, count: usize) {
    let store = open(dir).unwrap();
    if store.users().is_empty() {
        store.add_user(new_user(0)).unwrap();
    }
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    for _ in 0..count {
        let save = SaveMessage {
            folder: GlobCnt(INBOX),
            id: None,
            associated: false,
            read: None,
            expected_cn: None,
            message: message(),
        };
        mailbox.save_message(save).unwrap();
    }
    store.close().unwrap();
}

fn len(dir: &Path) -> usize {
    let store = open(dir).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    let len = contents.unwrap().len();
    store.close().unwrap();
    len
}

fn with_store(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), count);
    dir
}

fn segment(dir: &Path) -> PathBuf {
    dir.join("log/00000001.seg")
}

fn cut(path: &Path, len: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(len).unwrap();
}

#[test]
fn parents_are_made_and_links_that_lead_somewhere_are_followed() {
    let root = tempfile::tempdir().unwrap();
    let deep = root.path().join("a/b/c");
    fill(&deep, 1);
    let link = root.path().join("link");
    symlink(&deep, &link).unwrap();
    assert_eq!(len(&link), 1);
    assert_eq!(len(&deep), 1);
}

#[test]
fn a_file_in_the_place_of_a_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, b"mine").unwrap();
    for dir in [file.clone(), file.join("store"), file.join("a/b")] {
        let error = open(&dir).unwrap_err();
        let OpenError::NotADirectory { dir: found } = &error else {
            panic!("{error}")
        };
        assert_eq!(found, &file);
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn a_link_that_leads_nowhere_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let link = root.path().join("link");
    symlink(root.path().join("not mounted"), &link).unwrap();
    let error = open(&link).unwrap_err();
    assert!(matches!(error, OpenError::DanglingLink { .. }), "{error}");
    assert!(!root.path().join("not mounted").exists());
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("photos")).unwrap();
    fs::write(root.path().join("photos/cat.jpeg"), b"meow").unwrap();
    let error = refused(root.path());
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert!(!root.path().join("lock").exists());
    // One that has a directory `log` of its own, as /var does.
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("log")).unwrap();
    fs::write(root.path().join("log/syslog"), b"...").unwrap();
    let error = refused(root.path());
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
}

#[test]
fn what_is_put_beside_a_store_is_no_hindrance() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("lost+found")).unwrap();
    for name in ["ropewalk.toml", "tls-key.pem", ".hidden"] {
        fs::write(root.path().join(name), b"").unwrap();
    }
    fill(root.path(), 1);
    // In one that is there already anything may be.
    fs::write(root.path().join("cat.jpeg"), b"meow").unwrap();
    assert_eq!(len(root.path()), 1);
}

#[test]
fn a_copy_without_its_log_is_not_taken_for_a_new_store() {
    let dir = with_store(2);
    let log = dir.path().join("log");
    let aside = tempfile::tempdir().unwrap();
    fs::rename(&log, aside.path().join("log")).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, OpenError::LogMissing { .. }), "{error}");
    fs::create_dir(&log).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, OpenError::LogMissing { .. }), "{error}");
    fs::remove_dir(&log).unwrap();
    fs::rename(aside.path().join("log"), &log).unwrap();
    assert_eq!(len(dir.path()), 2);
}

#[test]
fn a_copy_of_the_log_alone_is_a_whole_store() {
    let dir = with_store(2);
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("log")).unwrap();
    fs::copy(segment(dir.path()), segment(copy.path())).unwrap();
    assert_eq!(len(copy.path()), 2);
}

#[test]
fn a_log_that_ends_before_what_its_index_knows_is_refused_until_the_rest_is_there() {
    let dir = with_store(5);
    let path = segment(dir.path());
    let whole = fs::read(&path).unwrap();
    // Not the store's creation, nor so late that it may be an end that was torn.
    let ends = [0, 1, 64, 100, whole.len() / 2];
    for end in ends {
        cut(&path, end as u64);
        let error = refused(dir.path());
        match end {
            0..64 => assert!(
                matches!(error, OpenError::LogMissing { .. }),
                "{end}: {error}"
            ),
            _ => assert!(
                matches!(error, OpenError::LogEndsEarly { .. }),
                "{end}: {error}"
            ),
        }
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(len(dir.path()), 5, "copied again, it is whole");
    cut(&path, whole.len() as u64 / 2);
    let options = StoreOptions {
        accept_loss: true,
        ..StoreOptions::default()
    };
    let store = Store::open(dir.path(), options).unwrap();
    assert_eq!(store.recovery().fenced.len(), 1);
    store.close().unwrap();
    assert!(len(dir.path()) < 5);
}

#[test]
fn a_rebuild_goes_on_without_what_is_lost_and_does_not_give_its_numbers_again() {
    let dir = with_store(5);
    let next = |accept_loss| {
        let options = StoreOptions {
            accept_loss,
            ..StoreOptions::default()
        };
        let store = Store::open(dir.path(), options).unwrap();
        let next = store.mailbox(guid_of(0)).unwrap().counter();
        store.close().unwrap();
        next
    };
    let before = next(false);
    let path = segment(dir.path());
    cut(&path, fs::metadata(&path).unwrap().len() / 2);
    assert!(matches!(
        refused(dir.path()),
        OpenError::LogEndsEarly { .. }
    ));
    let report = rebuild(dir.path(), StoreOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(report.fenced.len(), 1);
    assert!(next(false) >= before);
    assert!(len(dir.path()) < 5);
}

#[test]
fn a_log_that_is_cut_in_its_last_commit_is_a_torn_one() {
    let dir = with_store(3);
    let path = segment(dir.path());
    let end = fs::metadata(&path).unwrap().len();
    // The end mark alone, and a part of it.
    cut(&path, end - 10);
    assert_eq!(len(dir.path()), 3);
}

#[test]
fn a_log_of_one_store_and_an_index_of_another_give_what_the_log_has() {
    let (one, other) = (with_store(2), with_store(4));
    let index = one.path().join("index");
    fs::remove_dir_all(&index).unwrap();
    fs::rename(other.path().join("index"), &index).unwrap();
    assert_eq!(len(one.path()), 2);
}

#[test]
fn segments_of_two_stores_are_not_mixed() {
    let (one, other) = (with_store(2), with_store(4));
    fs::copy(segment(other.path()), one.path().join("log/00000002.seg")).unwrap();
    let error = refused(one.path());
    assert!(matches!(error, OpenError::BadLog { .. }), "{error}");
}

#[test]
fn a_network_file_system_is_refused_unless_it_is_allowed() {
    let dir = with_store(1);
    for (kind, name) in [
        (0x6969, "NFS"),
        (0xFF53_4D42, "SMB"),
        (0xFE53_4D42, "SMB"),
        (0x517B, "SMB"),
        (0x00C3_6400, "Ceph"),
        (0x5346_414F, "AFS"),
    ] {
        let system = Fake::new(kind);
        for place in [dir.path().to_owned(), dir.path().join("new/one")] {
            let error = check(&place, false, &system).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert!(matches!(error, OpenError::Network { .. }), "{error}");
            check(&place, true, &system).unwrap();
        }
    }
    for kind in [EXT4, 0x6573_5546, 0x0102_1997, 0x9123_683E] {
        check(dir.path(), false, &Fake::new(kind)).unwrap();
    }
    assert!(Os.mount(dir.path()).is_ok_and(|mount| !mount.read_only));
}

#[test]
fn a_read_only_file_system_is_refused() {
    let dir = with_store(1);
    let mut system = Fake::new(EXT4);
    system.mount.read_only = true;
    let error = check(dir.path(), false, &system).unwrap_err();
    assert!(matches!(error, OpenError::ReadOnlyDisk { .. }), "{error}");
    // Seen only when it is tried, as of a file that cannot be changed.
    let mut system = Fake::new(EXT4);
    system.denied = Some((segment(dir.path()), io::ErrorKind::ReadOnlyFilesystem));
    let error = check(dir.path(), false, &system).unwrap_err();
    assert!(matches!(error, OpenError::ReadOnlyDisk { .. }), "{error}");
}

#[test]
fn files_of_another_user_are_refused_to_root_too() {
    let dir = with_store(1);
    let mut system = Fake::new(EXT4);
    system.user += 1;
    let error = check(dir.path(), false, &system).unwrap_err();
    let owner = fs::metadata(dir.path()).unwrap().uid();
    let OpenError::OtherUser { owner: found, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(found, owner);
    // Where all files seem to be of one user that tells nothing.
    for kind in [0x4D44, 0x0102_1997] {
        let mut system = Fake::new(kind);
        system.user += 1;
        check(dir.path(), false, &system).unwrap();
    }
    if Os.user() == 0 {
        std::os::unix::fs::chown(segment(dir.path()), Some(12345), None).unwrap();
        let error = refused(dir.path());
        assert!(
            matches!(error, OpenError::OtherUser { owner: 12345, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("00000001.seg"), "{error}");
        // Whoever has it open is asked instead.
        let dir = with_store(1);
        let store = open(dir.path()).unwrap();
        std::os::unix::fs::chown(segment(dir.path()), Some(12345), None).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
        store.close().unwrap();
        // A file that others could not open is not left behind.
        fs::remove_file(dir.path().join("lock")).unwrap();
        refused(dir.path());
        assert!(!dir.path().join("lock").exists());
    }
}

#[test]
fn what_may_not_be_read_or_written_is_named() {
    let dir = with_store(1);
    let mut system = Fake::new(EXT4);
    system.denied = Some((segment(dir.path()), io::ErrorKind::PermissionDenied));
    let error = check(dir.path(), false, &system).unwrap_err();
    assert!(matches!(error, OpenError::Denied { .. }), "{error}");
    assert!(error.to_string().contains("00000001.seg"), "{error}");
    if Os.user() != 0 {
        for path in [
            segment(dir.path()),
            dir.path().join("log"),
            dir.path().to_owned(),
        ] {
            let before = fs::metadata(&path).unwrap().permissions();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o500)).unwrap();
            let error = refused(dir.path());
            assert!(matches!(error, OpenError::Denied { .. }), "{error}");
            fs::set_permissions(&path, before).unwrap();
        }
        assert_eq!(len(dir.path()), 1);
    }
}
