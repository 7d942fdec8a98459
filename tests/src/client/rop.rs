//! One ROP request, and the answer to it.

use ropewalk_wire::{Put as _, Reader};

use super::{Error, Result};

/// A ROP request under construction: the common prefix, then fields in the order of MS-OXCROPS 2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rop(Vec<u8>);

impl Rop {
    /// RopId, LogonId 0, and the handle index that stands third in almost every request.
    pub fn new(id: u8, index: u8) -> Self {
        Self(vec![id, 0, index])
    }

    /// Appends a u8.
    pub fn u8(mut self, value: u8) -> Self {
        self.0.put_u8(value);
        self
    }
    /// Appends a u16.
    pub fn u16(mut self, value: u16) -> Self {
        self.0.put_u16(value);
        self
    }
    /// Appends a u32.
    pub fn u32(mut self, value: u32) -> Self {
        self.0.put_u32(value);
        self
    }
    /// Appends a u64.
    pub fn u64(mut self, value: u64) -> Self {
        self.0.put_u64(value);
        self
    }
    /// Appends bytes as they are.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.put_bytes(bytes);
        self
    }
    /// Appends bytes behind their u16 length.
    pub fn sized(self, bytes: &[u8]) -> Self {
        self.u16(len(bytes)).bytes(bytes)
    }
    /// Appends a NUL-terminated 8-bit string.
    pub fn ascii_z(mut self, text: &str) -> Self {
        self.0.put_bytes(text.as_bytes());
        self.0.put_u8(0);
        self
    }
    /// Appends a NUL-terminated UTF-16LE string.
    pub fn utf16_z(mut self, text: &str) -> Self {
        text.encode_utf16().for_each(|unit| self.0.put_u16(unit));
        self.0.put_u16(0);
        self
    }
    /// Appends u32s behind their u16 count: property tags.
    pub fn tags(mut self, tags: &[u32]) -> Self {
        self.0.put_u16(len(tags));
        tags.iter().for_each(|tag| self.0.put_u32(*tag));
        self
    }
    /// Appends u64s behind their u16 count: message ids.
    pub fn ids(mut self, ids: &[u64]) -> Self {
        self.0.put_u16(len(ids));
        ids.iter().for_each(|id| self.0.put_u64(*id));
        self
    }

    /// Sets the LogonId.
    pub fn logon_id(mut self, logon_id: u8) -> Self {
        self.0[1] = logon_id;
        self
    }

    /// The RopId.
    pub fn id(&self) -> u8 {
        self.0[0]
    }

    /// The handle index that the response has to repeat (MS-OXCROPS 2.2): OutputHandleIndex for a
    /// ROP that opens something, which stands after InputHandleIndex except in RopLogon; else the
    /// byte after LogonId.
    fn echoed_index(&self) -> u8 {
        match self.id() {
            0x02..=0x06 | 0x1C | 0x21..=0x23 | 0x2B | 0x3B | 0x3E | 0x3F | 0x46 => self.0[3],
            _ => self.0[2],
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn len<T>(items: &[T]) -> u16 {
    u16::try_from(items.len()).expect("a counted field has at most 65,535 items")
}

/// ROPs one after another, as a RopsList.
pub fn concat(rops: &[Rop]) -> Vec<u8> {
    rops.iter().flat_map(|rop| &rop.0).copied().collect()
}

/// The successful answer to one ROP: its body and the handle table behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What follows ReturnValue.
    pub body: Vec<u8>,
    /// The server object handle table of the response.
    pub handles: Vec<u32>,
    /// The whole answers of further extended buffers, if the Chain flag was set.
    pub chained: Vec<Vec<u8>>,
}

impl Answer {
    /// Takes the only response of a buffer apart, and checks that it answers `rop`.
    pub(super) fn parse(rop: &Rop, rops: &[u8], handles: Vec<u32>) -> Result<Self> {
        let mut input = Reader::new(rops);
        let (id, index, code) = (input.u8()?, input.u8()?, input.u32()?);
        if (id, index) != (rop.id(), rop.echoed_index()) {
            return Err(Error::Malformed(format!(
                "RopId {id:#04x} with handle index {index} answers {rop:02x?}"
            )));
        }
        let body = input.take_rest().to_vec();
        // 0x00040380 (ErrorsReturned) and its like are warnings: the success body follows.
        if code == 0 || code >> 16 == 4 {
            return Ok(Self {
                body,
                handles,
                chained: Vec::new(),
            });
        }
        Err(Error::Rop { id, code, body })
    }

    /// Reads the body with `read`, which has to take all of it.
    pub fn read<'s, T>(
        &'s self,
        read: impl FnOnce(&mut Reader<'s>) -> Result<T, ropewalk_wire::DecodeError>,
    ) -> Result<T> {
        let mut input = Reader::new(&self.body);
        let value = read(&mut input)?;
        input.finish()?;
        Ok(value)
    }

    /// The body has to be empty.
    pub fn empty(&self) -> Result<()> {
        self.read(|_| Ok(()))
    }

    /// The handle at an index of the table.
    pub fn handle(&self, index: usize) -> Result<u32> {
        match self.handles.get(index) {
            Some(handle) if *handle != u32::MAX => Ok(*handle),
            _ => Err(Error::Malformed(format!(
                "no handle at {index} of {:x?}",
                self.handles
            ))),
        }
    }
}
