//! The text of a file or of standard input, and what the system says when there is none.

use std::fs;
use std::io::Read as _;

use camino::Utf8Path;

/// Larger files are no blueprints.
const MAX_BYTES: u64 = 256 << 20;

/// The text of a file; `-` is standard input.
///
/// # Errors
/// That it can't be read, is too large, or is not UTF-8.
pub fn text(path: &Utf8Path) -> Result<String, String> {
    if path == "-" {
        return stdin();
    }
    let open = |e: std::io::Error| format!("can't read {path}: {}", reason(&e));
    let mut file = fs::File::open(path).map_err(open)?;
    decode(&mut file, path.as_str())
}

pub(super) fn stdin() -> Result<String, String> {
    decode(&mut std::io::stdin().lock(), "standard input")
}

fn decode(reader: &mut dyn std::io::Read, name: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("can't read {name}: {}", reason(&e)))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{name} is larger than 256 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = 1 + e
            .as_bytes()
            .iter()
            .take(at)
            .filter(|b| **b == b'\n')
            .count();
        format!("{name} is not UTF-8 (line {line})")
    })?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text))
}

/// What the system says, without its number.
pub(super) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}
