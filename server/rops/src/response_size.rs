//! How long the response to a ROP can get at most.

use ropewalk_wire::rop::RequestBody as Body;

use crate::{message, operation};

/// Bytes of the longest response to a ROP, whether it succeeds or fails; `None` where that depends
/// on what is read.
///
/// With it the request loop knows which ROPs will fit without reserving room to give them back.
pub fn response_len_max(body: &Body<'_>) -> Option<usize> {
    const HEADER: usize = 6;
    let body_len = match body {
        // No response at all.
        Body::Release(_) => return Some(0),
        Body::Logon(_) => 160,
        Body::SetReceiveFolder(_)
        | Body::SetSearchCriteria(_)
        | Body::ResetTable(_)
        | Body::SeekRowFractional(_)
        | Body::FreeBookmark(_)
        | Body::RemoveAllRecipients(_)
        | Body::ModifyRecipients(_)
        | Body::OpenAttachment(_)
        | Body::DeleteAttachment(_)
        | Body::SaveChangesAttachment(_)
        | Body::GetAttachmentTable(_)
        | Body::GetRulesTable(_)
        | Body::GetPermissionsTable(_)
        | Body::ModifyPermissions(_)
        | Body::ModifyRules(_)
        | Body::UpdateDeferredActionMessages(_)
        | Body::CommitStream(_)
        | Body::CloneStream(_)
        | Body::LockRegionStream(_)
        | Body::UnlockRegionStream(_)
        | Body::SetStreamSize(_) => 0,
        Body::SetColumns(_)
        | Body::SortTable(_)
        | Body::Restrict(_)
        | Body::GetStatus(_)
        | Body::Abort(_)
        | Body::DeleteFolder(_) => 1,
        Body::EmptyFolder(request) | Body::HardDeleteMessagesAndSubfolders(request) => {
            operation::body_len(request.want_asynchronous, 1)
        }
        Body::DeleteMessages(request) | Body::HardDeleteMessages(request) => {
            operation::body_len(request.want_asynchronous, 1)
        }
        Body::SetReadFlags(request) => operation::body_len(request.want_asynchronous, 1),
        Body::SetMessageReadFlag(request) => message::read_flags::response_len(request),
        Body::OpenFolder(_) | Body::WriteStream(_) | Body::WriteAndCommitStream(_) => 2,
        Body::GetStoreState(_)
        | Body::GetHierarchyTable(_)
        | Body::GetContentsTable(_)
        | Body::CreateAttachment(_)
        | Body::OpenStream(_)
        | Body::GetStreamSize(_)
        | Body::WriteStreamExtended(_) => 4,
        // With DestHandleIndex on failure.
        Body::MoveCopyMessages(request) => operation::body_len(request.want_asynchronous, 5),
        Body::CopyFolder(request) => operation::body_len(request.want_asynchronous, 5),
        Body::MoveFolder(_) | Body::SeekRow(_) => 5,
        Body::SeekRowBookmark(_) | Body::CreateBookmark(_) => 6,
        Body::IdFromLongTermId(_) | Body::QueryPosition(_) | Body::SeekStream(_) => 8,
        Body::CreateMessage(_) | Body::SaveChangesMessage(_) => 9,
        Body::CreateFolder(_) => 11,
        Body::LongTermIdFromId(_) => 24,
        _ => return None,
    };
    Some(HEADER + body_len)
}
