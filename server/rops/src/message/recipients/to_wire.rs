//! From a recipient's properties to a RecipientRow (MS-OXCDATA 2.8.3).

use std::collections::BTreeSet;

use ropewalk_props::{BagView, PropTag, PropType, tags::*};
use ropewalk_wire::{
    EncodeError, ErrorCode, Put,
    codec::{AsciiZ, Bytes16},
    recipient::{OpenRecipientRow, ReadRecipientRow, Recipient, RecipientAddress},
    row::Cell,
};

use crate::{
    code_page::CodePage,
    property::value::{Resolved, Strings, in_bag},
    view::{MessageView, RecipientView},
};

/// Columns that are sent of a message's recipients at most.
const COLUMNS_SENT_MAX: usize = 256;

/// Recipients of which a row can be sent in one response: RowCount is less than 0xFF (MS-OXCMSG
/// 2.2.3.6.2).
const ROWS_MAX: usize = 254;

/// What a row has in fields of its own, and what is the same as its RowId and RecipientType.
const NOT_COLUMNS: [PropTag; 10] = [
    PID_TAG_RECIPIENT_TYPE,
    PID_TAG_RESPONSIBILITY,
    PID_TAG_INSTANCE_KEY,
    PID_TAG_ROWID,
    PID_TAG_DISPLAY_NAME,
    PID_TAG_ADDRESS_TYPE,
    PID_TAG_EMAIL_ADDRESS,
    PID_TAG_ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE,
    PID_TAG_TRANSMITTABLE_DISPLAY_NAME,
    PID_TAG_SEND_RICH_INFO,
];

/// RecipientColumns of a message: what any of its recipients has besides the fields of a row.
pub fn columns(view: MessageView<'_>) -> Vec<PropTag> {
    let mut columns = BTreeSet::from([
        PID_TAG_OBJECT_TYPE,
        PID_TAG_ENTRY_ID,
        PID_TAG_SEARCH_KEY,
        PID_TAG_DISPLAY_TYPE,
        PID_TAG_SMTP_ADDRESS,
    ]);
    for recipient in view.recipients() {
        let props = recipient.props();
        let tags = (0..props.len())
            .filter_map(|index| props.entry(index))
            .map(|(tag, _)| tag);
        columns.extend(tags.filter(|tag| {
            tag.ty() != PropType::OBJECT && NOT_COLUMNS.iter().all(|known| known.id() != tag.id())
        }));
    }
    columns.into_iter().take(COLUMNS_SENT_MAX).collect()
}

/// Appends RowCount and an OpenRecipientRow for each recipient, as many as fit.
pub fn put_open_rows(
    out: &mut Vec<u8>,
    out_max: usize,
    view: MessageView<'_>,
    columns: &[PropTag],
    code_page: CodePage,
) {
    let start = out.len();
    out.put_u8(0);
    let count = put_rows(out, out_max, view.recipients(), |out, recipient| {
        let parts = Parts::of(recipient, columns, code_page, usize::MAX);
        let (kind, page) = (recipient.kind(), code_page.id());
        OpenRecipientRow::put(out, kind, page, &parts.recipient(), columns, |tag| {
            parts.cell(tag)
        })
    });
    if let Some(place) = out.get_mut(start) {
        *place = count;
    }
}

/// Appends a ReadRecipientRow for each recipient, as many as fit; returns how many. Values of
/// columns longer than `value_max` bytes leave an error in their place.
pub fn put_read_rows<'v>(
    out: &mut Vec<u8>,
    out_max: usize,
    recipients: impl Iterator<Item = RecipientView<'v>>,
    columns: &[PropTag],
    code_page: CodePage,
    value_max: usize,
) -> u8 {
    put_rows(out, out_max, recipients, |out, recipient| {
        let parts = Parts::of(recipient, columns, code_page, value_max);
        let (row_id, kind, page) = (recipient.row_id(), recipient.kind(), code_page.id());
        let row = parts.recipient();
        ReadRecipientRow::put(out, row_id, kind, page, &row, columns, |tag| {
            parts.cell(tag)
        })
    })
}

fn put_rows<'v>(
    out: &mut Vec<u8>,
    out_max: usize,
    recipients: impl Iterator<Item = RecipientView<'v>>,
    put: impl Fn(&mut Vec<u8>, RecipientView<'v>) -> Result<(), EncodeError>,
) -> u8 {
    let mut count = 0;
    for recipient in recipients.take(ROWS_MAX) {
        let before = out.len();
        if put(out, recipient).is_err() || out.len() > out_max {
            out.truncate(before);
            break;
        }
        count += 1;
    }
    count
}

/// What a row is made of, in the types in which it is sent.
struct Parts<'v> {
    props: &'v dyn BagView,
    address_type: String,
    /// PidTagAddressType and the DN, in the code page.
    address_type8: Vec<u8>,
    dn: Vec<u8>,
    cells: Vec<(PropTag, Result<Resolved<'v>, ErrorCode>)>,
}

impl<'v> Parts<'v> {
    fn of(
        recipient: RecipientView<'v>,
        columns: &[PropTag],
        code_page: CodePage,
        value_max: usize,
    ) -> Self {
        let props = recipient.props();
        let address_type = props.get_text(PID_TAG_ADDRESS_TYPE).unwrap_or_default();
        let strings = Strings {
            code_page,
            unicode: true,
        };
        let cells = columns
            .iter()
            .map(|column| {
                let cell = match in_bag(props, column.id()) {
                    None => Err(ErrorCode::NOT_FOUND),
                    Some(found) => found.into_resolved(column.ty(), strings),
                };
                let fits = |value: &Resolved<'_>| {
                    value.data.len() <= value_max || value.ty.fixed_size().is_some()
                };
                let cell = match cell {
                    Ok(value) if !fits(&value) => Err(ErrorCode::NOT_ENOUGH_MEMORY),
                    cell => cell,
                };
                (*column, cell)
            })
            .collect();
        Self {
            address_type8: code_page.from_utf16(text(props, PID_TAG_ADDRESS_TYPE)),
            dn: code_page.from_utf16(text(props, PID_TAG_EMAIL_ADDRESS)),
            props,
            address_type,
            cells,
        }
    }

    fn cell(&self, column: PropTag) -> Cell<'_> {
        match self.cells.iter().find(|(tag, _)| *tag == column) {
            Some((_, Ok(value))) => Cell::Value(value.value_ref()),
            Some((_, Err(code))) => Cell::Error(*code),
            None => Cell::Error(ErrorCode::NOT_FOUND),
        }
    }

    fn recipient(&self) -> Recipient<'_> {
        let bool = |tag| self.props.get(tag).and_then(|value| value.as_bool());
        let value = |tag| self.props.get(tag).map(|value| value.data);
        let address = self.address();
        let display_name = value(PID_TAG_DISPLAY_NAME);
        let transmittable = value(PID_TAG_TRANSMITTABLE_DISPLAY_NAME);
        let same_name = transmittable.is_some() && transmittable == display_name;
        Recipient {
            // The DN of an address book object is its e-mail address.
            email_address: match address {
                RecipientAddress::X500 { .. } => None,
                _ => value(PID_TAG_EMAIL_ADDRESS),
            },
            address,
            responsibility: bool(PID_TAG_RESPONSIBILITY).unwrap_or(false),
            no_rich_info: bool(PID_TAG_SEND_RICH_INFO) == Some(false),
            same_name,
            unicode: true,
            display_name,
            simple_display_name: value(PID_TAG_ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE),
            transmittable_display_name: transmittable.filter(|_| !same_name),
        }
    }

    fn address(&self) -> RecipientAddress<'_> {
        /// PersonalDistributionList1.
        const PERSONAL_LIST: u8 = 6;
        let binary = |tag| Bytes16::new(self.props.get(tag).map_or(&[][..], |value| value.data));
        match self.address_type.to_ascii_uppercase().as_str() {
            "" => RecipientAddress::None,
            "EX" => RecipientAddress::X500 {
                address_prefix_used: 0,
                display_type: self
                    .props
                    .get_i32(PID_TAG_DISPLAY_TYPE)
                    .and_then(|ty| u8::try_from(ty).ok())
                    .unwrap_or(0),
                x500_dn: AsciiZ(&self.dn),
            },
            "MS" => RecipientAddress::Known(2),
            "SMTP" => RecipientAddress::SMTP,
            "FAX" => RecipientAddress::Known(4),
            "PROFS" => RecipientAddress::Known(5),
            "MAPIPDL" => RecipientAddress::PersonalDistributionList {
                recipient_type: PERSONAL_LIST,
                entry_id: binary(PID_TAG_ENTRY_ID),
                search_key: binary(PID_TAG_SEARCH_KEY),
            },
            _ => RecipientAddress::Other {
                address_type: AsciiZ(&self.address_type8),
            },
        }
    }
}

fn text(props: &dyn BagView, tag: PropTag) -> &[u8] {
    props.get(tag).map_or(&[][..], |value| value.data)
}
