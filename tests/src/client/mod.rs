//! A small blocking MAPI/HTTP client: for tests, benches and the load generator.
//!
//! [`Client::connect`] makes a session context, [`Client::logon`] opens the mailbox, and there is
//! one method per ROP, each an Execute of its own. Several ROPs go into one buffer with
//! [`Client::execute`], or with [`Client::execute_batch`] as the codec's typed requests;
//! [`Client::execute_raw`] sends whatever bytes a test wants to see refused.
//!
//! It is a second implementation where that is cheap: framing, compression and the layouts of the
//! ROPs are written from the specifications' tables, apart from the codec that the server uses, so
//! that a mistake there shows here. Property values, rows and restrictions are the codec's.
//!
//! Methods return [`Error`]s for whatever the network or the server does; they panic only when the
//! caller asks for something that has no wire form.

mod attachment;
mod error;
mod folder;
pub mod framing;
mod http;
mod logon;
mod lz77;
mod message;
pub mod permission;
mod property;
mod recipient;
mod rop;
mod stream;
mod table;

use std::{borrow::Cow, collections::BTreeMap, net::SocketAddr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ropewalk_wire::{
    Put as _, Reader,
    client::{RopBatch, RopOutput},
};

pub use self::{
    error::{Error, Result},
    folder::{CreatedFolder, NewFolder, OpenedFolder},
    framing::{InputForm, MapiResponse, Payload},
    http::{Connection, HttpResponse, read_response},
    logon::{Logon, PublicLogon, logon_rop},
    message::{CreatedMessage, OpenedMessage, save},
    property::{Cells, Name, Problem, Row, Value, tagged_values},
    recipient::{NewRecipient, Recipient},
    rop::{Answer, Rop, concat},
    table::{Found, Rows, Sought, restriction_bytes, take_row},
};

/// A server object handle.
pub type Handle = u32;

/// An unused slot of a handle table.
pub const NO_HANDLE: Handle = u32::MAX;

/// Execute flag: the response is not to be compressed (MS-OXCMAPIHTTP 2.2.4.2.1).
pub const NO_COMPRESSION: u32 = 0x1;
/// Execute flag: the response is not to be obfuscated.
pub const NO_XOR_MAGIC: u32 = 0x2;
/// Execute flag: the response may have several extended buffers.
pub const CHAIN: u32 = 0x4;

/// The MaxRopOut that clients send most.
pub const MAX_ROP_OUT: u32 = 0x0001_0008;

/// A session context on the mailbox endpoint, and the connection it uses.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    authorization: String,
    user_dn: String,
    cookies: BTreeMap<String, String>,
    counter: u32,
    /// Flags of each Execute; at first [`NO_COMPRESSION`] and [`NO_XOR_MAGIC`].
    pub flags: u32,
    /// MaxRopOut of each Execute.
    pub max_rop_out: u32,
    /// How input buffers are sent.
    pub form: InputForm,
    /// DefaultCodePage of a Connect; at first 1252.
    pub code_page: u32,
}

/// The response to a Connect (MS-OXCMAPIHTTP 2.2.4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Connected {
    pub polls_max: u32,
    pub retry_count: u32,
    pub retry_delay: u32,
    pub dn_prefix: String,
    pub display_name: String,
}

impl Client {
    /// A client that has not connected; `user_dn` is the LegacyDN of the mailbox.
    pub fn new(address: SocketAddr, email: &str, password: &str, user_dn: &str) -> Self {
        let credentials = BASE64_STANDARD.encode(format!("{email}:{password}"));
        Self {
            connection: Connection::new(address),
            authorization: format!("Basic {credentials}"),
            user_dn: user_dn.to_owned(),
            cookies: BTreeMap::new(),
            counter: 0,
            flags: NO_COMPRESSION | NO_XOR_MAGIC,
            max_rop_out: MAX_ROP_OUT,
            form: InputForm::default(),
            code_page: 1252,
        }
    }

    /// Makes a session context.
    pub fn connect(
        address: SocketAddr,
        email: &str,
        password: &str,
        user_dn: &str,
    ) -> Result<Self> {
        let mut client = Self::new(address, email, password, user_dn);
        client.send_connect()?;
        Ok(client)
    }

    /// Another session context for the same user.
    pub fn connect_again(&self) -> Result<Self> {
        let mut client = Self {
            connection: Connection::new(self.connection.address()),
            authorization: self.authorization.clone(),
            user_dn: self.user_dn.clone(),
            cookies: BTreeMap::new(),
            ..*self
        };
        client.send_connect()?;
        Ok(client)
    }

    /// Sends a Connect; with the cookies of a session context it replaces that one.
    pub fn send_connect(&mut self) -> Result<Connected> {
        let mut body = Vec::new();
        body.put_ascii_z(self.user_dn.as_bytes());
        body.put_u32(0);
        body.put_u32(self.code_page);
        body.put_u32(1033);
        body.put_u32(1033);
        body.put_u32(0);
        let response = self.request("Connect", &body)?;
        let mut input = success(&response.body)?;
        let connected = Connected {
            polls_max: input.u32()?,
            retry_count: input.u32()?,
            retry_delay: input.u32()?,
            dn_prefix: String::from_utf8_lossy(input.ascii_z()?).into_owned(),
            display_name: ropewalk_props::text::decode_utf16le(input.utf16_z()?),
        };
        finish_with_aux(&mut input)?;
        Ok(connected)
    }

    /// Ends the session context.
    pub fn disconnect(&mut self) -> Result<()> {
        let response = self.request("Disconnect", &[0; 4])?;
        finish_with_aux(&mut success(&response.body)?)
    }

    /// The LegacyDN that it connects as.
    pub fn user_dn(&self) -> &str {
        &self.user_dn
    }

    /// The connection, to close it under the session context's feet for example.
    pub const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The cookies of the session context.
    pub const fn cookies(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.cookies
    }

    /// Sends a request type with this body and takes its response apart.
    pub fn request(&mut self, request_type: &str, body: &[u8]) -> Result<MapiResponse> {
        let headers = self.headers(request_type);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let http = self.connection.post("/mapi/emsmdb", &headers, body)?;
        for cookie in http.headers("Set-Cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies
                    .insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        MapiResponse::parse(http)
    }

    /// Sends an Execute with these ROPs and does not wait for its response. The connection cannot
    /// be used for anything else afterwards.
    pub fn send_execute(&mut self, rops: &[Rop], handles: &[Handle]) -> Result<()> {
        let payload = framing::rop_buffer(&concat(rops), handles);
        let body = self.execute_body(&framing::extended_buffer(&payload, self.form));
        let headers = self.headers("Execute");
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Ok(self.connection.send("/mapi/emsmdb", &headers, &body)?)
    }

    /// The HTTP request that executes a RopBuffer of the caller's making, to be sent some other way.
    pub fn execute_bytes(&mut self, rop_buffer: &[u8]) -> Vec<u8> {
        let body = self.execute_body(rop_buffer);
        self.request_bytes("Execute", &body)
    }

    /// The HTTP request of this type with this body.
    pub fn request_bytes(&mut self, request_type: &str, body: &[u8]) -> Vec<u8> {
        let headers = self.headers(request_type);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        (self.connection).request_bytes("/mapi/emsmdb", &headers, body)
    }

    fn headers(&mut self, request_type: &str) -> Vec<(&'static str, String)> {
        self.counter += 1;
        let id = format!("{{8F1E0F4E-8D3C-4C50-9D4B-6C1A2B3C4D5E}}:{}", self.counter);
        let mut headers = vec![
            ("Content-Type", "application/mapi-http".to_owned()),
            ("Authorization", self.authorization.clone()),
            ("X-RequestType", request_type.to_owned()),
            ("X-RequestId", id.clone()),
            ("X-ClientInfo", id),
            ("X-ClientApplication", "Outlook/16.0.10000.20000".to_owned()),
        ];
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            headers.push(("Cookie", cookies.join("; ")));
        }
        headers
    }

    fn execute_body(&self, rop_buffer: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(rop_buffer.len() + 16);
        body.put_u32(self.flags);
        body.put_u32(u32::try_from(rop_buffer.len()).expect("a RopBuffer is at most 256 KB"));
        body.put_bytes(rop_buffer);
        body.put_u32(self.max_rop_out);
        body.put_u32(0);
        body
    }

    /// Executes a RopBuffer of the caller's making, and returns the one of the response.
    pub fn execute_raw(&mut self, rop_buffer: &[u8]) -> Result<Vec<u8>> {
        let body = self.execute_body(rop_buffer);
        let response = self.request("Execute", &body)?;
        let mut input = success(&response.body)?;
        let _flags = input.u32()?;
        let size = usize::try_from(input.u32()?).map_err(|_| Error::Malformed("a size".into()))?;
        let buffer = input.bytes(size)?.to_vec();
        finish_with_aux(&mut input)?;
        Ok(buffer)
    }

    /// Executes one payload of the caller's making: RopSize, ROPs and handle table.
    pub fn execute_payload(&mut self, payload: &[u8]) -> Result<Payload> {
        let buffer = framing::extended_buffer(payload, self.form);
        one(framing::output_buffers(&self.execute_raw(&buffer)?)?)
    }

    /// Executes several ROPs in one buffer, and returns their responses as they are.
    pub fn execute(&mut self, rops: &[Rop], handles: &[Handle]) -> Result<Payload> {
        self.execute_payload(&framing::rop_buffer(&concat(rops), handles))
    }

    /// Executes a batch of the codec's typed requests, and hands their typed responses to `read`.
    pub fn execute_batch<T>(
        &mut self,
        batch: &RopBatch<'_>,
        read: impl FnOnce(&RopOutput<'_>) -> T,
    ) -> Result<T> {
        let payload = batch
            .to_payload()
            .map_err(|error| Error::Malformed(error.to_string()))?;
        let buffer = self.execute_raw(&framing::extended_buffer(&payload, self.form))?;
        let payloads: Vec<Cow<'_, [u8]>> = framing::extended_payloads(&buffer)?
            .into_iter()
            .map(|(_, payload)| payload.into())
            .collect();
        Ok(read(&batch.decode(&payloads)?))
    }

    /// Executes one ROP, which has to succeed.
    pub fn rop(&mut self, rop: &Rop, handles: &[Handle]) -> Result<Answer> {
        let payload = framing::rop_buffer(rop.as_bytes(), handles);
        let buffer = self.execute_raw(&framing::extended_buffer(&payload, self.form))?;
        let mut buffers = framing::output_buffers(&buffer)?.into_iter();
        let first = buffers
            .next()
            .ok_or_else(|| Error::Malformed("no ROP output buffer".into()))?;
        let mut answer = Answer::parse(rop, &first.rops, first.handles)?;
        answer.chained = buffers.map(|payload| payload.rops).collect();
        Ok(answer)
    }

    /// Executes one ROP that opens an object, from `parent`. Its request has to have 0 as its input
    /// and 1 as its output handle index.
    fn open(&mut self, rop: &Rop, parent: Handle) -> Result<(Handle, Answer)> {
        let answer = self.rop(rop, &[parent, NO_HANDLE])?;
        Ok((answer.handle(1)?, answer))
    }

    /// RopRelease (MS-OXCROPS 2.2.15.3): there is no answer to it.
    pub fn release(&mut self, handle: Handle) -> Result<()> {
        let payload = self.execute(&[Rop::new(0x01, 0)], &[handle])?;
        if payload.rops.is_empty() {
            return Ok(());
        }
        Err(Error::Malformed(format!(
            "RopRelease was answered: {:02x?}",
            payload.rops
        )))
    }
}

fn one(mut payloads: Vec<Payload>) -> Result<Payload> {
    match (payloads.pop(), payloads.is_empty()) {
        (Some(payload), true) => Ok(payload),
        (last, _) => Err(Error::Malformed(format!(
            "{} ROP output buffers",
            payloads.len() + usize::from(last.is_some())
        ))),
    }
}

/// Reads StatusCode and ErrorCode, which have to be 0.
fn success(body: &[u8]) -> Result<Reader<'_>> {
    let mut input = Reader::new(body);
    let status_code = input.u32()?;
    if status_code != 0 {
        // MS-OXCMAPIHTTP 2.2.4.1.3 and its like: only an auxiliary buffer follows.
        return Err(Error::Request {
            status_code,
            error_code: 0,
        });
    }
    match input.u32()? {
        0 => Ok(input),
        error_code => Err(Error::Request {
            status_code,
            error_code,
        }),
    }
}

fn finish_with_aux(input: &mut Reader<'_>) -> Result<()> {
    let size = usize::try_from(input.u32()?).map_err(|_| Error::Malformed("a size".into()))?;
    let aux = input.bytes(size)?;
    input.finish()?;
    framing::extended_payloads(aux)?;
    Ok(())
}
