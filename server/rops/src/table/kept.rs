//! What tables of a folder work out and keep for the next table that looks at the folder alike: orders,
//! groupings, and where the members of a conversation are.
//!
//! It stays as long as the store has the folder's messages in memory, and is brought up to date with
//! what changed when it is asked for.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};

use ropewalk_props::PropTag;
use ropewalk_store::Contents;
use ropewalk_wire::{ErrorCode, sort::SortOrder};

use super::{conversations::Conversations, grouping::Grouping, order::Order};
use crate::{
    budget::{Pool, Share},
    limits::KEPT_ORDERS_BYTES_MAX,
    property::value::Strings,
    rights::Viewer,
};

/// Orders, and groupings, kept for each view of a folder.
const KEPT_MAX: usize = 8;

static POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Arc::new(Pool::new(KEPT_ORDERS_BYTES_MAX)));

/// An empty share of what all that is kept may take.
pub fn share() -> Share {
    POOL.share()
}

/// What is kept of a view of a folder.
#[derive(Default)]
pub struct Kept {
    /// Orders of its messages, or of some of them.
    pub orders: KeptOrders,
    /// Those that are grouped.
    pub groupings: KeptGroupings,
    /// Its conversations.
    pub conversations: KeptConversations,
    /// The first rows of tables, as they were sent.
    pub pages: KeptPages,
}

/// What an order is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By<'a> {
    /// The sort columns.
    pub sort: &'a [SortOrder],
    /// RestrictionData; empty for all messages.
    pub restriction: &'a [u8],
    /// The code page of the restriction's PtypString8 values.
    pub code_page: u16,
    /// Who looks: what messages are like is not the same for everybody.
    pub viewer: Viewer,
}

/// [`By`], kept.
#[derive(Debug)]
struct Made {
    sort: Box<[SortOrder]>,
    restriction: Box<[u8]>,
    code_page: u16,
    viewer: Viewer,
}

impl Made {
    fn new(by: By<'_>) -> Self {
        Self {
            sort: by.sort.into(),
            restriction: by.restriction.into(),
            code_page: by.code_page,
            viewer: by.viewer,
        }
    }

    fn is(&self, by: By<'_>) -> bool {
        let own = By {
            sort: &self.sort,
            restriction: &self.restriction,
            code_page: self.code_page,
            viewer: self.viewer,
        };
        own == by
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.sort) + self.restriction.len()
    }
}

/// The orders of a view of a folder, the one last asked for first.
#[derive(Default)]
pub struct KeptOrders(Mutex<Vec<KeptOrder>>);

struct KeptOrder {
    by: Made,
    /// The messages that it is an order of. Without their companion, which this lies in.
    contents: Contents,
    order: Arc<Order>,
    share: Share,
}

impl KeptOrders {
    /// Whether an order of these messages, but for a `few`, is there, and nobody is busy with another.
    pub fn is_near(&self, by: By<'_>, now: &Contents, few: usize) -> bool {
        let kept = match self.0.try_lock() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(kept)) => kept.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let is_near = |seen: &Contents| now.changes_since(seen).take(few).count() < few;
        kept.iter()
            .any(|kept| kept.by.is(by) && (kept.contents.is_same(now) || is_near(&kept.contents)))
    }

    /// The order of `now`: as it is kept, or that of an earlier moment with what `update` does to it,
    /// or what `make` gives. Whoever wants another order of the same view waits meanwhile.
    pub fn get(
        &self,
        by: By<'_>,
        now: &Contents,
        make: impl FnOnce() -> Result<Order, ErrorCode>,
        update: impl FnOnce(&mut Order, &Contents),
    ) -> Result<Arc<Order>, ErrorCode> {
        let mut all = lock(&self.0);
        let known = all.iter().position(|kept| kept.by.is(by));
        let known = known.map(|at| all.remove(at));
        let mut kept = match known {
            Some(mut kept) => {
                if !kept.contents.is_same(now) {
                    update(Arc::make_mut(&mut kept.order), &kept.contents);
                    kept.contents = now.alone();
                }
                kept
            }
            None => KeptOrder {
                by: Made::new(by),
                contents: now.alone(),
                order: Arc::new(make()?),
                share: share(),
            },
        };
        let order = Arc::clone(&kept.order);
        all.truncate(KEPT_MAX - 1);
        if kept.share.resize(order.bytes() + kept.by.bytes()).is_ok() {
            all.insert(0, kept);
        }
        Ok(order)
    }
}

/// The groupings of a view of a folder, the one last asked for first.
#[derive(Default)]
pub struct KeptGroupings(Mutex<Vec<KeptGrouping>>);

struct KeptGrouping {
    by: Made,
    levels: usize,
    expanded_levels: usize,
    contents: Contents,
    grouping: Arc<Grouping>,
    share: Share,
}

impl KeptGroupings {
    /// Whether the grouping of `now` is kept, and nobody is busy with another.
    pub fn is_there(
        &self,
        by: By<'_>,
        (levels, expanded_levels): (usize, usize),
        now: &Contents,
    ) -> bool {
        let kept = match self.0.try_lock() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(kept)) => kept.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        kept.iter().any(|kept| {
            (kept.levels, kept.expanded_levels) == (levels, expanded_levels)
                && kept.by.is(by)
                && kept.contents.is_same(now)
        })
    }

    /// The grouping of `now` with so many levels of headers, the first ones expanded: as it is kept,
    /// or what `make` gives.
    pub fn get(
        &self,
        by: By<'_>,
        (levels, expanded_levels): (usize, usize),
        now: &Contents,
        make: impl FnOnce() -> Result<Grouping, ErrorCode>,
    ) -> Result<Arc<Grouping>, ErrorCode> {
        let is_it = |kept: &KeptGrouping| {
            (kept.levels, kept.expanded_levels) == (levels, expanded_levels) && kept.by.is(by)
        };
        let mut all = lock(&self.0);
        let known = all.iter().position(is_it);
        let known = known.map(|at| all.remove(at));
        let mut kept = match known {
            Some(kept) if kept.contents.is_same(now) => kept,
            stale => {
                drop(stale);
                KeptGrouping {
                    by: Made::new(by),
                    levels,
                    expanded_levels,
                    contents: now.alone(),
                    grouping: Arc::new(make()?),
                    share: share(),
                }
            }
        };
        let grouping = Arc::clone(&kept.grouping);
        all.truncate(KEPT_MAX - 1);
        if kept
            .share
            .resize(grouping.bytes() + kept.by.bytes())
            .is_ok()
        {
            all.insert(0, kept);
        }
        Ok(grouping)
    }
}

/// The conversations of a view of a folder.
#[derive(Default)]
pub struct KeptConversations(Mutex<Option<KeptConversation>>);

struct KeptConversation {
    contents: Contents,
    conversations: Conversations,
    share: Share,
}

impl KeptConversations {
    /// What `ask` finds in the conversations of `now`, which `update` brings up to date from those of an
    /// earlier moment, or from none.
    pub fn with<T>(
        &self,
        now: &Contents,
        update: impl FnOnce(&mut Conversations, &Contents),
        ask: impl FnOnce(&Conversations) -> T,
    ) -> T {
        let mut kept = lock(&self.0);
        let mut current = kept.take().unwrap_or_else(|| KeptConversation {
            contents: Contents::default(),
            conversations: Conversations::default(),
            share: share(),
        });
        if !current.contents.is_same(now) {
            update(&mut current.conversations, &current.contents);
            current.contents = now.alone();
        }
        let found = ask(&current.conversations);
        if current.share.resize(current.conversations.bytes()).is_ok() {
            *kept = Some(current);
        }
        found
    }
}

/// What the first rows of a table depend on.
#[derive(Clone, Copy)]
pub struct PageOf<'a> {
    /// The rows and their order.
    pub order: &'a Arc<Order>,
    /// The messages.
    pub contents: &'a Contents,
    /// The columns.
    pub columns: &'a [PropTag],
    /// How strings are sent.
    pub strings: Strings,
    /// Who looks.
    pub viewer: Viewer,
    /// How many rows were asked for.
    pub wanted: usize,
}

/// The first rows of tables of a view of a folder, as they were sent, the ones last sent first: a
/// folder that is opened again and again, and did not change, is shown without a look at it.
#[derive(Default)]
pub struct KeptPages(Mutex<Vec<KeptPage>>);

struct KeptPage {
    /// Held, so that no other order can be in its place.
    order: Arc<Order>,
    contents: Contents,
    columns: Box<[PropTag]>,
    code_page: u16,
    unicode: bool,
    viewer: Viewer,
    wanted: usize,
    /// How many there were.
    count: usize,
    rows: Box<[u8]>,
    _share: Share,
}

impl KeptPage {
    fn is(&self, of: PageOf<'_>) -> bool {
        Arc::ptr_eq(&self.order, of.order)
            && (self.wanted, self.viewer) == (of.wanted, of.viewer)
            && *self.columns == *of.columns
            && (self.code_page, self.unicode) == (of.strings.code_page.id(), of.strings.unicode)
            && self.contents.is_same(of.contents)
    }
}

impl KeptPages {
    /// Appends the rows, if they are kept and fit into `room` bytes; how many they are.
    pub fn put(&self, of: PageOf<'_>, room: usize, out: &mut Vec<u8>) -> Option<usize> {
        let mut pages = lock(&self.0);
        let at = pages.iter().position(|page| page.is(of))?;
        let page = pages.get(at).filter(|page| page.rows.len() <= room)?;
        out.extend_from_slice(&page.rows);
        let count = page.count;
        if let Some(upto) = pages.get_mut(..=at) {
            upto.rotate_right(1);
        }
        Some(count)
    }

    /// Keeps rows.
    pub fn keep(&self, of: PageOf<'_>, count: usize, rows: &[u8]) {
        let bytes = rows.len() + size_of_val(of.columns);
        let mut share = self::share();
        if share.resize(bytes).is_err() {
            return;
        }
        let page = KeptPage {
            order: Arc::clone(of.order),
            contents: of.contents.alone(),
            columns: of.columns.into(),
            code_page: of.strings.code_page.id(),
            unicode: of.strings.unicode,
            viewer: of.viewer,
            wanted: of.wanted,
            count,
            rows: rows.into(),
            _share: share,
        };
        let mut pages = lock(&self.0);
        // What is of an earlier moment will not be asked for again.
        pages.retain(|page| page.contents.is_same(of.contents));
        pages.truncate(KEPT_MAX - 1);
        pages.insert(0, page);
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves what is kept as it was, or takes the one in work away.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
