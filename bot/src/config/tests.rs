//! One picture for each kind of complaint, with its line.

use super::section::Source;
use super::*;

mod accepted;
mod refused;

const CHECKS: [&str; 3] = ["alarms-quiet", "maintenance-asked", "migrations-touched"];

fn sources(texts: &[(&str, &str)]) -> Vec<Source> {
    let source = |(order, (name, text)): (usize, &(&str, &str))| Source {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        order,
    };
    texts.iter().enumerate().map(source).collect()
}

fn read(text: &str) -> Result<Loaded, ConfigErrors> {
    file::read(&sources(&[("signalbox.toml", text)]), &CHECKS)
}
