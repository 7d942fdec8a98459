//! Stream ROPs (MS-OXCPRPT 2.2.14 to 2.2.23).

use ropewalk_wire::Reader;

use super::{Client, Error, Handle, Result, Rop};

/// The most that [`Client::write_all`] puts into one RopWriteStream.
const WRITE_MAX: usize = 0x7000;

impl Client {
    /// RopOpenStream (MS-OXCROPS 2.2.9.1): the stream and its StreamSize. `mode` is 0 to read, 1 to
    /// read and write, 2 to create, 3 the best there is.
    pub fn open_stream(&mut self, object: Handle, tag: u32, mode: u8) -> Result<(Handle, u32)> {
        let rop = Rop::new(0x2B, 0).u8(1).u32(tag).u8(mode);
        let (handle, answer) = self.open(&rop, object)?;
        Ok((handle, answer.read(Reader::u32)?))
    }

    /// RopReadStream (2.2.9.2), with MaximumByteCount if there is one.
    pub fn read_stream_once(
        &mut self,
        stream: Handle,
        byte_count: u16,
        maximum: Option<u32>,
    ) -> Result<Vec<u8>> {
        let mut rop = Rop::new(0x2C, 0).u16(byte_count);
        if let Some(maximum) = maximum {
            rop = rop.u32(maximum);
        }
        let answer = self.rop(&rop, &[stream])?;
        let mut data = answer.read(|input| {
            let size = input.u16()?;
            Ok(input.bytes(usize::from(size))?.to_vec())
        })?;
        for more in &answer.chained {
            // RopId, InputHandleIndex and ReturnValue, then what the first response has.
            let mut input = Reader::new(more);
            let (id, _, code) = (input.u8()?, input.u8()?, input.u32()?);
            let size = input.u16()?;
            data.extend(input.bytes(usize::from(size))?);
            input.finish()?;
            if (id, code) != (0x2C, 0) {
                return Err(Error::Malformed(format!("chained: {more:02x?}")));
            }
        }
        Ok(data)
    }

    /// RopReadStream until the stream ends.
    pub fn read_stream(&mut self, stream: Handle) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let mut data = self.read_stream_once(stream, 0x7000, None)?;
            if data.is_empty() {
                return Ok(all);
            }
            all.append(&mut data);
        }
    }

    /// The whole value of a property, through a stream that is released again.
    pub fn read_property_stream(&mut self, object: Handle, tag: u32) -> Result<Vec<u8>> {
        let (stream, size) = self.open_stream(object, tag, 0)?;
        let data = self.read_stream(stream)?;
        self.release(stream)?;
        if data.len() as u64 == u64::from(size) {
            Ok(data)
        } else {
            Err(Error::Malformed(format!(
                "StreamSize {size} for {} bytes",
                data.len()
            )))
        }
    }

    /// RopWriteStream (2.2.9.3): WrittenSize.
    pub fn write_stream(&mut self, stream: Handle, data: &[u8]) -> Result<u16> {
        self.rop(&Rop::new(0x2D, 0).sized(data), &[stream])?
            .read(Reader::u16)
    }

    /// RopWriteStream as often as `data` needs it.
    pub fn write_all(&mut self, stream: Handle, data: &[u8]) -> Result<()> {
        for part in data.chunks(WRITE_MAX) {
            let written = self.write_stream(stream, part)?;
            if usize::from(written) != part.len() {
                return Err(Error::Malformed(format!(
                    "WrittenSize {written} for {} bytes",
                    part.len()
                )));
            }
        }
        Ok(())
    }

    /// Sets a property through a new stream, which is committed and released.
    pub fn write_property_stream(&mut self, object: Handle, tag: u32, data: &[u8]) -> Result<()> {
        let (stream, _) = self.open_stream(object, tag, 2)?;
        self.write_all(stream, data)?;
        self.commit_stream(stream)?;
        self.release(stream)
    }

    /// RopCommitStream (2.2.9.5).
    pub fn commit_stream(&mut self, stream: Handle) -> Result<()> {
        self.rop(&Rop::new(0x5D, 0), &[stream])?.empty()
    }

    /// RopGetStreamSize (2.2.9.6).
    pub fn stream_size(&mut self, stream: Handle) -> Result<u32> {
        self.rop(&Rop::new(0x5E, 0), &[stream])?.read(Reader::u32)
    }

    /// RopSetStreamSize (2.2.9.7).
    pub fn set_stream_size(&mut self, stream: Handle, size: u64) -> Result<()> {
        self.rop(&Rop::new(0x2F, 0).u64(size), &[stream])?.empty()
    }

    /// RopSeekStream (2.2.9.8): NewPosition. `origin` is 0 the beginning, 1 the current position, 2
    /// the end.
    pub fn seek_stream(&mut self, stream: Handle, origin: u8, offset: i64) -> Result<u64> {
        let rop = Rop::new(0x2E, 0).u8(origin).u64(offset.cast_unsigned());
        self.rop(&rop, &[stream])?.read(Reader::u64)
    }
}
