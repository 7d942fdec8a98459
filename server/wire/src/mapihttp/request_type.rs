//! X-RequestType (MS-OXCMAPIHTTP 2.2.3.3.1).

use crate::nspi;

/// One of the two endpoints (MS-OXCMAPIHTTP 2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/mapi/emsmdb`.
    Mailbox,
    /// `/mapi/nspi`.
    AddressBook,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The request types have the names of the specification.
pub enum RequestType {
    Connect,
    Execute,
    Disconnect,
    NotificationWait,
    Ping,
    AddressBook(nspi::RequestType),
}

impl RequestType {
    /// The request types that are not the address book's alone.
    const OTHERS: [Self; 5] = [
        Self::Connect,
        Self::Execute,
        Self::Disconnect,
        Self::NotificationWait,
        Self::Ping,
    ];

    /// The name in the X-RequestType header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "Connect",
            Self::Execute => "Execute",
            Self::Disconnect => "Disconnect",
            Self::NotificationWait => "NotificationWait",
            Self::Ping => "PING",
            Self::AddressBook(request_type) => request_type.name(),
        }
    }

    /// Whether the endpoint has this request type.
    pub fn is_of(self, endpoint: Endpoint) -> bool {
        match self {
            Self::Ping => true,
            Self::AddressBook(_) => endpoint == Endpoint::AddressBook,
            _ => endpoint == Endpoint::Mailbox,
        }
    }

    /// The request type of an X-RequestType header, whatever the case of its letters.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::OTHERS
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
            .or_else(|| nspi::RequestType::from_name(name).map(Self::AddressBook))
    }
}
