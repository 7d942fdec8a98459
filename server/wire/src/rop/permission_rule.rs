//! Permission and rule ROPs (MS-OXCROPS 2.2.10 and 2.2.11).

use crate::{
    codec::{Bytes16, wire_struct},
    list::List,
    value::TaggedPropertyValue,
};

wire_struct! {
    /// RopModifyPermissions request.
    #[derive(Copy, Default)]
    ModifyPermissionsRequest<'a> {
        modify_flags: u8,
        permissions_data: List<'a, PermissionData<'a>>,
    }

    /// A change to one row of the permissions table (MS-OXCPERM 2.2.2.1).
    #[derive(Copy, Default)]
    PermissionData<'a> {
        permission_data_flags: u8,
        property_values: List<'a, TaggedPropertyValue>,
    }

    /// RopModifyRules request.
    #[derive(Copy, Default)]
    ModifyRulesRequest<'a> { modify_rules_flags: u8, rules_data: List<'a, RuleData<'a>> }

    /// A change to one row of the rules table (MS-OXORULE 2.2.1.3).
    #[derive(Copy, Default)]
    RuleData<'a> { rule_data_flags: u8, property_values: List<'a, TaggedPropertyValue> }

    /// RopUpdateDeferredActionMessages request.
    #[derive(Copy, Default)]
    UpdateDeferredActionMessagesRequest<'a> {
        server_entry_id: Bytes16<'a>,
        client_entry_id: Bytes16<'a>,
    }
}
