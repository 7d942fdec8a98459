//! RopCopyProperties and RopCopyTo: properties of one object onto another of its kind (MS-OXCPRPT
//! 2.2.10, 2.2.11, 3.2.5.7, 3.2.5.8). Between messages and between attachments it is done in memory, at
//! once, asynchronous or not.

use std::mem::discriminant;

use ropewalk_props::{
    Bag, BagView, BlobRef, GlobCnt, PropTag, PropType, PropValue, Slot, ValueRef, tags::*,
};
use ropewalk_store::Store;
use ropewalk_wire::{
    ErrorCode,
    rop::{CopyPropertiesRequest, CopyToRequest, PropertyProblemsResponse},
    value::PropertyProblem,
};

use super::{
    copy_folder::CopyToFolder,
    copy_parts as parts,
    read::{self, Visitor, visit_handle},
    value::{Found, Properties},
    write::{Edit, commit, is_read_only_of_folder, problems_len, with_permissions_list},
};
use crate::{
    attachment,
    exec::{Exec, Fail},
    folder,
    limits::{DRAFT_BYTES_MAX, MESSAGE_BYTES_MAX},
    message::{
        self,
        body::{Parts, native},
        properties::flags_as_set,
        receipts, subject,
    },
    object::Object,
    operation::{self, Work, body_len},
    rights::messages::says_creator,
    stream::{Value, pending, store_bytes},
};

/// CopyFlags (MS-OXCPRPT 2.2.10.1, 2.2.11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFlags {
    /// Values on the destination are overwritten.
    Overwrite,
    /// What the destination has stays as it is.
    NoOverwrite,
    /// What was copied is deleted from the source.
    Move,
}

impl CopyFlags {
    fn from_bits(bits: u8) -> Result<Self, ErrorCode> {
        Ok(match bits {
            0x00 => Self::Overwrite,
            0x01 => Self::Move,
            0x02 => Self::NoOverwrite,
            _ => return Err(ErrorCode::INVALID_PARAM),
        })
    }
}

/// The two objects of a copy, which are of one kind.
pub struct Pair {
    /// The handle of the source.
    pub source: u32,
    /// The handle of the destination.
    pub dest: u32,
    /// How it is copied.
    pub flags: CopyFlags,
}

impl Pair {
    /// `NullDestinationObject` without a destination, `ecNotSupported` for objects that do not go
    /// together, `ecAccessDenied` if they are one or one may not be changed.
    fn new(exec: &mut Exec<'_>, dest_index: u8, copy_flags: u8) -> Result<Self, ErrorCode> {
        let source = exec.handle_at(exec.handle_index)?;
        let dest = exec
            .handle_at(dest_index)
            .map_err(|_| ErrorCode::NULL_DESTINATION_OBJECT)?;
        exec.object()?;
        exec.object_at(dest_index)
            .map_err(|_| ErrorCode::NULL_DESTINATION_OBJECT)?;
        let flags = CopyFlags::from_bits(copy_flags)?;
        for handle in [source, dest] {
            pending::settle(exec.session, exec.logon_id, handle)?;
        }
        let (from, to) = (exec.object()?, exec.object_at(dest_index)?);
        let has_properties = matches!(
            from,
            Object::Message(_) | Object::Attachment(_) | Object::Folder(_)
        );
        if !has_properties || discriminant(from) != discriminant(to) {
            return Err(ErrorCode::NOT_SUPPORTED);
        }
        let moves = flags == CopyFlags::Move;
        if source == dest || !is_writable(to) || (moves && !is_writable(from)) {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        Ok(Self {
            source,
            dest,
            flags,
        })
    }
}

impl Pair {
    /// The two folders, if that is what they are.
    fn folders(&self, exec: &Exec<'_>) -> Option<(GlobCnt, GlobCnt, CopyFlags)> {
        let object = |handle| exec.session.objects.get(handle, exec.logon_id).ok();
        let folder = |handle| Some(object(handle)?.folder().ok()?.id);
        Some((folder(self.source)?, folder(self.dest)?, self.flags))
    }
}

fn is_writable(object: &Object) -> bool {
    match object {
        Object::Message(message) => message.writable,
        Object::Attachment(attachment) => attachment.writable,
        _ => true,
    }
}

/// A property on its way.
pub struct Piece {
    index: u16,
    tag: PropTag,
    value: Owned,
}

impl Piece {
    /// Bytes that it takes in memory.
    pub fn memory(&self) -> usize {
        let value = match &self.value {
            Owned::Inline(bytes) => bytes.len(),
            Owned::External(_) => 0,
        };
        size_of::<Self>() + value
    }
}

/// A value, packed.
enum Owned {
    Inline(Vec<u8>),
    External(BlobRef),
}

impl Owned {
    /// Puts a value into the store that is too long for a message that is being written: a body in
    /// another form than it was written in.
    fn aside(self, store: &Store) -> Result<Self, ErrorCode> {
        match self {
            Self::Inline(bytes) => Ok(match store_bytes(store, bytes)? {
                Value::Inline(bytes) => Self::Inline(bytes),
                Value::External(blob) => Self::External(blob),
            }),
            external => Ok(external),
        }
    }
}

impl From<Found<'_>> for Owned {
    fn from(found: Found<'_>) -> Self {
        match found {
            Found::Large(_, blob) => Self::External(blob),
            found => Self::Inline(
                found
                    .value_ref()
                    .map_or(&[][..], |value| value.data)
                    .to_vec(),
            ),
        }
    }
}

/// RopCopyProperties: the properties named, and those of them that are other objects.
pub fn copy_properties(
    exec: &mut Exec<'_>,
    request: &CopyPropertiesRequest<'_>,
) -> Result<(), Fail> {
    let pair = Pair::new(exec, request.dest_handle_index, request.copy_flags)?;
    if pair.flags == CopyFlags::Move && exec.object()?.folder().is_ok() {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let tags: Vec<PropTag> = request.property_tags.iter().collect();
    let is_asynchronous = request.want_asynchronous;
    exec.need(body_len(is_asynchronous, problems_len(tags.len())))?;
    let mut problems = Vec::new();
    let pieces = collect(exec, &pair, &tags, &mut problems)?;
    problems.retain(|problem| !parts::is_subobject(problem.property_tag));
    let subobjects = |tag: PropTag| tags.contains(&tag);
    if let Some(folders) = pair.folders(exec) {
        let copy = CopyToFolder::plan(exec, folders, subobjects, pieces, problems)?;
        return copy_folder(exec, copy, is_asynchronous);
    }
    prepare(exec, &pair, &pieces)?;
    parts::copy(exec, &pair, subobjects)?;
    put(exec, &pair, pieces)?;
    answer(exec, problems)
}

/// RopCopyTo: all properties but those excluded, and what is in the object if that is wanted.
pub fn copy_to(exec: &mut Exec<'_>, request: &CopyToRequest<'_>) -> Result<(), Fail> {
    let pair = Pair::new(exec, request.dest_handle_index, request.copy_flags)?;
    // MS-OXCPRPT 3.2.5.8: neither from a public folder nor to one.
    if pair.folders(exec).is_some() && exec.logon()?.is_public() {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let excluded = request.excluded_tags;
    let is_excluded = |tag: PropTag| excluded.iter().any(|known| known.id() == tag.id());
    let mut tags = read::tags(exec.session, exec.logon_id, pair.source)?;
    tags.retain(|tag| !is_excluded(*tag));
    // Of a folder alone: what a message or an attachment has, another one can take.
    let problems_max = exec.object()?.folder().map_or(0, |_| tags.len());
    let is_asynchronous = request.want_asynchronous;
    exec.need(body_len(is_asynchronous, problems_len(problems_max)))?;
    // That the server sets the others itself is no problem here.
    let pieces = collect(exec, &pair, &tags, &mut Vec::new())?;
    if let Some(folders) = pair.folders(exec) {
        let wanted = |tag: PropTag| request.want_sub_objects && !is_excluded(tag);
        let copy = CopyToFolder::plan(exec, folders, wanted, pieces, Vec::new())?;
        return copy_folder(exec, copy, is_asynchronous);
    }
    prepare(exec, &pair, &pieces)?;
    if request.want_sub_objects {
        parts::copy(exec, &pair, |tag| !is_excluded(tag))?;
    }
    put(exec, &pair, pieces)?;
    answer(exec, Vec::new())
}

/// From folder to folder: part by part if that is wanted and there is much.
fn copy_folder(
    exec: &mut Exec<'_>,
    mut copy: CopyToFolder,
    is_asynchronous: bool,
) -> Result<(), Fail> {
    if is_asynchronous && operation::is_worthwhile(exec, copy.total()) {
        return operation::begin(exec, Work::CopyTo(Box::new(copy)));
    }
    copy.all(exec)?;
    answer(exec, copy.into_problems())
}

fn answer(exec: &mut Exec<'_>, problems: Vec<PropertyProblem>) -> Result<(), Fail> {
    exec.answer(&PropertyProblemsResponse {
        property_problems: (&problems).into(),
    })
}

/// What is to be copied of these tags, and a problem for each that cannot be.
fn collect(
    exec: &Exec<'_>,
    pair: &Pair,
    tags: &[PropTag],
    problems: &mut Vec<PropertyProblem>,
) -> Result<Vec<Piece>, ErrorCode> {
    struct Values<'a>(&'a [PropTag]);
    impl Visitor for Values<'_> {
        type Output = Vec<Result<(PropTag, Owned), ErrorCode>>;
        fn visit(self, source: &impl Properties) -> Self::Output {
            let found = |tag: &PropTag| {
                let found = source.find(*tag).ok_or(ErrorCode::NOT_FOUND)?;
                if matches!(found, Found::TooLarge(_)) {
                    return Err(ErrorCode::NOT_ENOUGH_MEMORY);
                }
                let (have, want) = (found.ty(), tag.ty());
                let fits = want == have
                    || want == PropType::UNSPECIFIED
                    || (want.is_string() && have.is_string());
                if !fits {
                    return Err(ErrorCode::NOT_FOUND);
                }
                Ok((tag.with_type(have), Owned::from(found)))
            };
            self.0.iter().map(found).collect()
        }
    }
    let (session, logon_id) = (&*exec.session, exec.logon_id);
    let values = visit_handle(session, logon_id, pair.source, Values(tags))?;
    let dest = session.objects.get(pair.dest, logon_id)?;
    let is_owner = exec.logon()?.is_owner();
    let is_read_only =
        |tag| is_read_only(dest, tag) || (!is_owner && dest.message().is_ok() && says_creator(tag));
    let mut pieces = Vec::with_capacity(values.len());
    for ((index, tag), value) in (0_u16..).zip(tags).zip(values) {
        let mut problem = |error_code| {
            problems.push(PropertyProblem {
                index,
                property_tag: *tag,
                error_code,
            });
        };
        match value {
            _ if is_read_only(*tag) => problem(ErrorCode::COMPUTED),
            Err(code) => problem(code),
            Ok((tag, value)) => {
                let value = value.aside(&session.store)?;
                pieces.push(Piece { index, tag, value });
            }
        }
    }
    Ok(pieces)
}

fn is_read_only(dest: &Object, tag: PropTag) -> bool {
    match dest {
        Object::Message(dest) => {
            message::properties::is_read_only(tag)
                || dest.entry.is_some() && message::properties::is_read_only_once_saved(tag)
        }
        Object::Attachment(_) => attachment::is_read_only(tag),
        _ => is_read_only_of_folder(tag),
    }
}

/// Makes room for the pieces, so that nothing has been copied if there is none.
fn prepare(exec: &mut Exec<'_>, pair: &Pair, pieces: &[Piece]) -> Result<(), ErrorCode> {
    let logon_id = exec.logon_id;
    let inline = pieces.iter().map(|piece| match &piece.value {
        Owned::Inline(bytes) => bytes.len(),
        Owned::External(_) => 0,
    });
    let given: usize = inline.sum();
    match exec.session.objects.get_mut(pair.dest, logon_id)? {
        Object::Message(dest) => {
            let bytes = dest.view().memory().saturating_add(given);
            check(bytes)?;
            dest.edit()?;
            dest.share.grow(bytes)?;
        }
        Object::Attachment(dest) => {
            let bytes = dest.view().memory().saturating_add(given);
            check(bytes)?;
            dest.edit()?;
            dest.share.grow(bytes)?;
        }
        _ => {}
    }
    if pair.flags == CopyFlags::Move {
        match exec.session.objects.get_mut(pair.source, logon_id)? {
            Object::Message(source) => drop(source.edit()?),
            Object::Attachment(source) => drop(source.edit()?),
            _ => {}
        }
    }
    Ok(())
}

/// Puts the pieces onto the destination, for which [`prepare`] has made room, and takes them from the
/// source if they are moved.
fn put(exec: &mut Exec<'_>, pair: &Pair, pieces: Vec<Piece>) -> Result<(), ErrorCode> {
    let logon_id = exec.logon_id;
    let keeps = pair.flags == CopyFlags::NoOverwrite;
    let ids: Vec<u16> = pieces.iter().map(|piece| piece.tag.id()).collect();
    match exec.session.objects.get_mut(pair.dest, logon_id)? {
        Object::Message(dest) => {
            let props = &mut dest.edit()?.props;
            let body = put_message(props, pieces, keeps);
            compact(props);
            dest.settle_body(body)?;
        }
        Object::Attachment(dest) => {
            let props = &mut dest.edit()?.props;
            for piece in pieces {
                put_one(props, &piece, keeps);
            }
            compact(props);
        }
        _ => return Err(ErrorCode::NOT_SUPPORTED),
    }
    if pair.flags != CopyFlags::Move {
        return Ok(());
    }
    let props = match exec.session.objects.get_mut(pair.source, logon_id)? {
        Object::Message(source) => &mut source.edit()?.props,
        Object::Attachment(source) => &mut source.edit()?.props,
        _ => return Ok(()),
    };
    for id in ids {
        props.remove(id);
    }
    Ok(())
}

/// Forgets values that were replaced, if there are many.
fn compact(props: &mut Bag) {
    if props.data_len() > DRAFT_BYTES_MAX {
        props.compact();
    }
}

fn check(bytes: usize) -> Result<(), ErrorCode> {
    if bytes > MESSAGE_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    Ok(())
}

/// Sets one property; false if the bag keeps the value that it has.
fn put_one(props: &mut Bag, piece: &Piece, keeps: bool) -> bool {
    if keeps && props.position(piece.tag.id()).is_some() {
        return false;
    }
    let slot = match &piece.value {
        Owned::Inline(data) => Slot::Inline(ValueRef {
            ty: piece.tag.ty(),
            data,
        }),
        Owned::External(blob) => Slot::External(*blob),
    };
    props.set_slot(piece.tag, slot);
    true
}

/// Sets the properties of a message; gives the parts of its body among them.
fn put_message(props: &mut Bag, pieces: Vec<Piece>, keeps: bool) -> Parts {
    let mut changed = subject::Changed::default();
    let mut body = Parts::default();
    let old_flags = props.get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0);
    let mut receipts = receipts::Changed::default();
    // It has one already, in whatever form.
    let keeps_body = keeps && native(props).is_some();
    for piece in pieces {
        let part = Parts::of(piece.tag.id());
        if keeps_body && !part.is_empty() {
            continue;
        }
        if !put_one(props, &piece, keeps) {
            continue;
        }
        body = body.and(part);
        receipts.note(piece.tag);
        match piece.tag {
            PID_TAG_SUBJECT => changed.subject = true,
            PID_TAG_SUBJECT_PREFIX => changed.prefix = true,
            PID_TAG_NORMALIZED_SUBJECT => changed.normalized = true,
            // What the server alone decides does not come along.
            PID_TAG_MESSAGE_FLAGS => {
                let given = props.get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0);
                let bits = PropValue::Integer32(flags_as_set(old_flags, given));
                props.set(PID_TAG_MESSAGE_FLAGS, &bits);
            }
            _ => {}
        }
    }
    subject::settle(props, changed);
    receipts::settle(props, receipts);
    body
}

/// Puts the pieces onto a folder, at once.
pub fn put_folder(
    exec: &Exec<'_>,
    dest: GlobCnt,
    pieces: Vec<Piece>,
    keeps: bool,
    problems: &mut Vec<PropertyProblem>,
) -> Result<(), ErrorCode> {
    let mailbox = exec.mailbox()?;
    let has = folder::current(&mailbox, dest)?.props;
    let mut edits = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let (index, tag) = (piece.index, piece.tag);
        if keeps && has.position(tag.id()).is_some() {
            continue;
        }
        let value = match &piece.value {
            Owned::Inline(data) => ValueRef { ty: tag.ty(), data }.to_value(),
            Owned::External(_) => None,
        };
        match value {
            Some(value) => edits.push(Edit {
                index,
                tag,
                value: Some(value),
            }),
            None => problems.push(PropertyProblem {
                index,
                property_tag: tag,
                error_code: ErrorCode::NOT_ENOUGH_MEMORY,
            }),
        }
    }
    let edits = with_permissions_list(edits, dest, problems);
    commit(edits, problems, |set, remove| {
        mailbox.update_folder(dest, set, remove)
    })
}
