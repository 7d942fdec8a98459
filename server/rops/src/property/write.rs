//! RopSetProperties and RopDeleteProperties (MS-OXCPRPT 3.2.5.4 and 3.2.5.5), with their forms that
//! do not replicate, which in a private mailbox do the same (2.2.6, 2.2.8).

use ropewalk_props::{Bag, BagView, GlobCnt, PropTag, PropType, PropValue, tags::*};
use ropewalk_store::{Mailbox, StoreError};
use ropewalk_wire::{
    ErrorCode,
    codec::Wire,
    rop::{DeletePropertiesRequest, PropertyProblemsResponse, SetPropertiesRequest},
    value::PropertyProblem,
};

use super::value::to_stored;
use crate::{
    attachment,
    code_page::CodePage,
    exec::{Exec, Fail, blocking},
    folder, message,
    message::{body::Parts, properties::flags_as_set, receipts, subject},
    object::Object,
    rights::{
        list::{self, PermissionsList},
        messages::says_creator,
    },
    store_error,
    stream::pending,
};

/// A property to set, or to remove without a value.
pub(super) struct Edit {
    pub(super) index: u16,
    pub(super) tag: PropTag,
    pub(super) value: Option<PropValue>,
}

/// RopSetProperties, RopSetPropertiesNoReplicate.
pub fn set_properties(exec: &mut Exec<'_>, request: &SetPropertiesRequest<'_>) -> Result<(), Fail> {
    let values = request.property_values;
    let code_page = code_page(exec)?;
    let edits = values
        .iter()
        .enumerate()
        .map(|(index, property)| Edit {
            index: index as u16,
            tag: property.tag,
            value: Some(to_stored(property.value, code_page)),
        })
        .collect();
    apply(exec, edits)
}

/// RopDeleteProperties, RopDeletePropertiesNoReplicate.
pub fn delete_properties(
    exec: &mut Exec<'_>,
    request: &DeletePropertiesRequest<'_>,
) -> Result<(), Fail> {
    let tags = request.property_tags;
    let edits = tags
        .iter()
        .enumerate()
        .map(|(index, tag)| Edit {
            index: index as u16,
            tag,
            value: None,
        })
        .collect();
    apply(exec, edits)
}

/// RopId, handle index and ReturnValue.
const RESPONSE_HEADER: usize = 6;

/// Bytes of a response's body with this many problems.
pub fn problems_len(count: usize) -> usize {
    2 + count * PropertyProblem::FIXED_SIZE.unwrap_or_default()
}

/// The code page of the input object's PtypString8 values.
fn code_page(exec: &Exec<'_>) -> Result<CodePage, ErrorCode> {
    Ok(match exec.object()? {
        Object::Message(message) => message.code_page,
        Object::Attachment(attachment) => attachment.code_page,
        _ => exec.session.code_page,
    })
}

fn apply(exec: &mut Exec<'_>, edits: Vec<Edit>) -> Result<(), Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    let logon_id = exec.logon_id;
    pending::settle(exec.session, logon_id, handle)?;
    let mailbox = exec.mailbox()?;
    let is_owner = exec.logon()?.is_owner();
    let mut problems = Vec::new();
    let room = exec.room();
    // Asked before anything is changed.
    let need = |problems: usize| match RESPONSE_HEADER + problems_len(problems) {
        len if len > room => Err(Fail::NoRoom(len)),
        _ => Ok(()),
    };
    match exec.session.objects.get_mut(handle, logon_id)? {
        Object::Message(message) => {
            let is_saved = message.entry.is_some();
            let is_read_only = |tag: PropTag| {
                message::properties::is_read_only(tag)
                    || message::properties::is_kept_by_copies(tag)
                    || is_saved && message::properties::is_read_only_once_saved(tag)
                    || is_other_type(tag, PID_TAG_MESSAGE_FLAGS)
                    || !is_owner && says_creator(tag)
            };
            let edits = permitted(edits, &mailbox, &mut problems, is_read_only);
            need(problems.len())?;
            // One that nothing is done to has nothing to save.
            if !edits.is_empty() || !message.writable {
                let sets = edits.iter().filter(|edit| edit.value.is_some());
                let body = sets.fold(Parts::default(), |parts, edit| {
                    parts.and(Parts::of(edit.tag.id()))
                });
                edit_message(&mut message.edit()?.props, edits);
                message.settle_body(body)?;
            }
        }
        Object::Attachment(attachment) => {
            let edits = permitted(edits, &mailbox, &mut problems, attachment::is_read_only);
            need(problems.len())?;
            if !edits.is_empty() || !attachment.writable {
                edit_bag(&mut attachment.edit()?.props, edits);
            }
        }
        Object::Folder(folder) => {
            let id = folder.id;
            let edits = with_permissions_list(edits, id, &mut problems);
            let edits = permitted(edits, &mailbox, &mut problems, is_read_only_of_folder);
            need(problems.len() + names(&edits))?;
            commit(edits, &mut problems, |set, remove| {
                mailbox.update_folder(id, set, remove)
            })?;
        }
        Object::Logon(_) => {
            let edits = permitted(edits, &mailbox, &mut problems, super::logon::is_read_only);
            need(problems.len() + names(&edits))?;
            commit(edits, &mut problems, |set, remove| {
                mailbox.update_store_props(set, remove)
            })?;
        }
        Object::Table(_) | Object::Stream(_) => return Err(ErrorCode::NOT_SUPPORTED.into()),
    }
    problems.sort_unstable_by_key(|problem| problem.index);
    exec.answer(&PropertyProblemsResponse {
        property_problems: (&problems).into(),
    })
}

/// True for the properties of a folder that a client does not set as any other.
pub(super) fn is_read_only_of_folder(tag: PropTag) -> bool {
    folder::properties::is_read_only(tag) && tag != list::STORED
}

/// Looks at a permissions list that comes as PidTagAccessControlListData (MS-OXCPERM 2.2.3):
/// `ecInvalidParam` for what is none, and one is always there.
pub(super) fn with_permissions_list(
    mut edits: Vec<Edit>,
    folder: GlobCnt,
    problems: &mut Vec<PropertyProblem>,
) -> Vec<Edit> {
    edits.retain_mut(|edit| {
        if edit.tag != list::STORED {
            return true;
        }
        let code = match &mut edit.value {
            Some(PropValue::Binary(data)) => match PermissionsList::of_other(data, folder) {
                Some(list) => {
                    edit.value = Some(list.to_property().1);
                    return true;
                }
                None => ErrorCode::INVALID_PARAM,
            },
            Some(_) => ErrorCode::INVALID_PARAM,
            None => ErrorCode::COMPUTED,
        };
        problems.push(problem(edit, code));
        false
    });
    edits
}

/// Whether a tag has another type than the property with its id.
fn is_other_type(tag: PropTag, known: PropTag) -> bool {
    tag.id() == known.id() && tag != known
}

/// Edits that [`commit`] may have a problem with.
fn names(edits: &[Edit]) -> usize {
    let is_name = |edit: &&Edit| edit.tag.id() == PID_TAG_DISPLAY_NAME.id();
    edits.iter().filter(is_name).count()
}

/// Drops the edits that may not be, with a problem for each.
fn permitted(
    edits: Vec<Edit>,
    mailbox: &Mailbox,
    problems: &mut Vec<PropertyProblem>,
    is_read_only: impl Fn(PropTag) -> bool,
) -> Vec<Edit> {
    let code = |edit: &Edit| {
        let tag = edit.tag;
        if is_read_only(tag) {
            return Some(ErrorCode::COMPUTED);
        }
        let value = edit.value.as_ref()?;
        if value.ty() == PropType::ERROR_CODE {
            return Some(ErrorCode::INVALID_PARAM);
        }
        check_id(mailbox, tag).err()
    };
    let mut allowed = Vec::with_capacity(edits.len());
    for edit in edits {
        match code(&edit) {
            None => allowed.push(edit),
            Some(error_code) => problems.push(problem(&edit, error_code)),
        }
    }
    allowed
}

/// Whether a property with this id can be set: `ecInvalidParam` for the ids that are none, and
/// `ecUnregisteredNameProp` for one that no name stands for.
pub(crate) fn check_id(mailbox: &Mailbox, tag: PropTag) -> Result<(), ErrorCode> {
    if matches!(tag.id(), 0 | 0xFFFF) {
        return Err(ErrorCode::INVALID_PARAM);
    }
    // A value under an id without a name would be taken for that of whichever name gets it.
    if tag.is_named() && mailbox.named_property(tag.id()).is_none() {
        return Err(ErrorCode::UNREGISTERED_NAME_PROP);
    }
    Ok(())
}

fn problem(edit: &Edit, error_code: ErrorCode) -> PropertyProblem {
    PropertyProblem {
        index: edit.index,
        property_tag: edit.tag,
        error_code,
    }
}

fn edit_bag(props: &mut Bag, edits: Vec<Edit>) {
    for edit in edits {
        match edit.value {
            Some(value) => props.set_id(edit.tag.id(), &value),
            None => {
                props.remove(edit.tag.id());
            }
        }
    }
}

fn edit_message(props: &mut Bag, edits: Vec<Edit>) {
    let mut changed = subject::Changed::default();
    let mut receipts = receipts::Changed::default();
    let mut edits = edits;
    edits.retain_mut(|edit| {
        let sets = edit.value.is_some();
        receipts.note(edit.tag);
        match edit.tag.id() {
            id if id == PID_TAG_SUBJECT.id() => {
                changed.subject |= sets;
                if !sets {
                    // Its two parts go with it.
                    props.remove(PID_TAG_SUBJECT_PREFIX.id());
                    props.remove(PID_TAG_NORMALIZED_SUBJECT.id());
                }
            }
            id if id == PID_TAG_SUBJECT_PREFIX.id() => {
                changed.prefix |= sets;
                changed.deleted |= !sets;
            }
            id if id == PID_TAG_NORMALIZED_SUBJECT.id() => {
                changed.normalized |= sets;
                changed.deleted |= !sets;
            }
            id if id == PID_TAG_MESSAGE_FLAGS.id() => {
                return match &mut edit.value {
                    Some(PropValue::Integer32(bits)) => {
                        let old = props.get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0);
                        *bits = flags_as_set(old, *bits);
                        true
                    }
                    _ => false,
                };
            }
            _ => {}
        }
        true
    });
    edit_bag(props, edits);
    subject::settle(props, changed);
    receipts::settle(props, receipts);
}

/// Changes a folder or a logon, at once.
pub(super) fn commit(
    mut edits: Vec<Edit>,
    problems: &mut Vec<PropertyProblem>,
    update: impl Fn(&[(PropTag, PropValue)], &[u16]) -> Result<(), StoreError>,
) -> Result<(), ErrorCode> {
    let run = |edits: &[Edit]| {
        let set: Vec<_> = edits
            .iter()
            .filter_map(|edit| Some((edit.tag, edit.value.clone()?)))
            .collect();
        let remove: Vec<_> = edits
            .iter()
            .filter(|edit| edit.value.is_none())
            .map(|edit| edit.tag.id())
            .collect();
        if set.is_empty() && remove.is_empty() {
            return Ok(());
        }
        blocking(|| update(&set, &remove))
    };
    match run(&edits) {
        // The name alone is the trouble; the others are set.
        Err(error @ (StoreError::DuplicateName(_) | StoreError::Invalid(_))) => {
            let code = match error {
                StoreError::DuplicateName(_) => ErrorCode::DUPLICATE_NAME,
                _ => ErrorCode::INVALID_PARAM,
            };
            edits.retain(|edit| {
                let is_name = edit.tag.id() == PID_TAG_DISPLAY_NAME.id();
                if is_name {
                    problems.push(problem(edit, code));
                }
                !is_name
            });
            run(&edits).map_err(store_error::fail)
        }
        result => result.map_err(store_error::fail),
    }
}
