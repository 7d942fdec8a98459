//! From an item's bytes to messages.

use std::{collections::HashMap, time::SystemTime};

use ropewalk_mime::ConvertError;
use ropewalk_props::{FileTime, PropertyName};
use ropewalk_store::{Mailbox, Message, StoreError};

use super::Kind;

/// Converts items for one mailbox.
pub struct Converter {
    /// The mailbox's ids of all names that a conversion sets.
    ids: HashMap<PropertyName, u16>,
}

impl Converter {
    /// Has the names registered in the mailbox, in one commit, if they are not yet. A mailbox that
    /// has no ids left goes without the properties that it has none for.
    pub fn new(mailbox: &Mailbox) -> Result<Self, StoreError> {
        let names = ropewalk_mime::named_properties();
        let ids = match mailbox.named_ids(&names, true) {
            Err(StoreError::NamedPropertiesExhausted) => mailbox.named_ids(&names, false),
            ids => ids,
        }?;
        let known = names.into_iter().zip(ids);
        let ids = known.filter_map(|(name, id)| Some((name, id?)));
        Ok(Self { ids: ids.collect() })
    }

    /// The messages in an item; an error is the reason why there is none.
    pub fn messages(&self, kind: Kind, data: &[u8]) -> Result<Vec<Message>, String> {
        let names = |name: &PropertyName| self.ids.get(name).copied();
        let now = FileTime::from(SystemTime::now());
        let reason = |error: ConvertError| error.to_string();
        match kind {
            Kind::Message => Ok(vec![ropewalk_mime::message(data, &names, now)]),
            Kind::Contacts => ropewalk_mime::contacts(data, &names, now).map_err(reason),
            Kind::Calendar => ropewalk_mime::calendar(data, &names, now).map_err(reason),
        }
    }
}
