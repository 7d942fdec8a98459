//! The address book: the server's users over MAPI/HTTP (MS-OXCMAPIHTTP 2.2.5, MS-OXNSPI 3.1.4).
//!
//! One container, the Global Address List, with one row per user. Nothing is kept between requests:
//! the STAT that a client sends says where it stands, and Minimal Entry IDs are the store's.

mod book;
mod code_page;
mod container;
mod filter;
mod names;
mod objects;
mod position;
mod property;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use ropewalk_store::{Store, User};
use ropewalk_wire::{
    DecodeError, EncodeError, ErrorCode,
    codec::Wire,
    nspi::{Request, RequestBody, RequestType, Response, Stat},
};

use crate::autodiscover::urls::Urls;
use property::View;

/// NspiGetProps and NspiQueryRows, dwFlags: EphemeralEntryIDs, please (MS-OXNSPI 2.2.1.11).
const F_EPH_ID: u32 = 0x0000_0002;
/// The one container, the Global Address List (MS-OXNSPI 2.2.8, ContainerID).
const GLOBAL_ADDRESS_LIST: u32 = 0;
/// The most columns in a request; TableTooBig beyond. Bounds a row to about a megabyte.
const COLUMNS_MAX: usize = 1024;

/// What a request is answered from.
#[derive(Clone, Copy, Debug)]
pub struct NspiContext<'a> {
    /// The store whose users are the address book.
    pub store: &'a Store,
    /// Who asks.
    pub user: &'a User,
    /// Where clients are sent to.
    pub urls: &'a Urls,
}

/// The body was not one of its request type: X-ResponseCode 12, Invalid Request Body
/// (MS-OXCMAPIHTTP 2.2.3.3.3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {} request body is malformed: {source}", request_type.name())]
pub struct BodyError {
    /// The request type.
    pub request_type: RequestType,
    /// What is wrong.
    pub source: DecodeError,
}

/// Answers a request: appends the response body to `out` and returns the ErrorCode in it. A Bind
/// made a session exactly if that is Success.
pub fn respond(
    context: &NspiContext<'_>,
    request_type: RequestType,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<ErrorCode, BodyError> {
    let request = Request::decode(request_type, body).map_err(|source| BodyError {
        request_type,
        source,
    })?;
    let start = out.len();
    let answered = dispatch(context, &request, out).or_else(|error| {
        tracing::error!(request = request_type.name(), %error, "no answer could be encoded");
        out.truncate(start);
        failed(ErrorCode::GENERAL_FAILURE, out)
    });
    Ok(answered.unwrap_or(ErrorCode::GENERAL_FAILURE))
}

fn dispatch(
    context: &NspiContext<'_>,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Result<ErrorCode, EncodeError> {
    macro_rules! run {
        ($handler:expr, $request:expr) => {
            run(context, $request, out, $handler)
        };
    }
    match request {
        Request::Bind(request) => run!(objects::bind, request),
        Request::Unbind(request) => run!(objects::unbind, request),
        Request::CompareMIds(request) => run!(table::compare_mids, request),
        Request::DnToMId(request) => run!(objects::dn_to_mid, request),
        Request::GetMatches(request) => run!(table::get_matches, request),
        Request::GetPropList(request) => run!(objects::get_prop_list, request),
        Request::GetProps(request) => run!(objects::get_props, request),
        Request::GetSpecialTable(request) => run!(container::get_special_table, request),
        Request::GetTemplateInfo(request) => run!(container::get_template_info, request),
        Request::ModLinkAtt(request) => run!(objects::mod_link_att, request),
        Request::ModProps(request) => run!(objects::mod_props, request),
        Request::QueryRows(request) => run!(table::query_rows, request),
        Request::QueryColumns(request) => run!(objects::query_columns, request),
        Request::ResolveNames(request) => run!(objects::resolve_names, request),
        Request::ResortRestriction(request) => run!(table::resort_restriction, request),
        Request::SeekEntries(request) => run!(table::seek_entries, request),
        Request::UpdateStat(request) => run!(table::update_stat, request),
        Request::GetMailboxUrl(request) => run!(objects::get_mailbox_url, request),
        Request::GetAddressBookUrl(request) => run!(objects::get_address_book_url, request),
    }
}

/// Why a handler did not answer with a success body.
enum Fault {
    /// This ErrorCode, and nothing in the optional parts of the body.
    Code(ErrorCode),
    /// The answer has no wire form.
    Encode(EncodeError),
}

impl From<ErrorCode> for Fault {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<EncodeError> for Fault {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

/// What a handler returns once it has appended its answer.
type Answer = Result<ErrorCode, Fault>;

fn run<'a, R: RequestBody<'a>>(
    context: &NspiContext<'_>,
    request: &R,
    out: &mut Vec<u8>,
    handler: impl FnOnce(&NspiContext<'_>, &R, &mut Vec<u8>) -> Answer,
) -> Result<ErrorCode, EncodeError> {
    match handler(context, request, out) {
        Ok(code) => Ok(code),
        Err(Fault::Encode(error)) => Err(error),
        Err(Fault::Code(code)) => {
            tracing::debug!(request = R::REQUEST_TYPE.name(), %code, "refused");
            done(code, R::Response::default(), out)
        }
    }
}

/// Appends an answer with Success.
fn reply<'r, B: Wire<'r>>(body: B, out: &mut Vec<u8>) -> Answer {
    Ok(done(ErrorCode(0), body, out)?)
}

/// Appends an answer.
fn done<'r, B: Wire<'r>>(
    error_code: ErrorCode,
    body: B,
    out: &mut Vec<u8>,
) -> Result<ErrorCode, EncodeError> {
    let response = Response::Done {
        error_code,
        body,
        auxiliary_buffer: Default::default(),
    };
    response.encode(out)?;
    Ok(error_code)
}

fn failed(status_code: ErrorCode, out: &mut Vec<u8>) -> Result<ErrorCode, EncodeError> {
    let response: Response<'_, u32> = Response::Failed {
        status_code: status_code.0,
        auxiliary_buffer: Default::default(),
    };
    response.encode(out)?;
    Ok(status_code)
}

/// The STAT that most request types cannot do without.
fn required(state: Option<Stat>) -> Result<Stat, ErrorCode> {
    state.ok_or(ErrorCode::INVALID_PARAMETER)
}

/// InvalidBookmark unless the STAT is of the Global Address List.
fn in_container(stat: &Stat) -> Result<(), ErrorCode> {
    match stat.container_id {
        GLOBAL_ADDRESS_LIST => Ok(()),
        _ => Err(ErrorCode::INVALID_BOOKMARK),
    }
}

impl NspiContext<'_> {
    /// How values are given out to a client with this code page.
    fn view(&self, code_page: code_page::CodePage, ephemeral: bool) -> View {
        View {
            server_guid: self.store.store_guid(),
            code_page,
            ephemeral,
        }
    }
}
