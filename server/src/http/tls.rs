//! The certificate of HTTPS: the configured one, or a self-signed one that is made once.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ServerConfig, crypto::ring};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// Names of the self-signed certificate's files in the data directory.
const CERTIFICATE_NAME: &str = "tls-certificate.pem";
const KEY_NAME: &str = "tls-key.pem";

/// Why HTTPS cannot be served. Each message is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read.
    #[error("cannot read the {what} {path}: {}; {hint}", plain(.source))]
    Read {
        /// Certificate or key.
        what: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        source: pem::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The certificate file has none.
    #[error("there is no certificate in {path}; {hint}")]
    Empty {
        /// The file.
        path: String,
        /// What to do.
        hint: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("the certificate {path} cannot be used with its key: {source}; {hint}")]
    Unusable {
        /// The certificate's file.
        path: String,
        /// What rustls says.
        source: rustls::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The self-signed certificate cannot be kept.
    #[error("cannot write {path}: {source}; check the permissions of the data directory")]
    Write {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The self-signed certificate cannot be made.
    #[error("cannot make a self-signed certificate: {0}")]
    Make(#[from] rcgen::Error),
}

const CONFIGURED_HINT: &str = "check tls.certificate and tls.private_key in the configuration";
const OWN_HINT: &str =
    "remove tls-certificate.pem and tls-key.pem from the data directory to have new ones made";

/// What accepts TLS connections, for HTTP/2 and HTTP/1.1. A self-signed certificate that has to be
/// made is for this machine alone and for `public_host`.
pub fn acceptor(
    tls: &Tls,
    data_dir: &Path,
    public_host: Option<&str>,
) -> Result<TlsAcceptor, TlsError> {
    let config = match (&tls.certificate, &tls.private_key) {
        (Some(certificate), Some(key)) => {
            warn_of_readers(key);
            server_config(certificate, key, CONFIGURED_HINT)?
        }
        _ => {
            let files = OwnFiles::of(data_dir);
            if !(files.certificate.exists() && files.key.exists()) {
                files.make(public_host)?;
            }
            server_config(&files.certificate, &files.key, OWN_HINT)?
        }
    };
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn plain(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => {
            "it has none in PEM form; an encrypted key must be decrypted first".to_owned()
        }
        pem::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// A private key that everybody on this machine can read is used all the same.
fn warn_of_readers(key: &Path) {
    let mode = fs::metadata(key).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o007 != 0 {
        tracing::warn!(path = %key.display(), "other users can get at the private key; chmod o= it");
    }
}

fn server_config(
    certificate: &Path,
    key: &Path,
    hint: &'static str,
) -> Result<ServerConfig, TlsError> {
    let read = |what, path: &Path| {
        let path = path.display().to_string();
        move |source| TlsError::Read {
            what,
            path,
            source,
            hint,
        }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(read("certificate", certificate))?;
    let path = certificate.display().to_string();
    if chain.is_empty() {
        return Err(TlsError::Empty { path, hint });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(read("private key", key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| TlsError::Unusable { path, source, hint })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The self-signed certificate.
struct OwnFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl OwnFiles {
    fn of(data_dir: &Path) -> Self {
        Self {
            certificate: data_dir.join(CERTIFICATE_NAME),
            key: data_dir.join(KEY_NAME),
        }
    }

    fn make(&self, public_host: Option<&str>) -> Result<(), TlsError> {
        let mut names = ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec();
        names.extend(public_host.map(|host| without_port(host).to_owned()));
        let made = rcgen::generate_simple_self_signed(names)?;
        write(&self.key, 0o600, &made.signing_key.serialize_pem())?;
        write(&self.certificate, 0o644, &made.cert.pem())
    }
}

/// The host of `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
fn without_port(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    }
}

/// Writes a file that is either there as a whole or not at all.
fn write(path: &Path, mode: u32, text: &str) -> Result<(), TlsError> {
    let unfinished = path.with_extension("new");
    let write = || -> io::Result<()> {
        // One that an earlier start left behind may have other permissions.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|source| TlsError::Write {
        path: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_self_signed_certificate_is_made_once_and_its_key_is_secret() {
        let dir = tempfile::tempdir().unwrap();
        let none = Tls::default();
        acceptor(&none, dir.path(), None).unwrap();
        let files = OwnFiles::of(dir.path());
        let first = fs::read(&files.certificate).unwrap();
        let mode = fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        acceptor(&none, dir.path(), None).unwrap();
        assert_eq!(fs::read(&files.certificate).unwrap(), first);
        // A half of it is not enough.
        fs::remove_file(&files.key).unwrap();
        acceptor(&none, dir.path(), None).unwrap();
        assert_ne!(fs::read(&files.certificate).unwrap(), first);
    }

    #[test]
    fn a_public_host_loses_its_port() {
        for (host, name) in [
            ("mail.example.test", "mail.example.test"),
            ("mail.example.test:8443", "mail.example.test"),
            ("192.0.2.1:443", "192.0.2.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_in_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        acceptor(&Tls::default(), dir.path(), None).unwrap();
        let other = tempfile::tempdir().unwrap();
        acceptor(&Tls::default(), other.path(), Some("[::2]:8443")).unwrap();
        let (one, two) = (OwnFiles::of(dir.path()), OwnFiles::of(other.path()));
        let empty = dir.path().join("empty.pem");
        fs::write(&empty, "").unwrap();
        for (certificate, key, part) in [
            (
                &one.certificate,
                &one.certificate,
                "cannot read the private key",
            ),
            (
                &dir.path().join("missing"),
                &one.key,
                "cannot read the certificate",
            ),
            (&empty, &one.key, "no certificate in"),
            (&one.certificate, &two.key, "cannot be used with its key"),
        ] {
            let tls = Tls {
                certificate: Some(certificate.clone()),
                private_key: Some(key.clone()),
            };
            let error = acceptor(&tls, dir.path(), None).err().unwrap().to_string();
            assert!(error.contains(part), "{error}");
            assert!(error.ends_with("in the configuration"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
