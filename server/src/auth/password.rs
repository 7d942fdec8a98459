//! Password hashes: Argon2id in PHC string form.

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, PasswordHasher as _, Version,
    password_hash::{Output, Salt, SaltString},
};
use parking_lot::Mutex;

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

/// Memory in which passwords are checked, as much as there were checks at a time. It is kept: given
/// back, each thread that ever checked a password would hold on to as much.
#[derive(Default)]
pub struct Memory(Mutex<Vec<Vec<Block>>>);

/// Whether a password belongs to a hash. Takes as long without a hash, and is then false.
pub fn verify(password: &str, hash: Option<&str>, memory: &Memory) -> bool {
    let there = hash.is_some();
    let mut blocks = memory.0.lock().pop().unwrap_or_default();
    let verified = matches(password, hash.unwrap_or(NOBODY), &mut blocks);
    memory.0.lock().push(blocks);
    match verified {
        Ok(verified) => verified && there,
        Err(error) => {
            tracing::error!(%error, "a password hash in the store cannot be read");
            false
        }
    }
}

fn matches(
    password: &str,
    hash: &str,
    blocks: &mut Vec<Block>,
) -> Result<bool, argon2::password_hash::Error> {
    let hash = PasswordHash::new(hash)?;
    let params = Params::try_from(&hash)?;
    let version = hash
        .version
        .map_or(Ok(Version::default()), Version::try_from)?;
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
        return Err(argon2::password_hash::Error::PhcStringField);
    };
    let mut salt_bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut salt_bytes)?;
    let mut found = [0; Output::MAX_LENGTH];
    let found =
        found
            .get_mut(..expected.len())
            .ok_or(argon2::password_hash::Error::OutputSize {
                provided: std::cmp::Ordering::Greater,
                expected: Output::MAX_LENGTH,
            })?;
    blocks.resize(params.block_count(), Block::default());
    Argon2::new(Algorithm::try_from(hash.algorithm)?, version, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, found, blocks)?;
    // Output compares in constant time.
    Ok(Output::new(found)? == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password() {
        let hash = hash_password("secret").unwrap();
        assert_ne!(hash, hash_password("secret").unwrap());
        let memory = Memory::default();
        let verify = |password, hash| verify(password, hash, &memory);
        for _ in 0..2 {
            assert!(verify("secret", Some(&hash)));
            assert!(!verify("Secret", Some(&hash)));
        }
        for nonsense in [
            "",
            "nonsense",
            "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw",
        ] {
            assert!(!verify("secret", Some(nonsense)), "{nonsense}");
        }
        assert!(!verify("secret", None));
        assert_eq!(memory.0.lock().len(), 1);
        // What others have made with the same function.
        let other = argon2::PasswordVerifier::verify_password(
            &Argon2::default(),
            b"secret",
            &PasswordHash::new(&hash).unwrap(),
        );
        assert!(other.is_ok());
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
