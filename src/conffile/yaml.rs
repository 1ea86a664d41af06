//! YAML files whose tree is spelled by dotted keys.
//!
//! Canonical numbers, `true` and `false` are written plain, so that the product reads a number or a
//! boolean; all else is a double-quoted text, because readers of YAML 1.1 and 1.2 disagree about
//! what `yes`, `1_000` or `12:30` are.

use super::Corruption;
use super::tree::{self, Tree};
use std::fmt::Write as _;

/// Characters that a key has at most before the colon alone (YAML 1.2, 7.4.3): readers look no further,
/// quotes and escapes included.
pub(crate) const LONGEST_KEY: usize = 1024;

/// The text of a file with these entries.
///
/// # Errors
/// Keys that do not form one tree.
pub(super) fn render(entries: &[(&str, &str)]) -> Result<String, Vec<Corruption>> {
    let tree = tree::grow(entries)?;
    let lines = match &tree {
        Tree::Map(children) if children.is_empty() => vec!["{}".to_owned()],
        _ => block(&tree),
    };
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// The lines of a node, without the indentation of what is around it.
fn block(tree: &Tree<'_>) -> Vec<String> {
    match tree {
        Tree::Scalar(value) => vec![scalar(value)],
        Tree::Map(children) => children
            .iter()
            .flat_map(|(key, child)| pair(key, child))
            .collect(),
        Tree::List(elements) => elements.iter().flat_map(element).collect(),
    }
}

fn pair(key: &str, child: &Tree<'_>) -> Vec<String> {
    let key = if is_plain_key(key) {
        key.to_owned()
    } else {
        quote(key)
    };
    let (mut lines, key) = if key.chars().count() > LONGEST_KEY {
        (vec![format!("? {key}")], String::new())
    } else {
        (Vec::new(), key)
    };
    if let Tree::Scalar(value) = child {
        lines.push(format!("{key}: {}", scalar(value)));
    } else {
        lines.push(format!("{key}:"));
        lines.extend(block(child).into_iter().map(|line| format!("  {line}")));
    }
    lines
}

fn element(child: &Tree<'_>) -> Vec<String> {
    let lines = block(child).into_iter().enumerate();
    lines
        .map(|(index, line)| {
            if index == 0 {
                format!("- {line}")
            } else {
                format!("  {line}")
            }
        })
        .collect()
}

fn scalar(value: &str) -> String {
    if is_typed(value) {
        value.to_owned()
    } else {
        quote(value)
    }
}

/// Whether a value is a boolean or a number in the one spelling that every reader gives back.
pub(crate) fn is_typed(value: &str) -> bool {
    if matches!(value, "true" | "false") {
        return true;
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let few = digits.len() <= 16 && digits.starts_with(|c: char| c.is_ascii_digit());
    if value.contains('.') {
        few && value
            .parse::<f64>()
            .is_ok_and(|number| number.to_string() == value)
    } else {
        digits.len() <= 18
            && value
                .parse::<i64>()
                .is_ok_and(|number| number.to_string() == value)
    }
}

/// Whether a key is the same text to every reader without quotes.
pub(crate) fn is_plain_key(key: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && !WORDS.contains(&key.to_ascii_lowercase().as_str())
}

/// The text between double quotes; the NUL of a secret's token passes.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\0' => quoted.push(c),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                push_code(&mut quoted, c);
            }
            _ if c.is_control() => push_code(&mut quoted, c),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn push_code(quoted: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = write!(quoted, "\\u{:04X}", u32::from(c));
}
