//! What a client needs beside the structures: ROPs into a RopBuffer, and typed responses out of one.
//!
//! ```
//! use ropewalk_wire::{Fid, client::RopBatch, ext_buffer, rop::*};
//! # fn send(_: &[u8]) -> Vec<u8> {
//! #     let mut out = Vec::new();
//! #     let payload = b"\x0A\0\x02\x01\0\0\0\0\0\0\x05\0\0\0\x06\0\0\0";
//! #     ext_buffer::encode(&mut out, payload, ext_buffer::LAST).unwrap();
//! #     out
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut batch = RopBatch::new();
//! let logon = batch.handle(5);
//! let folder = batch.slot();
//! batch.push(Request::new(0, logon, RequestBody::OpenFolder(OpenFolderRequest {
//!     output_handle_index: folder,
//!     folder_id: Fid::from_u64(0x0D00_0000_0000_0001),
//!     open_mode_flags: 0,
//! })));
//! let reply: Vec<u8> = send(&batch.encode(ext_buffer::LAST)?);
//! let payloads = ext_buffer::decode(&reply)?;
//! let output = batch.decode(&payloads)?;
//! assert!(matches!(
//!     output.responses().next(),
//!     Some(Response { body: ResponseBody::OpenFolder(_), .. })
//! ));
//! assert_eq!(output.handle(folder), Some(6));
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;

use ropewalk_props::PropTag;

use crate::{
    DecodeError, EncodeError, Reader,
    codec::Wire,
    ext_buffer,
    list::List,
    rop::{
        BackoffResponse, BufferTooSmallResponse, NO_HANDLE, NotifyResponse, OutputRop, Request,
        Response, RopBuffer, RopId,
    },
};

/// Requests for one ROP input buffer, and the handles that they are about.
#[derive(Clone, Debug, Default)]
pub struct RopBatch<'a> {
    sent: Vec<Sent<'a>>,
    handles: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Sent<'a> {
    request: Request<'a>,
    columns: &'a [PropTag],
}

impl<'a> RopBatch<'a> {
    /// Without requests, which asks for notifications only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a handle into the Server object handle table: its index. The table must not grow past
    /// 256 handles.
    pub fn handle(&mut self, handle: u32) -> u8 {
        let index = self.handles.len() as u8;
        self.handles.push(handle);
        index
    }

    /// A place in the Server object handle table for a handle that a ROP is to give: its index.
    pub fn slot(&mut self) -> u8 {
        self.handle(NO_HANDLE)
    }

    /// Appends a request.
    pub fn push(&mut self, request: Request<'a>) -> &mut Self {
        self.push_with_columns(request, &[])
    }

    /// Appends a request whose response has rows of a table with these columns: RopQueryRows,
    /// RopFindRow, RopExpandRow.
    pub fn push_with_columns(&mut self, request: Request<'a>, columns: &'a [PropTag]) -> &mut Self {
        self.sent.push(Sent { request, columns });
        self
    }

    /// The requests so far.
    pub fn requests(&self) -> impl Iterator<Item = &Request<'a>> {
        self.sent.iter().map(|sent| &sent.request)
    }

    /// The ROP input buffer.
    pub fn to_payload(&self) -> Result<Vec<u8>, EncodeError> {
        let mut rops = Vec::new();
        self.requests()
            .try_for_each(|request| request.encode(&mut rops))?;
        let mut payload = Vec::new();
        let handles = List::from(&self.handles);
        RopBuffer {
            rops: &rops,
            handles,
        }
        .encode(&mut payload)?;
        Ok(payload)
    }

    /// The RopBuffer of an Execute request, in the form that `flags` say: [`ext_buffer::LAST`],
    /// which belongs there always, and perhaps the others.
    pub fn encode(&self, flags: u16) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        ext_buffer::encode(&mut out, &self.to_payload()?, flags)?;
        Ok(out)
    }

    /// The ROP output buffers that answer these requests: what [`ext_buffer::decode`] made of the
    /// RopBuffer of an Execute response.
    ///
    /// Every request must be answered in order, in the first payload, unless a RopBufferTooSmall
    /// says that it was not executed; each payload after it has one more response to the last
    /// request.
    pub fn decode<'p>(&self, payloads: &'p [Cow<'_, [u8]>]) -> Result<RopOutput<'p>, DecodeError> {
        let (first, more) = payloads.split_first().ok_or(DecodeError::UnexpectedEnd {
            wanted: ext_buffer::HEADER_LEN,
            remaining: 0,
        })?;
        let (rops, handles) = decode_payload(first, &self.sent)?;
        let last = self
            .sent
            .last()
            .map(std::slice::from_ref)
            .unwrap_or_default();
        let chained = more
            .iter()
            .map(|payload| decode_payload(payload, last).map(|(rops, _)| rops))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        Ok(RopOutput {
            rops,
            handles,
            chained,
        })
    }
}

fn decode_payload<'p>(
    payload: &'p [u8],
    sent: &[Sent<'_>],
) -> Result<(Vec<OutputRop<'p>>, Vec<u32>), DecodeError> {
    let buffer = RopBuffer::decode(&mut Reader::new(payload))?;
    let mut input = Reader::new(buffer.rops);
    // RopRelease has no response (MS-OXCROPS 2.2.15.3).
    let mut unanswered = sent
        .iter()
        .filter(|sent| sent.request.rop_id != RopId::RELEASE)
        .peekable();
    let mut rops = Vec::new();
    while !input.is_empty() {
        let next = unanswered.peek();
        let rop = OutputRop::decode(
            &mut input,
            next.map(|sent| &sent.request),
            next.map_or(&[], |sent| sent.columns),
        )?;
        match (&rop, next) {
            (OutputRop::Response(response), Some(sent)) => {
                check_handle_index(response, &sent.request)?;
                unanswered.next();
            }
            (OutputRop::Backoff(_), _) => {
                unanswered.next();
            }
            _ => {}
        }
        rops.push(rop);
    }
    // Requests after a RopBackoff or a RopBufferTooSmall are not executed (MS-OXCROPS 3.2.5.2).
    let stopped = rops
        .iter()
        .any(|rop| matches!(rop, OutputRop::BufferTooSmall(_) | OutputRop::Backoff(_)));
    match unanswered.next() {
        Some(sent) if !stopped => Err(DecodeError::Unanswered(sent.request.rop_id)),
        _ => Ok((rops, buffer.handles.iter().collect())),
    }
}

fn check_handle_index(response: &Response<'_>, request: &Request<'_>) -> Result<(), DecodeError> {
    let found = response.handle_index;
    if found == request.response_handle_index() || response.rop_id == RopId::PROGRESS {
        return Ok(());
    }
    Err(DecodeError::Value {
        field: "handle index of a response",
        value: found.into(),
    })
}

/// What a server answered to a [`RopBatch`].
#[derive(Clone, Debug, PartialEq)]
pub struct RopOutput<'p> {
    /// The RopsList of the first ROP output buffer.
    pub rops: Vec<OutputRop<'p>>,
    /// Its Server object handle table.
    pub handles: Vec<u32>,
    /// The ROPs of the buffers after it: further responses to the last request.
    pub chained: Vec<OutputRop<'p>>,
}

impl<'p> RopOutput<'p> {
    /// The responses, those of chained buffers after the others.
    pub fn responses(&self) -> impl Iterator<Item = &Response<'p>> {
        self.all().filter_map(|rop| match rop {
            OutputRop::Response(response) => Some(response),
            _ => None,
        })
    }

    /// The notifications.
    pub fn notifications(&self) -> impl Iterator<Item = &NotifyResponse<'p>> {
        self.all().filter_map(|rop| match rop {
            OutputRop::Notify(notify) => Some(notify),
            _ => None,
        })
    }

    /// The RopBufferTooSmall, if there is one.
    pub fn buffer_too_small(&self) -> Option<&BufferTooSmallResponse<'p>> {
        self.all().find_map(|rop| match rop {
            OutputRop::BufferTooSmall(too_small) => Some(too_small),
            _ => None,
        })
    }

    /// The RopBackoff, if there is one.
    pub fn backoff(&self) -> Option<&BackoffResponse<'p>> {
        self.all().find_map(|rop| match rop {
            OutputRop::Backoff(backoff) => Some(backoff),
            _ => None,
        })
    }

    /// The handle at an index of the table; `None` for an unused place.
    pub fn handle(&self, index: u8) -> Option<u32> {
        let handle = *self.handles.get(usize::from(index))?;
        (handle != NO_HANDLE).then_some(handle)
    }

    fn all(&self) -> impl Iterator<Item = &OutputRop<'p>> {
        self.rops.iter().chain(&self.chained)
    }
}

#[cfg(test)]
mod tests;
