//! What differs between what a blueprint gives and what is there.
//!
//! [`compare`] makes a [`Report`] of two sets of files and decides; [`render`] only shows it.
//! Knows no target and reads no file.

mod render;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize as _;

use crate::file::File;

pub use render::text;

/// A file that is there.
#[derive(Debug, Clone)]
pub struct Found {
    /// Relative to what is compared.
    pub path: Utf8PathBuf,
    /// Its text; none when it is only known that flokkr wrote it once.
    pub text: Option<String>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The file is there with another text.
    Changed {
        /// Which file.
        path: Utf8PathBuf,
        /// What is there.
        old: String,
        /// What the blueprint gives.
        new: String,
        /// Both texts are the same YAML: only the spelling differs.
        same_data: bool,
    },
    /// The blueprint gives the file, but it is not there.
    Missing(Utf8PathBuf),
    /// flokkr wrote the file, and the blueprint no longer gives it.
    Stale(Utf8PathBuf),
}

/// All differences, in the order of the blueprint's files, stale ones last.
#[derive(Debug, Default)]
pub struct Report {
    /// What differs.
    pub changes: Vec<Change>,
}

impl Report {
    /// Nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Compares what a blueprint gives with what is there. Line ends are compared as `\n`: a checkout
/// may have changed them.
pub fn compare(wanted: &[File], there: &[Found]) -> Report {
    let find = |path: &Utf8Path| there.iter().find(|f| f.path == path);
    let mut changes: Vec<Change> = wanted
        .iter()
        .filter_map(
            |file| match find(&file.path).and_then(|f| f.text.as_ref()) {
                None => Some(Change::Missing(file.path.clone())),
                Some(old) => {
                    let old = old.replace("\r\n", "\n");
                    (old != file.text).then(|| Change::Changed {
                        path: file.path.clone(),
                        same_data: same_data(&old, &file.text),
                        old,
                        new: file.text.clone(),
                    })
                }
            },
        )
        .collect();
    let stale = there
        .iter()
        .filter(|f| !wanted.iter().any(|w| w.path == f.path));
    changes.extend(stale.map(|f| Change::Stale(f.path.clone())));
    Report { changes }
}

fn same_data(old: &str, new: &str) -> bool {
    match (documents(old), documents(new)) {
        (Some(old), Some(new)) => old == new,
        _ => false,
    }
}

/// The documents of a YAML stream.
fn documents(text: &str) -> Option<Vec<serde_yaml::Value>> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents
        .map(|document| serde_yaml::Value::deserialize(document).ok())
        .collect()
}
