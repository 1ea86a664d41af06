//! flokkr as a program, put beside files that need it: into the build context of an image.
//!
//! It is not on the list of what flokkr wrote, since another version of it is another text, and the
//! same blueprint gives the same files.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::Builder;

use super::text::reason;

/// Puts the program of `from`, or this one, at a path; false when it is there already.
///
/// # Errors
/// What is in the way, or what the system refuses.
pub fn place_program(path: &Utf8Path, from: Option<&Utf8Path>) -> Result<bool, String> {
    let from = match from {
        Some(from) => from.to_owned(),
        None => own().map_err(|e| format!("can't tell where flokkr is: {}", reason(&e)))?,
    };
    let program =
        fs::read(&from).map_err(|e| format!("can't read the program {from}: {}", reason(&e)))?;
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.is_file() {
            return Err(format!("{path} is in the way of the launcher; remove it"));
        }
        if fs::read(path).is_ok_and(|bytes| bytes == program) {
            return Ok(false);
        }
    }
    let put = || -> io::Result<()> {
        let parent = path.parent().unwrap_or(Utf8Path::new("."));
        fs::create_dir_all(parent)?;
        let file = Builder::new().prefix(".flokkr-new-").tempfile_in(parent)?;
        fs::write(file.path(), &program)?;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o755))?;
        file.persist(path)?;
        Ok(())
    };
    put().map_err(|e| format!("can't write {path}: {}", reason(&e)))?;
    Ok(true)
}

fn own() -> io::Result<Utf8PathBuf> {
    let path = std::env::current_exe()?;
    Utf8PathBuf::from_path_buf(path).map_err(|_| io::Error::other("its path is not UTF-8"))
}
