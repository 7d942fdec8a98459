//! ropewalk-store.
