//! An emitted file, before anything is written.

use camino::Utf8PathBuf;

/// A file that a target emits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the target's directory; made of names that were checked, never of `..`.
    pub path: Utf8PathBuf,
    /// Its whole text.
    pub text: String,
}
