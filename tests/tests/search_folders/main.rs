//! Search folders over the wire (MS-OXCFOLD 2.2.1.4, 2.2.1.5, 3.2.5.4, 3.2.5.5).

mod criteria;
mod keeping_up;
mod kept;
mod told;
mod world;
