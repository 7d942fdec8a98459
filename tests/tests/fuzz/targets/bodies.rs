//! Bodies of MAPI over HTTP.

use ropewalk_wire::{
    codec::Wire,
    mapihttp::{self, framing::Framed},
    nspi,
};

use super::{check_again, vectors};
use crate::load::{Body, Direction, Subject, Vector};

/// Of the mailbox endpoint: Bind is of the address book's.
pub fn is_mapihttp_body(vector: &Vector) -> bool {
    matches!(vector.subject, Subject::Body(body) if body != Body::Bind)
}

pub fn mapihttp_requests() -> Vec<Vec<u8>> {
    vectors(|vector| is_mapihttp_body(vector) && vector.direction == Direction::Request)
}

pub fn mapihttp_responses() -> Vec<Vec<u8>> {
    vectors(|vector| is_mapihttp_body(vector) && vector.direction == Direction::Response)
}

/// The same for a body of each kind: nobody says which one the bytes are.
macro_rules! check_bodies {
    ($bytes:ident: $($body:ty,)*) => {{
        let mut accepted = false;
        $(
            let decoded: Result<$body, _> = mapihttp::decode_body($bytes);
            if let Ok(body) = decoded {
                accepted = check_again(&body, Wire::encode, |bytes| {
                    let body: $body = mapihttp::decode_body(bytes)?;
                    Ok((format!("{body:?}"), bytes.len()))
                });
            }
        )*
        accepted
    }};
}

pub fn check_mapihttp_request(bytes: &[u8]) -> bool {
    check_bodies! { bytes:
        mapihttp::ConnectRequest<'_>,
        mapihttp::ExecuteRequest<'_>,
        mapihttp::DisconnectRequest<'_>,
        mapihttp::NotificationWaitRequest<'_>,
    }
}

pub fn check_mapihttp_response(bytes: &[u8]) -> bool {
    check_bodies! { bytes:
        mapihttp::Response<'_, mapihttp::ConnectSuccess<'_>>,
        mapihttp::Response<'_, mapihttp::ExecuteSuccess<'_>>,
        mapihttp::Response<'_, mapihttp::DisconnectSuccess<'_>>,
        mapihttp::Response<'_, mapihttp::NotificationWaitSuccess<'_>>,
    }
}

pub fn framings() -> Vec<Vec<u8>> {
    vec![
        b"PROCESSING\r\nDONE\r\nX-ElapsedTime: 5\r\n\r\nbody".to_vec(),
        b"PROCESSING\r\nPENDING\r\nPENDING\r\nDONE\r\nX-ResponseCode: 0\r\n\r\n".to_vec(),
    ]
}

pub fn check_framing(bytes: &[u8]) -> bool {
    let Ok(framed) = Framed::parse(bytes) else {
        return false;
    };
    let _ = framed.header("X-ResponseCode");
    true
}

/// What address book bodies are made of; those with a name of their own may also be absent.
const ZERO: &[u8] = &[0; 4];
const STATE: &[u8] = &[
    0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0xE4, 4, 0, 0, 9,
    4, 0, 0, 9, 4, 0, 0,
];
const IDS: &[u8] = b"\xFF\x02\0\0\0\x10\0\0\0\x11\0\0\0";
const TAGS: &[u8] = b"\xFF\x02\0\0\0\x1F\0\x01\x30\x02\x01\xFF\x0F";
const FILTER: &[u8] = b"\xFF\x04\x04\x1F\0\x01\x30\x1F\0\x01\x30\xFFA\0\0\0";
const PROPERTY_NAME: &[u8] = &[0xFF; 21];
const VALUE: &[u8] = b"\xFF\x1F\0\x01\x30\xFFA\0\0\0";
const TAGGED_VALUES: &[u8] =
    b"\xFF\x02\0\0\0\x1F\0\x01\x30\xFFA\0\0\0\x02\x01\xFF\x0F\xFF\x01\0\0\0\xAA";
const NAMES: &[u8] = b"\xFF\x02\0\0\0A\0\0\0B\0\0\0";
const DNS: &[u8] = b"\xFF\x02\0\0\0/o=a\0/o=b\0";
const ENTRY_IDS: &[u8] = b"\xFF\x01\0\0\0\x02\0\0\0\xAA\xBB";
const ABSENT: &[u8] = &[0];
/// A column and a row of it, then a row with an error.
const ROWS: &[u8] = b"\xFF\x01\0\0\0\x1F\0\x01\x30\x02\0\0\0\
    \0\xFFA\0\0\0\x01\x0A\x0F\x01\x04\x80";

/// The first byte of an input says which request type the rest is a body of.
pub fn nspi_requests() -> Vec<Vec<u8>> {
    use nspi::RequestType as Type;
    let bodies: [(Type, &[&[u8]]); 19] = [
        (Type::Bind, &[ZERO, STATE]),
        (Type::Unbind, &[ZERO]),
        (Type::CompareMIds, &[ZERO, STATE, ZERO, ZERO]),
        (Type::DnToMId, &[ZERO, DNS]),
        (
            Type::GetMatches,
            &[ZERO, STATE, IDS, ZERO, FILTER, PROPERTY_NAME, ZERO, TAGS],
        ),
        (Type::GetPropList, &[ZERO, ZERO, ZERO]),
        (Type::GetProps, &[ZERO, STATE, TAGS]),
        (Type::GetSpecialTable, &[ZERO, STATE, ABSENT]),
        (Type::GetTemplateInfo, &[ZERO, ZERO, ABSENT, ZERO, ZERO]),
        (Type::ModLinkAtt, &[ZERO, ZERO, ZERO, ENTRY_IDS]),
        (Type::ModProps, &[ZERO, STATE, TAGS, TAGGED_VALUES]),
        (Type::QueryRows, &[ZERO, STATE, &IDS[1..], ZERO, TAGS]),
        (Type::QueryColumns, &[ZERO, ZERO]),
        (Type::ResolveNames, &[ZERO, STATE, TAGS, NAMES]),
        (Type::ResortRestriction, &[ZERO, STATE, IDS]),
        (Type::SeekEntries, &[ZERO, STATE, VALUE, IDS, TAGS]),
        (Type::UpdateStat, &[ZERO, STATE, ABSENT]),
        (Type::GetMailboxUrl, &[ZERO, b"A\0\0\0"]),
        (Type::GetAddressBookUrl, &[ZERO, b"A\0\0\0"]),
    ];
    bodies
        .iter()
        .map(|(ty, parts)| {
            let index = Type::ALL.iter().position(|known| known == ty).unwrap() as u8;
            let input = [&[index][..], &parts.concat(), ZERO].concat();
            assert!(check_nspi_request(&input), "{ty:?}");
            input
        })
        .collect()
}

pub fn check_nspi_request(bytes: &[u8]) -> bool {
    let Some((first, body)) = bytes.split_first() else {
        return false;
    };
    let types = nspi::RequestType::ALL;
    let ty = types[usize::from(*first) % types.len()];
    let Ok(request) = nspi::Request::decode(ty, body) else {
        return false;
    };
    assert_eq!(request.request_type(), ty);
    check_again(&request, nspi::Request::encode, |bytes| {
        let request = nspi::Request::decode(ty, bytes)?;
        Ok((format!("{request:?}"), bytes.len()))
    })
}

pub fn nspi_responses() -> Vec<Vec<u8>> {
    let parts: [&[&[u8]]; 12] = [
        &[],
        &[&[7; 16]],
        &[IDS],
        &[STATE, IDS, ROWS],
        &[TAGS],
        &[ZERO, TAGGED_VALUES],
        &[ZERO, ABSENT, b"\xFF\x01\0\0\0", &TAGGED_VALUES[1..]],
        &[STATE, ROWS],
        &[ZERO, IDS, ROWS],
        &[STATE, IDS],
        &[STATE, b"\xFF\x01\0\0\0"],
        &[b"A\0\0\0"],
    ];
    parts
        .iter()
        .map(|parts| [ZERO, ZERO, &parts.concat(), ZERO].concat())
        .inspect(|input| assert!(check_nspi_response(input), "{input:02x?}"))
        .collect()
}

pub fn check_nspi_response(bytes: &[u8]) -> bool {
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
