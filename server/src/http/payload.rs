//! What a session context keeps between requests.

use ropewalk_rops::RopContext;

/// The state of an endpoint.
pub enum Payload {
    /// The mailbox endpoint: logons and Server objects.
    Mailbox(Box<RopContext>),
    /// The address book endpoint, which has everything in each request.
    AddressBook,
}
