//! Names of properties and the ids that stand for them (MS-OXCPRPT 2.2.12, 2.2.13, 2.2.11).

use ropewalk_props::{
    Guid, PropertyName, Utf16Text,
    named::{PS_INTERNET_HEADERS, PS_MAPI},
};
use ropewalk_wire::{
    ErrorCode,
    codec::Wire,
    property_name::PropertyNameRef,
    rop::{
        GetNamesFromPropertyIdsRequest, GetPropertyIdsFromNamesRequest, PropertyIdsResponse,
        QueryNamedPropertiesRequest, QueryNamedPropertiesResponse,
    },
};

use super::read;
use crate::{
    exec::{Exec, Fail, blocking},
    object::Object,
    store_error,
    stream::pending,
};

/// The first id of a named property; those below stand for themselves.
const FIRST_NAMED: u16 = 0x8000;

/// Bytes of a name, whose terminator its NameSize counts too (MS-OXCDATA 2.6.1).
const NAME_BYTES_MAX: usize = u8::MAX as usize - 2;

/// A name as it is looked up, or why it is not.
enum Wanted {
    /// By this id, without a look.
    Id(u16),
    /// By this name.
    Name(PropertyName),
}

/// RopGetPropertyIdsFromNames (MS-OXCPRPT 3.2.5.10).
pub fn get_property_ids_from_names(
    exec: &mut Exec<'_>,
    request: &GetPropertyIdsFromNamesRequest<'_>,
) -> Result<(), Fail> {
    const CREATE: u8 = 0x02;
    let object = exec.object()?;
    let is_logon = matches!(object, Object::Logon(_));
    if matches!(object, Object::Table(_) | Object::Stream(_)) {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let mailbox = exec.mailbox()?;
    if request.property_names.is_empty() && is_logon {
        let ids: Vec<u16> = mailbox.all_named().into_iter().map(|(id, _)| id).collect();
        return answer_ids(exec, &ids);
    }
    exec.need(2 + 2 * request.property_names.len())?;
    let wanted: Vec<Wanted> = request.property_names.iter().map(wanted).collect();
    let names: Vec<PropertyName> = wanted
        .iter()
        .filter_map(|wanted| match wanted {
            Wanted::Name(name) => Some(name.clone()),
            Wanted::Id(_) => None,
        })
        .collect();
    // Who has no permission to register names is told of none that is new (MS-OXCPRPT 2.2.12.2).
    let create = request.flags & CREATE != 0 && exec.logon()?.may_register_names();
    let found = if create {
        blocking(|| mailbox.named_ids(&names, true))
    } else {
        mailbox.named_ids(&names, false)
    };
    let mut found = found.map_err(store_error::fail)?.into_iter();
    let ids: Vec<u16> = wanted
        .iter()
        .map(|wanted| match wanted {
            Wanted::Id(id) => *id,
            Wanted::Name(_) => found.next().flatten().unwrap_or(0),
        })
        .collect();
    answer_ids(exec, &ids)
}

fn answer_ids(exec: &mut Exec<'_>, ids: &[u16]) -> Result<(), Fail> {
    // No mailbox has more than 32,766 names; whether they fit is another matter.
    exec.need(2 + 2 * ids.len())?;
    exec.answer(&PropertyIdsResponse {
        property_ids: ids.into(),
    })
}

fn wanted(name: PropertyNameRef<'_>) -> Wanted {
    match name {
        // PS_MAPI: the id itself as LID, and nothing else.
        PropertyNameRef::Lid(PS_MAPI, lid) => Wanted::Id(
            u16::try_from(lid)
                .ok()
                .filter(|id| *id < FIRST_NAMED)
                .unwrap_or(0),
        ),
        PropertyNameRef::Name(PS_MAPI, _) | PropertyNameRef::NoName(_) => Wanted::Id(0),
        PropertyNameRef::Lid(guid, lid) => Wanted::Name(PropertyName::Lid(guid, lid)),
        // One that came without the terminator for which its size has no room.
        PropertyNameRef::Name(_, name) if name.len() > NAME_BYTES_MAX => Wanted::Id(0),
        PropertyNameRef::Name(guid, name) => {
            let name = Utf16Text::from_le_bytes(name);
            // Names of header fields do not depend on case.
            let name = if guid == PS_INTERNET_HEADERS {
                lower_case(&name)
            } else {
                name
            };
            Wanted::Name(PropertyName::Name(guid, name))
        }
    }
}

/// ASCII letters in lower case; other units, unpaired surrogates among them, stay.
fn lower_case(name: &Utf16Text) -> Utf16Text {
    let lowered: Vec<u8> = ropewalk_props::text::units(name.as_bytes())
        .map(|unit| match unit {
            0x41..=0x5A => unit | 0x20,
            other => other,
        })
        .flat_map(u16::to_le_bytes)
        .collect();
    Utf16Text::from_le_bytes(&lowered)
}

/// RopGetNamesFromPropertyIds (MS-OXCPRPT 2.2.13, 3.2.5.9).
pub fn get_names_from_property_ids(
    exec: &mut Exec<'_>,
    request: &GetNamesFromPropertyIdsRequest<'_>,
) -> Result<(), Fail> {
    if matches!(exec.object()?, Object::Table(_) | Object::Stream(_)) {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let mailbox = exec.mailbox()?;
    exec.begin();
    let count = u16::try_from(request.property_ids.len()).unwrap_or(u16::MAX);
    put(exec, &count)?;
    for id in request.property_ids.iter() {
        if exec.out.len() > exec.out_max {
            return Err(Fail::NoRoom(exec.out.len()));
        }
        if id < FIRST_NAMED {
            put(exec, &PropertyNameRef::Lid(PS_MAPI, id.into()))?;
        } else {
            match mailbox.named_property(id) {
                Some(name) => put(exec, &PropertyNameRef::from(&name))?,
                None => put(exec, &PropertyNameRef::NONE)?,
            }
        }
    }
    Ok(())
}

fn put<'a>(exec: &mut Exec<'_>, part: &impl Wire<'a>) -> Result<(), Fail> {
    // No stored name is too long for its size field.
    part.encode(exec.out)
        .map_err(|_| Fail::Code(ErrorCode::GENERAL_FAILURE))
}

/// RopQueryNamedProperties (MS-OXCPRPT 2.2.9, 3.2.5.6): the named properties of the object, or every one
/// of the mailbox on a logon.
pub fn query_named_properties(
    exec: &mut Exec<'_>,
    request: &QueryNamedPropertiesRequest,
) -> Result<(), Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    pending::settle(exec.session, exec.logon_id, handle)?;
    let mailbox = exec.mailbox()?;
    let names: Vec<(u16, PropertyName)> = match exec.object()? {
        Object::Logon(_) => mailbox.all_named(),
        Object::Table(_) | Object::Stream(_) => return Err(ErrorCode::NOT_SUPPORTED.into()),
        _ => read::tags(exec.session, exec.logon_id, handle)?
            .into_iter()
            .filter(|tag| tag.is_named())
            .filter_map(|tag| Some((tag.id(), mailbox.named_property(tag.id())?)))
            .collect(),
    };
    let wanted: Vec<&(u16, PropertyName)> = names
        .iter()
        .filter(|(_, name)| is_queried(name, request.query_flags, request.property_guid))
        .collect();
    let ids: Vec<u16> = wanted.iter().map(|(id, _)| *id).collect();
    let names: Vec<PropertyNameRef<'_>> = wanted.iter().map(|(_, name)| name.into()).collect();
    exec.answer(&QueryNamedPropertiesResponse {
        property_ids: (&ids).into(),
        property_names: (&names).into(),
    })
}

/// QueryFlags and PropertyGuid (MS-OXCPRPT 2.2.9.1).
fn is_queried(name: &PropertyName, flags: u8, guid: Option<Guid>) -> bool {
    const NO_STRINGS: u8 = 0x01;
    const NO_IDS: u8 = 0x02;
    let by_kind = match name {
        PropertyName::Lid(..) => flags & NO_IDS == 0,
        PropertyName::Name(..) => flags & NO_STRINGS == 0,
    };
    by_kind && guid.is_none_or(|guid| guid == name.guid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_not_be_told_again_gets_no_id() {
        let set = Guid([0x11; 16]);
        let has_none = |units: usize| {
            let name = b"a\0".repeat(units);
            matches!(wanted(PropertyNameRef::Name(set, &name)), Wanted::Id(0))
        };
        // NameSize is one byte, and counts the terminator too.
        assert!(!has_none(126));
        assert!(has_none(127));
    }
}
