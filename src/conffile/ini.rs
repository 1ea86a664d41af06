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
            || piece.starts_with(['#', ';'])
            || piece.contains(|c: char| matches!(c, '=' | ':' | '[' | ']') || c.is_control())
    };
    let (section, name) = key.split_once('.').unwrap_or(("-", key));
    if bad(section) || bad(name) {
        return Some((
            format!(
                "`{}` cannot be a section and a key of an ini file",
                shown(key)
            ),
            "use letters, digits, `_`, `-` and dots in the key".to_owned(),
        ));
    }
    let cut = value.contains(['\n', '\r']) || value.trim() != value;
    let comment = value.contains(" #") || value.contains(" ;") || value.starts_with(['#', ';']);
    (cut || comment).then(|| {
        (
            "readers of ini files cut blanks around a value, later lines and what looks \
                like a comment"
                .to_owned(),
            "write the value on one line without outer blanks, and no `#` or `;` after a \
                blank"
                .to_owned(),
        )
    })
}
