//! What is in a file: messages, contacts or appointments, one after the other.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _},
    iter,
    path::{Path, PathBuf},
};

use super::{Item, ItemHeader, Kind, Limits, mbox::Mbox};

/// Bytes of a file's beginning that tell what it is.
const SNIFF_BYTES: u64 = 1024;

/// One item of a file, or the reason why there is none.
#[derive(Debug)]
pub struct Piece {
    /// Where it is, for people.
    pub name: String,
    /// The item, or why it cannot be read.
    pub item: Result<Item, String>,
    /// Bytes of the file that it takes.
    pub bytes_read: u64,
}

/// Pieces, read as they are asked for.
pub type Pieces = Box<dyn Iterator<Item = Piece>>;

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Mbox,
    One(Kind),
}

/// Takes a file or a maildir apart. What cannot be read is a piece too, with its reason.
pub fn open(path: &Path, limits: Limits) -> Pieces {
    let name = path.display().to_string();
    match open_path(path, &name, limits) {
        Ok(pieces) => pieces,
        Err(reason) => Box::new(iter::once(Piece {
            name,
            item: Err(reason),
            bytes_read: 0,
        })),
    }
}

/// Bytes that [`open`] will read, as far as that can be told before.
pub fn size(path: &Path) -> u64 {
    let length = |path: &PathBuf| fs::metadata(path).map_or(0, |meta| meta.len());
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => maildir_files(path).iter().flatten().map(length).sum(),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    }
}

fn open_path(path: &Path, name: &str, limits: Limits) -> Result<Pieces, String> {
    let meta = fs::metadata(path).map_err(unreadable)?;
    if meta.is_dir() {
        let files = maildir_files(path).map_err(unreadable)?;
        let messages = files.into_iter().map(move |file| {
            let read = maildir_flags(&file).contains('S');
            one(&file, Kind::Message, read, limits)
        });
        return Ok(Box::new(messages.chain(nested_maildirs(path))));
    }
    if !meta.is_file() {
        return Err("it is neither a file nor a maildir".to_owned());
    }
    match shape(path)? {
        Shape::One(kind) => Ok(Box::new(iter::once(one(path, kind, false, limits)))),
        Shape::Mbox => {
            let reader = BufReader::new(File::open(path).map_err(unreadable)?);
            let name = name.to_owned();
            let messages = Mbox::new(reader, limits.message_bytes_max);
            Ok(Box::new(messages.enumerate().map(
                move |(index, message)| Piece {
                    name: format!("{name}, message {}", index + 1),
                    bytes_read: message.bytes_read,
                    item: message.data.map(|data| {
                        let read = status_says_read(&data);
                        item(Kind::Message, read, data)
                    }),
                },
            )))
        }
    }
}

/// A whole file as one item.
fn one(path: &Path, kind: Kind, read: bool, limits: Limits) -> Piece {
    let mut bytes_read = 0;
    let item = read_whole(path, limits.message_bytes_max).map(|data| {
        bytes_read = data.len() as u64;
        item(kind, read, data)
    });
    Piece {
        name: path.display().to_string(),
        item,
        bytes_read,
    }
}

fn item(kind: Kind, read: bool, data: Vec<u8>) -> Item {
    let length = data.len() as u64;
    Item {
        header: ItemHeader { kind, read, length },
        data,
    }
}

fn read_whole(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(unreadable)?;
    let mut data = Vec::new();
    file.take(bytes_max + 1)
        .read_to_end(&mut data)
        .map_err(unreadable)?;
    if data.len() as u64 > bytes_max {
        return Err(too_large(bytes_max));
    }
    if data.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(data)
}

/// Tells a file's shape by its beginning, and where that says little by its name.
fn shape(path: &Path) -> Result<Shape, String> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(SNIFF_BYTES)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    shape_of(&head, extension.as_deref()).ok_or_else(|| {
        "it is none of a message (.eml), an mbox file, contacts (.vcf) and a calendar (.ics)"
            .to_owned()
    })
}

fn shape_of(head: &[u8], extension: Option<&str>) -> Option<Shape> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let head = head.trim_ascii_start();
    let begins = |text: &[u8]| {
        head.get(..text.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    match extension {
        _ if begins_mbox(head) => Some(Shape::Mbox),
        _ if begins(b"BEGIN:VCARD") => Some(Shape::One(Kind::Contacts)),
        _ if begins(b"BEGIN:VCALENDAR") => Some(Shape::One(Kind::Calendar)),
        // What its name says, however broken it is.
        Some("eml") => Some(Shape::One(Kind::Message)),
        Some("vcf") => Some(Shape::One(Kind::Contacts)),
        Some("ics") => Some(Shape::One(Kind::Calendar)),
        _ if begins_with_header(head) => Some(Shape::One(Kind::Message)),
        _ => None,
    }
}

/// A separator line; `From  : x` is a field, of old (RFC 5322 4.5).
fn begins_mbox(head: &[u8]) -> bool {
    head.strip_prefix(b"From ")
        .is_some_and(|rest| !rest.trim_ascii_start().starts_with(b":"))
}

/// A field name and a colon (RFC 5322 2.2, 4.5).
fn begins_with_header(head: &[u8]) -> bool {
    let is_name = |byte: &&u8| byte.is_ascii_graphic() && **byte != b':';
    let name_len = head.iter().take_while(is_name).count();
    let rest = head.get(name_len..).unwrap_or_default();
    name_len > 0 && rest.trim_ascii_start().starts_with(b":")
}

/// The mark that mail programs leave in an mbox file: `Status: RO`.
pub fn status_says_read(message: &[u8]) -> bool {
    message
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_at_checked(b"Status:".len()))
        .any(|(name, flags)| name.eq_ignore_ascii_case(b"Status:") && flags.contains(&b'R'))
}

/// The messages of a maildir, new ones last, each folder in order of name.
fn maildir_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut is_maildir = false;
    for part in ["cur", "new"] {
        let entries = match fs::read_dir(dir.join(part)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        is_maildir = true;
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<PathBuf>>>()?;
        names.retain(|path| !is_hidden(path));
        names.sort();
        files.append(&mut names);
    }
    if is_maildir {
        Ok(files)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a directory but no maildir, which has 'cur' and 'new' in it",
        ))
    }
}

/// The maildirs in a maildir: other folders, which are not to be thrown together with this one.
fn nested_maildirs(dir: &Path) -> Vec<Piece> {
    let mut nested: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("cur").is_dir())
        .collect();
    nested.sort();
    let refusal = |path: PathBuf| Piece {
        name: path.display().to_string(),
        item: Err("it is a folder of its own; import it by its name, with --folder".to_owned()),
        bytes_read: 0,
    };
    nested.into_iter().map(refusal).collect()
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// The flags after `:2,` in the name of a maildir's file.
fn maildir_flags(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy())
        .and_then(|name| name.rsplit_once(":2,").map(|(_, flags)| flags.to_owned()))
        .unwrap_or_default()
}

fn unreadable(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidInput => error.to_string(),
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// The reason why a message is refused for its size.
pub fn too_large(bytes_max: u64) -> String {
    format!("it is larger than the {bytes_max} bytes that one message may have")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Subject: x\r\n\r\nbody\r\n";

    #[test]
    fn the_beginning_tells_the_shape() {
        for (head, extension, shape) in [
            (&b"From a@b Thu"[..], Some("eml"), Some(Shape::Mbox)),
            (
                b"\xEF\xBB\xBFBegin:VCard\r\n",
                None,
                Some(Shape::One(Kind::Contacts)),
            ),
            (
                b"BEGIN:VCALENDAR",
                Some("txt"),
                Some(Shape::One(Kind::Calendar)),
            ),
            (MAIL, None, Some(Shape::One(Kind::Message))),
            (b"From  : a@b", None, Some(Shape::One(Kind::Message))),
            (b"\x00\x01", Some("eml"), Some(Shape::One(Kind::Message))),
            (b"no header here: x", None, None),
            (b"\x7FELF", Some("bin"), None),
            (b"", None, None),
        ] {
            assert_eq!(shape_of(head, extension), shape, "{head:?}");
        }
    }

    #[test]
    fn a_maildir_gives_its_messages_with_their_flags() {
        let dir = tempfile::tempdir().unwrap();
        for (name, data) in [
            ("cur/1.host:2,S", MAIL),
            ("cur/2.host:2,FR", MAIL),
            ("new/3.host", MAIL),
            ("new/4.host", b""),
            ("new/.hidden", MAIL),
            (".Sent/cur/5.host", MAIL),
        ] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, data).unwrap();
        }
        let pieces: Vec<Piece> = open(dir.path(), Limits::default()).collect();
        let read: Vec<Option<bool>> = pieces
            .iter()
            .map(|piece| piece.item.as_ref().ok().map(|item| item.header.read))
            .collect();
        assert_eq!(read, [Some(true), Some(false), Some(false), None, None]);
        assert!(pieces[4].name.ends_with(".Sent"));
        assert_eq!(size(dir.path()), 3 * MAIL.len() as u64);
    }

    #[test]
    fn an_mbox_gives_its_messages_with_their_status() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mail");
        fs::write(
            &path,
            "From a\nstatus: RO\n\nx\n\nFrom b 10:00\nSubject: y\n\nStatus: R\n",
        )
        .unwrap();
        let pieces: Vec<Piece> = open(&path, Limits::default()).collect();
        let read: Vec<bool> = pieces
            .iter()
            .map(|piece| piece.item.as_ref().unwrap().header.read)
            .collect();
        assert_eq!(read, [true, false]);
        assert!(pieces[1].name.ends_with("mail, message 2"));
        let bytes: u64 = pieces.iter().map(|piece| piece.bytes_read).sum();
        assert_eq!(bytes, size(&path));
    }

    #[test]
    fn what_cannot_be_read_has_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, data: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, data).unwrap();
            path
        };
        let limits = Limits {
            message_bytes_max: 16,
        };
        for (path, part) in [
            (dir.path().join("missing.eml"), "no such file"),
            (dir.path().to_owned(), "no maildir"),
            (write("empty.eml", b""), "empty"),
            (write("long.eml", MAIL), "larger than the 16 bytes"),
            (write("notes.txt", b"to do"), "none of a message"),
        ] {
            let pieces: Vec<Piece> = open(&path, limits).collect();
            let [piece] = &pieces[..] else {
                panic!("{path:?}: {pieces:?}")
            };
            let reason = piece.item.as_ref().unwrap_err();
            assert!(reason.contains(part), "{path:?}: {reason}");
        }
    }
}
