//! The mailbox endpoint: Connect, Execute, Disconnect, NotificationWait (MS-OXCMAPIHTTP 2.2.4).

use std::sync::Arc;

use bytes::Bytes;
use ropewalk_props::Utf16Text;
use ropewalk_rops::{ConnectParams, Rest, RopContext, Slice, ids};
use ropewalk_store::User;
use ropewalk_wire::{
    ErrorCode, Put as _,
    aux_buffer::{self, ServerBlock},
    codec::{AsciiZ, Bytes32, Utf16Z, Wire},
    mapihttp::{
        ConnectRequest, ConnectSuccess, DisconnectRequest, DisconnectSuccess, Endpoint,
        ExecuteRequest, NotificationWaitRequest, NotificationWaitSuccess, Response, ResponseCode,
        connect_flags, decode_body,
    },
};

use super::{
    deliver::Outcome,
    payload::Payload,
    reply::SessionHeaders,
    service::Server,
    stream::{Started, StreamBuilder},
};
use crate::session::{Cookies, TooMany, Turn, Wait};

/// PollsMax: how often a client may ask whether there is something new, in milliseconds.
const POLLS_MAX_MS: u32 = 60_000;
/// RetryCount: how often a client tries again.
const RETRY_COUNT: u32 = 6;
/// RetryDelay, in milliseconds.
const RETRY_DELAY_MS: u32 = 10_000;
/// How long a client keeps performance data that it cannot send: a week, in milliseconds.
const PERFORMANCE_EXPIRY_MS: u32 = 7 * 24 * 3_600_000;
/// A body without a RopBuffer or names.
const SMALL_BODY: usize = 64;
/// Connect: checks who wants to be whom and makes a session context (MS-OXCMAPIHTTP 3.2.5.1).
pub fn connect(
    server: &Server,
    user: &Arc<User>,
    cookies: &Cookies,
    body: &[u8],
    started: Started,
) -> Outcome {
    let request: ConnectRequest<'_> = match decode_body(body) {
        Ok(request) => request,
        Err(error) => return unparsable("Connect", &error, None),
    };
    log_client(user, &request);
    let code = match refusal(server, user, &request) {
        Some(code) => code,
        None => match make_context(server, user, cookies, &request) {
            Ok(session) => {
                let response = connected(user);
                return Outcome::Done(response.finish(started), Some(session));
            }
            Err(TooMany::OfUser | TooMany::InTotal) => ErrorCode::TOO_MANY_SESSIONS,
            Err(error @ TooMany::Random(_)) => {
                tracing::error!(%error, "Connect");
                ErrorCode::NOT_ENOUGH_MEMORY
            }
        },
    };
    tracing::info!(user = user.email, %code, "Connect refused");
    let failed = ConnectSuccess {
        error_code: code.0,
        ..ConnectSuccess::default()
    };
    done(started, &failed, None)
}

/// The ErrorCode of a Connect that is not for this user (MS-OXCRPC 3.1.4.1).
fn refusal(server: &Server, user: &User, request: &ConnectRequest<'_>) -> Option<ErrorCode> {
    let dn = String::from_utf8_lossy(request.user_dn.0);
    if dn.is_empty() {
        return Some(ErrorCode::ACCESS_DENIED);
    }
    match server.store.user_by_legacy_dn(&dn) {
        None => Some(ErrorCode::UNKNOWN_USER),
        Some(named) if named.minimal_id != user.minimal_id => Some(ErrorCode::ACCESS_DENIED),
        // Nobody is an administrator here.
        Some(_) if request.flags & connect_flags::ADMINISTRATIVE != 0 => {
            Some(ErrorCode::LOGIN_PERMISSION)
        }
        Some(_) => None,
    }
}

fn make_context(
    server: &Server,
    user: &Arc<User>,
    cookies: &Cookies,
    request: &ConnectRequest<'_>,
) -> Result<SessionHeaders, TooMany> {
    // MS-OXCMAPIHTTP 3.2.5.6: the context that a reconnecting client had goes first; its sequence
    // does not matter.
    let old = server
        .sessions
        .find(Endpoint::Mailbox, user.mailbox_guid, cookies.context);
    if let Ok(old) = old {
        server.sessions.remove(&old);
    }
    let params = ConnectParams {
        code_page: request.default_code_page,
        sort_lcid: request.lcid_sort,
        string_lcid: request.lcid_string,
    };
    let budget = server.memory.budget(user.mailbox_guid);
    let mut rops = RopContext::with_budget(server.store.clone(), Arc::clone(user), params, budget);
    rops.set_slice(Slice {
        time: server.timing.asynchronous_slice,
        ..Slice::default()
    });
    let payload = Payload::Mailbox(Box::new(rops));
    let context = server
        .sessions
        .create(Endpoint::Mailbox, user.mailbox_guid, payload)?;
    Ok(SessionHeaders::new(context.id(), context.sequence()))
}

/// A response body with its texts.
struct Connected {
    dn_prefix: String,
    display_name: Utf16Text,
    auxiliary_buffer: Vec<u8>,
}

fn connected(user: &User) -> Connected {
    let mut auxiliary_buffer = Vec::new();
    // MS-OXCRPC 2.2.2.2.17.
    const PUBLIC_FOLDERS_ENABLED: u32 = 0x0000_0001;
    let blocks = [
        ServerBlock::ExorgInfo {
            org_flags: PUBLIC_FOLDERS_ENABLED,
        },
        ServerBlock::ClientControl {
            enable_flags: aux_buffer::ENABLE_COMPRESSION,
            expiry_time: PERFORMANCE_EXPIRY_MS,
        },
        ServerBlock::ServerCapabilities {
            flags: aux_buffer::PACKED_WRITE_STREAM_UPLOAD_BUFFERS,
        },
    ];
    if let Err(error) = aux_buffer::encode(&blocks, &mut auxiliary_buffer) {
        tracing::error!(%error, "auxiliary buffer");
        auxiliary_buffer.clear();
    }
    Connected {
        dn_prefix: ids::dn_prefix(&user.legacy_dn).to_owned(),
        display_name: Utf16Text::from(user.display_name.as_str()),
        auxiliary_buffer,
    }
}

impl Connected {
    fn finish(&self, started: Started) -> Bytes {
        let success = ConnectSuccess {
            error_code: 0,
            polls_max: POLLS_MAX_MS,
            retry_count: RETRY_COUNT,
            retry_delay: RETRY_DELAY_MS,
            dn_prefix: AsciiZ(self.dn_prefix.as_bytes()),
            display_name: Utf16Z(self.display_name.as_bytes()),
            auxiliary_buffer: Bytes32::new(&self.auxiliary_buffer),
        };
        encoded(started, &success)
    }
}

/// What the client tells of itself, for the log.
fn log_client(user: &User, request: &ConnectRequest<'_>) {
    tracing::info!(
        user = user.email,
        code_page = request.default_code_page,
        "Connect"
    );
    if request.auxiliary_buffer.is_empty() || !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    // MS-OXCRPC 3.1.4.1.2: whatever is wrong with it, the request goes on.
    let Ok(payloads) = ropewalk_wire::ext_buffer::decode(&request.auxiliary_buffer) else {
        tracing::debug!("the auxiliary buffer cannot be read");
        return;
    };
    for payload in &payloads {
        for block in aux_buffer::blocks(payload) {
            match aux_buffer::ClientInfo::of(&block) {
                Some(info) => tracing::debug!(?info, "client"),
                None => tracing::debug!(block.version, block.block_type, "auxiliary block"),
            }
        }
    }
}

/// Whether an Execute may be over in no time.
pub fn begins_brief(body: &[u8]) -> bool {
    decode_body::<ExecuteRequest<'_>>(body)
        .is_ok_and(|request| ropewalk_rops::begins_brief(request.rop_buffer.get()))
}

/// An Execute of which a part is done, and the rest may take long.
pub struct Begun {
    turn: Turn<Payload>,
    stream: StreamBuilder,
    rops_at: usize,
    /// `None` if nothing is done yet.
    rest: Option<Rest>,
}

/// Execute: runs the ROPs (MS-OXCMAPIHTTP 2.2.4.2) that are over in no time.
pub fn execute_brief(
    turn: Turn<Payload>,
    body: &[u8],
    started: Started,
) -> Result<Outcome, Box<Begun>> {
    let request: ExecuteRequest<'_> = match decode_body(body) {
        Ok(request) => request,
        Err(error) => return Ok(unparsable("Execute", &error, Some(current(&turn)))),
    };
    let mut begun = Begun::new(turn, &request, started);
    let executed = begun.with_rops(|rops, _, out| {
        let (buffer, max_rop_out) = (request.rop_buffer.get(), request.max_rop_out);
        rops.execute_brief(request.flags, buffer, max_rop_out, out)
    });
    let result = match executed {
        None => return Ok(wrong_endpoint()),
        Some(Ok(Some(rest))) => {
            begun.rest = Some(rest);
            return Err(Box::new(begun));
        }
        Some(result) => result.map(drop),
    };
    Ok(begun.finish(result))
}

/// Execute: runs the ROPs, or what is left of them; or tells the client to wait for `delay` milliseconds
/// if that is not 0.
pub fn execute(
    begun: Result<Turn<Payload>, Box<Begun>>,
    body: &[u8],
    started: Started,
    delay: u32,
) -> Outcome {
    let turn = begun.as_ref().unwrap_or_else(|begun| &begun.turn);
    let request: ExecuteRequest<'_> = match decode_body(body) {
        Ok(request) => request,
        Err(error) => return unparsable("Execute", &error, Some(current(turn))),
    };
    let mut begun = match begun {
        Ok(turn) => Begun::new(turn, &request, started),
        Err(begun) => *begun,
    };
    let (flags, buffer, max_rop_out) =
        (request.flags, request.rop_buffer.get(), request.max_rop_out);
    let executed = begun.with_rops(|rops, rest, out| match (rest, delay) {
        (Some(rest), _) => rops.execute_rest(rest, delay, (flags, buffer, max_rop_out), out),
        (None, 0) => rops.execute(flags, buffer, max_rop_out, out),
        (None, _) => rops.back_off(delay, buffer, max_rop_out, out),
    });
    match executed {
        None => wrong_endpoint(),
        Some(result) => begun.finish(result),
    }
}

fn current(turn: &Turn<Payload>) -> SessionHeaders {
    SessionHeaders::new(turn.context().id(), turn.sequence())
}

impl Begun {
    /// With the beginning of the response body: StatusCode, and room for ErrorCode, Flags and
    /// RopBufferSize (2.2.4.2.2). The ROPs write the RopBuffer where it stays.
    fn new(turn: Turn<Payload>, request: &ExecuteRequest<'_>, started: Started) -> Self {
        let largest = usize::try_from(request.max_rop_out).unwrap_or(usize::MAX);
        let room = largest.min(ropewalk_rops::limits::PAYLOAD_BYTES_MAX) + SMALL_BODY;
        let mut stream = StreamBuilder::new(started, room);
        let out = stream.body();
        out.put_u32(0);
        out.put_bytes(&[0; 12]);
        let rops_at = out.len();
        Self {
            turn,
            stream,
            rops_at,
            rest: None,
        }
    }

    /// Works on the session context's ROPs; `None` if it is one of the other endpoint.
    fn with_rops<T>(
        &mut self,
        work: impl FnOnce(&mut RopContext, Option<Rest>, &mut Vec<u8>) -> T,
    ) -> Option<T> {
        let mut payload = self.turn.context().payload();
        let Payload::Mailbox(rops) = &mut *payload else {
            return None;
        };
        Some(work(rops, self.rest.take(), self.stream.body()))
    }

    /// The response: with ErrorCode and RopBufferSize filled in, and AuxiliaryBufferSize.
    fn finish(mut self, result: Result<(), ErrorCode>) -> Outcome {
        let rops_at = self.rops_at;
        let out = self.stream.body();
        let size = out.len().saturating_sub(rops_at);
        let Ok(size) = u32::try_from(size) else {
            tracing::error!(size, "Execute");
            return Outcome::Failed(
                ResponseCode::InvalidResponse,
                "the response is too large".into(),
                Some(current(&self.turn)),
            );
        };
        let error_code = result.err().map_or(0, |code| code.0);
        for (before, value) in [(12, error_code), (4, size)] {
            let at = rops_at.saturating_sub(before);
            if let Some(field) = out.get_mut(at..at + 4) {
                field.copy_from_slice(&value.to_le_bytes());
            }
        }
        out.put_u32(0);
        finish(self.turn, self.stream.finish())
    }
}

/// The request is executed: the sequence moves on.
pub fn finish(turn: Turn<Payload>, response: Bytes) -> Outcome {
    let session = SessionHeaders::new(turn.context().id(), turn.next_sequence());
    turn.finish();
    Outcome::Done(response, Some(session))
}

/// Disconnect: the session context ends (MS-OXCMAPIHTTP 3.2.5.4).
pub fn disconnect(server: &Server, turn: Turn<Payload>, body: &[u8], started: Started) -> Outcome {
    let current = SessionHeaders::new(turn.context().id(), turn.sequence());
    // 3.1.5.4 says that there is no body, 2.2.4.3.1 that it has an auxiliary buffer.
    if !body.is_empty()
        && let Err(error) = decode_body::<DisconnectRequest<'_>>(body)
    {
        return unparsable("Disconnect", &error, Some(current));
    }
    let session = SessionHeaders::new(turn.context().id(), turn.next_sequence());
    server.sessions.remove(turn.context());
    turn.finish();
    done(started, &DisconnectSuccess::default(), Some(session))
}

/// Whether the body of a NotificationWait is one; if not, the response to it.
pub fn check_wait(wait: &Wait<Payload>, body: &[u8]) -> Result<(), Outcome> {
    let context = wait.context();
    decode_body::<NotificationWaitRequest<'_>>(body)
        .map(drop)
        .map_err(|error| {
            let session = SessionHeaders::new(context.id(), context.sequence());
            unparsable("NotificationWait", &error, Some(session))
        })
}

/// NotificationWait: tells when an Execute would bring notifications (MS-OXCMAPIHTTP 2.2.4.4).
pub async fn notification_wait(
    server: Arc<Server>,
    mut wait: Wait<Payload>,
    started: Started,
) -> Outcome {
    // It ends early with its session context, or when the client waits anew.
    let longest = server.timing.notification_wait;
    let _ = tokio::time::timeout(longest, wait.cancelled()).await;
    let context = wait.context();
    let session = SessionHeaders::new(context.id(), context.sequence());
    done(started, &NotificationWaitSuccess::default(), Some(session))
}

fn encoded<'a, T: Wire<'a> + Clone>(started: Started, success: &T) -> Bytes {
    let mut stream = StreamBuilder::new(started, SMALL_BODY);
    let at = stream.body().len();
    let response = Response::Success(success.clone());
    if let Err(error) = response.encode(stream.body()) {
        // A text with a NUL inside: the body then says that it failed.
        tracing::error!(%error, "response body");
        stream.body().truncate(at);
        stream.body().put_u32(ErrorCode::RPC_FAILED.0);
        stream.body().put_u32(0);
    }
    stream.finish()
}

fn done<'a, T: Wire<'a> + Clone>(
    started: Started,
    success: &T,
    session: Option<SessionHeaders>,
) -> Outcome {
    Outcome::Done(encoded(started, success), session)
}

/// A body that is not one of its request type.
pub fn unparsable(
    request_type: &str,
    error: &ropewalk_wire::DecodeError,
    session: Option<SessionHeaders>,
) -> Outcome {
    tracing::debug!(%error, request_type, "request body");
    Outcome::Failed(
        ResponseCode::InvalidRequestBody,
        format!("the body is no {request_type} request: {error}").into(),
        session,
    )
}

/// A session context of the other endpoint; [`crate::session::Sessions::find`] never gives one.
pub fn wrong_endpoint() -> Outcome {
    Outcome::Failed(
        ResponseCode::ContextNotFound,
        "the session context is of another endpoint".into(),
        None,
    )
}
