//! What these tests share.

use std::{env, fs, path::Path, time::Duration};

use ropewalk_tests::{
    client::{Client, Handle, Logon, Result, Value},
    fixture::{ADA, PASSWORD, legacy_dn, tag, text},
    server::{TestServer, ropewalk},
};

pub const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
pub const OTHER_KEY: &str = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Bytes that look random and that a seed decides: no two seeds share a chunk.
pub fn pattern(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A server with a configuration file of its own beside the data directory.
pub fn serve_with(data_dir: &Path, config: &str) -> TestServer {
    let file = data_dir.with_extension("toml");
    fs::write(&file, config).unwrap();
    TestServer::start_in(data_dir, &["--config", file.to_str().unwrap()])
}

/// A server with the store's key in its environment.
pub fn serve_with_key(data_dir: &Path, key: Option<&str>) -> TestServer {
    let mut serve = ropewalk();
    serve
        .args(["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(data_dir);
    if let Some(key) = key {
        serve.env("ROPEWALK_STORE_KEY", key);
    }
    TestServer::spawn(serve, data_dir)
}

/// A session of Ada's, whose LegacyDN is known, on a store that may need its key.
pub fn session(server: &TestServer, dn: &str) -> (Client, Logon) {
    ropewalk_tests::fixture::log_on(server, ADA, PASSWORD, dn)
}

pub fn dn(data_dir: &Path) -> String {
    legacy_dn(data_dir, ADA)
}

/// Adds an attachment with this content to a message and saves the attachment.
pub fn attach(client: &mut Client, message: Handle, data: &[u8]) -> Result<()> {
    let (attachment, _) = client.create_attachment(message)?;
    client.set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(1))])?;
    client.write_property_stream(attachment, tag::ATTACH_DATA_BINARY, data)?;
    client.save_attachment(message, attachment)?;
    client.release(attachment)
}

/// A saved message with an attachment: its MID.
pub fn message_with(
    client: &mut Client,
    logon: &Logon,
    folder_id: u64,
    subject: &str,
    data: &[u8],
) -> Result<u64> {
    let message = client.create_message(logon.handle, folder_id)?;
    client.set_props(message, &[(tag::SUBJECT, text(subject))])?;
    attach(client, message, data)?;
    let id = client.save_message(message)?;
    client.release(message)?;
    Ok(id)
}

/// The data of a message's first attachment.
pub fn attachment_of(client: &mut Client, logon: &Logon, folder_id: u64, id: u64) -> Vec<u8> {
    let opened = client.open_message(logon.handle, folder_id, id, 0).unwrap();
    let attachment = client.open_attachment(opened.handle, 0, 0).unwrap();
    let data = client
        .read_property_stream(attachment, tag::ATTACH_DATA_BINARY)
        .unwrap();
    client.release(attachment).unwrap();
    client.release(opened.handle).unwrap();
    data
}

/// Tries until it holds, for at most this long.
pub fn eventually(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < within, "{what}: not after {within:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
