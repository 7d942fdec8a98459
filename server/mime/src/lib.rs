//! From internet messages, vCards and iCalendar to mailbox messages.
//!
//! [`message`] follows MS-OXCMAIL 2.2 (MIME analysis), [`calendar`] MS-OXCICAL and MS-OXOCAL, and
//! [`contacts`] MS-OXOCNTC. Header fields are parsed by mail-parser; the division into MIME parts
//! is this crate's own, because it has to stay linear in time, and bounded in depth and number,
//! whatever the input is.
//!
//! Malformed input is converted as well as it can be: nothing here fails because of a header, a
//! boundary, an encoding or a charset.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

mod address;
mod attachment;
mod body;
mod calendar;
mod charset;
mod content_line;
mod context;
mod convert;
mod date;
mod encoded_word;
mod envelope;
mod file_name;
mod header;
mod meeting;
mod names;
mod parameter;
mod part;
mod report;
mod smime;
mod subject;
mod transfer;
mod vcard;

use ropewalk_props::{FileTime, PropertyName};
use ropewalk_store::Message;

pub use names::{NamedIds, named_properties};

use context::Context;

/// Why a file gives no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// No `BEGIN:VCARD` with anything in it.
    #[error("there is no contact in it")]
    NoContact,
    /// More contacts, events or lines than are taken from one file.
    #[error("it has more than 10,000 entries or 500,000 lines; split it")]
    TooMany,
    /// No `BEGIN:VEVENT` with a start.
    #[error("there is no appointment in it")]
    NoAppointment,
}

/// Converts an internet message (RFC 5322); `now` stands in for a missing date.
///
/// Takes memory in proportion to `data`. Messages nest up to 16 deep; what is nested deeper is kept
/// as a file. After 4,096 parts, all that is left becomes one. A message has at most 10,000
/// recipients; header fields after the first 2,000, or after 512 KiB of them, are not read.
pub fn message(data: &[u8], names: &dyn NamedIds, now: FileTime) -> Message {
    convert::message(data, &Context::new(names, now))
}

/// Converts all vCards of a file (RFC 6350, RFC 2426, vCard 2.1).
pub fn contacts(
    data: &[u8],
    names: &dyn NamedIds,
    now: FileTime,
) -> Result<Vec<Message>, ConvertError> {
    vcard::contacts(data, &Context::new(names, now))
}

/// Converts all events of an iCalendar file (RFC 5545).
///
/// Recurrence rules that MS-OXOCAL 2.2.1.44.1 can say become a recurring appointment; an event with
/// another rule becomes its first occurrence and keeps the rule as text in
/// PidNameICalendarRecurrenceRule. A changed occurrence becomes an appointment of its own.
pub fn calendar(
    data: &[u8],
    names: &dyn NamedIds,
    now: FileTime,
) -> Result<Vec<Message>, ConvertError> {
    calendar::appointments(data, &Context::new(names, now))
}

/// Converts arbitrary bytes in every way that there is: a target for fuzzing.
pub fn fuzz(data: &[u8]) {
    let names = |_: &PropertyName| Some(0x8000);
    let now = FileTime::from_unix_seconds(0);
    let _ = message(data, &names, now);
    let _ = contacts(data, &names, now);
    let _ = calendar(data, &names, now);
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
