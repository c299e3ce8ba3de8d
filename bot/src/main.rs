//! The binary: everything is in the library, so that tests and the demo run the same.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bot::cli::main().await
}
