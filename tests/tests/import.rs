//! `ropewalk import` with files of every kind, bad ones among them: what it prints, its exit code, and
//! what is in the mailbox afterwards.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use ropewalk_props::{BagView as _, GlobCnt, PropTag, PropValue, Slot, named_tags, tags::*};
use ropewalk_store::{ContentsView, Mailbox, Message, Store, StoreOptions};
use ropewalk_tests::server::{TestServer, add_user, ropewalk};

const ADA: &str = "ada@example.test";
/// The top of what the user sees; it has the same id in every mailbox.
const IPM_SUBTREE: GlobCnt = GlobCnt(4);

/// A directory with files to import.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        fs::create_dir(files.path("data")).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, data: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }

    /// Runs an import in this directory.
    fn import(&self, data_dir: &Path, args: &[&str]) -> Output {
        ropewalk()
            .current_dir(self.0.path())
            .args(["import", "--user", ADA, "--data-dir"])
            .arg(data_dir)
            .args(args)
            .output()
            .unwrap()
    }
}

fn mail(subject: &str, rest: &str) -> String {
    format!(
        "From: Bob <bob@example.test>\r\nTo: ada@example.test\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n{rest}\r\n\r\nbody of {subject}\r\n"
    )
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// The one line on standard error that names a file; panics without exactly one.
fn reason(output: &Output, name: &str) -> String {
    let told = text(&output.stderr);
    let lines: Vec<&str> = told.lines().filter(|line| line.contains(name)).collect();
    let [line] = lines[..] else {
        panic!("{name} in {told}")
    };
    assert!(line.starts_with("ropewalk: cannot import "), "{line}");
    line.to_owned()
}

/// All messages of a folder, by the path of the folder, with the mailbox's own ids.
fn messages(data_dir: &Path, path: &str) -> Vec<Message> {
    with_mailbox(data_dir, |mailbox| {
        let mut folder = IPM_SUBTREE;
        for part in path.split('/') {
            let children = mailbox.child_folders(folder);
            let child = children
                .iter()
                .find(|child| name(mailbox, child.id) == part);
            folder = child.unwrap_or_else(|| panic!("{part} of {path}")).id;
        }
        let contents = mailbox.contents(folder, ContentsView::Normal).unwrap();
        contents
            .iter()
            .map(|entry| mailbox.read_message(entry).unwrap().to_message())
            .collect()
    })
}

fn with_mailbox<T>(data_dir: &Path, read: impl FnOnce(&Mailbox) -> T) -> T {
    let store = Store::open(data_dir, StoreOptions::default()).unwrap();
    let user = store.user_by_email(ADA).unwrap();
    let result = read(&store.mailbox(user.mailbox_guid).unwrap());
    store.close().unwrap();
    result
}

fn name(mailbox: &Mailbox, folder: GlobCnt) -> String {
    let folder = mailbox.folder(folder).unwrap();
    folder
        .props
        .get_text(PID_TAG_DISPLAY_NAME)
        .unwrap_or_default()
}

fn subjects(messages: &[Message]) -> Vec<String> {
    let subjects = messages
        .iter()
        .map(|message| message.props.get_text(PID_TAG_SUBJECT));
    let mut subjects: Vec<String> = subjects.map(Option::unwrap_or_default).collect();
    subjects.sort();
    subjects
}

const CARDS: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:George Boole\r\nEMAIL:george@example.test\r\n\
                     END:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:Mary Somer\r\nEND:VCARD\r\n";
const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1@example.test\r\n\
                     DTSTART:20261124T090000Z\r\nDTEND:20261124T100000Z\r\nSUMMARY:Splicing\r\n\
                     LOCATION:Loft\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn write_every_kind(files: &Files) {
    files.write("one.eml", mail("one", "X-Note: y"));
    let unix = |subject: &str| mail(subject, "X-Note: y").replace("\r\n", "\n");
    let from = "From bob@example.test Mon Nov 23 09:00:00 2026\n";
    files.write(
        "box.mbox",
        format!("{from}{}\n{from}{}\n", unix("two"), unix("three")),
    );
    files.write("Maildir/cur/1.host:2,S", mail("four", "X-Note: y"));
    files.write("Maildir/new/2.host", mail("five", "X-Note: y"));
    fs::create_dir_all(files.path("Maildir/tmp")).unwrap();
    files.write("people.vcf", CARDS);
    files.write("meeting.ics", EVENT);
    files.write("empty.eml", "");
    files.write("nobody.vcf", "BEGIN:VCARD\r\nEND:VCARD\r\n");
    files.write("nothing.ics", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
    files.write("program.bin", b"\x7FELF\0\x01");
}

const EVERYTHING: [&str; 10] = [
    "empty.eml",
    "one.eml",
    "nobody.vcf",
    "box.mbox",
    "program.bin",
    "Maildir",
    "people.vcf",
    "nothing.ics",
    "meeting.ics",
    "missing.eml",
];

fn import_every_kind(files: &Files, data_dir: &Path) {
    write_every_kind(files);
    let output = files.import(data_dir, &EVERYTHING);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    // Five messages, two contacts and an appointment.
    assert_eq!(text(&output.stdout), "imported 8, failed 5\n", "{output:?}");
    for (name, part) in [
        ("empty.eml", "empty"),
        ("nobody.vcf", "no contact"),
        ("nothing.ics", "no appointment"),
        ("program.bin", "none of a message"),
        ("missing.eml", "no such file"),
    ] {
        let line = reason(&output, name);
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn every_kind_of_file_goes_where_it_belongs_and_bad_ones_are_named() {
    let files = Files::new();
    let data_dir = files.path("data");
    add_user(&data_dir, ADA, "Ada", "secret");
    import_every_kind(&files, &data_dir);

    let inbox = messages(&data_dir, "Inbox");
    assert_eq!(subjects(&inbox), ["five", "four", "one", "three", "two"]);
    for message in &inbox {
        let body = message.props.get_text(PID_TAG_BODY).unwrap();
        assert!(body.starts_with("body of "), "{body}");
        assert_eq!(message.recipients.len(), 1);
    }
    let contacts = messages(&data_dir, "Contacts");
    assert_eq!(subjects(&contacts), ["George Boole", "Mary Somer"]);
    let [appointment] = &messages(&data_dir, "Calendar")[..] else {
        panic!()
    };
    let location = named_tags::PID_LID_LOCATION;
    let id = with_mailbox(&data_dir, |mailbox| {
        mailbox.named_ids(&[location.name()], false).unwrap()[0].unwrap()
    });
    let tag = PropTag::new(id, location.ty());
    assert_eq!(appointment.props.get_text(tag).as_deref(), Some("Loft"));
}

#[test]
fn a_running_server_imports_the_same() {
    let files = Files::new();
    let mut server = TestServer::start(&[]);
    let data_dir = server.data_dir().to_owned();
    add_user(&data_dir, ADA, "Ada", "secret");
    import_every_kind(&files, &data_dir);
    assert_eq!(server.stop().code(), Some(0), "{}", server.log());
    assert_eq!(messages(&data_dir, "Inbox").len(), 5);
    assert_eq!(messages(&data_dir, "Contacts").len(), 2);
}

#[test]
fn good_files_alone_succeed_in_the_folder_that_was_asked_for() {
    let files = Files::new();
    let data_dir = files.path("data");
    add_user(&data_dir, ADA, "Ada", "secret");
    write_every_kind(&files);
    let good = ["one.eml", "box.mbox", "people.vcf", "meeting.ics"];
    let args = [&["--folder", "Archive/2026"], &good[..]].concat();
    let output = files.import(&data_dir, &args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout), "imported 6, failed 0\n");
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(messages(&data_dir, "Archive/2026").len(), 6);
    assert_eq!(messages(&data_dir, "Archive").len(), 0);
}

#[test]
fn malformed_mail_is_imported_as_well_as_it_can_be() {
    let files = Files::new();
    let data_dir = files.path("data");
    add_user(&data_dir, ADA, "Ada", "secret");
    let nested = "Content-Type: message/rfc822\n\n".repeat(3000);
    let cases: [(&str, Vec<u8>); 8] = [
        ("headless.eml", b"no header, only text".to_vec()),
        ("nul.eml", b"Subject: n\0ul\n\n\0\0".to_vec()),
        ("8bit.eml", b"Subject: caf\xE9\n\ncaf\xE9".to_vec()),
        (
            "unclosed.eml",
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nopen".to_vec(),
        ),
        (
            "base64.eml",
            b"Content-Transfer-Encoding: base64\n\n!!aGVsbG8".to_vec(),
        ),
        ("cr.eml", b"Subject: mac\r\rold lines".to_vec()),
        ("nested.eml", nested.into_bytes()),
        ("noise.eml", (0..=255).cycle().take(100_000).collect()),
    ];
    for (name, data) in &cases {
        files.write(name, data);
    }
    let names: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
    let output = files.import(&data_dir, &names);
    assert_eq!(text(&output.stdout), "imported 8, failed 0\n", "{output:?}");
    let inbox = messages(&data_dir, "Inbox");
    let bodies: Vec<String> = inbox
        .iter()
        .filter_map(|message| message.props.get_text(PID_TAG_BODY))
        .collect();
    for body in ["no header, only text", "café", "open", "hello", "old lines"] {
        assert!(
            bodies.iter().any(|found| found == body),
            "{body} in {bodies:?}"
        );
    }
}

#[test]
fn a_large_attachment_comes_back_whole() {
    let files = Files::new();
    let data_dir = files.path("data");
    add_user(&data_dir, ADA, "Ada", "secret");
    let lines = "0123456789abcdef0123456789abcdef0123456789abcdef\r\n".repeat(100_000);
    files.write(
        "large.eml",
        format!(
            "Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsmall\r\n--b\r\n\
             Content-Type: text/csv\r\nContent-Disposition: attachment; filename=large.csv\r\n\r\n{lines}\r\n--b--\r\n"
        ),
    );
    let output = files.import(&data_dir, &["large.eml"]);
    assert_eq!(text(&output.stdout), "imported 1, failed 0\n", "{output:?}");
    let inbox = messages(&data_dir, "Inbox");
    let attachment = &inbox[0].attachments[0].props;
    assert_eq!(
        attachment.value(PID_TAG_ATTACH_SIZE),
        Some(PropValue::Integer32(lines.len() as i32))
    );
    let Some((_, Slot::External(blob))) = attachment.slot(PID_TAG_ATTACH_DATA_BINARY.id()) else {
        panic!("a large value is a blob")
    };
    assert_eq!(blob.len, lines.len() as u64);
}
