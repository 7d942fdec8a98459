//! The decoders, each with inputs to begin with and what must hold for any input: no panic, and
//! that what is decoded encodes to something that decodes to the same.

mod bodies;
mod buffers;
mod message_bodies;
mod rops;
mod structures;

use std::fmt::Debug;

use ropewalk_wire::{DecodeError, EncodeError, Reader};

use super::load::{self, Vector};
use bodies::*;
use buffers::*;
use message_bodies::*;
use rops::*;
use structures::*;

/// One decoder.
pub struct Target {
    pub name: &'static str,
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// Whether the bytes are what they should be; panics if something does not hold.
    pub check: fn(&[u8]) -> bool,
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
        check: check_sort_orders,
    },
    Target {
        name: "property_name",
        corpus: property_names,
        check: check_property_name,
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
        name: "rtf_body",
        corpus: rtf_bodies,
        check: check_rtf_body,
    },
    Target {
        name: "html_body",
        corpus: html_bodies,
        check: check_html_body,
    },
    Target {
        name: "mime",
        corpus: mime_files,
        check: check_mime,
    },
];

/// Encodes what was decoded, and decodes that: it must be the same, and all of the bytes.
///
/// Compared as text, for a NaN does not equal itself. Always true, as the checks that end with it.
fn check_again<T: Debug>(
    value: &T,
    encode: impl FnOnce(&T, &mut Vec<u8>) -> Result<(), EncodeError>,
    decode: impl FnOnce(&[u8]) -> Result<(String, usize), DecodeError>,
) -> bool {
    let mut out = Vec::new();
    encode(value, &mut out).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    let (again, len) = decode(&out).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    assert_eq!(again, format!("{value:?}"));
    assert_eq!(len, out.len(), "{value:?}");
    true
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

fn vectors(wanted: impl Fn(&Vector) -> bool) -> Vec<Vec<u8>> {
    load::all()
        .0
        .into_iter()
        .filter(wanted)
        .map(|vector| vector.bytes)
        .collect()
}
