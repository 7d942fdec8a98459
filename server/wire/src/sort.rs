//! Sort orders (MS-OXCDATA 2.13).

use ropewalk_props::{PropTag, PropType};

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Wire, wire_struct},
    list::List,
};

/// One column to sort by (MS-OXCDATA 2.13.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortOrder {
    /// The column. Its type may have the multi-value instance bit.
    pub tag: PropTag,
    /// [`SortOrder::ASCENDING`], [`SortOrder::DESCENDING`] or [`SortOrder::MAXIMUM_CATEGORY`].
    pub order: u8,
}

impl SortOrder {
    /// Smallest first.
    pub const ASCENDING: u8 = 0x00;
    /// Largest first.
    pub const DESCENDING: u8 = 0x01;
    /// The largest value of the column in a category sorts the category.
    pub const MAXIMUM_CATEGORY: u8 = 0x04;
}

impl<'a> Wire<'a> for SortOrder {
    const FIXED_SIZE: Option<usize> = Some(5);

    /// PropertyType, PropertyId, Order: the first two lie as in a PropertyTag.
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let ty = PropType(input.u16()?);
        let tag = PropTag::new(input.u16()?, ty);
        Ok(Self {
            tag,
            order: input.u8()?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u32(self.tag.0);
        out.put_u8(self.order);
        Ok(())
    }
}

/// The columns to sort by; the first `categorized_count` make header rows (MS-OXCDATA 2.13.2).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SortOrderSet<'a> {
    /// Number of columns that rows are grouped by.
    pub categorized_count: u16,
    /// Number of categories that start out expanded.
    pub expanded_count: u16,
    /// The columns.
    pub sort_orders: List<'a, SortOrder>,
}

wire_struct! {
    /// The counts before the columns.
    SortOrderCounts { sort_order_count: u16, categorized_count: u16, expanded_count: u16 }
}

impl<'a> Wire<'a> for SortOrderSet<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let counts = SortOrderCounts::decode(input)?;
        Ok(Self {
            categorized_count: counts.categorized_count,
            expanded_count: counts.expanded_count,
            sort_orders: List::take(input, usize::from(counts.sort_order_count))?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let len = self.sort_orders.len();
        let counts = SortOrderCounts {
            sort_order_count: u16::try_from(len).map_err(|_| EncodeError::TooLong {
                what: "a sort order set",
                len,
            })?,
            categorized_count: self.categorized_count,
            expanded_count: self.expanded_count,
        };
        counts.encode(out)?;
        self.sort_orders.put_items(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_set_has_its_three_counts_before_its_columns() {
        let orders = [
            SortOrder {
                tag: PropTag(0x8008_301F),
                order: SortOrder::ASCENDING,
            },
            SortOrder {
                tag: PropTag(0x0E06_0040),
                order: SortOrder::DESCENDING,
            },
        ];
        let set = SortOrderSet {
            categorized_count: 1,
            expanded_count: 1,
            sort_orders: (&orders).into(),
        };
        // MS-OXCTABL 4.5.2.1.
        let bytes = b"\x02\0\x01\0\x01\0\x1F\x30\x08\x80\0\x40\0\x06\x0E\x01";
        let mut out = Vec::new();
        set.encode(&mut out).unwrap();
        assert_eq!(out, bytes);
        assert_eq!(SortOrderSet::decode(&mut Reader::new(bytes)), Ok(set));
        for len in 0..bytes.len() {
            assert!(SortOrderSet::decode(&mut Reader::new(&bytes[..len])).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_written_as_they_were(
            bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60),
        ) {
            let mut input = Reader::new(&bytes);
            if let Ok(set) = SortOrderSet::decode(&mut input) {
                let mut out = Vec::new();
                set.encode(&mut out).unwrap();
                prop_assert_eq!(out, &bytes[..input.position()]);
            }
        }
    }
}
