//! The MAPI over HTTP wire formats: both halves, pure code without I/O.
//!
//! Everything that crosses the network is decoded and encoded here, and nothing is decided:
//! [`ext_buffer`] and [`lz77`] are the transport form of a RopBuffer, [`rop`] the remote operations
//! in it, [`value`], [`restriction`], [`recipient`] and their like the structures of MS-OXCDATA,
//! [`client`] what a client needs to speak them. Decoding borrows from its input, takes memory in
//! proportion to it and never panics.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

pub mod aux_buffer;
pub mod client;
pub mod codec;
pub mod cursor;
pub mod entry_id;
pub mod error;
pub mod ext_buffer;
pub mod globset;
pub mod ids;
pub mod list;
pub mod lz77;
pub mod mapihttp;
pub mod nspi;
pub mod property_name;
pub mod recipient;
pub mod restriction;
pub mod rop;
pub mod row;
pub mod rule;
pub mod sort;
pub mod value;

pub use cursor::{Put, Reader};
pub use error::{DecodeError, EncodeError, ErrorCode};
pub use ids::{Fid, LongTermId, Mid};
