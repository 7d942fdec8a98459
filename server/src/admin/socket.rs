//! Where the admin socket is.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::AsRawFd as _,
        unix::{
            ffi::OsStrExt as _,
            fs::PermissionsExt as _,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

/// The socket's name in the data directory.
const NAME: &str = "admin.sock";
/// Its name until it has its permissions.
const UNFINISHED_NAME: &str = "admin.sock.new";
/// Bytes of a path that every Unix takes as a socket's address, its terminator included.
const ADDRESS_BYTES_MAX: usize = 104;

/// Connects to the server of a data directory.
pub fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    with_short_path(data_dir, NAME, |path| UnixStream::connect(path))
}

/// Listens in a data directory whose lock the caller holds: a socket that is there is a leftover.
pub fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let unfinished = data_dir.join(UNFINISHED_NAME);
    remove_if_there(&unfinished)?;
    let listener = with_short_path(data_dir, UNFINISHED_NAME, |path| UnixListener::bind(path))?;
    // Nobody can connect before only the owner may.
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o600))?;
    fs::rename(&unfinished, data_dir.join(NAME))?;
    Ok(listener)
}

/// Removes the socket of a data directory whose lock the caller holds.
pub fn remove(data_dir: &Path) -> io::Result<()> {
    remove_if_there(&data_dir.join(NAME))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Calls with the path of `name` in `dir`, by way of an open directory if the path is too long for
/// a socket's address.
fn with_short_path<T>(
    dir: &Path,
    name: &str,
    call: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let path = dir.join(name);
    if path.as_os_str().as_bytes().len() < ADDRESS_BYTES_MAX {
        return call(&path);
    }
    let open = File::open(dir)?;
    call(&PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_is_replaced_and_only_the_owner_may_connect() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), b"").unwrap();
        drop(listen(dir.path()).unwrap());
        let listener = listen(dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join(NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        connect(dir.path()).unwrap();
        drop(listener);
        assert!(connect(dir.path()).is_err());
        remove(dir.path()).unwrap();
        remove(dir.path()).unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_long_path_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(120));
        fs::create_dir(&deep).unwrap();
        let _listener = listen(&deep).unwrap();
        connect(&deep).unwrap();
    }
}
