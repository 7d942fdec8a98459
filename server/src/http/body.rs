//! The body of a request.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Longer than it may be.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The connection broke, or its framing is wrong.
    Broken,
}

/// Reads a whole body of at most `max` bytes. A body in one piece is not copied.
pub async fn read<B>(body: B, max: usize, patience: Duration) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
{
    if body.size_hint().lower() > max as u64 {
        discard(body, patience).await;
        return Err(BodyError::TooLarge);
    }
    let mut collect = pin!(collect(body, max));
    // Most have come with their headers, and need no timer.
    let now = poll_fn(|cx| Poll::Ready(collect.as_mut().poll(cx))).await;
    match now {
        Poll::Ready(result) => result,
        Poll::Pending => tokio::time::timeout(patience, collect)
            .await
            .unwrap_or(Err(BodyError::TooSlow)),
    }
}

async fn collect<B: Body<Data = Bytes>>(body: B, max: usize) -> Result<Bytes, BodyError> {
    let expected = body.size_hint().exact();
    let mut body = pin!(body);
    let mut whole = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let length = whole.len().max(pieces.len()) + data.len();
        if length > max {
            return Err(BodyError::TooLarge);
        }
        if whole.is_empty() && pieces.is_empty() {
            whole = data;
            continue;
        }
        if pieces.is_empty() {
            // The length that was announced is at most `max`.
            let announced = expected.and_then(|length| usize::try_from(length).ok());
            pieces.reserve(announced.unwrap_or(0).min(max).max(length));
            pieces.extend_from_slice(&whole);
        }
        pieces.extend_from_slice(&data);
    }
    Ok(if pieces.is_empty() {
        whole
    } else {
        pieces.freeze()
    })
}

/// Bytes of an unwanted body that are read all the same.
const DISCARD_MAX: usize = 4 << 20;
/// How long that may take.
const DISCARD_PATIENCE: Duration = Duration::from_secs(3);

/// Reads and forgets a body, within bounds: a client that is still sending would not see the
/// response, and the connection could not be used again.
pub async fn discard<B: Body<Data = Bytes>>(body: B, patience: Duration) {
    let discard = async {
        let mut body = pin!(body);
        let mut left = DISCARD_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    let _ = tokio::time::timeout(patience.min(DISCARD_PATIENCE), discard).await;
}
