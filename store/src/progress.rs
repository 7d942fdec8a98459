//! How far a long piece of work has come.

/// How far a long piece of work has come, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are done.
    pub done: u64,
    /// Bytes that there are to do, as far as is known by now; at least `done`.
    pub total: u64,
}
