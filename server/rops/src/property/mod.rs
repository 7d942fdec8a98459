//! The property ROPs, on any object that has properties (MS-OXCPRPT).

pub mod copy;
pub mod copy_folder;
pub mod copy_parts;
pub mod identity;
pub mod logon;
pub mod named;
pub mod read;
pub mod row;
#[cfg(test)]
mod tests;
pub mod value;
pub mod write;
