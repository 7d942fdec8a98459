//! Flags that the specification does not define, and other fields with values that they cannot have.

use ropewalk_tests::{
    client::{NO_HANDLE, Rop, logon_rop, restriction_bytes},
    fixture::{code, shared, tag},
};
use ropewalk_wire::restriction::Restriction;

use crate::{
    ask,
    world::{
        Ids,
        Kind::{self, Attachment, Contents, Folder, Logon, Message, SearchFolder, Stream},
        World,
    },
};

struct Case {
    section: &'static str,
    on: Kind,
    second: Option<Kind>,
    /// Values of the field.
    values: &'static [u32],
    expected: u32,
    request: fn(&Ids, u32) -> Rop,
}

const fn case(
    section: &'static str,
    on: Kind,
    values: &'static [u32],
    expected: u32,
    request: fn(&Ids, u32) -> Rop,
) -> Case {
    Case {
        section,
        on,
        second: None,
        values,
        expected,
        request,
    }
}

fn low(value: u32) -> u8 {
    u8::try_from(value).unwrap()
}

fn short(value: u32) -> u16 {
    u16::try_from(value).unwrap()
}

/// What else is TRUE than 1.
const TRUE: &[u32] = &[2, 0x80, 0xFF];

const INVALID_BOOKMARK: u32 = 0x8004_0405;

const fn to(second: Kind, case: Case) -> Case {
    Case {
        second: Some(second),
        ..case
    }
}

fn everything() -> Vec<u8> {
    restriction_bytes(Some(&Restriction::And(Vec::new())))
}

const CASES: &[Case] = &[
    case(
        "MS-OXCSTOR 3.2.5.1.1",
        Logon,
        &[0x10, 0x20, 0x40, 0x80],
        code::ERROR,
        |_, v| logon_rop(1 | low(v), 0, &shared().user_dn),
    ),
    case(
        "MS-OXCSTOR 3.2.5.1.1",
        Logon,
        &[0x8000_0000, 0x4000_0000],
        code::ERROR,
        |_, v| logon_rop(1, v, &shared().user_dn),
    ),
    case(
        "MS-OXCFOLD 2.2.1.1.1",
        Logon,
        &[1, 2, 8, 0x10, 0x20, 0x40, 0x80],
        0,
        |w, v| Rop::new(0x02, 0).u8(1).u64(w.folder_id).u8(low(v)),
    ),
    case(
        "MS-OXCFOLD 3.2.5.2",
        Folder,
        &[0, 3, 0xFF],
        code::INVALID_PARAMETER,
        |_, v| {
            let rop = Rop::new(0x1C, 0).u8(1).u8(low(v)).u8(1).u8(0).u8(0);
            rop.utf16_z("typed").utf16_z("")
        },
    ),
    case(
        "MS-OXCFOLD 3.2.5.3",
        Folder,
        &[2, 8, 0x20, 0x40, 0x80],
        code::INVALID_PARAMETER,
        |w, v| Rop::new(0x1D, 0).u8(5 | low(v)).u64(w.below_id),
    ),
    case(
        "MS-OXCFOLD 3.2.5.13",
        Folder,
        &[1, 2],
        code::NOT_SUPPORTED,
        |_, v| Rop::new(0x04, 0).u8(1).u8(low(v)),
    ),
    case(
        "MS-OXCFOLD 3.2.5.14",
        Folder,
        &[1, 4, 0x82],
        code::INVALID_PARAMETER,
        |_, v| Rop::new(0x05, 0).u8(1).u8(low(v)),
    ),
    case(
        "MS-OXORULE 3.2.5.3",
        Folder,
        &[1, 2, 4, 8, 0x10, 0x20, 0x80],
        code::NOT_SUPPORTED,
        |_, v| Rop::new(0x3F, 0).u8(1).u8(low(v)),
    ),
    case(
        "MS-OXORULE 2.2.1.1",
        Folder,
        &[2, 4, 0x80],
        code::INVALID_PARAMETER,
        |_, v| Rop::new(0x41, 0).u8(low(v)).u16(0),
    ),
    case(
        "MS-OXCTABL 2.2.2.5.1",
        Contents,
        &[4, 8, 0x80],
        code::INVALID_PARAMETER,
        |_, v| Rop::new(0x15, 0).u8(low(v)).u8(1).u16(1),
    ),
    case(
        "MS-OXCTABL 2.2.2.8.1",
        Contents,
        &[3, 4, 0xFF],
        code::INVALID_PARAMETER,
        |_, v| Rop::new(0x18, 0).u8(low(v)).u32(0).u8(0),
    ),
    case(
        "MS-OXCTABL 2.2.2.14.1",
        Contents,
        &[2, 4, 0x80],
        code::INVALID_PARAMETER,
        |_, v| {
            let rop = Rop::new(0x4F, 0).u8(low(v)).sized(&everything());
            rop.u8(0).sized(&[])
        },
    ),
    case(
        "MS-OXCTABL 2.2.2.14.1",
        Contents,
        &[4, 9, 0xFF],
        code::INVALID_PARAMETER,
        |_, v| {
            let rop = Rop::new(0x4F, 0).u8(0).sized(&everything());
            rop.u8(low(v)).sized(&[])
        },
    ),
    case(
        "MS-OXCTABL 2.2.2.3.1",
        Contents,
        &[3, 5, 0xFF],
        code::INVALID_PARAMETER,
        |_, v| {
            let rop = Rop::new(0x13, 0).u8(0).u16(1).u16(0).u16(0);
            rop.u32(tag::SUBJECT).u8(low(v))
        },
    ),
    Case {
        second: Some(Folder),
        ..case(
            "MS-OXCPRPT 3.2.5.8",
            Folder,
            &[3, 4, 0x80],
            code::INVALID_PARAMETER,
            |_, v| Rop::new(0x39, 0).u8(1).u8(0).u8(0).u8(low(v)).tags(&[]),
        )
    },
    Case {
        second: Some(Message),
        ..case(
            "MS-OXCPRPT 3.2.5.7",
            Message,
            &[3, 4, 0x80],
            code::INVALID_PARAMETER,
            |_, v| {
                Rop::new(0x67, 0)
                    .u8(1)
                    .u8(0)
                    .u8(low(v))
                    .tags(&[tag::SUBJECT])
            },
        )
    },
    case(
        "MS-OXCPRPT 3.2.5.18",
        Stream,
        &[3, 4, 0xFF],
        code::STREAM_INVALID_PARAM,
        |_, v| Rop::new(0x2E, 0).u8(low(v)).u64(0),
    ),
    case(
        "MS-OXCMSG 3.2.5.16",
        Attachment,
        &[1, 0x7777],
        code::UNKNOWN_CODE_PAGE,
        |_, v| {
            let code_page = u16::try_from(v).unwrap();
            Rop::new(0x46, 0).u8(1).u16(code_page).u8(0)
        },
    ),
    // Booleans: any value but zero is TRUE.
    case("MS-OXCFOLD 2.2.1.2.1", Folder, TRUE, 0, |_, v| {
        let rop = Rop::new(0x1C, 0).u8(1).u8(1).u8(low(v)).u8(low(v)).u8(0);
        rop.utf16_z("made").utf16_z("")
    }),
    // Reserved is looked at by nobody.
    case("MS-OXCFOLD 2.2.1.2.1", Folder, TRUE, 0, |_, v| {
        let rop = Rop::new(0x1C, 0).u8(1).u8(1).u8(1).u8(1).u8(low(v));
        rop.utf16_z("made").utf16_z("")
    }),
    case(
        "MS-OXCFOLD 2.2.1.4.1",
        SearchFolder,
        &[0x40, 0x80, 0x40_0000, 0x8000_0000, 3, 0xC, 0x30, 0x3_0000],
        code::INVALID_PARAMETER,
        |w, v| {
            Rop::new(0x30, 0)
                .sized(&everything())
                .ids(&[w.home_id])
                .u32(v)
        },
    ),
    case("MS-OXCFOLD 2.2.1.5.1", SearchFolder, TRUE, 0, |_, v| {
        Rop::new(0x31, 0).u8(low(v)).u8(low(v)).u8(low(v))
    }),
    to(
        Folder,
        case("MS-OXCFOLD 2.2.1.6.1", Folder, TRUE, 0, |w, v| {
            let rop = Rop::new(0x33, 0).u8(1).ids(&[w.message_id]);
            rop.u8(low(v)).u8(low(v))
        }),
    ),
    to(
        Folder,
        case("MS-OXCFOLD 2.2.1.7.1", Folder, TRUE, 0, |w, v| {
            let rop = Rop::new(0x35, 0).u8(1).u8(low(v)).u8(low(v));
            rop.u64(w.below_id).utf16_z(&format!("moved {v}"))
        }),
    ),
    to(
        Folder,
        case("MS-OXCFOLD 2.2.1.8.1", Folder, TRUE, 0, |w, v| {
            let rop = Rop::new(0x36, 0).u8(1).u8(low(v)).u8(low(v)).u8(low(v));
            rop.u64(w.below_id).utf16_z(&format!("copied {v}"))
        }),
    ),
    case("MS-OXCFOLD 2.2.1.9.1", Folder, TRUE, 0, |_, v| {
        Rop::new(0x58, 0).u8(low(v)).u8(low(v))
    }),
    case("MS-OXCFOLD 2.2.1.10.1", Folder, TRUE, 0, |_, v| {
        Rop::new(0x92, 0).u8(low(v)).u8(low(v))
    }),
    case("MS-OXCFOLD 2.2.1.11.1", Folder, TRUE, 0, |w, v| {
        Rop::new(0x1E, 0).u8(low(v)).u8(low(v)).ids(&[w.message_id])
    }),
    case("MS-OXCFOLD 2.2.1.12.1", Folder, TRUE, 0, |w, v| {
        Rop::new(0x91, 0).u8(low(v)).u8(low(v)).ids(&[w.message_id])
    }),
    // NoNotifications, and SuppressesNotifications.
    case("MS-OXCFOLD 2.2.1.13.1", Folder, &[0x10, 0x80], 0, |_, v| {
        Rop::new(0x04, 0).u8(1).u8(low(v))
    }),
    case("MS-OXCMSG 2.2.3.10.1", Folder, TRUE, 0, |w, v| {
        Rop::new(0x66, 0).u8(low(v)).u8(0).ids(&[w.message_id])
    }),
    case(
        "MS-OXCMSG 2.2.3.10.1",
        Folder,
        &[0x80, 0x81],
        code::INVALID_PARAMETER,
        |w, v| Rop::new(0x66, 0).u8(0).u8(low(v)).ids(&[w.message_id]),
    ),
    case(
        "MS-OXCMSG 2.2.3.11.1",
        Message,
        &[0x80, 0x81],
        code::INVALID_PARAMETER,
        |_, v| Rop::new(0x11, 0).u8(0).u8(low(v)),
    ),
    case(
        "MS-OXCPERM 2.2.2.1",
        Folder,
        &[4, 8, 0x10, 0x20, 0x40, 0x80],
        code::INVALID_PARAMETER,
        |_, v| Rop::new(0x40, 0).u8(low(v)).u16(0),
    ),
    case(
        "MS-OXCPERM 2.2.1.1",
        Folder,
        &[1, 4, 8, 0x10, 0x20, 0x80],
        code::NOT_SUPPORTED,
        |_, v| Rop::new(0x3E, 0).u8(1).u8(low(v)),
    ),
    // Tables are never worked on asynchronously (MS-OXCTABL 3.2.5.1): nobody looks at these flags.
    case(
        "MS-OXCTABL 2.2.2.2.1",
        Contents,
        &[1, 2, 0x80],
        0,
        |_, v| Rop::new(0x12, 0).u8(low(v)).tags(&[tag::SUBJECT]),
    ),
    case(
        "MS-OXCTABL 2.2.2.3.1",
        Contents,
        &[1, 2, 0x80],
        0,
        |_, v| Rop::new(0x13, 0).u8(low(v)).u16(0).u16(0).u16(0),
    ),
    case(
        "MS-OXCTABL 2.2.2.4.1",
        Contents,
        &[1, 2, 0x80],
        0,
        |_, v| Rop::new(0x14, 0).u8(low(v)).sized(&everything()),
    ),
    case("MS-OXCTABL 2.2.2.5.1", Contents, TRUE, 0, |_, v| {
        Rop::new(0x15, 0).u8(0).u8(low(v)).u16(1)
    }),
    case("MS-OXCTABL 2.2.2.8.1", Contents, TRUE, 0, |_, v| {
        Rop::new(0x18, 0).u8(0).u32(0).u8(low(v))
    }),
    case(
        "MS-OXCTABL 3.2.5.10",
        Contents,
        TRUE,
        INVALID_BOOKMARK,
        |_, v| Rop::new(0x19, 0).sized(&[9; 4]).u32(0).u8(low(v)),
    ),
    case("MS-OXCTABL 3.2.5.11", Contents, &[0], 0, |_, v| {
        Rop::new(0x1A, 0).u32(1).u32(v)
    }),
    case(
        "MS-OXCMSG 2.2.3.1.1",
        Folder,
        &[8, 0x10, 0x80],
        0,
        |w, v| {
            let rop = Rop::new(0x03, 0).u8(1).u16(0x0FFF).u64(w.folder_id);
            rop.u8(low(v)).u64(w.message_id)
        },
    ),
    case("MS-OXCMSG 2.2.3.2.1", Folder, TRUE, 0, |w, v| {
        let rop = Rop::new(0x06, 0).u8(1).u16(0x0FFF).u64(w.folder_id);
        rop.u8(low(v))
    }),
    // MS-OXCMSG 3.2.5.3: no combination that is supported.
    case(
        "MS-OXCMSG 2.2.3.3.1",
        Message,
        &[3, 7, 0x0B],
        code::NOT_SUPPORTED,
        |_, v| Rop::new(0x0C, 0).u8(0).u8(low(v)),
    ),
    case(
        "MS-OXCMSG 2.2.3.3.1",
        Message,
        &[0x0A, 0x12, 0x82],
        0,
        |_, v| Rop::new(0x0C, 0).u8(0).u8(low(v)),
    ),
    case(
        "MS-OXCMSG 2.2.3.15.1",
        Attachment,
        &[3, 7, 0x0B],
        code::NOT_SUPPORTED,
        |_, v| Rop::new(0x25, 0).u8(0).u8(low(v)),
    ),
    case(
        "MS-OXCMSG 2.2.3.15.1",
        Attachment,
        &[0x0A, 0x82],
        0,
        |_, v| Rop::new(0x25, 0).u8(0).u8(low(v)),
    ),
    case(
        "MS-OXCROPS 2.2.6.4.1",
        Message,
        &[1, u32::MAX],
        0,
        |_, v| Rop::new(0x0D, 0).u32(v),
    ),
    case(
        "MS-OXCROPS 2.2.6.6.1",
        Message,
        &[1, 0xFFFF],
        code::NOT_FOUND,
        |_, v| Rop::new(0x0F, 0).u32(0).u16(short(v)),
    ),
    case("MS-OXCROPS 2.2.6.7.1", Message, &[1, 0xFFFF], 0, |_, v| {
        Rop::new(0x10, 0).u16(short(v))
    }),
    case(
        "MS-OXCMSG 2.2.3.17.1",
        Message,
        &[1, 0x20, 0x80],
        0,
        |_, v| Rop::new(0x21, 0).u8(1).u8(low(v)),
    ),
    case("MS-OXCMSG 2.2.3.12.1", Message, &[4, 8, 0x80], 0, |w, v| {
        let rop = Rop::new(0x22, 0).u8(1).u8(low(v));
        rop.u32(w.attachment_number)
    }),
    case(
        "MS-OXCMSG 2.2.3.16.1",
        Attachment,
        &[4, 8, 0x80],
        0,
        |_, v| Rop::new(0x46, 0).u8(1).u16(0x0FFF).u8(low(v)),
    ),
    case("MS-OXCPRPT 2.2.9.1", Message, &[4, 8, 0x80], 0, |_, v| {
        Rop::new(0x5F, 0).u8(low(v)).u8(0)
    }),
    case("MS-OXCPRPT 2.2.9.1", Message, TRUE, 0, |_, v| {
        Rop::new(0x5F, 0).u8(0).u8(low(v)).bytes(&[5; 16])
    }),
    // No flag but Create maps a name that is not known: its id is 0 (MS-OXCPRPT 2.2.12.2).
    case("MS-OXCPRPT 2.2.12.1", Message, &[1, 4, 0x80], 0, |_, v| {
        let rop = Rop::new(0x56, 0).u8(low(v)).u16(1).u8(0);
        rop.bytes(&[0x66; 16]).u32(0x8502)
    }),
    case("MS-OXCPRPT 2.2.2.1", Message, &[2, 0xFFFF], 0, |_, v| {
        Rop::new(0x07, 0).u16(0).u16(short(v)).tags(&[tag::SUBJECT])
    }),
    case("MS-OXCPRPT 2.2.3.1", Message, &[2, 0xFFFF], 0, |_, v| {
        Rop::new(0x08, 0).u16(0).u16(short(v))
    }),
    to(
        Kind::Associated,
        case("MS-OXCPRPT 2.2.10.1", Message, TRUE, 0, |_, v| {
            let rop = Rop::new(0x67, 0).u8(1).u8(low(v)).u8(0);
            rop.tags(&[tag::SUBJECT])
        }),
    ),
    to(
        Kind::Associated,
        case("MS-OXCPRPT 2.2.11.1", Message, TRUE, 0, |_, v| {
            let rop = Rop::new(0x39, 0).u8(1).u8(low(v)).u8(low(v));
            rop.u8(0).tags(&[])
        }),
    ),
    // Nothing goes on: whatever is asked for.
    case(
        "MS-OXCPRPT 2.2.23.1",
        Folder,
        &[0, 1, 2, 0xFF],
        code::NOT_SUPPORTED,
        |_, v| Rop::new(0x50, 0).u8(low(v)),
    ),
    case(
        "MS-OXCPRPT 2.2.14.1",
        Message,
        &[4, 8, 0xFF],
        code::INVALID_PARAMETER,
        |_, v| Rop::new(0x2B, 0).u8(1).u32(0x7801_0102).u8(low(v)),
    ),
    case(
        "MS-OXCPRPT 2.2.24.1",
        Stream,
        &[0, 2, 0x8000_0000],
        0,
        |_, v| Rop::new(0x5B, 0).u64(u64::from(v)).u64(1).u32(v),
    ),
    case(
        "MS-OXCPRPT 2.2.25.1",
        Stream,
        &[0, 2, 0x8000_0000],
        0,
        |_, v| Rop::new(0x5C, 0).u64(9).u64(1).u32(v),
    ),
    case("MS-OXCSTOR 2.2.1.12.1", Logon, TRUE, 0, |w, v| {
        let rop = Rop::new(0x63, 0).bytes(&w.long_id).u8(low(v));
        rop.u32(0).u16(0)
    }),
    case("MS-OXCSTOR 2.2.1.13.1", Logon, TRUE, 0, |w, v| {
        let rop = Rop::new(0x64, 0).bytes(&w.long_id).u8(low(v)).u32(0);
        rop.sized(&[0; 17]).bytes(&[8; 16])
    }),
];

#[test]
fn values_that_a_field_cannot_have_are_refused_or_ignored() {
    let mut wrong = Vec::new();
    for case in CASES {
        let mut world = World::new();
        for value in case.values {
            let second = case.second.map_or(NO_HANDLE, |kind| world.handle(kind));
            let object = world.handle(case.on);
            let rop = (case.request)(&world.ids(case.on), *value);
            // RopLogon stands for itself.
            let object = match rop.id() {
                0xFE => NO_HANDLE,
                _ => object,
            };
            let got = ask(&mut world, &rop, &[object, second]).unwrap_or(0);
            if got != case.expected {
                wrong.push(format!(
                    "{}, {value:#x} in {:#04x}: {got:#010x} instead of {:#010x}",
                    case.section,
                    rop.id(),
                    case.expected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Those that have neither flags, nor Booleans, nor what is reserved.
const WITHOUT: [u8; 44] = [
    0x3B, 0x01, 0x27, 0x26, 0x68, 0x7B, 0x42, 0x45, 0x60, 0x61, 0x43, 0x44, 0x57, 0x38, 0x16, 0x17,
    0x1B, 0x37, 0x81, 0x89, 0x59, 0x5A, 0x6B, 0x6C, 0x1F, 0x20, 0x52, 0x23, 0x24, 0x0E, 0x09, 0x0A,
    0x79, 0x0B, 0x7A, 0x55, 0x2C, 0x2D, 0x90, 0xA3, 0x2F, 0x5D, 0x5E, 0x3A,
];

#[test]
fn every_rop_with_flags_has_its_case() {
    let world = World::new();
    let asked = |case: &Case| (case.request)(&world.ids(Kind::Folder), case.values[0]).id();
    let cases: Vec<u8> = CASES.iter().map(asked).collect();
    for row in crate::rows() {
        let has_case = cases.contains(&row.id);
        assert_ne!(has_case, WITHOUT.contains(&row.id), "{:#04x}", row.id);
    }
}
