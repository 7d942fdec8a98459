//! Who a request comes from: HTTP Basic (RFC 7617) against the users of the store.

mod basic;
mod password;
mod proof;

use std::{sync::Arc, thread};

use hyper::header::HeaderValue;
use ropewalk_store::{Store, User};
use tokio::sync::Semaphore;

pub use password::{HashError, hash_password};

use basic::Credentials;
use proof::Proofs;

/// The challenge of a 401 response (RFC 7617 2.1: clients then send UTF-8).
pub const CHALLENGE: &str = "Basic realm=\"Ropewalk\", charset=\"UTF-8\"";

/// Password checks at a time. Each takes 19 MiB and one core for some 20 ms.
const CHECKS_MAX: usize = 4;
/// Requests whose passwords are checked or wait for it: what that many cost is a few seconds, which
/// is as long as anybody who has the right password should have to wait.
const WAITING_MAX: usize = 256;

/// Checks credentials.
pub struct Authenticator {
    store: Store,
    checks: Semaphore,
    waiting: Semaphore,
    proofs: Arc<Proofs>,
    memory: Arc<password::Memory>,
}

/// Why a request is anonymous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No Authorization header.
    #[error("authentication is required")]
    Missing,
    /// An Authorization header that is not HTTP Basic.
    #[error("the Authorization header is no HTTP Basic")]
    Malformed,
    /// No such user, or another password.
    #[error("wrong user name or password")]
    Wrong,
    /// Too many passwords wait to be checked.
    #[error("too many log on at once; try again")]
    Busy,
}

impl Authenticator {
    /// Checks credentials against the users of this store.
    pub fn new(store: Store) -> Result<Self, getrandom::Error> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            store,
            checks: Semaphore::new(cores.min(CHECKS_MAX)),
            waiting: Semaphore::new(WAITING_MAX),
            proofs: Arc::new(Proofs::new()?),
            memory: Arc::default(),
        })
    }

    /// The user whose name and password an Authorization header has.
    ///
    /// A header that was right before is recognised by its proof; any other's password is hashed, and
    /// takes as long for a user who does not exist. So many wrong ones at once that they would have to
    /// wait for long are refused unseen.
    pub async fn authenticate(&self, header: Option<&HeaderValue>) -> Result<Arc<User>, Refused> {
        let header = header.ok_or(Refused::Missing)?;
        if let Some(user) = self.proofs.user(&self.store, header.as_bytes()) {
            return Ok(user);
        }
        let credentials = Credentials::parse(header.as_bytes()).ok_or(Refused::Malformed)?;
        let user = self.store.user_by_email(&credentials.user);
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(Refused::Busy);
        };
        let Ok(_slot) = self.checks.acquire().await else {
            return Err(Refused::Wrong);
        };
        let (proofs, memory) = (Arc::clone(&self.proofs), Arc::clone(&self.memory));
        let header = header.clone();
        let check = tokio::task::spawn_blocking(move || {
            let hash = user.as_ref().map(|user| user.password_hash.as_str());
            let right = password::verify(&credentials.password, hash, &memory);
            let user = user.filter(|_| right)?;
            proofs.remember(&user, header.as_bytes());
            Some(user)
        });
        match check.await {
            Ok(Some(user)) => Ok(user),
            Ok(None) => Err(Refused::Wrong),
            Err(error) => {
                tracing::error!(%error, "password check");
                Err(Refused::Wrong)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use ropewalk_store::StoreOptions;

    use super::*;
    use crate::provision::{self, Email};

    fn basic(user: &str, password: &[u8]) -> HeaderValue {
        let pair = [user.as_bytes(), b":", password].concat();
        HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).unwrap()
    }

    pub(super) fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let email = Email::parse("ada@example.test").unwrap();
        let hash = hash_password("gr\u{fc}n").unwrap();
        provision::add_user(&store, &email, "Ada", hash).unwrap();
        (dir, store)
    }

    #[tokio::test]
    async fn the_right_password_in_either_encoding_and_no_other() {
        let (_dir, store) = store();
        let auth = Authenticator::new(store).unwrap();
        for password in ["gr\u{fc}n".as_bytes(), b"gr\xFCn"] {
            let header = basic("Ada@Example.Test", password);
            // The second time it is the proof that is looked at.
            for _ in 0..2 {
                let user = auth.authenticate(Some(&header)).await.unwrap();
                assert_eq!(user.display_name, "Ada");
            }
        }
        let wrong = basic("ada@example.test", b"blau");
        assert_eq!(auth.authenticate(Some(&wrong)).await, Err(Refused::Wrong));
        let nobody = basic("bob@example.test", "gr\u{fc}n".as_bytes());
        assert_eq!(auth.authenticate(Some(&nobody)).await, Err(Refused::Wrong));
        assert_eq!(auth.authenticate(None).await, Err(Refused::Missing));
        let bearer = HeaderValue::from_static("Bearer x");
        assert_eq!(
            auth.authenticate(Some(&bearer)).await,
            Err(Refused::Malformed)
        );
    }

    #[tokio::test]
    async fn a_changed_password_is_forgotten_at_once() {
        let (_dir, store) = store();
        let auth = Authenticator::new(store.clone()).unwrap();
        let old = basic("ada@example.test", "gr\u{fc}n".as_bytes());
        auth.authenticate(Some(&old)).await.unwrap();
        let hash = hash_password("blau").unwrap();
        store.set_password("ada@example.test", &hash).unwrap();
        assert_eq!(auth.authenticate(Some(&old)).await, Err(Refused::Wrong));
        let new = basic("ada@example.test", b"blau");
        assert!(auth.authenticate(Some(&new)).await.is_ok());
        store.remove_user("ada@example.test").unwrap();
        assert_eq!(auth.authenticate(Some(&new)).await, Err(Refused::Wrong));
    }

    #[tokio::test]
    async fn a_crowd_of_wrong_passwords_is_bounded_and_does_not_lock_out_who_was_here_before() {
        let (_dir, store) = store();
        let auth = Authenticator::new(store).unwrap();
        let known = basic("ada@example.test", "gr\u{fc}n".as_bytes());
        auth.authenticate(Some(&known)).await.unwrap();
        let _crowd = auth.waiting.try_acquire_many(WAITING_MAX as u32).unwrap();
        let wrong = basic("ada@example.test", b"blau");
        assert_eq!(auth.authenticate(Some(&wrong)).await, Err(Refused::Busy));
        assert!(auth.authenticate(Some(&known)).await.is_ok());
    }
}
