//! Positions in a table that a STAT describes (MS-OXNSPI 3.1.4.5).

use ropewalk_wire::{
    ErrorCode,
    nspi::{MID_BEGINNING_OF_TABLE, MID_CURRENT, MID_END_OF_TABLE, Stat},
};

use super::book::AddressBook;

/// Where a STAT points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The row that CurrentRec, or the fraction NumPos / TotalRecs, names.
    pub initial: usize,
    /// The row after moving by Delta: at most one past the last.
    pub row: usize,
}

impl Position {
    /// Finds it; NotFound if no row has the Minimal Entry ID CurrentRec.
    pub fn find(book: &AddressBook, stat: &Stat) -> Result<Self, ErrorCode> {
        let total = book.len();
        let initial = match stat.current_rec {
            MID_BEGINNING_OF_TABLE => 0,
            MID_END_OF_TABLE => total,
            MID_CURRENT => fraction(total, stat),
            minimal_id => book.row_of(minimal_id).ok_or(ErrorCode::NOT_FOUND)?,
        };
        let distance = stat.delta.unsigned_abs() as usize;
        let row = if stat.delta < 0 {
            initial.saturating_sub(distance)
        } else {
            initial.saturating_add(distance).min(total)
        };
        Ok(Self { initial, row })
    }

    /// The rows between the initial and the final one, negative towards the beginning.
    pub fn moved(self) -> i32 {
        let between = |low: usize, high: usize| i32::try_from(high - low).unwrap_or(i32::MAX);
        if self.row < self.initial {
            -between(self.row, self.initial)
        } else {
            between(self.initial, self.row)
        }
    }
}

/// Fractional positioning (MS-OXNSPI 3.1.4.5.2, steps 4 and 5). A client that says that the table
/// has no rows is at its beginning.
fn fraction(total: usize, stat: &Stat) -> usize {
    let intended = (total as u64)
        .saturating_mul(stat.num_pos.into())
        .checked_div(stat.total_recs.into())
        .unwrap_or(0);
    usize::try_from(intended).map_or(total, |row| row.min(total))
}

/// The STAT of a client that now stands on `row`.
pub fn standing_on(book: &AddressBook, stat: &Stat, row: usize) -> Stat {
    Stat {
        current_rec: book.minimal_id(row).unwrap_or(MID_END_OF_TABLE),
        delta: 0,
        num_pos: saturating(row),
        total_recs: saturating(book.len()),
        ..*stat
    }
}

/// A count as the wire has it.
pub fn saturating(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::book::tests::user, *};

    fn book(len: u32) -> AddressBook {
        // The names run against the ids, so that rows and ids cannot be taken for each other.
        let users = (0..len)
            .map(|n| user(0x10 + n, &format!("user {:05}", len - n), "u"))
            .collect();
        AddressBook::new(users)
    }

    fn stat(current_rec: u32, delta: i32, num_pos: u32, total_recs: u32) -> Stat {
        Stat {
            current_rec,
            delta,
            num_pos,
            total_recs,
            ..Stat::default()
        }
    }

    /// MS-OXNSPI 3.1.4.5 step by step, one row at a time.
    fn model(ids: &[u32], stat: &Stat) -> Option<(u32, u32, i32)> {
        let total = ids.len() as u64;
        let mut row = match stat.current_rec {
            0 => 0,
            2 => total,
            1 if stat.total_recs == 0 => 0,
            1 => (total * u64::from(stat.num_pos) / u64::from(stat.total_recs)).min(total),
            id => ids.iter().position(|known| *known == id)? as u64,
        };
        let mut moved = 0;
        for _ in 0..stat.delta.unsigned_abs().min(1000) {
            if stat.delta < 0 && row > 0 {
                row -= 1;
                moved -= 1;
            }
            if stat.delta > 0 && row < total {
                row += 1;
                moved += 1;
            }
        }
        let current = ids.get(row as usize).copied().unwrap_or(2);
        Some((current, row as u32, moved))
    }

    fn found(book: &AddressBook, stat: &Stat) -> Option<(u32, u32, i32)> {
        let position = Position::find(book, stat).ok()?;
        let now = standing_on(book, stat, position.row);
        assert_eq!(now.total_recs, book.len() as u32);
        assert_eq!(now.delta, 0);
        Some((now.current_rec, now.num_pos, position.moved()))
    }

    #[test]
    fn an_empty_table_is_at_its_end_everywhere() {
        let book = book(0);
        for current in [0, 1, 2] {
            for delta in [0, 1, -1, i32::MAX, i32::MIN] {
                assert_eq!(found(&book, &stat(current, delta, 1, 2)), Some((2, 0, 0)));
            }
        }
        assert_eq!(found(&book, &stat(0x10, 0, 0, 0)), None);
    }

    #[test]
    fn moving_past_an_end_stops_there() {
        let book = book(2);
        assert_eq!(found(&book, &stat(0, -3, 0, 0)), Some((0x11, 0, 0)));
        assert_eq!(found(&book, &stat(0, 5, 0, 0)), Some((2, 2, 2)));
        assert_eq!(found(&book, &stat(2, -1, 0, 0)), Some((0x10, 1, -1)));
        assert_eq!(
            found(&book, &stat(0x10, i32::MIN, 0, 0)),
            Some((0x11, 0, -1))
        );
        assert_eq!(found(&book, &stat(0x12, 0, 0, 0)), None);
    }

    #[test]
    fn a_fraction_is_truncated_and_bounded() {
        let book = book(10);
        let row = |num_pos, total| found(&book, &stat(1, 0, num_pos, total)).unwrap().1;
        assert_eq!(row(1, 3), 3);
        assert_eq!(row(2, 3), 6);
        assert_eq!(row(3, 3), 10);
        assert_eq!(row(7, 3), 10);
        assert_eq!(row(7, 0), 0);
        assert_eq!(row(u32::MAX, u32::MAX), 10);
    }

    proptest! {
        #[test]
        fn positions_are_those_of_the_specification(
            len in prop_oneof![0_u32..4, 4_u32..60],
            current in prop_oneof![0_u32..3, 0x10_u32..0x50],
            delta in prop_oneof![-3_i32..4, -70_i32..70],
            num_pos in 0_u32..80,
            total_recs in 0_u32..80,
        ) {
            let book = book(len);
            let ids: Vec<_> = book.rows().iter().map(|row| row.user.minimal_id).collect();
            let stat = stat(current, delta, num_pos, total_recs);
            prop_assert_eq!(found(&book, &stat), model(&ids, &stat));
        }
    }
}
