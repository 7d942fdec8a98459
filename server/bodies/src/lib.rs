//! The body of a message from one of its forms to another: plain text, HTML, compressed RTF
//! (MS-OXCMSG 2.2.1.58, MS-OXRTFEX, MS-OXRTFCP).
//!
//! Text is UTF-16LE, as the store keeps it, so that what is no character comes through too. Nothing
//! here recurses, and what comes out never grows beyond what the caller allows: input is whatever a
//! client or a stranger's mail has put into a body.

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

pub mod code_page;
pub mod compressed;
mod html;
mod out;
mod rtf;
#[cfg(test)]
mod tests;

pub use html::{from_text::text_to_html, text::html_to_text};
pub use rtf::{
    Origin, deencapsulate::rtf_to_original_html, encapsulate::html_to_rtf, from_text::text_to_rtf,
    origin, to_html::rtf_to_html, to_text::rtf_to_text,
};

/// What a conversion made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Converted {
    /// Text as UTF-16LE, or RTF as bytes.
    pub bytes: Vec<u8>,
    /// False if it would have been longer than allowed, and ends before its end.
    pub complete: bool,
}

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not what it should be, or was damaged.
    #[error("not compressed RTF, or damaged")]
    Corrupt,
    /// It becomes longer than the caller takes.
    #[error("longer than is taken")]
    TooLarge,
}
