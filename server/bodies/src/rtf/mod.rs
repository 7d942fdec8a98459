//! RTF: a tokenizer, a reader that keeps track of groups, code pages and formatting, and what it is
//! read for.

pub mod deencapsulate;
pub mod encapsulate;
pub mod from_text;
pub mod reader;
pub mod to_html;
pub mod to_text;
pub mod token;

use self::token::{Token, tokens};

/// What a document was made from (MS-OXRTFEX 2.1.3.1.1, 2.1.3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// HTML, which is in it.
    Html,
    /// Plain text.
    Text,
    /// It was written as RTF.
    Rtf,
}

/// What a document was made from, which it says among its first tokens (MS-OXRTFEX 2.2.3.1).
pub fn origin(rtf: &[u8]) -> Origin {
    /// Tokens of the header that are looked at.
    const LOOKED_AT: usize = 10;
    for (index, token) in tokens(rtf).take(LOOKED_AT).enumerate() {
        match (index, token) {
            (0, Token::Open) => {}
            (
                1,
                Token::Word {
                    name: b"rtf",
                    param: Some(1),
                },
            ) => {}
            // It is no RTF document.
            (0 | 1, _) => break,
            // MS-OXRTFEX 2.1.3.1.1: in no other form.
            (
                _,
                Token::Word {
                    name: b"fromhtml",
                    param: Some(1),
                },
            ) => return Origin::Html,
            (
                _,
                Token::Word {
                    name: b"fromtext", ..
                },
            ) => return Origin::Text,
            (_, Token::Open | Token::Word { .. }) => {}
            // The header has ended.
            _ => break,
        }
    }
    Origin::Rtf
}
