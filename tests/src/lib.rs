//! ropewalk-tests.
