//! What a conversion writes to, with a bound.

use crate::Converted;

/// Bytes up to a limit; what comes after it is dropped.
#[derive(Debug)]
pub struct Out {
    bytes: Vec<u8>,
    max: usize,
    full: bool,
}

impl Out {
    /// Takes at most `max` bytes.
    pub fn new(max: usize, expected: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(expected.min(max)),
            max,
            full: false,
        }
    }

    /// True once something was dropped.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// What was written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes as they are; all or none of them.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.full || bytes.len() > self.max - self.bytes.len() {
            self.full = true;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// A UTF-16 code unit.
    pub fn unit(&mut self, unit: u16) {
        self.bytes(&unit.to_le_bytes());
    }

    /// Text as UTF-16LE.
    pub fn text(&mut self, text: &str) {
        if self.full {
            return;
        }
        let left = self.max - self.bytes.len();
        if text.len().saturating_mul(2) <= left {
            // It has no more units than bytes.
            self.bytes.reserve(text.len() * 2);
            if text.is_ascii() {
                self.bytes.extend(text.bytes().flat_map(|byte| [byte, 0]));
            } else {
                self.bytes
                    .extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            }
            return;
        }
        for unit in text.encode_utf16() {
            self.unit(unit);
        }
    }

    /// What was made of it.
    pub fn finish(self) -> Converted {
        Converted {
            complete: !self.full,
            bytes: self.bytes,
        }
    }
}
