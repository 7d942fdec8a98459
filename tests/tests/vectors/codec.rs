//! The codec under test: a vector's bytes to fields and to bytes again.

use std::borrow::Cow;

use ropewalk_props::PropTag;
use ropewalk_wire::{
    DecodeError, Put as _, Reader,
    codec::Wire,
    ext_buffer, lz77,
    mapihttp::{
        ConnectRequest, ConnectSuccess, DisconnectRequest, DisconnectSuccess, ExecuteRequest,
        ExecuteSuccess, NotificationWaitRequest, NotificationWaitSuccess, Response as HttpResponse,
    },
    nspi::{self, BindRequest, BindResponse},
    recipient::RecipientRow,
    restriction::Restriction,
    rop::*,
    row::PropertyRow,
    value::{Form, TaggedPropertyValue},
};

use super::{
    fields::{self, Fields},
    load::{Body, Direction, Structure, Subject, Vector},
};

/// A vector decoded.
pub struct Decoded {
    pub fields: Fields,
    /// What it encodes to; `None` where an encoder is free to choose.
    pub again: Option<Vec<u8>>,
}

/// Decodes the whole of `bytes` as what the vector is about, and encodes it.
pub fn decode(vector: &Vector, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    match (vector.subject, vector.direction) {
        (Subject::Rop(_), Direction::Request) => decode_request(bytes),
        (Subject::Rop(rop_id), Direction::Response) => {
            decode_response(RopId(rop_id), vector, bytes)
        }
        (Subject::RopBuffer, _) => decode_rop_buffer(bytes),
        (Subject::Structure(structure), _) => decode_structure(structure, bytes),
        (Subject::Body(body), direction) => decode_body(body, direction, bytes),
    }
}

fn encoded(
    put: impl FnOnce(&mut Vec<u8>) -> Result<(), ropewalk_wire::EncodeError>,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put(&mut out).expect("what was decoded can be encoded");
    Some(out)
}

fn decode_request(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut input = Reader::new(bytes);
    let request = Request::decode(&mut input, &DecodeContext::default())?;
    input.finish()?;
    check_request_parts(&request)?;
    Ok(Decoded {
        fields: fields::of_request(&request),
        again: encoded(|out| request.encode(out)),
    })
}

/// Restrictions and recipients stand in requests as bytes: they too come out as they went in.
fn check_request_parts(request: &Request<'_>) -> Result<(), DecodeError> {
    match &request.body {
        RequestBody::Restrict(RestrictRequest {
            restriction_data, ..
        })
        | RequestBody::FindRow(FindRowRequest {
            restriction_data, ..
        }) if !restriction_data.is_empty() => {
            let restriction = Restriction::from_bytes(restriction_data, Form::Rop)?;
            let again = encoded(|out| restriction.encode(out, Form::Rop));
            assert_eq!(again.as_deref(), Some(restriction_data.get()));
        }
        RequestBody::ModifyRecipients(body) => {
            let columns: Vec<_> = body.recipient_columns.iter().collect();
            for row in &body.recipient_rows {
                match row.row(columns.iter().copied())? {
                    Some(read) => check_recipient(&read, &columns, row.recipient_row.get()),
                    None => assert!(row.recipient_row.is_empty()),
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn check_recipient(row: &RecipientRow<'_>, columns: &[PropTag], bytes: &[u8]) {
    assert_eq!(
        encoded(|out| row.encode(out, columns)).as_deref(),
        Some(bytes)
    );
}

/// The shortest request of a ROP, with the tags that a response's row has.
fn request_bytes(rop_id: RopId, columns: &[PropTag]) -> Vec<u8> {
    let mut bytes = vec![rop_id.0, 0, 0];
    match rop_id {
        RopId::GET_PROPERTIES_SPECIFIC => {
            bytes.put_u32(0);
            bytes.put_u16(u16::try_from(columns.len()).unwrap());
            columns.iter().for_each(|column| bytes.put_u32(column.0));
        }
        // A PropertyValueSize that counts PropertyValueCount.
        RopId::SET_PROPERTIES => bytes.put_u32(2),
        _ => bytes.extend([0; 64]),
    }
    bytes
}

fn decode_response(rop_id: RopId, vector: &Vector, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let columns: Vec<_> = vector.columns.iter().copied().map(PropTag).collect();
    let mut input = Reader::new(bytes);
    if !RopId::ALL.contains(&rop_id) {
        let rop = OutputRop::decode(&mut input, None, &columns)?;
        input.finish()?;
        return Ok(Decoded {
            fields: fields::of_server_only(&rop),
            again: encoded(|out| rop.encode(out)),
        });
    }
    let request = request_bytes(rop_id, &columns);
    let request = Request::decode(&mut Reader::new(&request), &DecodeContext::default())
        .unwrap_or_else(|error| panic!("a request for {rop_id}: {error}"));
    let response = Response::decode(&mut input, &request, &columns)?;
    input.finish()?;
    check_response_parts(&response, &columns)?;
    Ok(Decoded {
        fields: fields::of_response(&response, &request),
        again: encoded(|out| response.encode(out)),
    })
}

/// Rows stand in responses as bytes: they too come out as they went in.
fn check_response_parts(response: &Response<'_>, columns: &[PropTag]) -> Result<(), DecodeError> {
    match &response.body {
        ResponseBody::QueryRows(body) => {
            let again = encoded(|out| {
                body.rows(columns).try_for_each(|row| {
                    row.expect("rows were checked")
                        .encode(out, Form::Rop, columns)
                })
            });
            assert_eq!(again.as_deref(), Some(body.row_data));
            assert_eq!(body.rows(columns).count(), usize::from(body.row_count));
        }
        ResponseBody::FindRow(body) => {
            if let (Some(row), Some(bytes)) = (body.row(columns)?, body.row_data) {
                check_row(&row, columns, bytes);
            }
        }
        ResponseBody::GetPropertiesSpecific(body) => {
            check_row(&body.row(columns)?, columns, body.row_data);
        }
        ResponseBody::OpenMessage(body)
        | ResponseBody::ReloadCachedInformation(body)
        | ResponseBody::OpenEmbeddedMessage(OpenEmbeddedMessageResponse {
            message: body, ..
        }) => {
            let columns: Vec<_> = body.recipient_columns.iter().collect();
            for row in &body.recipient_rows {
                let read = row.row(columns.iter().copied())?;
                check_recipient(&read, &columns, row.recipient_row.get());
            }
        }
        ResponseBody::ReadRecipients(body) => {
            for row in &body.recipient_rows {
                let read = row.row(columns.iter().copied())?;
                check_recipient(&read, columns, row.recipient_row.get());
            }
        }
        _ => {}
    }
    Ok(())
}

fn check_row(row: &PropertyRow, columns: &[PropTag], bytes: &[u8]) {
    assert_eq!(
        encoded(|out| row.encode(out, Form::Rop, columns)).as_deref(),
        Some(bytes)
    );
}

fn handles_text(handles: impl Iterator<Item = u32>) -> String {
    handles
        .map(|handle| format!("0x{handle:08X}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn decode_rop_buffer(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let buffer = RopBuffer::decode(&mut Reader::new(bytes))?;
    let mut rops = Vec::new();
    let mut input = Reader::new(buffer.rops);
    while !input.is_empty() {
        let request = Request::decode(&mut input, &DecodeContext::default())?;
        rops.push(format!("0x{:02X}", request.rop_id.0));
    }
    let mut fields = Fields::default();
    fields
        .len("RopSize", buffer.rops.len() + 2)
        .text("Rops", rops.join(" "))
        .text("Handles", handles_text(buffer.handles.iter()));
    Ok(Decoded {
        fields,
        again: encoded(|out| buffer.encode(out)),
    })
}

fn decode_structure(structure: Structure, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut fields = Fields::default();
    let mut input = Reader::new(bytes);
    let again = match structure {
        Structure::TaggedPropertyValue => {
            let value = TaggedPropertyValue::decode(&mut input)?;
            input.finish()?;
            let ropewalk_props::PropValue::Integer32(number) = value.value else {
                panic!("no text for {value:?}");
            };
            fields
                .u32("PropertyTag", value.tag.0)
                .u32("PropertyValue", number.cast_unsigned());
            encoded(|out| value.encode(out))
        }
        Structure::HandleTable => {
            let handles = ropewalk_wire::list::List::<u32>::take_all(input)?;
            fields.text("Handles", handles_text(handles.iter()));
            encoded(|out| handles.put_items(out))
        }
        Structure::ExtBuffer => {
            let (payload, flags) = ext_buffer::decode_one(&mut input)?;
            assert_eq!(ext_buffer::decode(bytes)?, [Cow::clone(&payload)]);
            input.finish()?;
            fields
                .u16("Version", 0)
                .u16("Flags", flags)
                .len("Size", bytes.len() - ext_buffer::HEADER_LEN)
                .len("SizeActual", payload.len())
                .hex("Payload", &payload);
            encoded(|out| ext_buffer::encode(out, &payload, flags))
        }
        Structure::Lz77 => {
            // The size is that of the longer of the examples; the shorter one ends at its end mark.
            let mut plain = Vec::new();
            [300, 26]
                .into_iter()
                .map(|size| lz77::decompress(bytes, size, &mut plain))
                .find(Result::is_ok)
                .unwrap_or(Err(DecodeError::Compression))?;
            let alphabet: Vec<u8> = (b'a'..=b'z').collect();
            let (plain, repeat) = if plain == alphabet {
                (&plain[..], 1)
            } else {
                (&plain[..3], 100)
            };
            fields
                .ascii("Plain", plain)
                .text("Repeat", repeat.to_string());
            None
        }
    };
    Ok(Decoded { fields, again })
}

/// A whole body, its fields and its bytes again.
fn body<'a, T: Wire<'a>>(
    bytes: &'a [u8],
    name_fields: impl FnOnce(&T, &mut Fields),
) -> Result<Decoded, DecodeError> {
    let body: T = ropewalk_wire::mapihttp::decode_body(bytes)?;
    let mut fields = Fields::default();
    name_fields(&body, &mut fields);
    Ok(Decoded {
        fields,
        again: encoded(|out| body.encode(out)),
    })
}

/// The fields that success and failure share, and those of a success.
fn http_fields<T>(
    response: &HttpResponse<'_, T>,
    fields: &mut Fields,
    success: impl FnOnce(&T, &mut Fields) -> (u32, usize),
) {
    let auxiliary_len = match response {
        HttpResponse::Success(body) => {
            let (error_code, auxiliary_len) = success(body, fields);
            fields.u32("StatusCode", 0).u32("ErrorCode", error_code);
            auxiliary_len
        }
        HttpResponse::Failure(failure) => {
            fields.u32("StatusCode", failure.status_code);
            failure.auxiliary_buffer.len()
        }
    };
    auxiliary(fields, auxiliary_len);
}

fn auxiliary(fields: &mut Fields, len: usize) {
    fields.u32("AuxiliaryBufferSize", u32::try_from(len).unwrap());
}

fn decode_body(kind: Body, direction: Direction, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    match (kind, direction) {
        (Body::Connect, Direction::Request) => body(bytes, |body: &ConnectRequest<'_>, f| {
            f.ascii("UserDn", body.user_dn.0)
                .u32("Flags", body.flags)
                .u32("DefaultCodePage", body.default_code_page)
                .u32("LcidSort", body.lcid_sort)
                .u32("LcidString", body.lcid_string);
            auxiliary(f, body.auxiliary_buffer.len());
        }),
        (Body::Connect, Direction::Response) => body(bytes, |body, f| {
            http_fields(body, f, |body: &ConnectSuccess<'_>, f| {
                f.u32("PollsMax", body.polls_max)
                    .u32("RetryCount", body.retry_count)
                    .u32("RetryDelay", body.retry_delay)
                    .ascii("DnPrefix", body.dn_prefix.0)
                    .string("DisplayName", body.display_name.0, true);
                (body.error_code, body.auxiliary_buffer.len())
            });
        }),
        (Body::Execute, Direction::Request) => body(bytes, |body: &ExecuteRequest<'_>, f| {
            f.u32("Flags", body.flags)
                .u32(
                    "RopBufferSize",
                    u32::try_from(body.rop_buffer.len()).unwrap(),
                )
                .u32("MaxRopOut", body.max_rop_out);
            auxiliary(f, body.auxiliary_buffer.len());
        }),
        (Body::Execute, Direction::Response) => body(bytes, |body, f| {
            http_fields(body, f, |body: &ExecuteSuccess<'_>, f| {
                f.u32("Flags", body.flags).u32(
                    "RopBufferSize",
                    u32::try_from(body.rop_buffer.len()).unwrap(),
                );
                (body.error_code, body.auxiliary_buffer.len())
            });
        }),
        (Body::Disconnect, Direction::Request) => body(bytes, |body: &DisconnectRequest<'_>, f| {
            auxiliary(f, body.auxiliary_buffer.len());
        }),
        (Body::Disconnect, Direction::Response) => body(bytes, |body, f| {
            http_fields(body, f, |body: &DisconnectSuccess<'_>, _| {
                (body.error_code, body.auxiliary_buffer.len())
            });
        }),
        (Body::NotificationWait, Direction::Request) => {
            body(bytes, |body: &NotificationWaitRequest<'_>, f| {
                f.u32("Flags", body.flags);
                auxiliary(f, body.auxiliary_buffer.len());
            })
        }
        (Body::NotificationWait, Direction::Response) => body(bytes, |body, f| {
            http_fields(body, f, |body: &NotificationWaitSuccess<'_>, f| {
                f.u32("EventPending", body.event_pending);
                (body.error_code, body.auxiliary_buffer.len())
            });
        }),
        (Body::Bind, Direction::Request) => body(bytes, |body: &BindRequest<'_>, f| {
            f.u32("Flags", body.flags)
                .flag("HasState", body.state.is_some());
            if let Some(state) = &body.state {
                f.u32("CodePage", state.code_page);
            }
            auxiliary(f, body.auxiliary_buffer.len());
        }),
        (Body::Bind, Direction::Response) => {
            body(bytes, |body: &nspi::Response<'_, BindResponse>, f| {
                let nspi::Response::Done {
                    error_code,
                    body,
                    auxiliary_buffer,
                } = body
                else {
                    panic!("no vector had a failure so far");
                };
                f.u32("StatusCode", 0)
                    .u32("ErrorCode", error_code.0)
                    .text("ServerGuid", body.server_guid.to_string());
                auxiliary(f, auxiliary_buffer.len());
            })
        }
    }
}
