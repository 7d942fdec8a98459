use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use ropewalk_props::Guid;
use ropewalk_wire::mapihttp::{Endpoint, ResponseCode};

use super::*;

const ADA: Guid = Guid([1; 16]);
const BOB: Guid = Guid([2; 16]);
const MINUTE: Duration = Duration::from_secs(60);
const MAILBOX: Endpoint = Endpoint::Mailbox;

struct FakeClock(Mutex<Instant>);

impl FakeClock {
    fn advance(&self, by: Duration) {
        *self.0.lock() += by;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Instant {
        *self.0.lock()
    }
}

/// The payload, to see when it is freed.
type Token = Arc<()>;

fn sessions(per_user: usize, total: usize) -> (Arc<FakeClock>, Sessions<Token>) {
    let clock = Arc::new(FakeClock(Mutex::new(Instant::now())));
    let limits = Limits {
        idle_timeout: 15 * MINUTE,
        per_user,
        total,
        ..Limits::default()
    };
    (Arc::clone(&clock), Sessions::new(limits, clock))
}

fn cookies(context: &Context<Token>) -> Cookies {
    Cookies {
        context: Presented::Value(context.id()),
        sequence: Presented::Value(context.sequence()),
    }
}

fn begin(sessions: &Sessions<Token>, cookies: &Cookies) -> Result<Turn<Token>, ResponseCode> {
    sessions.begin(MAILBOX, ADA, cookies)
}

fn turn(sessions: &Sessions<Token>, cookies: &Cookies) -> Turn<Token> {
    begin(sessions, cookies).unwrap_or_else(|code| panic!("{code:?}"))
}

fn refusal(result: Result<Turn<Token>, ResponseCode>) -> Option<ResponseCode> {
    result.err()
}

#[test]
fn the_sequence_moves_on_with_each_executed_request() {
    let (_, sessions) = sessions(9, 9);
    let context = sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    let first = cookies(&context);
    let turn_one = turn(&sessions, &first);
    let next = turn_one.next_sequence();
    turn_one.finish();
    assert_eq!(context.sequence(), next);
    assert_ne!(first.sequence, Presented::Value(next));
    assert_eq!(
        refusal(begin(&sessions, &first)),
        Some(ResponseCode::InvalidSequence)
    );
    turn(&sessions, &cookies(&context)).finish();
}

#[test]
fn a_request_that_fails_in_the_transport_leaves_the_sequence_unless_it_was_told() {
    let (_, sessions) = sessions(9, 9);
    let context = sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    let first = cookies(&context);
    drop(turn(&sessions, &first));
    let told = turn(&sessions, &first);
    let promised = context.promise_next(told.sequence()).unwrap();
    drop(told);
    assert_eq!(context.sequence(), promised);
    assert_ne!(cookies(&context).sequence, first.sequence);
    // Nothing is under way that could be promised a next one.
    assert_eq!(context.promise_next(promised), None);
}

#[test]
fn a_second_request_at_the_same_time_is_refused() {
    let (_, sessions) = sessions(9, 9);
    let context = sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    let cookies = cookies(&context);
    let turn_one = turn(&sessions, &cookies);
    assert_eq!(
        refusal(begin(&sessions, &cookies)),
        Some(ResponseCode::InvalidSequence)
    );
    // A wait and a PING may go on beside it.
    let wait = sessions.begin_wait(MAILBOX, ADA, &cookies).unwrap();
    sessions.touch(MAILBOX, ADA, &cookies).unwrap();
    drop(wait);
    drop(turn_one);
    turn(&sessions, &cookies).finish();
}

#[test]
fn cookies_that_do_not_fit_have_their_codes() {
    let (_, sessions) = sessions(9, 9);
    let context = sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    let good = cookies(&context);
    let with_context = |context| Cookies { context, ..good };
    let with_sequence = |sequence| Cookies { sequence, ..good };
    for (cookies, code) in [
        (
            with_context(Presented::Missing),
            ResponseCode::MissingCookie,
        ),
        (
            with_context(Presented::Malformed),
            ResponseCode::InvalidContextCookie,
        ),
        (
            with_context(Presented::Value(ContextId::random().unwrap())),
            ResponseCode::ContextNotFound,
        ),
        (
            with_sequence(Presented::Missing),
            ResponseCode::MissingCookie,
        ),
        (
            with_sequence(Presented::Malformed),
            ResponseCode::InvalidContextCookie,
        ),
    ] {
        assert_eq!(refusal(begin(&sessions, &cookies)), Some(code));
    }
    let not_found = Some(ResponseCode::ContextNotFound);
    let other_user = sessions.begin(MAILBOX, BOB, &good);
    assert_eq!(refusal(other_user), not_found);
    let other_endpoint = sessions.begin(Endpoint::AddressBook, ADA, &good);
    assert_eq!(refusal(other_endpoint), not_found);
}

#[test]
fn an_idle_context_expires_and_any_request_keeps_it_alive() {
    let (clock, sessions) = sessions(9, 9);
    let token = Token::default();
    let context = sessions.create(MAILBOX, ADA, Arc::clone(&token)).unwrap();
    let cookies = cookies(&context);
    drop(context);
    clock.advance(14 * MINUTE);
    sessions.touch(MAILBOX, ADA, &cookies).unwrap();
    clock.advance(14 * MINUTE);
    // A request under way does not count as idle, however long it takes.
    let long = turn(&sessions, &cookies);
    clock.advance(60 * MINUTE);
    sessions.reap(|_| true);
    assert_eq!(sessions.len(), 1);
    drop(long);
    // Nor does a wait.
    let wait = sessions.begin_wait(MAILBOX, ADA, &cookies).unwrap();
    clock.advance(60 * MINUTE);
    sessions.reap(|_| true);
    drop(wait);
    clock.advance(14 * MINUTE);
    sessions.reap(|_| true);
    assert_eq!((sessions.len(), Arc::strong_count(&token)), (1, 2));
    clock.advance(MINUTE);
    // It is gone on the second, whether or not the reaper has come by.
    assert_eq!(
        refusal(begin(&sessions, &cookies)),
        Some(ResponseCode::ContextNotFound)
    );
    assert_eq!((sessions.len(), Arc::strong_count(&token)), (0, 1));
}

#[test]
fn the_reaper_takes_what_is_idle_and_what_has_no_owner() {
    let (clock, sessions) = sessions(9, 9);
    sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    clock.advance(10 * MINUTE);
    sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    sessions.create(MAILBOX, BOB, Token::default()).unwrap();
    clock.advance(5 * MINUTE);
    sessions.reap(|_| true);
    assert_eq!(sessions.len(), 2);
    sessions.reap(|owner| owner != BOB);
    assert_eq!(sessions.len(), 1);
    sessions.clear();
    assert!(sessions.is_empty());
}

#[test]
fn a_removed_context_is_not_found_and_its_request_finishes() {
    let (_, sessions) = sessions(9, 9);
    let token = Token::default();
    let context = sessions.create(MAILBOX, ADA, Arc::clone(&token)).unwrap();
    let cookies = cookies(&context);
    let under_way = turn(&sessions, &cookies);
    sessions.remove(&context);
    sessions.remove(&context);
    assert_eq!(
        refusal(begin(&sessions, &cookies)),
        Some(ResponseCode::ContextNotFound)
    );
    under_way.finish();
    drop(context);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_panic_ends_the_context() {
    let (_, sessions) = sessions(9, 9);
    let context = sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    let cookies = cookies(&context);
    let panicking = turn(&sessions, &cookies);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _turn = panicking;
        panic!("as a test of panics");
    }));
    assert!(result.is_err());
    let code = refusal(begin(&sessions, &cookies));
    assert_eq!(code, Some(ResponseCode::ContextNotFound));
    assert!(sessions.is_empty());
}

#[test]
fn there_are_only_so_many_of_a_user_and_in_total() {
    let (_, sessions) = sessions(2, 3);
    let first = sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    let third = sessions.create(MAILBOX, ADA, Token::default());
    assert_eq!(third.err(), Some(TooMany::OfUser));
    sessions.create(MAILBOX, BOB, Token::default()).unwrap();
    let fourth = sessions.create(MAILBOX, BOB, Token::default());
    assert_eq!(fourth.err(), Some(TooMany::InTotal));
    sessions.remove(&first);
    sessions.create(MAILBOX, ADA, Token::default()).unwrap();
}

#[tokio::test]
async fn a_wait_ends_with_its_context_and_with_the_next_wait() {
    let (_, sessions) = sessions(9, 9);
    let context = sessions.create(MAILBOX, ADA, Token::default()).unwrap();
    let cookies = cookies(&context);
    let mut first = sessions.begin_wait(MAILBOX, ADA, &cookies).unwrap();
    let mut second = sessions.begin_wait(MAILBOX, ADA, &cookies).unwrap();
    first.cancelled().await;
    assert!(
        tokio::time::timeout(Duration::from_millis(5), second.cancelled())
            .await
            .is_err()
    );
    sessions.remove(&context);
    second.cancelled().await;
    assert!(sessions.begin_wait(MAILBOX, ADA, &cookies).is_err());
}
