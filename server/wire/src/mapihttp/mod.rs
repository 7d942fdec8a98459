//! MAPI over HTTP: request types, the bodies of the mailbox endpoint, and the lines around a body
//! (MS-OXCMAPIHTTP 2.2).

mod body;
pub mod framing;
mod request_type;
mod response_code;
#[cfg(test)]
mod tests;

pub use body::{
    ConnectRequest, ConnectSuccess, DisconnectRequest, DisconnectSuccess, ExecuteRequest,
    ExecuteSuccess, Failure, NotificationWaitRequest, NotificationWaitSuccess, PingRequest,
    PingSuccess, Response, connect_flags, decode_body, execute_flags,
};
pub use request_type::{Endpoint, RequestType};
pub use response_code::ResponseCode;
