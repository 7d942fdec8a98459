//! What a mailbox keeps of public folders (MS-OXCSTOR 2.2.1.10 to 2.2.1.13, 3.2.5.10 to 3.2.5.13).

use ropewalk_tests::{
    client::{Client, Handle, Result, Rop},
    fixture::{PASSWORD, code, fails, legacy_dn, log_on},
    server::{TestServer, add_user},
};

const GUID: [u8; 16] = [0xAA; 16];

/// A set of one change number, as clients carry it (MS-OXCFXICS 2.2.2.4.2).
fn one() -> Vec<u8> {
    [&[0xCC; 16][..], &[6, 0, 0, 0, 0, 0, 7, 0]].concat()
}

/// The LongTermID of a public folder somewhere.
fn folder(n: u16) -> Vec<u8> {
    let counter = [0, 0, 0, 1, (n >> 8) as u8, n as u8, 0, 0];
    [&[0xF0; 16][..], &counter].concat()
}

/// RopWritePerUserInformation: HasFinished, DataOffset and Data.
fn write(
    client: &mut Client,
    logon: Handle,
    n: u16,
    (finished, offset, data): (bool, u32, &[u8]),
) -> Result<()> {
    let rop = Rop::new(0x64, 0).bytes(&folder(n)).u8(finished.into());
    let rop = rop.u32(offset).sized(data);
    let rop = if offset == 0 { rop.bytes(&GUID) } else { rop };
    client.rop(&rop, &[logon])?.empty()
}

fn of_one(email: &str) -> (TestServer, Client, Handle) {
    let server = TestServer::start(&[]);
    add_user(server.data_dir(), email, "Reader", PASSWORD);
    let dn = legacy_dn(server.data_dir(), email);
    let (client, logon) = log_on(&server, email, PASSWORD, &dn);
    (server, client, logon.handle)
}

// 3.2.5.13.1: another folder, or another offset, ends what was on its way.
#[test]
fn parts_that_do_not_go_on_end_what_was_begun() {
    let (_server, mut client, logon) = of_one("parts@example.test");
    let data = one();
    let (head, tail) = data.split_at(10);
    let guid = |n| Rop::new(0x61, 0).bytes(&folder(n));
    // Another folder.
    write(&mut client, logon, 1, (false, 0, head)).unwrap();
    fails(write(&mut client, logon, 2, (true, 10, tail)), code::ERROR);
    fails(write(&mut client, logon, 1, (true, 10, tail)), code::ERROR);
    write(&mut client, logon, 1, (false, 0, head)).unwrap();
    write(&mut client, logon, 2, (true, 0, &data)).unwrap();
    fails(write(&mut client, logon, 1, (true, 10, tail)), code::ERROR);
    // Another offset; zero begins anew.
    write(&mut client, logon, 1, (false, 0, head)).unwrap();
    for offset in [1, 9, 11, u32::MAX] {
        fails(
            write(&mut client, logon, 1, (true, offset, tail)),
            code::ERROR,
        );
    }
    fails(write(&mut client, logon, 1, (true, 10, tail)), code::ERROR);
    fails(client.rop(&guid(1), &[logon]), code::NOT_FOUND);
    write(&mut client, logon, 1, (false, 0, &[1, 2, 3])).unwrap();
    write(&mut client, logon, 1, (false, 0, head)).unwrap();
    write(&mut client, logon, 1, (true, 10, tail)).unwrap();
    assert_eq!(client.rop(&guid(1), &[logon]).unwrap().body, GUID);
    // What is no set is not kept, and nothing of what was there goes (3.2.5.13.1).
    for bad in [&data[..15], &data[..20], b"neither one"] {
        let corrupt = write(&mut client, logon, 1, (true, 0, bad));
        fails(corrupt, 0x8004_011B);
    }
    let read = Rop::new(0x63, 0).bytes(&folder(1)).u8(0).u32(0).u16(0);
    let answer = client.rop(&read, &[logon]).unwrap();
    assert_eq!(answer.body[..3], [1, data.len() as u8, 0]);
    assert_eq!(answer.body[3..], data);
}

// 2.2.1.10.2, 3.2.5.10: all of them are told, as many as a mailbox keeps; where nothing was read is
// forgotten for one more.
#[test]
fn a_mailbox_keeps_so_many_folders_and_tells_them_all() {
    let (_server, mut client, logon) = of_one("folders@example.test");
    let full = (0..1000).find(|n| write(&mut client, logon, *n, (true, 0, &one())).is_err());
    let full = full.expect("there is an end");
    fails(
        write(&mut client, logon, full, (true, 0, &one())),
        code::MEMORY,
    );
    let told = |client: &mut Client| {
        let rop = Rop::new(0x60, 0).bytes(&GUID);
        let body = client.rop(&rop, &[logon]).unwrap().body;
        let count = u16::from_le_bytes([body[0], body[1]]);
        assert_eq!(body.len(), 2 + usize::from(count) * 24);
        body[2..].chunks(24).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let all = told(&mut client);
    assert_eq!(all.len(), usize::from(full));
    assert!((0..full).all(|n| all.contains(&folder(n))));
    write(&mut client, logon, 3, (true, 0, b"")).unwrap();
    assert_eq!(told(&mut client).len(), all.len());
    write(&mut client, logon, full, (true, 0, &one())).unwrap();
    let now = told(&mut client);
    assert_eq!(now.len(), all.len());
    assert!(now.contains(&folder(full)) && !now.contains(&folder(3)));
}
