//! Request types on tables: positions, rows, searches (MS-OXNSPI 3.1.4.1.4 and 3.1.4.1.8 to 12).

use ropewalk_store::User;
use ropewalk_wire::{
    ErrorCode,
    nspi::{
        CompareMIdsRequest, CompareMIdsResponse, GetMatchesRequest, GetMatchesResponse,
        MID_BEGINNING_OF_TABLE, MinimalIds, QueryRowsRequest, ResortRestrictionRequest,
        ResortRestrictionResponse, SeekEntriesRequest, Stat, StateAndRowsResponse,
        UpdateStatRequest, UpdateStatResponse,
    },
};

use super::{
    Answer, F_EPH_ID, Fault, NspiContext,
    book::AddressBook,
    code_page::CodePage,
    filter, in_container,
    position::{Position, saturating, standing_on},
    property::View,
    reply, required,
    rows::{Rows, columns},
};

/// STAT.SortType (MS-OXNSPI 2.2.1.10). Sorting by phonetic display name is not supported, as in
/// Exchange 2010 SP3 and later.
const SORT_TYPE_DISPLAY_NAME: u32 = 0;
const SORT_TYPE_PHONETIC_DISPLAY_NAME: u32 = 3;
const SORT_TYPE_DISPLAY_NAME_W: u32 = 0x3E9;

/// The rows that SeekEntries returns of the Global Address List, which are the server's to choose
/// (MS-OXNSPI 3.1.4.1.9, constraint 15).
const SEEK_ROWS: u32 = 50;

/// The ids of properties whose values refer to other objects; users have none of them
/// (MS-OXOABK 2.2.5 and 2.2.6): Manager, IsMemberOfDistributionList, Member, Owner, Reports,
/// PublicDelegates, OwnerBackLink.
const REFERENCES: [u16; 7] = [0x8005, 0x8008, 0x8009, 0x800C, 0x800E, 0x8015, 0x8024];

/// MS-OXNSPI 3.1.4.1.4.
pub fn update_stat(
    context: &NspiContext<'_>,
    request: &UpdateStatRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    CodePage::new(stat.code_page)?;
    in_container(&stat)?;
    let book = AddressBook::read(context.store);
    let position = Position::find(&book, &stat)?;
    let body = UpdateStatResponse {
        state: Some(standing_on(&book, &stat, position.row)),
        delta: request.delta_requested.then(|| position.moved()),
    };
    reply(body, out)
}

/// MS-OXNSPI 3.1.4.1.8.
pub fn query_rows(
    context: &NspiContext<'_>,
    request: &QueryRowsRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    let view = context.view(
        CodePage::new(stat.code_page)?,
        request.flags & F_EPH_ID != 0,
    );
    let mut rows = Rows::new(columns(request.columns)?);
    let book = AddressBook::read(context.store);
    let state = if request.explicit_table.is_empty() {
        in_container(&stat)?;
        if request.row_count == 0 {
            return Err(ErrorCode::INVALID_PARAMETER.into());
        }
        let first = Position::find(&book, &stat)?.row;
        push_from(&mut rows, &view, &book, first, request.row_count)?;
        standing_on(&book, &stat, first.saturating_add(rows.count() as usize))
    } else {
        let ids = request.explicit_table.iter();
        push_users(
            &mut rows,
            &view,
            &book,
            ids.take(request.row_count as usize),
        )?;
        stat
    };
    let body = StateAndRowsResponse {
        state: Some(state),
        columns_and_rows: Some(rows.as_wire()),
    };
    reply(body, out)
}

/// At most `count` rows of the Global Address List from row `first` on.
fn push_from(
    rows: &mut Rows,
    view: &View,
    book: &AddressBook,
    first: usize,
    count: u32,
) -> Result<bool, Fault> {
    let following = book.rows().get(first..).unwrap_or_default();
    push_all(
        rows,
        view,
        following
            .iter()
            .take(count as usize)
            .map(|row| Some(&*row.user)),
    )
}

/// A row for each Minimal Entry ID.
fn push_users(
    rows: &mut Rows,
    view: &View,
    book: &AddressBook,
    mut ids: impl Iterator<Item = u32>,
) -> Result<bool, Fault> {
    push_all(rows, view, ids.by_ref().map(|id| book.user(id)))
}

/// Rows until there is enough for one response; true if that was all.
fn push_all<'u>(
    rows: &mut Rows,
    view: &View,
    mut users: impl Iterator<Item = Option<&'u User>>,
) -> Result<bool, Fault> {
    users.try_fold(true, |all, user| Ok(all && rows.push(view, user)?))
}

/// MS-OXNSPI 3.1.4.1.9.
pub fn seek_entries(
    context: &NspiContext<'_>,
    request: &SeekEntriesRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    let view = context.view(CodePage::new(stat.code_page)?, true);
    in_container(&stat)?;
    if stat.sort_type != SORT_TYPE_DISPLAY_NAME {
        return Err(ErrorCode::GENERAL_FAILURE.into());
    }
    let target = request
        .target
        .as_ref()
        .ok_or(ErrorCode::INVALID_PARAMETER)?;
    let target = filter::display_name(&view, &target.0).ok_or(ErrorCode::GENERAL_FAILURE)?;
    let asked = request
        .columns
        .map(|tags| columns(Some(tags)))
        .transpose()?;
    let mut rows = asked.map(Rows::new);
    let book = AddressBook::read(context.store);
    let state = match request.explicit_table {
        None => {
            let first = book.rows().partition_point(|row| row.key < target);
            if first == book.len() {
                return Err(ErrorCode::NOT_FOUND.into());
            }
            if let Some(rows) = &mut rows {
                push_from(rows, &view, &book, first, SEEK_ROWS)?;
            }
            at(&stat, &book, first)
        }
        Some(table) => {
            let (first, state) = seek_explicit(&stat, &book, table, &target)?;
            if let Some(rows) = &mut rows {
                push_users(rows, &view, &book, table.iter().skip(first))?;
            }
            state
        }
    };
    let body = StateAndRowsResponse {
        state: Some(state),
        columns_and_rows: rows.as_ref().map(Rows::as_wire),
    };
    reply(body, out)
}

/// The STAT after a seek, which leaves Delta alone (MS-OXNSPI 3.1.4.1.9, constraint 14).
fn at(stat: &Stat, book: &AddressBook, row: usize) -> Stat {
    Stat {
        delta: stat.delta,
        ..standing_on(book, stat, row)
    }
}

/// The first row of an explicit table that is not before the target.
fn seek_explicit(
    stat: &Stat,
    book: &AddressBook,
    table: MinimalIds<'_>,
    target: &str,
) -> Result<(usize, Stat), ErrorCode> {
    let key = |id| Some(&book.rows().get(book.row_of(id)?)?.key);
    let (first, current_rec) = (0..)
        .zip(table.iter())
        .find(|(_, id)| key(*id).is_some_and(|key| key.as_str() >= target))
        .ok_or(ErrorCode::NOT_FOUND)?;
    let state = Stat {
        current_rec,
        num_pos: saturating(first),
        total_recs: saturating(table.len()),
        ..*stat
    };
    Ok((first, state))
}

/// MS-OXNSPI 3.1.4.1.10.
pub fn get_matches(
    context: &NspiContext<'_>,
    request: &GetMatchesRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    let view = context.view(CodePage::new(stat.code_page)?, true);
    let by_name = matches!(
        stat.sort_type,
        SORT_TYPE_DISPLAY_NAME | SORT_TYPE_PHONETIC_DISPLAY_NAME
    );
    if by_name {
        in_container(&stat)?;
    }
    let asked = request
        .columns
        .map(|tags| columns(Some(tags)))
        .transpose()?;
    let mut rows = asked.map(Rows::new);
    let book = AddressBook::read(context.store);
    let mut ids = Vec::new();
    match (&request.filter, request.minimal_ids) {
        // pReserved of the RPC method, which has to be NULL there.
        (Some(_), Some(_)) => return Err(ErrorCode::TOO_COMPLEX.into()),
        // MS-OXCMAPIHTTP 2.2.5.5.1: an Explicit Table, of which there is nothing to be found.
        (None, Some(table)) => ids.extend(table.iter().filter(|id| book.user(*id).is_some())),
        (Some(_), None) if !by_name => return Err(ErrorCode::GENERAL_FAILURE.into()),
        (Some(filter), None) => {
            filter::check_size(&filter.0)?;
            for row in book.rows() {
                if filter::matches(&view, row, &filter.0)? {
                    ids.push(row.user.minimal_id);
                }
            }
        }
        (None, None) => references(&book, &stat, request)?,
    }
    if ids.len() > request.row_count as usize {
        return Err(ErrorCode::TABLE_TOO_BIG.into());
    }
    if let Some(rows) = &mut rows
        && !push_users(rows, &view, &book, ids.iter().copied())?
    {
        return Err(ErrorCode::TABLE_TOO_BIG.into());
    }
    let body = GetMatchesResponse {
        state: Some(Stat {
            container_id: stat.current_rec,
            ..stat
        }),
        minimal_ids: Some((&ids).into()),
        columns_and_rows: rows.as_ref().map(Rows::as_wire),
    };
    reply(body, out)
}

/// The objects that a property of an object refers to (constraints 9 to 13): none, as users have no
/// such property, but the object and the property must be such that they could.
fn references(
    book: &AddressBook,
    stat: &Stat,
    request: &GetMatchesRequest<'_>,
) -> Result<(), ErrorCode> {
    book.user(stat.current_rec)
        .ok_or(ErrorCode::GENERAL_FAILURE)?;
    // PropertyNameId is a property id; ContainerID is a whole PropertyTag.
    let id = match &request.property_name {
        Some(name) => u16::try_from(name.id).ok(),
        None => u16::try_from(stat.container_id >> 16).ok(),
    };
    let refers = id.is_some_and(|id| REFERENCES.contains(&id));
    if !refers || stat.sort_type == SORT_TYPE_DISPLAY_NAME_W {
        return Err(ErrorCode::NOT_SUPPORTED);
    }
    Ok(())
}

/// MS-OXNSPI 3.1.4.1.11.
pub fn resort_restriction(
    context: &NspiContext<'_>,
    request: &ResortRestrictionRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    CodePage::new(stat.code_page)?;
    if stat.sort_type != SORT_TYPE_DISPLAY_NAME {
        return Err(ErrorCode::GENERAL_FAILURE.into());
    }
    let table = request.minimal_ids.ok_or(ErrorCode::INVALID_PARAMETER)?;
    let book = AddressBook::read(context.store);
    let mut found: Vec<_> = table
        .iter()
        .filter_map(|id| book.row_of(id).map(|row| (row, id)))
        .collect();
    found.sort_unstable();
    let ids: Vec<_> = found.into_iter().map(|(_, id)| id).collect();
    let current = ids.iter().position(|id| *id == stat.current_rec);
    let body = ResortRestrictionResponse {
        state: Some(Stat {
            current_rec: current.map_or(MID_BEGINNING_OF_TABLE, |_| stat.current_rec),
            num_pos: current.map_or(0, saturating),
            total_recs: saturating(ids.len()),
            ..stat
        }),
        minimal_ids: Some((&ids).into()),
    };
    reply(body, out)
}

/// MS-OXNSPI 3.1.4.1.12.
pub fn compare_mids(
    context: &NspiContext<'_>,
    request: &CompareMIdsRequest<'_>,
    out: &mut Vec<u8>,
) -> Answer {
    let stat = required(request.state)?;
    CodePage::new(stat.code_page)?;
    in_container(&stat)?;
    let book = AddressBook::read(context.store);
    let row = |id| book.row_of(id).ok_or(ErrorCode::GENERAL_FAILURE);
    let order = row(request.minimal_id1)?.cmp(&row(request.minimal_id2)?);
    let body = CompareMIdsResponse {
        result: order as i32,
    };
    reply(body, out)
}
