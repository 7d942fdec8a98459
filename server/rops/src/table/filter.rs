//! Restrictions made ready to be asked about many rows (MS-OXCDATA 2.12).

use std::{cell::Cell, cmp::Ordering};

use ropewalk_props::{PropTag, PropType, PropValue, ValueRef, tags::*};
use ropewalk_store::{MessageEntry, Store};
use ropewalk_wire::{
    ErrorCode,
    restriction::{RelOp, Restriction},
    value::{Form, TaggedPropertyValue},
};

use super::compare::{Fuzzy, compare};
use crate::{
    attachment::AttachmentProperties,
    code_page::CodePage,
    limits::SEARCHED_BYTES_MAX,
    message::properties::is_of_entry,
    property::value::{Found, Properties, in_bag, to_stored},
    view::{MessageView, RecipientView},
};

/// A restriction that can be evaluated: its constants are packed, its operators known.
#[derive(Debug)]
pub enum Filter {
    /// All of them.
    And(Vec<Filter>),
    /// At least one of them.
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
    /// A string or binary holds, starts with or is another.
    Content {
        /// The property.
        tag: PropTag,
        /// How it has to match.
        fuzzy: Fuzzy,
        /// What it has to match.
        value: Constant,
    },
    /// A property compares with a constant.
    Property {
        /// How.
        op: Relation,
        /// The property.
        tag: PropTag,
        /// The constant.
        value: Constant,
    },
    /// Two properties compare.
    Compare {
        /// How.
        op: Relation,
        /// The one on the left.
        left: PropTag,
        /// The one on the right.
        right: PropTag,
    },
    /// Bits of an integer are all clear, or not.
    BitMask {
        /// The property.
        tag: PropTag,
        /// The bits.
        mask: u32,
        /// Whether one of them has to be set.
        nonzero: bool,
    },
    /// The size of a value compares with a number of bytes.
    Size {
        /// How.
        op: Relation,
        /// The property.
        tag: PropTag,
        /// Bytes.
        size: u32,
        /// For the size of a PtypString8.
        code_page: CodePage,
    },
    /// The property is there.
    Exist(PropTag),
    /// One of the recipients matches.
    Recipients(Box<Filter>),
    /// One of the attachments matches.
    Attachments(Box<Filter>),
    /// The first matches, as many as `limit`.
    Count {
        /// How many.
        limit: u32,
        /// Matches so far.
        seen: Cell<u32>,
        /// What has to match.
        filter: Box<Filter>,
    },
}

/// A packed value.
#[derive(Debug)]
pub struct Constant {
    ty: PropType,
    data: Vec<u8>,
}

impl Constant {
    pub(super) fn value_ref(&self) -> ValueRef<'_> {
        ValueRef {
            ty: self.ty,
            data: &self.data,
        }
    }
}

/// A relational operator (MS-OXCDATA 2.12.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names are those of the specification.
pub enum Relation {
    LessThan,
    LessThanOrEqual,
    GreaterThan,
    GreaterThanOrEqual,
    Equal,
    NotEqual,
}

impl Relation {
    fn new(op: RelOp) -> Result<Self, ErrorCode> {
        Ok(match op {
            RelOp::LESS_THAN => Self::LessThan,
            RelOp::LESS_THAN_OR_EQUAL => Self::LessThanOrEqual,
            RelOp::GREATER_THAN => Self::GreaterThan,
            RelOp::GREATER_THAN_OR_EQUAL => Self::GreaterThanOrEqual,
            RelOp::EQUAL => Self::Equal,
            RelOp::NOT_EQUAL => Self::NotEqual,
            // Membership of a distribution list is for address books; the rest is not specified.
            _ => return Err(ErrorCode::TOO_COMPLEX),
        })
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::LessThan => order == Ordering::Less,
            Self::LessThanOrEqual => order != Ordering::Greater,
            Self::GreaterThan => order == Ordering::Greater,
            Self::GreaterThanOrEqual => order != Ordering::Less,
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
        }
    }
}

/// The subobjects that a restriction can look into (MS-OXCDATA 2.12.10).
const MESSAGE_RECIPIENTS: PropTag = PropTag(0x0E12_000D);
const MESSAGE_ATTACHMENTS: PropTag = PropTag(0x0E13_000D);

impl Filter {
    /// Reads RestrictionData.
    ///
    /// `ecInvalidParam` for bytes that are no restriction, `ecTooComplex` for one that no row can
    /// be tested with: unknown operators, values that do not fit their property's type.
    pub fn parse(data: &[u8], code_page: CodePage) -> Result<Self, ErrorCode> {
        let restriction =
            Restriction::from_bytes(data, Form::Rop).map_err(|_| ErrorCode::INVALID_PARAM)?;
        Self::new(&restriction, code_page)
    }

    /// Makes a restriction ready. PtypString8 values are taken to be in `code_page`.
    pub fn new(restriction: &Restriction, code_page: CodePage) -> Result<Self, ErrorCode> {
        let child = |restriction: &Restriction| Self::new(restriction, code_page).map(Box::new);
        let children = |restrictions: &[Restriction]| {
            restrictions
                .iter()
                .map(|child| Self::new(child, code_page))
                .collect::<Result<_, _>>()
        };
        Ok(match restriction {
            Restriction::And(all) => Self::And(children(all)?),
            Restriction::Or(any) => Self::Or(children(any)?),
            Restriction::Not(not) => Self::Not(child(not)?),
            Restriction::Content {
                fuzzy_level_low,
                fuzzy_level_high,
                property_tag,
                tagged_value,
            } => {
                let fuzzy = Fuzzy {
                    low: *fuzzy_level_low,
                    high: *fuzzy_level_high,
                };
                let value = constant(*property_tag, tagged_value, code_page)?;
                if !fuzzy.is_known() || !matches!(value.ty, PropType::STRING | PropType::BINARY) {
                    return Err(ErrorCode::TOO_COMPLEX);
                }
                Self::Content {
                    tag: *property_tag,
                    fuzzy,
                    value,
                }
            }
            Restriction::Property {
                rel_op,
                prop_tag,
                tagged_value,
            } => Self::Property {
                op: Relation::new(*rel_op)?,
                tag: *prop_tag,
                value: constant(*prop_tag, tagged_value, code_page)?,
            },
            Restriction::CompareProperties {
                rel_op,
                prop_tag1,
                prop_tag2,
            } => {
                // MS-OXCDATA 2.12.6.1: of one type, single-valued, and booleans have no order.
                let ty = stored_type(prop_tag1.ty());
                let has_order =
                    ty != PropType::BOOLEAN || [RelOp::EQUAL, RelOp::NOT_EQUAL].contains(rel_op);
                if ty != stored_type(prop_tag2.ty()) || ty.is_multi() || !has_order {
                    return Err(ErrorCode::TOO_COMPLEX);
                }
                Self::Compare {
                    op: Relation::new(*rel_op)?,
                    left: *prop_tag1,
                    right: *prop_tag2,
                }
            }
            Restriction::BitMask {
                bitmap_rel_op,
                prop_tag,
                mask,
            } => {
                if *bitmap_rel_op > 1 || prop_tag.ty() != PropType::INTEGER32 {
                    return Err(ErrorCode::TOO_COMPLEX);
                }
                Self::BitMask {
                    tag: *prop_tag,
                    mask: *mask,
                    nonzero: *bitmap_rel_op == 1,
                }
            }
            Restriction::Size {
                rel_op,
                prop_tag,
                size,
            } => Self::Size {
                op: Relation::new(*rel_op)?,
                tag: *prop_tag,
                size: *size,
                code_page,
            },
            Restriction::Exist { prop_tag } => Self::Exist(*prop_tag),
            Restriction::SubObject {
                subobject,
                restriction,
            } => match *subobject {
                MESSAGE_RECIPIENTS => Self::Recipients(child(restriction)?),
                MESSAGE_ATTACHMENTS => Self::Attachments(child(restriction)?),
                _ => return Err(ErrorCode::TOO_COMPLEX),
            },
            Restriction::Comment { restriction, .. } => match restriction {
                Some(restriction) => Self::new(restriction, code_page)?,
                None => Self::And(Vec::new()),
            },
            Restriction::Count {
                count,
                sub_restriction,
            } => Self::Count {
                limit: *count,
                seen: Cell::new(0),
                filter: child(sub_restriction)?,
            },
        })
    }

    /// Whether it asks about single values of this multi-valued property: has its tag with the
    /// instance bit.
    pub fn asks_instances(&self, id: u16) -> bool {
        let is_it = |tag: PropTag| tag.id() == id && tag.ty().0 & PropType::INSTANCE != 0;
        match self {
            Self::And(filters) | Self::Or(filters) => {
                filters.iter().any(|filter| filter.asks_instances(id))
            }
            Self::Not(filter) | Self::Count { filter, .. } => filter.asks_instances(id),
            Self::Content { tag, .. }
            | Self::Property { tag, .. }
            | Self::BitMask { tag, .. }
            | Self::Size { tag, .. }
            | Self::Exist(tag) => is_it(*tag),
            Self::Compare { left, right, .. } => is_it(*left) || is_it(*right),
            // Recipients and attachments are not what a table is expanded by.
            Self::Recipients(_) | Self::Attachments(_) => false,
        }
    }

    /// Whether rows have to be asked in order, from the first.
    pub fn counts(&self) -> bool {
        match self {
            Self::Count { .. } => true,
            Self::And(filters) | Self::Or(filters) => filters.iter().any(Self::counts),
            Self::Not(filter) | Self::Recipients(filter) | Self::Attachments(filter) => {
                filter.counts()
            }
            _ => false,
        }
    }

    /// Starts counting matches again.
    pub fn restart(&self) {
        match self {
            Self::Count { seen, filter, .. } => {
                seen.set(0);
                filter.restart();
            }
            Self::And(filters) | Self::Or(filters) => filters.iter().for_each(Self::restart),
            Self::Not(filter) | Self::Recipients(filter) | Self::Attachments(filter) => {
                filter.restart();
            }
            _ => {}
        }
    }

    /// What must be known of a message to answer.
    pub fn need(&self) -> Need {
        match self {
            Self::And(filters) | Self::Or(filters) => Need::most(filters.iter().map(Self::need)),
            Self::Not(filter) | Self::Count { filter, .. } => filter.need(),
            Self::BitMask {
                tag: PID_TAG_MESSAGE_FLAGS,
                mask,
                ..
            } if mask & !super::message_row::FLAGS_OF_ENTRY == 0 => Need::Entry,
            Self::Property { tag, .. }
            | Self::Content { tag, .. }
            | Self::BitMask { tag, .. }
            | Self::Size { tag, .. }
            | Self::Exist(tag) => Need::of(*tag),
            Self::Compare { left, right, .. } => Need::of(*left).max(Need::of(*right)),
            Self::Recipients(_) | Self::Attachments(_) => Need::Content,
        }
    }

    /// Whether an object matches.
    pub fn matches(&self, store: &Store, object: &dyn Searched) -> bool {
        match self {
            Self::And(all) => all.iter().all(|filter| filter.matches(store, object)),
            Self::Or(any) => any.iter().any(|filter| filter.matches(store, object)),
            Self::Not(filter) => !filter.matches(store, object),
            Self::Content { tag, fuzzy, value } => {
                any_value(store, object, *tag, value.ty, |found| {
                    fuzzy.matches(found, value.value_ref())
                })
            }
            Self::Property { op, tag, value } => {
                any_value(store, object, *tag, value.ty, |found| {
                    compare(found, value.value_ref()).is_some_and(|order| op.holds(order))
                })
            }
            Self::Compare { op, left, right } => {
                let ty = stored_type(left.ty());
                any_value(store, object, *left, ty, |left| {
                    any_value(store, object, *right, ty, |right| {
                        compare(left, right).is_some_and(|order| op.holds(order))
                    })
                })
            }
            Self::BitMask { tag, mask, nonzero } => {
                let found = object.find(*tag);
                let bits = found
                    .as_ref()
                    .and_then(Found::value_ref)
                    .and_then(ValueRef::as_i32);
                bits.is_some_and(|bits| (bits as u32 & mask != 0) == *nonzero)
            }
            Self::Size {
                op,
                tag,
                size,
                code_page,
            } => object.find(*tag).is_some_and(|found| {
                let holds = |bytes: u64| op.holds(bytes.cmp(&u64::from(*size)));
                if !is_of_type(&found, *tag) {
                    return false;
                }
                if found.ty().is_multi() {
                    // MS-OXCDATA 2.12.8.1: the size of the row's own value, or of one of them.
                    let narrow =
                        stored_type(tag.ty()) != PropType(tag.ty().0 & !PropType::INSTANCE);
                    return any_value(store, object, *tag, found.ty().element(), |value| {
                        holds(part_size(value, narrow.then_some(*code_page)))
                    });
                }
                let bytes = narrow_size(store, &found, tag.ty(), *code_page);
                holds(bytes.unwrap_or_else(|| value_size(&found)))
            }),
            Self::Exist(tag) => {
                (object.find_start(*tag, 0)).is_some_and(|found| is_of_type(&found, *tag))
            }
            Self::Recipients(filter) => object.message().is_some_and(|message| {
                message
                    .recipients()
                    .any(|recipient| filter.matches(store, &RecipientProperties(recipient)))
            }),
            Self::Attachments(filter) => object.message().is_some_and(|message| {
                message.attachments().any(|view| {
                    let mailbox = object.mailbox();
                    mailbox.is_some_and(|mailbox| {
                        let properties = AttachmentProperties {
                            mailbox,
                            view,
                            writable: true,
                        };
                        filter.matches(store, &properties)
                    })
                })
            }),
            Self::Count {
                limit,
                seen,
                filter,
            } => {
                let matches = seen.get() < *limit && filter.matches(store, object);
                if matches {
                    seen.set(seen.get() + 1);
                }
                matches
            }
        }
    }
}

/// What a restriction is asked about.
pub trait Searched: Properties {
    /// The message whose recipients and attachments can be looked into.
    fn message(&self) -> Option<MessageView<'_>> {
        None
    }

    /// The mailbox that it is in.
    fn mailbox(&self) -> Option<&ropewalk_store::Mailbox> {
        None
    }

    /// Which of the values of this property the row stands for, if its table has a row for each.
    fn instance(&self, _id: u16) -> Option<u32> {
        None
    }
}

/// A row of a table that is expanded by a multi-valued property (MS-OXCTABL 3.2.5.2): a restriction
/// whose tag has the instance bit is about the one value that the row shows.
pub struct InstanceRow<'a> {
    /// The object that it is a row of.
    pub object: &'a dyn Searched,
    /// The property's id.
    pub id: u16,
    /// PidTagInstanceNum.
    pub part: u32,
}

impl Properties for InstanceRow<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        self.object.find(tag)
    }

    fn find_start(&self, tag: PropTag, max: usize) -> Option<Found<'_>> {
        self.object.find_start(tag, max)
    }

    fn tags(&self) -> Vec<PropTag> {
        self.object.tags()
    }
}

impl Searched for InstanceRow<'_> {
    fn message(&self) -> Option<MessageView<'_>> {
        self.object.message()
    }

    fn mailbox(&self) -> Option<&ropewalk_store::Mailbox> {
        self.object.mailbox()
    }

    fn instance(&self, id: u16) -> Option<u32> {
        (id == self.id).then_some(self.part)
    }
}

impl Searched for AttachmentProperties<'_> {
    fn message(&self) -> Option<MessageView<'_>> {
        self.view.embedded()
    }

    fn mailbox(&self) -> Option<&ropewalk_store::Mailbox> {
        Some(self.mailbox)
    }
}

/// A recipient as a property source.
struct RecipientProperties<'a>(RecipientView<'a>);

impl Properties for RecipientProperties<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        match tag.id() {
            id if id == PID_TAG_ROWID.id() => Some(Found::u32(self.0.row_id())),
            id if id == PID_TAG_RECIPIENT_TYPE.id() => Some(Found::u32(u32::from(self.0.kind()))),
            id => in_bag(self.0.props(), id),
        }
    }

    fn tags(&self) -> Vec<PropTag> {
        let bag = self.0.props();
        (0..bag.len())
            .filter_map(|index| bag.entry(index))
            .map(|(tag, _)| tag)
            .collect()
    }
}

impl Searched for RecipientProperties<'_> {}

/// What must be known of a message to show some of its properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Its entry.
    Entry,
    /// Its entry, if that has the subject, else its content.
    Subject,
    /// Its content.
    Content,
}

impl Need {
    /// For a property.
    pub fn of(tag: PropTag) -> Self {
        let is_at_hand = is_of_entry(tag)
            || [
                PID_TAG_READ,
                PID_TAG_CREATION_TIME,
                PID_TAG_LAST_MODIFICATION_TIME,
                PID_TAG_MESSAGE_DELIVERY_TIME,
            ]
            .contains(&tag);
        match tag.id() {
            _ if is_at_hand => Self::Entry,
            id if id == PID_TAG_SUBJECT.id() => Self::Subject,
            _ => Self::Content,
        }
    }

    /// For all of several.
    pub fn most(needs: impl Iterator<Item = Self>) -> Self {
        needs.max().unwrap_or(Self::Entry)
    }

    /// Whether a message's content has to be read.
    pub fn content_of(self, entry: &MessageEntry) -> bool {
        match self {
            Self::Entry => false,
            Self::Subject => entry.subject.is_none(),
            Self::Content => true,
        }
    }
}

/// A type as the store keeps it: PtypString8 is PtypString, and the instance bit says nothing.
pub fn stored_type(ty: PropType) -> PropType {
    match PropType(ty.0 & !PropType::INSTANCE) {
        PropType::STRING8 => PropType::STRING,
        PropType::MULTIPLE_STRING8 => PropType::MULTIPLE_STRING,
        ty => ty,
    }
}

/// Whether a value has the type of a tag, or the tag leaves the type open.
fn is_of_type(found: &Found<'_>, tag: PropTag) -> bool {
    tag.ty() == PropType::UNSPECIFIED || stored_type(tag.ty()) == stored_type(found.ty())
}

/// The value of a restriction, if it fits the property that it is for: of the same type, or one
/// value for a multi-valued property. No list is compared with another (MS-OXCDATA 2.12.4.1).
fn constant(
    tag: PropTag,
    tagged: &TaggedPropertyValue,
    code_page: CodePage,
) -> Result<Constant, ErrorCode> {
    let value: PropValue = to_stored(tagged.value.clone(), code_page);
    let (have, want) = (value.ty(), stored_type(tag.ty()));
    if have != want.element() {
        return Err(ErrorCode::TOO_COMPLEX);
    }
    let mut data = Vec::new();
    value.pack(&mut data);
    Ok(Constant { ty: have, data })
}

/// True if `test` holds for the property's value, or for one of its values; `ty` is the type that
/// it is wanted in. A property that is not there fails every test.
fn any_value(
    store: &Store,
    object: &dyn Searched,
    tag: PropTag,
    ty: PropType,
    test: impl Fn(ValueRef<'_>) -> bool,
) -> bool {
    let Some(found) = object.find_start(tag, SEARCHED_BYTES_MAX) else {
        return false;
    };
    let large;
    let value = match &found {
        Found::Large(ty, blob) => {
            large = super::cells::large_prefix(store, *blob, SEARCHED_BYTES_MAX);
            ValueRef {
                ty: *ty,
                data: &large,
            }
        }
        found => match found.value_ref() {
            Some(value) => value,
            None => return false,
        },
    };
    if value.ty == ty {
        return test(value);
    }
    if !value.ty.is_multi() || value.ty.element() != ty {
        return false;
    }
    let is_instance = tag.ty().0 & PropType::INSTANCE != 0;
    match object.instance(tag.id()).filter(|_| is_instance) {
        Some(part) => value.elements().nth(part as usize).is_some_and(test),
        None => value.elements().any(test),
    }
}

/// Bytes of a PtypString that is asked for as PtypString8, its terminator included; `None` for other
/// values, and for one that is longer than what is searched.
fn narrow_size(store: &Store, found: &Found<'_>, ty: PropType, code_page: CodePage) -> Option<u64> {
    if ty != PropType::STRING8 || found.ty() != PropType::STRING {
        return None;
    }
    let narrow = match found {
        Found::Large(_, blob) if blob.len <= SEARCHED_BYTES_MAX as u64 => code_page.from_utf16(
            &super::cells::large_prefix(store, *blob, SEARCHED_BYTES_MAX),
        ),
        found => code_page.from_utf16(found.value_ref()?.data),
    };
    Some((narrow.len() as u64).saturating_add(1))
}

/// Bytes of one of the values of a property, as [`value_size`] and [`narrow_size`] have them; of a
/// string in a code page, if there is one.
fn part_size(value: ValueRef<'_>, code_page: Option<CodePage>) -> u64 {
    let bytes = match (value.ty, code_page) {
        (PropType::STRING, Some(code_page)) => code_page.from_utf16(value.data).len() + 1,
        (PropType::STRING, None) => value.data.len() + 2,
        _ => value.data.len(),
    };
    bytes as u64
}

/// Bytes of a value as it is sent, the terminator of a string included (MS-OXCDATA 2.12.8).
fn value_size(found: &Found<'_>) -> u64 {
    let terminator = match found.ty() {
        PropType::STRING => 2,
        PropType::STRING8 => 1,
        _ => 0,
    };
    let len = match found {
        Found::Large(_, blob) => blob.len,
        found => found.value_ref().map_or(0, |value| value.data.len() as u64),
    };
    len.saturating_add(terminator)
}
