//! Messages: making, opening, saving, marking, moving, deleting (MS-OXCMSG and MS-OXCFOLD 3.2.5).

mod attached;
mod bodies;
mod content;
mod in_folders;
mod look;
mod properties;
mod saving;
