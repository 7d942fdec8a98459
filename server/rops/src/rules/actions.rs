//! The actions of a standard rule, as far as it takes to tell that they are some (MS-OXORULE 2.2.5).

use ropewalk_props::PropValue;
use ropewalk_wire::{
    ErrorCode, Put, Reader,
    value::{Form, TaggedPropertyValue},
};

/// ActionType (2.2.5.1).
mod action {
    pub const MOVE: u8 = 0x01;
    pub const COPY: u8 = 0x02;
    pub const REPLY: u8 = 0x03;
    pub const OOF_REPLY: u8 = 0x04;
    pub const DEFER_ACTION: u8 = 0x05;
    pub const BOUNCE: u8 = 0x06;
    pub const FORWARD: u8 = 0x07;
    pub const DELEGATE: u8 = 0x08;
    pub const TAG: u8 = 0x09;
    pub const DELETE: u8 = 0x0A;
    pub const MARK_AS_READ: u8 = 0x0B;
}

/// ActionFlavor of OP_REPLY and OP_OOF_REPLY (2.2.5.1.1): do not send to the sender, server template. None
/// of them goes with another.
const REPLY_FLAVORS: [u32; 3] = [0, 1, 2];
/// ActionFlavor of OP_FORWARD: as an attachment, as a text message. They go with nothing else; the bits
/// beyond those that are known are ignored.
const FORWARD_ALONE: [u32; 2] = [4, 8];
const FORWARD_KNOWN: u32 = 0x0F;

/// BounceCode (2.2.5.1.2.5): too large, cannot be displayed, denied.
const BOUNCE_CODES: [u32; 3] = [0x0000_000D, 0x0000_001F, 0x0000_0026];

/// Bytes of an OP_REPLY's ActionData: the template's FID and MID, and its GUID (2.2.5.1.2.2).
const REPLY_LEN: usize = 8 + 8 + 16;

/// Where a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a folder of a private mailbox.
    Private,
    /// In a public folder, where some actions are not possible.
    Public,
}

/// Reads a RuleAction in the form of a standard rule. `ecInvalidParam` for one without actions, for an
/// action that there is not, or not there, and for one whose data are not what it needs (3.2.5.2:
/// incorrect data is answered with an error).
pub fn check(data: &[u8], place: Place) -> Result<(), ErrorCode> {
    let mut input = Reader::new(data);
    let count = input.u16().map_err(|_| INVALID)?;
    for _ in 0..count {
        let len = input.u16().map_err(|_| INVALID)?;
        let block = input.bytes(len.into()).map_err(|_| INVALID)?;
        let (&kind, rest) = block.split_first().ok_or(INVALID)?;
        let (flavor, _) = rest.split_first_chunk().ok_or(INVALID)?;
        if !is_possible(kind, u32::from_le_bytes(*flavor), place) {
            return Err(INVALID);
        }
    }
    if count == 0 || !input.is_empty() {
        return Err(INVALID);
    }
    with_values(data, &|value| value).map(drop)
}

/// Whether an action with this flavor can be there.
fn is_possible(kind: u8, flavor: u32, place: Place) -> bool {
    let is_private = place == Place::Private;
    match kind {
        action::MOVE | action::COPY | action::DEFER_ACTION => is_private && flavor == 0,
        action::REPLY | action::OOF_REPLY => REPLY_FLAVORS.contains(&flavor),
        action::FORWARD => {
            let known = flavor & FORWARD_KNOWN;
            FORWARD_ALONE
                .iter()
                .all(|bit| known & bit == 0 || known == *bit)
        }
        action::BOUNCE | action::DELEGATE | action::TAG | action::DELETE | action::MARK_AS_READ => {
            flavor == 0
        }
        _ => false,
    }
}

const INVALID: ErrorCode = ErrorCode::INVALID_PARAM;

/// A RuleAction with other values in the places where actions have properties: those of recipients, and
/// the one of OP_TAG. `ecInvalidParam` for one whose data are not what its actions need, and if it is too
/// long then.
pub fn with_values(
    data: &[u8],
    convert: &dyn Fn(PropValue) -> PropValue,
) -> Result<Vec<u8>, ErrorCode> {
    let mut input = Reader::new(data);
    let mut out = Vec::with_capacity(data.len());
    let count = input.u16().map_err(|_| INVALID)?;
    out.put_u16(count);
    for _ in 0..count {
        let len = input.u16().map_err(|_| INVALID)?;
        let block = input.bytes(len.into()).map_err(|_| INVALID)?;
        let start = out.len();
        out.put_u16(0);
        let mut copy = Copying {
            input: Reader::new(block),
            out: &mut out,
            convert,
        };
        copy.block().ok_or(INVALID)?;
        let len = u16::try_from(out.len() - start - 2).map_err(|_| INVALID)?;
        if let Some(place) = out.get_mut(start..start + 2) {
            place.copy_from_slice(&len.to_le_bytes());
        }
    }
    Ok(out)
}

/// An ActionBlock on its way from one buffer to another.
struct Copying<'a, 'o> {
    input: Reader<'a>,
    out: &'o mut Vec<u8>,
    convert: &'o dyn Fn(PropValue) -> PropValue,
}

impl Copying<'_, '_> {
    /// All of it, without its length (2.2.5.1); `None` if its data are not what it needs.
    fn block(&mut self) -> Option<()> {
        let kind = self.u8()?;
        // ActionFlavor and ActionFlags.
        self.bytes(8)?;
        match kind {
            action::MOVE | action::COPY => {
                let in_this_store = self.u8()?;
                for _ in ["StoreEID", "FolderEID"] {
                    let len = self.u16()?;
                    self.bytes(len.into())?;
                }
                (in_this_store <= 1).then_some(())?;
            }
            action::REPLY | action::OOF_REPLY => self.bytes(REPLY_LEN)?,
            // What a client keeps for itself.
            action::DEFER_ACTION => self.out.put_bytes(self.input.take_rest()),
            action::BOUNCE => {
                let code = self.input.u32().ok()?;
                self.out.put_u32(code);
                BOUNCE_CODES.contains(&code).then_some(())?;
            }
            action::FORWARD | action::DELEGATE => {
                let recipients = self.u16()?;
                for _ in 0..recipients {
                    let _reserved = self.u8()?;
                    let properties = self.u16()?;
                    (0..properties).try_for_each(|_| self.property())?;
                }
                (recipients > 0).then_some(())?;
            }
            action::TAG => self.property()?,
            action::DELETE | action::MARK_AS_READ => {}
            _ => return None,
        }
        self.input.is_empty().then_some(())
    }

    fn u8(&mut self) -> Option<u8> {
        let byte = self.input.u8().ok()?;
        self.out.put_u8(byte);
        Some(byte)
    }

    fn u16(&mut self) -> Option<u16> {
        let number = self.input.u16().ok()?;
        self.out.put_u16(number);
        Some(number)
    }

    fn bytes(&mut self, len: usize) -> Option<()> {
        self.out.put_bytes(self.input.bytes(len).ok()?);
        Some(())
    }

    fn property(&mut self) -> Option<()> {
        let given = TaggedPropertyValue::take(&mut self.input, Form::Rop).ok()?;
        let value = (self.convert)(given.value);
        let tag = given.tag.with_type(value.ty());
        TaggedPropertyValue { tag, value }
            .put(self.out, Form::Rop)
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: &[u8]) -> Result<(), ErrorCode> {
        super::check(data, Place::Private)
    }

    fn flavored(kind: u8, flavor: u8, data: &[u8]) -> Vec<u8> {
        let len = u16::try_from(9 + data.len()).unwrap();
        [&len.to_le_bytes()[..], &[kind, flavor], &[0; 7], data].concat()
    }

    fn block(kind: u8, data: &[u8]) -> Vec<u8> {
        flavored(kind, 0, data)
    }

    fn actions(blocks: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(blocks.len()).unwrap();
        [&count.to_le_bytes()[..], &blocks.concat()].concat()
    }

    /// OP_MOVE to a folder of this store.
    fn move_to() -> Vec<u8> {
        block(1, &[1, 1, 0, 0xAA, 2, 0, 0xBB, 0xCC])
    }

    #[test]
    fn each_action_has_its_data() {
        // One recipient with PidTagRecipientType.
        let one = [1, 0, 1, 1, 0, 3, 0, 0x15, 0x0C, 1, 0, 0, 0];
        for good in [
            move_to(),
            block(2, &[0, 0, 0, 0, 0]),
            block(3, &[7; 32]),
            block(4, &[7; 32]),
            block(5, b"what the client likes"),
            block(6, &[0x26, 0, 0, 0]),
            block(7, &one),
            block(8, &one),
            block(9, &[3, 0, 0x17, 0, 2, 0, 0, 0]),
            block(10, &[]),
            block(11, &[]),
        ] {
            let alone = actions(std::slice::from_ref(&good));
            assert_eq!(check(&alone), Ok(()), "{alone:02x?}");
            assert_eq!(check(&actions(&[good.clone(), good, move_to()])), Ok(()));
            for len in 0..alone.len() {
                assert!(check(&alone[..len]).is_err(), "{len} of {alone:02x?}");
            }
            assert_eq!(with_values(&alone, &|value| value), Ok(alone.clone()));
            let and_more = [&alone[..], &[0]].concat();
            assert!(check(&and_more).is_err());
        }
    }

    #[test]
    fn what_is_no_action() {
        for bad in [
            block(0, &[]),
            block(12, &[]),
            block(0xFF, &[]),
            block(1, &[2, 0, 0, 0, 0]),
            block(1, &[1, 0, 0, 9, 0]),
            block(3, &[7; 31]),
            block(3, &[7; 33]),
            block(6, &[1, 0, 0, 0]),
            block(7, &[0, 0]),
            block(9, &[]),
            block(10, &[0]),
            vec![8, 0, 10, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(
                check(&actions(std::slice::from_ref(&bad))).is_err(),
                "{bad:02x?}"
            );
            assert!(check(&actions(&[move_to(), bad])).is_err());
        }
        assert!(check(&[]).is_err());
        assert!(check(&actions(&[])).is_err());
    }

    // 2.2.5.1.1.
    #[test]
    fn what_goes_with_an_action() {
        let one = [1, 0, 1, 1, 0, 3, 0, 0x15, 0x0C, 1, 0, 0, 0];
        let is_good = |block: Vec<u8>| check(&actions(&[block])).is_ok();
        for flavor in 0..32 {
            let forward = matches!(flavor & 15, 0..=3 | 4 | 8);
            assert_eq!(is_good(flavored(7, flavor, &one)), forward, "{flavor}");
            for reply in [3, 4] {
                assert_eq!(is_good(flavored(reply, flavor, &[7; 32])), flavor < 3);
            }
            for other in [flavored(8, flavor, &one), flavored(10, flavor, &[])] {
                assert_eq!(is_good(other), flavor == 0);
            }
        }
        assert!(!is_good(flavored(1, 1, &[1, 0, 0, 0, 0])));
    }

    // 2.2.5.1.
    #[test]
    fn what_no_public_folder_does() {
        let public = |block: Vec<u8>| super::check(&actions(&[block]), Place::Public);
        for not_there in [move_to(), block(2, &[0, 0, 0, 0, 0]), block(5, b"a sound")] {
            assert_eq!(public(not_there), Err(INVALID));
        }
        for there in [block(3, &[7; 32]), block(10, &[]), block(11, &[])] {
            assert_eq!(public(there), Ok(()));
        }
    }
}
