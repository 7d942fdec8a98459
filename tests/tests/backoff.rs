//! RopBackoff: a server with too much to do asks its clients to wait (MS-OXCROPS 2.2.15.2, 3.1.5.1.1,
//! 3.2.4.2).

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use ropewalk_tests::{
    client::{Rop, framing},
    fixture::{ADA, PASSWORD, legacy_dn, log_on, new_folder},
    server::{TestServer, add_user},
};

#[test]
fn a_request_too_many_is_delayed_and_executed_when_it_is_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, "[limits]\nrunning_requests = 1\n").unwrap();
    add_user(dir.path(), ADA, "Ada", PASSWORD);
    let server = TestServer::start_in(dir.path(), &["--config", config.to_str().unwrap()]);
    let dn = legacy_dn(server.data_dir(), ADA);
    let (mut busy, busy_logon) = log_on(&server, ADA, PASSWORD, &dn);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let (folder, _) = new_folder(&mut busy, &busy_logon);
    // RopSetProperties of PidTagComment waits for the disk; RopGetStoreState does not.
    let comment = [
        &[0x0A, 0, 0, 10, 0, 1, 0, 0x1F, 0, 0x04, 0x30][..],
        &[b'x', 0, 0, 0],
    ]
    .concat();
    let write = framing::extended_buffer(&framing::rop_buffer(&comment, &[folder]), busy.form);
    let state = Rop::new(0x7B, 0);
    let asked = framing::rop_buffer(&state.as_bytes().repeat(2), &[logon.handle]);
    let read = framing::extended_buffer(&asked, client.form);
    let over = AtomicBool::new(false);
    let delayed = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                busy.execute_raw(&write).unwrap();
            }
        });
        let until = Instant::now() + Duration::from_secs(20);
        let mut delayed = None;
        while delayed.is_none() && Instant::now() < until {
            let answer = client.execute_raw(&read).unwrap();
            let payloads = framing::output_buffers(&answer).unwrap();
            delayed = (payloads.into_iter().next()).filter(|payload| payload.rops[0] == 0xF9);
        }
        over.store(true, Ordering::Relaxed);
        delayed
    });
    // LogonId, Duration of a second, no ROP in particular, no further data: nothing was executed.
    let delayed = delayed.expect("one request was one too many");
    assert_eq!(delayed.rops, [0xF9, 0, 0xE8, 0x03, 0, 0, 0, 0, 0]);
    assert_eq!(delayed.handles, [logon.handle]);
    let answer = client.execute_raw(&read).unwrap();
    let payloads = framing::output_buffers(&answer).unwrap();
    assert_eq!(
        payloads[0].rops,
        [0x7B, 0, 0, 0, 0, 0, 0, 0, 0, 0].repeat(2)
    );
}
