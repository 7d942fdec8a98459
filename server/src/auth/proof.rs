//! Proofs of passwords that were right before, so that not every request costs a slow hash.

use std::collections::HashMap;

use parking_lot::Mutex;
use ropewalk_store::User;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Bytes of a SHA-256 block, the length of an HMAC key.
const BLOCK_LEN: usize = 64;
/// Users whose proofs are kept.
const PROOFS_MAX: usize = 65_536;

type Proof = [u8; 32];

/// Per user the keyed hash of the password that was right last. The key is random and never leaves
/// the process.
pub struct Proofs {
    /// The hash of the key, ready for what comes behind it, on the inside and on the outside.
    keyed: [Sha256; 2],
    known: Mutex<HashMap<u32, Known>>,
}

/// What is known of a user.
struct Known {
    /// The stored hash that the password fitted: a proof dies with it.
    password_hash: String,
    proof: Proof,
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

    /// Whether this password was right before and the user's hash is still the same.
    pub fn holds(&self, user: &User, password: &str) -> bool {
        let proof = self.prove(password);
        match self.known.lock().get(&user.minimal_id) {
            Some(known) if known.password_hash == user.password_hash => {
                known.proof.ct_eq(&proof).into()
            }
            _ => false,
        }
    }

    /// Remembers a password that is right, in place of an earlier one.
    pub fn remember(&self, user: &User, password: &str) {
        let known_now = Known {
            password_hash: user.password_hash.clone(),
            proof: self.prove(password),
        };
        let mut known = self.known.lock();
        if known.len() >= PROOFS_MAX {
            known.clear();
        }
        known.insert(user.minimal_id, known_now);
    }

    /// HMAC-SHA-256 (RFC 2104) over the password.
    fn prove(&self, password: &str) -> Proof {
        let [inside, outside] = &self.keyed;
        let inner = inside.clone().chain_update(password.as_bytes()).finalize();
        outside.clone().chain_update(inner).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use ropewalk_props::{FileTime, Guid};

    use super::*;

    fn user(minimal_id: u32, password_hash: &str) -> User {
        User {
            email: String::new(),
            display_name: String::new(),
            legacy_dn: String::new(),
            mailbox_guid: Guid([0; 16]),
            password_hash: password_hash.to_owned(),
            minimal_id,
            created: FileTime(0),
        }
    }

    #[test]
    fn a_proof_holds_for_one_user_one_hash_and_one_password() {
        let proofs = Proofs::new().unwrap();
        let ada = user(16, "hash");
        assert!(!proofs.holds(&ada, "secret"));
        proofs.remember(&ada, "secret");
        assert!(proofs.holds(&ada, "secret"));
        assert!(!proofs.holds(&ada, "secre"));
        assert!(!proofs.holds(&user(17, "hash"), "secret"));
        assert!(!proofs.holds(&user(16, "hashs"), "ecret"));
        proofs.remember(&ada, "other");
        assert!(!proofs.holds(&ada, "secret"));
    }
}
