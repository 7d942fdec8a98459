//! vCards to contacts (MS-OXVCARD 2.1.3, MS-OXOCNTC 2.2.1).

use ropewalk_props::{Bag, NamedTag, PropTag, PropValue, named_tags::*, tags::*};
use ropewalk_store::{Attachment, Message};

use crate::{
    ConvertError,
    address::Mailbox,
    attachment, body,
    calendar::{date_of, noon_of},
    content_line::{self, Component, Line},
    context::Context,
    envelope, transfer,
};

/// Contacts of a file.
const CONTACTS_MAX: usize = 10_000;
/// PidTagIconIndex of a contact (MS-OXOCNTC 2.2.1.11.1).
const CONTACT_ICON: i32 = 0x200;
/// Characters of a text, notes apart.
const TEXT_CHARS_MAX: usize = 1_000;

/// Converts all vCards of a file.
pub fn contacts(data: &[u8], context: &Context<'_>) -> Result<Vec<Message>, ConvertError> {
    let cards = content_line::components(data)?;
    let cards = cards.iter().filter(|card| card.name == "VCARD");
    let cards: Vec<&Component> = cards.filter(|card| !card.lines.is_empty()).collect();
    if cards.len() > CONTACTS_MAX {
        return Err(ConvertError::TooMany);
    }
    let contacts: Vec<Message> = cards.iter().map(|card| contact(card, context)).collect();
    if contacts.is_empty() {
        return Err(ConvertError::NoContact);
    }
    Ok(contacts)
}

fn contact(card: &Component, context: &Context<'_>) -> Message {
    let mut message = Message::default();
    let bag = &mut message.props;
    bag.set_text(PID_TAG_MESSAGE_CLASS, "IPM.Contact");
    let integer = |number: i32| PropValue::Integer32(number);
    bag.set(PID_TAG_MESSAGE_FLAGS, &integer(3)); // mfRead, mfUnmodified
    bag.set(PID_TAG_ICON_INDEX, &integer(CONTACT_ICON));
    bag.set(PID_TAG_IMPORTANCE, &integer(1));
    bag.set(PID_TAG_PRIORITY, &integer(0));
    bag.set(PID_TAG_SENSITIVITY, &integer(sensitivity(card)));
    bag.set(
        PID_TAG_INTERNET_CODEPAGE,
        &integer(crate::charset::UTF_8 as i32),
    );
    for tag in [
        PID_TAG_CREATION_TIME,
        PID_TAG_LAST_MODIFICATION_TIME,
        PID_TAG_CLIENT_SUBMIT_TIME,
        PID_TAG_MESSAGE_DELIVERY_TIME,
    ] {
        bag.set(tag, &PropValue::Time(context.now));
    }
    let name = set_names(bag, card, context);
    set_emails(bag, card, &name, context);
    set_phones(bag, card);
    set_addresses(bag, card, context);
    set_work(bag, card, context);
    set_dates(bag, card);
    if let Some(note) = card.text("NOTE") {
        bag.set_text(PID_TAG_BODY, &body::with_crlf(&note));
        bag.set(PID_TAG_NATIVE_BODY, &integer(1));
    }
    let categories: Vec<_> = card
        .lines("CATEGORIES")
        .flat_map(Line::list)
        .take(100)
        .collect();
    if !categories.is_empty() {
        let words = categories.into_iter().map(Into::into).collect();
        context.set(bag, PID_NAME_KEYWORDS, &PropValue::MultipleString(words));
    }
    let photo = card.line("PHOTO").and_then(|line| photo(line, context));
    context.set_bool(bag, PID_LID_HAS_PICTURE, photo.is_some());
    message.attachments.extend(photo);
    envelope::set_recipients(&mut message, &[]);
    message
}

/// MS-OXVCARD 2.1.3 CLASS.
fn sensitivity(card: &Component) -> i32 {
    match card
        .text("CLASS")
        .unwrap_or_default()
        .to_ascii_uppercase()
        .as_str()
    {
        "PRIVATE" => 2,
        "CONFIDENTIAL" => 3,
        _ => 0,
    }
}

fn short(text: &str) -> String {
    let text = crate::header::without_controls(text);
    text.chars().take(TEXT_CHARS_MAX).collect()
}

fn set_short(bag: &mut Bag, tag: PropTag, text: &str) {
    let text = short(text);
    if !text.is_empty() {
        bag.set_text(tag, &text);
    }
}

/// FN, N and NICKNAME (MS-OXVCARD 2.1.3, MS-OXOCNTC 2.2.1.1); gives the display name.
fn set_names(bag: &mut Bag, card: &Component, context: &Context<'_>) -> String {
    let parts = card.line("N").map(Line::fields).unwrap_or_default();
    let part = |at: usize| {
        parts
            .get(at)
            .map(|part| short(&part.replace(',', " ")))
            .unwrap_or_default()
    };
    for (at, tag) in [
        PID_TAG_SURNAME,
        PID_TAG_GIVEN_NAME,
        PID_TAG_MIDDLE_NAME,
        PID_TAG_DISPLAY_NAME_PREFIX,
        PID_TAG_GENERATION,
    ]
    .into_iter()
    .enumerate()
    {
        set_short(bag, tag, &part(at));
    }
    let in_order = [3, 1, 2, 0, 4].map(part);
    let in_order: Vec<&str> = in_order
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let organization = card
        .line("ORG")
        .and_then(|line| line.fields().into_iter().next());
    let email = card.text("EMAIL");
    let name = [
        card.text("FN"),
        Some(in_order.join(" ")),
        organization,
        email,
    ]
    .into_iter()
    .flatten()
    .map(|name| short(&name))
    .find(|name| !name.is_empty())
    .unwrap_or_else(|| "Contact".to_owned());
    for tag in [
        PID_TAG_DISPLAY_NAME,
        PID_TAG_SUBJECT,
        PID_TAG_NORMALIZED_SUBJECT,
        PID_TAG_CONVERSATION_TOPIC,
    ] {
        bag.set_text(tag, &name);
    }
    bag.set_text(PID_TAG_SUBJECT_PREFIX, "");
    let file_under = match (part(0), part(1)) {
        (surname, given) if !surname.is_empty() && !given.is_empty() => {
            format!("{surname}, {given}")
        }
        _ => name.clone(),
    };
    context.set_text(bag, PID_LID_FILE_UNDER, &file_under);
    if let Some(nickname) = card.text("NICKNAME") {
        set_short(bag, PID_TAG_NICKNAME, &nickname);
    }
    name
}

/// EMAIL (MS-OXVCARD 2.1.3, MS-OXOCNTC 2.2.1.2): the first three.
fn set_emails(bag: &mut Bag, card: &Component, name: &str, context: &Context<'_>) {
    const SLOTS: [[NamedTag; 5]; 3] = [
        [
            PID_LID_EMAIL1_DISPLAY_NAME,
            PID_LID_EMAIL1_ADDRESS_TYPE,
            PID_LID_EMAIL1_EMAIL_ADDRESS,
            PID_LID_EMAIL1_ORIGINAL_DISPLAY_NAME,
            PID_LID_EMAIL1_ORIGINAL_ENTRY_ID,
        ],
        [
            PID_LID_EMAIL2_DISPLAY_NAME,
            PID_LID_EMAIL2_ADDRESS_TYPE,
            PID_LID_EMAIL2_EMAIL_ADDRESS,
            PID_LID_EMAIL2_ORIGINAL_DISPLAY_NAME,
            PID_LID_EMAIL2_ORIGINAL_ENTRY_ID,
        ],
        [
            PID_LID_EMAIL3_DISPLAY_NAME,
            PID_LID_EMAIL3_ADDRESS_TYPE,
            PID_LID_EMAIL3_EMAIL_ADDRESS,
            PID_LID_EMAIL3_ORIGINAL_DISPLAY_NAME,
            PID_LID_EMAIL3_ORIGINAL_ENTRY_ID,
        ],
    ];
    let emails = card
        .lines("EMAIL")
        .filter_map(|line| Mailbox::new(name, &line.text()));
    let emails = emails.filter(|mailbox| !mailbox.address.is_empty());
    let mut used = Vec::new();
    for (mailbox, (slot, index)) in emails.zip(SLOTS.into_iter().zip(0_i32..)) {
        let [display_name, address_type, address, original, entry_id] = slot;
        let shown = format!("{} ({})", mailbox.name, mailbox.address);
        context.set_text(bag, display_name, &shown);
        context.set_text(bag, address_type, "SMTP");
        context.set_text(bag, address, &mailbox.address);
        context.set_text(bag, original, &mailbox.address);
        context.set_binary(bag, entry_id, mailbox.entry_id());
        used.push(index);
    }
    // MS-OXOCNTC 2.2.1.2.12 and 2.2.1.2.11: which of them there are.
    if !used.is_empty() {
        let bits = used.iter().fold(0, |bits, index| bits | 1 << index);
        context.set_i32(bag, PID_LID_ADDRESS_BOOK_PROVIDER_ARRAY_TYPE, bits);
        let list = PropValue::MultipleInteger32(used);
        context.set(bag, PID_LID_ADDRESS_BOOK_PROVIDER_EMAIL_LIST, &list);
    }
}

/// TEL (MS-OXVCARD 2.1.3, MS-OXOCNTC 2.2.1.4).
fn set_phones(bag: &mut Bag, card: &Component) {
    for line in card.lines("TEL") {
        let number = line.text();
        let number = number.strip_prefix("tel:").unwrap_or(&number);
        let is = |ty: &str| line.has_type(ty);
        let places: &[PropTag] = if is("fax") && is("home") {
            &[PID_TAG_HOME_FAX_NUMBER]
        } else if is("fax") {
            &[PID_TAG_BUSINESS_FAX_NUMBER, PID_TAG_PRIMARY_FAX_NUMBER]
        } else if is("cell") {
            &[PID_TAG_MOBILE_TELEPHONE_NUMBER]
        } else if is("pager") {
            &[PID_TAG_PAGER_TELEPHONE_NUMBER]
        } else if is("car") {
            &[PID_TAG_CAR_TELEPHONE_NUMBER]
        } else if is("isdn") {
            &[PID_TAG_ISDN_NUMBER]
        } else if is("home") {
            &[
                PID_TAG_HOME_TELEPHONE_NUMBER,
                PID_TAG_HOME2_TELEPHONE_NUMBER,
            ]
        } else if is("work") {
            &[
                PID_TAG_BUSINESS_TELEPHONE_NUMBER,
                PID_TAG_BUSINESS2_TELEPHONE_NUMBER,
            ]
        } else if is("pref") {
            &[PID_TAG_PRIMARY_TELEPHONE_NUMBER]
        } else {
            &[PID_TAG_OTHER_TELEPHONE_NUMBER]
        };
        // The first place that is free; without one, the first number stays.
        let free = |tag: &&PropTag| !has(bag, **tag);
        if let Some(tag) = places.iter().find(free).copied() {
            set_short(bag, tag, number);
        }
    }
}

fn has(bag: &Bag, tag: PropTag) -> bool {
    use ropewalk_props::BagView as _;
    bag.position(tag.id()).is_some()
}

/// ADR (MS-OXVCARD 2.1.3, MS-OXOCNTC 2.2.1.3).
fn set_addresses(bag: &mut Bag, card: &Component, context: &Context<'_>) {
    for line in card.lines("ADR").take(16) {
        let fields = line.fields();
        let field = |at: usize| fields.get(at).map(|field| short(field)).unwrap_or_default();
        let [po_box, extended, street, city, state, code, country] =
            [0, 1, 2, 3, 4, 5, 6].map(field);
        let join = |parts: &[&str], with: &str| {
            let parts: Vec<&str> = parts
                .iter()
                .copied()
                .filter(|part| !part.is_empty())
                .collect();
            parts.join(with)
        };
        let street = join(&[&extended, &street], ", ");
        let town = join(&[&code, &city], " ");
        let whole = join(&[&po_box, &street, &town, &state, &country], "\r\n");
        if whole.is_empty() {
            continue;
        }
        let values = [&street, &city, &state, &code, &country, &po_box];
        if line.has_type("home") {
            let tags = [
                PID_TAG_HOME_ADDRESS_STREET,
                PID_TAG_HOME_ADDRESS_CITY,
                PID_TAG_HOME_ADDRESS_STATE_OR_PROVINCE,
                PID_TAG_HOME_ADDRESS_POSTAL_CODE,
                PID_TAG_HOME_ADDRESS_COUNTRY,
                PID_TAG_HOME_ADDRESS_POST_OFFICE_BOX,
            ];
            tags.into_iter()
                .zip(values)
                .for_each(|(tag, value)| set_short(bag, tag, value));
            context.set_text(bag, PID_LID_HOME_ADDRESS, &whole);
        } else if line.has_type("work") {
            let named = [
                PID_LID_WORK_ADDRESS_STREET,
                PID_LID_WORK_ADDRESS_CITY,
                PID_LID_WORK_ADDRESS_STATE,
                PID_LID_WORK_ADDRESS_POSTAL_CODE,
                PID_LID_WORK_ADDRESS_COUNTRY,
                PID_LID_WORK_ADDRESS_POST_OFFICE_BOX,
            ];
            let tags = [
                PID_TAG_STREET_ADDRESS,
                PID_TAG_LOCALITY,
                PID_TAG_STATE_OR_PROVINCE,
                PID_TAG_POSTAL_CODE,
                PID_TAG_COUNTRY,
                PID_TAG_POST_OFFICE_BOX,
            ];
            for ((named, tag), value) in named.into_iter().zip(tags).zip(values) {
                context.set_text(bag, named, value);
                set_short(bag, tag, value);
            }
            context.set_text(bag, PID_LID_WORK_ADDRESS, &whole);
            bag.set_text(PID_TAG_POSTAL_ADDRESS, &whole);
        } else {
            let tags = [
                PID_TAG_OTHER_ADDRESS_STREET,
                PID_TAG_OTHER_ADDRESS_CITY,
                PID_TAG_OTHER_ADDRESS_STATE_OR_PROVINCE,
                PID_TAG_OTHER_ADDRESS_POSTAL_CODE,
                PID_TAG_OTHER_ADDRESS_COUNTRY,
                PID_TAG_OTHER_ADDRESS_POST_OFFICE_BOX,
            ];
            tags.into_iter()
                .zip(values)
                .for_each(|(tag, value)| set_short(bag, tag, value));
            context.set_text(bag, PID_LID_OTHER_ADDRESS, &whole);
        }
    }
}

/// ORG, TITLE, ROLE, URL and IMPP (MS-OXVCARD 2.1.3, MS-OXOCNTC 2.2.1.6 and 2.2.1.10).
fn set_work(bag: &mut Bag, card: &Component, context: &Context<'_>) {
    let organization = card.line("ORG").map(Line::fields).unwrap_or_default();
    let part = |at: usize| organization.get(at).map(String::as_str).unwrap_or_default();
    set_short(bag, PID_TAG_COMPANY_NAME, part(0));
    set_short(bag, PID_TAG_DEPARTMENT_NAME, part(1));
    for (name, tag) in [("TITLE", PID_TAG_TITLE), ("ROLE", PID_TAG_PROFESSION)] {
        if let Some(text) = card.text(name) {
            set_short(bag, tag, &text);
        }
    }
    if let Some(url) = card.text("URL") {
        let home = card.line("URL").is_some_and(|line| line.has_type("home"));
        let tag = if home {
            PID_TAG_PERSONAL_HOME_PAGE
        } else {
            PID_TAG_BUSINESS_HOME_PAGE
        };
        set_short(bag, tag, &url);
        context.set_text(bag, PID_LID_HTML, &short(&url));
    }
    if let Some(address) = card.text("IMPP").or_else(|| card.text("X-MS-IMADDRESS")) {
        context.set_text(bag, PID_LID_INSTANT_MESSAGING_ADDRESS, &short(&address));
    }
}

/// BDAY and ANNIVERSARY (MS-OXOCNTC 2.2.1.5), at noon so that no time zone shifts the day.
fn set_dates(bag: &mut Bag, card: &Component) {
    for (names, tag) in [
        (["BDAY", "BDAY"], PID_TAG_BIRTHDAY),
        (
            ["ANNIVERSARY", "X-ANNIVERSARY"],
            PID_TAG_WEDDING_ANNIVERSARY,
        ),
    ] {
        let text = names.into_iter().find_map(|name| card.text(name));
        if let Some(day) = text.and_then(|text| date_of(&text)) {
            bag.set(tag, &PropValue::Time(noon_of(day)));
        }
    }
}

/// PHOTO (MS-OXVCARD 2.1.3, MS-OXOCNTC 2.2.1.8): an attachment with a name that clients know.
fn photo(line: &Line, context: &Context<'_>) -> Option<Attachment> {
    let base64 = line.parameter("ENCODING").is_some_and(|encoding| {
        ["B", "BASE64"]
            .iter()
            .any(|name| encoding.eq_ignore_ascii_case(name))
    });
    let data = match line.value.trim().strip_prefix("data:") {
        Some(uri) => uri
            .split_once(";base64,")
            .map(|(_, data)| transfer::base64(data.as_bytes()))?,
        None if base64 => transfer::base64(line.value.as_bytes()),
        None => return None,
    };
    let (extension, mime_type) = match &data[..] {
        [0x89, b'P', b'N', b'G', ..] => ("png", "image/png"),
        [b'G', b'I', b'F', ..] => ("gif", "image/gif"),
        [] => return None,
        _ => ("jpg", "image/jpeg"),
    };
    let mut props = attachment::common(0, context);
    attachment::set_name(&mut props, &format!("ContactPicture.{extension}"));
    attachment::set_data(&mut props, &data);
    props.set_text(PID_TAG_ATTACH_MIME_TAG, mime_type);
    props.set(PID_TAG_ATTACHMENT_CONTACT_PHOTO, &PropValue::Boolean(true));
    props.set(PID_TAG_ATTACHMENT_HIDDEN, &PropValue::Boolean(true));
    Some(Attachment {
        number: 0,
        props,
        embedded: None,
    })
}

#[cfg(test)]
mod tests {
    use ropewalk_props::BagView as _;

    use super::*;
    use crate::testing::{Names, now};

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Boole;George;;Dr;\r\nFN:George Boole\r\n\
        ORG:Logic Ltd;Algebra\r\nTITLE:Head\r\nEMAIL;TYPE=work:george@example.test\r\n\
        EMAIL:gb@example.test\r\nTEL;TYPE=WORK,VOICE:+1 1\r\nTEL;TYPE=work:+1 2\r\nTEL;CELL:+1 3\r\n\
        ADR;TYPE=work:;;1 Quay;Cork;;T12;Ireland\r\nBDAY:1815-11-02\r\nNOTE:one\\ntwo\r\n\
        PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\nEND:VCARD\r\n";

    #[test]
    fn a_card_becomes_a_contact() {
        let names = Names::default();
        let contacts = crate::contacts(CARD.as_bytes(), &names, now()).unwrap();
        let [contact] = &contacts[..] else { panic!() };
        for (tag, text) in [
            (PID_TAG_MESSAGE_CLASS, "IPM.Contact"),
            (PID_TAG_DISPLAY_NAME, "George Boole"),
            (PID_TAG_SURNAME, "Boole"),
            (PID_TAG_GIVEN_NAME, "George"),
            (PID_TAG_DISPLAY_NAME_PREFIX, "Dr"),
            (PID_TAG_COMPANY_NAME, "Logic Ltd"),
            (PID_TAG_DEPARTMENT_NAME, "Algebra"),
            (PID_TAG_TITLE, "Head"),
            (PID_TAG_BUSINESS_TELEPHONE_NUMBER, "+1 1"),
            (PID_TAG_BUSINESS2_TELEPHONE_NUMBER, "+1 2"),
            (PID_TAG_MOBILE_TELEPHONE_NUMBER, "+1 3"),
            (PID_TAG_LOCALITY, "Cork"),
            (PID_TAG_BODY, "one\r\ntwo"),
        ] {
            assert_eq!(contact.props.get_text(tag).as_deref(), Some(text), "{tag}");
        }
        for (tag, text) in [
            (PID_LID_FILE_UNDER, "Boole, George"),
            (PID_LID_EMAIL1_EMAIL_ADDRESS, "george@example.test"),
            (PID_LID_EMAIL2_EMAIL_ADDRESS, "gb@example.test"),
            (
                PID_LID_EMAIL1_DISPLAY_NAME,
                "George Boole (george@example.test)",
            ),
            (PID_LID_WORK_ADDRESS, "1 Quay\r\nT12 Cork\r\nIreland"),
        ] {
            assert_eq!(
                names.text(&contact.props, tag).as_deref(),
                Some(text),
                "{tag:?}"
            );
        }
        let birthday = contact
            .props
            .get(PID_TAG_BIRTHDAY)
            .unwrap()
            .as_time()
            .unwrap();
        assert_eq!(birthday.to_unix_seconds(), -4_864_968_000);
        let [photo] = &contact.attachments[..] else {
            panic!()
        };
        let name = photo.props.get_text(PID_TAG_ATTACH_LONG_FILENAME);
        assert_eq!(name.as_deref(), Some("ContactPicture.png"));
    }

    #[test]
    fn poor_cards_are_contacts_and_other_files_are_not() {
        let names = Names::default();
        let poor = "BEGIN:VCARD\nEMAIL:x@example.test\n\nBEGIN:VCARD\nN:;;\nEND:VCARD";
        let contacts = crate::contacts(poor.as_bytes(), &names, now()).unwrap();
        let name = contacts[0].props.get_text(PID_TAG_DISPLAY_NAME);
        assert_eq!(name.as_deref(), Some("x@example.test"));
        for text in [
            "",
            "BEGIN:VCARD\nEND:VCARD\n",
            "BEGIN:VCALENDAR\nX:1\n",
            "hello",
        ] {
            let result = crate::contacts(text.as_bytes(), &names, now());
            assert_eq!(result.err(), Some(ConvertError::NoContact), "{text}");
        }
    }
}
