//! Flags that the specification does not define, and other fields with values that they cannot have.

use ropewalk_tests::{
    client::{NO_HANDLE, Rop, logon_rop, restriction_bytes},
    fixture::{code, shared, tag},
};
use ropewalk_wire::restriction::Restriction;

use crate::{
    ask,
    world::{
        Kind::{self, Attachment, Contents, Folder, Logon, Message, Stream},
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
    request: fn(&World, u32) -> Rop,
}

const fn case(
    section: &'static str,
    on: Kind,
    values: &'static [u32],
    expected: u32,
    request: fn(&World, u32) -> Rop,
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
];

#[test]
fn values_that_a_field_cannot_have_are_refused_or_ignored() {
    let mut wrong = Vec::new();
    for case in CASES {
        let mut world = World::new();
        for value in case.values {
            let rop = (case.request)(&world, *value);
            let second = case.second.map_or(NO_HANDLE, |kind| world.handle(kind));
            // RopLogon stands for itself.
            let object = match rop.id() {
                0xFE => NO_HANDLE,
                _ => world.handle(case.on),
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
