//! The `ropewalk` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ropewalk_server::cli::main()
}
