//! Message ROPs, case by case as MS-OXCMSG tells them.

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, NO_HANDLE, NewRecipient, Rop, Value, save},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

const READ: u8 = 0;
const READ_WRITE: u8 = 1;
const BEST_ACCESS: u8 = 3;

const MESSAGE_STATUS: u32 = 0x0E17_0003;
const NATIVE_BODY: u32 = 0x1016_0003;
const RTF_COMPRESSED: u32 = 0x1009_0102;
const RTF_IN_SYNC: u32 = 0x0E1F_000B;
const COMPUTED: u32 = 0x8004_011A;

/// A session and a folder of its own.
struct Place {
    client: Client,
    logon: Logon,
    folder: Handle,
    folder_id: u64,
}

fn place() -> Place {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    Place {
        client,
        logon,
        folder,
        folder_id,
    }
}

impl Place {
    fn message(&mut self) -> (Handle, u64) {
        new_message(&mut self.client, self.folder, self.folder_id, "a case")
    }

    fn open(&mut self, id: u64, mode: u8) -> Handle {
        let opened = self
            .client
            .open_message(self.folder, self.folder_id, id, mode);
        opened.unwrap().handle
    }

    /// A property as someone sees it who opens the message now.
    fn seen(&mut self, id: u64, tag: u32) -> Value {
        let message = self.open(id, READ);
        let row = self.client.get_props(message, &[tag]).unwrap();
        self.client.release(message).unwrap();
        row.value(0).clone()
    }

    fn flags(&mut self, id: u64) -> i32 {
        match self.seen(id, tag::MESSAGE_FLAGS) {
            Value::Integer32(flags) => flags,
            other => panic!("{other:?}"),
        }
    }

    /// RopGetMessageStatus.
    fn status(&mut self, id: u64) -> u32 {
        let rop = Rop::new(0x1F, 0).u64(id);
        let answer = self.client.rop(&rop, &[self.folder]).unwrap();
        answer.read(|input| input.u32()).unwrap()
    }

    /// RopSetMessageStatus.
    fn set_status(&mut self, id: u64, flags: u32, mask: u32) -> u32 {
        let rop = Rop::new(0x20, 0).u64(id).u32(flags).u32(mask);
        let answer = self.client.rop(&rop, &[self.folder]).unwrap();
        answer.read(|input| input.u32()).unwrap()
    }

    /// RopSetReadFlags of one message: PartialCompletion.
    fn set_read_flags(&mut self, ids: &[u64], want_asynchronous: u8, flags: u8) -> u8 {
        let rop = Rop::new(0x66, 0).u8(want_asynchronous).u8(flags).ids(ids);
        let answer = self.client.rop(&rop, &[self.folder]).unwrap();
        answer.read(|input| input.u8()).unwrap()
    }
}

/// What a change of state may not touch.
const VERSION: [u32; 3] = [
    tag::CHANGE_KEY,
    tag::LAST_MODIFICATION_TIME,
    tag::PREDECESSOR_CHANGE_LIST,
];

// MS-OXCMSG 3.2.5.2.
#[test]
fn a_new_message_joins_the_contents_table_with_its_first_save() {
    let mut place = place();
    let rows = |place: &mut Place| {
        let (table, rows) = place.client.contents_table(place.folder, 0).unwrap();
        place.client.release(table).unwrap();
        rows
    };
    let message = place
        .client
        .create_message(place.logon.handle, place.folder_id)
        .unwrap();
    assert_eq!(rows(&mut place), 0);
    let id = place
        .client
        .save_message_with(message, save::FORCE_SAVE)
        .unwrap();
    assert_eq!(rows(&mut place), 1);
    assert_ne!(id, 0);
    place
        .client
        .open_message(place.logon.handle, place.folder_id, id, READ)
        .unwrap();
}

// MS-OXCMSG 2.2.3.3.1, 3.2.5.3: bits without meaning are ignored; those that exclude each other
// are not supported.
#[test]
fn save_flags_are_none_or_one() {
    let mut place = place();
    let (message, id) = place.message();
    for flags in [0x0F, 0x03, 0x07, 0x0B] {
        fails(
            place.client.save_message_with(message, flags),
            code::NOT_SUPPORTED,
        );
    }
    for flags in [0x00, 0x05, 0x06, 0x0A, 0x0C, 0x02] {
        assert_eq!(place.client.save_message_with(message, flags).unwrap(), id);
        let row = place.client.get_props(message, &[tag::ACCESS_LEVEL]);
        assert_eq!(row.unwrap().int(0), 1, "{flags:#x}");
    }
    place
        .client
        .save_message_with(message, save::KEEP_OPEN_READ_ONLY)
        .unwrap();
    let row = place.client.get_props(message, &[tag::ACCESS_LEVEL]);
    assert_eq!(row.unwrap().int(0), 0);
    fails(place.client.save_message(message), code::ERROR);
}

// MS-OXCMSG 3.2.5.3.
#[test]
fn the_second_of_two_transactions_fails_unless_it_is_forced() {
    let mut place = place();
    let (first, id) = place.message();
    let second = place.open(id, BEST_ACCESS);
    assert_ne!(first, second);
    let sensitivity = |value| [(tag::SENSITIVITY, Value::Integer32(value))];
    place.client.set_props(first, &sensitivity(1)).unwrap();
    assert_eq!(place.seen(id, tag::SENSITIVITY), Value::Integer32(0));
    place.client.set_props(second, &sensitivity(2)).unwrap();
    place.client.save_message(first).unwrap();
    assert_eq!(place.seen(id, tag::SENSITIVITY), Value::Integer32(1));
    fails(place.client.save_message(second), code::OBJECT_MODIFIED);
    place
        .client
        .save_message_with(second, save::FORCE_SAVE)
        .unwrap();
    assert_eq!(place.seen(id, tag::SENSITIVITY), Value::Integer32(2));
}

// MS-OXCMSG 2.2.3.1.1: other bits of OpenModeFlags are ignored.
#[test]
fn open_mode_flags_without_meaning_are_ignored() {
    let mut place = place();
    let (_, id) = place.message();
    for mode in [0x08, 0x0B, 0x80, 0xF1] {
        let opened = place
            .client
            .open_message(place.folder, place.folder_id, id, mode);
        assert_eq!(opened.unwrap().normalized_subject.unwrap(), "a case");
    }
    let read_only = place.open(id, READ);
    let subject = [(tag::NORMALIZED_SUBJECT, text("changed"))];
    fails(
        place.client.try_set_props(read_only, &subject),
        code::ACCESS_DENIED,
    );
    for mode in [READ_WRITE, BEST_ACCESS] {
        let message = place.open(id, mode);
        place.client.set_props(message, &subject).unwrap();
    }
}

// MS-OXCMSG 3.2.5.1.
#[test]
fn what_is_not_in_the_folder_is_not_found() {
    let mut place = place();
    let (message, id) = place.message();
    place.client.release(message).unwrap();
    let (folder, folder_id) = (place.folder, place.folder_id);
    fails(
        place.client.open_message(folder, folder_id, id - 1, READ),
        code::NOT_FOUND,
    );
    let inbox = place.logon.inbox();
    fails(
        place.client.open_message(folder, inbox, id, READ),
        code::NOT_FOUND,
    );
    assert_eq!(place.client.delete_messages(folder, &[id]).unwrap(), 0);
    fails(
        place.client.open_message(folder, folder_id, id, READ_WRITE),
        code::NOT_FOUND,
    );
    const OPEN_SOFT_DELETED: u8 = 0x04;
    place
        .client
        .open_message(folder, folder_id, id, OPEN_SOFT_DELETED)
        .unwrap();
}

// MS-OXCMSG 2.2.1.6: mfRead, mfUnsent, with mfRead mfEverRead, and mfUnmodified.
#[test]
fn a_saved_message_is_read_and_unsent() {
    let mut place = place();
    let (_, id) = place.message();
    assert_eq!(place.flags(id), 0x040B);
    let fai = place
        .client
        .create_message_with(place.folder, place.folder_id, true)
        .unwrap();
    let id = place.client.save_message(fai.handle).unwrap();
    assert_eq!(place.flags(id) & 0x40, 0x40);
}

// MS-OXCMSG 2.2: what could not be set is told in PropertyProblems. 2.2.1.6, 2.2.1.8.
#[test]
fn flags_and_status_are_the_servers_after_the_first_save() {
    let mut place = place();
    let message = place
        .client
        .create_message(place.folder, place.folder_id)
        .unwrap();
    // mfUnsent and mfResend without mfRead; none of the others is ever the client's.
    let given = [(tag::MESSAGE_FLAGS, Value::Integer32(0xFFFE))];
    place.client.set_props(message, &given).unwrap();
    let row = place.client.get_props(message, &[tag::MESSAGE_FLAGS]);
    assert_eq!(row.unwrap().int(0), 0x88);
    let id = place.client.save_message(message).unwrap();
    assert_eq!(place.flags(id), 0x8A);
    for tag in [tag::MESSAGE_FLAGS, MESSAGE_STATUS] {
        let problems = place
            .client
            .try_set_props(message, &[(tag, Value::Integer32(1))])
            .unwrap();
        let told: Vec<_> = problems.iter().map(|p| (p.index, p.tag, p.code)).collect();
        assert_eq!(told, [(0, tag, COMPUTED)]);
    }
    place.client.save_message(message).unwrap();
    assert_eq!(place.flags(id), 0x8A);
    place
        .client
        .set_props(message, &[(tag::SUBJECT, text("modified"))])
        .unwrap();
    place.client.save_message(message).unwrap();
    assert_eq!(place.flags(id), 0x88);
}

// MS-OXCMSG 3.2.5.8, 3.2.5.9.
#[test]
fn a_status_changes_within_its_mask_and_changes_nothing_else() {
    const IN_CONFLICT: u32 = 0x0800;
    const REMOTE_DOWNLOAD: u32 = 0x1000;
    const REMOTE_DELETE: u32 = 0x2000;
    const MASK: u32 = IN_CONFLICT | REMOTE_DOWNLOAD | REMOTE_DELETE;
    let mut place = place();
    let (message, id) = place.message();
    let before = VERSION.map(|tag| place.seen(id, tag));
    assert_eq!(place.seen(id, MESSAGE_STATUS), Value::Integer32(0));
    assert_eq!(place.set_status(id, REMOTE_DOWNLOAD, MASK), 0);
    assert_eq!(place.status(id), REMOTE_DOWNLOAD);
    assert_eq!(place.seen(id, MESSAGE_STATUS), Value::Integer32(0x1000));
    assert_eq!(VERSION.map(|tag| place.seen(id, tag)), before);
    assert_eq!(place.set_status(id, IN_CONFLICT, MASK), REMOTE_DOWNLOAD);
    assert_eq!(place.status(id), IN_CONFLICT);
    place.set_status(id, REMOTE_DELETE, REMOTE_DELETE);
    assert_eq!(place.status(id), IN_CONFLICT | REMOTE_DELETE);
    assert_eq!(VERSION.map(|tag| place.seen(id, tag)), before);
    // It is no change that a message open meanwhile would be in conflict with, or would undo.
    place
        .client
        .set_props(message, &[(tag::SUBJECT, text("saved later"))])
        .unwrap();
    place.client.save_message(message).unwrap();
    assert_eq!(place.status(id), IN_CONFLICT | REMOTE_DELETE);
    for rop in [
        Rop::new(0x1F, 0).u64(id),
        Rop::new(0x20, 0).u64(id).u32(1).u32(1),
    ] {
        for handle in [NO_HANDLE, message, place.logon.handle] {
            fails(place.client.rop(&rop, &[handle]), code::NULL_OBJECT);
        }
    }
}

/// PidTagReadReceiptRequested and PidTagNonReceiptNotificationRequested, which mfNotifyRead and
/// mfNotifyUnread follow from.
const RECEIPTS: [(u32, Value); 2] = [
    (0x0029_000B, Value::Boolean(true)),
    (0x0C06_000B, Value::Boolean(true)),
];

// MS-OXCMSG 2.2.1.6, MS-OXOMSG 2.2.1.29, 2.2.1.31.
#[test]
fn receipts_that_are_asked_for_show_in_the_flags() {
    let mut place = place();
    let (message, id) = place.message();
    place.client.set_props(message, &RECEIPTS).unwrap();
    let row = place.client.get_props(message, &[tag::MESSAGE_FLAGS]);
    assert_eq!(row.unwrap().int(0), 0x070B);
    assert_eq!(place.flags(id), 0x040B);
    place.client.save_message(message).unwrap();
    assert_eq!(place.flags(id), 0x0709);
    let unasked = [(RECEIPTS[0].0, Value::Boolean(false))];
    place.client.set_props(message, &unasked).unwrap();
    let gone = place.client.delete_props(message, &[RECEIPTS[1].0]);
    assert_eq!(gone.unwrap(), []);
    place.client.save_message(message).unwrap();
    assert_eq!(place.flags(id), 0x0409);
}

// MS-OXCMSG 2.2.3.10.1, 3.2.5.10.
#[test]
fn read_flags_set_and_clear_what_they_say() {
    let mut place = place();
    let message = place
        .client
        .create_message(place.folder, place.folder_id)
        .unwrap();
    let notify = 0x0300;
    place.client.set_props(message, &RECEIPTS).unwrap();
    let id = place.client.save_message(message).unwrap();
    let before = VERSION.map(|tag| place.seen(id, tag));
    assert_eq!(place.flags(id), 0x040B | notify);
    for (read_flags, flags) in [
        (0x04, 0x000A | notify),
        (0x10, 0x000A | notify),
        (0x00, 0x040B | notify),
        (0x05, 0x000A | notify),
        (0x01, 0x040B | notify),
        (0x20, 0x040B | 0x0200),
        (0x40, 0x040B),
    ] {
        assert_eq!(place.set_read_flags(&[id], 0, read_flags), 0);
        assert_eq!(place.flags(id), flags, "after ReadFlags {read_flags:#04x}");
    }
    assert_eq!(VERSION.map(|tag| place.seen(id, tag)), before);
    // Asynchronously or not, it is done when it is answered.
    assert_eq!(place.set_read_flags(&[id], 1, 0x04), 0);
    assert_eq!(place.flags(id) & 1, 0);
    // A message that is not there is not changed.
    assert_ne!(place.set_read_flags(&[id, id + (1 << 40)], 0, 0x00), 0);
    assert_eq!(place.flags(id) & 1, 1);
    let rop = Rop::new(0x66, 0).u8(0).u8(0).ids(&[id]);
    for handle in [NO_HANDLE, message] {
        fails(place.client.rop(&rop, &[handle]), code::NULL_OBJECT);
    }
}

// MS-OXCMSG 2.2.3.11, 3.2.5.11: in a private mailbox the slot of the folder may be empty.
#[test]
fn the_read_flag_of_an_open_message_is_committed_at_once() {
    let mut place = place();
    let message = place
        .client
        .create_message(place.folder, place.folder_id)
        .unwrap();
    place.client.set_props(message, &RECEIPTS).unwrap();
    let id = place.client.save_message(message).unwrap();
    let before = VERSION.map(|tag| place.seen(id, tag));
    let set = |place: &mut Place, read_flags: u8| {
        let rop = Rop::new(0x11, 1).u8(0).u8(read_flags);
        let answer = place.client.rop(&rop, &[message, NO_HANDLE]).unwrap();
        assert_eq!(answer.body, [0], "ReadStatusChanged");
        let row = place.client.get_props(message, &[tag::MESSAGE_FLAGS]);
        assert_eq!(row.unwrap().int(0), place.flags(id));
        place.flags(id)
    };
    assert_eq!(set(&mut place, 0x04), 0x030A);
    assert_eq!(set(&mut place, 0x20), 0x020A);
    assert_eq!(set(&mut place, 0x40), 0x000A);
    assert_eq!(set(&mut place, 0x00), 0x040B);
    assert_eq!(VERSION.map(|tag| place.seen(id, tag)), before);
    let rop = Rop::new(0x11, 0).u8(1).u8(0x04);
    for handle in [NO_HANDLE, place.folder] {
        let handles = [place.folder, handle];
        fails(place.client.rop(&rop, &handles), code::NULL_OBJECT);
    }
}

// MS-OXCMSG 3.2.5.7; MS-OXCDATA 2.11.7: ASCII goes in the reduced form.
#[test]
fn reloaded_information_is_that_of_the_open() {
    let mut place = place();
    let (message, id) = place.message();
    let subject = [(tag::SUBJECT, text("RE: caf\u{e9}"))];
    place.client.set_props(message, &subject).unwrap();
    let recipient = NewRecipient {
        row_id: 3,
        recipient_type: 1,
        display_name: "Grace",
        email_address: "grace@example.test",
        properties: Vec::new(),
    };
    place
        .client
        .modify_recipients(message, &[], &[recipient])
        .unwrap();
    place.client.save_message(message).unwrap();
    let opened = place
        .client
        .open_message(place.folder, place.folder_id, id, READ)
        .unwrap();
    assert_eq!(opened.recipient_count, 1);
    assert_eq!(opened.subject_prefix.as_deref(), Some("RE: "));
    assert_eq!(opened.normalized_subject.as_deref(), Some("caf\u{e9}"));
    let reload = Rop::new(0x10, 0).u16(0);
    let answer = place.client.rop(&reload, &[opened.handle]).unwrap();
    assert_eq!(answer.body[1..6], [3, b'R', b'E', b':', b' ']);
    assert_eq!(answer.body[7], 4);
    assert_eq!(
        place
            .client
            .reload_cached_information(opened.handle)
            .unwrap(),
        opened
    );
    for handle in [NO_HANDLE, place.folder] {
        fails(place.client.rop(&reload, &[handle]), code::NULL_OBJECT);
    }
}

// MS-OXCMSG 3.2.5.4 to 3.2.5.6.
#[test]
fn recipients_are_made_replaced_and_removed_by_row_id() {
    let mut place = place();
    let (message, id) = place.message();
    let recipient = |row_id, recipient_type, display_name| NewRecipient {
        row_id,
        recipient_type,
        display_name,
        email_address: "someone@example.test",
        properties: Vec::new(),
    };
    fails(
        place.client.read_recipients(message, 0, &[]),
        code::NOT_FOUND,
    );
    place.client.remove_all_recipients(message).unwrap();
    let five = [
        recipient(0, 1, "one"),
        recipient(1, 2, "two"),
        recipient(2, 3, "five"),
        recipient(3, 1, "four"),
        recipient(4, 0x11, "three"),
    ];
    place.client.modify_recipients(message, &[], &five).unwrap();
    let names = |client: &mut Client, from: u32| -> Vec<String> {
        let read = client.read_recipients(message, from, &[]).unwrap();
        read.into_iter().map(|r| r.display_name.unwrap()).collect()
    };
    assert_eq!(names(&mut place.client, 0).len(), 5);
    place.client.save_message(message).unwrap();
    let opened = place
        .client
        .open_message(place.folder, place.folder_id, id, READ)
        .unwrap();
    let types: Vec<u8> = opened.recipients.iter().map(|r| r.recipient_type).collect();
    assert_eq!(types, [1, 2, 3, 1, 0x11]);
    fails(
        place.client.read_recipients(message, 15, &[]),
        code::NOT_FOUND,
    );
    let more = [recipient(0, 1, "new"), recipient(8, 1, "eight")];
    place.client.modify_recipients(message, &[], &more).unwrap();
    assert_eq!(
        names(&mut place.client, 0),
        ["new", "two", "five", "four", "three", "eight"]
    );
    // RecipientRowSize 0 removes.
    let remove = Rop::new(0x0E, 0).u16(0).u16(1).u32(1).u8(1).u16(0);
    place.client.rop(&remove, &[message]).unwrap();
    assert_eq!(names(&mut place.client, 0).len(), 5);
    fails(
        place.client.read_recipients(message, 1, &[]),
        code::NOT_FOUND,
    );
    let row = place
        .client
        .get_props(message, &[tag::DISPLAY_TO, tag::DISPLAY_BCC])
        .unwrap();
    assert_eq!(row.text(0), "new; four; three; eight");
    assert_eq!(row.text(1), "five");
    // The others see what was saved.
    assert_eq!(place.seen(id, tag::DISPLAY_CC), text("two"));
    place.client.remove_all_recipients(message).unwrap();
    fails(
        place.client.read_recipients(message, 0, &[]),
        code::NOT_FOUND,
    );
    for rop in [
        Rop::new(0x0D, 0).u32(0),
        Rop::new(0x0E, 0).u16(0).u16(0),
        Rop::new(0x0F, 0).u32(0).u16(0),
    ] {
        for handle in [NO_HANDLE, place.folder] {
            fails(place.client.rop(&rop, &[handle]), code::NULL_OBJECT);
        }
    }
}

// MS-OXCMSG 2.2.1.56: which body a message has.
#[test]
fn the_native_body_is_the_one_that_was_given() {
    let mut place = place();
    // The worked example of MS-OXRTFCP 4.1.1.
    let rtf = [
        0x2D, 0x00, 0x00, 0x00, 0x2B, 0x00, 0x00, 0x00, 0x4C, 0x5A, 0x46, 0x75, 0xF1, 0xC5, 0xC7,
        0xA7, 0x03, 0x00, 0x0A, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0A,
        0xF3, 0x20, 0x68, 0x65, 0x6C, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xB0, 0x6C, 0x64, 0x7D,
        0x0A, 0x80, 0x0F, 0xA0,
    ];
    let bodies = [
        (0, None),
        (1, Some((tag::BODY, text("plain")))),
        (2, Some((RTF_COMPRESSED, Value::Binary(rtf.to_vec())))),
        (3, Some((tag::HTML, Value::Binary(b"<p>hi</p>".to_vec())))),
    ];
    for (native, body) in bodies {
        let (message, _) = place.message();
        if let Some(body) = &body {
            let body = std::slice::from_ref(body);
            place.client.set_props(message, body).unwrap();
        }
        place.client.save_message(message).unwrap();
        let row = place.client.get_props(message, &[NATIVE_BODY]).unwrap();
        assert_eq!(row.int(0), native);
        // MS-OXBBODY 2.1.3.1, step 1: with some of the forms, the best of these.
        let asked = [NATIVE_BODY, RTF_IN_SYNC, RTF_COMPRESSED];
        let row = place.client.get_props(message, &asked).unwrap();
        assert_eq!(row.int(0), if native == 0 { 0 } else { 2 });
        match native {
            0 => assert_eq!(row.error(2), code::NOT_FOUND),
            2 => {
                assert!(row.flag(1));
                assert_eq!(row.binary(2), rtf);
            }
            // MS-OXCMSG 3.2.4.1: converted.
            _ => assert_ne!(row.binary(2), b""),
        }
    }
}

// MS-OXCMSG 3.2.5.12 to 3.2.5.17: each ROP's answer to what is no object of its kind.
#[test]
fn attachment_rops_need_their_objects() {
    let mut place = place();
    let (message, _) = place.message();
    let (attachment, id) = place.client.create_attachment(message).unwrap();
    for rop in [
        Rop::new(0x22, 1).u8(2).u8(1).u32(id),
        Rop::new(0x23, 1).u8(2),
        Rop::new(0x21, 1).u8(2).u8(0),
        Rop::new(0x24, 1).u32(id),
        Rop::new(0x46, 1).u8(2).u16(0x0FFF).u8(0),
    ] {
        for handle in [NO_HANDLE, place.folder, place.logon.handle] {
            let handles = [message, handle, NO_HANDLE];
            fails(place.client.rop(&rop, &handles), code::NULL_OBJECT);
        }
    }
    let saves = Rop::new(0x25, 0).u8(1).u8(0x04);
    fails(
        place.client.rop(&saves, &[message, message]),
        code::NOT_SUPPORTED,
    );
    fails(
        place.client.save_attachment_with(message, attachment, 0x03),
        code::NOT_SUPPORTED,
    );
    // Before it is saved, the message does not have it.
    fails(
        place.client.open_attachment(message, id, READ_WRITE),
        code::NOT_FOUND,
    );
    place
        .client
        .save_attachment_with(message, attachment, 0x0C)
        .unwrap();
    place
        .client
        .open_attachment(message, id, READ_WRITE)
        .unwrap();
    fails(
        place.client.delete_attachment(message, id + 5),
        code::NOT_FOUND,
    );
    place.client.delete_attachment(message, id).unwrap();
    fails(
        place.client.open_attachment(message, id, READ_WRITE),
        code::NOT_FOUND,
    );
    fails(place.client.delete_attachment(message, id), code::NOT_FOUND);
}

// MS-OXCMSG 2.2.2.5: the client cannot set the size.
#[test]
fn the_size_of_an_attachment_is_the_servers() {
    let mut place = place();
    let (message, _) = place.message();
    let (attachment, _) = place.client.create_attachment(message).unwrap();
    let size = |client: &mut Client| {
        let row = client.get_props(attachment, &[tag::ATTACH_SIZE]);
        row.unwrap().int(0)
    };
    let before = size(&mut place.client);
    let problems = place
        .client
        .try_set_props(attachment, &[(tag::ATTACH_SIZE, Value::Integer32(1))])
        .unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, COMPUTED);
    place.client.save_attachment(message, attachment).unwrap();
    assert_eq!(size(&mut place.client), before);
}

// MS-OXCMSG 2.2.3.16.1, 3.2.5.16.
#[test]
fn an_embedded_message_is_there_once_it_is_saved() {
    const CREATE: u8 = 0x02;
    let mut place = place();
    let (message, _) = place.message();
    let (attachment, _) = place.client.create_attachment(message).unwrap();
    place
        .client
        .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(5))])
        .unwrap();
    place.client.save_attachment(message, attachment).unwrap();
    let open = |code_page: u16, mode: u8| Rop::new(0x46, 0).u8(1).u16(code_page).u8(mode);
    let handles = [attachment, NO_HANDLE];
    let embedded = place.client.rop(&open(0x0FFF, CREATE), &handles).unwrap();
    let embedded = embedded.handle(1).unwrap();
    assert!(
        place
            .client
            .rop(&open(0x0FFF, READ_WRITE), &handles)
            .is_err()
    );
    place
        .client
        .save_message_with(embedded, save::FORCE_SAVE)
        .unwrap();
    place.client.release(embedded).unwrap();
    fails(
        place.client.rop(&open(0x000F, CREATE), &handles),
        code::UNKNOWN_CODE_PAGE,
    );
    let recipient = || NewRecipient {
        row_id: 0,
        recipient_type: 1,
        display_name: "Grace",
        email_address: "grace@example.test",
        properties: Vec::new(),
    };
    for (mode, writable) in [(READ, false), (READ_WRITE, true), (CREATE, true)] {
        let embedded = place.client.rop(&open(0x0FFF, mode), &handles).unwrap();
        let embedded = embedded.handle(1).unwrap();
        let modified = place
            .client
            .modify_recipients(embedded, &[], &[recipient()]);
        if writable {
            modified.unwrap();
        } else {
            fails(modified, code::ACCESS_DENIED);
        }
    }
}

// MS-OXOMSG 2.2.1.2, 2.2.1.3, 2.2.1.5.
#[test]
fn a_conversation_is_known_by_its_topic_or_by_its_index() {
    const TOPIC: u32 = 0x0070_001F;
    const INDEX: u32 = 0x0071_0102;
    const ID: u32 = 0x3013_0102;
    const INDEX_TRACKING: u32 = 0x3016_000B;
    let mut place = place();
    let (message, id) = place.message();
    let row = place
        .client
        .get_props(message, &[TOPIC, INDEX, ID])
        .unwrap();
    assert_eq!(row.text(0), "a case");
    assert_eq!((row.binary(1).len(), row.binary(1)[0]), (22, 1));
    // The MD5 hash of "A CASE" in UTF-16LE.
    let hash = [
        0x80, 0x90, 0x98, 0xDD, 0xB7, 0x2A, 0x4E, 0x9A, 0x76, 0xFA, 0x9F, 0x67, 0x04, 0x4F, 0x29,
        0x74,
    ];
    assert_eq!(row.binary(2), hash);
    let guid = row.binary(1)[6..22].to_vec();
    assert!(place.client.list_props(message).unwrap().contains(&ID));
    let tracked = [(INDEX_TRACKING, Value::Boolean(true))];
    place.client.set_props(message, &tracked).unwrap();
    place.client.save_message(message).unwrap();
    assert_eq!(place.seen(id, ID), Value::Binary(guid));
}
