//! 8-bit strings in and out, in the code page of the session or of the message (MS-OXCDATA 2.11.1.2,
//! MS-OXCMAPIHTTP 2.2.4.1, MS-OXCMSG 2.2.3.1.1); and that nothing is lost in UTF-16 by any way.

mod messages;
mod pages;
mod surrogates;
mod tables;

use ropewalk_props::Utf16Text;
use ropewalk_tests::{
    client::{Client, Logon, Result, Value},
    fixture::{ADA, PASSWORD, shared},
};

/// A tag with another property type.
const fn typed(tag: u32, ty: u32) -> u32 {
    (tag & 0xFFFF_0000) | ty
}

/// A tag as PtypString8.
const fn narrow(tag: u32) -> u32 {
    typed(tag, 0x001E)
}

/// A tag as PtypUnspecified.
const fn unspecified(tag: u32) -> u32 {
    typed(tag, 0)
}

/// A PtypString at an id that is free for messages (MS-OXPROPS 1.3.3).
const FREE: u32 = 0x7801_001F;
/// A PtypMultipleString.
const FREE_MULTIPLE: u32 = 0x7802_101F;

/// A PtypString8.
fn bytes(bytes: &[u8]) -> Value {
    Value::String8(bytes.to_vec())
}

/// UTF-16LE.
fn utf16(text: &str) -> Vec<u8> {
    Utf16Text::from(text).into_bytes()
}

/// A session with this DefaultCodePage, if it comes to one.
fn try_connect(code_page: u32) -> Result<(Client, Logon)> {
    let shared = shared();
    let mut client = Client::new(shared.server.http(), ADA, PASSWORD, &shared.user_dn);
    client.code_page = code_page;
    client.send_connect()?;
    let logon = client.logon()?;
    Ok((client, logon))
}

/// A session with this DefaultCodePage.
fn connect(code_page: u32) -> (Client, Logon) {
    match try_connect(code_page) {
        Ok(both) => both,
        Err(error) => panic!("code page {code_page}: {error:?}"),
    }
}
