//! The table: each ROP with a request that is right, the kinds of object that it is for, and what it
//! answers on others.

use ropewalk_tests::{
    client::{Rop, logon_rop, restriction_bytes, tagged_values},
    fixture::{code, shared, tag, text},
};
use ropewalk_wire::restriction::Restriction;

use crate::world::{
    Ids,
    Kind::{
        self, Associated, Attachment, Attachments, Contents, Embedded, Folder, FolderStream, Found,
        Grouped, Hierarchy, Logon, Members, Message, Permissions, PublicLogon, PublicMessage,
        ReadOnlyAttachment, ReadOnlyMessage, ReadOnlyStream, Rules, SearchFolder, Stream,
    },
};

/// What a ROP answers on a kind of object that it is not for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// This code.
    Code(u32),
    /// The specification names none: any error.
    Any,
    /// It is for no object, or for every one.
    Never,
}

impl Wrong {
    pub fn is(self, got: u32) -> bool {
        match self {
            Self::Code(code) => got == code,
            Self::Any => got != 0,
            Self::Never => true,
        }
    }
}

pub struct Row {
    pub id: u8,
    /// The kinds of object that it is for.
    pub on: &'static [Kind],
    /// Of these, those on which this very request fails.
    pub but: &'static [(Kind, u32)],
    pub wrong: Wrong,
    /// What stands at handle index 1, beside what the ROP itself opens.
    pub second: Option<Kind>,
    pub request: fn(&Ids) -> Rop,
}

impl Row {
    /// Whether it is for this kind of object, or for the one that this is one of.
    pub fn is_for(&self, kind: Kind) -> bool {
        self.on.contains(&kind.base())
    }

    /// What the request answers on this kind of object, which it is for.
    pub fn expected(&self, kind: Kind) -> u32 {
        let of = |kind: Kind| self.but.iter().find(|(known, _)| *known == kind);
        let found = of(kind).or_else(|| of(kind.base()));
        found.map_or(0, |(_, code)| *code)
    }

    /// Whether the request cannot be made twice of one world.
    pub fn uses_up(&self) -> bool {
        USES_UP.contains(&self.id)
    }
}

/// Those that delete, move, copy or save.
const USES_UP: [u8; 17] = [
    0xFE, 0x01, 0x1D, 0x58, 0x92, 0x30, 0x1E, 0x91, 0x33, 0x35, 0x36, 0x24, 0x39, 0x67, 0x0C, 0x25,
    0x5A,
];

const NOT_SUPPORTED: Wrong = Wrong::Code(code::NOT_SUPPORTED);
const NULL_OBJECT: Wrong = Wrong::Code(code::NULL_OBJECT);

/// Those that later work serves.
pub const NOT_SERVED: [u8; 32] = [
    0x32, 0x34, 0x49, 0x47, 0x48, 0x4A, 0x51, 0x6D, 0x6F, 0x53, 0x54, 0x9D, 0x4E, 0x4C, 0x4B, 0x4D,
    0x69, 0x86, 0x70, 0x72, 0x80, 0x73, 0x74, 0x78, 0x7E, 0x82, 0x75, 0x76, 0x77, 0x93, 0x7F, 0x29,
];

const MESSAGES: &[Kind] = &[Message, ReadOnlyMessage, Embedded];
const TABLES: &[Kind] = &[Contents, Hierarchy, Attachments, Permissions, Rules];
const STREAMS: &[Kind] = &[Stream, ReadOnlyStream];
/// What has properties.
const OBJECTS: &[Kind] = &[
    Logon,
    Folder,
    Message,
    ReadOnlyMessage,
    Embedded,
    Attachment,
    ReadOnlyAttachment,
];

const fn row(id: u8, on: &'static [Kind], wrong: Wrong, request: fn(&Ids) -> Rop) -> Row {
    Row {
        id,
        on,
        but: &[],
        wrong,
        second: None,
        request,
    }
}

const fn two(
    id: u8,
    on: &'static [Kind],
    second: Kind,
    wrong: Wrong,
    request: fn(&Ids) -> Rop,
) -> Row {
    Row {
        second: Some(second),
        ..row(id, on, wrong, request)
    }
}

const fn but(row: Row, but: &'static [(Kind, u32)]) -> Row {
    Row { but, ..row }
}

fn exists() -> Vec<u8> {
    restriction_bytes(Some(&Restriction::Exist {
        prop_tag: ropewalk_props::PropTag(tag::MID),
    }))
}

const UNABLE_TO_ABORT: u32 = 0x8004_0114;
const INVALID_BOOKMARK: u32 = 0x8004_0405;
const NOT_COLLAPSED: u32 = 0x0000_04F8;

/// ecSearchFolder (MS-OXCFOLD 1.1: what a search folder holds lies elsewhere).
pub const SEARCH_FOLDER: u32 = 0x0000_0460;

/// ecNotSearchFolder: the folder is another one (MS-OXCFOLD 3.2.5.4, 3.2.5.5).
const NO_SEARCH_FOLDER: &[(Kind, u32)] = &[(Folder, 0x0000_0461), (SearchFolder, 0)];

/// ecAccessDenied: the object was opened to be read.
const READ_ONLY: &[(Kind, u32)] = &[
    // Nobody owns the public store.
    (PublicLogon, code::ACCESS_DENIED),
    (ReadOnlyMessage, code::ACCESS_DENIED),
    (ReadOnlyAttachment, code::ACCESS_DENIED),
];

pub const ROWS: &[Row] = &[
    row(0x01, &[], Wrong::Never, |_| Rop::new(0x01, 0)),
    // MS-OXCSTOR 3.2.5.
    row(0xFE, &[], Wrong::Never, |_| {
        logon_rop(1, 0x0100_0000, &shared().user_dn)
    }),
    but(
        row(0x27, &[Logon], Wrong::Any, |_| {
            Rop::new(0x27, 0).ascii_z("IPM")
        }),
        &[(PublicLogon, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x26, &[Logon], Wrong::Any, |w| {
            Rop::new(0x26, 0).u64(w.folder_id).ascii_z("IPM.Kinds")
        }),
        &[(PublicLogon, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x68, &[Logon], Wrong::Any, |_| Rop::new(0x68, 0)),
        &[(PublicLogon, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x7B, &[Logon], Wrong::Any, |_| Rop::new(0x7B, 0)),
        &[(PublicLogon, code::NOT_SUPPORTED)],
    ),
    // Of a private mailbox there are none (MS-OXCSTOR 3.2.5.6).
    but(
        row(0x42, &[Logon], NOT_SUPPORTED, |w| {
            Rop::new(0x42, 0).u64(w.folder_id)
        }),
        &[(PublicLogon, 0), (Logon, code::NOT_SUPPORTED)],
    ),
    row(0x45, &[Logon], Wrong::Any, |w| {
        Rop::new(0x45, 0).u64(w.folder_id)
    }),
    but(
        row(0x60, &[Logon], Wrong::Any, |_| {
            Rop::new(0x60, 0).bytes(&[7; 16])
        }),
        &[(PublicLogon, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x61, &[Logon], Wrong::Any, |_| {
            Rop::new(0x61, 0).bytes(&[7; 24])
        }),
        &[(PublicLogon, code::NOT_SUPPORTED), (Logon, code::NOT_FOUND)],
    ),
    row(0x63, &[Logon], Wrong::Any, |w| {
        Rop::new(0x63, 0).bytes(&w.long_id).u8(0).u32(0).u16(0)
    }),
    row(0x64, &[Logon], Wrong::Any, |w| {
        let rop = Rop::new(0x64, 0).bytes(&w.long_id).u8(1).u32(0);
        if w.is_public {
            rop.sized(b"")
        } else {
            // A set without change numbers, and the REPLGUID.
            rop.sized(&[0; 17]).bytes(&[8; 16])
        }
    }),
    row(0x43, &[Logon], Wrong::Any, |w| {
        Rop::new(0x43, 0).u64(w.folder_id)
    }),
    row(0x44, &[Logon], Wrong::Any, |w| {
        Rop::new(0x44, 0).bytes(&w.long_id)
    }),
    // MS-OXCFOLD 3.2.5.
    row(0x02, &[Logon, Folder], NOT_SUPPORTED, |w| {
        Rop::new(0x02, 0).u8(1).u64(w.folder_id).u8(0)
    }),
    but(
        row(0x1C, &[Folder], NOT_SUPPORTED, |_| {
            let rop = Rop::new(0x1C, 0).u8(1).u8(1).u8(1).u8(1).u8(0);
            rop.utf16_z("made").utf16_z("")
        }),
        &[(SearchFolder, SEARCH_FOLDER)],
    ),
    row(0x1D, &[Folder], NOT_SUPPORTED, |w| {
        Rop::new(0x1D, 0).u8(5).u64(w.below_id)
    }),
    but(
        row(0x58, &[Folder], NOT_SUPPORTED, |_| {
            Rop::new(0x58, 0).u8(0).u8(0)
        }),
        &[(SearchFolder, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x92, &[Folder], NOT_SUPPORTED, |_| {
            Rop::new(0x92, 0).u8(0).u8(0)
        }),
        &[(SearchFolder, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x30, &[Folder], NOT_SUPPORTED, |w| {
            Rop::new(0x30, 0).sized(&exists()).ids(&[w.home_id]).u32(0)
        }),
        NO_SEARCH_FOLDER,
    ),
    but(
        row(0x31, &[Folder], NOT_SUPPORTED, |_| {
            Rop::new(0x31, 0).u8(1).u8(1).u8(1)
        }),
        NO_SEARCH_FOLDER,
    ),
    row(0x1E, &[Folder], NOT_SUPPORTED, |w| {
        Rop::new(0x1E, 0).u8(0).u8(0).ids(&[w.message_id])
    }),
    row(0x91, &[Folder], NOT_SUPPORTED, |w| {
        Rop::new(0x91, 0).u8(0).u8(0).ids(&[w.message_id])
    }),
    two(0x33, &[Folder], Folder, NOT_SUPPORTED, |w| {
        Rop::new(0x33, 0).u8(1).ids(&[w.message_id]).u8(0).u8(1)
    }),
    two(0x35, &[Folder], Folder, NOT_SUPPORTED, |w| {
        let rop = Rop::new(0x35, 0).u8(1).u8(0).u8(1);
        rop.u64(w.below_id).utf16_z("moved")
    }),
    two(0x36, &[Folder], Folder, NOT_SUPPORTED, |w| {
        let rop = Rop::new(0x36, 0).u8(1).u8(0).u8(1).u8(1);
        rop.u64(w.below_id).utf16_z("copied")
    }),
    row(0x04, &[Folder], NOT_SUPPORTED, |_| {
        Rop::new(0x04, 0).u8(1).u8(0)
    }),
    row(0x05, &[Folder], NOT_SUPPORTED, |_| {
        Rop::new(0x05, 0).u8(1).u8(0)
    }),
    // MS-OXORULE 3.2.5.
    row(0x41, &[Folder], NOT_SUPPORTED, |_| {
        Rop::new(0x41, 0).u8(1).u16(0)
    }),
    row(0x3F, &[Folder], NOT_SUPPORTED, |_| {
        Rop::new(0x3F, 0).u8(1).u8(0)
    }),
    // MS-OXCPERM 3.2.5.
    row(0x40, &[Folder], NOT_SUPPORTED, |_| {
        Rop::new(0x40, 0).u8(0).u16(0)
    }),
    row(0x3E, &[Folder], NOT_SUPPORTED, |_| {
        Rop::new(0x3E, 0).u8(1).u8(0)
    }),
    but(
        row(0x57, &[Logon], NOT_SUPPORTED, |_| {
            Rop::new(0x57, 0).sized(&[1; 21]).sized(&[2; 21])
        }),
        &[(PublicLogon, code::NOT_SUPPORTED)],
    ),
    // MS-OXCTABL 3.2.5.
    row(0x12, TABLES, NOT_SUPPORTED, |_| {
        Rop::new(0x12, 0).u8(0).tags(&[tag::DISPLAY_NAME])
    }),
    row(0x13, &[Contents], NOT_SUPPORTED, |_| {
        let rop = Rop::new(0x13, 0).u8(0).u16(1).u16(0).u16(0);
        rop.u32(tag::SUBJECT).u8(0)
    }),
    row(0x14, &[Contents, Hierarchy, Rules], NOT_SUPPORTED, |_| {
        Rop::new(0x14, 0).u8(0).sized(&exists())
    }),
    row(0x15, TABLES, NOT_SUPPORTED, |_| {
        Rop::new(0x15, 0).u8(0).u8(1).u16(1)
    }),
    but(
        row(0x38, &[Contents, Hierarchy], NOT_SUPPORTED, |_| {
            Rop::new(0x38, 0)
        }),
        &[(Contents, UNABLE_TO_ABORT), (Hierarchy, UNABLE_TO_ABORT)],
    ),
    row(0x16, TABLES, NOT_SUPPORTED, |_| Rop::new(0x16, 0)),
    row(0x17, TABLES, NOT_SUPPORTED, |_| Rop::new(0x17, 0)),
    row(0x18, TABLES, NOT_SUPPORTED, |_| {
        Rop::new(0x18, 0).u8(0).u32(1).u8(1)
    }),
    but(
        row(0x19, &[Contents, Hierarchy], NOT_SUPPORTED, |_| {
            Rop::new(0x19, 0).sized(&[9; 4]).u32(0).u8(0)
        }),
        &[(Contents, INVALID_BOOKMARK), (Hierarchy, INVALID_BOOKMARK)],
    ),
    row(0x1A, TABLES, NOT_SUPPORTED, |_| {
        Rop::new(0x1A, 0).u32(1).u32(2)
    }),
    row(0x1B, &[Contents, Hierarchy], NOT_SUPPORTED, |_| {
        Rop::new(0x1B, 0)
    }),
    row(0x37, TABLES, NOT_SUPPORTED, |_| Rop::new(0x37, 0)),
    but(
        row(0x4F, &[Contents, Hierarchy, Rules], NOT_SUPPORTED, |_| {
            Rop::new(0x4F, 0).u8(0).sized(&exists()).u8(0).sized(&[])
        }),
        &[
            (Members, code::NOT_FOUND),
            (Hierarchy, code::NOT_FOUND),
            (Rules, code::NOT_FOUND),
        ],
    ),
    row(0x81, &[Contents], NOT_SUPPORTED, |_| Rop::new(0x81, 0)),
    but(
        row(0x89, &[Contents, Hierarchy], NOT_SUPPORTED, |_| {
            Rop::new(0x89, 0).sized(&[9; 4])
        }),
        &[(Contents, INVALID_BOOKMARK), (Hierarchy, INVALID_BOOKMARK)],
    ),
    but(
        row(0x59, &[Contents], NOT_SUPPORTED, |w| {
            Rop::new(0x59, 0).u16(9).u64(w.category_id)
        }),
        &[(Grouped, NOT_COLLAPSED), (Contents, code::NOT_FOUND)],
    ),
    but(
        row(0x5A, &[Contents], NOT_SUPPORTED, |w| {
            Rop::new(0x5A, 0).u64(w.category_id)
        }),
        &[(Grouped, 0), (Contents, code::NOT_FOUND)],
    ),
    row(0x6B, &[Contents], NOT_SUPPORTED, |w| {
        Rop::new(0x6B, 0).u64(w.message_id).u32(0)
    }),
    but(
        row(0x6C, &[Contents], NOT_SUPPORTED, |_| {
            Rop::new(0x6C, 0).sized(&[0; 22])
        }),
        // The state is of a table without groups.
        &[(Grouped, code::INVALID_PARAMETER)],
    ),
    // MS-OXCMSG 3.2.5.
    row(0x03, &[Logon, Folder], NULL_OBJECT, |w| {
        let rop = Rop::new(0x03, 0).u8(1).u16(0x0FFF);
        rop.u64(w.folder_id).u8(0).u64(w.message_id)
    }),
    but(
        row(0x06, &[Logon, Folder], Wrong::Any, |w| {
            Rop::new(0x06, 0).u8(1).u16(0x0FFF).u64(w.folder_id).u8(0)
        }),
        &[(SearchFolder, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x0D, MESSAGES, NULL_OBJECT, |_| Rop::new(0x0D, 0).u32(0)),
        READ_ONLY,
    ),
    but(
        row(0x0E, MESSAGES, NULL_OBJECT, |_| {
            Rop::new(0x0E, 0).tags(&[]).u16(1).u32(0).u8(1).u16(0)
        }),
        READ_ONLY,
    ),
    but(
        row(0x0F, MESSAGES, NULL_OBJECT, |_| {
            Rop::new(0x0F, 0).u32(0).u16(0)
        }),
        &[
            (Message, code::NOT_FOUND),
            (ReadOnlyMessage, code::NOT_FOUND),
            (Embedded, code::NOT_FOUND),
        ],
    ),
    row(0x10, MESSAGES, NULL_OBJECT, |_| Rop::new(0x10, 0).u16(0)),
    row(0x1F, &[Folder], NULL_OBJECT, |w| {
        Rop::new(0x1F, 0).u64(w.message_id)
    }),
    row(0x20, &[Folder], NULL_OBJECT, |w| {
        Rop::new(0x20, 0).u64(w.message_id).u32(1).u32(1)
    }),
    row(0x66, &[Folder], NULL_OBJECT, |w| {
        Rop::new(0x66, 0).u8(0).u8(0).ids(&[w.message_id])
    }),
    row(0x52, MESSAGES, NULL_OBJECT, |_| Rop::new(0x52, 0)),
    row(0x21, MESSAGES, NULL_OBJECT, |_| {
        Rop::new(0x21, 0).u8(1).u8(0)
    }),
    but(
        row(0x22, MESSAGES, NULL_OBJECT, |w| {
            Rop::new(0x22, 0).u8(1).u8(0).u32(w.attachment_number)
        }),
        &[
            (PublicMessage, code::NOT_FOUND),
            (Associated, code::NOT_FOUND),
            (Embedded, code::NOT_FOUND),
        ],
    ),
    but(
        row(0x23, MESSAGES, NULL_OBJECT, |_| Rop::new(0x23, 0).u8(1)),
        READ_ONLY,
    ),
    but(
        row(0x24, MESSAGES, NULL_OBJECT, |w| {
            Rop::new(0x24, 0).u32(w.attachment_number)
        }),
        &[
            (PublicMessage, code::NOT_FOUND),
            (Associated, code::NOT_FOUND),
            (ReadOnlyMessage, code::ACCESS_DENIED),
            (Embedded, code::NOT_FOUND),
        ],
    ),
    row(0x46, &[Attachment, ReadOnlyAttachment], NULL_OBJECT, |_| {
        Rop::new(0x46, 0).u8(1).u16(0x0FFF).u8(0)
    }),
    // MS-OXCPRPT 3.2.5.
    row(0x07, OBJECTS, Wrong::Any, |_| {
        Rop::new(0x07, 0).u16(0).u16(1).tags(&[tag::DISPLAY_NAME])
    }),
    row(0x08, OBJECTS, Wrong::Any, |_| {
        Rop::new(0x08, 0).u16(0).u16(1)
    }),
    row(0x09, OBJECTS, Wrong::Any, |_| Rop::new(0x09, 0)),
    but(
        row(0x0A, OBJECTS, Wrong::Any, |_| {
            Rop::new(0x0A, 0).sized(&tagged_values(&[(0x7801_001F, text("x"))]))
        }),
        READ_ONLY,
    ),
    but(
        row(0x79, OBJECTS, Wrong::Any, |_| {
            Rop::new(0x79, 0).sized(&tagged_values(&[(0x7801_001F, text("x"))]))
        }),
        READ_ONLY,
    ),
    but(
        row(0x0B, OBJECTS, Wrong::Any, |_| {
            Rop::new(0x0B, 0).tags(&[0x7801_001F])
        }),
        READ_ONLY,
    ),
    but(
        row(0x7A, OBJECTS, Wrong::Any, |_| {
            Rop::new(0x7A, 0).tags(&[0x7801_001F])
        }),
        READ_ONLY,
    ),
    row(0x5F, OBJECTS, Wrong::Any, |_| Rop::new(0x5F, 0).u8(0).u8(0)),
    row(0x55, OBJECTS, Wrong::Any, |_| {
        Rop::new(0x55, 0).u16(1).u16(0x0037)
    }),
    row(0x56, OBJECTS, Wrong::Any, |_| {
        let rop = Rop::new(0x56, 0).u8(0).u16(1).u8(0);
        rop.bytes(&[5; 16]).u32(0x8501)
    }),
    but(
        two(0x39, MESSAGES, Message, NOT_SUPPORTED, |_| {
            Rop::new(0x39, 0).u8(1).u8(0).u8(0).u8(0).tags(&[])
        }),
        &[
            (Message, code::ACCESS_DENIED),
            (PublicMessage, code::ACCESS_DENIED),
            (Found, 0),
            (Associated, 0),
        ],
    ),
    but(
        two(0x67, MESSAGES, Message, NOT_SUPPORTED, |_| {
            Rop::new(0x67, 0).u8(1).u8(0).u8(0).tags(&[tag::SUBJECT])
        }),
        &[
            (Message, code::ACCESS_DENIED),
            (PublicMessage, code::ACCESS_DENIED),
            (Found, 0),
            (Associated, 0),
        ],
    ),
    // No operation goes on (`progress.rs`): the specification names no code for that.
    but(
        row(0x50, &[Folder], NOT_SUPPORTED, |_| Rop::new(0x50, 0).u8(0)),
        &[(Folder, code::NOT_SUPPORTED)],
    ),
    but(
        row(0x2B, OBJECTS, NOT_SUPPORTED, |_| {
            Rop::new(0x2B, 0).u8(1).u32(0x7801_0102).u8(2)
        }),
        &[
            (Logon, code::NOT_SUPPORTED),
            // MS-OXCPRPT 3.2.5.11: only to be read.
            (Kind::PublicFolder, code::NOT_SUPPORTED),
            (ReadOnlyMessage, code::ACCESS_DENIED),
            (ReadOnlyAttachment, code::ACCESS_DENIED),
        ],
    ),
    row(0x2C, STREAMS, Wrong::Any, |_| Rop::new(0x2C, 0).u16(4)),
    but(
        row(0x2D, STREAMS, Wrong::Any, |_| {
            Rop::new(0x2D, 0).sized(b"data")
        }),
        &[(ReadOnlyStream, code::STREAM_ACCESS_DENIED)],
    ),
    but(
        row(0x90, STREAMS, Wrong::Any, |_| {
            Rop::new(0x90, 0).sized(b"data")
        }),
        &[
            (FolderStream, code::NOT_SUPPORTED),
            (ReadOnlyStream, code::STREAM_ACCESS_DENIED),
        ],
    ),
    but(
        row(0xA3, STREAMS, Wrong::Any, |_| {
            Rop::new(0xA3, 0).sized(b"data")
        }),
        &[(ReadOnlyStream, code::STREAM_ACCESS_DENIED)],
    ),
    row(0x2E, STREAMS, Wrong::Any, |_| {
        Rop::new(0x2E, 0).u8(0).u64(0)
    }),
    but(
        row(0x2F, STREAMS, Wrong::Any, |_| Rop::new(0x2F, 0).u64(4)),
        &[(ReadOnlyStream, code::STREAM_ACCESS_DENIED)],
    ),
    row(0x3B, STREAMS, NOT_SUPPORTED, |_| Rop::new(0x3B, 0).u8(1)),
    row(0x5B, STREAMS, NOT_SUPPORTED, |_| {
        Rop::new(0x5B, 0).u64(0).u64(4).u32(1)
    }),
    row(0x5C, STREAMS, NOT_SUPPORTED, |_| {
        Rop::new(0x5C, 0).u64(0).u64(4).u32(1)
    }),
    row(0x5D, STREAMS, Wrong::Any, |_| Rop::new(0x5D, 0)),
    row(0x5E, STREAMS, Wrong::Any, |_| Rop::new(0x5E, 0)),
    two(0x3A, STREAMS, Stream, Wrong::Any, |_| {
        Rop::new(0x3A, 0).u8(1).u64(4)
    }),
    // The object that is saved stands behind the handle index of the response.
    but(
        row(0x0C, MESSAGES, Wrong::Any, |_| {
            Rop::new(0x0C, 0).u8(0).u8(2)
        }),
        &[
            (ReadOnlyMessage, code::ERROR),
            (ReadOnlyAttachment, code::ERROR),
        ],
    ),
    row(0x11, MESSAGES, NULL_OBJECT, |w| {
        let rop = Rop::new(0x11, 0).u8(0).u8(1);
        if w.is_public {
            rop.bytes(&[9; 24])
        } else {
            rop
        }
    }),
    but(
        row(
            0x25,
            &[Attachment, ReadOnlyAttachment],
            NOT_SUPPORTED,
            |_| Rop::new(0x25, 0).u8(0).u8(2),
        ),
        &[
            (ReadOnlyMessage, code::ERROR),
            (ReadOnlyAttachment, code::ERROR),
        ],
    ),
];
