//! ROP buffers, handles and what is refused (MS-OXCROPS 3.2.5, MS-OXCRPC 3.1.4.2, MS-OXCMAPIHTTP
//! 3.2.5.2): whatever is refused, the session lives on.

mod buffers;
mod handles;
mod malformed;
mod slice;
