//! The operating-system user who speaks: read from the kernel, not from a variable that anybody can set.

use std::os::unix::fs::MetadataExt;

/// The name of the user who runs this process.
#[must_use]
pub(super) fn own_name() -> String {
    std::fs::metadata("/proc/self").map_or_else(|_| "unknown".to_owned(), |own| name_of(own.uid()))
}

/// The name of a user by number; the number itself where no name is known.
#[must_use]
pub(super) fn name_of(uid: u32) -> String {
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    entry.unwrap_or_else(|| format!("uid{uid}"))
}
