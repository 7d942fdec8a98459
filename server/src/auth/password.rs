//! Password hashes: Argon2id in PHC string form.

use argon2::{
    Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _, password_hash::SaltString,
};

/// Bytes of salt (RFC 9106 3.1 recommends 16).
const SALT_LEN: usize = 16;

/// Stands in for the hash of a user who does not exist: it takes as long to check, and nobody knows
/// its password. A test holds its parameters to those of [`hash_password`].
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The system gave no random salt.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The hash function refused it.
    #[error("the password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// A new salted hash of a password. Takes some 20 ms and 19 MiB.
pub fn hash_password(password: &str) -> Result<String, HashError> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(HashError::Hash)?;
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(HashError::Hash)
}

/// Whether a password belongs to a hash. Takes as long without a hash, and is then false.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let there = hash.is_some();
    let parsed = match PasswordHash::new(hash.unwrap_or(NOBODY)) {
        Ok(parsed) => parsed,
        Err(error) => {
            tracing::error!(%error, "a password hash in the store cannot be read");
            return false;
        }
    };
    let verified = Argon2::default().verify_password(password.as_bytes(), &parsed);
    verified.is_ok() && there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password() {
        let hash = hash_password("secret").unwrap();
        assert_ne!(hash, hash_password("secret").unwrap());
        assert!(verify("secret", Some(&hash)));
        assert!(!verify("Secret", Some(&hash)));
        assert!(!verify("secret", Some("nonsense")));
        assert!(!verify("secret", None));
    }

    #[test]
    fn nobody_takes_as_long_as_a_user() {
        let real = hash_password("x").unwrap();
        let real = PasswordHash::new(&real).unwrap();
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(real.algorithm, nobody.algorithm);
        assert_eq!(real.version, nobody.version);
        assert_eq!(real.params.to_string(), nobody.params.to_string());
        let len = |hash: &PasswordHash<'_>| hash.hash.map(|output| output.len());
        assert_eq!(len(&real), len(&nobody));
    }
}
