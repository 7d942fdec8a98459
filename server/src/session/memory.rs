//! What the objects of all session contexts may keep in memory, all together and per user.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use ropewalk_props::Guid;
use ropewalk_rops::budget::{Budget, Pool};

/// One user's sessions may have so much of the whole: the others always find the rest.
const SHARE_OF_A_USER: usize = 2;

/// The memory of a server's session contexts.
pub struct Memory {
    max: usize,
    whole: Arc<Pool>,
    /// Those users' pools that a session context has a part of, and perhaps some that none has.
    of_users: Mutex<HashMap<Guid, Weak<Pool>>>,
}

impl Memory {
    /// So many bytes for all of them, and half as many for those of one user.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            whole: Arc::new(Pool::new(max)),
            of_users: Mutex::default(),
        }
    }

    /// The budget of a new session context of this user.
    pub fn budget(&self, owner: Guid) -> Budget {
        let mut of_users = self.of_users.lock();
        if let Some(pool) = of_users.get(&owner).and_then(Weak::upgrade) {
            return Budget::within(pool);
        }
        of_users.retain(|_, pool| pool.strong_count() > 0);
        let pool = Pool::within(self.max / SHARE_OF_A_USER, Arc::clone(&self.whole));
        let pool = Arc::new(pool);
        of_users.insert(owner, Arc::downgrade(&pool));
        Budget::within(pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_half_of_the_whole_in_all_sessions_together() {
        let memory = Memory::new(100);
        let (ada, bob, eve) = (Guid([1; 16]), Guid([2; 16]), Guid([3; 16]));
        let budgets = [ada, ada, bob, eve].map(|owner| memory.budget(owner));
        let mut shares = budgets.each_ref().map(Budget::share);
        assert!(shares[0].resize(51).is_err());
        assert!(shares[0].resize(30).is_ok());
        assert!(shares[1].resize(21).is_err());
        assert!(shares[1].resize(20).is_ok());
        assert!(shares[2].resize(50).is_ok());
        assert!(shares[3].resize(1).is_err());
        drop(shares);
        drop(budgets);
        // Users without sessions are forgotten.
        memory.budget(eve);
        assert_eq!(memory.of_users.lock().len(), 1);
        assert_eq!(memory.whole.used(), 0);
    }
}
