//! Autodiscover: where a user's mailbox is (MS-OXDSCLI).

pub mod urls;
