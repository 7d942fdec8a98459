//! A session context's side of ROPs: the ROP input buffer in, the ROP output buffer out
//! (MS-OXCROPS 2.2.1, 3.2.5.1 and 3.2.5.2).

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use ropewalk_props::Guid;
use ropewalk_store::{Store, User};
use ropewalk_wire::{
    ErrorCode,
    codec::Wire as _,
    cursor::{Put, Reader},
    ext_buffer,
    mapihttp::execute_flags,
    rop::{BackoffResponse, DecodeContext, Request, RequestBody, RopId, put_failure},
};

use super::{
    brief::is_brief_rop,
    budget::Budget,
    chain::Chain,
    code_page::CodePage,
    dispatch,
    exec::{Exec, Fail},
    handles::{Handles, NO_HANDLE},
    limits::{PAYLOAD_BYTES_MAX, ROP_IN_BYTES_MAX, ROP_OUT_BYTES_MAX},
    logon,
    object::LogonObject,
    operation::Slice,
    public::per_user::Writing,
    response_size::response_len_max,
};

/// What the client said of itself at Connect (MS-OXCMAPIHTTP 2.2.4.1.1).
#[derive(Clone, Copy, Debug)]
pub struct ConnectParams {
    /// DefaultCodePage.
    pub code_page: u32,
    /// LcidSort.
    pub sort_lcid: u32,
    /// LcidString.
    pub string_lcid: u32,
}

/// Everything that one session context keeps between requests.
pub struct Session {
    /// The store behind all logons.
    pub store: Store,
    /// The authenticated user.
    pub user: Arc<User>,
    /// The Logon Map (MS-OXCROPS 3.2.1): LogonId to logon.
    pub logons: BTreeMap<u8, LogonObject>,
    /// The private mailbox of the first of those logons (MS-OXCSTOR 3.2.5.1.1).
    pub first_mailbox: Option<Guid>,
    /// Whether any logon ever was to a mailbox that is not the user's own: requests are looked at then
    /// before they are executed.
    pub guarded: bool,
    /// The Server Object Maps of all logons.
    pub objects: Handles,
    /// What those objects may keep in memory.
    pub budget: Budget,
    /// Per-user data on its way in.
    pub per_user: Option<Writing>,
    /// How much is done of an asynchronous ROP with one request.
    pub slice: Slice,
    /// Which logons are those of public folders: it decides how some ROPs are laid out.
    pub public: DecodeContext,
    /// DefaultCodePage of Connect, as the client gave it.
    pub code_page_id: u32,
    /// DefaultCodePage of Connect.
    pub code_page: CodePage,
    /// LcidString of Connect, the locale of new messages.
    pub string_lcid: u32,
    /// LcidSort of Connect.
    pub sort_lcid: u32,
}

/// The ROP executor of one session context.
pub struct RopContext {
    session: Session,
    scratch: Scratch,
}

/// Memory that is kept from one request to the next.
#[derive(Default)]
struct Scratch {
    /// Empty between requests.
    requests: Vec<Positioned<'static>>,
    handles: Vec<u32>,
}

impl RopContext {
    /// A session context without logons, whose memory is its own.
    pub fn new(store: Store, user: Arc<User>, connect: ConnectParams) -> Self {
        Self::with_budget(store, user, connect, Budget::default())
    }

    /// A session context without logons, whose objects take their memory from `budget`.
    pub fn with_budget(
        store: Store,
        user: Arc<User>,
        connect: ConnectParams,
        budget: Budget,
    ) -> Self {
        Self {
            session: Session {
                store,
                user,
                logons: BTreeMap::new(),
                first_mailbox: None,
                guarded: false,
                objects: Handles::new(&budget),
                budget,
                per_user: None,
                slice: Slice::default(),
                public: DecodeContext::default(),
                code_page_id: connect.code_page,
                code_page: CodePage::new(connect.code_page),
                string_lcid: connect.string_lcid,
                sort_lcid: connect.sort_lcid,
            },
            scratch: Scratch::default(),
        }
    }

    /// Does so much of an asynchronous ROP with one request.
    pub fn set_slice(&mut self, slice: Slice) {
        self.session.slice = slice;
    }

    /// Executes the RopBuffer of an Execute request and appends the RopBuffer of its response.
    ///
    /// `flags` are those of the request: with Chain, the response may have several extended buffers
    /// (MS-OXCRPC 3.1.4.2.1.2). They are always sent plain, which honours NoCompression and
    /// NoXorMagic alike (MS-OXCRPC 3.1.4.2).
    /// Fails as a whole with the code for the response's ErrorCode field; `out` is then as before.
    pub fn execute(
        &mut self,
        flags: u32,
        rop_buffer: &[u8],
        max_rop_out: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let start = out.len();
        let asked = Asked::new(flags, rop_buffer, max_rop_out);
        let result = self.execute_into(asked, None, out).map(drop);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// As [`RopContext::execute`], until a ROP comes that may take long: [`RopContext::execute_rest`] then
    /// goes on with it.
    pub fn execute_brief(
        &mut self,
        flags: u32,
        rop_buffer: &[u8],
        max_rop_out: u32,
        out: &mut Vec<u8>,
    ) -> Result<Option<Rest>, ErrorCode> {
        let start = out.len();
        let asked = Asked {
            is_brief: true,
            ..Asked::new(flags, rop_buffer, max_rop_out)
        };
        let result = self.execute_into(asked, None, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// Executes the rest of a request, which has to be the one that [`RopContext::execute_brief`] began;
    /// its client is told to wait for `delay` milliseconds if that is not 0.
    pub fn execute_rest(
        &mut self,
        rest: Rest,
        delay: u32,
        (flags, rop_buffer, max_rop_out): (u32, &[u8], u32),
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let start = rest.header_at;
        let asked = Asked {
            delay,
            ..Asked::new(flags, rop_buffer, max_rop_out)
        };
        let result = self.execute_into(asked, Some(rest), out).map(drop);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// Answers an Execute request of which nothing is executed yet: its client is to wait for `delay`
    /// milliseconds and send it again (MS-OXCROPS 3.1.5.1.1 and 3.2.4.2). Handles that it releases before
    /// anything else are released.
    ///
    /// Fails as [`RopContext::execute`].
    pub fn back_off(
        &mut self,
        delay: u32,
        rop_buffer: &[u8],
        max_rop_out: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let start = out.len();
        let asked = Asked {
            delay,
            ..Asked::new(0, rop_buffer, max_rop_out)
        };
        let result = self.execute_into(asked, None, out).map(drop);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn execute_into(
        &mut self,
        asked: Asked<'_>,
        rest: Option<Rest>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Rest>, ErrorCode> {
        // MS-OXCRPC 3.1.4.2: both buffers hold at least an RPC_HEADER_EXT.
        if asked.rop_buffer.len() < ext_buffer::HEADER_LEN
            || asked.max_rop_out < ext_buffer::HEADER_LEN as u32
        {
            return Err(ErrorCode::RPC_FAILED);
        }
        let payloads = Payloads::decode(asked.rop_buffer)?;
        let max_rop_out = asked.max_rop_out.min(ROP_OUT_BYTES_MAX) as usize;
        let room = Room {
            payload: PAYLOAD_BYTES_MAX.min(max_rop_out - ext_buffer::HEADER_LEN),
            is_largest: max_rop_out >= PAYLOAD_BYTES_MAX,
            delay: asked.delay,
            is_brief: asked.is_brief,
        };
        let header_at = rest.as_ref().map_or(out.len(), |rest| rest.header_at);
        if rest.is_none() {
            out.put_bytes(&[0; ext_buffer::HEADER_LEN]);
        }
        let mut requests = reuse(std::mem::take(&mut self.scratch.requests));
        let result = self.run_input_buffer(&payloads, &mut requests, room, rest, out);
        if let Ok(Ran::All(response_at)) = result {
            ext_buffer::finish_plain(out, header_at);
            if asked.flags & execute_flags::CHAIN != 0
                && let Some(last) = requests.last()
                && let Some(response_at) = response_at
            {
                let chain = Chain {
                    session: &mut self.session,
                    handles: &mut self.scratch.handles,
                    out,
                    header_at,
                    out_max: header_at + max_rop_out,
                };
                chain.extend(&last.rop, response_at);
            }
        }
        self.scratch.requests = reuse(requests);
        Ok(match result? {
            Ran::All(_) => None,
            Ran::Some { index, table_len } => Some(Rest {
                index,
                table_len,
                header_at,
                handles: std::mem::take(&mut self.scratch.handles),
            }),
        })
    }

    /// One ROP input buffer to one ROP output buffer, or the rest of one.
    fn run_input_buffer<'a>(
        &mut self,
        payloads: &'a Payloads<'a>,
        requests: &mut Vec<Positioned<'a>>,
        room: Room,
        rest: Option<Rest>,
        out: &mut Vec<u8>,
    ) -> Result<Ran, ErrorCode> {
        let handles = &mut self.scratch.handles;
        let context = self.session.public;
        let rops = parse(&payloads.first, requests, handles, context)?;
        let packed = match &payloads.more[..] {
            [] => Vec::new(),
            more => packed(more, requests, context)?,
        };
        let last = requests.len().saturating_sub(1);
        let payload_at = match &rest {
            Some(rest) => rest.header_at + ext_buffer::HEADER_LEN,
            None => out.len(),
        };
        let out_max = (payload_at + room.payload)
            .checked_sub(handles.len() * HANDLE_LEN)
            .filter(|max| *max >= payload_at + SIZE_LEN)
            .ok_or(ErrorCode::BUFFER_TOO_SMALL)?;
        let mut output = Output {
            out,
            out_max,
            rops,
            payload_at,
            handles: handles.len(),
        };
        let (mut first, mut table_len) = (0, 0);
        match rest {
            Some(rest) => {
                (first, table_len) = (rest.index, rest.table_len);
                *handles = rest.handles;
            }
            None => output.out.put_u16(0),
        }
        let mut last_at = None;

        for (index, request) in requests.iter().enumerate().skip(first) {
            let reserve = match room.delay {
                0 => request.reserve,
                // One RopBackoff is all that follows.
                _ => 0,
            };
            if room.is_brief && !is_brief_rop(&request.rop.body) {
                // Laid out for public folders, it looked like another one.
                return Ok(Ran::Some { index, table_len });
            }
            if room.delay != 0 && request.rop.rop_id != RopId::RELEASE {
                output.back_off(request.rop.logon_id, room.delay)?;
                break;
            }
            if request.rop.rop_id != RopId::RELEASE {
                table_len = table_len.max(usize::from(request.rop.response_handle_index()) + 1);
            }
            let has_whole_buffer = index == 0 && room.is_largest;
            let before = output.out.len();
            let mut exec = Exec {
                session: &mut self.session,
                handles,
                out: &mut *output.out,
                out_max: out_max.saturating_sub(reserve),
                rop_id: request.rop.rop_id,
                logon_id: request.rop.logon_id,
                handle_index: request.rop.handle_index,
                response_index: request.rop.response_handle_index(),
                is_first: index == 0,
                is_brief: room.is_brief,
                packed: if index == last { &packed } else { &[] },
            };
            last_at = None;
            let missing = match dispatch::execute(&mut exec, &request.rop) {
                Ok(()) if output.out.len() + reserve <= out_max => {
                    last_at = Some(before);
                    continue;
                }
                Ok(()) => output.out.len() - before,
                Err(Fail::NoRoom(needed)) => needed,
                Err(Fail::Long) => {
                    output.out.truncate(before);
                    return Ok(Ran::Some { index, table_len });
                }
                Err(Fail::Last(code)) => {
                    output.out.truncate(before);
                    put_failure(output.out, &request.rop, code);
                    break;
                }
                Err(Fail::Code(code)) => {
                    output.out.truncate(before);
                    put_failure(output.out, &request.rop, code);
                    if output.out.len() + reserve <= out_max {
                        continue;
                    }
                    output.out.len() - before
                }
            };
            output.out.truncate(before);
            if has_whole_buffer {
                return Err(hopeless(request.rop.rop_id));
            }
            output.no_room(request.at, missing + reserve)?;
            break;
        }
        output.finish(handles, table_len)?;
        Ok(Ran::All(last_at))
    }
}

/// The payloads of the extended buffers of a RopBuffer.
struct Payloads<'a> {
    /// The first: a ROP input buffer.
    first: Cow<'a, [u8]>,
    /// Those that go on with its last ROP.
    more: Vec<Cow<'a, [u8]>>,
}

impl<'a> Payloads<'a> {
    /// `ecRpcFormat` for what are no extended buffers, the last of them and no other with the flag that says
    /// so (MS-OXCRPC 3.1.4.2.1.1.1), and for more than [`ROP_IN_BYTES_MAX`] bytes.
    fn decode(rop_buffer: &'a [u8]) -> Result<Self, ErrorCode> {
        let mut input = Reader::new(rop_buffer);
        let mut next = || {
            let (payload, flags) = ext_buffer::decode_one(&mut input).map_err(|error| {
                tracing::debug!(%error, "RopBuffer refused");
                ErrorCode::RPC_FORMAT
            })?;
            let is_last = flags & ext_buffer::LAST != 0;
            if is_last == input.is_empty() {
                Ok((payload, is_last))
            } else {
                Err(ErrorCode::RPC_FORMAT)
            }
        };
        let (first, mut is_last) = next()?;
        let mut room = ROP_IN_BYTES_MAX.saturating_sub(first.len());
        let mut more = Vec::new();
        while !is_last {
            let payload;
            (payload, is_last) = next()?;
            room = room
                .checked_sub(payload.len())
                .ok_or(ErrorCode::RPC_FORMAT)?;
            more.push(payload);
        }
        Ok(Self { first, more })
    }
}

/// What the further extended buffers of a request have for its last ROP, RopWriteStreamExtended: each has one
/// such ROP, on the same object. `ecRpcFormat` for anything else (MS-OXCRPC 3.1.4.2.1.2.1).
fn packed<'a>(
    more: &'a [Cow<'a, [u8]>],
    requests: &[Positioned<'_>],
    context: DecodeContext,
) -> Result<Vec<&'a [u8]>, ErrorCode> {
    let last = requests.last().ok_or(ErrorCode::RPC_FORMAT)?;
    if !matches!(last.rop.body, RequestBody::WriteStreamExtended(_)) {
        return Err(ErrorCode::RPC_FORMAT);
    }
    let mut data = Vec::with_capacity(more.len());
    for payload in more {
        let (mut requests, mut handles) = (Vec::new(), Vec::new());
        parse(payload, &mut requests, &mut handles, context)?;
        match &requests[..] {
            [Positioned { rop, .. }]
                if rop.logon_id == last.rop.logon_id
                    && rop.handle_index == last.rop.handle_index =>
            {
                let RequestBody::WriteStreamExtended(write) = &rop.body else {
                    return Err(ErrorCode::RPC_FORMAT);
                };
                data.push(write.data.get());
            }
            _ => return Err(ErrorCode::RPC_FORMAT),
        }
    }
    Ok(data)
}

/// An Execute request.
#[derive(Clone, Copy)]
struct Asked<'a> {
    flags: u32,
    rop_buffer: &'a [u8],
    max_rop_out: u32,
    /// How long the client is to wait first, in milliseconds.
    delay: u32,
    /// Whether to stop where it may take long.
    is_brief: bool,
}

impl<'a> Asked<'a> {
    const fn new(flags: u32, rop_buffer: &'a [u8], max_rop_out: u32) -> Self {
        Self {
            flags,
            rop_buffer,
            max_rop_out,
            delay: 0,
            is_brief: false,
        }
    }
}

/// What is left of an Execute request of which some ROPs were executed.
#[derive(Debug)]
pub struct Rest {
    /// The first ROP that was not.
    index: usize,
    table_len: usize,
    /// Where the RopBuffer of the response begins.
    header_at: usize,
    /// The handle table so far.
    handles: Vec<u32>,
}

/// How far a ROP input buffer came.
enum Ran {
    /// To its end: where the last response begins, if that ROP succeeded.
    All(Option<usize>),
    /// To a ROP that may take long.
    Some { index: usize, table_len: usize },
}

/// How long a response may get, and a request may take.
#[derive(Clone, Copy)]
struct Room {
    /// Bytes of the payload.
    payload: usize,
    /// Whether no client can offer more.
    is_largest: bool,
    /// How long the client is to wait, in milliseconds, before it is executed; 0 for at once.
    delay: u32,
    /// Whether to stop where it may take long.
    is_brief: bool,
}

/// A request and where it begins in the RopsList.
struct Positioned<'a> {
    at: usize,
    rop: Request<'a>,
    /// Bytes that must stay free behind its response for those that follow it: what they take if
    /// that is certain, or what it takes to give them back unexecuted.
    reserve: usize,
}

/// An empty vector for other lifetimes, in the same memory.
fn reuse<'b>(mut requests: Vec<Positioned<'_>>) -> Vec<Positioned<'b>> {
    requests.clear();
    requests.into_iter().map_while(|_| None).collect()
}

/// Bytes of RopSize.
const SIZE_LEN: usize = 2;
/// Bytes of a handle.
const HANDLE_LEN: usize = 4;

/// Parses all of a ROP input buffer before anything is executed: one that cannot be parsed has no
/// effect (MS-OXCROPS 3.2.5.1). Returns the RopsList.
fn parse<'a>(
    payload: &'a [u8],
    requests: &mut Vec<Positioned<'a>>,
    handles: &mut Vec<u32>,
    mut context: DecodeContext,
) -> Result<&'a [u8], ErrorCode> {
    let mut reader = Reader::new(payload);
    let rop_size = usize::from(reader.u16().map_err(|_| ErrorCode::RPC_FORMAT)?);
    let rops_len = rop_size
        .checked_sub(SIZE_LEN)
        .ok_or(ErrorCode::RPC_FORMAT)?;
    let rops = reader.bytes(rops_len).map_err(|_| ErrorCode::RPC_FORMAT)?;
    let (table, rest) = reader.rest().as_chunks::<HANDLE_LEN>();
    if !rest.is_empty() {
        return Err(ErrorCode::RPC_FORMAT);
    }
    handles.clear();
    handles.extend(table.iter().map(|handle| u32::from_le_bytes(*handle)));
    let mut reader = Reader::new(rops);
    while !reader.is_empty() {
        let at = reader.position();
        let rop = Request::decode(&mut reader, &context).map_err(|error| {
            tracing::debug!(%error, at, "ROP input buffer refused");
            ErrorCode::RPC_FORMAT
        })?;
        if let RequestBody::Logon(logon) = &rop.body {
            // What comes after it in the buffer is laid out for it.
            context.set_public(rop.logon_id, logon::open::is_public(logon));
        }
        requests.push(Positioned {
            at,
            rop,
            reserve: 0,
        });
    }
    let mut responses = Some(0_usize);
    let mut reserve = 0;
    for request in requests.iter_mut().rev() {
        request.reserve = reserve;
        let own = response_len_max(&request.rop.body);
        responses = responses.zip(own).map(|(rest, own)| rest + own);
        let given_back = too_small_len(rops, request.at);
        reserve = responses.map_or(given_back, |all| all.min(given_back));
    }
    Ok(rops)
}

/// RopId and SizeNeeded before the RequestBuffers (MS-OXCROPS 2.2.15.1.1).
const TOO_SMALL_HEAD: usize = 3;

fn too_small_len(rops: &[u8], at: usize) -> usize {
    TOO_SMALL_HEAD + rops.len().saturating_sub(at)
}

/// How a request fails as a whole whose first response fits no buffer (MS-OXCRPC 3.1.4.2,
/// MS-OXCPRPT 3.2.5.2).
fn hopeless(rop_id: RopId) -> ErrorCode {
    if rop_id == RopId::GET_PROPERTIES_ALL {
        ErrorCode::SERVER_MEMORY
    } else {
        ErrorCode::BUFFER_TOO_SMALL
    }
}

/// A ROP output buffer in the making.
struct Output<'o> {
    out: &'o mut Vec<u8>,
    /// Length that `out` may grow to before the handle table.
    out_max: usize,
    rops: &'o [u8],
    payload_at: usize,
    handles: usize,
}

impl Output<'_> {
    /// Answers with RopBackoff in the place of the next response (MS-OXCROPS 2.2.15.2): no ROP of this
    /// logon for so many milliseconds.
    fn back_off(&mut self, logon_id: u8, delay: u32) -> Result<(), ErrorCode> {
        self.out.put_u8(RopId::BACKOFF.0);
        let backoff = BackoffResponse {
            logon_id,
            duration: delay,
            ..BackoffResponse::default()
        };
        let encoded = backoff.encode(self.out);
        if encoded.is_err() || self.out.len() > self.out_max {
            return Err(ErrorCode::BUFFER_TOO_SMALL);
        }
        Ok(())
    }

    /// Answers the requests from `at` on with RopBufferTooSmall (MS-OXCROPS 2.2.15.1), or fails if
    /// there is no room even for that.
    fn no_room(&mut self, at: usize, missing: usize) -> Result<(), ErrorCode> {
        if self.out.len() + too_small_len(self.rops, at) > self.out_max {
            return Err(ErrorCode::BUFFER_TOO_SMALL);
        }
        // What the client has to offer when it sends the rest again.
        let needed = ext_buffer::HEADER_LEN + SIZE_LEN + missing + self.handles * HANDLE_LEN;
        self.out.put_u8(RopId::BUFFER_TOO_SMALL.0);
        self.out.put_u16(u16::try_from(needed).unwrap_or(u16::MAX));
        self.out.put_bytes(self.rops.get(at..).unwrap_or_default());
        Ok(())
    }

    /// Fills RopSize in and appends the handle table, with empty slots up to the highest index of
    /// the responses, as far as there is room (MS-OXCROPS 3.2.5.2).
    fn finish(self, handles: &[u32], table_len: usize) -> Result<(), ErrorCode> {
        let room = self.out_max.saturating_sub(self.out.len()) / HANDLE_LEN;
        let empty = table_len.saturating_sub(handles.len()).min(room);
        let rop_size = u16::try_from(self.out.len() - self.payload_at)
            .map_err(|_| ErrorCode::BUFFER_TOO_SMALL)?;
        if let Some(size) = self
            .out
            .get_mut(self.payload_at..self.payload_at + SIZE_LEN)
        {
            size.copy_from_slice(&rop_size.to_le_bytes());
        }
        handles.iter().for_each(|handle| self.out.put_u32(*handle));
        (0..empty).for_each(|_| self.out.put_u32(NO_HANDLE));
        Ok(())
    }
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
