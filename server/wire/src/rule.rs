//! Rule actions, as far as their bounds go (MS-OXORULE 2.2.5).

use crate::{DecodeError, Reader};

/// Passes over a RuleAction in the encoding of ROP buffers: NoOfActions and as many ActionBlocks,
/// each with its ActionLength.
pub fn skip_actions(input: &mut Reader<'_>) -> Result<(), DecodeError> {
    let count = input.u16()?;
    (0..count).try_for_each(|_| {
        let len = usize::from(input.u16()?);
        input.bytes(len).map(drop)
    })
}
