//! Request types on objects and names, and those that begin and end a session.

use ropewalk_props::{PropTag, PropType, text::decode_utf16le};
use ropewalk_store::User;
use ropewalk_wire::{
    ErrorCode,
    codec::Utf16Z,
    nspi::{
        AddressBookTaggedPropertyValue, BindRequest, BindResponse, DnToMIdRequest, DnToMIdResponse,
        EmptyResponse, GetAddressBookUrlRequest, GetMailboxUrlRequest, GetPropListRequest,
        GetPropListResponse, GetPropsRequest, GetPropsResponse, MID_UNRESOLVED, ModLinkAttRequest,
        ModPropsRequest, QueryColumnsRequest, QueryColumnsResponse, ResolveNamesRequest,
        ResolveNamesResponse, UnbindRequest, UrlResponse,
    },
    row::RowCell,
    value::TaggedPropertyValue,
};

use super::{
    Answer, COLUMNS_MAX, F_EPH_ID, GLOBAL_ADDRESS_LIST, NspiContext,
    book::AddressBook,
    code_page::{CP_TELETEX, CP_WINUNICODE, CodePage},
    done, in_container,
    names::{Resolution, resolve},
    property::{CONTAINER_PROPERTIES, USER_PROPERTIES, View, with_strings},
    reply, required,
    rows::{Rows, columns},
};
use crate::autodiscover::urls::mailbox_guid;

/// Bind, dwFlags: do not ask who the client is (MS-OXNSPI 2.2.1.15).
const F_ANONYMOUS_LOGIN: u32 = 0x0000_0020;
/// QueryColumns, dwFlags: report strings as PtypString (MS-OXNSPI 2.2.1.13).
const NSPI_UNICODE_PROPTYPES: u32 = 0x8000_0000;
/// The most names in one ResolveNames request; TableTooBig beyond. Each is held against every user.
const NAMES_MAX: usize = 1000;
/// The properties that ModLinkAtt is for (MS-OXNSPI 3.1.4.1.15).
const MEMBER: u16 = 0x8009;
const PUBLIC_DELEGATES: u16 = 0x8015;

/// MS-OXNSPI 3.1.4.1.1. The session itself is made by the HTTP layer, which knows who the client is;
/// a client that wants that to be ignored is refused, as since Exchange 2010 (constraint 3).
pub fn bind(context: &NspiContext<'_>, request: &BindRequest<'_>, out: &mut Vec<u8>) -> Answer {
    if request.flags & F_ANONYMOUS_LOGIN != 0 {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    if let Some(stat) = &request.state {
        CodePage::new(stat.code_page)?;
    }
    let body = BindResponse {
        server_guid: context.store.store_guid(),
    };
    reply(body, out)
}

/// MS-OXNSPI 3.1.4.1.2: success has a code of its own.
pub fn unbind(_: &NspiContext<'_>, _: &UnbindRequest<'_>, out: &mut Vec<u8>) -> Answer {
    Ok(done(ErrorCode::UNBIND_SUCCESS, EmptyResponse {}, out)?)
}

/// MS-OXNSPI 3.1.4.1.5.
pub fn query_columns(
    _: &NspiContext<'_>,
    request: &QueryColumnsRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let tags = known_properties(request.mapi_flags & NSPI_UNICODE_PROPTYPES != 0);
    let body = QueryColumnsResponse {
        columns: Some(tags.as_slice().into()),
    };
    reply(body, out)
}

/// Every property that the server is aware of.
fn known_properties(unicode: bool) -> Vec<PropTag> {
    with_strings(
        USER_PROPERTIES.into_iter().chain(CONTAINER_PROPERTIES),
        unicode,
    )
}

/// MS-OXNSPI 3.1.4.1.6. Minimal Entry ID 0 is the Global Address List, and so everything that is in
/// it has every property that the server is aware of. No property of a user is of type PtypEmbeddedTable, so fSkipObjects leaves
/// the list as it is.
pub fn get_prop_list(
    context: &NspiContext<'_>,
    request: &GetPropListRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let book = AddressBook::read(context.store);
    let tags = match request.minimal_id {
        GLOBAL_ADDRESS_LIST => known_properties(false),
        minimal_id => property_list(&book, minimal_id),
    };
    let body = GetPropListResponse {
        property_tags: Some(tags.as_slice().into()),
    };
    reply(body, out)
}

/// The properties that have values on an object: none without one.
fn property_list(book: &AddressBook, minimal_id: u32) -> Vec<PropTag> {
    match book.user(minimal_id) {
        Some(_) => with_strings(USER_PROPERTIES, false),
        None => Vec::new(),
    }
}

/// MS-OXNSPI 3.1.4.1.7.
pub fn get_props(
    context: &NspiContext<'_>,
    request: &GetPropsRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    let book = AddressBook::read(context.store);
    // GetMatches hands out the Minimal Entry ID of an object as ContainerID.
    if stat.container_id != GLOBAL_ADDRESS_LIST && book.user(stat.container_id).is_none() {
        return Err(ErrorCode::INVALID_BOOKMARK.into());
    }
    let tags = match request.property_tags {
        None => property_list(&book, stat.current_rec),
        Some(tags) if tags.len() > COLUMNS_MAX => return Err(ErrorCode::TABLE_TOO_BIG.into()),
        Some(tags) => tags.iter().collect(),
    };
    // Constraint 1: CP_WINUNICODE will do as long as nothing has to be converted to it.
    let code_page = match stat.code_page {
        CP_WINUNICODE => CodePage::new(CP_TELETEX)?,
        code_page => CodePage::new(code_page)?,
    };
    let view = context.view(code_page, request.flags & F_EPH_ID != 0);
    let user = book.user(stat.current_rec);
    let values: Vec<_> = tags.iter().map(|tag| value(&view, user, *tag)).collect();
    let converted = |(value, _): &(AddressBookTaggedPropertyValue, bool)| {
        matches!(
            value.0.tag.ty(),
            PropType::STRING8 | PropType::MULTIPLE_STRING8
        )
    };
    if stat.code_page == CP_WINUNICODE && values.iter().any(converted) {
        return Err(ErrorCode::INVALID_CODEPAGE.into());
    }
    let complete = values.iter().all(|(_, found)| *found);
    let values: Vec<_> = values.into_iter().map(|(value, _)| value).collect();
    let body = GetPropsResponse {
        code_page: stat.code_page,
        property_values: Some((&values).into()),
    };
    let code = if complete {
        ErrorCode(0)
    } else {
        ErrorCode::ERRORS_RETURNED
    };
    Ok(done(code, body, out)?)
}

/// A value with its tag, or an error with the tag of type PtypErrorCode (constraint 12), and which
/// of the two it is.
fn value(view: &View, user: Option<&User>, tag: PropTag) -> (AddressBookTaggedPropertyValue, bool) {
    use ropewalk_props::PropValue;
    let cell = user.map(|user| view.cell(user, tag));
    let (value, found) = match cell {
        Some(RowCell::Value(value)) => (value, true),
        Some(RowCell::Error(code)) => (PropValue::ErrorCode(code.0), false),
        Some(RowCell::Absent) | None => (PropValue::ErrorCode(ErrorCode::NOT_FOUND.0), false),
    };
    let tag = tag.with_type(value.ty());
    (
        AddressBookTaggedPropertyValue(TaggedPropertyValue { tag, value }),
        found,
    )
}

/// MS-OXNSPI 3.1.4.1.13: a Minimal Entry ID for each DN, 0 for one that nobody has; none for a
/// request without DNs.
pub fn dn_to_mid(
    context: &NspiContext<'_>,
    request: &DnToMIdRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let ids: Vec<_> = request
        .names
        .iter()
        .flat_map(|names| names.iter())
        .map(|dn| {
            std::str::from_utf8(dn.0)
                .ok()
                .and_then(|dn| context.store.user_by_legacy_dn(dn))
                .map_or(MID_UNRESOLVED, |user| user.minimal_id)
        })
        .collect();
    let body = DnToMIdResponse {
        minimal_ids: Some((&ids).into()),
    };
    reply(body, out)
}

/// MS-OXNSPI 3.1.4.1.17. Rows have permanent EntryIDs: clients keep them with messages.
pub fn resolve_names(
    context: &NspiContext<'_>,
    request: &ResolveNamesRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    let view = context.view(CodePage::new(stat.code_page)?, false);
    in_container(&stat)?;
    let names = request.names.ok_or(ErrorCode::INVALID_PARAMETER)?;
    if names.len() > NAMES_MAX {
        return Err(ErrorCode::TABLE_TOO_BIG.into());
    }
    let mut rows = Rows::new(columns(request.property_tags)?);
    let book = AddressBook::read(context.store);
    let mut ids = Vec::with_capacity(names.len());
    for name in &names {
        let resolution = resolve(&book, &decode_utf16le(name.0));
        ids.push(resolution.minimal_id());
        if let Resolution::Resolved(user) = resolution
            && !rows.push(&view, Some(user))?
        {
            return Err(ErrorCode::TABLE_TOO_BIG.into());
        }
    }
    let body = ResolveNamesResponse {
        code_page: stat.code_page,
        minimal_ids: Some((&ids).into()),
        rows_and_columns: Some(rows.as_wire()),
    };
    reply(body, out)
}

/// MS-OXNSPI 3.1.4.1.14: the address book is changed by `ropewalk user` alone.
pub fn mod_props(
    context: &NspiContext<'_>,
    request: &ModPropsRequest<'_>,
    _: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    CodePage::new(stat.code_page)?;
    let located = AddressBook::read(context.store)
        .user(stat.current_rec)
        .is_some();
    Err(match request.property_tags {
        Some(_) if located => ErrorCode::ACCESS_DENIED,
        _ => ErrorCode::INVALID_PARAMETER,
    }
    .into())
}

/// MS-OXNSPI 3.1.4.1.15: links are not changed either (constraints 5 and 8).
pub fn mod_link_att(
    context: &NspiContext<'_>,
    request: &ModLinkAttRequest<'_>,
    _: &mut Vec<u8>,
) -> Answer {
    if !matches!(request.property_tag.id(), MEMBER | PUBLIC_DELEGATES) {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    let book = AddressBook::read(context.store);
    let located = book.user(request.minimal_id).is_some();
    Err(if located {
        ErrorCode::ACCESS_DENIED
    } else {
        ErrorCode::INVALID_PARAMETER
    }
    .into())
}

/// MS-OXCMAPIHTTP 2.2.5.18: ServerDn as PidTagAddressBookHomeMessageDatabase has it, or the DN of a
/// user. This server has every mailbox, so any other server's DN stands for the mailbox of who asks.
pub fn get_mailbox_url(
    context: &NspiContext<'_>,
    request: &GetMailboxUrlRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let dn = decode_utf16le(request.server_dn.0);
    let server = dn.strip_suffix("/cn=Microsoft Private MDB").unwrap_or(&dn);
    let name = server.rsplit_once("/cn=").map_or("", |(_, name)| name);
    let url = if let Some(guid) = mailbox_guid(name) {
        let user = context.store.user_by_mailbox(guid);
        context.urls.mail_store(&*user.ok_or(ErrorCode::NOT_FOUND)?)
    } else if let Some(user) = context.store.user_by_legacy_dn(&dn) {
        context.urls.mail_store(&user)
    } else {
        context.urls.mail_store(context.user)
    };
    reply_url(&url, out)
}

/// MS-OXCMAPIHTTP 2.2.5.19: UserDn is the DN of a user.
pub fn get_address_book_url(
    context: &NspiContext<'_>,
    request: &GetAddressBookUrlRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let dn = decode_utf16le(request.user_dn.0);
    let url = if dn.is_empty() {
        context.urls.address_book(context.user)
    } else {
        let user = context.store.user_by_legacy_dn(&dn);
        context
            .urls
            .address_book(&*user.ok_or(ErrorCode::NOT_FOUND)?)
    };
    reply_url(&url, out)
}

fn reply_url(url: &str, out: &mut Vec<u8>) -> Answer {
    let server_url: Vec<u8> = url.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let body = UrlResponse {
        server_url: Utf16Z(&server_url),
    };
    reply(body, out)
}
