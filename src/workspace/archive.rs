//! What an image is built from, an archive or a directory of the user's, put into its build context.
//!
//! Like the launcher's program it is not on the list of what flokkr wrote.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use camino::Utf8Path;

use super::text::reason;

/// Copies a file, or a directory with all that is in it, in place of what is there.
///
/// # Errors
/// What the system refuses.
pub fn place_archive(from: &Utf8Path, to: &Utf8Path) -> Result<(), String> {
    let put = || -> io::Result<()> {
        match fs::symlink_metadata(to) {
            Ok(there) if there.is_dir() => fs::remove_dir_all(to)?,
            Ok(_) => fs::remove_file(to)?,
            Err(_) => {}
        }
        fs::create_dir_all(to.parent().unwrap_or(Utf8Path::new(".")))?;
        copy(&from.canonicalize()?, to.as_std_path())
    };
    put().map_err(|e| format!("can't copy {from} to {to}: {}", reason(&e)))
}

/// Links in a directory stay links.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?.file_type();
    if kind.is_symlink() {
        return symlink(fs::read_link(from)?, to);
    }
    if !kind.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
