//! Bytes laid out by hand from the field tables of MS-OXCROPS 2.2, for the ROPs that
//! tests/vectors/ms-oxcrops-layout.toml leaves out: one group of digits a field.

mod content;
mod logon;
mod notification;
mod transfer;

use ropewalk_props::{FileTime, GlobCnt, Guid, PropTag, PropValue};

use super::*;
use crate::{
    ErrorCode, Fid, LongTermId, Mid, Reader,
    codec::{AsciiZ, Bytes, Bytes16, Bytes32},
    list::{List, SizedList},
    property_name::PropertyNameRef,
    value::{PropertyProblem, TaggedPropertyValue},
};

fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A request with LogonId 1 and handle index 2: its body's bytes and meaning.
fn request(digits: &str, body: RequestBody<'_>) {
    request_in(&DecodeContext::default(), digits, body);
}

fn request_in(context: &DecodeContext, digits: &str, body: RequestBody<'_>) {
    let expected = Request::new(1, 2, body);
    let bytes = [vec![expected.rop_id.0, 1, 2], bytes(digits)].concat();
    let mut input = Reader::new(&bytes);
    let decoded = Request::decode(&mut input, context).unwrap();
    assert_eq!(decoded, expected);
    assert!(input.is_empty(), "{expected:?}");
    let mut out = Vec::new();
    expected.encode(&mut out).unwrap();
    assert_eq!(out, bytes, "{expected:?}");
    for len in 0..bytes.len() {
        let cut = Request::decode(&mut Reader::new(&bytes[..len]), context);
        assert!(cut.is_err(), "{expected:?} cut to {len}");
    }
}

/// A success response to a ROP: its body's bytes and meaning.
fn response(rop_id: RopId, digits: &str, body: ResponseBody<'_>) {
    response_with(rop_id, ErrorCode::SUCCESS, digits, body);
}

fn response_with(rop_id: RopId, code: ErrorCode, digits: &str, body: ResponseBody<'_>) {
    let request = super::tests::request_of(rop_id);
    let mut bytes_of_all = vec![rop_id.0, 0];
    bytes_of_all.extend(code.0.to_le_bytes());
    bytes_of_all.extend(bytes(digits));
    let mut input = Reader::new(&bytes_of_all);
    let decoded = Response::decode(&mut input, request, &COLUMNS).unwrap();
    assert!(input.is_empty(), "{decoded:?}");
    assert_eq!(decoded.return_value, code);
    assert_eq!(decoded.body, body);
    let mut out = Vec::new();
    decoded.encode(&mut out).unwrap();
    assert_eq!(out, bytes_of_all, "{decoded:?}");
}

const COLUMNS: [PropTag; 1] = [PropTag(0x674E_0003)];
/// A REPLGUID and a GLOBCNT with padding: 24 bytes.
const LONG_TERM: &str = "11111111111111111111111111111111 000000001A2B 0000";
const GUID: Guid = Guid([0x11; 16]);

fn long_term() -> LongTermId {
    LongTermId {
        replguid: GUID,
        globcnt: GlobCnt(0x1A2B),
    }
}

const fn fid(counter: u64) -> Fid {
    Fid::new(1, GlobCnt(counter))
}

const fn mid(counter: u64) -> Mid {
    Mid::new(1, GlobCnt(counter))
}

fn int32(tag: u32, value: i32) -> TaggedPropertyValue {
    TaggedPropertyValue {
        tag: PropTag(tag),
        value: PropValue::Integer32(value),
    }
}
