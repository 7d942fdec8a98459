//! The `ropewalk` command.

use std::process::ExitCode;

/// The C library's allocator keeps what was freed: after a look at a million messages a server would
/// hold half a gigabyte for good. This one gives it back to the system.
#[global_allocator]
static ALLOCATOR: ropewalk_server::Allocator = ropewalk_server::Allocator;

fn main() -> ExitCode {
    ropewalk_server::cli::main()
}
