//! From work under way to a response: whole if the work is done soon, else a stream that says
//! PENDING until it is (MS-OXCMAPIHTTP 2.2.7).

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use hyper::Response;
use ropewalk_wire::mapihttp::{ResponseCode, framing};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle},
    time::Instant,
};

use super::{
    payload::Payload,
    reply::{Reply, ReplyBody, SessionHeaders},
    service::Server,
    stream::{self, Started},
};
use crate::session::Context;

/// Pieces of a response that wait for a slow client.
const PIECES_MAX: usize = 4;

/// What came of a request.
pub enum Outcome {
    /// It was executed: its response stream.
    Done(Bytes, Option<SessionHeaders>),
    /// It was not.
    Failed(ResponseCode, Cow<'static, str>, Option<SessionHeaders>),
}

/// A request of a session context that is being executed on a task of its own: so it goes on when
/// the client's connection breaks, and a panic ends that session context and nothing else.
pub struct Work {
    /// When it began.
    pub started: Started,
    /// The session context.
    pub context: Arc<Context<Payload>>,
    /// The task.
    pub task: JoinHandle<Outcome>,
    /// What kind of request.
    pub kind: Kind,
}

/// Kinds of requests of a session context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One that had its turn with this sequence.
    InTurn(u64),
    /// A NotificationWait.
    Wait,
}

/// The response to a request that made or ended its session context, or had none.
pub async fn whole(reply: &Reply, task: JoinHandle<Outcome>) -> Response<ReplyBody> {
    respond(reply, task.await.unwrap_or_else(|error| panicked(&error)))
}

/// What comes of a request that is over in no time and is not interrupted: it needs no task of its
/// own, only the same protection from a panic.
pub fn at_once<T>(
    server: &Server,
    context: &Context<Payload>,
    work: impl FnOnce() -> Result<Outcome, T>,
) -> Result<Outcome, T> {
    // What a panic leaves half done goes with the session context.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        server.sessions.remove(context);
        Ok(failed_unexpectedly())
    })
}

/// The response to a request of a session context.
pub async fn deliver(server: &Arc<Server>, reply: &Reply, mut work: Work) -> Response<ReplyBody> {
    let timing = server.timing;
    let prompt = match work.kind {
        Kind::InTurn(_) => timing.prompt,
        // It is not going to be done soon.
        Kind::Wait => Duration::ZERO,
    };
    if let Ok(joined) = tokio::time::timeout(prompt, &mut work.task).await {
        return respond(reply, outcome(server, &work.context, joined));
    }
    let sequence = match work.kind {
        Kind::Wait => work.context.sequence(),
        Kind::InTurn(sequence) => match work.context.promise_next(sequence) {
            Some(next) => next,
            // It is done just now.
            None => {
                let joined = work.task.await;
                return respond(reply, outcome(server, &work.context, joined));
            }
        },
    };
    let session = SessionHeaders::new(work.context.id(), sequence);
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    tokio::spawn(keep_alive(Arc::clone(server), work, sender));
    reply.success(ReplyBody::pieces(receiver), Some(&session))
}

/// Sends PROCESSING, PENDING from time to time, and the rest once the work is done.
async fn keep_alive(server: Arc<Server>, mut work: Work, sender: mpsc::Sender<Bytes>) {
    let period = server.timing.pending_period;
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    let _ = sender.try_send(Bytes::from_static(framing::PROCESSING));
    let joined = loop {
        tokio::select! {
            biased;
            joined = &mut work.task => break joined,
            // A client that does not read does not need another one.
            _ = ticks.tick() => drop(sender.try_send(Bytes::from_static(framing::PENDING))),
            () = sender.closed() => {
                // Nobody waits any more; everything else has to be done all the same.
                if work.kind == Kind::Wait {
                    work.task.abort();
                }
                break work.task.await;
            }
        }
    };
    let rest = match outcome(&server, &work.context, joined) {
        Outcome::Done(stream, _) => stream::after_processing(&stream),
        Outcome::Failed(code, sentence, _) => {
            stream::after_processing(&stream::late_failure(work.started, code, &sentence))
        }
    };
    // An error is a client that has gone.
    let _ = sender.send(rest).await;
}

/// The response to a request that has been dealt with.
pub fn respond(reply: &Reply, outcome: Outcome) -> Response<ReplyBody> {
    match outcome {
        Outcome::Done(stream, session) => reply.success(ReplyBody::whole(stream), session.as_ref()),
        Outcome::Failed(code, sentence, session) => {
            reply.failure(code, &sentence, session.as_ref())
        }
    }
}

/// A panic has ended the session context; there is no need to keep it.
fn outcome(
    server: &Server,
    context: &Context<Payload>,
    joined: Result<Outcome, JoinError>,
) -> Outcome {
    joined.unwrap_or_else(|error| {
        if error.is_panic() {
            server.sessions.remove(context);
        }
        panicked(&error)
    })
}

fn panicked(error: &JoinError) -> Outcome {
    if error.is_panic() {
        tracing::error!(%error, "a request failed in a way that it must not");
    }
    failed_unexpectedly()
}

fn failed_unexpectedly() -> Outcome {
    Outcome::Failed(
        ResponseCode::UnknownFailure,
        "the server failed at this request; its log says more".into(),
        None,
    )
}
