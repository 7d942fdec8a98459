//! A client that does things at random, with handles of all kinds.

use crate::{
    client::{Client, Error, Handle, Logon, NO_HANDLE, Rop, Value, tagged_values},
    fixture::{new_folder, tag, text},
};

const HANDLES: usize = 12;
/// Every so many rounds there is a logon and a folder among the handles again.
const RENEWAL: usize = 500;
const STRINGS: u32 = 0x7802_101F;
const TAGS: [u32; 9] = [
    tag::SUBJECT,
    tag::BODY,
    tag::HTML,
    0x7801_0102,
    STRINGS,
    tag::ATTACH_DATA_BINARY,
    tag::ATTACH_DATA_OBJECT,
    tag::DISPLAY_NAME,
    tag::MESSAGE_FLAGS,
];

/// The client, and what it knows.
pub struct Monkey {
    state: u64,
    /// Where it makes and opens messages.
    folder_id: u64,
    handles: [Handle; HANDLES],
    /// MIDs and FIDs that it has been told.
    ids: Vec<u64>,
}

impl Monkey {
    /// One that a seed decides, let loose in this folder.
    pub fn new(seed: u64, logon: &Logon, folder: Handle, folder_id: u64) -> Self {
        let mut handles = [NO_HANDLE; HANDLES];
        handles[0] = logon.handle;
        handles[1] = folder;
        Self {
            state: seed | 1,
            folder_id,
            handles,
            ids: vec![folder_id],
        }
    }

    /// Does so many things. Now and then it logs on again, which frees what it has opened, and
    /// calls `check` with its folder. Panics if the session ends.
    pub fn run(
        &mut self,
        client: &mut Client,
        rounds: usize,
        mut check: impl FnMut(&mut Client, Handle, u64),
    ) {
        for round in 0..rounds {
            if round % RENEWAL == RENEWAL - 1 {
                let folder = self.renew(client);
                check(client, folder, self.folder_id);
            }
            let rop = self.rop();
            match client.execute(std::slice::from_ref(&rop), &self.handles) {
                Ok(payload) => {
                    for (slot, handle) in self.handles.iter_mut().zip(payload.handles) {
                        *slot = handle;
                    }
                    self.learn(&payload.rops);
                }
                Err(Error::Request { .. }) => {}
                Err(error) => panic!("round {round}, {rop:02x?}: {error}"),
            }
        }
    }

    /// A new logon and its folder, or another if that was deleted.
    fn renew(&mut self, client: &mut Client) -> Handle {
        let logon = client.logon().expect("RopLogon");
        self.handles[0] = logon.handle;
        self.handles[1] = match client.open_folder(logon.handle, self.folder_id) {
            Ok(folder) => folder,
            Err(_) => {
                let (folder, folder_id) = new_folder(client, &logon);
                self.folder_id = folder_id;
                self.ids.push(folder_id);
                folder
            }
        };
        self.handles[1]
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % bound as u64) as usize
    }

    fn byte(&mut self, bound: usize) -> u8 {
        self.below(bound) as u8
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn id(&mut self) -> u64 {
        let at = self.below(self.ids.len());
        self.ids[at]
    }

    fn value(&mut self) -> (u32, Value) {
        match self.below(6) {
            0 => (tag::SUBJECT, text(&"Re: s".repeat(self.below(300)))),
            1 => (tag::BODY, text(&"b".repeat(self.below(9000)))),
            2 => (
                tag::MESSAGE_FLAGS,
                Value::Integer32(self.below(2000) as i32),
            ),
            3 => (tag::DISPLAY_NAME, text(&self.below(9).to_string())),
            4 => (
                tag::ATTACH_METHOD,
                Value::Integer32(self.one_of(&[1, 5, 6])),
            ),
            _ => (
                STRINGS,
                Value::MultipleString(vec!["a".into(); self.below(5)]),
            ),
        }
    }

    /// A complete ROP, on handles at random.
    fn rop(&mut self) -> Rop {
        // The first two handles are a logon and a folder, and are not overwritten.
        let input = self.byte(HANDLES);
        let output = 2 + self.byte(HANDLES - 2);
        match self.below(5) {
            0 => self.folder_rop(input, output),
            1 => self.table_rop(input),
            2 => self.message_rop(input, output),
            3 => self.property_rop(input, output),
            _ => self.attachment_rop(input, output),
        }
    }

    fn folder_rop(&mut self, input: u8, output: u8) -> Rop {
        match self.below(21) {
            // RopProgress: folders have no operation here that goes on.
            20 => Rop::new(0x50, input).u8(self.byte(2)),
            17 | 18 => {
                let subject_exists = [0x08, 0x1F, 0, 0x37, 0];
                Rop::new(0x30, input)
                    .sized(&subject_exists[..self.one_of(&[0, 5, 5])])
                    .ids(&[self.id(), self.id()][..self.below(3)])
                    .u32(self.one_of(&[0, 1, 4, 6, 0x4_0000, 0x4_0004]))
            }
            19 => Rop::new(0x31, input)
                .u8(self.byte(2))
                .u8(self.byte(2))
                .u8(self.byte(2)),
            10 => Rop::new(0x35, input)
                .u8(output)
                .u8(self.byte(2))
                .u8(1)
                .u64(self.id())
                .utf16_z(&self.below(5).to_string()),
            11 => Rop::new(0x36, input)
                .u8(output)
                .u8(self.byte(2))
                .u8(self.byte(2))
                .u8(1)
                .u64(self.id())
                .utf16_z(&self.below(5).to_string()),
            12 => Rop::new(0x58, input).u8(self.byte(2)).u8(self.byte(2)),
            13 => Rop::new(0x41, input).u8(self.byte(2)).u16(0),
            14 => Rop::new(0x3F, input).u8(output).u8(0x40),
            15 => Rop::new(0x05, 0).u8(output).u8(0x80),
            16 => Rop::new(0x39, input)
                .u8(output)
                .u8(self.byte(2))
                .u8(self.byte(2))
                .u8(self.byte(3))
                .tags(&[]),
            0 => Rop::new(0x01, output),
            1 => Rop::new(0x02, input).u8(output).u64(self.id()).u8(4),
            2 => Rop::new(0x04, input)
                .u8(output)
                .u8(self.one_of(&[0, 4, 0x20, 0x24])),
            3 | 4 => Rop::new(0x05, input)
                .u8(output)
                .u8(self.one_of(&[0, 2, 0x20, 0x22])),
            5 => Rop::new(0x1C, input)
                .u8(output)
                .u8(1 + self.byte(2))
                .u8(1)
                .u8(1)
                .u8(0)
                .utf16_z(&self.below(5).to_string())
                .utf16_z(""),
            6 => Rop::new(0x1D, input)
                .u8(self.one_of(&[0, 1, 4, 5, 0x15]))
                .u64(self.id()),
            7 => Rop::new(0x1E, input)
                .u8(self.byte(2))
                .u8(0)
                .ids(&[self.id()]),
            8 => Rop::new(0x33, input)
                .u8(output)
                .ids(&[self.id()])
                .u8(self.byte(2))
                .u8(self.byte(2)),
            _ => Rop::new(0x66, input)
                .u8(self.byte(2))
                .u8(self.one_of(&[0, 1, 5, 0x10]))
                .ids(&[self.id()]),
        }
    }

    fn table_rop(&mut self, input: u8) -> Rop {
        let subject_exists = [0x08, 0x1F, 0, 0x37, 0];
        match self.below(11) {
            8 => Rop::new(0x13, input)
                .u8(0)
                .u16(2)
                .u16(self.below(3) as u16)
                .u16(self.below(2) as u16)
                .u32(self.one_of(&[tag::SUBJECT, STRINGS | 0x2000, tag::MESSAGE_FLAGS]))
                .u8(self.byte(2))
                .u32(tag::MESSAGE_DELIVERY_TIME)
                .u8(self.one_of(&[0, 1, 4])),
            9 => Rop::new(0x1B, input),
            10 => Rop::new(0x37, input),
            0 | 1 => {
                let columns = [tag::MID, tag::SUBJECT, STRINGS | 0x2000, tag::DISPLAY_NAME];
                Rop::new(0x12, input)
                    .u8(0)
                    .tags(&columns[..1 + self.below(4)])
            }
            2 => Rop::new(0x13, input)
                .u8(0)
                .u16(1)
                .u16(0)
                .u16(0)
                .u32(self.one_of(&[tag::SUBJECT, STRINGS | 0x2000, tag::MESSAGE_FLAGS]))
                .u8(self.byte(2)),
            3 => Rop::new(0x14, input)
                .u8(0)
                .sized(&subject_exists[..self.one_of(&[0, 5])]),
            4 | 5 => Rop::new(0x15, input)
                .u8(self.byte(3))
                .u8(self.byte(2))
                .u16(self.below(50) as u16),
            6 => Rop::new(0x18, input)
                .u8(self.byte(4))
                .u32(self.below(20) as u32)
                .u8(1),
            _ => Rop::new(0x4F, input)
                .u8(self.byte(2))
                .sized(&subject_exists)
                .u8(self.byte(3))
                .sized(&[]),
        }
    }

    fn message_rop(&mut self, input: u8, output: u8) -> Rop {
        match self.below(10) {
            0 | 1 => {
                // One of them may be a search folder that has found it.
                let folders = [self.folder_id, self.folder_id, self.id()];
                Rop::new(0x03, input)
                    .u8(output)
                    .u16(0x0FFF)
                    .u64(self.one_of(&folders))
                    .u8(self.byte(6))
                    .u64(self.id())
            }
            2 | 3 => Rop::new(0x06, input)
                .u8(output)
                .u16(0x0FFF)
                .u64(self.folder_id)
                .u8(self.byte(2)),
            4 | 5 => Rop::new(0x0C, output).u8(input).u8(self.byte(16)),
            6 => Rop::new(0x0D, input).u32(0),
            7 => Rop::new(0x0F, input).u32(self.below(3) as u32).u16(0),
            8 => Rop::new(0x10, input).u16(0),
            _ => Rop::new(0x11, output)
                .u8(input)
                .u8(self.one_of(&[0, 1, 5, 0x10])),
        }
    }

    fn property_rop(&mut self, input: u8, output: u8) -> Rop {
        let tag = self.one_of(&TAGS);
        match self.below(14) {
            11 => Rop::new(0x3B, input).u8(output),
            12 => Rop::new(0x5B, input)
                .u64(self.below(9000) as u64)
                .u64(self.below(9000) as u64)
                .u32(u32::from(self.byte(2))),
            13 => Rop::new(0x5C, input).u64(0).u64(9).u32(0),
            0 => Rop::new(0x07, input)
                .u16(0)
                .u16(1)
                .tags(&[tag, tag & 0xFFFF_0000]),
            1 => Rop::new(0x08, input).u16(0).u16(1),
            2 => Rop::new(0x09, input),
            3 | 4 => Rop::new(0x0A, input).sized(&tagged_values(&[self.value()])),
            5 => Rop::new(0x0B, input).tags(&[tag]),
            6 => Rop::new(0x2B, input).u8(output).u32(tag).u8(self.byte(4)),
            7 => Rop::new(0x2C, input).u16(self.below(40_000) as u16),
            8 => Rop::new(0x2D, input).sized(&vec![7; self.below(9000)]),
            9 => Rop::new(0x2E, input)
                .u8(self.byte(3))
                .u64(self.below(100_000) as u64),
            _ => Rop::new(0x2F, input).u64(self.below(100_000) as u64),
        }
    }

    fn attachment_rop(&mut self, input: u8, output: u8) -> Rop {
        match self.below(7) {
            0 => Rop::new(0x21, input).u8(output).u8(0),
            1 => Rop::new(0x22, input)
                .u8(output)
                .u8(self.byte(4))
                .u32(self.below(3) as u32),
            2 => Rop::new(0x23, input).u8(output),
            3 => Rop::new(0x24, input).u32(self.below(3) as u32),
            4 => Rop::new(0x25, output).u8(input).u8(self.byte(3)),
            5 => Rop::new(0x46, input)
                .u8(output)
                .u16(0x0FFF)
                .u8(self.byte(4)),
            _ => Rop::new(0x5D, input),
        }
    }

    /// Remembers the id that a save or a new folder was told.
    fn learn(&mut self, rops: &[u8]) {
        let at = match rops {
            [0x0C, _, 0, 0, 0, 0, ..] => 7,
            [0x1C, _, 0, 0, 0, 0, ..] => 6,
            _ => return,
        };
        let mut id = [0; 8];
        id.copy_from_slice(&rops[at..at + 8]);
        let id = u64::from_le_bytes(id);
        if self.ids.len() < 300 {
            self.ids.push(id);
        } else {
            let at = self.below(300);
            self.ids[at] = id;
        }
    }
}
