//! Strings in conditions and actions: kept in Unicode, and told in 8 bits to who wants them so (TableFlags
//! without U, MS-OXORULE 2.2.2.1).

use ropewalk_props::{BagView, PropValue, tags::*};
use ropewalk_wire::ErrorCode;

use super::{Rule, actions};
use crate::{
    code_page::CodePage,
    property::value::{to_narrow, to_stored},
    search::criteria,
};

/// A value of a rule as it is kept. What a session says in its code page nobody else could read.
/// `ecInvalidParam` if it is too long then.
pub fn to_keep(value: PropValue, code_page: CodePage) -> Result<PropValue, ErrorCode> {
    Ok(match value {
        PropValue::Restriction(data) => {
            PropValue::Restriction(criteria::restriction_in_unicode(&data, code_page)?)
        }
        PropValue::RuleAction(data) => {
            let wide = |value| to_stored(value, code_page);
            PropValue::RuleAction(actions::with_values(&data, &wide)?)
        }
        other => to_stored(other, code_page),
    })
}

/// A rule for a client that does not want Unicode. What cannot be said so stays as it is.
pub fn narrowed(mut rule: Rule, code_page: CodePage) -> Rule {
    for tag in [PID_TAG_RULE_CONDITION, PID_TAG_RULE_ACTIONS] {
        let value = rule.props.get(tag).and_then(|value| value.to_value());
        let narrow = match value {
            Some(PropValue::Restriction(data)) => {
                let narrow = criteria::restriction_in(&data, code_page);
                narrow.ok().map(PropValue::Restriction)
            }
            Some(PropValue::RuleAction(data)) => {
                let narrow = actions::with_values(&data, &|value| to_narrow(value, code_page));
                narrow.ok().map(PropValue::RuleAction)
            }
            _ => None,
        };
        if let Some(narrow) = narrow {
            rule.props.set(tag, &narrow);
        }
    }
    rule
}
