//! The index in memory.

use std::{collections::BTreeMap, ops::Bound};

use super::{IndexError, Kv, Visit, Write};
use crate::sync::RwLock;

/// A sorted map.
#[derive(Debug, Default)]
pub struct MemoryKv {
    map: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Kv for MemoryKv {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.map.read().get(key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        if from >= to {
            return Ok(());
        }
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let map = self.map.read();
        map.range::<[u8], _>(bounds)
            .try_for_each(|(key, value)| visit(key, value))
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        let mut map = self.map.write();
        for write in writes {
            match write {
                Write::Put(key, value) => map.insert(key.clone(), value.clone()),
                Write::Remove(key) => map.remove(key),
            };
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
}
