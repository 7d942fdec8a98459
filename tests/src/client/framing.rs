//! What surrounds ROPs: the lines before a response body, extended buffers, the handle table.
//!
//! Written from MS-OXCMAPIHTTP 2.2.4 to 2.2.7, MS-OXCRPC 2.2.2.1 and MS-OXCROPS 2.2.1, apart from
//! the codec that the server uses.

use ropewalk_wire::{Put as _, Reader};

use super::{Error, HttpResponse, Result, lz77};

/// RPC_HEADER_EXT flags (MS-OXCRPC 2.2.2.1).
pub const COMPRESSED: u16 = 0x0001;
/// The payload is XORed with 0xA5.
pub const XOR_MAGIC: u16 = 0x0002;
/// The last extended buffer of a RopBuffer.
pub const LAST: u16 = 0x0004;

/// A response to a request type, without its meta-tags.
#[derive(Clone, Debug)]
pub struct MapiResponse {
    /// The HTTP response as it came.
    pub http: HttpResponse,
    /// The lines before the blank one: `PROCESSING`, `PENDING`, `DONE` and additional headers.
    pub lines: Vec<String>,
    /// What follows the blank line.
    pub body: Vec<u8>,
}

impl MapiResponse {
    /// Takes an HTTP response apart; an error unless its status is 200 and its X-ResponseCode 0.
    pub(super) fn parse(http: HttpResponse) -> Result<Self> {
        if http.status != 200 {
            let body = String::from_utf8_lossy(&http.body).into_owned();
            return Err(Error::Http {
                status: http.status,
                body,
            });
        }
        let code = http
            .header("X-ResponseCode")
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| Error::Malformed("no X-ResponseCode".into()))?;
        if code != 0 {
            let text = String::from_utf8_lossy(&http.body).into_owned();
            return Err(Error::ResponseCode { code, text });
        }
        let mut lines = Vec::new();
        let mut rest = http.body.as_slice();
        loop {
            let end = rest
                .windows(2)
                .position(|pair| pair == b"\r\n")
                .ok_or_else(|| Error::Malformed("no blank line in the response body".into()))?;
            let line = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 2..];
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let late = lines
            .iter()
            .find_map(|line| line.strip_prefix("X-ResponseCode:")?.trim().parse().ok());
        if let Some(code) = late.filter(|code| *code != 0) {
            let text = String::from_utf8_lossy(rest).into_owned();
            return Err(Error::ResponseCode { code, text });
        }
        let body = rest.to_vec();
        Ok(Self { http, lines, body })
    }
}

/// How payloads are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InputForm {
    /// Compress with LZ77 and DIRECT2, where that makes a payload shorter.
    pub compress: bool,
    /// XOR with 0xA5.
    pub xor: bool,
}

/// One ROP output buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The flags of its RPC_HEADER_EXT.
    pub flags: u16,
    /// The responses, one after another.
    pub rops: Vec<u8>,
    /// The server object handle table.
    pub handles: Vec<u32>,
}

/// A ROP input buffer: RopSize, the ROPs, the handle table (MS-OXCROPS 2.2.1).
pub fn rop_buffer(rops: &[u8], handles: &[u32]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(2 + rops.len() + 4 * handles.len());
    payload.put_u16(u16::try_from(rops.len() + 2).expect("a ROP buffer is at most 32 KB"));
    payload.put_bytes(rops);
    handles.iter().for_each(|handle| payload.put_u32(*handle));
    payload
}

/// A payload behind its RPC_HEADER_EXT, as the last of its RopBuffer.
pub fn extended_buffer(payload: &[u8], form: InputForm) -> Vec<u8> {
    let mut flags = LAST;
    let mut sent = payload.to_vec();
    if form.compress {
        let compressed = lz77::compress(payload);
        if compressed.len() < payload.len() {
            sent = compressed;
            flags |= COMPRESSED;
        }
    }
    if form.xor {
        sent.iter_mut().for_each(|byte| *byte ^= 0xA5);
        flags |= XOR_MAGIC;
    }
    let size = |len: usize| u16::try_from(len).expect("a payload is at most 32 KB");
    let mut out = Vec::with_capacity(8 + sent.len());
    out.put_u16(0);
    out.put_u16(flags);
    out.put_u16(size(sent.len()));
    out.put_u16(size(payload.len()));
    out.put_bytes(&sent);
    out
}

/// The payloads of a RopBuffer or an auxiliary buffer, each with its flags, plain again.
pub fn extended_payloads(buffer: &[u8]) -> Result<Vec<(u16, Vec<u8>)>> {
    let mut input = Reader::new(buffer);
    let mut payloads = Vec::new();
    while !input.is_empty() {
        let version = input.u16()?;
        let flags = input.u16()?;
        let size = usize::from(input.u16()?);
        let size_actual = usize::from(input.u16()?);
        let mut payload = input.bytes(size)?.to_vec();
        if version != 0 || (flags & LAST != 0) != input.is_empty() {
            return Err(Error::Malformed(format!(
                "an extended buffer of version {version} with flags {flags:#x}, {} bytes after it",
                input.remaining()
            )));
        }
        if flags & XOR_MAGIC != 0 {
            payload.iter_mut().for_each(|byte| *byte ^= 0xA5);
        }
        if flags & COMPRESSED != 0 {
            payload = lz77::decompress(&payload, size_actual)
                .ok_or_else(|| Error::Malformed("a payload does not decompress".into()))?;
        }
        if payload.len() != size_actual {
            return Err(Error::Malformed(format!(
                "SizeActual {size_actual} for {} bytes",
                payload.len()
            )));
        }
        payloads.push((flags, payload));
    }
    Ok(payloads)
}

/// The ROP output buffers of a RopBuffer.
pub fn output_buffers(buffer: &[u8]) -> Result<Vec<Payload>> {
    extended_payloads(buffer)?
        .into_iter()
        .map(|(flags, payload)| {
            let mut input = Reader::new(&payload);
            let size = usize::from(input.u16()?);
            let rops = size
                .checked_sub(2)
                .ok_or_else(|| Error::Malformed(format!("RopSize {size}")))?;
            let rops = input.bytes(rops)?.to_vec();
            let mut handles = Vec::new();
            while !input.is_empty() {
                handles.push(input.u32()?);
            }
            Ok(Payload {
                flags,
                rops,
                handles,
            })
        })
        .collect()
}
