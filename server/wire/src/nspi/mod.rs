//! Address book request and response bodies (MS-OXCMAPIHTTP 2.2.5).
