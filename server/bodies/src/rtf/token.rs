//! RTF cut into groups, control words and text (MSFT-RTF, "RTF Syntax").

/// A piece of RTF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// The start of a group.
    Open,
    /// The end of a group.
    Close,
    /// A control word with its parameter.
    Word {
        /// Its letters.
        name: &'a [u8],
        /// Its number.
        param: Option<i32>,
    },
    /// A control symbol.
    Symbol(u8),
    /// A byte written as two hexadecimal digits.
    Byte(u8),
    /// Text as it stands there.
    Text(&'a [u8]),
}

/// The tokens of RTF. Line ends between them mean nothing, nor does what `\bin` says is binary.
pub struct Tokens<'a> {
    rest: &'a [u8],
}

/// Cuts RTF up.
pub fn tokens(rtf: &[u8]) -> Tokens<'_> {
    Tokens { rest: rtf }
}

impl<'a> Tokens<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// What is behind a backslash.
    fn control(&mut self) -> Option<Token<'a>> {
        let (first, after) = self.rest.split_first()?;
        if first.is_ascii_alphabetic() {
            return Some(self.word());
        }
        self.rest = after;
        Some(match first {
            b'\'' => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let value = (after.first_chunk::<2>())
                    .and_then(|[high, low]| Some(digit(high)? * 16 + digit(low)?));
                match value {
                    Some(value) => {
                        self.take(2);
                        Token::Byte(value as u8)
                    }
                    None => Token::Symbol(b'\''),
                }
            }
            b'\r' | b'\n' => {
                if *first == b'\r' && after.first() == Some(&b'\n') {
                    self.take(1);
                }
                Token::Word {
                    name: b"par",
                    param: None,
                }
            }
            symbol => Token::Symbol(*symbol),
        })
    }

    fn word(&mut self) -> Token<'a> {
        let not = |test: fn(&u8) -> bool| move |byte: &u8| !test(byte);
        let len = self.rest.iter().position(not(u8::is_ascii_alphabetic));
        let name = self.take(len.unwrap_or(self.rest.len()));
        let negative = matches!(self.rest, [b'-', digit, ..] if digit.is_ascii_digit());
        let digits = self.rest.get(usize::from(negative)..).unwrap_or_default();
        let len = digits.iter().position(not(u8::is_ascii_digit));
        let digits = digits
            .get(..len.unwrap_or(digits.len()))
            .unwrap_or_default();
        let mut param = None;
        if !digits.is_empty() {
            let value = digits.iter().fold(0_i32, |value, digit| {
                value
                    .saturating_mul(10)
                    .saturating_add(i32::from(digit - b'0'))
            });
            param = Some(if negative { -value } else { value });
            self.take(digits.len() + usize::from(negative));
        }
        if self.rest.first() == Some(&b' ') {
            self.take(1);
        }
        if name == b"bin" {
            self.take(usize::try_from(param.unwrap_or(0)).unwrap_or(0));
        }
        Token::Word { name, param }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (first, after) = self.rest.split_first()?;
            match first {
                b'{' => {
                    self.rest = after;
                    return Some(Token::Open);
                }
                b'}' => {
                    self.rest = after;
                    return Some(Token::Close);
                }
                b'\\' => {
                    self.rest = after;
                    return self.control();
                }
                b'\r' | b'\n' | 0 => self.rest = after,
                _ => {
                    let ends = |byte: &u8| matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0);
                    let end = self.rest.iter().position(ends);
                    return Some(Token::Text(self.take(end.unwrap_or(self.rest.len()))));
                }
            }
        }
    }
}
