//! Where a table's cursor is and where it goes: RopQueryPosition, RopSeekRow and its kin, bookmarks
//! (MS-OXCTABL 3.2.5.8 to 3.2.5.12, 3.2.5.15).

use ropewalk_wire::{
    ErrorCode,
    codec::Bytes16,
    rop::{
        BookmarkResponse, FreeBookmarkRequest, QueryPositionResponse, SeekRowBookmarkRequest,
        SeekRowBookmarkResponse, SeekRowFractionalRequest, SeekRowRequest, SeekRowResponse,
    },
};

use super::{
    TableKind, TableObject, query::bookmark, rows::Bookmarked, source::Source, with_table,
};
use crate::exec::{Exec, Fail};

/// Runs a ROP on a table whose rows are up to date.
fn with_rows<'e>(
    exec: &mut Exec<'e>,
    response_len: usize,
    run: impl FnOnce(&mut Exec<'e>, &mut TableObject) -> Result<(), Fail>,
) -> Result<(), Fail> {
    exec.object()?.table()?;
    exec.need(response_len)?;
    with_table(exec, |exec, table| {
        let source = Source::new(exec.session, exec.logon_id, table.kind)?;
        table.refresh(&source)?;
        drop(source);
        run(exec, table)
    })
}

fn wire_number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// RopQueryPosition.
pub fn query_position(exec: &mut Exec<'_>) -> Result<(), Fail> {
    with_rows(exec, 8, |exec, table| {
        exec.answer(&QueryPositionResponse {
            numerator: wire_number(table.rows.cursor()),
            denominator: wire_number(table.rows.len()),
        })
    })
}

/// The rows really moved over, as RopSeekRow and RopSeekRowBookmark report them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moved {
    less: bool,
    rows: i32,
}

/// Moves the cursor `count` rows from `base`, as far as there are rows. What was moved is reported
/// if it is `wanted`, else it reads as zero.
fn move_cursor(table: &mut TableObject, base: usize, count: i32, wanted: bool) -> Moved {
    let distance = count.unsigned_abs() as usize;
    let target = if count < 0 {
        base.saturating_sub(distance)
    } else {
        base.saturating_add(distance).min(table.rows.len())
    };
    table.rows.set_cursor(target);
    let moved = i32::try_from(target.abs_diff(base)).unwrap_or(i32::MAX);
    let rows = if count < 0 { -moved } else { moved };
    if wanted {
        Moved {
            less: rows != count,
            rows,
        }
    } else {
        Moved {
            less: false,
            rows: 0,
        }
    }
}

/// RopSeekRow. On an object that is no table, the ROPs after it are not executed.
pub fn seek_row(exec: &mut Exec<'_>, request: &SeekRowRequest) -> Result<(), Fail> {
    if exec.object()?.table().is_err() {
        return Err(Fail::Last(ErrorCode::NOT_SUPPORTED));
    }
    with_rows(exec, 5, |exec, table| {
        let base = match request.origin {
            bookmark::BEGINNING => 0,
            bookmark::CURRENT => table.rows.cursor(),
            bookmark::END => table.rows.len(),
            _ => return Err(ErrorCode::INVALID_PARAM.into()),
        };
        let moved = move_cursor(table, base, request.row_count, request.want_row_moved_count);
        exec.answer(&SeekRowResponse {
            has_sought_less: moved.less,
            rows_sought: moved.rows,
        })
    })
}

/// Bookmarks are for contents and hierarchy tables (MS-OXCTABL 3.2.5.10, 3.2.5.12, 3.2.5.15).
fn check_has_bookmarks(exec: &Exec<'_>) -> Result<(), ErrorCode> {
    match exec.object()?.table()?.kind {
        TableKind::Contents { .. }
        | TableKind::Search { .. }
        | TableKind::Members { .. }
        | TableKind::Hierarchy { .. } => Ok(()),
        TableKind::Attachments { .. } | TableKind::Permissions { .. } | TableKind::Rules { .. } => {
            Err(ErrorCode::NOT_SUPPORTED)
        }
    }
}

/// RopSeekRowBookmark. On an object that has no bookmarks, or by one that is not valid, the ROPs
/// after it are not executed (MS-OXCTABL 3.2.5.10).
pub fn seek_row_bookmark(
    exec: &mut Exec<'_>,
    request: &SeekRowBookmarkRequest<'_>,
) -> Result<(), Fail> {
    check_has_bookmarks(exec).map_err(last_if_not_supported)?;
    with_rows(exec, 6, |exec, table| {
        table.needs_columns_or_reset()?;
        let Bookmarked { at, gone } = find_bookmark(table, request.bookmark).map_err(Fail::Last)?;
        let moved = move_cursor(table, at, request.row_count, request.want_row_moved_count);
        exec.answer(&SeekRowBookmarkResponse {
            row_no_longer_visible: gone,
            has_sought_less: moved.less,
            rows_sought: moved.rows,
        })
    })
}

/// RopSeekRowFractional. A Denominator of 0 is no error: every Numerator but 0 is past the end.
pub fn seek_row_fractional(
    exec: &mut Exec<'_>,
    request: &SeekRowFractionalRequest,
) -> Result<(), Fail> {
    with_rows(exec, 0, |exec, table| {
        let len = table.rows.len() as u128;
        let at = (u128::from(request.numerator) * len)
            .checked_div(u128::from(request.denominator))
            .unwrap_or(if request.numerator == 0 { 0 } else { len });
        table
            .rows
            .set_cursor(usize::try_from(at).unwrap_or(usize::MAX));
        exec.begin();
        Ok(())
    })
}

/// `ecNotSupported` that ends the buffer: the ROPs after it are not executed (MS-OXCTABL 3.2.5.10,
/// 3.2.5.12).
fn last_if_not_supported(code: ErrorCode) -> Fail {
    match code {
        ErrorCode::NOT_SUPPORTED => Fail::Last(code),
        code => code.into(),
    }
}

/// RopCreateBookmark. On an object that has no bookmarks, the ROPs after it are not executed.
pub fn create_bookmark(exec: &mut Exec<'_>) -> Result<(), Fail> {
    check_has_bookmarks(exec).map_err(last_if_not_supported)?;
    with_rows(exec, 6, |exec, table| {
        let id = table
            .rows
            .create_bookmark()
            .ok_or(ErrorCode::NOT_ENOUGH_MEMORY)?;
        exec.answer(&BookmarkResponse {
            bookmark: Bytes16::new(&id.to_le_bytes()),
        })
    })
}

/// RopFreeBookmark.
pub fn free_bookmark(exec: &mut Exec<'_>, request: &FreeBookmarkRequest<'_>) -> Result<(), Fail> {
    check_has_bookmarks(exec)?;
    exec.need(0)?;
    with_table(exec, |exec, table| {
        table.columns()?;
        let id = bookmark_id(request.bookmark)?;
        if !table.rows.free_bookmark(id) {
            return Err(ErrorCode::INVALID_BOOKMARK.into());
        }
        exec.begin();
        Ok(())
    })
}

fn bookmark_id(bytes: Bytes16<'_>) -> Result<u32, ErrorCode> {
    let bytes = <[u8; 4]>::try_from(bytes.get()).map_err(|_| ErrorCode::INVALID_BOOKMARK)?;
    Ok(u32::from_le_bytes(bytes))
}

/// Where a client's bookmark points; `ecInvalidBookmark` for one that is not, or no longer, there.
pub fn find_bookmark(table: &TableObject, bytes: Bytes16<'_>) -> Result<Bookmarked, ErrorCode> {
    table
        .rows
        .bookmark(bookmark_id(bytes)?)
        .ok_or(ErrorCode::INVALID_BOOKMARK)
}
