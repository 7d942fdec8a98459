//! What a conversion carries with it.

use std::cell::Cell;

use ropewalk_props::{Bag, FileTime, NamedTag, PropValue};

use crate::names::NamedIds;

/// MIME parts in all, embedded messages included.
const PARTS_MAX: usize = 4096;

/// Days of calendar series that are looked at.
const DAYS_MAX: i64 = 4_000_000;

/// The names' ids, the time, and how much of what is bounded is left.
pub struct Context<'a> {
    names: &'a dyn NamedIds,
    /// When the conversion takes place.
    pub now: FileTime,
    parts_left: Cell<usize>,
    days_left: Cell<i64>,
}

impl<'a> Context<'a> {
    pub fn new(names: &'a dyn NamedIds, now: FileTime) -> Self {
        Self {
            names,
            now,
            parts_left: Cell::new(PARTS_MAX),
            days_left: Cell::new(DAYS_MAX),
        }
    }

    /// Sets a named property; without an id for it, it is left out.
    pub fn set(&self, bag: &mut Bag, tag: NamedTag, value: &PropValue) {
        debug_assert_eq!(tag.ty(), value.ty(), "{tag:?}");
        if let Some(id) = self.names.id(&tag.name()) {
            bag.set_id(id, value);
        }
    }

    pub fn set_text(&self, bag: &mut Bag, tag: NamedTag, text: &str) {
        self.set(bag, tag, &PropValue::text(text));
    }

    pub fn set_i32(&self, bag: &mut Bag, tag: NamedTag, number: i32) {
        self.set(bag, tag, &PropValue::Integer32(number));
    }

    pub fn set_bool(&self, bag: &mut Bag, tag: NamedTag, flag: bool) {
        self.set(bag, tag, &PropValue::Boolean(flag));
    }

    pub fn set_time(&self, bag: &mut Bag, tag: NamedTag, time: FileTime) {
        self.set(bag, tag, &PropValue::Time(time));
    }

    pub fn set_binary(&self, bag: &mut Bag, tag: NamedTag, bytes: Vec<u8>) {
        self.set(bag, tag, &PropValue::Binary(bytes));
    }

    /// How many days of calendar series may still be looked at.
    pub fn days_left(&self) -> i64 {
        self.days_left.get()
    }

    /// Accounts for days that were looked at.
    pub fn take_days(&self, days: i64) {
        self.days_left.set(self.days_left.get() - days);
    }

    /// Accounts for one more MIME part; false if there may be no more.
    pub fn take_part(&self) -> bool {
        let left = self.parts_left.get();
        self.parts_left.set(left.saturating_sub(1));
        left > 0
    }
}
