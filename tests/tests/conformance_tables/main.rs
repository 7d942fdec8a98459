//! Tables as the specification's cases have them (MS-OXCTABL 3.2.5): what each ROP answers before
//! and after which other one, and on which kind of table.

mod bookmarks;
mod categories;
mod collapse_state;
mod columns;
mod fixture;
mod instances;
mod kinds;
mod live;
mod restrictions;
mod rows;
mod views;
