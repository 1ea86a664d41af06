//! `KEY=value` lines without quoting: the format `env`.
//!
//! The reader that is meant is `docker run --env-file`, which takes a value as it stands up to the
//! end of its line. A shell that sources such a file would split and expand it; that is `sh`.

use super::{Corruption, shown};
use indexmap::IndexMap;
use std::fmt::Write as _;

/// The text of a file with these entries.
///
/// # Errors
/// Keys with blanks or `=`, keys that read as a comment, values of more than one line.
pub(super) fn render(entries: &[(&str, &str)]) -> Result<String, Vec<Corruption>> {
    let mut text = String::new();
    let mut problems = Vec::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        let found = fault(key, value);
        problems.extend(found.map(|(reason, way)| Corruption::of_entry(index, reason, way)));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key}={value}");
    }
    if problems.is_empty() {
        Ok(text)
    } else {
        Err(problems)
    }
}

/// Why an entry cannot be a line of its own, and the way round.
pub(crate) fn fault(key: &str, value: &str) -> Option<(String, String)> {
    let bad_key = key.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control());
    if bad_key || key.starts_with('#') {
        return Some((
            format!(
                "`{}` is no key of an env file: no blank, `=` or leading `#` can be in one",
                shown(key)
            ),
            "rename the key".to_owned(),
        ));
    }
    if key.starts_with('\u{feff}') {
        return Some((
            "docker takes the U+FEFF at the beginning of an env file for a mark, and cuts it"
                .to_owned(),
            "rename the key".to_owned(),
        ));
    }
    if value.contains(['\n', '\r']) {
        return Some((
            "an env file has one line per entry and no escape for a line end".to_owned(),
            "write the value on one line".to_owned(),
        ));
    }
    let length = key.len() + 1 + value.len();
    (length > LONGEST).then(|| {
        (
            format!("docker reads no line of {length} bytes in an env file: {LONGEST} at most"),
            "shorten the value".to_owned(),
        )
    })
}

/// So long may a line be: docker's scanner has room for it and its line end.
const LONGEST: usize = 64 * 1024 - 1;

/// The entries of an env file; comments and empty lines are passed over.
///
/// # Errors
/// A line without `=`, which would mean a variable of whoever reads the file.
pub(crate) fn parse(text: &str) -> Result<IndexMap<String, String>, String> {
    let mut entries = IndexMap::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("the line `{}` has no `=`", shown(line)))?;
        entries.insert(key.to_owned(), value.to_owned());
    }
    Ok(entries)
}
