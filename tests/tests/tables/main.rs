//! Contents and hierarchy tables (MS-OXCTABL 3.2.5).

mod cursor;
mod fixture;
mod restrictions;
mod views;
