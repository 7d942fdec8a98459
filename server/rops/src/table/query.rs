//! RopQueryRows (MS-OXCTABL 2.2.2.5, 3.2.5.5).

use ropewalk_wire::{ErrorCode, Put, rop::QueryRowsRequest};

use super::{TableKind, cells::RowWriter, kept::PageOf, source::Source, with_table};
use crate::{
    code_page::CodePage,
    exec::{Exec, Fail},
    property::value::Strings,
};

/// QueryRowsFlags (MS-OXCTABL 2.2.2.5.1).
pub mod flags {
    /// The cursor stays where it is.
    pub const NO_ADVANCE: u8 = 0x01;
    /// Rows may come in several extended buffers.
    pub const ENABLE_PACKED_BUFFERS: u8 = 0x02;
}

/// Predefined bookmarks (MS-OXCTABL 2.2.2.1.1).
pub mod bookmark {
    /// The first row.
    pub const BEGINNING: u8 = 0x00;
    /// The cursor.
    pub const CURRENT: u8 = 0x01;
    /// Behind the last row.
    pub const END: u8 = 0x02;
    /// One that the client made.
    pub const CUSTOM: u8 = 0x03;
}

/// RopQueryRows: rows go straight from the store to the response.
///
/// Rows come in the table's order in both directions. Reading backward, those nearest to the cursor
/// come first into the buffer, so that a client that goes on from the new cursor misses none.
pub fn query_rows(exec: &mut Exec<'_>, request: &QueryRowsRequest) -> Result<(), Fail> {
    exec.object()?.table()?;
    let given = request.query_rows_flags;
    if given & !(flags::NO_ADVANCE | flags::ENABLE_PACKED_BUFFERS) != 0 {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    with_table(exec, |exec, table| {
        table.columns()?;
        exec.begin();
        let body_at = exec.out.len();
        exec.out.put_bytes(&[0; 3]);
        if exec.is_brief && !table.is_in_memory(exec)? {
            return Err(Fail::Long);
        }
        let source = Source::new(exec.session, exec.logon_id, table.kind)?;
        if exec.is_brief && !table.is_at_hand(&source) {
            return Err(Fail::Long);
        }
        table.refresh(&source)?;
        let writer = RowWriter {
            store: &exec.session.store,
            columns: table.columns()?,
            strings: Strings {
                code_page: code_page(exec, table.kind),
                unicode: true,
            },
            whole: table.kind.has_whole_cells(),
        };
        let cursor = table.rows.cursor();
        let wanted = usize::from(request.row_count);
        let rows_at = exec.out.len();
        // The first page is what is looked at most.
        let kept = source
            .kept()
            .filter(|_| request.forward_read && cursor == 0);
        let page = kept.as_ref().map(|(contents, _)| PageOf {
            order: table.rows.order(),
            contents,
            columns: writer.columns,
            strings: writer.strings,
            viewer: source.viewer(),
            wanted,
        });
        let room = exec.out_max.saturating_sub(rows_at);
        let known = (kept.as_ref().zip(page))
            .and_then(|((_, kept), page)| kept.pages.put(page, room, exec.out));
        if exec.is_brief && known.is_none() {
            // Rows that were not sent before may have to be read from the disk.
            return Err(Fail::Long);
        }
        let mut starts = Vec::new();
        let mut count = known.unwrap_or(0);
        let mut missing = None;
        while known.is_none() && count < wanted {
            let at = if request.forward_read {
                Some(cursor.saturating_add(count))
            } else {
                cursor.checked_sub(count + 1)
            };
            let Some(row) = at.and_then(|at| table.rows.get(at)) else {
                break;
            };
            let start = exec.out.len();
            table.with_row(&source, row, table.columns_need, |object, part| {
                writer.put(exec.out, object, part);
            });
            if exec.out.len() > exec.out_max {
                missing = Some(exec.out.len() - body_at);
                exec.out.truncate(start);
                break;
            }
            if !request.forward_read {
                starts.push(start);
            }
            count += 1;
        }
        if let Some(missing) = missing.filter(|_| count == 0) {
            // Behind other responses a row may fit when it is asked for again.
            return Err(if exec.is_first {
                ErrorCode::BUFFER_TOO_SMALL.into()
            } else {
                Fail::NoRoom(HEADER_LEN + missing)
            });
        }
        if let (None, None, Some((_, kept)), Some(page)) = (known, missing, &kept, page) {
            let rows = exec.out.get(rows_at..).unwrap_or_default();
            kept.pages.keep(page, count, rows);
        }
        if !request.forward_read {
            reverse_rows(exec.out, rows_at, &starts);
        }
        let (after, origin) = if request.forward_read {
            let after = cursor + count;
            (
                after,
                if after >= table.rows.len() {
                    bookmark::END
                } else {
                    bookmark::CURRENT
                },
            )
        } else {
            let after = cursor - count;
            (
                after,
                if after == 0 {
                    bookmark::BEGINNING
                } else {
                    bookmark::CURRENT
                },
            )
        };
        if given & flags::NO_ADVANCE == 0 {
            table.rows.set_cursor(after);
        }
        let [low, high] = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
        if let Some(body) = exec.out.get_mut(body_at..body_at + 3) {
            body.copy_from_slice(&[origin, low, high]);
        }
        Ok(())
    })
}

/// The code page of a table's PtypString8 cells: what a message owns has that of the message
/// (MS-OXCROPS, "code page for strings"), everything else that of the session.
fn code_page(exec: &Exec<'_>, kind: TableKind) -> CodePage {
    let object = match kind {
        TableKind::Attachments { message } => exec.session.objects.get(message, exec.logon_id).ok(),
        _ => None,
    };
    let message = object.and_then(|object| object.message().ok());
    message.map_or(exec.session.code_page, |message| message.code_page)
}

/// RopId, handle index and ReturnValue.
const HEADER_LEN: usize = 6;

/// Reverses the order of rows that begin at `starts` and fill `out` from `rows_at` on.
fn reverse_rows(out: &mut Vec<u8>, rows_at: usize, starts: &[usize]) {
    let rows = out.split_off(rows_at);
    let mut end = rows.len();
    for start in starts.iter().rev() {
        let start = start - rows_at;
        out.extend_from_slice(rows.get(start..end).unwrap_or_default());
        end = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_backward_are_put_in_table_order() {
        let mut out = b"header-ccc-bb-a".to_vec();
        reverse_rows(&mut out, 6, &[6, 10, 13]);
        assert_eq!(out, b"header-a-bb-ccc");
        let mut none = b"header".to_vec();
        reverse_rows(&mut none, 6, &[]);
        assert_eq!(none, b"header");
    }
}
