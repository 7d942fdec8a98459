//! HTML: a tokenizer that keeps the source of every token, character references, and plain text from
//! and to it.

pub mod entity;
pub mod from_text;
pub mod text;
pub mod token;
