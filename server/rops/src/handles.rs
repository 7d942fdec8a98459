//! Server object handles: what a client's 32-bit handle stands for (MS-OXCROPS 3.2.1).

use ropewalk_wire::ErrorCode;

use super::{
    budget::{Budget, Share},
    object::Object,
    table::TableObject,
};

/// The handle of an unused slot in a Server object handle table; never handed out.
pub const NO_HANDLE: u32 = 0xFFFF_FFFF;

/// Objects that one session context may hold open at a time.
pub const OBJECTS_MAX: usize = 16_384;

/// Slots that are taken from the session's budget at a time; the first ones are not, so that a
/// client can log on and look around whatever else its user has open.
const SLOTS_AT_ONCE: usize = 64;

/// Bytes that an open object takes, its slot included, beside what it has a share of its own for.
const OBJECT_BYTES: usize = 512;

/// Tables among them; a table keeps a list of its rows.
pub const TABLES_MAX: usize = 1024;

/// The objects of one session context, found by handle without hashing.
///
/// A handle is a slot's index in the low 16 bits and the slot's generation in the high 16, so that
/// a released handle is told from one that was never assigned.
pub struct Handles {
    slots: Vec<Slot>,
    free: Vec<u16>,
    tables: usize,
    /// What the slots take; it grows as they do, in steps, so that opening an object seldom costs
    /// more than a slot.
    share: Share,
}

struct Slot {
    generation: u16,
    entry: Option<Entry>,
}

/// An open object and the logon that it belongs to.
pub struct Entry {
    /// The LogonId under which it was opened.
    pub logon_id: u8,
    /// The object.
    pub object: Object,
}

impl Handles {
    /// No objects; their slots are taken from this budget.
    pub fn new(budget: &Budget) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            tables: 0,
            share: budget.share(),
        }
    }

    /// Opens an object. Fails with `ecMaxObjsExceeded` at [`OBJECTS_MAX`] and [`TABLES_MAX`], and
    /// with `ecMAPIOOM` if the budget has no room for more slots.
    pub fn insert(&mut self, logon_id: u8, object: Object) -> Result<u32, ErrorCode> {
        let is_table = matches!(object, Object::Table(_));
        if is_table && self.tables >= TABLES_MAX {
            return Err(ErrorCode::MAX_OBJS_EXCEEDED);
        }
        let handle = self.insert_any(logon_id, object)?;
        self.tables += usize::from(is_table);
        Ok(handle)
    }

    /// Fails with `ecMaxObjsExceeded` if no object can be opened, and takes what its slot needs from
    /// the budget, `ecMAPIOOM` if that has no room.
    pub fn check_room(&mut self) -> Result<(), ErrorCode> {
        if !self.free.is_empty() {
            return Ok(());
        }
        if self.slots.len() >= OBJECTS_MAX {
            return Err(ErrorCode::MAX_OBJS_EXCEEDED);
        }
        if !self.slots.is_empty() && self.slots.len().is_multiple_of(SLOTS_AT_ONCE) {
            let slots = self.slots.len() + SLOTS_AT_ONCE;
            self.share.resize(slots * OBJECT_BYTES)?;
        }
        Ok(())
    }

    fn insert_any(&mut self, logon_id: u8, object: Object) -> Result<u32, ErrorCode> {
        self.check_room()?;
        let entry = Some(Entry { logon_id, object });
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(usize::from(index))
        {
            slot.entry = entry;
            return Ok(handle(slot.generation, index));
        }
        let index = u16::try_from(self.slots.len()).map_err(|_| ErrorCode::MAX_OBJS_EXCEEDED)?;
        self.slots.push(Slot {
            generation: 1,
            entry,
        });
        Ok(handle(1, index))
    }

    /// The object behind `handle` if it belongs to `logon_id`.
    ///
    /// `ecNullObject` for a handle never assigned, `ecInvalidObject` for a released one,
    /// `ecAccessDenied` for one of another logon (MS-OXCROPS 3.2.5.1).
    pub fn get(&self, handle: u32, logon_id: u8) -> Result<&Object, ErrorCode> {
        let (index, generation) = split(handle);
        let slot = self.slots.get(index).ok_or(ErrorCode::NULL_OBJECT)?;
        check(slot, generation, logon_id)?;
        slot.entry
            .as_ref()
            .map(|entry| &entry.object)
            .ok_or(ErrorCode::INVALID_OBJECT)
    }

    /// As [`Handles::get`], for changing it.
    pub fn get_mut(&mut self, handle: u32, logon_id: u8) -> Result<&mut Object, ErrorCode> {
        let (index, generation) = split(handle);
        let slot = self.slots.get_mut(index).ok_or(ErrorCode::NULL_OBJECT)?;
        check(slot, generation, logon_id)?;
        slot.entry
            .as_mut()
            .map(|entry| &mut entry.object)
            .ok_or(ErrorCode::INVALID_OBJECT)
    }

    /// Takes a table out, so that it can be worked on together with other objects.
    /// [`Handles::put_back`] has to follow. `ecNotSupported` for another kind of object.
    pub fn take_table(&mut self, handle: u32, logon_id: u8) -> Result<Box<TableObject>, ErrorCode> {
        self.get(handle, logon_id)?.table()?;
        let (index, _) = split(handle);
        let entry = self.slots.get_mut(index).and_then(|slot| slot.entry.take());
        match entry.map(|entry| entry.object) {
            Some(Object::Table(table)) => Ok(table),
            _ => Err(ErrorCode::NOT_SUPPORTED),
        }
    }

    /// Puts back what [`Handles::take_table`] took.
    pub fn put_back(&mut self, handle: u32, logon_id: u8, table: Box<TableObject>) {
        let (index, _) = split(handle);
        if let Some(slot) = self.slots.get_mut(index) {
            slot.entry = Some(Entry {
                logon_id,
                object: Object::Table(table),
            });
        }
    }

    /// Puts two objects in each other's place; false if one of them is not there.
    pub fn swap(&mut self, left: u32, right: u32) -> bool {
        let ((left, left_generation), (right, right_generation)) = (split(left), split(right));
        let Ok([left, right]) = self.slots.get_disjoint_mut([left, right]) else {
            return false;
        };
        let are_there = left.generation == left_generation && right.generation == right_generation;
        if are_there {
            std::mem::swap(&mut left.entry, &mut right.entry);
        }
        are_there
    }

    /// Closes one object and gives it back; `None` if there is nothing behind the handle.
    pub fn remove(&mut self, handle: u32) -> Option<Entry> {
        let (index, generation) = split(handle);
        let slot = self.slots.get_mut(index)?;
        if slot.generation != generation {
            return None;
        }
        let entry = slot.entry.take()?;
        self.tables -= usize::from(matches!(entry.object, Object::Table(_)));
        // The last generation of a slot is never reused, so no old handle can come to life again.
        if slot.generation < u16::MAX - 1 {
            slot.generation += 1;
            self.free.push(index as u16);
        }
        Some(entry)
    }

    /// Closes everything that a logon opened.
    pub fn remove_logon(&mut self, logon_id: u8) {
        let of_logon: Vec<u32> = self
            .iter()
            .filter(|(_, entry)| entry.logon_id == logon_id)
            .map(|(handle, _)| handle)
            .collect();
        for handle in of_logon {
            self.remove(handle);
        }
    }

    /// Every open object.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            slot.entry
                .as_ref()
                .map(|entry| (handle(slot.generation, index as u16), entry))
        })
    }
}

fn handle(generation: u16, index: u16) -> u32 {
    (u32::from(generation) << 16) | u32::from(index)
}

fn split(handle: u32) -> (usize, u16) {
    ((handle & 0xFFFF) as usize, (handle >> 16) as u16)
}

fn check(slot: &Slot, generation: u16, logon_id: u8) -> Result<(), ErrorCode> {
    if generation == 0 || generation > slot.generation {
        return Err(ErrorCode::NULL_OBJECT);
    }
    match &slot.entry {
        Some(entry) if generation == slot.generation => {
            if entry.logon_id == logon_id {
                Ok(())
            } else {
                Err(ErrorCode::ACCESS_DENIED)
            }
        }
        None if generation == slot.generation => Err(ErrorCode::NULL_OBJECT),
        _ => Err(ErrorCode::INVALID_OBJECT),
    }
}
