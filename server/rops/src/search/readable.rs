//! What of a search's results a user may read, who is not the mailbox's owner (MS-OXCPERM 2.2.7).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use ropewalk_props::GlobCnt;
use ropewalk_store::{Contents, Mailbox, MessageEntry, Store, User};

use crate::{
    exec::blocking,
    rights::{
        Access, Rights,
        messages::{MessageAccess, is_creator},
    },
};

/// Users whose messages are known of one search folder at the same time.
const USERS_MAX: usize = 8;

/// Which of the messages that a search has found somebody created, as far as it was looked up: that takes
/// reading them. Kept as long as somebody looks at the search.
#[derive(Debug, Default)]
pub struct Creators(Mutex<VecDeque<(u32, Created)>>);

/// By message: the change number that was looked at, and whether the user created it.
type Created = HashMap<GlobCnt, (GlobCnt, bool)>;

impl Creators {
    /// What is known of a user, taken out: two who look at the same time may both read.
    fn take(&self, user: u32) -> Created {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(id, _)| *id == user);
        at.and_then(|at| all.remove(at))
            .map(|(_, created)| created)
            .unwrap_or_default()
    }

    fn put(&self, user: u32, created: Created) {
        if created.is_empty() {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(id, _)| *id != user);
        all.truncate(USERS_MAX - 1);
        all.push_front((user, created));
    }
}

/// Those of the messages that a search folder has found which may be read: of a folder with ReadAny all,
/// of others on which there is any right those that the user created. Where there is none, the folder is
/// not to be seen, nor what lies in it.
pub fn readable(
    store: &Store,
    mailbox: &Mailbox,
    access: Access,
    search: GlobCnt,
    all: Contents,
) -> Contents {
    let Access::Listed(id) = access else {
        return all;
    };
    let user = store.user_by_minimal_id(id);
    // Only of a folder that is gone nothing is kept.
    let creators = mailbox.derived::<Creators>(search).unwrap_or_default();
    blocking(|| {
        let known = creators.take(id);
        let mut reader = Reader {
            mailbox,
            access,
            user: user.as_deref(),
            rights: HashMap::new(),
            known,
            looked_up: HashMap::new(),
        };
        let readable = all.iter().filter(|entry| reader.may_read(entry));
        let readable = Contents::of(readable.cloned());
        // Of messages that are no longer found nothing is kept.
        creators.put(id, reader.looked_up);
        readable
    })
}

struct Reader<'a> {
    mailbox: &'a Mailbox,
    access: Access,
    /// `None` if there is none any more.
    user: Option<&'a User>,
    /// On each folder.
    rights: HashMap<GlobCnt, Rights>,
    /// What earlier looks have found.
    known: Created,
    /// What this one has looked up or taken from them.
    looked_up: Created,
}

impl Reader<'_> {
    fn may_read(&mut self, entry: &MessageEntry) -> bool {
        let (mailbox, access) = (self.mailbox, self.access);
        let rights = *self.rights.entry(entry.folder).or_insert_with(|| {
            let props = mailbox.folder_props(entry.folder);
            props.map_or(Rights::NONE, |(props, _)| {
                access.rights(entry.folder, &props)
            })
        });
        if rights == Rights::NONE {
            return false;
        }
        MessageAccess::of(rights, false).allows(MessageAccess::READ) || self.is_own(entry)
    }

    fn is_own(&mut self, entry: &MessageEntry) -> bool {
        let known = self.known.get(&entry.id).copied();
        let is_own = match known {
            Some((cn, is_own)) if cn == entry.cn => is_own,
            _ => match (self.user, self.mailbox.read_message(entry)) {
                (Some(user), Ok(content)) => is_creator(user, &content.view().props),
                // The next look may be able to read it.
                _ => return false,
            },
        };
        self.looked_up.insert(entry.id, (entry.cn, is_own));
        is_own
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ropewalk_store::{ContentsView, Message, SaveMessage};

    use super::*;
    use crate::{
        logon::special,
        rights::{list::Who, tests::permit},
        test_support::Fixture,
    };

    #[test]
    fn who_created_a_message_is_read_once_for_each_of_its_states() {
        let fixture = Fixture::new();
        let mailbox = fixture.mailbox();
        let reader = fixture.other.minimal_id;
        let save = SaveMessage {
            folder: special::INBOX,
            id: None,
            associated: false,
            read: None,
            expected_cn: None,
            message: Message::default(),
        };
        let id = mailbox.save_message(save).unwrap().id;
        let look = || {
            let all = mailbox.contents(special::INBOX, ContentsView::Normal);
            let access = Access::Listed(reader);
            let search = special::FINDER;
            let readable = readable(&fixture.store, &mailbox, access, search, all.unwrap());
            readable.get(id).is_some()
        };
        let creators: Arc<Creators> = mailbox.derived(special::FINDER).unwrap();
        let put = |cn| creators.put(reader, Created::from([(id, (cn, true))]));
        let entry = mailbox.entry(special::INBOX, id).unwrap().unwrap();
        // Without a right it is not looked up.
        assert!(!look());
        assert!(creators.take(reader).is_empty());
        permit(
            &fixture,
            special::INBOX,
            Who::User(reader),
            Rights::FOLDER_VISIBLE,
        );
        assert!(!look());
        assert_eq!(
            creators.take(reader),
            Created::from([(id, (entry.cn, false))])
        );
        // What is kept is believed, of this state of the message and of no other.
        put(entry.cn);
        assert!(look() && look());
        put(GlobCnt(entry.cn.0 - 1));
        assert!(!look());
        // Of what is no longer there nothing stays.
        mailbox
            .delete_messages(special::INBOX, &[id], true)
            .unwrap();
        assert!(!look());
        assert!(creators.take(reader).is_empty());
    }

    #[test]
    fn as_many_users_are_known_as_there_may_be() {
        let creators = Creators::default();
        let id = GlobCnt(7);
        let created = Created::from([(id, (id, true))]);
        for user in 0..=USERS_MAX as u32 {
            creators.put(user, created.clone());
        }
        // The one that looked longest ago is forgotten; what is taken is not there.
        for user in 0..=USERS_MAX as u32 {
            assert_eq!(creators.take(user).len(), usize::from(user > 0), "{user}");
            assert_eq!(creators.take(user).len(), 0);
        }
        creators.put(1, Created::new());
        assert!(creators.0.lock().unwrap().is_empty());
    }
}
