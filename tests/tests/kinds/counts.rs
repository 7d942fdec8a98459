//! Counts and sizes that say more than there is.

use ropewalk_tests::{
    client::{NO_HANDLE, framing},
    fixture::code,
};

use crate::{
    rows,
    world::{Kind, World},
};

/// Where a ROP says how many or how long: the RopId, and the offset of a 16-bit number in its row's request,
/// from its beginning, or from its end if it is negative.
const COUNTS: [(u8, isize); 36] = [
    // EssdnSize.
    (0xFE, 12),
    // DataSize.
    (0x64, 32),
    // RestrictionDataSize, FolderIdCount, BookmarkSize.
    (0x30, 3),
    (0x30, -14),
    (0x14, 4),
    (0x4F, 4),
    (0x4F, -2),
    (0x19, 3),
    (0x89, 3),
    // MessageIdCount.
    (0x1E, 5),
    (0x91, 5),
    (0x33, 4),
    (0x66, 5),
    // ModifyCount, RulesCount.
    (0x40, 4),
    (0x41, 4),
    // ServerEntryIdSize, ClientEntryIdSize.
    (0x57, 3),
    (0x57, 26),
    // PropertyTagCount, SortOrderCount, CollapseStateSize.
    (0x12, 4),
    (0x13, 4),
    (0x6C, 3),
    // ColumnCount, RowCount.
    (0x0E, 3),
    (0x0E, 5),
    // PropertyTagCount; PropertyValueSize and PropertyValueCount.
    (0x07, 7),
    (0x0A, 3),
    (0x0A, 5),
    (0x79, 3),
    (0x79, 5),
    (0x0B, 3),
    (0x7A, 3),
    (0x39, 7),
    (0x67, 6),
    // PropertyIdCount, PropertyNameCount.
    (0x55, 3),
    (0x56, 4),
    // DataSize.
    (0x2D, 3),
    (0x90, 3),
    (0xA3, 3),
];

#[test]
fn no_count_says_more_than_there_is() {
    let mut world = World::new();
    let mut wrong = Vec::new();
    for (id, offset) in COUNTS {
        let row = rows().find(|row| row.id == id).unwrap();
        let mut rop = (row.request)(&world.ids(Kind::Folder)).as_bytes().to_vec();
        let at = match usize::try_from(offset) {
            Ok(at) => at,
            Err(_) => rop.len() - offset.unsigned_abs(),
        };
        let count = u16::from_le_bytes([rop[at], rop[at + 1]]);
        // With one column more, RopModifyRecipients is another request that is right.
        let one_more = if (id, at) == (0x0E, 3) { 2 } else { count + 1 };
        for more in [one_more, 0x7FFF, 0xFFFF] {
            rop[at..at + 2].copy_from_slice(&more.to_le_bytes());
            let buffer = framing::rop_buffer(&rop, &[NO_HANDLE; 2]);
            match world.client.execute_payload(&buffer) {
                Err(error) if error.code() == code::RPC_FORMAT => {}
                other => wrong.push(format!("{id:#04x} at {at}, {count} as {more}: {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
