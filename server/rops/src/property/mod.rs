//! Properties: what objects have, and how a client reads and writes it (MS-OXCPRPT).

pub mod value;
