//! What the black-box tests, the benches and the load generator share.

pub mod client;
pub mod command;
pub mod fixture;
pub mod http;
pub mod monkey;
pub mod server;
