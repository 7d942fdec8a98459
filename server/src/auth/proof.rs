//! Proofs of credentials that were right before, so that not every request costs a slow hash.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use ropewalk_store::{Store, User};
use sha2::{Digest as _, Sha256};

/// Bytes of a SHA-256 block, the length of an HMAC key.
const BLOCK_LEN: usize = 64;
/// Proofs that are kept.
const PROOFS_MAX: usize = 65_536;

type Proof = [u8; 32];

/// The keyed hashes of Authorization headers that were right, each with the user as he was then. The
/// key is random and never leaves the process: who does not know it cannot tell from how long a look
/// takes how much of a hash is right.
pub struct Proofs {
    /// The hash of the key, ready for what comes behind it, on the inside and on the outside.
    keyed: [Sha256; 2],
    known: Mutex<HashMap<Proof, Arc<User>>>,
}

impl Proofs {
    /// No proofs yet, and a new key.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; BLOCK_LEN];
        getrandom::fill(&mut key)?;
        let keyed = [0x36, 0x5C].map(|pad| Sha256::new_with_prefix(key.map(|byte| byte ^ pad)));
        Ok(Self {
            keyed,
            known: Mutex::default(),
        })
    }

    /// The user whose header this was before, if he is still there with the same address and password.
    pub fn user(&self, store: &Store, header: &[u8]) -> Option<Arc<User>> {
        let proof = self.prove(header);
        let known = self.known.lock().get(&proof).map(Arc::clone)?;
        let user = store.user_by_minimal_id(known.minimal_id)?;
        let is_same = Arc::ptr_eq(&user, &known)
            || user.password_hash == known.password_hash && user.email == known.email;
        is_same.then_some(user)
    }

    /// Remembers a header that is right.
    pub fn remember(&self, user: &Arc<User>, header: &[u8]) {
        let proof = self.prove(header);
        let mut known = self.known.lock();
        if known.len() >= PROOFS_MAX {
            known.clear();
        }
        known.insert(proof, Arc::clone(user));
    }

    /// HMAC-SHA-256 (RFC 2104) over a header.
    fn prove(&self, header: &[u8]) -> Proof {
        let [inside, outside] = &self.keyed;
        let inner = inside.clone().chain_update(header).finalize();
        outside.clone().chain_update(inner).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::store;

    #[test]
    fn a_proof_holds_for_one_header_and_as_long_as_its_user_is_the_same() {
        let (_dir, store) = store();
        let proofs = Proofs::new().unwrap();
        let ada = store.user_by_email("ada@example.test").unwrap();
        assert_eq!(proofs.user(&store, b"Basic x"), None);
        proofs.remember(&ada, b"Basic x");
        assert_eq!(proofs.user(&store, b"Basic x"), Some(Arc::clone(&ada)));
        assert_eq!(proofs.user(&store, b"Basic y"), None);
        assert_eq!(proofs.user(&store, b"Basic x "), None);
        assert_eq!(Proofs::new().unwrap().user(&store, b"Basic x"), None);
        store.set_password("ada@example.test", "another").unwrap();
        assert_eq!(proofs.user(&store, b"Basic x"), None);
        let changed = store.user_by_email("ada@example.test").unwrap();
        proofs.remember(&changed, b"Basic y");
        assert_eq!(proofs.user(&store, b"Basic y"), Some(changed));
        store.remove_user("ada@example.test").unwrap();
        assert_eq!(proofs.user(&store, b"Basic y"), None);
    }
}
