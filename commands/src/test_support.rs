//! What the tests of this crate share.

/// The names of the source files of a folder of this crate, sorted, without `mod` and those in `except`.
pub(crate) fn files_of(folder: &str, except: &[&str]) -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut names: Vec<String> = std::fs::read_dir(root)
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "mod" && !except.contains(&name.as_str()))
        .collect();
    names.sort();
    // A file and the folder of its parts.
    names.dedup();
    names
}
