//! ropewalk-mime.
