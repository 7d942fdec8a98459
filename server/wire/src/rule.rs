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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_end_where_their_lengths_say() {
        let bytes = [2, 0, 1, 0, 0x0A, 2, 0, 0x0B, 0, 7];
        let mut input = Reader::new(&bytes);
        skip_actions(&mut input).unwrap();
        assert_eq!(input.rest(), [7]);
        for len in 0..bytes.len() - 1 {
            assert!(skip_actions(&mut Reader::new(&bytes[..len])).is_err());
        }
    }
}
