//! The binary: everything is in the library, so that tests and the demo run the same.

use std::process::ExitCode;

/// The system's allocator takes a third more time of a delivery, and keeps more memory; `.cargo/config.toml` sets this one up.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    bot::cli::main().await
}
