//! flokkr as a program, put beside files that need it: into the build context of an image.
//!
//! The list of what flokkr wrote has it apart from files: another version of it is another text, and the
//! same blueprint gives the same files.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::ownership::Ownership;
use super::text::reason;

/// Where a program must be below a directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Programs<'a> {
    /// The paths.
    pub paths: &'a [Utf8PathBuf],
    /// The program, instead of this one.
    pub from: Option<&'a Utf8Path>,
}

impl Programs<'_> {
    /// The program's bytes; none where nobody needs it.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, String> {
        if self.paths.is_empty() {
            return Ok(Vec::new());
        }
        let from = match self.from {
            Some(from) => from.to_owned(),
            None => own().map_err(|e| format!("can't tell where flokkr is: {}", reason(&e)))?,
        };
        fs::read(&from).map_err(|e| format!("can't read the program {from}: {}", reason(&e)))
    }
}

/// Whether a program is at a path already; what is there and is not flokkr's is in the way.
pub(super) fn is_placed(
    directory: &Utf8Path,
    path: &Utf8Path,
    program: &[u8],
    ownership: &Ownership,
) -> Result<bool, String> {
    let full = directory.join(path);
    let Ok(there) = fs::symlink_metadata(&full) else {
        return Ok(false);
    };
    if !there.is_file() {
        return Err(format!("{full} is in the way of the launcher; remove it"));
    }
    let there = fs::read(&full).map_err(|e| format!("can't read {full}: {}", reason(&e)))?;
    if there == program {
        return Ok(true);
    }
    match ownership.placed(path, &there) {
        Some(true) => Ok(false),
        Some(false) => Err(format!(
            "{full} was changed since flokkr put it there; move it away to have the launcher there"
        )),
        None => Err(format!(
            "{full} was not written by flokkr; move it away to have the launcher there"
        )),
    }
}

fn own() -> io::Result<Utf8PathBuf> {
    let path = std::env::current_exe()?;
    Utf8PathBuf::from_path_buf(path).map_err(|_| io::Error::other("its path is not UTF-8"))
}
