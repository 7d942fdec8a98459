//! Named properties (MS-OXCPRPT 3.2.5.9 and 3.2.5.10).

use std::collections::HashMap;

use ropewalk_props::PropertyName;

use super::{Mailbox, txn::Txn};
use crate::StoreError;

/// MS-OXCPRPT 3.2.5.10: greater than 0x8000.
const FIRST_ID: u16 = 0x8001;
const LAST_ID: u16 = 0xFFFE;
/// Bytes of UTF-16 in a name; the wire takes 254 (MS-OXCDATA 2.6.1).
const MAX_NAME: usize = 510;

impl Mailbox {
    /// The ids of named properties, in the order asked; unknown names are registered if `create`, in
    /// one commit. [`StoreError::NamedPropertiesExhausted`] if not all of them find an id, and
    /// [`StoreError::TooLarge`] for a name of more than 255 units; nothing is registered then.
    pub fn named_ids(
        &self,
        names: &[PropertyName],
        create: bool,
    ) -> Result<Vec<Option<u16>>, StoreError> {
        let known = self.known_names(names);
        if !create || known.iter().all(Option::is_some) {
            return Ok(known);
        }
        let mut txn = Txn::begin(self)?;
        let mut ids = self.known_names(names);
        let mut next = self.next_id(FIRST_ID, &self.state.read().names);
        let mut added: HashMap<&PropertyName, u16> = HashMap::new();
        for (slot, name) in ids.iter_mut().zip(names).filter(|(slot, _)| slot.is_none()) {
            if let Some(id) = added.get(name) {
                *slot = Some(*id);
                continue;
            }
            if matches!(name, PropertyName::Name(_, text) if text.as_bytes().len() > MAX_NAME) {
                return Err(StoreError::TooLarge);
            }
            let id = next
                .filter(|id| *id <= LAST_ID)
                .ok_or(StoreError::NamedPropertiesExhausted)?;
            next = id.checked_add(1);
            added.insert(name, id);
            txn.put_name(id, name.clone());
            *slot = Some(id);
        }
        if !added.is_empty() {
            txn.commit()?;
        }
        Ok(ids)
    }

    /// The name of a named property.
    pub fn named_property(&self, id: u16) -> Option<PropertyName> {
        self.state.read().names.get(&id).cloned()
    }

    /// All named properties, by ascending id.
    pub fn all_named(&self) -> Vec<(u16, PropertyName)> {
        let state = self.state.read();
        let names = state.names.iter();
        names.map(|(id, name)| (*id, name.clone())).collect()
    }

    fn known_names(&self, names: &[PropertyName]) -> Vec<Option<u16>> {
        let state = self.state.read();
        let ids = names.iter().map(|name| state.name_ids.get(name).copied());
        ids.collect()
    }
}
