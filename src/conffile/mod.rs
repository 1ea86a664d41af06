//! Renders configuration files, and reads some of them back.
//!
//! This module owns the bytes of each format as the product that reads the file expects them: what
//! is escaped, what cannot be written at all. It knows nothing of blueprints, of launchers or of
//! environment variables; `env` builds on it.
//!
//! A NUL in a value is an ordinary character that is never escaped: values may hold opaque
//! NUL-delimited tokens that stand for secrets, and these must come out as they went in.

mod format;
mod ini;
pub(crate) mod lines;
mod merge;
pub(crate) mod properties;
pub(crate) mod shell;
pub(crate) mod tree;
pub(crate) mod xml;
pub(crate) mod yaml;

pub use format::Format;
pub use merge::merge;

use indexmap::IndexMap;
use std::collections::HashSet;

/// A reason why an entry, or a whole file, would not reach the product as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corruption {
    /// The position of the entry in its file; none when the file as a whole is meant.
    pub entry: Option<usize>,
    /// What would go wrong, and who would do it.
    pub reason: String,
    /// The way round, in words for the author of the blueprint.
    pub instead: String,
}

impl Corruption {
    /// A corruption of one entry.
    pub(crate) fn of_entry(
        entry: usize,
        reason: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self {
            entry: Some(entry),
            reason: reason.into(),
            instead: instead.into(),
        }
    }

    /// A corruption of the whole file.
    pub(crate) fn of_file(reason: impl Into<String>, instead: impl Into<String>) -> Self {
        Self {
            entry: None,
            reason: reason.into(),
            instead: instead.into(),
        }
    }
}

/// The text of a file with these entries, in their order.
///
/// # Errors
/// Every entry that the format has no spelling for, all at once.
pub fn render(format: Format, entries: &[(&str, &str)]) -> Result<String, Vec<Corruption>> {
    let problems = check_keys(entries);
    if !problems.is_empty() {
        return Err(problems);
    }
    match format {
        Format::Xml => xml::render(entries),
        Format::Properties | Format::Cfg => Ok(properties::render(entries)),
        Format::Env => lines::render(entries),
        Format::Sh | Format::Conf => shell::render(entries),
        Format::Yaml => yaml::render(entries),
        Format::Ini => ini::render(entries),
    }
}

/// The entries that a product finds in this text; of two entries with one key the later counts.
///
/// # Errors
/// What is wrong with the text, in one sentence; always for the formats that are only written
/// (`sh`, `conf`, `yaml`, `ini`).
pub fn parse(format: Format, text: &str) -> Result<IndexMap<String, String>, String> {
    match format {
        Format::Xml => xml::parse(text),
        Format::Properties | Format::Cfg => properties::parse(text),
        Format::Env => lines::parse(text),
        Format::Sh | Format::Conf | Format::Yaml | Format::Ini => Err(format!(
            "flokkr writes {format} files but does not read them"
        )),
    }
}

/// The two faults that no format forgives: a key that is empty, a key that comes twice.
pub(crate) fn check_keys(entries: &[(&str, &str)]) -> Vec<Corruption> {
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    for (index, (key, _)) in entries.iter().enumerate() {
        if key.is_empty() {
            problems.push(Corruption::of_entry(
                index,
                "an entry without a key cannot be read back",
                "give the entry a key, or drop it",
            ));
        } else if !seen.insert(*key) {
            problems.push(Corruption::of_entry(
                index,
                format!(
                    "the key `{}` is there twice, and a file can hold it once",
                    shown(key)
                ),
                "keep one of the two",
            ));
        }
    }
    problems
}

/// A key or value as it may stand in a message: control characters are escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
