//! The `ropewalk` command.

use std::process::ExitCode;

/// The C library's allocator keeps what was freed: after a look at a million messages a server would
/// hold half a gigabyte for good. This one gives it back to the system. Without
/// huge pages, which it may not give back in part (a 100 MiB attachment saved and read three times: 89 MB
/// at most instead of 227).
#[global_allocator]
static ALLOCATOR: ropewalk_server::Allocator = ropewalk_server::Allocator;

fn main() -> ExitCode {
    ropewalk_server::cli::main()
}
