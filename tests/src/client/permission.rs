//! Permission ROPs (MS-OXCPERM).

use ropewalk_props::PropValue;

use super::{Cells as _, Client, Handle, Result, Rop, tagged_values};

/// PidTagMemberId of the default and of the anonymous user (MS-OXCPERM 2.2.5).
pub const DEFAULT: u64 = 0;
/// See [`DEFAULT`].
pub const ANONYMOUS: u64 = u64::MAX;

const ENTRY_ID: u32 = 0x0FFF_0102;
const MEMBER_ID: u32 = 0x6671_0014;
const MEMBER_NAME: u32 = 0x6672_001F;
const MEMBER_RIGHTS: u32 = 0x6673_0003;

/// A row of a permissions table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Member {
    pub entry_id: Vec<u8>,
    pub id: u64,
    pub name: String,
    pub rights: u32,
}

/// A change to one row: PermissionDataFlags and PropertyValues (MS-OXCPERM 2.2.2.1.1).
pub type PermissionData = (u8, Vec<(u32, PropValue)>);

/// The permanent EntryID of a user (MS-OXCDATA 2.2.5.2).
pub fn user_entry_id(legacy_dn: &str) -> Vec<u8> {
    let mut id = vec![0, 0, 0, 0];
    id.extend([
        0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F, 0xE1,
        0x82,
    ]);
    id.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    id.extend(legacy_dn.as_bytes());
    id.push(0);
    id
}

/// AddRow for a user.
pub fn add_user_row(legacy_dn: &str, rights: u32) -> PermissionData {
    let values = vec![
        (ENTRY_ID, PropValue::Binary(user_entry_id(legacy_dn))),
        (MEMBER_RIGHTS, PropValue::Integer32(rights as i32)),
    ];
    (1, values)
}

/// ModifyRow.
pub fn modify_row(member_id: u64, rights: u32) -> PermissionData {
    let values = vec![
        (MEMBER_ID, PropValue::Integer64(member_id as i64)),
        (MEMBER_RIGHTS, PropValue::Integer32(rights as i32)),
    ];
    (2, values)
}

/// RemoveRow.
pub fn remove_row(member_id: u64) -> PermissionData {
    (4, vec![(MEMBER_ID, PropValue::Integer64(member_id as i64))])
}

impl Client {
    /// RopGetPermissionsTable (MS-OXCROPS 2.2.10.2).
    pub fn permissions_table(&mut self, folder: Handle, flags: u8) -> Result<Handle> {
        let rop = Rop::new(0x3E, 0).u8(1).u8(flags);
        let answer = self.rop(&rop, &[folder, u32::MAX])?;
        answer.empty()?;
        answer.handle(1)
    }

    /// All rows of a folder's permissions table, with its free/busy rights.
    pub fn permissions(&mut self, folder: Handle) -> Result<Vec<Member>> {
        let table = self.permissions_table(folder, 0x02)?;
        let columns = [ENTRY_ID, MEMBER_ID, MEMBER_NAME, MEMBER_RIGHTS];
        self.set_columns(table, &columns)?;
        let rows = self.query_all_rows(table, &columns);
        self.release(table)?;
        let member = |row: &super::Row| Member {
            entry_id: row.binary(0).to_vec(),
            id: row.id(1),
            name: row.text(2),
            rights: row.int(3) as u32,
        };
        Ok(rows?.iter().map(member).collect())
    }

    /// RopModifyPermissions (MS-OXCROPS 2.2.10.1).
    pub fn modify_permissions(
        &mut self,
        folder: Handle,
        flags: u8,
        rows: &[PermissionData],
    ) -> Result<()> {
        let count = u16::try_from(rows.len()).expect("few rows");
        let mut rop = Rop::new(0x40, 0).u8(flags).u16(count);
        for (flags, values) in rows {
            rop = rop.u8(*flags).bytes(&tagged_values(values));
        }
        self.rop(&rop, &[folder])?.empty()
    }
}
