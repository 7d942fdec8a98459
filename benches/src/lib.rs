//! ropewalk-benches.
