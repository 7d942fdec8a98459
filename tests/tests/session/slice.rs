//! Every ROP of the slice, and what the tests of sessions share.

use ropewalk_tests::{
    client::{Client, Logon, Rop, logon_rop, tagged_values},
    fixture::{tag, text},
};

pub fn open_folder(from: u8, to: u8, fid: u64) -> Rop {
    Rop::new(0x02, from).u8(to).u64(fid).u8(0)
}

pub fn get_display_name(index: u8) -> Rop {
    Rop::new(0x07, index)
        .u16(0)
        .u16(1)
        .tags(&[tag::DISPLAY_NAME])
}

/// The session and its logon still work.
pub fn lives(client: &mut Client, logon: &Logon) {
    client
        .open_folder(logon.handle, logon.inbox())
        .and_then(|folder| client.release(folder))
        .expect("the session lives on");
}

/// Every ROP of the slice, complete, each with input handle index 0 and output handle index 1.
pub fn slice(fid: u64, mid: u64) -> Vec<(&'static str, Rop)> {
    let long_term_id = [7; 24];
    vec![
        ("RopRelease", Rop::new(0x01, 0)),
        ("RopOpenFolder", open_folder(0, 1, fid)),
        (
            "RopOpenMessage",
            Rop::new(0x03, 0).u8(1).u16(0x0FFF).u64(fid).u8(0).u64(mid),
        ),
        ("RopGetHierarchyTable", Rop::new(0x04, 0).u8(1).u8(0)),
        ("RopGetContentsTable", Rop::new(0x05, 0).u8(1).u8(0)),
        (
            "RopCreateMessage",
            Rop::new(0x06, 0).u8(1).u16(0x0FFF).u64(fid).u8(0),
        ),
        ("RopGetPropertiesSpecific", get_display_name(0)),
        ("RopGetPropertiesAll", Rop::new(0x08, 0).u16(0).u16(1)),
        ("RopGetPropertiesList", Rop::new(0x09, 0)),
        (
            "RopSetProperties",
            Rop::new(0x0A, 0).sized(&tagged_values(&[(0x7801_001F, text("x"))])),
        ),
        (
            "RopDeleteProperties",
            Rop::new(0x0B, 0).tags(&[0x7801_001F]),
        ),
        ("RopSaveChangesMessage", Rop::new(0x0C, 1).u8(0).u8(2)),
        ("RopRemoveAllRecipients", Rop::new(0x0D, 0).u32(0)),
        (
            "RopModifyRecipients",
            Rop::new(0x0E, 0).tags(&[]).u16(1).u32(0).u8(1).u16(0),
        ),
        ("RopReadRecipients", Rop::new(0x0F, 0).u32(0).u16(0)),
        ("RopReloadCachedInformation", Rop::new(0x10, 0).u16(0)),
        ("RopSetMessageReadFlag", Rop::new(0x11, 1).u8(0).u8(1)),
        ("RopSetColumns", Rop::new(0x12, 0).u8(0).tags(&[tag::MID])),
        (
            "RopSortTable",
            Rop::new(0x13, 0)
                .u8(0)
                .u16(1)
                .u16(0)
                .u16(0)
                .u32(tag::SUBJECT)
                .u8(0),
        ),
        ("RopRestrict", Rop::new(0x14, 0).u8(0).sized(&[])),
        ("RopQueryRows", Rop::new(0x15, 0).u8(0).u8(1).u16(1)),
        ("RopQueryPosition", Rop::new(0x17, 0)),
        ("RopSeekRow", Rop::new(0x18, 0).u8(0).u32(1).u8(1)),
        (
            "RopCreateFolder",
            Rop::new(0x1C, 0)
                .u8(1)
                .u8(1)
                .u8(1)
                .u8(1)
                .u8(0)
                .utf16_z("slice")
                .utf16_z(""),
        ),
        (
            "RopDeleteFolder",
            Rop::new(0x1D, 0).u8(0).u64(fid ^ 0x7700_0000),
        ),
        (
            "RopDeleteMessages",
            Rop::new(0x1E, 0).u8(0).u8(0).ids(&[mid ^ 0x7700_0000]),
        ),
        ("RopGetAttachmentTable", Rop::new(0x21, 0).u8(1).u8(0)),
        ("RopOpenAttachment", Rop::new(0x22, 0).u8(1).u8(0).u32(0)),
        ("RopCreateAttachment", Rop::new(0x23, 0).u8(1)),
        ("RopDeleteAttachment", Rop::new(0x24, 0).u32(77)),
        ("RopSaveChangesAttachment", Rop::new(0x25, 1).u8(0).u8(2)),
        ("RopGetReceiveFolder", Rop::new(0x27, 0).ascii_z("IPM")),
        (
            "RopOpenStream",
            Rop::new(0x2B, 0).u8(1).u32(0x7801_0102).u8(2),
        ),
        ("RopReadStream", Rop::new(0x2C, 0).u16(4)),
        ("RopWriteStream", Rop::new(0x2D, 0).sized(b"data")),
        ("RopSeekStream", Rop::new(0x2E, 0).u8(0).u64(0)),
        ("RopSetStreamSize", Rop::new(0x2F, 0).u64(4)),
        (
            "RopMoveCopyMessages",
            Rop::new(0x33, 0)
                .u8(0)
                .ids(&[mid ^ 0x7700_0000])
                .u8(0)
                .u8(1),
        ),
        ("RopLongTermIdFromId", Rop::new(0x43, 0).u64(mid)),
        (
            "RopIdFromLongTermId",
            Rop::new(0x44, 0).bytes(&long_term_id),
        ),
        (
            "RopOpenEmbeddedMessage",
            Rop::new(0x46, 0).u8(1).u16(0x0FFF).u8(0),
        ),
        (
            "RopFindRow",
            // RES_EXIST.
            Rop::new(0x4F, 0)
                .u8(0)
                .sized(&[0x08, 0x14, 0, 0x4A, 0x67])
                .u8(0)
                .sized(&[]),
        ),
        (
            "RopGetNamesFromPropertyIds",
            Rop::new(0x55, 0).u16(1).u16(0x0037),
        ),
        (
            "RopGetPropertyIdsFromNames",
            Rop::new(0x56, 0)
                .u8(0)
                .u16(1)
                .u8(0)
                .bytes(&[5; 16])
                .u32(0x8501),
        ),
        ("RopCommitStream", Rop::new(0x5D, 0)),
        ("RopGetStreamSize", Rop::new(0x5E, 0)),
        ("RopSetReadFlags", Rop::new(0x66, 0).u8(0).u8(1).ids(&[mid])),
        ("RopLogon", logon_rop(1, 0x0100_000C, "/o=x")),
    ]
}
