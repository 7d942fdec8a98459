//! Autodiscover: where a user's mailbox and address book are (MS-OXDSCLI).
//!
//! [`answer`] is the XML service, `POST /autodiscover/autodiscover.xml`, for users who have
//! authenticated; [`json::answer`] the JSON one, which only says where the XML one is. Whoever may ask
//! at all may ask for every user: they are in one organization, and have one address book.

pub mod json;
mod request;
mod response;
#[cfg(test)]
mod tests;
pub mod urls;

use std::{sync::Arc, time::SystemTime};

use ropewalk_store::{Store, User};

use request::Subject;
use response::Failure;
use urls::Urls;

/// The Content-Type of an answer.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";
/// Bytes of a request body that are looked at; a larger one is an invalid request.
pub const BODY_MAX: usize = 64 << 10;

/// A request, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// The X-ClientCanHandle header (MS-OXDSCLI 2.2.2.3).
    pub client_can_handle: Option<&'a str>,
    /// The body; empty for a request without one, such as a GET, which Exchange answers with the
    /// same error.
    pub body: &'a [u8],
}

/// The answer to a request, an XML document, to be sent with status 200 (MS-OXDSCLI 3.2.5).
///
/// It always has the mapiHttp block. By MS-OXDSCLI 3.2.5.1 the X-MapiHttpCapability header decides
/// between that and the EXCH and EXPR blocks of MAPI over RPC, but there is nothing to choose from:
/// this server speaks MAPI over HTTP alone, and version 1 is the only one that a header can ask for.
pub fn answer(store: &Store, urls: &Urls, query: &Query<'_>, now: SystemTime) -> String {
    match find(store, query) {
        Ok(user) => response::settings(&user, store.store_guid(), urls, knows_ex_http_info(query)),
        Err(failure) => {
            tracing::debug!(?failure, "Autodiscover");
            response::error(failure, store.store_guid(), now)
        }
    }
}

/// The user that is asked for.
fn find(store: &Store, query: &Query<'_>) -> Result<Arc<User>, Failure> {
    let user = match request::parse(query.body)? {
        Subject::LegacyDn(dn) => store.user_by_legacy_dn(&dn),
        Subject::EmailAddress(email) => store.user_by_email(&email),
    };
    user.ok_or(Failure::NotFound)
}

/// Whether X-ClientCanHandle, a list, has `ExHttpInfo` (MS-OXDSCLI 2.2.2.3).
fn knows_ex_http_info(query: &Query<'_>) -> bool {
    query
        .client_can_handle
        .unwrap_or_default()
        .split(',')
        .any(|item| item.trim().eq_ignore_ascii_case("ExHttpInfo"))
}
