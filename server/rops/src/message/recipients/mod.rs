//! The recipients of a message (MS-OXCMSG 2.2.3.4 to 2.2.3.6, 3.2.5.4 to 3.2.5.6).

mod from_wire;
#[cfg(test)]
mod tests;
mod to_wire;

use ropewalk_props::{Bag, BagView, PropTag, PropType, PropValue, Utf16Text, tags::*};
use ropewalk_store::{Message, Recipient};
use ropewalk_wire::{
    ErrorCode, Put,
    rop::{ModifyRecipientsRequest, ReadRecipientsRequest},
};

pub use to_wire::{columns, put_open_rows};

use super::{message_at, message_at_mut};
use crate::{
    exec::{Exec, Fail},
    limits::{COLUMNS_MAX, DRAFT_BYTES_MAX, RECIPIENTS_MAX},
    property::{row::ROW_BYTES_MAX, write::check_id},
    view::{PART_BYTES, kept},
};

/// RopRemoveAllRecipients.
pub fn remove_all_recipients(exec: &mut Exec<'_>) -> Result<(), Fail> {
    let message = message_at_mut(exec, exec.handle_index)?.edit()?;
    message.recipients.clear();
    settle_display_names(message);
    exec.begin();
    Ok(())
}

/// RopModifyRecipients: all rows or none.
pub fn modify_recipients(
    exec: &mut Exec<'_>,
    request: &ModifyRecipientsRequest<'_>,
) -> Result<(), Fail> {
    let columns: Vec<PropTag> = request.recipient_columns.iter().collect();
    if columns.len() > COLUMNS_MAX {
        return Err(ErrorCode::TOO_COMPLEX.into());
    }
    let code_page = message_at(exec, exec.handle_index)?.code_page;
    let mailbox = exec.mailbox()?;
    let no_ids: Vec<u16> = (columns.iter())
        .filter(|column| check_id(&mailbox, **column).is_err())
        .map(|column| column.id())
        .collect();
    let mut changes: Vec<Change> = Vec::new();
    for row in request.recipient_rows.iter() {
        // The row's size was right, and what is in it is not.
        let content = row.row(columns.iter().copied()).map_err(|error| {
            tracing::debug!(%error, row_id = row.row_id, "recipient row refused");
            ErrorCode::RPC_FORMAT
        })?;
        let mut props = content
            .map(|content| {
                let session = &*exec.session;
                from_wire::props(session, &content, &columns, row.recipient_type, code_page)
            })
            .transpose()?;
        if let Some(props) = &mut props {
            for id in &no_ids {
                props.remove(*id);
            }
        }
        changes.push((row.row_id, row.recipient_type, props));
    }
    let object = message_at_mut(exec, exec.handle_index)?;
    let given = changes.iter().filter_map(|(_, _, props)| props.as_ref());
    let given: usize = given.map(|props| PART_BYTES + kept(props)).sum();
    let message = object.edit()?;
    check_bounds(message, &changes)?;
    let bytes = object.view().memory().saturating_add(given);
    object.share.grow(bytes)?;
    let message = object.edit()?;
    for (row_id, kind, props) in changes {
        apply(&mut message.recipients, row_id, kind, props);
    }
    settle_display_names(message);
    object.recipient_columns = columns;
    exec.begin();
    Ok(())
}

/// A RowId, a RecipientType, and the properties; none to remove the recipient.
type Change = (u32, u8, Option<Bag>);

/// Fails if the message would have too many or too large recipients; those that go are still
/// counted.
fn check_bounds(message: &Message, changes: &[Change]) -> Result<(), ErrorCode> {
    let recipients = &message.recipients;
    let is_new = |row_id: u32| {
        recipients
            .binary_search_by_key(&row_id, |recipient| recipient.row_id)
            .is_err()
    };
    let added = changes
        .iter()
        .filter(|(row_id, _, props)| props.is_some() && is_new(*row_id));
    if recipients.len() + added.count() > RECIPIENTS_MAX {
        return Err(ErrorCode::TOO_MANY_RECIPS);
    }
    let kept = recipients.iter().map(|recipient| &recipient.props);
    let given = changes.iter().filter_map(|(_, _, props)| props.as_ref());
    if kept.chain(given).map(Bag::data_len).sum::<usize>() > DRAFT_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    Ok(())
}

/// Adds, replaces or removes one recipient; they are in order of RowId.
fn apply(recipients: &mut Vec<Recipient>, row_id: u32, kind: u8, props: Option<Bag>) {
    let place = recipients.binary_search_by_key(&row_id, |recipient| recipient.row_id);
    match (place, props) {
        (Ok(index), Some(props)) => {
            if let Some(recipient) = recipients.get_mut(index) {
                *recipient = Recipient {
                    row_id,
                    kind,
                    props,
                };
            }
        }
        (Err(index), Some(props)) => recipients.insert(
            index,
            Recipient {
                row_id,
                kind,
                props,
            },
        ),
        (Ok(index), None) => {
            recipients.remove(index);
        }
        (Err(_), None) => {}
    }
}

/// PidTagDisplayTo and its like follow from the recipients (MS-OXCMSG 2.2.1.18 to 2.2.1.20).
pub fn settle_display_names(message: &mut Message) {
    const KIND: u8 = 0x0F;
    for (tag, kind) in [
        (PID_TAG_DISPLAY_TO, 1),
        (PID_TAG_DISPLAY_CC, 2),
        (PID_TAG_DISPLAY_BCC, 3),
    ] {
        let mut names = Vec::new();
        let of_kind = (message.recipients.iter()).filter(|recipient| recipient.kind & KIND == kind);
        let given = of_kind.filter_map(|recipient| recipient.props.get(PID_TAG_DISPLAY_NAME));
        // As they are, unpaired surrogates too.
        for (index, name) in given.filter(|name| name.ty == PropType::STRING).enumerate() {
            if index > 0 {
                names.extend_from_slice(b";\0 \0");
            }
            names.extend_from_slice(name.data);
        }
        let names = PropValue::String(Utf16Text::from_le_bytes(&names));
        message.props.set(tag, &names);
    }
}

/// Bytes that the values of a recipient may have which is too large with all of them.
const VALUE_LIMITS: [usize; 3] = [0x800, 0x80, 0];

/// RopReadRecipients: from a RowId on, as many as fit.
pub fn read_recipients(exec: &mut Exec<'_>, request: &ReadRecipientsRequest) -> Result<(), Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    message_at(exec, exec.handle_index)?;
    exec.begin();
    let start = exec.out.len();
    exec.out.put_u8(0);
    let object = exec.session.objects.get(handle, exec.logon_id)?.message()?;
    let view = object.view();
    let first = match request.row_id {
        0 => 0,
        wanted => view
            .recipients()
            .position(|recipient| recipient.row_id() == wanted)
            .ok_or(ErrorCode::NOT_FOUND)?,
    };
    if first >= view.recipient_count() {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    let (out, out_max) = (&mut *exec.out, exec.out_max);
    let mut put = |rows: usize, value_max: usize| {
        to_wire::put_read_rows(
            out,
            out_max,
            view.recipients().skip(first).take(rows),
            &object.recipient_columns,
            object.code_page,
            value_max,
        )
    };
    let mut count = put(usize::MAX, usize::MAX);
    if count == 0 && !exec.is_first {
        // With a buffer of its own the row may have enough room.
        return Err(Fail::NoRoom(ROW_BYTES_MAX));
    }
    // Else it comes without its largest values, lest it stand before all others.
    for value_max in VALUE_LIMITS {
        if count == 0 {
            count = put(1, value_max);
        }
    }
    if count == 0 {
        return Err(ErrorCode::BUFFER_TOO_SMALL.into());
    }
    if let Some(place) = exec.out.get_mut(start) {
        *place = count;
    }
    Ok(())
}
