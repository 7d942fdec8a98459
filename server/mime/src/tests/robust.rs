//! Malformed input: it converts to something, in bounded time, whatever it is.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::*;

/// Generous, for a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn in_time(what: &str, data: &[u8]) -> Message {
    let start = Instant::now();
    let message = crate::message(data, &Names::default(), now());
    assert!(start.elapsed() < PATIENCE, "{what}: {:?}", start.elapsed());
    message
}

#[test]
fn what_is_hardly_a_message_is_one_all_the_same() {
    for (data, body) in [
        (&b"just text, no header"[..], "just text, no header"),
        (b"\0\0\0", ""),
        (b"", "-"),
        (b"\n\n", "\r\n"),
        (b"Subject: x\r\rold\rMac", "old\r\nMac"),
        (b"Subject: x", ""),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\nno boundary",
            "no boundary",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nopen end",
            "open end",
        ),
        (
            b"Content-Type: text/plain; charset=nonsense\n\nna\xEFve",
            "naïve",
        ),
        (b"Content-Transfer-Encoding: base64\n\naGVs*bG8", "hello"),
        (
            b"Content-Transfer-Encoding: quoted-printable\n\n=ZZ=E9=\xFF=\xFE=",
            "=ZZé=ÿ=þ",
        ),
        (b"Content-Transfer-Encoding: nonsense\n\nx", "x"),
    ] {
        let message = in_time("small", data);
        let found = text(&message.props, PID_TAG_BODY);
        let found = if found == "-" && body.is_empty() {
            ""
        } else {
            &found
        };
        assert_eq!(
            found,
            if data.is_empty() { found } else { body },
            "{data:?}"
        );
    }
}

#[test]
fn huge_and_deep_messages_take_bounded_time() {
    let repeat = |unit: &str, bytes: usize| unit.repeat(bytes / unit.len());
    let multiparts: String = (0..20_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    let unclosed = "--b\nContent-Type: multipart/mixed; boundary=none\n\n";
    let cases = [
        (
            "nested messages",
            repeat("Content-Type: message/rfc822\n\n", 1 << 20),
        ),
        ("nested multiparts", multiparts),
        (
            "multiparts without their boundary",
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n{}",
                repeat(unclosed, 1 << 20)
            ),
        ),
        (
            "many parts",
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n{}",
                repeat("--b\nA:\n\n\n", 1 << 20)
            ),
        ),
        (
            "a huge field",
            format!("Subject: {}\n\nx", repeat("=?utf-8?q?x ", 1 << 20)),
        ),
        (
            "many fields",
            format!("{}\nx", repeat("To: a@x\n", 1 << 20)),
        ),
        (
            "many addresses",
            format!("To: {}\n\nx", repeat("a@x,", 1 << 20)),
        ),
        (
            "open quotes",
            format!("To: {}\n\nx", repeat("\"(<", 1 << 20)),
        ),
        (
            "hostile HTML",
            format!("Content-Type: text/html\n\n{}", repeat("<", 1 << 20)),
        ),
        (
            "comments in HTML",
            format!("Content-Type: text/html\n\n{}", repeat("<!--", 1 << 20)),
        ),
        (
            "entities in HTML",
            format!("Content-Type: text/html\n\n{}", repeat("&", 1 << 20)),
        ),
        (
            "references in HTML",
            format!("Content-Type: text/html\n\n{}", repeat("cid:", 1 << 20)),
        ),
        ("one line", repeat("x", 1 << 20)),
        ("line ends", repeat("\n", 1 << 20)),
        ("carriage returns", repeat("\r", 1 << 20)),
    ];
    for (what, data) in cases {
        in_time(what, data.as_bytes());
    }
    let deep = in_time(
        "depth",
        repeat("Content-Type: message/rfc822\n\n", 1 << 16).as_bytes(),
    );
    let mut depth = 0;
    let mut message = &deep;
    while let Some(inner) = message
        .attachments
        .first()
        .and_then(|one| one.embedded.as_deref())
    {
        depth += 1;
        message = inner;
    }
    assert_eq!(depth, crate::convert::EMBEDDED_DEPTH_MAX);
    assert_eq!(
        text(&message.attachments[0].props, PID_TAG_ATTACH_MIME_TAG),
        "message/rfc822"
    );
}

#[test]
fn huge_contact_and_calendar_files_take_bounded_time() {
    let start = Instant::now();
    for unit in [
        "BEGIN:VCARD\n",
        "N:a;",
        "TEL;",
        "\"",
        "\\",
        " x\n",
        "BEGIN:VEVENT\nDTSTART:20260101\n",
        "RRULE:FREQ=YEARLY;COUNT=9999;INTERVAL=4\n",
    ] {
        for head in [
            "BEGIN:VCARD\nN:",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\n",
        ] {
            let data = format!("{head}{}", unit.repeat((256 << 10) / unit.len()));
            let _ = crate::contacts(data.as_bytes(), &Names::default(), now());
            let _ = crate::calendar(data.as_bytes(), &Names::default(), now());
        }
    }
    let series = "BEGIN:VEVENT\nUID:x\nDTSTART:20260101\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;\
                  BYSETPOS=-1;COUNT=9999\nEND:VEVENT\n";
    let data = format!("BEGIN:VCALENDAR\n{}", series.repeat(5_000));
    let messages = crate::calendar(data.as_bytes(), &Names::default(), now()).unwrap();
    assert_eq!(messages.len(), 5_000);
    assert!(start.elapsed() < 6 * PATIENCE, "{:?}", start.elapsed());
}

/// Real and awkward mail beside the repository, or where `ROPEWALK_CORPUS` says; none is fine.
#[test]
fn real_mail_converts() {
    let dir = std::env::var_os("ROPEWALK_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let mut files = Vec::new();
    collect(&dir, &mut files);
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|ext| ext == "eml"))
    {
        let data = fs::read(file).unwrap();
        let message = in_time(&file.display().to_string(), &data);
        assert!(message.props.get(PID_TAG_MESSAGE_CLASS).is_some());
        if std::env::var_os("ROPEWALK_SHOW").is_some() {
            println!("== {}\n{}", file.display(), summary(&message));
        }
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
    files.sort();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn arbitrary_bytes_convert(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        crate::fuzz(&data);
    }

    #[test]
    fn arbitrary_pieces_of_mail_convert(pieces in prop::collection::vec(piece(), 0..60)) {
        crate::fuzz(pieces.concat().as_bytes());
    }

    #[test]
    fn damaged_demo_files_convert(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..20),
    ) {
        let files = super::demo::files();
        let mut data = which.get(&files).1.clone();
        for (at, change) in changes {
            if data.is_empty() {
                break;
            }
            let at = at.index(data.len());
            match change {
                Change::Set(byte) => data[at] = byte,
                Change::Cut(length) => { data.drain(at..(at + length).min(data.len())); }
                Change::Repeat(length) => {
                    let piece = data[at..(at + length).min(data.len())].to_vec();
                    data.splice(at..at, piece);
                }
                Change::End => data.truncate(at),
            }
        }
        let start = Instant::now();
        crate::fuzz(&data);
        prop_assert!(start.elapsed() < PATIENCE);
    }
}

#[derive(Clone, Debug)]
enum Change {
    Set(u8),
    Cut(usize),
    Repeat(usize),
    End,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any::<u8>().prop_map(Change::Set),
        2 => (1..200_usize).prop_map(Change::Cut),
        2 => (1..200_usize).prop_map(Change::Repeat),
        1 => Just(Change::End),
    ]
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "\n",
            "\r\n",
            "\r",
            " ",
            ";",
            ":",
            "=",
            "\"",
            "<",
            ">",
            "(",
            "\0",
            "--b",
            "--b--",
            "--",
            "Content-Type: ",
            "multipart/mixed",
            "multipart/alternative",
            "multipart/signed",
            "multipart/report",
            "message/rfc822",
            "text/html",
            "text/calendar; method=REQUEST",
            "; boundary=b",
            "; charset=",
            "utf-8",
            "iso-2022-jp",
            "utf-7",
            "Content-Transfer-Encoding: ",
            "base64",
            "quoted-printable",
            "Subject: ",
            "From: ",
            "To: ",
            "Date: ",
            "=?utf-8?Q?",
            "?=",
            "Content-Disposition: attachment; filename*0*=",
            "utf-8''%E9",
            "; filename*1=",
            "Thread-Index: ",
            "BEGIN:",
            "END:",
            "VCARD",
            "VCALENDAR",
            "VEVENT",
            "VTIMEZONE",
            "STANDARD",
            "DAYLIGHT",
            "VALARM",
            "DTSTART",
            ";TZID=X",
            ":20260101T000000",
            "DTEND",
            "DURATION:-P1W",
            "RRULE:FREQ=",
            "WEEKLY",
            "YEARLY",
            ";BYDAY=",
            "-1SU",
            ";COUNT=3",
            ";UNTIL=20260101",
            "TZOFFSETTO:+0100",
            "TZID:X",
            "EXDATE",
            "UID:",
            "RECURRENCE-ID",
            "TRIGGER:-PT5M",
            "PHOTO;ENCODING=b:",
            "N:;;",
            "BDAY:",
            "TEL;",
            "FN;QUOTED-PRINTABLE:=",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ]
}
