//! The decoders, each with inputs to begin with and what must hold for any input: no panic, and
//! that what is decoded encodes to something that decodes to the same.

use std::{fmt::Debug, fs, path::Path};

use ropewalk_props::PropTag;
use ropewalk_wire::{
    DecodeError, EncodeError, ErrorCode, Fid, Put as _, Reader, aux_buffer,
    client::RopBatch,
    codec::Wire,
    entry_id::EntryId,
    ext_buffer,
    list::List,
    lz77,
    mapihttp::{self, framing::Framed},
    nspi,
    property_name::PropertyNameRef,
    recipient::RecipientRow,
    restriction::{self, Restriction},
    rop::*,
    row::{PropertyRow, skip_row},
    sort::SortOrderSet,
    value::{Form, TaggedPropertyValue, skip_value},
};

use super::load::{self, Direction, Structure, Subject, Vector};

/// One decoder.
pub struct Target {
    pub name: &'static str,
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// Panics if something does not hold.
    pub check: fn(&[u8]),
}

/// Every decoder that bytes from the network reach.
pub const TARGETS: &[Target] = &[
    Target {
        name: "rop_request",
        corpus: rop_requests,
        check: check_rop_request,
    },
    Target {
        name: "rop_response",
        corpus: rop_responses,
        check: check_rop_response,
    },
    Target {
        name: "rop_output",
        corpus: rop_outputs,
        check: check_rop_output,
    },
    Target {
        name: "ext_buffer",
        corpus: ext_buffers,
        check: check_ext_buffer,
    },
    Target {
        name: "lz77",
        corpus: lz77_inputs,
        check: check_lz77,
    },
    Target {
        name: "value",
        corpus: values,
        check: check_value,
    },
    Target {
        name: "restriction",
        corpus: restrictions,
        check: check_restriction,
    },
    Target {
        name: "property_row",
        corpus: property_rows,
        check: check_property_row,
    },
    Target {
        name: "recipient_row",
        corpus: recipient_rows,
        check: check_recipient_row,
    },
    Target {
        name: "entry_id",
        corpus: entry_ids,
        check: check_entry_id,
    },
    Target {
        name: "sort_orders",
        corpus: sort_orders,
        check: check_wire::<SortOrderSet<'_>>,
    },
    Target {
        name: "property_name",
        corpus: property_names,
        check: check_wire::<PropertyNameRef<'_>>,
    },
    Target {
        name: "mapihttp_request",
        corpus: mapihttp_requests,
        check: check_mapihttp_request,
    },
    Target {
        name: "mapihttp_response",
        corpus: mapihttp_responses,
        check: check_mapihttp_response,
    },
    Target {
        name: "mapihttp_framing",
        corpus: framings,
        check: check_framing,
    },
    Target {
        name: "nspi_request",
        corpus: nspi_requests,
        check: check_nspi_request,
    },
    Target {
        name: "nspi_response",
        corpus: nspi_responses,
        check: check_nspi_response,
    },
    Target {
        name: "aux_buffer",
        corpus: aux_buffers,
        check: check_aux_buffer,
    },
    Target {
        name: "mime",
        corpus: mime_files,
        check: ropewalk_mime::fuzz,
    },
];

/// Encodes what was decoded, and decodes that: it must be the same, and all of the bytes.
///
/// Compared as text, for a NaN does not equal itself.
fn check_again<T: Debug>(
    value: &T,
    encode: impl FnOnce(&T, &mut Vec<u8>) -> Result<(), EncodeError>,
    decode: impl FnOnce(&[u8]) -> Result<(String, usize), DecodeError>,
) {
    let mut out = Vec::new();
    encode(value, &mut out).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    let (again, len) = decode(&out).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    assert_eq!(again, format!("{value:?}"));
    assert_eq!(len, out.len(), "{value:?}");
}

/// What `check_again` wants of a decoder that leaves bytes after a value alone.
fn text<T: Debug>(
    bytes: &[u8],
    decode: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<(String, usize), DecodeError> {
    let mut input = Reader::new(bytes);
    let value = decode(&mut input)?;
    Ok((format!("{value:?}"), input.position()))
}

fn check_wire<T>(bytes: &[u8])
where
    T: for<'a> WireText<'a>,
{
    T::check(bytes);
}

/// A borrowed structure under a name without its lifetime.
trait WireText<'a> {
    fn check(bytes: &'a [u8]);
}

macro_rules! wire_text {
    ($($name:ident)*) => {$(
        impl<'a> WireText<'a> for $name<'_> {
            fn check(bytes: &'a [u8]) {
                let mut input = Reader::new(bytes);
                let skipped = {
                    let mut input = input;
                    <$name<'_> as Wire<'_>>::skip(&mut input).map(|()| input.position())
                };
                let Ok(value) = <$name<'_> as Wire<'_>>::decode(&mut input) else {
                    assert!(skipped.is_err());
                    return;
                };
                assert_eq!(skipped, Ok(input.position()));
                check_again(&value, Wire::encode, |bytes| {
                    let mut input = Reader::new(bytes);
                    let value = <$name<'_> as Wire<'_>>::decode(&mut input)?;
                    Ok((format!("{value:?}"), input.position()))
                });
            }
        }
    )*};
}
wire_text! { SortOrderSet PropertyNameRef }

fn vectors(wanted: impl Fn(&Vector) -> bool) -> Vec<Vec<u8>> {
    load::all()
        .0
        .into_iter()
        .filter(wanted)
        .map(|vector| vector.bytes)
        .collect()
}

/// The first byte of an input says which form the rest is in.
const FORMS: [Form; 3] = [Form::Rop, Form::Extended, Form::AddressBook];

fn form(bytes: &[u8]) -> Option<(Form, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((FORMS[usize::from(*first) % FORMS.len()], rest))
}

fn in_every_form(inputs: &[&[u8]]) -> Vec<Vec<u8>> {
    inputs
        .iter()
        .flat_map(|input| (0..3u8).map(move |form| [&[form][..], input].concat()))
        .collect()
}

// ROPs

const COLUMNS: [PropTag; 5] = [
    PropTag(0x674E_0003),
    PropTag(0x0037_001F),
    PropTag(0x0E1F_0000),
    PropTag(0x65E2_0102),
    PropTag(0x8008_301F),
];

/// A request for each ROP with as few bytes as can be.
fn shortest_request(rop_id: RopId) -> Vec<u8> {
    let mut bytes = vec![0; 80];
    bytes[0] = rop_id.0;
    match rop_id {
        RopId::SET_PROPERTIES | RopId::SET_PROPERTIES_NO_REPLICATE => bytes[3] = 2,
        RopId::SET_LOCAL_REPLICA_MIDSET_DELETED => bytes[3] = 4,
        _ => {}
    }
    let mut input = Reader::new(&bytes);
    Request::decode(&mut input, &DecodeContext::default())
        .unwrap_or_else(|error| panic!("{rop_id}: {error}"));
    let len = input.position();
    bytes.truncate(len);
    bytes
}

fn context() -> DecodeContext {
    let mut context = DecodeContext::default();
    context.set_public(1, true);
    context
}

fn rop_requests() -> Vec<Vec<u8>> {
    let mut corpus = vectors(|vector| {
        matches!(vector.subject, Subject::Rop(_)) && vector.direction == Direction::Request
    });
    corpus.extend(RopId::ALL.iter().map(|rop_id| shortest_request(*rop_id)));
    corpus
}

fn check_rop_request(bytes: &[u8]) {
    let context = context();
    let Ok(request) = Request::decode(&mut Reader::new(bytes), &context) else {
        return;
    };
    assert!(!request.rop_id.section().is_empty());
    let _ = request.response_handle_index();
    check_again(&request, Request::encode, |bytes| {
        let mut input = Reader::new(bytes);
        let request = Request::decode(&mut input, &context)?;
        Ok((format!("{request:?}"), input.position()))
    });
    // The client understands the failure that a server answers with.
    let mut failure = Vec::new();
    put_failure(&mut failure, &request, ErrorCode::NOT_FOUND);
    let mut input = Reader::new(&failure);
    Response::decode(&mut input, &request, &[]).unwrap();
    assert!(input.is_empty());
    check_parts(&request);
}

/// What stands in a request as bytes.
fn check_parts(request: &Request<'_>) {
    match &request.body {
        RequestBody::ModifyRecipients(body) => {
            for row in &body.recipient_rows {
                let _ = row.row(body.recipient_columns.iter());
            }
        }
        RequestBody::Restrict(body) => {
            let _ = Restriction::from_bytes(&body.restriction_data, Form::Rop);
        }
        _ => {}
    }
}

fn rop_responses() -> Vec<Vec<u8>> {
    let mut corpus = vectors(|vector| {
        matches!(vector.subject, Subject::Rop(_)) && vector.direction == Direction::Response
    });
    let ids = RopId::ALL
        .iter()
        .copied()
        .chain([RopId::NOTIFY, RopId::BACKOFF]);
    corpus.extend(ids.map(|rop_id| [&[rop_id.0][..], &[0; 40]].concat()));
    // RopNotify with each type and kind.
    for ty in [0x02u16, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x100] {
        for bits in [0u16, 0x8000, 0xB000, 0xC000] {
            let mut notify = vec![RopId::NOTIFY.0, 1, 0, 0, 0, 0];
            notify.put_u16(ty | bits);
            notify.put_u16(3);
            notify.put_bytes(&[0; 60]);
            corpus.push(notify);
        }
    }
    corpus
}

fn check_rop_response(bytes: &[u8]) {
    let Some(first) = bytes.first() else { return };
    let request = RopId::ALL
        .contains(&RopId(*first))
        .then(|| shortest_request(RopId(*first)));
    let request = request
        .as_ref()
        .map(|bytes| Request::decode(&mut Reader::new(bytes), &DecodeContext::default()).unwrap());
    let Ok(rop) = OutputRop::decode(&mut Reader::new(bytes), request.as_ref(), &COLUMNS) else {
        return;
    };
    check_again(&rop, OutputRop::encode, |bytes| {
        let mut input = Reader::new(bytes);
        let rop = OutputRop::decode(&mut input, request.as_ref(), &COLUMNS)?;
        Ok((format!("{rop:?}"), input.position()))
    });
    if let OutputRop::Response(Response {
        body: ResponseBody::QueryRows(body),
        ..
    }) = &rop
    {
        assert!(body.rows(&COLUMNS).all(|row| row.is_ok()));
    }
}

fn batch() -> RopBatch<'static> {
    let mut batch = RopBatch::new();
    let logon = batch.handle(5);
    let folder = batch.slot();
    let open = OpenFolderRequest {
        output_handle_index: folder,
        folder_id: Fid::default(),
        open_mode_flags: 0,
    };
    let query = QueryRowsRequest {
        query_rows_flags: 0,
        forward_read: true,
        row_count: 2,
    };
    batch
        .push(Request::new(0, logon, RequestBody::OpenFolder(open)))
        .push_with_columns(Request::new(0, 1, RequestBody::QueryRows(query)), &COLUMNS);
    batch
}

fn rop_outputs() -> Vec<Vec<u8>> {
    let mut rops = Vec::new();
    put_response_header(&mut rops, RopId::OPEN_FOLDER, 1, ErrorCode::SUCCESS);
    rops.put_bytes(&[0, 0]);
    put_response_header(&mut rops, RopId::QUERY_ROWS, 1, ErrorCode::SUCCESS);
    rops.put_bytes(&[2, 0, 0]);
    let handles = [5, 6];
    let mut payload = Vec::new();
    RopBuffer {
        rops: &rops,
        handles: (&handles).into(),
    }
    .encode(&mut payload)
    .unwrap();
    let input = batch().to_payload().unwrap();
    [payload, input]
        .iter()
        .flat_map(|payload| {
            [0, ext_buffer::XOR_MAGIC, ext_buffer::COMPRESSED].map(|form| {
                let mut out = Vec::new();
                ext_buffer::encode(&mut out, payload, form | ext_buffer::LAST).unwrap();
                out
            })
        })
        .collect()
}

fn check_rop_output(bytes: &[u8]) {
    let Ok(payloads) = ext_buffer::decode(bytes) else {
        return;
    };
    let _ = batch().decode(&payloads);
    let _ = RopBatch::new().decode(&payloads);
}

// What surrounds ROPs

fn ext_buffers() -> Vec<Vec<u8>> {
    let mut corpus = vectors(|vector| vector.subject == Subject::Structure(Structure::ExtBuffer));
    let mut compressed = Vec::new();
    let plain = b"abcabcabcabcdefdefdef".repeat(10);
    let form = ext_buffer::COMPRESSED | ext_buffer::XOR_MAGIC;
    ext_buffer::encode(&mut compressed, &plain, form).unwrap();
    ext_buffer::encode(&mut compressed, &plain, form | ext_buffer::LAST).unwrap();
    corpus.push(compressed);
    corpus
}

fn check_ext_buffer(bytes: &[u8]) {
    let Ok(payloads) = ext_buffer::decode(bytes) else {
        return;
    };
    assert!(payloads.len() <= ext_buffer::BUFFERS_MAX);
    for payload in &payloads {
        assert!(payload.len() <= ext_buffer::PAYLOAD_MAX);
        for form in 0..4 {
            let mut out = Vec::new();
            ext_buffer::encode(&mut out, payload, form | ext_buffer::LAST).unwrap();
            assert_eq!(
                ext_buffer::decode(&out).unwrap(),
                std::slice::from_ref(payload)
            );
        }
    }
}

/// The first two bytes say the size.
fn lz77_inputs() -> Vec<Vec<u8>> {
    let mut corpus: Vec<_> =
        vectors(|vector| vector.subject == Subject::Structure(Structure::Lz77))
            .iter()
            .map(|bytes| [&300u16.to_le_bytes()[..], bytes].concat())
            .collect();
    let plain = b"to be or not to be, that is to be".repeat(8);
    let mut packed = (plain.len() as u16).to_le_bytes().to_vec();
    lz77::compress(&plain, &mut packed);
    corpus.push(packed);
    corpus
}

fn check_lz77(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let Ok(size) = input.u16() else { return };
    let mut plain = Vec::new();
    match lz77::decompress(input.rest(), size.into(), &mut plain) {
        Ok(()) => assert_eq!(plain.len(), usize::from(size)),
        Err(_) => assert!(plain.is_empty()),
    }
    // Anything can be compressed.
    let mut packed = Vec::new();
    lz77::compress(bytes, &mut packed);
    let mut again = Vec::new();
    lz77::decompress(&packed, bytes.len(), &mut again).unwrap();
    assert_eq!(again, bytes);
}

// Structures

const VALUES: [&[u8]; 12] = [
    b"\x03\0\x76\x66\x0a\0\0\0",
    b"\x02\0\x76\x66\x0a\0",
    b"\x0B\0\x76\x66\x01",
    b"\x14\0\x76\x66\x0a\0\0\0\0\0\0\0",
    b"\x1F\0\x37\0H\0i\0\0\0",
    b"\x1E\0\x37\0Hi\0",
    b"\x02\x01\xE2\x65\x02\0\xAA\xBB",
    b"\x1F\x10\x37\0\x02\0\0\0H\0\0\0\0\0",
    b"\x02\x11\xE2\x65\x01\0\0\0\x02\0\xAA\xBB",
    b"\x03\x10\xE2\x65\x02\0\0\0\x01\0\0\0\x02\0\0\0",
    b"\xFD\0\x79\x66\x08\x1F\0\x37\0",
    b"\xFE\0\x80\x66\x01\0\x09\0\x0A\0\0\0\0\0\0\0\0",
];

fn values() -> Vec<Vec<u8>> {
    in_every_form(&VALUES)
}

fn check_value(bytes: &[u8]) {
    let Some((form, bytes)) = form(bytes) else {
        return;
    };
    let mut skipped = Reader::new(bytes);
    let skip = skipped
        .u32()
        .and_then(|tag| skip_value(&mut skipped, form, PropTag(tag).ty()));
    let mut input = Reader::new(bytes);
    let Ok(value) = TaggedPropertyValue::take(&mut input, form) else {
        assert!(skip.is_err());
        return;
    };
    assert_eq!(skip, Ok(()));
    assert_eq!(skipped.position(), input.position());
    check_again(
        &value,
        |value, out| value.put(out, form),
        |bytes| text(bytes, |input| TaggedPropertyValue::take(input, form)),
    );
}

fn restrictions() -> Vec<Vec<u8>> {
    let content = b"\x03\x01\0\x01\0\x1F\0\x37\0\x1F\0\x37\0a\0b\0c\0\0\0";
    let property = b"\x04\x04\x03\0\x4E\x67\x03\0\x4E\x67\x07\0\0\0";
    let exist = b"\x08\x1F\0\x37\0";
    let and = [&b"\0\x02\0"[..], content, property].concat();
    let wide_and = [&b"\0\x02\0\0\0"[..], content, property].concat();
    let not = [&b"\x02"[..], &and].concat();
    let sub_object = [&b"\x09\x0D\0\x12\x0E"[..], exist].concat();
    let comment = [&b"\x0A\x01\x03\0\x4E\x67\x07\0\0\0\x01"[..], exist].concat();
    let count = [&b"\x0B\x05\0\0\0"[..], exist].concat();
    let mask = b"\x06\x01\x03\0\x07\x0E\x01\0\0\0";
    in_every_form(&[
        content,
        property,
        exist,
        &and,
        &wide_and,
        &not,
        &sub_object,
        &comment,
        &count,
        mask,
    ])
}

fn check_restriction(bytes: &[u8]) {
    let Some((form, bytes)) = form(bytes) else {
        return;
    };
    let mut skipped = Reader::new(bytes);
    let skip = restriction::skip(&mut skipped, form);
    let mut input = Reader::new(bytes);
    let Ok(restriction) = Restriction::decode(&mut input, form) else {
        assert!(skip.is_err());
        return;
    };
    assert_eq!(skip, Ok(()));
    assert_eq!(skipped.position(), input.position());
    check_again(
        &restriction,
        |restriction, out| restriction.encode(out, form),
        |bytes| text(bytes, |input| Restriction::decode(input, form)),
    );
}

fn property_rows() -> Vec<Vec<u8>> {
    let standard = b"\0\x07\0\0\0H\0i\0\0\0\x0B\0\x01\x02\0\xAA\xBBH\0\0\0";
    let flagged = b"\x01\0\x07\0\0\0\x0A\x0F\x01\x04\x80\x0B\0\0\x01\x01\0H\0\0\0";
    in_every_form(&[standard, flagged])
}

fn check_property_row(bytes: &[u8]) {
    let Some((form, bytes)) = form(bytes) else {
        return;
    };
    let columns = || COLUMNS.into_iter();
    let mut skipped = Reader::new(bytes);
    let skip = skip_row(&mut skipped, form, columns());
    let mut input = Reader::new(bytes);
    let Ok(row) = PropertyRow::decode(&mut input, form, columns()) else {
        assert!(skip.is_err());
        return;
    };
    assert_eq!(skip, Ok(()));
    assert_eq!(skipped.position(), input.position());
    check_again(
        &row,
        |row, out| row.encode(out, form, &COLUMNS),
        |bytes| text(bytes, |input| PropertyRow::decode(input, form, columns())),
    );
}

fn recipient_rows() -> Vec<Vec<u8>> {
    [
        &b"\x1B\x02b\0@\0x\0\0\0B\0o\0b\0\0\0\x01\0\0\x02\0\0\0"[..],
        b"\x51\x02\x00\x00/o=a/cn=u\0B\0\0\0\0\0\0",
        b"\x06\0\x02\0\xAA\xBB\x01\0\xCC\0\0\0",
        b"\x18\x84X400\0a\0b\0c\0\0\0\0",
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

fn check_recipient_row(bytes: &[u8]) {
    let columns = || COLUMNS.into_iter();
    let Ok(row) = RecipientRow::decode(&mut Reader::new(bytes), columns()) else {
        return;
    };
    check_again(
        &row,
        |row, out| row.encode(out, &COLUMNS),
        |bytes| {
            let mut input = Reader::new(bytes);
            let row = RecipientRow::decode(&mut input, columns())?;
            Ok((format!("{row:?}"), input.position()))
        },
    );
}

fn entry_ids() -> Vec<Vec<u8>> {
    use ropewalk_props::{GlobCnt, Guid};
    use ropewalk_wire::entry_id::*;
    let (mailbox, replica) = (Guid([1; 16]), Guid([2; 16]));
    let message = MessageEntryId::private(mailbox, replica, GlobCnt(1), GlobCnt(2));
    let one_off = OneOffEntryId {
        flags: 0,
        version: 0,
        one_off_flags: OneOffEntryId::UNICODE,
        display_name: b"B\0",
        address_type: b"S\0",
        email_address: b"b\0",
    };
    let ephemeral = EphemeralEntryId {
        id_type: 0x87,
        provider_uid: replica,
        r4: 1,
        display_type: 0,
        mid: 16,
    };
    let contact = ContactEntryId {
        flags: 0,
        provider_uid: provider::CONTACT,
        version: 3,
        entry_type: 4,
        index: 0,
        entry_id_size: 70,
        message,
    };
    [
        EntryId::Folder(FolderEntryId::private(mailbox, replica, GlobCnt(1))),
        EntryId::Message(message),
        EntryId::Store(StoreEntryId::private(b"srv", b"/o=a/cn=u")),
        EntryId::AddressBook(AddressBookEntryId::new(0, b"/o=a/cn=u")),
        EntryId::OneOff(one_off),
        EntryId::Ephemeral(ephemeral),
        EntryId::Contact(contact),
    ]
    .map(|id| id.to_bytes().unwrap())
    .to_vec()
}

fn check_entry_id(bytes: &[u8]) {
    let Ok(entry_id) = EntryId::from_bytes(bytes) else {
        return;
    };
    check_again(&entry_id, EntryId::encode, |bytes| {
        EntryId::from_bytes(bytes).map(|id| (format!("{id:?}"), bytes.len()))
    });
}

fn sort_orders() -> Vec<Vec<u8>> {
    vec![
        b"\x02\0\x01\0\x01\0\x1f\x30\x08\x80\0\x40\0\x06\x0e\x01".to_vec(),
        vec![0; 6],
    ]
}

fn property_names() -> Vec<Vec<u8>> {
    vec![
        [&[0][..], &[0x11; 16], &[3, 0x85, 0, 0]].concat(),
        [&[1][..], &[0x11; 16], b"\x08K\0e\0y\0\0\0"].concat(),
        [&[0xFF][..], &[0; 16]].concat(),
    ]
}

// Bodies of MAPI over HTTP

fn mapihttp_requests() -> Vec<Vec<u8>> {
    vectors(|vector| {
        matches!(vector.subject, Subject::Body(_)) && vector.direction == Direction::Request
    })
}

fn mapihttp_responses() -> Vec<Vec<u8>> {
    vectors(|vector| {
        matches!(vector.subject, Subject::Body(_)) && vector.direction == Direction::Response
    })
}

/// The same for a body of each kind: nobody says which one the bytes are.
macro_rules! check_bodies {
    ($bytes:ident: $($body:ty,)*) => {$({
        let decoded: Result<$body, _> = mapihttp::decode_body($bytes);
        if let Ok(body) = decoded {
            check_again(&body, Wire::encode, |bytes| {
                let body: $body = mapihttp::decode_body(bytes)?;
                Ok((format!("{body:?}"), bytes.len()))
            });
        }
    })*};
}

fn check_mapihttp_request(bytes: &[u8]) {
    check_bodies! { bytes:
        mapihttp::ConnectRequest<'_>,
        mapihttp::ExecuteRequest<'_>,
        mapihttp::DisconnectRequest<'_>,
        mapihttp::NotificationWaitRequest<'_>,
    }
}

fn check_mapihttp_response(bytes: &[u8]) {
    check_bodies! { bytes:
        mapihttp::Response<'_, mapihttp::ConnectSuccess<'_>>,
        mapihttp::Response<'_, mapihttp::ExecuteSuccess<'_>>,
        mapihttp::Response<'_, mapihttp::DisconnectSuccess<'_>>,
        mapihttp::Response<'_, mapihttp::NotificationWaitSuccess<'_>>,
    }
}

fn framings() -> Vec<Vec<u8>> {
    vec![
        b"PROCESSING\r\nDONE\r\nX-ElapsedTime: 5\r\n\r\nbody".to_vec(),
        b"PROCESSING\r\nPENDING\r\nPENDING\r\nDONE\r\nX-ResponseCode: 0\r\n\r\n".to_vec(),
    ]
}

fn check_framing(bytes: &[u8]) {
    if let Ok(framed) = Framed::parse(bytes) {
        let _ = framed.header("X-ResponseCode");
    }
}

/// The first byte of an input says which request type the rest is a body of.
fn nspi_requests() -> Vec<Vec<u8>> {
    let bodies = (0..nspi::RequestType::ALL.len() as u8)
        .flat_map(|ty| [0, 0xFF].map(|fill| [&[ty][..], &[fill; 80]].concat()));
    let stat = [1; 36];
    let with_state = (0..nspi::RequestType::ALL.len() as u8)
        .map(|ty| [&[ty][..], &[0; 4], &[0xFF], &stat, &[0; 60]].concat());
    let cut: Vec<_> = (0..nspi::RequestType::ALL.len() as u8)
        .flat_map(|ty| (4..60).map(move |len| [&[ty][..], &vec![0; len]].concat()))
        .collect();
    bodies.chain(with_state).chain(cut).collect()
}

fn check_nspi_request(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let types = nspi::RequestType::ALL;
    let ty = types[usize::from(*first) % types.len()];
    let Ok(request) = nspi::Request::decode(ty, body) else {
        return;
    };
    assert_eq!(request.request_type(), ty);
    check_again(&request, nspi::Request::encode, |bytes| {
        let request = nspi::Request::decode(ty, bytes)?;
        Ok((format!("{request:?}"), bytes.len()))
    });
}

fn nspi_responses() -> Vec<Vec<u8>> {
    let zeros = (8..64).map(|len| vec![0; len]);
    let stat = [1; 36];
    let with_state = (0..40).map(|len| [&[0; 8][..], &[0xFF], &stat, &vec![0; len]].concat());
    let columns = b"\0\0\0\0\0\0\0\0\xFF\x01\0\0\0\x03\0\x4E\x67\x01\0\0\0\0\x07\0\0\0\0\0\0\0";
    zeros.chain(with_state).chain([columns.to_vec()]).collect()
}

fn check_nspi_response(bytes: &[u8]) {
    check_bodies! { bytes:
        nspi::Response<'_, nspi::BindResponse>,
        nspi::Response<'_, nspi::EmptyResponse>,
        nspi::Response<'_, nspi::CompareMIdsResponse>,
        nspi::Response<'_, nspi::DnToMIdResponse<'_>>,
        nspi::Response<'_, nspi::GetMatchesResponse<'_>>,
        nspi::Response<'_, nspi::GetPropListResponse<'_>>,
        nspi::Response<'_, nspi::GetPropsResponse<'_>>,
        nspi::Response<'_, nspi::GetSpecialTableResponse<'_>>,
        nspi::Response<'_, nspi::GetTemplateInfoResponse<'_>>,
        nspi::Response<'_, nspi::StateAndRowsResponse<'_>>,
        nspi::Response<'_, nspi::QueryColumnsResponse<'_>>,
        nspi::Response<'_, nspi::ResolveNamesResponse<'_>>,
        nspi::Response<'_, nspi::ResortRestrictionResponse<'_>>,
        nspi::Response<'_, nspi::UpdateStatResponse>,
        nspi::Response<'_, nspi::UrlResponse<'_>>,
    }
}

fn aux_buffers() -> Vec<Vec<u8>> {
    let client_info = [&b"\x2C\0\x01\x02"[..], &[0; 40]].concat();
    vec![
        client_info.clone(),
        [&client_info[..], b"\x08\0\x01\x0A\0\0\0\0"].concat(),
    ]
}

fn check_aux_buffer(bytes: &[u8]) {
    for block in aux_buffer::blocks(bytes) {
        assert!(block.data.len() < bytes.len());
        let _ = aux_buffer::ClientInfo::of(&block);
    }
    // Lists of fixed items count by their length.
    if let Ok(handles) = List::<u32>::take_all(Reader::new(bytes)) {
        assert_eq!(handles.len() * 4, bytes.len());
        assert_eq!(handles.iter().count(), handles.len());
    }
}

// Files that an import reads

/// The small files of the demo office: messages, contacts and appointments.
fn mime_files() -> Vec<Vec<u8>> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/demo");
    let mut folders = vec![demo];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the demo office") {
            let path = entry.expect("a directory entry").path();
            let list = if path.is_dir() {
                &mut folders
            } else {
                &mut paths
            };
            list.push(path);
        }
    }
    // In an order that does not depend on the file system.
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a readable file"))
        .filter(|file| file.len() <= MIME_BYTES_MAX)
        .collect()
}

/// Larger files take longer and have no more in them.
const MIME_BYTES_MAX: usize = 3000;
