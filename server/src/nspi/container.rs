//! The hierarchy of containers, and templates (MS-OXNSPI 3.1.4.1.3 and 3.1.4.1.18).

use ropewalk_props::{PropTag, PropType, PropValue, Utf16Text, tags};
use ropewalk_wire::{
    ErrorCode,
    nspi::{
        AddressBookTaggedPropertyValue, GetSpecialTableRequest, GetSpecialTableResponse,
        GetTemplateInfoRequest, PropertyValueList,
    },
    value::TaggedPropertyValue,
};

use super::{
    Answer, GLOBAL_ADDRESS_LIST, NspiContext,
    code_page::{CP_WINUNICODE, CodePage},
    property::{DT_CONTAINER, permanent_entry_id},
    reply,
};

/// dwFlags (MS-OXNSPI 2.2.1.14).
const NSPI_ADDRESS_CREATION_TEMPLATES: u32 = 0x0000_0002;
const NSPI_UNICODE_STRINGS: u32 = 0x0000_0004;
/// PidTagContainerFlags: AB_RECIPIENTS and AB_UNMODIFIABLE (MS-OXOABK 2.2.2.1).
const CONTAINER_FLAGS: i32 = 0x01 | 0x08;
/// The hierarchy table never changes.
const VERSION: u32 = 1;
/// gal-addrlist-dn (MS-OXOABK 2.2.1.1).
const GLOBAL_ADDRESS_LIST_DN: &str = "/";

/// MS-OXNSPI 3.1.4.1.3: the hierarchy table has one row, the Global Address List; tables of address
/// creation templates have none.
pub fn get_special_table(
    _: &NspiContext<'_>,
    request: &GetSpecialTableRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let code_page = request.state.unwrap_or_default().code_page;
    let templates = request.flags & NSPI_ADDRESS_CREATION_TEMPLATES != 0;
    let unicode = request.flags & NSPI_UNICODE_STRINGS != 0;
    if templates {
        let body = GetSpecialTableResponse {
            code_page,
            version: None,
            rows: Some(Default::default()),
        };
        return reply(body, out);
    }
    let name = Utf16Text::from("Global Address List");
    let (code_page, name) = if unicode {
        (CP_WINUNICODE, PropValue::String(name))
    } else {
        (
            code_page,
            PropValue::String8(CodePage::new(code_page)?.encode(&name)),
        )
    };
    let row = hierarchy_row(name);
    let known = request.version == Some(VERSION);
    let rows: Vec<PropertyValueList<'_>> = if known { vec![] } else { vec![(&row).into()] };
    let body = GetSpecialTableResponse {
        code_page,
        version: Some(VERSION),
        rows: Some((&rows).into()),
    };
    reply(body, out)
}

/// The properties of a container in their order (constraint 14).
fn hierarchy_row(name: PropValue) -> [AddressBookTaggedPropertyValue; 6] {
    let entry_id = permanent_entry_id(DT_CONTAINER, GLOBAL_ADDRESS_LIST_DN);
    let name_tag: PropTag = tags::PID_TAG_DISPLAY_NAME.with_type(match name {
        PropValue::String8(_) => PropType::STRING8,
        _ => PropType::STRING,
    });
    [
        (tags::PID_TAG_ENTRY_ID, PropValue::Binary(entry_id)),
        (
            tags::PID_TAG_CONTAINER_FLAGS,
            PropValue::Integer32(CONTAINER_FLAGS),
        ),
        (tags::PID_TAG_DEPTH, PropValue::Integer32(0)),
        (
            tags::PID_TAG_ADDRESS_BOOK_CONTAINER_ID,
            PropValue::Integer32(GLOBAL_ADDRESS_LIST as i32),
        ),
        (name_tag, name),
        (
            tags::PID_TAG_ADDRESS_BOOK_IS_MASTER,
            PropValue::Boolean(false),
        ),
    ]
    .map(|(tag, value)| AddressBookTaggedPropertyValue(TaggedPropertyValue { tag, value }))
}

/// MS-OXNSPI 3.1.4.1.18: there are no templates, so none is found for any locale (constraint 5).
pub fn get_template_info(
    _: &NspiContext<'_>,
    request: &GetTemplateInfoRequest<'_>,
    _: &mut Vec<u8>,
) -> Answer {
    CodePage::new(request.code_page)?;
    Err(ErrorCode::INVALID_LOCALE.into())
}
