//! Session contexts (MS-OXCMAPIHTTP 3.2.1): made by Connect and Bind, found again by a cookie, used
//! by one request at a time, gone after Disconnect, Unbind or a while without requests.

mod clock;
mod context;
mod cookie;
mod memory;
mod table;
#[cfg(test)]
mod tests;

pub use clock::{Clock, SystemClock};
pub use context::{Context, Turn, Wait};
pub use cookie::{ContextId, Cookies, Presented, sequence_text};
/// Names of the cookies.
pub mod cookie_names {
    pub use super::cookie::{CONTEXT, SEQUENCE};
}
pub use memory::Memory;
pub use table::{Limits, Sessions, TooMany};
