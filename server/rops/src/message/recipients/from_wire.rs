//! From a RecipientRow to a recipient's properties (MS-OXCDATA 2.8.3).

use ropewalk_props::{Bag, BagView, PropTag, PropType, PropValue, Utf16Text, tags::*};
use ropewalk_store::Store;
use ropewalk_wire::{
    ErrorCode,
    codec::Wire,
    entry_id::OneOffEntryId,
    recipient::{RecipientAddress, RecipientRow},
};

use crate::{code_page::CodePage, context::Session, ids, property::value::to_stored};

/// PidTagObjectType of a mail user and of a distribution list (MS-OXCPRPT 2.2.1.7).
const MAIL_USER: i32 = 6;
const DISTRIBUTION_LIST: i32 = 8;

/// PidTagDisplayType of distribution lists, in an address book and private (MS-OXOABK 2.2.3.11).
const DISPLAY_LIST: i32 = 1;
const DISPLAY_PRIVATE_LIST: i32 = 5;

/// The properties that a row gives, and those that every recipient must have.
pub fn props(
    session: &Session,
    row: &RecipientRow<'_>,
    columns: &[PropTag],
    kind: u8,
    code_page: CodePage,
) -> Result<Bag, ErrorCode> {
    let mut props = Bag::new();
    for (column, cell) in columns.iter().zip(&row.properties.cells) {
        if let Some(value) = cell.value()
            && value.ty() != PropType::ERROR_CODE
        {
            props.set(*column, &to_stored(value.clone(), code_page));
        }
    }
    put_fixed(
        &mut props,
        row,
        ids::dn_prefix(&session.user.legacy_dn),
        code_page,
    );
    props.set(
        PID_TAG_RECIPIENT_TYPE,
        &PropValue::Integer32(i32::from(kind)),
    );
    complete(&session.store, &mut props)?;
    Ok(props)
}

/// The fields before the columns.
fn put_fixed(props: &mut Bag, row: &RecipientRow<'_>, dn_prefix: &str, code_page: CodePage) {
    let recipient = &row.recipient;
    match recipient.address {
        RecipientAddress::None => {}
        RecipientAddress::X500 {
            address_prefix_used,
            display_type,
            x500_dn,
        } => {
            let used = dn_prefix.as_bytes().get(..address_prefix_used.into());
            let dn = [used.unwrap_or_default(), x500_dn.0].concat();
            props.set_text(PID_TAG_ADDRESS_TYPE, "EX");
            props.set(
                PID_TAG_EMAIL_ADDRESS,
                &PropValue::String(code_page.to_utf16(&dn)),
            );
            props.set(
                PID_TAG_DISPLAY_TYPE,
                &PropValue::Integer32(i32::from(display_type)),
            );
        }
        RecipientAddress::Known(known) => {
            let name = match known {
                2 => "MS",
                3 => "SMTP",
                4 => "FAX",
                _ => "PROFS",
            };
            props.set_text(PID_TAG_ADDRESS_TYPE, name);
        }
        RecipientAddress::PersonalDistributionList {
            entry_id,
            search_key,
            ..
        } => {
            props.set_text(PID_TAG_ADDRESS_TYPE, "MAPIPDL");
            props.set(
                PID_TAG_ENTRY_ID,
                &PropValue::Binary(entry_id.get().to_vec()),
            );
            props.set(
                PID_TAG_SEARCH_KEY,
                &PropValue::Binary(search_key.get().to_vec()),
            );
            props.set(
                PID_TAG_DISPLAY_TYPE,
                &PropValue::Integer32(DISPLAY_PRIVATE_LIST),
            );
        }
        RecipientAddress::Other { address_type } => {
            props.set(
                PID_TAG_ADDRESS_TYPE,
                &PropValue::String(code_page.to_utf16(address_type.0)),
            );
        }
    }
    let text = |bytes: &[u8]| {
        PropValue::String(if recipient.unicode {
            Utf16Text::from_le_bytes(bytes)
        } else {
            code_page.to_utf16(bytes)
        })
    };
    let transmittable = match recipient.same_name {
        true => recipient.display_name,
        false => recipient.transmittable_display_name,
    };
    for (tag, bytes) in [
        (PID_TAG_EMAIL_ADDRESS, recipient.email_address),
        (PID_TAG_DISPLAY_NAME, recipient.display_name),
        (
            PID_TAG_ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE,
            recipient.simple_display_name,
        ),
        (PID_TAG_TRANSMITTABLE_DISPLAY_NAME, transmittable),
    ] {
        if let Some(bytes) = bytes {
            props.set(tag, &text(bytes));
        }
    }
    props.set(
        PID_TAG_RESPONSIBILITY,
        &PropValue::Boolean(recipient.responsibility),
    );
    props.set(
        PID_TAG_SEND_RICH_INFO,
        &PropValue::Boolean(!recipient.no_rich_info),
    );
}

/// Fills in what a recipient must have (MS-OXOMSG 3.2.5, MS-OXCFXICS 2.2.4.3.18): an EntryID and a
/// search key that are not empty, a name, and what kind of object it is.
fn complete(store: &Store, props: &mut Bag) -> Result<(), ErrorCode> {
    let text = |props: &Bag, tag| props.get_text(tag).filter(|text| !text.is_empty());
    let address_type = text(props, PID_TAG_ADDRESS_TYPE);
    let address = text(props, PID_TAG_EMAIL_ADDRESS).or_else(|| text(props, PID_TAG_SMTP_ADDRESS));
    let is_ex = address_type
        .as_deref()
        .is_some_and(|known| known.eq_ignore_ascii_case("EX"));
    if text(props, PID_TAG_DISPLAY_NAME).is_none() {
        let name = as_it_is(props, PID_TAG_EMAIL_ADDRESS)
            .or_else(|| as_it_is(props, PID_TAG_SMTP_ADDRESS))
            .unwrap_or_else(|| PropValue::text(""));
        props.set(PID_TAG_DISPLAY_NAME, &name);
    }
    if text(props, PID_TAG_SMTP_ADDRESS).is_none() {
        let is_smtp = (address_type.as_deref()).is_some_and(|ty| ty.eq_ignore_ascii_case("SMTP"));
        if let Some(user) = (address.as_deref().filter(|_| is_ex))
            .and_then(|address| store.user_by_legacy_dn(address))
        {
            props.set_text(PID_TAG_SMTP_ADDRESS, &user.email);
        } else if is_smtp && let Some(same) = as_it_is(props, PID_TAG_EMAIL_ADDRESS) {
            props.set(PID_TAG_SMTP_ADDRESS, &same);
        }
    }
    let display_type = props.get_i32(PID_TAG_DISPLAY_TYPE).unwrap_or(0);
    props.set(PID_TAG_DISPLAY_TYPE, &PropValue::Integer32(display_type));
    if props.get_i32(PID_TAG_OBJECT_TYPE).is_none() {
        let is_list = matches!(display_type, DISPLAY_LIST | DISPLAY_PRIVATE_LIST);
        let object_type = if is_list {
            DISTRIBUTION_LIST
        } else {
            MAIL_USER
        };
        props.set(PID_TAG_OBJECT_TYPE, &PropValue::Integer32(object_type));
    }
    let has = |props: &Bag, tag| props.get(tag).is_some_and(|value| !value.data.is_empty());
    if !has(props, PID_TAG_SEARCH_KEY) {
        let key = format!(
            "{}:{}\0",
            address_type.as_deref().unwrap_or_default(),
            address.as_deref().unwrap_or_default(),
        );
        let key = key.to_uppercase().into_bytes();
        props.set(PID_TAG_SEARCH_KEY, &PropValue::Binary(key));
    }
    if let (true, Some(dn)) = (is_ex, &address) {
        for tag in [PID_TAG_ENTRY_ID, PID_TAG_RECIPIENT_ENTRY_ID] {
            if props.get(tag).is_some_and(|value| is_ephemeral(value.data)) {
                let permanent = ids::address_book_entry_id(dn);
                props.set(tag, &PropValue::Binary(permanent));
            }
        }
    }
    if !has(props, PID_TAG_ENTRY_ID) {
        let entry_id = match (is_ex, &address) {
            (true, Some(dn)) => ids::address_book_entry_id(dn),
            _ => one_off_entry_id(props)?,
        };
        props.set(PID_TAG_ENTRY_ID, &PropValue::Binary(entry_id));
    }
    Ok(())
}

/// Whether an EntryID is one that an address book gives for a session only (MS-OXNSPI 2.2.9.2): a
/// message outlives that.
fn is_ephemeral(entry_id: &[u8]) -> bool {
    const EPHEMERAL: u8 = 0x87;
    entry_id.first() == Some(&EPHEMERAL)
}

/// A PtypString that is not empty, unpaired surrogates and all.
fn as_it_is(props: &Bag, tag: PropTag) -> Option<PropValue> {
    let value = props.get(tag)?;
    let is_text = value.ty == PropType::STRING && !value.data.is_empty();
    is_text.then(|| PropValue::String(Utf16Text::from_le_bytes(value.data)))
}

/// The EntryID of a recipient that no address book has (MS-OXCDATA 2.2.5.1).
fn one_off_entry_id(props: &Bag) -> Result<Vec<u8>, ErrorCode> {
    let text = |tag| props.get(tag).map_or(&[][..], |value| value.data);
    let rich = props
        .get(PID_TAG_SEND_RICH_INFO)
        .and_then(|rich| rich.as_bool())
        .unwrap_or(false);
    let formats = if rich { 0 } else { OneOffEntryId::NO_RICH_INFO };
    let entry_id = OneOffEntryId {
        flags: 0,
        version: 0,
        one_off_flags: OneOffEntryId::UNICODE | formats,
        display_name: text(PID_TAG_DISPLAY_NAME),
        address_type: text(PID_TAG_ADDRESS_TYPE),
        email_address: text(PID_TAG_EMAIL_ADDRESS),
    };
    let mut out = Vec::new();
    entry_id
        .encode(&mut out)
        .map_err(|_| ErrorCode::INVALID_PARAM)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Fixture;

    // MS-OXNSPI 2.2.9.2: such an EntryID means nothing to another session.
    /// PITFALLS 13.
    #[test]
    fn an_entry_id_of_a_session_is_replaced_by_one_that_lasts() {
        const DN: &str = "/o=example/cn=recipients/cn=grace";
        let fixture = Fixture::new();
        let completed = |address_type: &str, entry_id: &[u8]| {
            let mut props = Bag::new();
            props.set_text(PID_TAG_ADDRESS_TYPE, address_type);
            props.set_text(PID_TAG_EMAIL_ADDRESS, DN);
            for tag in [PID_TAG_ENTRY_ID, PID_TAG_RECIPIENT_ENTRY_ID] {
                props.set(tag, &PropValue::Binary(entry_id.to_vec()));
            }
            complete(&fixture.store, &mut props).unwrap();
            [PID_TAG_ENTRY_ID, PID_TAG_RECIPIENT_ENTRY_ID]
                .map(|tag| props.get(tag).unwrap().data.to_vec())
        };
        let mut ephemeral = vec![0x87, 0, 0, 0];
        ephemeral.extend([0xAB; 28]);
        let lasting = ids::address_book_entry_id(DN);
        assert_eq!(completed("EX", &ephemeral), [&lasting[..]; 2]);
        let other = ids::address_book_entry_id("/o=example/cn=other");
        assert_eq!(completed("EX", &other), [&other[..]; 2]);
        assert_eq!(completed("SMTP", &ephemeral)[0], ephemeral);
    }
}
