//! Files with sections: `[section]` lines above `key=value` lines.
//!
//! Keys without a dot come first; of the others the text before the first dot is the section, as in
//! the unreleased `ini` of envtoconf. There is no escape in this format, so what its readers do not
//! agree about is refused.

use super::{Corruption, shown};
use indexmap::IndexMap;
use std::fmt::Write as _;

/// The text of a file with these entries.
///
/// # Errors
/// Keys and values with characters that mean something to a reader of sections.
pub(super) fn render(entries: &[(&str, &str)]) -> Result<String, Vec<Corruption>> {
    let mut problems = Vec::new();
    let mut top = String::new();
    let mut sections: IndexMap<&str, String> = IndexMap::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        let found = fault(key, value);
        problems.extend(found.map(|(reason, way)| Corruption::of_entry(index, reason, way)));
        let (body, key) = match key.split_once('.') {
            None => (&mut top, *key),
            Some((section, key)) => (sections.entry(section).or_default(), key),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(body, "{key}={value}");
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let named = sections
        .iter()
        .map(|(section, body)| format!("[{section}]\n{body}"));
    let top = (!top.is_empty()).then_some(top);
    Ok(top.into_iter().chain(named).collect::<Vec<_>>().join("\n"))
}

fn fault(key: &str, value: &str) -> Option<(String, String)> {
    let bad = |piece: &str| {
        piece.is_empty()
            || piece.trim() != piece
            // The first of a file is a byte order mark to readers.
            || piece.starts_with(['#', ';', '"', '\'', '`', '\u{feff}'])
            || piece.contains(|c: char| matches!(c, '=' | ':' | '[' | ']') || c.is_control())
    };
    let (section, name) = key.split_once('.').unwrap_or(("-", key));
    // Go's reader numbers keys that are a dash, and a section of that name is the top for all.
    if bad(section) || bad(name) || name == "-" || section == "DEFAULT" {
        return Some((
            format!(
                "`{}` cannot be a section and a key of an ini file",
                shown(key)
            ),
            "use letters, digits, `_`, `-` and dots in the key".to_owned(),
        ));
    }
    let wrong = if value.contains(['\n', '\r']) || value.trim() != value {
        "cut blanks around a value and later lines"
    } else if value.contains(['#', ';']) {
        "take a `#` or `;` in a value for a comment, some of them without a blank before it"
    } else if value.starts_with(['"', '\'', '`']) {
        "take a value that begins with a quote for a quoted one, some of them"
    } else if value.ends_with('\\') {
        "join the next line to a value that ends with a backslash, some of them"
    } else {
        return None;
    };
    Some((
        format!("readers of ini files {wrong}"),
        "write the value without that, or deliver a file of your own with `files`".to_owned(),
    ))
}
