//! Asynchronous ROPs (MS-OXCFOLD 3.1.5.2, MS-OXCPRPT 2.2.23): what takes long is done slice by slice,
//! one with the request that asks for it and one with each RopProgress after it, and the response comes
//! with the last.
//!
//! Nothing goes on between requests. A slice is a few commits, each of whole messages and folders, so
//! that an operation which is not gone on with, as its handle was released or its session ended, has
//! done a part of what it was to do and nothing by halves. It belongs to the folder object on which it
//! was asked for, and goes with it. Other ROPs on that object do what they do at any other time; a
//! further one that could be asynchronous is executed at once.

mod bulk;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use ropewalk_props::GlobCnt;
use ropewalk_store::{FolderCopy, FolderEmptying};
use ropewalk_wire::{
    ErrorCode,
    codec::Wire,
    rop::{
        PartialCompletionResponse, ProgressRequest, ProgressResponse, PropertyProblemsResponse,
        RopId, put_response_header,
    },
};

pub use bulk::{Act, Bulk, Places, clear_notify};

use crate::{
    budget::Share,
    exec::{Exec, Fail, blocking},
    folder::is_special,
    property::{copy_folder::CopyToFolder, write::problems_len},
    rights::gate,
    store_error,
};

/// How much is done of an operation with one request.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Messages and folders of one commit. What has no more than these is done at once, in one commit.
    pub items: usize,
    /// After this time there is no further commit.
    pub time: Duration,
}

impl Default for Slice {
    fn default() -> Self {
        Self {
            items: 1024,
            time: Duration::from_millis(50),
        }
    }
}

/// An operation that is not done yet.
pub struct Operation {
    /// The ROP that asked for it, as which it is answered in the end.
    rop_id: RopId,
    work: Work,
    completed: u64,
    total: u64,
    /// How it ended.
    end: Option<Result<(), ErrorCode>>,
    /// It was cancelled before everything was done.
    is_cancelled: bool,
    _share: Share,
}

/// What is to be done.
pub enum Work {
    /// The same to many messages.
    Messages(Bulk),
    /// RopCopyFolder.
    CopyFolder {
        /// What is left.
        copy: FolderCopy,
        /// The folder that is copied.
        source: GlobCnt,
        /// With its subfolders.
        deep: bool,
        /// Where to.
        dest: GlobCnt,
    },
    /// RopEmptyFolder, RopHardDeleteMessagesAndSubfolders.
    EmptyFolder {
        /// What is left.
        emptying: FolderEmptying,
        /// The folder.
        folder: GlobCnt,
    },
    /// RopCopyTo and RopCopyProperties from folder to folder.
    CopyTo(Box<CopyToFolder>),
}

impl Work {
    /// Messages and folders.
    fn total(&self) -> u64 {
        match self {
            Self::Messages(bulk) => bulk.count() as u64,
            Self::CopyFolder { copy, .. } => copy.total(),
            Self::EmptyFolder { emptying, .. } => emptying.total(),
            Self::CopyTo(copy) => copy.total(),
        }
    }

    /// Bytes that it takes in memory.
    fn memory(&self) -> usize {
        let own = size_of::<Operation>();
        own + match self {
            Self::Messages(bulk) => bulk.memory(),
            Self::CopyFolder { copy, .. } => copy.memory(),
            Self::EmptyFolder { emptying, .. } => emptying.memory(),
            Self::CopyTo(copy) => copy.memory(),
        }
    }

    fn is_done(&self) -> bool {
        match self {
            Self::Messages(bulk) => bulk.is_done(),
            Self::CopyFolder { copy, .. } => copy.is_done(),
            Self::EmptyFolder { emptying, .. } => emptying.is_done(),
            Self::CopyTo(copy) => copy.is_done(),
        }
    }

    /// Does so many items, in one commit or in few; returns how many were done.
    fn step(&mut self, exec: &Exec<'_>, items: usize) -> Result<usize, ErrorCode> {
        let stepped = match self {
            Self::Messages(bulk) => return bulk.step(exec, items),
            Self::CopyTo(copy) => return copy.step(exec, items),
            Self::CopyFolder { copy, .. } => {
                let mailbox = exec.mailbox()?;
                blocking(|| mailbox.copy_on(copy, items))
            }
            Self::EmptyFolder { emptying, .. } => {
                let mailbox = exec.mailbox()?;
                blocking(|| mailbox.empty_on(emptying, items, &is_special))
            }
        };
        stepped.map_err(store_error::fail)
    }

    /// Whether the user may go on with it: rights may have been withdrawn since. Those on single
    /// messages are asked for with each.
    fn check_rights(&self, exec: &Exec<'_>) -> Result<(), ErrorCode> {
        match self {
            Self::Messages(bulk) => bulk.check_rights(exec),
            Self::CopyFolder {
                source, deep, dest, ..
            } => gate::may_copy_folder(exec, *source, *deep, *dest),
            Self::EmptyFolder { folder, .. } => gate::may_empty_folder(exec, *folder),
            Self::CopyTo(copy) => copy.check_rights(exec),
        }
    }

    /// The end of what was done as a whole, or the failure that it comes to.
    fn finish(&mut self, exec: &Exec<'_>) -> Result<(), ErrorCode> {
        match self {
            Self::Messages(bulk) => bulk.finish(),
            Self::CopyTo(copy) => copy.finish(exec),
            Self::CopyFolder { .. } | Self::EmptyFolder { .. } => Ok(()),
        }
    }

    /// Whether something was left out of what was done, without a failure.
    fn left_out(&self) -> bool {
        match self {
            Self::Messages(bulk) => bulk.left_out(),
            Self::EmptyFolder { emptying, .. } => emptying.has_kept(),
            Self::CopyFolder { .. } | Self::CopyTo(_) => false,
        }
    }
}

/// Bytes of the longest body of a response to a ROP with such a one of its own, asynchronous or not.
pub const fn body_len(is_asynchronous: bool, own: usize) -> usize {
    /// LogonId, CompletedTaskCount, TotalTaskCount.
    const PROGRESS: usize = 9;
    if is_asynchronous && own < PROGRESS {
        PROGRESS
    } else {
        own
    }
}

/// Whether so many items are to be done as an operation, if the client asks for that: there have to be
/// more than what one commit takes, and no other operation on the object.
pub fn is_worthwhile(exec: &Exec<'_>, items: u64) -> bool {
    let object = exec.object().and_then(|object| object.folder());
    items > exec.session.slice.items as u64 && object.is_ok_and(|folder| folder.operation.is_none())
}

/// Begins an operation, and answers for the ROP that asks for it: with RopProgress, or as the ROP is
/// answered if it is done with the first slice. The ROP has room for [`body_len`].
///
/// `ecMAPIOOM` if the session has no memory left to note what is to be done.
pub fn begin(exec: &mut Exec<'_>, work: Work) -> Result<(), Fail> {
    let mut share = exec.session.budget.share();
    share.resize(work.memory())?;
    let mut operation = Operation {
        rop_id: exec.rop_id,
        completed: 0,
        total: work.total(),
        work,
        end: None,
        is_cancelled: false,
        _share: share,
    };
    operation.go_on(exec);
    match operation.end {
        // Nothing has come of it: as if it had not been asynchronous.
        Some(Err(code)) if operation.completed == 0 => Err(code.into()),
        _ => Box::new(operation).answer(exec),
    }
}

/// RopProgress (MS-OXCPRPT 3.2.5.20): goes on with the operation of a folder object, or ends it where it
/// is. `ecNotSupported`, which the specification does not say, without one.
pub fn progress(exec: &mut Exec<'_>, request: &ProgressRequest) -> Result<(), Fail> {
    let operation = &exec.object()?.folder()?.operation;
    let operation = operation.as_ref().ok_or(ErrorCode::NOT_SUPPORTED)?;
    exec.need(operation.body_len())?;
    let operation = exec.object_mut()?.folder_mut()?.operation.take();
    let mut operation = operation.ok_or(ErrorCode::NOT_SUPPORTED)?;
    if request.want_cancel {
        operation.cancel();
    } else {
        if !exec.logon()?.is_owner() {
            operation.end = operation.work.check_rights(exec).err().map(Err);
        }
        operation.go_on(exec);
    }
    operation.answer(exec)
}

impl Operation {
    /// Does a slice, unless it has ended.
    fn go_on(&mut self, exec: &Exec<'_>) {
        let Slice { items, time } = exec.session.slice;
        let begun = Instant::now();
        while self.end.is_none() {
            match self.work.step(exec, items) {
                Ok(done) => self.completed = self.completed.saturating_add(done as u64),
                Err(code) => self.end = Some(Err(code)),
            }
            if self.end.is_none() && self.work.is_done() {
                let finished = self.work.finish(exec);
                if finished.is_err() {
                    // It was permitted with no message.
                    self.completed = 0;
                }
                self.end = Some(finished);
            }
            if begun.elapsed() >= time {
                break;
            }
        }
    }

    /// Leaves the rest undone.
    fn cancel(&mut self) {
        self.is_cancelled = true;
        self.end = Some(match self.work {
            // Its response has nothing to say so with.
            Work::CopyTo(_) => Err(ErrorCode::USER_CANCELED),
            _ => Ok(()),
        });
    }

    /// Bytes of the longest body of its responses.
    fn body_len(&self) -> usize {
        body_len(
            true,
            match &self.work {
                Work::CopyTo(copy) => problems_len(copy.problems_max()),
                _ => 1,
            },
        )
    }

    /// Answers how far it has come; if it has ended, as the ROP that asked for it is answered.
    fn answer(self: Box<Self>, exec: &mut Exec<'_>) -> Result<(), Fail> {
        let index = exec.response_index;
        let encoded = match self.end {
            None => {
                let progress = ProgressResponse {
                    logon_id: exec.logon_id,
                    completed_task_count: tasks(self.completed),
                    total_task_count: tasks(self.total.max(self.completed)),
                };
                exec.object_mut()?.folder_mut()?.operation = Some(self);
                put_response_header(exec.out, RopId::PROGRESS, index, ErrorCode(0));
                progress.encode(exec.out)
            }
            Some(end) => {
                let code = end.err().unwrap_or(ErrorCode(0));
                put_response_header(exec.out, self.rop_id, index, code);
                match self.work {
                    Work::CopyTo(_) if code != ErrorCode(0) => Ok(()),
                    Work::CopyTo(copy) => PropertyProblemsResponse {
                        property_problems: (&copy.into_problems()).into(),
                    }
                    .encode(exec.out),
                    work => PartialCompletionResponse {
                        partial_completion: match end {
                            Ok(()) => self.is_cancelled || work.left_out(),
                            // As of what is not asynchronous, which has done nothing then.
                            Err(_) => self.completed > 0,
                        },
                    }
                    .encode(exec.out),
                }
            }
        };
        encoded.map_err(|error| {
            tracing::error!(%error, "a response could not be encoded");
            Fail::Code(ErrorCode::ERROR)
        })
    }
}

fn tasks(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
