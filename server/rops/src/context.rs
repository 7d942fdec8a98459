//! A session context's side of ROPs: the ROP input buffer in, the ROP output buffer out
//! (MS-OXCROPS 2.2.1, 3.2.5.1 and 3.2.5.2).

use std::{collections::BTreeMap, sync::Arc};

use ropewalk_store::{Store, User};
use ropewalk_wire::{
    ErrorCode,
    cursor::{Put, Reader},
    ext_buffer,
    rop::{DecodeContext, Request},
};

use super::{
    code_page::CodePage,
    dispatch,
    exec::{Exec, Fail},
    handles::Handles,
    limits::{PAYLOAD_BYTES_MAX, ROP_OUT_BYTES_MAX},
    object::LogonObject,
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
    /// The Server Object Maps of all logons.
    pub objects: Handles,
    /// DefaultCodePage of Connect.
    pub code_page: CodePage,
    /// LcidString of Connect, the locale of new messages.
    pub string_lcid: u32,
    /// Seconds east of nothing: the server's clock is the store's clock.
    pub sort_lcid: u32,
}

/// The ROP executor of one session context.
pub struct RopContext {
    session: Session,
}

impl RopContext {
    /// A session context without logons.
    pub fn new(store: Store, user: Arc<User>, connect: ConnectParams) -> Self {
        Self {
            session: Session {
                store,
                user,
                logons: BTreeMap::new(),
                objects: Handles::default(),
                code_page: CodePage::new(connect.code_page),
                string_lcid: connect.string_lcid,
                sort_lcid: connect.sort_lcid,
            },
        }
    }

    /// Executes the RopBuffer of an Execute request and appends the RopBuffer of its response.
    ///
    /// `flags` are those of the request; the response is always sent plain, which honours
    /// NoCompression and NoXorMagic alike (MS-OXCRPC 3.1.4.2).
    /// Fails as a whole with the code for the response's ErrorCode field; `out` is then as before.
    pub fn execute(
        &mut self,
        _flags: u32,
        rop_buffer: &[u8],
        max_rop_out: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let start = out.len();
        let result = self.execute_into(rop_buffer, max_rop_out, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn execute_into(
        &mut self,
        rop_buffer: &[u8],
        max_rop_out: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        // MS-OXCRPC 3.1.4.2: both buffers hold at least an RPC_HEADER_EXT.
        if rop_buffer.len() < ext_buffer::HEADER_LEN || max_rop_out < ext_buffer::HEADER_LEN as u32
        {
            return Err(ErrorCode::RPC_FAILED);
        }
        let payloads = ext_buffer::decode(rop_buffer).map_err(|error| {
            tracing::debug!(%error, "RopBuffer refused");
            ErrorCode::RPC_FORMAT
        })?;
        // Packed input is only sent to servers that announce it (MS-OXCRPC 3.1.4.2.1.2).
        let [payload] = &payloads[..] else { return Err(ErrorCode::RPC_FORMAT) };
        let payload_max =
            PAYLOAD_BYTES_MAX.min(max_rop_out.min(ROP_OUT_BYTES_MAX) as usize - ext_buffer::HEADER_LEN);
        let header_at = out.len();
        out.put_bytes(&[0; ext_buffer::HEADER_LEN]);
        self.run_input_buffer(payload, payload_max, out)?;
        ext_buffer::finish_plain(out, header_at);
        Ok(())
    }

    /// One ROP input buffer to one ROP output buffer of at most `payload_max` bytes.
    fn run_input_buffer(
        &mut self,
        payload: &[u8],
        payload_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let input = InputBuffer::parse(payload, &self.decode_context())?;
        let mut handles = input.handles;
        let payload_at = out.len();
        let table_len = handles.len() * 4;
        let out_max = (payload_at + payload_max)
            .checked_sub(table_len)
            .filter(|max| *max >= payload_at + 2)
            .ok_or(ErrorCode::BUFFER_TOO_SMALL)?;
        let at_maximum = payload_max == PAYLOAD_BYTES_MAX;
        out.put_u16(0);

        for (index, request) in input.requests.iter().enumerate() {
            // What a RopBufferTooSmall for the ROP after this one would take.
            let reserve = input
                .requests
                .get(index + 1)
                .map_or(0, |next| too_small_len(&input.rops, next.at));
            let before = out.len();
            let mut exec = Exec {
                session: &mut self.session,
                handles: &mut handles,
                out: &mut *out,
                out_max: out_max.saturating_sub(reserve),
                rop_id: request.rop.rop_id,
                logon_id: request.rop.logon_id,
                handle_index: request.rop.handle_index,
            };
            match dispatch::execute(&mut exec, &request.rop) {
                Ok(()) if out.len() + reserve <= out_max => {}
                Ok(()) => {
                    let needed = out.len() - before;
                    out.truncate(before);
                    no_room(out, &input.rops, request.at, needed, out_max, index == 0 && at_maximum)?;
                    break;
                }
                Err(Fail::NoRoom(needed)) => {
                    out.truncate(before);
                    no_room(out, &input.rops, request.at, needed, out_max, index == 0 && at_maximum)?;
                    break;
                }
                Err(Fail::Code(code)) => {
                    out.truncate(before);
                    dispatch::put_failure(out, &request.rop, code);
                }
            }
        }
        let rop_size = u16::try_from(out.len() - payload_at).map_err(|_| ErrorCode::BUFFER_TOO_SMALL)?;
        if let Some(size) = out.get_mut(payload_at..payload_at + 2) {
            size.copy_from_slice(&rop_size.to_le_bytes());
        }
        handles.iter().for_each(|handle| out.put_u32(*handle));
        Ok(())
    }

    fn decode_context(&self) -> DecodeContext {
        DecodeContext::default()
    }
}

/// A parsed ROP input buffer.
struct InputBuffer<'a> {
    rops: &'a [u8],
    requests: Vec<Positioned<'a>>,
    handles: Vec<u32>,
}

struct Positioned<'a> {
    /// Where the request begins in the RopsList.
    at: usize,
    rop: Request<'a>,
}

impl<'a> InputBuffer<'a> {
    /// Parses all of it before anything is executed: a buffer that cannot be parsed has no effect
    /// (MS-OXCROPS 3.2.5.1).
    fn parse(payload: &'a [u8], context: &DecodeContext) -> Result<Self, ErrorCode> {
        const SIZE_LEN: usize = 2;
        let mut reader = Reader::new(payload);
        let rop_size = usize::from(reader.u16().map_err(|_| ErrorCode::RPC_FORMAT)?);
        let rops_len = rop_size.checked_sub(SIZE_LEN).ok_or(ErrorCode::RPC_FORMAT)?;
        let rops = reader.bytes(rops_len).map_err(|_| ErrorCode::RPC_FORMAT)?;
        let table = reader.rest();
        if table.len() % 4 != 0 {
            return Err(ErrorCode::RPC_FORMAT);
        }
        let handles = table
            .chunks_exact(4)
            .filter_map(|chunk| chunk.try_into().ok().map(u32::from_le_bytes))
            .collect();
        let mut requests = Vec::with_capacity(4);
        let mut reader = Reader::new(rops);
        while reader.remaining() > 0 {
            let at = reader.position();
            let rop = Request::decode(&mut reader, context).map_err(|error| {
                tracing::debug!(%error, at, "ROP input buffer refused");
                ErrorCode::RPC_FORMAT
            })?;
            requests.push(Positioned { at, rop });
        }
        Ok(Self { rops, requests, handles })
    }
}

/// RopId and SizeNeeded before the RequestBuffers (MS-OXCROPS 2.2.15.1.1).
const TOO_SMALL_HEAD: usize = 3;

fn too_small_len(rops: &[u8], at: usize) -> usize {
    TOO_SMALL_HEAD + rops.len().saturating_sub(at)
}

/// Answers the rest of the buffer with RopBufferTooSmall, or fails the whole request if no buffer
/// could hold the response (MS-OXCROPS 3.2.5.1).
fn no_room(
    out: &mut Vec<u8>,
    rops: &[u8],
    at: usize,
    needed: usize,
    out_max: usize,
    hopeless: bool,
) -> Result<(), ErrorCode> {
    const ROP_BUFFER_TOO_SMALL: u8 = 0xFF;
    if hopeless || out.len() + too_small_len(rops, at) > out_max {
        return Err(ErrorCode::BUFFER_TOO_SMALL);
    }
    out.put_u8(ROP_BUFFER_TOO_SMALL);
    out.put_u16(u16::try_from(needed).unwrap_or(u16::MAX));
    out.put_bytes(rops.get(at..).unwrap_or_default());
    Ok(())
}
