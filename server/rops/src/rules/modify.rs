//! RopModifyRules (MS-OXORULE 2.2.1, 3.2.5.2).

use ropewalk_props::{Bag, BagView, PropTag, PropValue, tags::*};
use ropewalk_store::Store;
use ropewalk_wire::{
    ErrorCode,
    restriction::Restriction,
    rop::{ModifyRulesRequest, RuleData},
    value::Form,
};

use super::{RULES, Rule, actions, id_of, new_id, of, strings, with_defaults, write};
use crate::{
    code_page::CodePage,
    exec::{Exec, Fail, blocking},
    folder::current,
    limits::RULES_BYTES_MAX,
    property::value::to_stored,
};

/// ModifyRulesFlags (2.2.1.1): the rules given take the place of all.
const REPLACE: u8 = 0x01;

/// RuleDataFlags (2.2.1.3).
mod flags {
    pub const ADD: u8 = 0x01;
    pub const MODIFY: u8 = 0x02;
    pub const REMOVE: u8 = 0x04;
}

/// The bits of PidTagRuleState that are the server's alone: ST_ERROR and ST_RULE_PARSE_ERROR. From a
/// client they are ignored (2.2.1.3.1.3).
const STATE_OF_SERVER: i32 = 0x0000_0042;

/// A change to one rule.
enum Change {
    Add(Bag),
    Modify(i64, Bag),
    Remove(i64),
}

/// RopModifyRules: all changes or none, in one commit.
///
/// `ecInvalidParam` for what is no rule, `ecNotFound` for a rule that is not there, `ecNotEnoughMemory`
/// if the folder has more rules than it may have then. Rules in excess of that are kept all the same
/// (3.2.5.2), up to twice as much.
pub fn modify_rules(exec: &mut Exec<'_>, request: &ModifyRulesRequest<'_>) -> Result<(), Fail> {
    let folder = exec.object()?.folder()?.id;
    exec.need(0)?;
    if request.modify_rules_flags & !REPLACE != 0 {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    let replace = request.modify_rules_flags & REPLACE != 0;
    let code_page = exec.session.code_page;
    let place = match exec.logon()?.is_public() {
        true => actions::Place::Public,
        false => actions::Place::Private,
    };
    let changes = request.rules_data.iter();
    let changes: Vec<Change> = changes
        .map(|data| change(&data, code_page, place))
        .collect::<Result<_, _>>()?;
    if replace
        && !changes
            .iter()
            .all(|change| matches!(change, Change::Add(_)))
    {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    let mailbox = exec.mailbox()?;
    if current(&mailbox, folder)?.deleted {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    let store = exec.session.store.clone();
    let mut size = 0;
    blocking(|| {
        mailbox.edit_folder(folder, |props| {
            let rules = changed(&store, props, replace, changes)?;
            size = rules.as_ref().map_or(0, Vec::len);
            if size > 2 * RULES_BYTES_MAX {
                return Err(Fail::Code(ErrorCode::NOT_ENOUGH_MEMORY));
            }
            Ok(match rules {
                Some(rules) => (vec![(RULES, PropValue::Binary(rules))], Vec::new()),
                None => (Vec::new(), vec![RULES.id()]),
            })
        })
    })?;
    if size > RULES_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY.into());
    }
    exec.begin();
    Ok(())
}

/// The rules of a folder after some changes, as they are kept.
fn changed(
    store: &Store,
    props: &Bag,
    replace: bool,
    changes: Vec<Change>,
) -> Result<Option<Vec<u8>>, ErrorCode> {
    let mut rules = if replace {
        Vec::new()
    } else {
        of(store, props)?
    };
    for change in changes {
        apply(&mut rules, change)?;
    }
    write(&mut rules)
}

fn apply(rules: &mut Vec<Rule>, change: Change) -> Result<(), ErrorCode> {
    let place = |rules: &[Rule], id: i64| {
        let place = rules.iter().position(|rule| rule.id == id);
        place.ok_or(ErrorCode::NOT_FOUND)
    };
    match change {
        Change::Add(mut props) => {
            let id = new_id(rules)?;
            set_state(&mut props, 0);
            props.set(PID_TAG_RULE_ID, &PropValue::Integer64(id));
            with_defaults(&mut props);
            rules.push(Rule { id, props });
        }
        Change::Modify(id, mut new) => {
            let place = place(rules, id)?;
            let rule = rules.get_mut(place).ok_or(ErrorCode::NOT_FOUND)?;
            set_state(
                &mut new,
                rule.props.get_i32(PID_TAG_RULE_STATE).unwrap_or(0),
            );
            for (tag, _) in (0..new.len()).filter_map(|index| new.entry(index)) {
                if let Some(value) = new.get(tag).and_then(|value| value.to_value()) {
                    rule.props.set(tag, &value);
                }
            }
        }
        Change::Remove(id) => {
            let place = place(rules, id)?;
            rules.remove(place);
        }
    }
    Ok(())
}

/// Leaves the server's bits of the state, if one is to be set, as they were.
fn set_state(props: &mut Bag, before: i32) {
    if let Some(state) = props.get_i32(PID_TAG_RULE_STATE) {
        let state = state & !STATE_OF_SERVER | before & STATE_OF_SERVER;
        props.set(PID_TAG_RULE_STATE, &PropValue::Integer32(state));
    }
}

/// What a RuleData structure asks for; `ecInvalidParam` for one that no rule can have.
fn change(
    data: &RuleData<'_>,
    code_page: CodePage,
    place: actions::Place,
) -> Result<Change, ErrorCode> {
    const INVALID: ErrorCode = ErrorCode::INVALID_PARAM;
    if data.property_values.is_empty() {
        return Err(INVALID);
    }
    let mut props = Bag::new();
    for property in data.property_values.iter() {
        let value = to_stored(property.value, code_page);
        let tag = property.tag.with_type(value.ty());
        if data.rule_data_flags == flags::REMOVE && tag != PID_TAG_RULE_ID {
            // Only the id counts (3.1.4.2.1).
            continue;
        }
        check(tag, &value, place)?;
        props.set(tag, &strings::to_keep(value, code_page)?);
    }
    match data.rule_data_flags {
        flags::ADD => {
            let has = |tag: PropTag| props.get(tag).is_some();
            let is_whole = [
                PID_TAG_RULE_PROVIDER,
                PID_TAG_RULE_CONDITION,
                PID_TAG_RULE_ACTIONS,
            ]
            .into_iter()
            .all(has);
            if is_whole {
                Ok(Change::Add(props))
            } else {
                Err(INVALID)
            }
        }
        flags::MODIFY => Ok(Change::Modify(id_of(&props).ok_or(INVALID)?, props)),
        flags::REMOVE => Ok(Change::Remove(id_of(&props).ok_or(INVALID)?)),
        _ => Err(INVALID),
    }
}

/// The properties of a standard rule (2.2.1.3.1), which are the columns of the rules table.
pub const PROPERTIES: [PropTag; 10] = [
    PID_TAG_RULE_ID,
    PID_TAG_RULE_SEQUENCE,
    PID_TAG_RULE_STATE,
    PID_TAG_RULE_NAME,
    PID_TAG_RULE_PROVIDER,
    PID_TAG_RULE_LEVEL,
    PID_TAG_RULE_USER_FLAGS,
    PID_TAG_RULE_PROVIDER_DATA,
    PID_TAG_RULE_CONDITION,
    PID_TAG_RULE_ACTIONS,
];

/// Fails unless it is a property of a standard rule (2.2.1.3.1) with a value that it can have.
fn check(tag: PropTag, value: &PropValue, place: actions::Place) -> Result<(), ErrorCode> {
    if !PROPERTIES.contains(&tag) {
        return Err(ErrorCode::INVALID_PARAM);
    }
    match value {
        PropValue::Restriction(data) => Restriction::from_bytes(data, Form::Rop)
            .map(drop)
            .map_err(|_| ErrorCode::INVALID_PARAM),
        PropValue::RuleAction(data) => actions::check(data, place),
        _ => Ok(()),
    }
}
