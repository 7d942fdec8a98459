//! Items become messages in a mailbox.

use std::{collections::HashMap, sync::Arc};

use ropewalk_props::GlobCnt;
use ropewalk_store::{Mailbox, Message, SaveMessage, StoreError};

use super::{
    Item, Kind, Outcome,
    convert::Converter,
    folder::{self, FolderError},
};

/// Saves items in one mailbox, in one folder or in the ones that suit them.
pub struct Importer<'a> {
    mailbox: &'a Arc<Mailbox>,
    path: Option<&'a str>,
}

/// An item on its way.
struct Converted {
    messages: Vec<Message>,
    folder: GlobCnt,
    read: bool,
}

impl<'a> Importer<'a> {
    /// An importer into the folder with this path below the top of the mailbox, or, without one,
    /// into the Inbox, Contacts and Calendar.
    pub fn new(mailbox: &'a Arc<Mailbox>, path: Option<&'a str>) -> Self {
        Self { mailbox, path }
    }

    /// Converts the items and saves them all in one commit; tells what became of each, in order.
    /// An error is one of the folder, which holds for all items.
    pub fn save(&self, items: Vec<Item>) -> Result<Vec<Outcome>, FolderError> {
        let mut folders = HashMap::new();
        let converter = Converter::new(self.mailbox);
        let mut converted = Vec::with_capacity(items.len());
        for item in items {
            let kind = item.header.kind;
            let folder = match folders.get(&kind) {
                Some(folder) => *folder,
                None => *folders.entry(kind).or_insert(self.folder(kind)?),
            };
            let read = item.header.read;
            let messages = match &converter {
                Ok(converter) => converter.messages(kind, &item.data),
                Err(error) => Err(store_reason(error)),
            };
            converted.push(messages.map(|messages| Converted {
                messages,
                folder,
                read,
            }));
        }
        Ok(self.save_all(converted))
    }

    fn folder(&self, kind: Kind) -> Result<GlobCnt, FolderError> {
        match self.path {
            Some(path) => folder::find_or_make(self.mailbox, path, kind),
            None => Ok(folder::default_folder(kind)),
        }
    }

    fn save_all(&self, converted: Vec<Result<Converted, String>>) -> Vec<Outcome> {
        let together: Vec<SaveMessage> = converted
            .iter()
            .flatten()
            .flat_map(Converted::saves)
            .collect();
        let saved_together = self.mailbox.save_messages(together).is_ok();
        converted
            .into_iter()
            .map(|item| match item {
                Err(reason) => Outcome::Failed(reason),
                Ok(item) if saved_together => Outcome::Saved(item.messages.len()),
                // One of them spoilt the commit: alone, each tells its own reason.
                Ok(item) => match self.mailbox.save_messages(item.saves().collect()) {
                    Ok(entries) => Outcome::Saved(entries.len()),
                    Err(error) => Outcome::Failed(store_reason(&error)),
                },
            })
            .collect()
    }
}

impl Converted {
    fn saves(&self) -> impl Iterator<Item = SaveMessage> + '_ {
        self.messages.iter().map(|message| SaveMessage {
            folder: self.folder,
            id: None,
            associated: false,
            read: Some(self.read),
            expected_cn: None,
            message: message.clone(),
        })
    }
}

fn store_reason(error: &StoreError) -> String {
    match error {
        StoreError::TooLarge => "it is larger than the store takes".to_owned(),
        StoreError::NotFound => "its folder was deleted in the meantime".to_owned(),
        other => other.to_string(),
    }
}
