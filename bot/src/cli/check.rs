//! Checks the configuration, offline.

use std::path::PathBuf;

use anyhow::Result;
use commands::verb::roles;

use super::print;
use super::setup::load;
use crate::config::Local;

/// Prints what is wrong, or who may say what.
///
/// # Errors
/// With everything that is wrong with the configuration.
pub(super) fn check(path: Option<PathBuf>) -> Result<bool> {
    let path = match path {
        Some(path) => path,
        None => Local::read()?.config,
    };
    let loaded = load(&path)?;
    for warning in &loaded.warnings {
        print(format_args!("warning: {warning}"));
    }
    for service in loaded.catalog.services.values() {
        roles::lines(service).iter().for_each(print);
    }
    print(format_args!("{} is good", path.display()));
    Ok(true)
}
