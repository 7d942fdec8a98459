//! What the tests of this crate share.

use std::cell::RefCell;

use ropewalk_props::{Bag, BagView as _, FileTime, NamedTag, PropValue, PropertyName};

use crate::{NamedIds, named_properties};

/// When the tests' conversions take place.
pub fn now() -> FileTime {
    FileTime::from_unix_seconds(1_795_600_000)
}

/// Gives ids to names as they come; panics for a name that [`named_properties`] leaves out.
#[derive(Default)]
pub struct Names(RefCell<Vec<PropertyName>>);

impl NamedIds for Names {
    fn id(&self, name: &PropertyName) -> Option<u16> {
        assert!(named_properties().contains(name), "{name:?}");
        let mut names = self.0.borrow_mut();
        let at = names
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            });
        Some(0x8000 + at as u16)
    }
}

impl Names {
    pub fn value(&self, bag: &Bag, tag: NamedTag) -> Option<PropValue> {
        let id = self.id(&tag.name())?;
        bag.value(ropewalk_props::PropTag::new(id, tag.ty()))
    }

    pub fn text(&self, bag: &Bag, tag: NamedTag) -> Option<String> {
        let id = self.id(&tag.name())?;
        bag.get_text(ropewalk_props::PropTag::new(id, tag.ty()))
    }
}
