//! `export KEY='value'` lines for a shell that sources the file: the formats `sh` and `conf`.
//!
//! Values are literal text: they are quoted so that the shell expands nothing in them.

use super::{Corruption, shown};
use std::fmt::Write as _;

/// The text of a file with these entries.
///
/// # Errors
/// Keys that are no name of a shell variable.
pub(super) fn render(entries: &[(&str, &str)]) -> Result<String, Vec<Corruption>> {
    let mut text = String::new();
    let mut problems = Vec::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        let found = key_fault(key);
        problems.extend(found.map(|(reason, way)| Corruption::of_entry(index, reason, way)));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "export {key}={}", quote(value));
    }
    if problems.is_empty() {
        Ok(text)
    } else {
        Err(problems)
    }
}

/// Names that bash keeps for itself: an assignment fails, or is overwritten at once.
const RESERVED: [&str; 7] = [
    "_",
    "UID",
    "EUID",
    "PPID",
    "SHELLOPTS",
    "BASHOPTS",
    "BASH_VERSINFO",
];

/// Why a key cannot be exported, and the way round.
pub(crate) fn key_fault(key: &str) -> Option<(String, String)> {
    let mut chars = key.chars();
    let named = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    let reason = if !named {
        "is no name of a shell variable, and the shell that sources the file would stop at it"
    } else if RESERVED.contains(&key) {
        "is a variable that the shell keeps for itself"
    } else {
        return None;
    };
    Some((
        format!("`{}` {reason}", shown(key)),
        "use letters, digits and `_` in the key, or give the file another format, such as \
            `NAME!properties`"
            .to_owned(),
    ))
}

/// The value as one single-quoted word.
fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', "'\\''"))
}

/// What a shell makes of a value that is quoted as a whole and expands to itself; others unchanged.
pub(crate) fn unquote(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = within('\'').filter(|inner| !inner.contains('\'')) {
        return inner;
    }
    within('"')
        .filter(|inner| !inner.contains(['"', '$', '`', '\\']))
        .unwrap_or(value)
}

/// Whether an unquoted value is one word of a shell, in which nothing is expanded.
pub(crate) fn is_plain(value: &str) -> bool {
    value.chars().all(|c| {
        c.is_alphanumeric()
            || matches!(
                c,
                '_' | '.' | '/' | ':' | '=' | ',' | '@' | '%' | '+' | '-' | '\0'
            )
    })
}
