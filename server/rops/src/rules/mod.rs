//! The rules of folders (MS-OXORULE): what is done to messages as they come. They are kept, listed and
//! changed here; nothing is delivered yet that they could be applied to.
//!
//! A folder keeps its rules in one hidden property: each as a RuleData structure, in order of
//! PidTagRuleSequence.

mod actions;
pub mod deferred;
pub mod modify;
pub mod strings;

use ropewalk_props::{Bag, BagView, PropTag, PropType, PropValue, tags::*};
use ropewalk_store::Store;
use ropewalk_wire::{
    ErrorCode, Reader, codec::Wire, list::List, rop::RuleData, value::TaggedPropertyValue,
};

use crate::{
    limits::RULES_BYTES_MAX,
    property::value::{Found, Properties, in_bag},
    table::{cells::large_prefix, filter::Searched},
};

/// The hidden property. Its id is that of PidTagRulesTable, which is no value but a table.
pub const RULES: PropTag = PID_TAG_RULES_TABLE.with_type(PropType::BINARY);

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// PidTagRuleId: not zero, and no other rule of the folder has it.
    pub id: i64,
    /// Its properties (MS-OXORULE 2.2.1.3.1), PidTagRuleId among them.
    pub props: Bag,
}

impl Rule {
    fn sequence(&self) -> i32 {
        self.props.get_i32(PID_TAG_RULE_SEQUENCE).unwrap_or(0)
    }
}

/// Whether a folder has rules (PidTagHasRules, MS-OXORULE 2.2.8.1).
pub fn has_rules(folder: &Bag) -> bool {
    in_bag(folder, RULES.id()).is_some()
}

/// The rules of a folder, in the order in which they are applied. `ecCorruptData` if they cannot be
/// read.
pub fn of(store: &Store, props: &dyn BagView) -> Result<Vec<Rule>, ErrorCode> {
    let large;
    let found = in_bag(props, RULES.id());
    let bytes = match &found {
        None => return Ok(Vec::new()),
        Some(Found::Large(_, blob)) => {
            large = large_prefix(store, *blob, 2 * RULES_BYTES_MAX);
            &large
        }
        Some(found) => found.value_ref().map_or(&[][..], |value| value.data),
    };
    read(bytes).ok_or_else(|| {
        tracing::error!("the rules of a folder cannot be read");
        ErrorCode::CORRUPT_DATA
    })
}

fn read(bytes: &[u8]) -> Option<Vec<Rule>> {
    let rules = List::<RuleData<'_>>::take_all(Reader::new(bytes)).ok()?;
    let rule = |data: RuleData<'_>| {
        let mut props = Bag::new();
        for property in data.property_values.iter() {
            props.set(property.tag, &property.value);
        }
        let id = props.get(PID_TAG_RULE_ID)?.as_i64()?;
        Some(Rule { id, props })
    };
    rules.iter().map(rule).collect()
}

/// The rules as they are kept, in the order in which they are applied; `None` without any.
fn write(rules: &mut [Rule]) -> Result<Option<Vec<u8>>, ErrorCode> {
    if rules.is_empty() {
        return Ok(None);
    }
    rules.sort_by_key(Rule::sequence);
    let mut out = Vec::new();
    for rule in rules {
        let values: Vec<TaggedPropertyValue> = (0..rule.props.len())
            .filter_map(|index| rule.props.entry(index))
            .filter_map(|(tag, _)| {
                let value = rule.props.get(tag)?.to_value()?;
                Some(TaggedPropertyValue { tag, value })
            })
            .collect();
        let data = RuleData {
            rule_data_flags: 0,
            property_values: (&values[..]).into(),
        };
        data.encode(&mut out)
            .map_err(|_| ErrorCode::INVALID_PARAM)?;
    }
    Ok(Some(out))
}

/// A rule as a row of the rules table.
pub struct RuleRow<'a>(pub &'a Rule);

impl Properties for RuleRow<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        in_bag(&self.0.props, tag.id())
    }

    fn tags(&self) -> Vec<PropTag> {
        let bag = &self.0.props;
        let entries = (0..bag.len()).filter_map(|index| bag.entry(index));
        entries.map(|(tag, _)| tag).collect()
    }
}

impl Searched for RuleRow<'_> {}

/// A new PidTagRuleId.
fn new_id(rules: &[Rule]) -> Result<i64, ErrorCode> {
    loop {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|_| ErrorCode::GENERAL_FAILURE)?;
        let id = i64::from_le_bytes(bytes) & i64::MAX;
        if id != 0 && rules.iter().all(|rule| rule.id != id) {
            return Ok(id);
        }
    }
}

/// The value of PidTagRuleId in what a client sent.
fn id_of(props: &Bag) -> Option<i64> {
    props.get(PID_TAG_RULE_ID)?.as_i64()
}

/// What a rule has that a client left out.
fn with_defaults(props: &mut Bag) {
    for tag in [
        PID_TAG_RULE_SEQUENCE,
        PID_TAG_RULE_STATE,
        PID_TAG_RULE_LEVEL,
        PID_TAG_RULE_USER_FLAGS,
    ] {
        if props.get(tag).is_none() {
            props.set(tag, &PropValue::Integer32(0));
        }
    }
    if props.get(PID_TAG_RULE_NAME).is_none() {
        props.set_text(PID_TAG_RULE_NAME, "");
    }
}
