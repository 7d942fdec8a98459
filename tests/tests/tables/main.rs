//! Contents and hierarchy tables (MS-OXCTABL 3.2.5).

mod conversations;
mod cursor;
mod fixture;
mod restrictions;
mod views;
