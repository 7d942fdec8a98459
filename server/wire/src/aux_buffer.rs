//! The auxiliary buffer (MS-OXCRPC 2.2.2.2).
