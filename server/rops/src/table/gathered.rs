//! The members of conversations, gathered from all folders of a mailbox, as of its last version.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ropewalk_props::GlobCnt;
use ropewalk_store::{Contents, MessageEntry};

use super::{conversations::ConversationId, kept::share};
use crate::{budget::Share, limits::MESSAGE_ENTRY_BYTES};

/// Conversations kept for each mailbox.
const KEPT_MAX: usize = 8;

/// The conversations that were last asked for, the last one first.
#[derive(Default)]
pub struct GatheredMembers(Mutex<Vec<Gathered>>);

struct Gathered {
    conversation: ConversationId,
    /// The mailbox's version at which they were all of them.
    version: u64,
    /// With a companion: tables over them have their orders and first rows in common.
    contents: Contents,
    share: Share,
}

impl GatheredMembers {
    /// The members, if they are kept and nothing in the mailbox changed since.
    pub fn get(&self, conversation: ConversationId, version: u64) -> Option<Contents> {
        let mut all = self.lock();
        let is_it = |kept: &Gathered| (kept.conversation, kept.version) == (conversation, version);
        let at = all.iter().position(is_it)?;
        all.get_mut(..=at)?.rotate_right(1);
        all.first().map(|known| known.contents.clone())
    }

    /// Takes the members as of a version of the mailbox. They are the same as before, and not only
    /// equal to them, if nothing of theirs changed: what was made from them is still good.
    pub fn put(
        &self,
        conversation: ConversationId,
        version: u64,
        members: Vec<MessageEntry>,
    ) -> Contents {
        let mut all = self.lock();
        let known = all
            .iter()
            .position(|kept| kept.conversation == conversation);
        let mut kept = match known {
            Some(at) => all.remove(at),
            None => Gathered {
                conversation,
                version,
                contents: Contents::gathered(),
                share: share(),
            },
        };
        // Somebody who began later may be done already.
        if known.is_none() || kept.version < version {
            kept.version = version;
            become_of(&mut kept.contents, members);
        }
        let contents = kept.contents.clone();
        all.truncate(KEPT_MAX - 1);
        if kept
            .share
            .resize(contents.len() * MESSAGE_ENTRY_BYTES)
            .is_ok()
        {
            all.insert(0, kept);
        }
        contents
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Gathered>> {
        // A panic takes the one in work away.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the members those, and leaves alone what did not change.
fn become_of(contents: &mut Contents, members: Vec<MessageEntry>) {
    let now = Contents::of(members);
    let is_gone = |id: &GlobCnt| now.get(*id).is_none();
    let gone: Vec<GlobCnt> = contents
        .iter()
        .map(|entry| entry.id)
        .filter(is_gone)
        .collect();
    for id in gone {
        contents.remove(id);
    }
    for entry in now.iter() {
        if contents.get(entry.id) != Some(entry) {
            contents.insert(entry.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ConversationId = [1; 16];

    fn entry(id: u64) -> MessageEntry {
        MessageEntry::lost(GlobCnt(9), GlobCnt(id))
    }

    fn ids(contents: &Contents) -> Vec<u64> {
        contents.iter().map(|entry| entry.id.0).collect()
    }

    #[test]
    fn members_are_known_until_the_mailbox_changes() {
        let all = GatheredMembers::default();
        assert!(all.get(ONE, 1).is_none());
        let made = all.put(ONE, 1, vec![entry(5), entry(4)]);
        assert_eq!(ids(&made), [4, 5]);
        assert!(all.get(ONE, 1).unwrap().is_same(&made));
        assert!(all.get([2; 16], 1).is_none());
        assert!(all.get(ONE, 2).is_none());
    }

    #[test]
    fn what_did_not_change_stays_the_same() {
        let all = GatheredMembers::default();
        let made = all.put(ONE, 1, vec![entry(4), entry(5)]);
        assert!(all.put(ONE, 2, vec![entry(4), entry(5)]).is_same(&made));
        let mut unread = entry(5);
        unread.read = false;
        let changed = all.put(ONE, 3, vec![unread, entry(7)]);
        assert!(!changed.is_same(&made));
        assert_eq!(ids(&changed), [5, 7]);
        assert!(changed.get(GlobCnt(5)).is_some_and(|entry| !entry.read));
    }

    #[test]
    fn who_is_late_does_not_bring_back_what_was() {
        let all = GatheredMembers::default();
        all.put(ONE, 5, vec![entry(4)]);
        assert_eq!(ids(&all.put(ONE, 4, vec![entry(4), entry(6)])), [4]);
        assert_eq!(ids(&all.get(ONE, 5).unwrap()), [4]);
    }

    #[test]
    fn few_are_kept() {
        let all = GatheredMembers::default();
        for conversation in 0..20 {
            all.put([conversation; 16], 1, vec![entry(4)]);
            // One that is asked for all the time stays.
            assert!(all.get([0; 16], 1).is_some(), "{conversation}");
        }
        assert_eq!(all.lock().len(), KEPT_MAX);
        assert!(all.get([19; 16], 1).is_some());
        assert!(all.get([1; 16], 1).is_none());
    }
}
