//! Which messages of a folder belong to a conversation, without a look at all of them.

use std::collections::{BTreeSet, HashMap};

use ropewalk_props::{GlobCnt, PropType, tags::PID_TAG_CONVERSATION_ID};

use super::filter::{Filter, Relation};

/// The messages by the first bytes of their PidTagConversationId: those of a conversation are among
/// the ones found.
#[derive(Debug, Default)]
pub struct Conversations {
    members: BTreeSet<(u64, GlobCnt)>,
    by_id: HashMap<GlobCnt, u64>,
}

/// A PidTagConversationId (MS-OXOMSG 2.2.1.2).
pub type ConversationId = [u8; 16];

fn first_bytes(id: ConversationId) -> u64 {
    let [first, ..] = id.as_chunks::<8>().0 else {
        return 0;
    };
    u64::from_be_bytes(*first)
}

impl Conversations {
    /// A message is in another conversation than before, or in none.
    pub fn put(&mut self, message: GlobCnt, id: Option<ConversationId>) {
        self.remove(message);
        if let Some(id) = id.map(first_bytes) {
            self.members.insert((id, message));
            self.by_id.insert(message, id);
        }
    }

    /// A message is gone.
    pub fn remove(&mut self, message: GlobCnt) {
        if let Some(id) = self.by_id.remove(&message) {
            self.members.remove(&(id, message));
        }
    }

    /// The messages that may be in a conversation, by ascending id.
    pub fn may_be_in(&self, id: ConversationId) -> Vec<GlobCnt> {
        let id = first_bytes(id);
        let found = self
            .members
            .range((id, GlobCnt(0))..=(id, GlobCnt(u64::MAX)));
        found.map(|(_, message)| *message).collect()
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        const TREE: usize = size_of::<(u64, GlobCnt)>() * 3 / 2;
        const MAP: usize = size_of::<(GlobCnt, u64)>() * 2;
        self.by_id.len() * (TREE + MAP)
    }
}

impl Filter {
    /// The one conversation that all that pass are in, if the filter says so.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::And(filters) => filters.iter().find_map(Self::conversation),
            Self::Property {
                op: Relation::Equal,
                tag,
                value,
            } if *tag == PID_TAG_CONVERSATION_ID => {
                let value = value.value_ref();
                let is_binary = value.ty == PropType::BINARY;
                is_binary.then(|| value.data.try_into().ok()).flatten()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_and_leave() {
        let mut all = Conversations::default();
        let (one, other) = ([1; 16], [2; 16]);
        all.put(GlobCnt(9), Some(one));
        all.put(GlobCnt(7), Some(one));
        all.put(GlobCnt(8), Some(other));
        all.put(GlobCnt(6), None);
        assert_eq!(all.may_be_in(one), [GlobCnt(7), GlobCnt(9)]);
        all.put(GlobCnt(9), Some(other));
        assert_eq!(all.may_be_in(one), [GlobCnt(7)]);
        assert_eq!(all.may_be_in(other), [GlobCnt(8), GlobCnt(9)]);
        all.remove(GlobCnt(8));
        all.remove(GlobCnt(8));
        assert_eq!(all.may_be_in(other), [GlobCnt(9)]);
        assert_eq!(all.may_be_in([3; 16]), []);
    }
}
