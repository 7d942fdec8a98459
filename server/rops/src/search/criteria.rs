//! The criteria of a search folder as they are kept: in the folder's bag, under a tag that no client
//! sees.

use ropewalk_props::{Bag, BagView, GlobCnt, PropTag, PropType, PropValue, Slot};
use ropewalk_store::Store;
use ropewalk_wire::{
    DecodeError, ErrorCode, Put, Reader,
    restriction::Restriction,
    value::{Form, TaggedPropertyValue},
};

use crate::{
    code_page::CodePage,
    limits::SEARCH_CRITERIA_BYTES_MAX,
    property::value::{to_narrow, to_stored},
    store_error,
    table::filter::Filter,
};

/// SearchFlags of RopSetSearchCriteria (MS-OXCFOLD 2.2.1.4.1).
pub mod set_flags {
    /// STOP_SEARCH.
    pub const STOP: u32 = 0x0000_0001;
    /// RESTART_SEARCH, the default.
    pub const RESTART: u32 = 0x0000_0002;
    /// RECURSIVE_SEARCH.
    pub const RECURSIVE: u32 = 0x0000_0004;
    /// SHALLOW_SEARCH, the default.
    pub const SHALLOW: u32 = 0x0000_0008;
    /// FOREGROUND_SEARCH and BACKGROUND_SEARCH of IMAPIContainer::SetSearchCriteria, which are hints:
    /// among the valid bits, without a description.
    pub const FOREGROUND: u32 = 0x0000_0010;
    /// See [`FOREGROUND`].
    pub const BACKGROUND: u32 = 0x0000_0020;
    /// CONTENT_INDEXED_SEARCH.
    pub const CONTENT_INDEXED: u32 = 0x0001_0000;
    /// NON_CONTENT_INDEXED_SEARCH.
    pub const NON_CONTENT_INDEXED: u32 = 0x0002_0000;
    /// STATIC_SEARCH.
    pub const STATIC: u32 = 0x0004_0000;
}

/// Where a folder's bag has its criteria, and the results of a static search. They are ids for the
/// provider's own use (MS-OXPROPS 1.3.3), whose properties go nowhere.
pub const CRITERIA: PropTag = PropTag(0x67FC_0102);
/// See [`CRITERIA`].
pub const RESULTS: PropTag = PropTag(0x67FD_0102);

/// What a search folder searches for, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// Rises when the search starts again.
    pub serial: u32,
    /// [`set_flags::RECURSIVE`], [`set_flags::STATIC`] and, for a search that was stopped before it
    /// was complete, [`set_flags::STOP`].
    pub flags: u32,
    /// The folders named, as they were named.
    pub folders: Vec<GlobCnt>,
    /// RestrictionData with all text in Unicode.
    pub restriction: Vec<u8>,
}

/// The first byte of what is kept.
const FORMAT: u8 = 1;

impl Criteria {
    /// Whether a flag is set.
    pub const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// The criteria in a folder's bag; `None` before they are set.
    pub fn of(props: &Bag, store: &Store) -> Result<Option<Self>, ErrorCode> {
        Ok(kept(props, CRITERIA, store)?.and_then(|bytes| Self::decode(&bytes)))
    }

    /// Whether a folder's bag has criteria of a search that was not stopped.
    pub fn are_active(props: &Bag, store: &Store) -> bool {
        let criteria = Self::of(props, store).ok().flatten();
        criteria.is_some_and(|criteria| !criteria.has(set_flags::STOP))
    }

    /// The value of [`CRITERIA`].
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(11 + 8 * self.folders.len() + self.restriction.len());
        out.put_u8(FORMAT);
        out.put_u32(self.serial);
        out.put_u32(self.flags);
        out.put_u16(u16::try_from(self.folders.len()).unwrap_or(u16::MAX));
        self.folders.iter().for_each(|id| out.put_u64(id.0));
        out.put_bytes(&self.restriction);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader::new(bytes);
        if input.u8().ok()? != FORMAT {
            return None;
        }
        let (serial, flags) = (input.u32().ok()?, input.u32().ok()?);
        let count = input.u16().ok()?;
        let folders = (0..count).map(|_| input.u64().ok().map(GlobCnt));
        Some(Self {
            serial,
            flags,
            folders: folders.collect::<Option<_>>()?,
            restriction: input.take_rest().to_vec(),
        })
    }
}

/// A hidden value of a folder's bag.
pub fn kept(props: &Bag, tag: PropTag, store: &Store) -> Result<Option<Vec<u8>>, ErrorCode> {
    /// More than the results of any search take.
    const KEPT_BYTES_MAX: u64 = 256 << 20;
    Ok(match props.slot(tag.id()) {
        Some((kept, Slot::Inline(value))) if kept == tag => Some(value.data.to_vec()),
        Some((kept, Slot::External(blob))) if kept == tag => {
            Some(store_error::load(store, blob, KEPT_BYTES_MAX)?)
        }
        _ => None,
    })
}

/// RestrictionData as it is kept: PtypString8 in `code_page` becomes PtypString.
///
/// `ecInvalidParam` for bytes that are no restriction; `ecTooComplex` for one that no message can be
/// tested with, is nested too deeply, or is too long to be sent back.
pub fn restriction_to_keep(data: &[u8], code_page: CodePage) -> Result<Vec<u8>, ErrorCode> {
    let restriction = Restriction::from_bytes(data, Form::Rop).map_err(|error| match error {
        DecodeError::TooDeep(_) | DecodeError::TooMany(_) => ErrorCode::TOO_COMPLEX,
        _ => ErrorCode::INVALID_PARAM,
    })?;
    let restriction = converted(restriction, &unicode, &|value| to_stored(value, code_page));
    Rule::new(&restriction)?;
    let mut out = Vec::new();
    let encoded = restriction.encode(&mut out, Form::Rop);
    encoded.map_err(|_| ErrorCode::TOO_COMPLEX)?;
    if out.len() > SEARCH_CRITERIA_BYTES_MAX {
        return Err(ErrorCode::TOO_COMPLEX);
    }
    Ok(out)
}

/// RestrictionData with its PtypString8 values, in `code_page`, as PtypString, and else as it is;
/// `ecInvalidParam` for bytes that are none, or that are too long then.
pub fn restriction_in_unicode(data: &[u8], code_page: CodePage) -> Result<Vec<u8>, ErrorCode> {
    const INVALID: ErrorCode = ErrorCode::INVALID_PARAM;
    let restriction = Restriction::from_bytes(data, Form::Rop).map_err(|_| INVALID)?;
    let wide = converted(restriction.clone(), &unicode, &|value| {
        to_stored(value, code_page)
    });
    if wide == restriction {
        return Ok(data.to_vec());
    }
    let mut out = Vec::new();
    wide.encode(&mut out, Form::Rop).map_err(|_| INVALID)?;
    Ok(out)
}

/// RestrictionData for a client that does not want Unicode (MS-OXCFOLD 2.2.1.5.1, UseUnicode).
pub fn restriction_in(kept: &[u8], code_page: CodePage) -> Result<Vec<u8>, ErrorCode> {
    let restriction = Restriction::from_bytes(kept, Form::Rop).map_err(|_| ErrorCode::ERROR)?;
    let string8 = |value| to_narrow(value, code_page);
    let mut out = Vec::new();
    converted(restriction, &not_unicode, &string8)
        .encode(&mut out, Form::Rop)
        .map_err(|_| ErrorCode::ERROR)?;
    Ok(out)
}

fn unicode(ty: PropType) -> PropType {
    match ty {
        PropType::STRING8 => PropType::STRING,
        PropType::MULTIPLE_STRING8 => PropType::MULTIPLE_STRING,
        ty => ty,
    }
}

fn not_unicode(ty: PropType) -> PropType {
    match ty {
        PropType::STRING => PropType::STRING8,
        PropType::MULTIPLE_STRING => PropType::MULTIPLE_STRING8,
        ty => ty,
    }
}

/// A restriction with other types and values.
fn converted(
    restriction: Restriction,
    ty: &dyn Fn(PropType) -> PropType,
    value: &dyn Fn(PropValue) -> PropValue,
) -> Restriction {
    use Restriction::*;
    let tag_of = |tag: PropTag| tag.with_type(ty(tag.ty()));
    let tagged = |tagged: TaggedPropertyValue| {
        let value = value(tagged.value);
        // A NUL inside, or nothing that the other type can say, leaves it what it was.
        TaggedPropertyValue {
            tag: tagged.tag.with_type(value.ty()),
            value,
        }
    };
    let child = |child: Box<Restriction>| Box::new(converted(*child, ty, value));
    let children = |children: Vec<Restriction>| {
        let children = children.into_iter();
        children.map(|child| converted(child, ty, value)).collect()
    };
    match restriction {
        And(all) => And(children(all)),
        Or(any) => Or(children(any)),
        Not(not) => Not(child(not)),
        Content {
            fuzzy_level_low,
            fuzzy_level_high,
            property_tag,
            tagged_value,
        } => Content {
            fuzzy_level_low,
            fuzzy_level_high,
            property_tag: tag_of(property_tag),
            tagged_value: tagged(tagged_value),
        },
        Property {
            rel_op,
            prop_tag,
            tagged_value,
        } => Property {
            rel_op,
            prop_tag: tag_of(prop_tag),
            tagged_value: tagged(tagged_value),
        },
        CompareProperties {
            rel_op,
            prop_tag1,
            prop_tag2,
        } => CompareProperties {
            rel_op,
            prop_tag1: tag_of(prop_tag1),
            prop_tag2: tag_of(prop_tag2),
        },
        BitMask { .. } => restriction,
        Size {
            rel_op,
            prop_tag,
            size,
        } => Size {
            rel_op,
            prop_tag: tag_of(prop_tag),
            size,
        },
        Exist { prop_tag } => Exist {
            prop_tag: tag_of(prop_tag),
        },
        SubObject {
            subobject,
            restriction,
        } => SubObject {
            subobject,
            restriction: child(restriction),
        },
        Comment {
            tagged_values,
            restriction,
        } => Comment {
            tagged_values: tagged_values.into_iter().map(tagged).collect(),
            restriction: restriction.map(child),
        },
        Count {
            count,
            sub_restriction,
        } => Count {
            count,
            sub_restriction: child(sub_restriction),
        },
    }
}

/// A restriction made ready for messages, one by one.
#[derive(Debug)]
pub struct Rule {
    /// What a message has to match.
    pub filter: Filter,
    /// How many of those that match are found, the newest: of a count restriction around it all
    /// (MS-OXCDATA 2.12.11).
    pub limit: Option<usize>,
}

impl Rule {
    /// `ecTooComplex` for a restriction that no message can be tested with alone.
    pub fn new(restriction: &Restriction) -> Result<Self, ErrorCode> {
        // All text is in Unicode: the code page does not matter.
        let code_page = CodePage::new(1252);
        let (restriction, limit) = match restriction {
            Restriction::Count {
                count,
                sub_restriction,
            } => {
                let limit = usize::try_from(*count).unwrap_or(usize::MAX);
                (&**sub_restriction, Some(limit))
            }
            restriction => (restriction, None),
        };
        let filter = Filter::new(restriction, code_page)?;
        if filter.counts() {
            return Err(ErrorCode::TOO_COMPLEX);
        }
        Ok(Self { filter, limit })
    }

    /// That of criteria.
    pub fn of(criteria: &Criteria) -> Result<Self, ErrorCode> {
        let restriction = Restriction::from_bytes(&criteria.restriction, Form::Rop);
        Self::new(&restriction.map_err(|_| ErrorCode::TOO_COMPLEX)?)
    }
}
