//! X-ResponseCode (MS-OXCMAPIHTTP 2.2.3.3.3).

/// How the transport fared with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ResponseCode {
    /// The request was executed; its body says with what result.
    Success = 0,
    /// Something went wrong that no other code tells.
    UnknownFailure = 1,
    /// Not a POST.
    InvalidVerb = 2,
    /// No endpoint has this path.
    InvalidPath = 3,
    /// A header has a value that it cannot have.
    InvalidHeader = 4,
    /// X-RequestType names nothing that this endpoint has.
    InvalidRequestType = 5,
    /// A cookie that this server did not make.
    InvalidContextCookie = 6,
    /// A header is missing.
    MissingHeader = 7,
    /// Authentication is required.
    AnonymousNotAllowed = 8,
    /// The request is too large.
    TooLarge = 9,
    /// No such session context.
    ContextNotFound = 10,
    /// The user may not do this.
    NoPrivilege = 11,
    /// The body cannot be parsed.
    InvalidRequestBody = 12,
    /// A cookie is missing.
    MissingCookie = 13,
    /// Reserved.
    Reserved = 14,
    /// Not the next request of the session context.
    InvalidSequence = 15,
    /// The endpoint is disabled.
    EndpointDisabled = 16,
    /// The response cannot be sent.
    InvalidResponse = 17,
    /// The endpoint is shutting down.
    EndpointShuttingDown = 18,
}

impl ResponseCode {
    /// Every code, in order.
    pub const ALL: [Self; 19] = [
        Self::Success,
        Self::UnknownFailure,
        Self::InvalidVerb,
        Self::InvalidPath,
        Self::InvalidHeader,
        Self::InvalidRequestType,
        Self::InvalidContextCookie,
        Self::MissingHeader,
        Self::AnonymousNotAllowed,
        Self::TooLarge,
        Self::ContextNotFound,
        Self::NoPrivilege,
        Self::InvalidRequestBody,
        Self::MissingCookie,
        Self::Reserved,
        Self::InvalidSequence,
        Self::EndpointDisabled,
        Self::InvalidResponse,
        Self::EndpointShuttingDown,
    ];

    /// The number in the header.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The code of a header's value; `None` if there is no such code.
    pub fn from_header(value: &str) -> Option<Self> {
        let number: usize = value.trim().parse().ok()?;
        Self::ALL.get(number).copied()
    }
}
