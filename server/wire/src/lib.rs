//! ropewalk-wire.
