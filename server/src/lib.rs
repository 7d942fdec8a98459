//! The Ropewalk server.
