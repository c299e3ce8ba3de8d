//! Checks the configuration, offline.

use std::path::PathBuf;

use anyhow::Result;
use commands::verb::roles;

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
        println!("warning: {warning}");
    }
    for service in loaded.catalog.services.values() {
        println!("{}: {} in {}", service.id, service.environments.len(), service.channel);
        for environment in &service.environments {
            println!("  {}", environment.id);
            let rows = roles::table(service)
                .into_iter()
                .filter(|row| row.environment == environment.id.as_str());
            for row in rows {
                println!("    {:<10} {}", row.verb, row.who);
            }
        }
    }
    println!("{} is good", path.display());
    Ok(true)
}
