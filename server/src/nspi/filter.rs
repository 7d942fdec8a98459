//! Restrictions on the rows of the Global Address List (MS-OXNSPI 3.1.4.1.10, constraint 8).
//!
//! Strings are compared without regard to case, as they are sorted. A comparison with a property
//! that a user lacks is false (MS-OXCDATA 2.12).

use std::cmp::Ordering;

use ropewalk_props::{PropTag, PropType, PropValue, tags};
use ropewalk_wire::{
    ErrorCode,
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use super::{
    book::{Row, fold},
    names::Name,
    property::View,
};

/// FuzzyLevelLow of a content restriction: the whole value (MS-OXCDATA 2.12.4.1).
const FL_FULLSTRING: u16 = 0;
/// A part of the value.
const FL_SUBSTRING: u16 = 1;
/// The beginning of the value.
const FL_PREFIX: u16 = 2;

/// The most parts that a restriction may have; each is held against every user.
const PARTS_MAX: usize = 256;

/// TooComplex for a restriction of more than [`PARTS_MAX`] parts.
pub fn check_size(restriction: &Restriction) -> Result<(), ErrorCode> {
    match parts(restriction) {
        ..=PARTS_MAX => Ok(()),
        _ => Err(ErrorCode::TOO_COMPLEX),
    }
}

/// The number of restrictions in one, itself included; decoding bounds it, and the depth.
fn parts(restriction: &Restriction) -> usize {
    let below = match restriction {
        Restriction::And(children) | Restriction::Or(children) => children.iter().map(parts).sum(),
        Restriction::Not(child)
        | Restriction::SubObject {
            restriction: child, ..
        }
        | Restriction::Count {
            sub_restriction: child,
            ..
        }
        | Restriction::Comment {
            restriction: Some(child),
            ..
        } => parts(child),
        _ => 0,
    };
    below + 1
}

/// Whether a row satisfies a restriction; TooComplex for kinds that an address book cannot have.
pub fn matches(view: &View, row: &Row, restriction: &Restriction) -> Result<bool, ErrorCode> {
    let native = |tag: PropTag| view.native(&row.user, tag.id());
    Ok(match restriction {
        // Each part is looked at, so that what is too complex does not depend on the rows.
        Restriction::And(parts) => {
            let parts = parts.iter().map(|part| matches(view, row, part));
            parts
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .all(|is| is)
        }
        Restriction::Or(parts) => {
            let parts = parts.iter().map(|part| matches(view, row, part));
            parts
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .any(|is| is)
        }
        Restriction::Not(part) => !matches(view, row, part)?,
        Restriction::Content {
            fuzzy_level_low,
            property_tag,
            tagged_value,
            ..
        } => content(view, row, *property_tag, *fuzzy_level_low, tagged_value)?,
        Restriction::Property {
            rel_op,
            prop_tag,
            tagged_value,
        } => property(view, row, *rel_op, *prop_tag, tagged_value)?,
        Restriction::CompareProperties {
            rel_op,
            prop_tag1,
            prop_tag2,
        } => match (native(*prop_tag1), native(*prop_tag2)) {
            (Some(one), Some(other)) => relates(*rel_op, compare(view, &one, &other))?,
            _ => false,
        },
        Restriction::BitMask {
            bitmap_rel_op,
            prop_tag,
            mask,
        } => match native(*prop_tag) {
            Some(PropValue::Integer32(value)) => {
                let set = value as u32 & mask != 0;
                match bitmap_rel_op {
                    0 => !set,
                    1 => set,
                    _ => return Err(ErrorCode::TOO_COMPLEX),
                }
            }
            _ => false,
        },
        Restriction::Size {
            rel_op,
            prop_tag,
            size,
        } => match native(*prop_tag) {
            Some(value) => {
                let mut packed = Vec::new();
                value.pack(&mut packed);
                relates(*rel_op, Some((packed.len() as u64).cmp(&u64::from(*size))))?
            }
            None => false,
        },
        Restriction::Exist { prop_tag } => native(*prop_tag).is_some(),
        Restriction::Comment { restriction, .. } => match restriction {
            Some(part) => matches(view, row, part)?,
            None => true,
        },
        Restriction::SubObject { .. } | Restriction::Count { .. } => {
            return Err(ErrorCode::TOO_COMPLEX);
        }
    })
}

/// A property restriction. PidTagAnr is no property but a question: is this name the user's?
fn property(
    view: &View,
    row: &Row,
    rel_op: RelOp,
    tag: PropTag,
    tagged: &TaggedPropertyValue,
) -> Result<bool, ErrorCode> {
    if tag.id() == tags::PID_TAG_ANR.id() {
        let name = text(view, &tagged.value).and_then(|name| Name::parse(&name));
        return Ok(name.is_some_and(|name| name.matches(row)));
    }
    let Some(value) = view.native(&row.user, tag.id()) else {
        // Checks the operator for rows without the property too.
        return relates(rel_op, None);
    };
    any_of(&value, |value| {
        relates(rel_op, compare(view, value, &tagged.value))
    })
}

fn content(
    view: &View,
    row: &Row,
    tag: PropTag,
    fuzzy_level_low: u16,
    tagged: &TaggedPropertyValue,
) -> Result<bool, ErrorCode> {
    let part: fn(&str, &str) -> bool = match fuzzy_level_low {
        FL_FULLSTRING => |whole, part| whole == part,
        FL_SUBSTRING => |whole, part| whole.contains(part),
        FL_PREFIX => |whole, part| whole.starts_with(part),
        _ => return Err(ErrorCode::TOO_COMPLEX),
    };
    if tag.id() == tags::PID_TAG_ANR.id() {
        return property(view, row, RelOp::EQUAL, tag, tagged);
    }
    let Some(wanted) = text(view, &tagged.value) else {
        // Only strings have parts here.
        return Err(ErrorCode::TOO_COMPLEX);
    };
    let wanted = fold(&wanted);
    let Some(value) = view.native(&row.user, tag.id()) else {
        return Ok(false);
    };
    any_of(&value, |value| {
        Ok(text(view, value).is_some_and(|whole| part(&fold(&whole), &wanted)))
    })
}

/// A multi-valued property satisfies what one of its values does.
fn any_of(
    value: &PropValue,
    mut is: impl FnMut(&PropValue) -> Result<bool, ErrorCode>,
) -> Result<bool, ErrorCode> {
    match value {
        PropValue::MultipleString(texts) => {
            for text in texts {
                if is(&PropValue::String(text.clone()))? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        value => is(value),
    }
}

/// A string of either type.
fn text(view: &View, value: &PropValue) -> Option<String> {
    match value {
        PropValue::String(text) => Some(text.to_string()),
        PropValue::String8(bytes) => Some(view.code_page.decode(bytes)),
        _ => None,
    }
}

/// How two values compare; `None` where they do not.
fn compare(view: &View, one: &PropValue, other: &PropValue) -> Option<Ordering> {
    if one.ty().is_string() && other.ty().is_string() {
        return Some(fold(&text(view, one)?).cmp(&fold(&text(view, other)?)));
    }
    match (one, other) {
        (PropValue::Integer32(one), PropValue::Integer32(other)) => Some(one.cmp(other)),
        (PropValue::Boolean(one), PropValue::Boolean(other)) => Some(one.cmp(other)),
        (PropValue::Time(one), PropValue::Time(other)) => Some(one.cmp(other)),
        (PropValue::Binary(one), PropValue::Binary(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

fn relates(rel_op: RelOp, ordering: Option<Ordering>) -> Result<bool, ErrorCode> {
    let is: fn(Ordering) -> bool = match rel_op {
        RelOp::LESS_THAN => Ordering::is_lt,
        RelOp::LESS_THAN_OR_EQUAL => Ordering::is_le,
        RelOp::GREATER_THAN => Ordering::is_gt,
        RelOp::GREATER_THAN_OR_EQUAL => Ordering::is_ge,
        RelOp::EQUAL => Ordering::is_eq,
        RelOp::NOT_EQUAL => Ordering::is_ne,
        _ => return Err(ErrorCode::TOO_COMPLEX),
    };
    Ok(ordering.is_some_and(is))
}

/// PidTagDisplayName of either string type, as SeekEntries wants it; its folded text.
pub fn display_name(view: &View, tagged: &TaggedPropertyValue) -> Option<String> {
    let is_name = tagged.tag.id() == tags::PID_TAG_DISPLAY_NAME.id()
        && matches!(tagged.tag.ty(), PropType::STRING | PropType::STRING8);
    is_name
        .then(|| text(view, &tagged.value))?
        .map(|name| fold(&name))
}

#[cfg(test)]
mod tests {
    use ropewalk_props::Guid;

    use super::{
        super::{book::tests::book, code_page::CodePage},
        *,
    };

    fn found(restriction: &Restriction) -> Result<Vec<u32>, ErrorCode> {
        let book = book(&[("Ada Lovelace", "ada"), ("Zoë", "zoe"), ("Bob", "bob")]);
        let view = View {
            server_guid: Guid::NIL,
            code_page: CodePage::new(1252).unwrap(),
            ephemeral: false,
        };
        let mut ids = Vec::new();
        for row in book.rows() {
            if matches(&view, row, restriction)? {
                ids.push(row.user.minimal_id);
            }
        }
        Ok(ids)
    }

    fn tagged(tag: PropTag, value: PropValue) -> TaggedPropertyValue {
        TaggedPropertyValue { tag, value }
    }

    fn property(rel_op: RelOp, tag: PropTag, value: PropValue) -> Restriction {
        Restriction::Property {
            rel_op,
            prop_tag: tag,
            tagged_value: tagged(tag, value),
        }
    }

    fn content(low: u16, tag: PropTag, text: &str) -> Restriction {
        Restriction::Content {
            fuzzy_level_low: low,
            fuzzy_level_high: 1,
            property_tag: tag,
            tagged_value: tagged(tag, PropValue::text(text)),
        }
    }

    const NAME: PropTag = tags::PID_TAG_DISPLAY_NAME;
    const NAME8: PropTag = PropTag(0x3001_001E);
    const NOBODY: [u32; 0] = [];

    #[test]
    fn names_are_searched_by_anr() {
        let anr = |text: &str| property(RelOp::EQUAL, tags::PID_TAG_ANR, PropValue::text(text));
        assert_eq!(found(&anr("ad")).unwrap(), [0x10]);
        assert_eq!(found(&anr("love")).unwrap(), [0x10]);
        assert_eq!(found(&anr("=Bob")).unwrap(), [0x12]);
        assert_eq!(found(&anr("")).unwrap(), NOBODY);
        let anr8 = property(
            RelOp::EQUAL,
            PropTag(0x360C_001E),
            PropValue::String8(b"ZO\xCB".into()),
        );
        assert_eq!(found(&anr8).unwrap(), [0x11]);
    }

    #[test]
    fn strings_compare_without_regard_to_case() {
        let name = |rel_op| found(&property(rel_op, NAME, PropValue::text("BOB"))).unwrap();
        assert_eq!(name(RelOp::EQUAL), [0x12]);
        assert_eq!(name(RelOp::NOT_EQUAL), [0x10, 0x11]);
        assert_eq!(name(RelOp::LESS_THAN), [0x10]);
        assert_eq!(name(RelOp::LESS_THAN_OR_EQUAL), [0x10, 0x12]);
        assert_eq!(name(RelOp::GREATER_THAN), [0x11]);
        assert_eq!(name(RelOp::GREATER_THAN_OR_EQUAL), [0x12, 0x11]);
        let zoe = property(RelOp::EQUAL, NAME8, PropValue::String8(b"Zo\xEB".into()));
        assert_eq!(found(&zoe).unwrap(), [0x11]);
        assert_eq!(found(&content(0, NAME, "bob")).unwrap(), [0x12]);
        assert_eq!(found(&content(1, NAME, "LOVE")).unwrap(), [0x10]);
        assert_eq!(found(&content(2, NAME, "a")).unwrap(), [0x10]);
        let proxy = tags::PID_TAG_ADDRESS_BOOK_PROXY_ADDRESSES;
        assert_eq!(found(&content(2, proxy, "smtp:zoe@")).unwrap(), [0x11]);
    }

    #[test]
    fn absent_properties_fail_every_comparison() {
        let office = tags::PID_TAG_OFFICE_LOCATION;
        for rel_op in [RelOp::EQUAL, RelOp::NOT_EQUAL, RelOp::LESS_THAN] {
            let restriction = property(rel_op, office, PropValue::text("x"));
            assert_eq!(found(&restriction).unwrap(), NOBODY);
            let not = Restriction::Not(Box::new(restriction));
            assert_eq!(found(&not).unwrap(), [0x10, 0x12, 0x11]);
        }
        assert_eq!(
            found(&Restriction::Exist { prop_tag: office }).unwrap(),
            NOBODY
        );
        assert_eq!(
            found(&Restriction::Exist { prop_tag: NAME }).unwrap().len(),
            3
        );
    }

    #[test]
    fn restrictions_combine() {
        let bob = content(0, NAME, "bob");
        let a = content(2, NAME, "a");
        let both = vec![bob.clone(), a.clone()];
        assert_eq!(found(&Restriction::Or(both.clone())).unwrap(), [0x10, 0x12]);
        assert_eq!(found(&Restriction::And(both)).unwrap(), NOBODY);
        assert_eq!(found(&Restriction::And(vec![])).unwrap().len(), 3);
        let bits = |bitmap_rel_op, mask| {
            found(&Restriction::BitMask {
                bitmap_rel_op,
                prop_tag: tags::PID_TAG_OBJECT_TYPE,
                mask,
            })
        };
        assert_eq!(bits(1, 4).unwrap().len(), 3);
        assert_eq!(bits(0, 4).unwrap(), NOBODY);
        let size = Restriction::Size {
            rel_op: RelOp::LESS_THAN,
            prop_tag: NAME,
            size: 8,
        };
        assert_eq!(found(&size).unwrap(), [0x12, 0x11]);
    }

    #[test]
    fn a_restriction_of_many_parts_is_too_complex() {
        let of = |len| {
            let not = Restriction::Not(Box::new(content(0, NAME, "bob")));
            check_size(&Restriction::Or(vec![not; len]))
        };
        assert_eq!(of(127), Ok(()));
        assert_eq!(of(128), Err(ErrorCode::TOO_COMPLEX));
    }

    #[test]
    fn what_an_address_book_cannot_have_is_too_complex() {
        let count = Restriction::Count {
            count: 1,
            sub_restriction: Box::new(content(0, NAME, "bob")),
        };
        let or = Restriction::Or(vec![content(1, NAME, ""), count.clone()]);
        for restriction in [
            count,
            or,
            property(RelOp(0x64), NAME, PropValue::text("x")),
            property(
                RelOp(0x06),
                tags::PID_TAG_OFFICE_LOCATION,
                PropValue::text("x"),
            ),
            content(7, NAME, "x"),
        ] {
            assert_eq!(found(&restriction), Err(ErrorCode::TOO_COMPLEX));
        }
    }
}
