//! RopSetSearchCriteria and RopGetSearchCriteria (MS-OXCFOLD 3.2.5.4 and 3.2.5.5).

use std::{collections::HashSet, time::Duration};

use ropewalk_props::{BagView, GlobCnt, PropValue};
use ropewalk_store::{Folder, FolderKind, Mailbox, Store};
use ropewalk_wire::{
    ErrorCode, Fid,
    codec::Bytes16,
    rop::{GetSearchCriteriaRequest, GetSearchCriteriaResponse, SetSearchCriteriaRequest},
};

use super::{
    Looked, PATIENCE, PATIENCE_FOR_COUNTS, Search,
    chunk::Place,
    criteria::{CRITERIA, Criteria, RESULTS, restriction_in, restriction_to_keep, set_flags},
    is_open, look, open,
    view::Stage,
};
use crate::{
    exec::{Exec, Fail, blocking},
    folder::current,
    ids,
    limits::{SEARCH_CRITERIA_BYTES_MAX, SEARCHES_MAX},
    rights::Rights,
    store_error,
};

/// SearchFlags of RopGetSearchCriteria (MS-OXCFOLD 2.2.1.5.2).
pub mod get_flags {
    /// SEARCH_RUNNING.
    pub const RUNNING: u32 = 0x0000_0001;
    /// SEARCH_REBUILD, with [`RUNNING`] alone.
    pub const REBUILD: u32 = 0x0000_0002;
    /// SEARCH_RECURSIVE.
    pub const RECURSIVE: u32 = 0x0000_0004;
    /// SEARCH_COMPLETE.
    pub const COMPLETE: u32 = 0x0000_1000;
    /// SEARCH_STATIC.
    pub const STATIC: u32 = 0x0001_0000;
    /// TWIR_TOTALLY: done without content indexing, whatever was asked for.
    pub const TWIR_TOTALLY: u32 = 0x0800_0000;
}

/// The input object, a search folder that is there.
fn search_folder(exec: &Exec<'_>) -> Result<Folder, ErrorCode> {
    let id = exec.object()?.folder()?.id;
    let folder = current(&exec.logon()?.mailbox, id)?;
    if folder.kind != FolderKind::Search {
        return Err(ErrorCode::NOT_SEARCH_FOLDER);
    }
    Ok(folder)
}

/// `ecInvalidParam` for bits that have no meaning, and for two that exclude each other.
fn check_flags(given: u32) -> Result<(), ErrorCode> {
    use set_flags::*;
    const PAIRS: [u32; 4] = [
        STOP | RESTART,
        RECURSIVE | SHALLOW,
        FOREGROUND | BACKGROUND,
        CONTENT_INDEXED | NON_CONTENT_INDEXED,
    ];
    let known = PAIRS.iter().fold(STATIC, |all, pair| all | pair);
    let excluded = PAIRS.iter().any(|pair| given & pair == *pair);
    if given & !known != 0 || excluded {
        return Err(ErrorCode::INVALID_PARAM);
    }
    Ok(())
}

/// RopSetSearchCriteria. The response may come before all results are there.
pub fn set_search_criteria(
    exec: &mut Exec<'_>,
    request: &SetSearchCriteriaRequest<'_>,
) -> Result<(), Fail> {
    exec.object()?.folder()?;
    if exec.logon()?.is_public() && request.search_flags & set_flags::RECURSIVE != 0 {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let folder = search_folder(exec)?;
    exec.need(0)?;
    exec.need_rights(folder.id, Rights::FOLDER_OWNER)?;
    check_flags(request.search_flags)?;
    let mailbox = exec.mailbox()?;
    let store = exec.session.store.clone();
    let known = Criteria::of(&folder.props, &store)?;
    let wanted = wanted(exec, request, known.as_ref(), (&store, &mailbox, folder.id))?;
    if known.is_none() {
        check_room(&mailbox)?;
    }
    let is_same = known.as_ref().is_some_and(|known| {
        known.restriction == wanted.restriction && known.folders == wanted.folders
    });
    let at = Place {
        store: &store,
        mailbox: &mailbox,
    };
    if request.search_flags & set_flags::STOP != 0 {
        if is_same {
            // It stays static or dynamic, and all that it has found stays.
            let search = mailbox.derived::<Search>(folder.id)?;
            blocking(|| search.stop(at, folder.id))?;
        } else {
            start(at, folder.id, wanted)?;
        }
    } else if !known.is_some_and(|known| is_same && is_under_way(at, &folder, &known, &wanted)) {
        let is_static = wanted.has(set_flags::STATIC);
        start(at, folder.id, wanted)?;
        if is_static {
            // It is to find what there is now: one that is small is complete with the response.
            look(&store, &mailbox, folder.id, PATIENCE)?;
        } else {
            open(at, folder.id)?;
        }
    }
    exec.begin();
    Ok(())
}

/// Whether a search that is asked for anew is the one that is there, and nothing would come of
/// starting it again: it is being done just now, or it is dynamic and has what it would find.
fn is_under_way(at: Place<'_>, folder: &Folder, known: &Criteria, wanted: &Criteria) -> bool {
    if known.flags != wanted.flags {
        return false;
    }
    let looked = look(at.store, at.mailbox, folder.id, Duration::ZERO);
    match looked.ok().flatten().map(|looked| looked.stage) {
        Some(Stage::Running | Stage::Saving) => true,
        Some(Stage::Complete) => !known.has(set_flags::STATIC),
        Some(Stage::Stopped) | None => false,
    }
}

fn start(at: Place<'_>, folder: GlobCnt, criteria: Criteria) -> Result<(), ErrorCode> {
    let set = [(CRITERIA, PropValue::Binary(criteria.encode()))];
    blocking(|| at.mailbox.amend_folder(folder, &set, &[RESULTS.id()])).map_err(store_error::fail)
}

/// `ecMAPIOOM` if the mailbox has as many searches as it may have: what each finds takes memory, and
/// room on the disk.
fn check_room(mailbox: &Mailbox) -> Result<(), ErrorCode> {
    let folders = mailbox.search_folders();
    let has_criteria = |folder: &&Folder| folder.props.position(CRITERIA.id()).is_some();
    if folders.iter().filter(has_criteria).count() >= SEARCHES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    Ok(())
}

/// The criteria that a request asks for, with what it leaves as it was.
fn wanted(
    exec: &Exec<'_>,
    request: &SetSearchCriteriaRequest<'_>,
    known: Option<&Criteria>,
    (store, mailbox, folder): (&Store, &Mailbox, GlobCnt),
) -> Result<Criteria, ErrorCode> {
    let restriction = match (request.restriction_data.get(), known) {
        ([], Some(known)) => known.restriction.clone(),
        ([], None) => return Err(ErrorCode::NOT_INITIALIZED),
        (data, _) => restriction_to_keep(data, exec.session.code_page)?,
    };
    let folders = match known {
        Some(known) if request.folder_ids.is_empty() => known.folders.clone(),
        None if request.folder_ids.is_empty() => return Err(ErrorCode::NOT_INITIALIZED),
        _ => scope(store, mailbox, folder, request.folder_ids.iter())?,
    };
    if restriction.len() + size_of_val(&*folders) > SEARCH_CRITERIA_BYTES_MAX {
        return Err(ErrorCode::TOO_COMPLEX);
    }
    let kept = set_flags::RECURSIVE | set_flags::STATIC | set_flags::STOP;
    Ok(Criteria {
        serial: known.map_or(1, |known| known.serial.wrapping_add(1)),
        flags: request.search_flags & kept,
        folders,
        restriction,
    })
}

/// The folders to search. `ecNotFound` if one is not there, `ecSearchFolderScopeViolation` if the
/// search folder is among them, or in what another search folder among them searches.
fn scope(
    store: &Store,
    mailbox: &Mailbox,
    folder: GlobCnt,
    named: impl Iterator<Item = Fid>,
) -> Result<Vec<GlobCnt>, ErrorCode> {
    let mut folders = Vec::new();
    for id in named {
        let id = ids::folder_id(id)?;
        if !mailbox.has_folder(id) {
            return Err(ErrorCode::NOT_FOUND);
        }
        folders.push(id);
    }
    let (mut waiting, mut known) = (folders.clone(), HashSet::new());
    while let Some(id) = waiting.pop() {
        if id == folder {
            return Err(ErrorCode::SEARCH_FOLDER_SCOPE_VIOLATION);
        }
        if !known.insert(id) || !super::is_search(mailbox, id) {
            continue;
        }
        let nested = mailbox.folder(id).ok_or(ErrorCode::NOT_FOUND)?;
        let criteria = Criteria::of(&nested.props, store)?;
        waiting.extend(criteria.into_iter().flat_map(|criteria| criteria.folders));
    }
    Ok(folders)
}

/// RopGetSearchCriteria.
pub fn get_search_criteria(
    exec: &mut Exec<'_>,
    request: &GetSearchCriteriaRequest,
) -> Result<(), Fail> {
    let folder = search_folder(exec)?;
    let mailbox = exec.mailbox()?;
    let store = &exec.session.store;
    // One that has just begun says so; one that left memory is not running because of that.
    let patience = if is_open(&mailbox, folder.id) {
        Duration::ZERO
    } else {
        PATIENCE_FOR_COUNTS
    };
    let looked = look(store, &mailbox, folder.id, patience)?;
    // IMAPIContainer::GetSearchCriteria: MAPI_E_NOT_INITIALIZED if criteria were never set.
    let looked = looked.ok_or(ErrorCode::NOT_INITIALIZED)?;
    let criteria = &looked.criteria;
    let restriction = match (request.include_restriction, request.use_unicode) {
        (false, _) => Vec::new(),
        (true, true) => criteria.restriction.clone(),
        (true, false) => restriction_in(&criteria.restriction, exec.session.code_page)?,
    };
    let logon = exec.logon()?;
    // What is invisible to a user is not named to him either (MS-OXCPERM 2.2.7).
    let is_visible = |id: &&GlobCnt| logon.may(**id, Rights::FOLDER_VISIBLE);
    let folders: Vec<Fid> = match request.include_folders {
        true => (criteria.folders.iter().filter(is_visible))
            .map(|id| ids::fid(*id))
            .collect(),
        false => Vec::new(),
    };
    const FIXED_LEN: usize = 9;
    exec.need(FIXED_LEN + restriction.len() + size_of::<u64>() * folders.len())?;
    exec.answer(&GetSearchCriteriaResponse {
        restriction_data: Bytes16::new(&restriction),
        logon_id: exec.logon_id,
        folder_ids: (&folders).into(),
        search_flags: state(&looked),
    })
}

fn state(looked: &Looked) -> u32 {
    use get_flags::*;
    let state = match looked.stage {
        Stage::Running => RUNNING | REBUILD,
        Stage::Saving => RUNNING,
        Stage::Complete => COMPLETE,
        Stage::Stopped => 0,
    };
    let flag = |set: u32, flag: u32| if looked.criteria.has(set) { flag } else { 0 };
    state | flag(set_flags::RECURSIVE, RECURSIVE) | flag(set_flags::STATIC, STATIC) | TWIR_TOTALLY
}
