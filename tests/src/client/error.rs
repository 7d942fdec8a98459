//! What can go wrong with a request.

use ropewalk_wire::DecodeError;

/// What can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection.
    #[error("the connection: {0}")]
    Io(#[from] std::io::Error),
    /// An HTTP status that is not 200.
    #[error("HTTP status {status}: {body}")]
    Http {
        /// The status.
        status: u16,
        /// The body, as text.
        body: String,
    },
    /// An X-ResponseCode that is not 0 (MS-OXCMAPIHTTP 2.2.3.3.3).
    #[error("X-ResponseCode {code}: {text}")]
    ResponseCode {
        /// The code.
        code: u32,
        /// The body, as text.
        text: String,
    },
    /// A request type that failed as a whole.
    #[error("StatusCode {status_code:#010x}, ErrorCode {error_code:#010x}")]
    Request {
        /// StatusCode.
        status_code: u32,
        /// ErrorCode; 0 if there is none.
        error_code: u32,
    },
    /// A ROP that failed.
    #[error("RopId {id:#04x} answers {code:#010x}")]
    Rop {
        /// RopId.
        id: u8,
        /// ReturnValue.
        code: u32,
        /// What follows ReturnValue.
        body: Vec<u8>,
    },
    /// A response that is not what the specification says.
    #[error("a malformed response: {0}")]
    Malformed(String),
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl Error {
    /// The ReturnValue of the ROP that failed, or the ErrorCode or StatusCode of the request;
    /// panics for every other error.
    pub fn code(&self) -> u32 {
        match self {
            Self::Rop { code, .. } => *code,
            Self::Request {
                status_code: 0,
                error_code,
            } => *error_code,
            Self::Request { status_code, .. } => *status_code,
            other => panic!("no code in: {other}"),
        }
    }
}

/// What most methods return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
