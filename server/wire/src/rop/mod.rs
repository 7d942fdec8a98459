//! Remote operations (MS-OXCROPS).
//!
//! [`Request`] and [`Response`] are one ROP each; what they are made of is in the modules below,
//! with fields in the specification's order and by its names. Everything that must know every ROP
//! is made from one table, so that none can be half there.

mod attachment;
mod buffer;
mod failure;
mod folder;
mod logon;
mod message;
mod notification;
mod permission_rule;
mod property;
mod request;
mod response;
mod server_only;
mod stream;
mod sync;
mod table;
mod table_of_rops;
mod transfer;
mod transport;

pub use attachment::*;
pub use buffer::*;
pub use failure::{Failure, put_failure};
pub use folder::*;
pub use logon::*;
pub use message::*;
pub use notification::*;
pub use permission_rule::*;
pub use property::*;
pub use request::{DecodeContext, Request, RequestBody};
pub use response::{Response, ResponseBody, put_response_header};
pub use server_only::*;
pub use stream::*;
pub use sync::*;
pub use table::*;
pub use transfer::*;
pub use transport::*;

use crate::codec::wire_struct;
use table_of_rops::for_each_rop;

/// Which remote operation (MS-OXCROPS 2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RopId(pub u8);

impl RopId {
    /// RopNotify (MS-OXCROPS 2.2.14.2). Sent by servers only.
    pub const NOTIFY: Self = Self(0x2A);
    /// RopPending (MS-OXCROPS 2.2.14.3). Sent by servers only.
    pub const PENDING: Self = Self(0x6E);
    /// RopBufferTooSmall (MS-OXCROPS 2.2.15.1). Sent by servers only.
    pub const BUFFER_TOO_SMALL: Self = Self(0xFF);
    /// RopBackoff (MS-OXCROPS 2.2.15.2). Sent by servers only.
    pub const BACKOFF: Self = Self(0xF9);
}

macro_rules! rop_ids {
    ($(
        $id:literal $constant:ident $name:ident $section:literal $index:ident
        $request:ident $(<$request_lifetime:lifetime>)?
        => $response:ident $(<$response_lifetime:lifetime>)?, $failure:ident;
    )*) => {
        impl RopId {
            $(
                #[doc = concat!("Rop", stringify!($name), " (MS-OXCROPS ", $section, ").")]
                pub const $constant: Self = Self($id);
            )*

            /// Every ROP that a client can send.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];

            /// The specification's name, such as `RopOpenFolder`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$constant => concat!("Rop", stringify!($name)),)*
                    Self::NOTIFY => "RopNotify",
                    Self::PENDING => "RopPending",
                    Self::BUFFER_TOO_SMALL => "RopBufferTooSmall",
                    Self::BACKOFF => "RopBackoff",
                    _ => "reserved RopId",
                }
            }

            /// The section of MS-OXCROPS about it; empty for a reserved RopId.
            pub const fn section(self) -> &'static str {
                match self {
                    $(Self::$constant => $section,)*
                    Self::NOTIFY => "2.2.14.2",
                    Self::PENDING => "2.2.14.3",
                    Self::BUFFER_TOO_SMALL => "2.2.15.1",
                    Self::BACKOFF => "2.2.15.2",
                    _ => "",
                }
            }
        }
    };
}
for_each_rop!(rop_ids);

impl std::fmt::Display for RopId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (0x{:02X})", self.name(), self.0)
    }
}

wire_struct! {
    /// The body of a request without fields.
    #[derive(Copy, Default)]
    EmptyRequest {}

    /// The body of a response without fields.
    #[derive(Copy, Default)]
    EmptyResponse {}

    /// The body of a request that only opens something: RopCreateAttachment, RopCloneStream,
    /// RopSynchronizationGetTransferState.
    #[derive(Copy, Default)]
    OpenOnlyRequest { output_handle_index: u8 }

    /// Opens a table: RopGetHierarchyTable, RopGetContentsTable, RopGetAttachmentTable,
    /// RopGetPermissionsTable, RopGetRulesTable.
    #[derive(Copy, Default)]
    GetTableRequest { output_handle_index: u8, table_flags: u8 }

    /// Whether a part of the operation failed. Sent with success and failure alike.
    #[derive(Copy, Default)]
    PartialCompletionResponse { partial_completion: bool }
}

#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod tests;
