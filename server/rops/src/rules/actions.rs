//! The actions of a standard rule, as far as it takes to tell that they are some (MS-OXORULE 2.2.5).

use ropewalk_props::PropValue;
use ropewalk_wire::{
    DecodeError, ErrorCode, Put, Reader,
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

/// BounceCode (2.2.5.1.2.5): too large, cannot be displayed, denied.
const BOUNCE_CODES: [u32; 3] = [0x0000_000D, 0x0000_001F, 0x0000_0026];

/// Bytes of an OP_REPLY's ActionData: the template's FID and MID, and its GUID (2.2.5.1.2.2).
const REPLY_LEN: usize = 8 + 8 + 16;

/// Reads a RuleAction in the form of a standard rule. `ecInvalidParam` for one without actions, for an
/// action that there is not, and for one whose data are not what it needs (3.2.5.2: incorrect data is
/// answered with an error).
pub fn check(data: &[u8]) -> Result<(), ErrorCode> {
    let is_valid = read(data).unwrap_or(false);
    is_valid.then_some(()).ok_or(ErrorCode::INVALID_PARAM)
}

fn read(data: &[u8]) -> Result<bool, DecodeError> {
    let mut input = Reader::new(data);
    let count = input.u16()?;
    for _ in 0..count {
        let len = input.u16()?;
        let mut block = Reader::new(input.bytes(len.into())?);
        if !read_block(&mut block)? || !block.is_empty() {
            return Ok(false);
        }
    }
    Ok(count > 0 && input.is_empty())
}

fn read_block(input: &mut Reader<'_>) -> Result<bool, DecodeError> {
    let kind = input.u8()?;
    let (_flavor, _flags) = (input.u32()?, input.u32()?);
    match kind {
        action::MOVE | action::COPY => {
            let in_this_store = input.u8()?;
            for _ in ["StoreEID", "FolderEID"] {
                let len = input.u16()?;
                input.bytes(len.into())?;
            }
            return Ok(in_this_store <= 1);
        }
        action::REPLY | action::OOF_REPLY => {
            input.bytes(REPLY_LEN)?;
        }
        // What a client keeps for itself.
        action::DEFER_ACTION => {
            input.take_rest();
        }
        action::BOUNCE => return Ok(BOUNCE_CODES.contains(&input.u32()?)),
        action::FORWARD | action::DELEGATE => {
            let recipients = input.u16()?;
            for _ in 0..recipients {
                let _reserved = input.u8()?;
                let properties = input.u16()?;
                for _ in 0..properties {
                    TaggedPropertyValue::take(input, Form::Rop)?;
                }
            }
            return Ok(recipients > 0);
        }
        action::TAG => {
            TaggedPropertyValue::take(input, Form::Rop)?;
        }
        action::DELETE | action::MARK_AS_READ => {}
        _ => return Ok(false),
    }
    Ok(true)
}

/// A RuleAction that [`check`] has found good, with other values in the places where actions have
/// properties: those of recipients, and the one of OP_TAG. `ecInvalidParam` if it is too long then.
pub fn with_values(
    data: &[u8],
    convert: &dyn Fn(PropValue) -> PropValue,
) -> Result<Vec<u8>, ErrorCode> {
    const INVALID: ErrorCode = ErrorCode::INVALID_PARAM;
    let mut input = Reader::new(data);
    let mut out = Vec::with_capacity(data.len());
    let count = input.u16().map_err(|_| INVALID)?;
    out.put_u16(count);
    for _ in 0..count {
        let len = input.u16().map_err(|_| INVALID)?;
        let mut block = Reader::new(input.bytes(len.into()).map_err(|_| INVALID)?);
        let start = out.len();
        out.put_u16(0);
        put_block(&mut out, &mut block, convert).ok_or(INVALID)?;
        let len = u16::try_from(out.len() - start - 2).map_err(|_| INVALID)?;
        if let Some(place) = out.get_mut(start..start + 2) {
            place.copy_from_slice(&len.to_le_bytes());
        }
    }
    Ok(out)
}

fn put_block(
    out: &mut Vec<u8>,
    input: &mut Reader<'_>,
    convert: &dyn Fn(PropValue) -> PropValue,
) -> Option<()> {
    let value = |out: &mut Vec<u8>, input: &mut Reader<'_>| {
        let given = TaggedPropertyValue::take(input, Form::Rop).ok()?;
        let value = convert(given.value);
        let tag = given.tag.with_type(value.ty());
        TaggedPropertyValue { tag, value }.put(out, Form::Rop).ok()
    };
    let kind = input.u8().ok()?;
    out.put_u8(kind);
    // ActionFlavor and ActionFlags.
    out.put_bytes(input.bytes(8).ok()?);
    match kind {
        action::FORWARD | action::DELEGATE => {
            let recipients = input.u16().ok()?;
            out.put_u16(recipients);
            for _ in 0..recipients {
                out.put_u8(input.u8().ok()?);
                let properties = input.u16().ok()?;
                out.put_u16(properties);
                for _ in 0..properties {
                    value(out, input)?;
                }
            }
        }
        action::TAG => value(out, input)?,
        _ => {}
    }
    out.put_bytes(input.take_rest());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: u8, data: &[u8]) -> Vec<u8> {
        let len = u16::try_from(9 + data.len()).unwrap();
        [&len.to_le_bytes()[..], &[kind], &[0; 8], data].concat()
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
}
