//! What nobody used for a while leaves memory.

use ropewalk_props::FileTime;

use super::{Mailbox, state::FolderContents};

impl Mailbox {
    /// Drops the messages of folders that nobody looked at since a moment, and what was worked out of
    /// them. A writer may be in the middle of the messages: then they stay for this time.
    pub(crate) fn rest(&self, before: FileTime) {
        self.rest_derived(before);
        let Some(_writer) = self.writer.try_lock() else {
            return;
        };
        let idle: Vec<FolderContents> = {
            let mut state = self.state.write();
            let idle = state
                .contents
                .extract_if(|_, contents| contents.last_use() <= before);
            idle.map(|(_, contents)| contents).collect()
        };
        // Freeing many takes a while, in which nobody has to wait.
        drop(idle);
    }
}
