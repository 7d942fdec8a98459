//! What each request does to the store.

use std::{thread, time::Duration};

use ropewalk_props::{BagView as _, GlobCnt, tags};
use ropewalk_store::{CompactOptions, Mailbox, Progress, Quota, Store, StoreError, User};

use super::protocol::{FolderInfo, QuotaInfo, Request, Response, UserDetails, UserInfo};
use crate::{
    import::{self, Importer, Item, ItemHeader},
    provision::{self, Email, ProvisionError, special},
};

/// Large values that nothing refers to are kept so long by a compaction that somebody asked for.
const GRACE_ON_REQUEST: Duration = Duration::from_secs(2);
/// Folders that one answer lists.
const FOLDERS_LISTED_MAX: usize = 10_000;

/// The requests, carried out on an open store. Blocks while it reads and writes.
#[derive(Clone)]
pub struct Operations {
    store: Store,
    limits: import::Limits,
    /// See [`CompactOptions::grace`].
    grace: Duration,
}

/// A request was refused; the text is the sentence for the user.
struct Refused(String);

impl Operations {
    /// Requests for a store that is being served.
    pub fn new(store: Store, limits: import::Limits) -> Self {
        let grace = CompactOptions::default().grace;
        Self {
            store,
            limits,
            grace,
        }
    }

    /// Requests for a store that nobody else uses.
    pub fn alone(store: Store) -> Self {
        Self {
            store,
            limits: import::Limits::default(),
            grace: Duration::ZERO,
        }
    }

    /// The store behind the requests.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Limits of an import.
    pub fn limits(&self) -> import::Limits {
        self.limits
    }

    /// Carries out one request. `data` has the bytes of an import's items, in order; `progress` is told
    /// how far long work has come.
    pub fn execute(
        &self,
        request: Request,
        data: Vec<Vec<u8>>,
        progress: &mut dyn FnMut(Progress),
    ) -> Response {
        let result = match request {
            Request::AddUser {
                email,
                display_name,
                password_hash,
            } => self.add_user(&email, &display_name, password_hash),
            Request::ListUsers => Ok(Response::Users(
                self.store
                    .users()
                    .iter()
                    .map(|user| user_info(user))
                    .collect(),
            )),
            Request::ShowUser { email } => self.show_user(&email),
            Request::SetPassword {
                email,
                password_hash,
            } => self
                .store
                .set_password(&email, &password_hash)
                .map(|()| Response::Done)
                .map_err(|error| user_error(error, &email)),
            Request::SetQuota { email, quota } => self
                .store
                .set_quota(&email, quota_of(quota))
                .map(|()| Response::Done)
                .map_err(|error| user_error(error, &email)),
            Request::RemoveUser { email } => self
                .store
                .remove_user(&email)
                .map(|()| Response::Done)
                .map_err(|error| user_error(error, &email)),
            Request::PrepareImport { user } => {
                self.user(&user).map(|_| Response::Prepared(self.limits))
            }
            Request::Import {
                user,
                folder,
                items,
            } => self.import(&user, folder.as_deref(), items, data),
            Request::StoreStats => self
                .store
                .stats()
                .map(|stats| Response::StoreStats(Box::new((&stats).into())))
                .map_err(refused),
            Request::StoreVerify => self
                .store
                .verify(progress)
                .map(|report| Response::Verified(Box::new((&report).into())))
                .map_err(refused),
            Request::StoreCompact => self.compact(progress),
            Request::StoreBackup { dir } => self
                .store
                .backup(&dir, progress)
                .map(|report| Response::BackedUp(Box::new((&report).into())))
                .map_err(refused),
        };
        result.unwrap_or_else(|Refused(sentence)| Response::Failed(sentence))
    }

    fn add_user(
        &self,
        email: &str,
        display_name: &str,
        password_hash: String,
    ) -> Result<Response, Refused> {
        let email = Email::parse(email).map_err(|error| Refused(error.to_string()))?;
        let user = provision::add_user(&self.store, &email, display_name, password_hash).map_err(
            |error| match error {
                ProvisionError::Store(error) => user_error(error, email.as_str()),
                other => Refused(other.to_string()),
            },
        )?;
        Ok(Response::User(user_info(&user)))
    }

    fn show_user(&self, email: &str) -> Result<Response, Refused> {
        let user = self.user(email)?;
        let mailbox = self
            .store
            .mailbox(user.mailbox_guid)
            .map_err(|error| user_error(error, email))?;
        Ok(Response::Details(UserDetails {
            user: user_info(&user),
            bytes: mailbox.size(),
            quota: quota_info(mailbox.quota()),
            folders: folders(&mailbox),
        }))
    }

    fn import(
        &self,
        email: &str,
        folder: Option<&str>,
        headers: Vec<ItemHeader>,
        data: Vec<Vec<u8>>,
    ) -> Result<Response, Refused> {
        let user = self.user(email)?;
        let mailbox = self
            .store
            .mailbox(user.mailbox_guid)
            .map_err(|error| user_error(error, email))?;
        let items = headers
            .into_iter()
            .zip(data)
            .map(|(header, data)| Item { header, data })
            .collect();
        Importer::new(&mailbox, folder)
            .save(items)
            .map(Response::Imported)
            .map_err(|error| Refused(error.to_string()))
    }

    fn compact(&self, progress: &mut dyn FnMut(Progress)) -> Result<Response, Refused> {
        let options = CompactOptions {
            full: true,
            grace: self.grace,
            ..CompactOptions::default()
        };
        let mut report = self.store.compact(options, progress).map_err(refused)?;
        if report.blobs_waiting > 0 {
            // Who asks for space wants it now, not once nobody may be using any more what was deleted.
            thread::sleep(GRACE_ON_REQUEST);
            let options = CompactOptions {
                grace: GRACE_ON_REQUEST,
                ..options
            };
            let first = report;
            report = self.store.compact(options, progress).map_err(refused)?;
            report.bytes_before = first.bytes_before;
            report.blobs_removed += first.blobs_removed;
            report.files_replaced += first.files_replaced;
            report.packs_written += first.packs_written;
        }
        Ok(Response::Compacted(report.into()))
    }

    fn user(&self, email: &str) -> Result<std::sync::Arc<User>, Refused> {
        self.store
            .user_by_email(email)
            .ok_or_else(|| user_error(StoreError::NotFound, email))
    }
}

fn refused(error: impl std::error::Error) -> Refused {
    Refused(error.to_string())
}

/// A store error as a sentence about the user.
fn user_error(error: StoreError, email: &str) -> Refused {
    Refused(match error {
        StoreError::NotFound => {
            format!("there is no user {email}; 'ropewalk user list' shows who there is")
        }
        StoreError::EmailTaken => {
            format!("there is already a user {email}; choose another address or remove that user")
        }
        other => other.to_string(),
    })
}

fn quota_of(info: QuotaInfo) -> Quota {
    Quota {
        warning: info.warn,
        prohibit_send: info.send,
        prohibit_receive: info.receive,
    }
}

fn quota_info(quota: Quota) -> QuotaInfo {
    QuotaInfo {
        warn: quota.warning,
        send: quota.prohibit_send,
        receive: quota.prohibit_receive,
    }
}

fn user_info(user: &User) -> UserInfo {
    UserInfo {
        email: user.email.clone(),
        display_name: user.display_name.clone(),
        legacy_dn: user.legacy_dn.clone(),
        mailbox_guid: user.mailbox_guid.to_string(),
    }
}

/// The folders that the user sees, parents first, siblings by name.
fn folders(mailbox: &Mailbox) -> Vec<FolderInfo> {
    let mut found = Vec::new();
    let mut open: Vec<(String, GlobCnt)> = vec![(String::new(), special::IPM_SUBTREE)];
    while let Some((path, id)) = open.pop() {
        if found.len() >= FOLDERS_LISTED_MAX {
            break;
        }
        if let Some(folder) = mailbox.folder(id).filter(|_| !path.is_empty()) {
            found.push(FolderInfo {
                path: path.clone(),
                messages: folder.counts.content,
                unread: folder.counts.unread,
            });
        }
        let children = mailbox.child_folders(id);
        // The last one pushed comes first.
        open.extend(children.into_iter().rev().map(|child| {
            let name = child
                .props
                .get_text(tags::PID_TAG_DISPLAY_NAME)
                .unwrap_or_default();
            let path = if path.is_empty() {
                name
            } else {
                format!("{path}/{name}")
            };
            (path, child.id)
        }));
    }
    found
}
