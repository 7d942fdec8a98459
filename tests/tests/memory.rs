//! No request makes the server take memory beyond a bound: the peak of its resident set, before and
//! after requests that ask for the most.

use std::{fs, io::Write as _, net::TcpStream};

use ropewalk_tests::{
    client::{Client, Handle, InputForm, Logon, Rop, Value, framing},
    fixture::{ADA, PASSWORD, legacy_dn, log_on, new_folder, new_message, tag},
    server::{TestServer, add_user},
};

/// What all of these requests together may add. The server's own answer to a password is far below
/// it: Argon2 takes 19 MiB, and has done so before the first measurement.
const BOUND: u64 = 64 << 20;

/// VmHWM of a process, in bytes (proc_pid_status(5)).
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn hostile_sizes(client: &mut Client, folder: Handle, message: Handle) {
    let (stream, _) = client.open_stream(message, tag::HTML, 2).unwrap();
    // 2 GiB, if the server says yes, must not be memory.
    for size in [0x7FFF_FFFF, 0x8000_0000, u64::MAX] {
        let _ = client.set_stream_size(stream, size);
        let _ = client.seek_stream(stream, 2, 0);
        let _ = client.write_stream(stream, b"end");
        let _ = client.set_stream_size(stream, 0);
        let _ = client.seek_stream(stream, 0, size.cast_signed());
        let _ = client.write_stream(stream, b"end");
        let _ = client.set_stream_size(stream, 0);
    }
    let _ = client.commit_stream(stream);
    let (table, _) = client.contents_table(folder, 0).unwrap();
    // As many columns as a buffer holds, and as many rows as can be asked for.
    let columns = vec![tag::SUBJECT; 8000];
    if client.set_columns(table, &columns).is_ok() {
        let _ = client.query_rows(table, &columns, 0, true, u16::MAX);
    }
    let _ = client.get_props(message, &columns);
    // Restrictions as deep and as broad as a buffer holds.
    for restriction in [vec![0x02; 30_000], [0x00, 0xFF, 0xFF].repeat(10_000)] {
        let _ = client.rop(&Rop::new(0x14, 0).u8(0).sized(&restriction), &[table]);
    }
    for count in [1, 0xFFFF] {
        let _ = client.rop(&Rop::new(0x0E, 0).u16(0).u16(count), &[message]);
        let _ = client.rop(&Rop::new(0x56, 0).u8(2).u16(count), &[message]);
    }
}

fn hostile_buffers(client: &mut Client, logon: Handle) {
    // A bomb of matches, in as many extended buffers as a request holds.
    let mut bomb = vec![0, 0, 1, 0, 0, 0, 0xFF, 0xFF];
    bomb.extend(0x7FFF_FFFF_u32.to_le_bytes());
    bomb.extend([0, 7, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    let size = u16::try_from(bomb.len() - 8).unwrap();
    bomb[4..6].copy_from_slice(&size.to_le_bytes());
    let _ = client.execute_raw(&bomb.repeat(0x4_0000 / bomb.len()));
    // A response as large as can be asked for, many times in one buffer.
    let get_all = Rop::new(0x08, 0).u16(0).u16(1);
    let rops: Vec<Rop> = std::iter::repeat_n(get_all, 4000).collect();
    let max_rop_out = client.max_rop_out;
    client.max_rop_out = u32::MAX;
    client.flags |= 4;
    let _ = client.execute(&rops, &[logon]);
    client.max_rop_out = max_rop_out;
    client.flags &= 3;
    client.form = InputForm::default();
    // RopBufferSize of 4 GiB.
    let mut body = Vec::new();
    for field in [3, u32::MAX, 0, u32::MAX, u32::MAX] {
        body.extend(u32::to_le_bytes(field));
    }
    let _ = client.request("Execute", &body);
    // A Connect whose UserDn does not end.
    let _ = client.request("Connect", &vec![b'a'; 1 << 20]);
}

#[test]
fn hostile_requests_do_not_take_memory_beyond_a_bound() {
    let server = TestServer::start(&[]);
    add_user(server.data_dir(), ADA, "Ada Lovelace", PASSWORD);
    let dn = legacy_dn(server.data_dir(), ADA);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for i in 0..50 {
        new_message(&mut client, folder, folder_id, &format!("row {i}"));
    }
    let (_, victim) = new_message(&mut client, folder, folder_id, "victim");
    let before = peak(server.pid());

    for _ in 0..5 {
        let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
        let folder = client.open_folder(logon.handle, folder_id).unwrap();
        let saved = client.open_message(folder, folder_id, victim, 1).unwrap();
        hostile_sizes(&mut client, folder, saved.handle);
        let new = client.create_message(folder, folder_id).unwrap();
        hostile_sizes(&mut client, folder, new);
        hostile_buffers(&mut client, logon.handle);
    }

    // Bodies that are announced and do not come, on connections that stay open.
    let mut open = Vec::new();
    for length in [1_u64 << 20, 1 << 32, u64::MAX] {
        let mut stream = TcpStream::connect(server.http()).unwrap();
        write!(
            stream,
            "POST /mapi/emsmdb HTTP/1.1\r\nHost: x\r\nContent-Type: application/mapi-http\r\n\
             X-RequestType: Execute\r\nContent-Length: {length}\r\n\r\n"
        )
        .unwrap();
        open.push(stream);
    }
    // A header without end; the server may hang up at any byte.
    let mut endless = TcpStream::connect(server.http()).unwrap();
    for _ in 0..2000 {
        if endless.write_all(&[b'a'; 4096]).is_err() {
            break;
        }
    }

    // Objects that are never released.
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let opens: Vec<Rop> = (0..200)
        .map(|_| Rop::new(0x02, 0).u8(1).u64(folder_id).u8(0))
        .collect();
    for _ in 0..200 {
        let payload = framing::rop_buffer(
            &ropewalk_tests::client::concat(&opens),
            &[logon.handle, u32::MAX],
        );
        let _ = client.execute_payload(&payload);
    }
    // Values that are set and never saved.
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    for _ in 0..20 {
        let message = client.create_message(folder, folder_id).unwrap();
        for i in 0..20 {
            let value = Value::Binary(vec![1; 30_000]);
            let _ = client.try_set_props(message, &[(((0x7800 + i) << 16) | 0x0102, value)]);
        }
    }

    let after = peak(server.pid());
    assert!(
        after <= before + BOUND,
        "{} MiB more than the {} MiB before",
        (after - before) >> 20,
        before >> 20
    );
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    assert!(client.contents_table(folder, 0).unwrap().1 >= 51);
}

/// Drafts until there is no memory for another: how many, and the code of what was refused.
fn drafts(client: &mut Client, logon: &Logon, most: usize) -> (usize, Option<u32>) {
    let inbox = logon.inbox();
    for count in 0..most {
        let large = Value::text(&"x".repeat(12_000));
        let draft = client
            .create_message(logon.handle, inbox)
            .and_then(|message| client.try_set_props(message, &[(tag::SUBJECT, large)]));
        match draft {
            Ok(problems) if problems.is_empty() => {}
            Ok(problems) => return (count, Some(problems[0].code)),
            Err(error) => return (count, Some(error.code())),
        }
    }
    (most, None)
}

/// What sessions have open is bounded for the server, and one user's sessions cannot take all of it
/// from the others, however many there are.
#[test]
fn sessions_share_a_bound_and_no_user_has_more_than_half_of_it() {
    const NOT_ENOUGH_MEMORY: u32 = 0x8007_000E;
    const BOB: &str = "bob@example.test";
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, "[limits]\nsession_memory = \"4 MiB\"\n").unwrap();
    add_user(dir.path(), ADA, "Ada", PASSWORD);
    add_user(dir.path(), BOB, "Bob", PASSWORD);
    let server = TestServer::start_in(dir.path(), &["--config", config.to_str().unwrap()]);
    let log_on = |email| {
        let dn = legacy_dn(server.data_dir(), email);
        log_on(&server, email, PASSWORD, &dn)
    };
    let (mut first, logon) = log_on(ADA);
    // 2 MiB for drafts of some 24 kB.
    let (made, code) = drafts(&mut first, &logon, 200);
    assert_eq!(code, Some(NOT_ENOUGH_MEMORY), "after {made}");
    assert!((20..100).contains(&made), "{made}");
    // A second session of the same user has nothing, the other user has the rest.
    let (mut second, logon) = log_on(ADA);
    assert_eq!(drafts(&mut second, &logon, 9), (0, Some(NOT_ENOUGH_MEMORY)));
    let (mut other, logon) = log_on(BOB);
    assert_eq!(drafts(&mut other, &logon, 20), (20, None));
    // What a session gives back is there again.
    first.disconnect().unwrap();
    let (mut third, logon) = log_on(ADA);
    assert_eq!(drafts(&mut third, &logon, 20), (20, None));
}
