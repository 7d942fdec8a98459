//! What readers work out of a folder and keep for each other in memory, such as the results of a
//! search. The store does not look into it.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use ropewalk_props::{FileTime, GlobCnt};

use super::Mailbox;
use crate::{StoreError, sync::Mutex};

/// By folder and type.
#[derive(Default)]
pub struct Derived(Mutex<HashMap<(GlobCnt, TypeId), Kept>>);

struct Kept {
    value: Arc<dyn Any + Send + Sync>,
    /// When somebody last asked for it.
    used: FileTime,
}

impl Mailbox {
    /// What is kept of a folder as a `T`: made empty when first asked for, the same for all who ask
    /// for a `T`, and dropped when nobody asked for a while or the folder is gone.
    /// [`StoreError::NotFound`] without the folder.
    pub fn derived<T: Default + Send + Sync + 'static>(
        &self,
        folder: GlobCnt,
    ) -> Result<Arc<T>, StoreError> {
        if self.is_folder_deleted(folder).is_none() {
            return Err(StoreError::NotFound);
        }
        let used = self.core.noted_time();
        let mut all = self.derived.0.lock();
        let kept = all
            .entry((folder, TypeId::of::<T>()))
            .or_insert_with(|| Kept {
                value: Arc::new(T::default()),
                used,
            });
        kept.used = used;
        let value = Arc::clone(&kept.value);
        value.downcast().map_err(|_| StoreError::NotFound)
    }

    /// Drops what nobody asked for since a moment, and what is of folders that are gone.
    pub(super) fn rest_derived(&self, before: FileTime) {
        let idle: Vec<Kept> = {
            let state = self.state.read();
            let mut all = self.derived.0.lock();
            let idle = all.extract_if(|(folder, _), kept| {
                kept.used <= before || !state.folders.contains_key(folder)
            });
            idle.map(|(_, kept)| kept).collect()
        };
        // Freed when nobody has to wait for it.
        drop(idle);
    }
}
