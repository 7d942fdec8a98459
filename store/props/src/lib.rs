//! The MAPI property model: what a property is, before any protocol or any disk.
//!
//! [`PropTag`] names a property, [`PropValue`] owns a value, [`ValueRef`] borrows one in its packed
//! form, and [`Bag`] holds an object's properties sorted by id. Packed values are laid out so that
//! writing one to the wire is a copy: integers little-endian, strings UTF-16LE (MS-OXCDATA 2.11).

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

pub mod bag;
pub mod guid;
pub mod ids;
pub mod named;
pub mod tag;
pub mod text;
pub mod time;
pub mod value;

pub use bag::{ArchivedBag, Bag, BagView, BlobRef, Slot};
pub use guid::Guid;
pub use ids::GlobCnt;
pub use named::{NamedTag, PropertyName};
pub use tag::{PropTag, PropType};
pub use text::Utf16Text;
pub use time::FileTime;
pub use value::{PropValue, ValueRef};

/// Every tagged property of MS-OXPROPS, under its own name in Rust case.
pub mod tags {
    use crate::PropTag;
    include!(concat!(env!("OUT_DIR"), "/tags.rs"));
}

/// Every named property of MS-OXPROPS, with its property set and type.
pub mod named_tags {
    use crate::{Guid, NamedTag, PropType};
    include!(concat!(env!("OUT_DIR"), "/named.rs"));
}
