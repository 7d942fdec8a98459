//! Orders of a folder's messages, kept for the next table that shows them so.
//!
//! They stay as long as the store has the folder's messages in memory, and are brought up to date
//! with what changed when one is asked for.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};

use ropewalk_store::Contents;
use ropewalk_wire::{ErrorCode, sort::SortOrder};

use super::order::Order;
use crate::{
    budget::{Pool, Share},
    limits::KEPT_ORDERS_BYTES_MAX,
};

/// Orders kept for each view of a folder.
const ORDERS_MAX: usize = 4;

static POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Arc::new(Pool::new(KEPT_ORDERS_BYTES_MAX)));

/// The orders of a view of a folder, the one last asked for first.
#[derive(Default)]
pub struct KeptOrders(Mutex<Vec<Kept>>);

struct Kept {
    sort: Box<[SortOrder]>,
    /// The messages that it is an order of. Without their companion, which this lies in.
    contents: Contents,
    order: Arc<Order>,
    share: Share,
}

impl KeptOrders {
    /// Whether an order of these messages, but for a `few`, is there, and nobody is busy with another.
    pub fn is_near(&self, sort: &[SortOrder], now: &Contents, few: usize) -> bool {
        let kept = match self.0.try_lock() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(kept)) => kept.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let is_near = |seen: &Contents| now.changes_since(seen).take(few).count() < few;
        kept.iter().any(|kept| {
            *kept.sort == *sort && (kept.contents.is_same(now) || is_near(&kept.contents))
        })
    }

    /// The order of `now` by `sort`: as it is kept, or that of an earlier moment with what `update`
    /// does to it, or what `make` gives. Whoever wants another order of the same view waits meanwhile.
    pub fn get(
        &self,
        sort: &[SortOrder],
        now: &Contents,
        make: impl FnOnce() -> Result<Order, ErrorCode>,
        update: impl FnOnce(&mut Order, &Contents),
    ) -> Result<Arc<Order>, ErrorCode> {
        let mut all = self.lock();
        let known = all.iter().position(|kept| *kept.sort == *sort);
        let known = known.map(|at| all.remove(at));
        let mut kept = match known {
            Some(mut kept) => {
                if !kept.contents.is_same(now) {
                    update(Arc::make_mut(&mut kept.order), &kept.contents);
                    kept.contents = now.alone();
                }
                kept
            }
            None => Kept {
                sort: sort.into(),
                contents: now.alone(),
                order: Arc::new(make()?),
                share: POOL.share(),
            },
        };
        let order = Arc::clone(&kept.order);
        all.truncate(ORDERS_MAX - 1);
        if kept.share.resize(order.bytes()).is_ok() {
            all.insert(0, kept);
        }
        Ok(order)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        // A panic leaves orders as they were, or takes the one in work away.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
