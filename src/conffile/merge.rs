//! Lays entries over those of a file that is there: an image's default file.
//!
//! What the file has besides stays as it was written: other entries, and in XML their `final` and
//! descriptions. An entry of the same key is taken out, and the new ones come last, which is the order
//! in which readers let the later one win.

use indexmap::IndexMap;

use super::{Corruption, Format, render, shown, xml};

/// The text of a file with these entries over its own.
///
/// # Errors
/// A text that can't be read, a format that is only written (`yaml`, `ini`), and every entry that the
/// format has no spelling for.
pub fn merge(
    format: Format,
    base: &str,
    entries: &[(&str, &str)],
) -> Result<String, Vec<Corruption>> {
    let added = render(format, entries)?;
    let unreadable = |reason: String| {
        let reason = format!("the file that is there can't be merged with: {reason}");
        vec![Corruption::of_file(reason, "let it be replaced")]
    };
    match format {
        Format::Xml => {
            let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
            let kept = xml::without(base, &keys).map_err(unreadable)?;
            let blocks = xml::blocks(&added);
            Ok(format!("{}{blocks}</configuration>\n", kept.trim_end()))
        }
        Format::Properties | Format::Cfg | Format::Env => {
            let there = super::parse(format, base).map_err(unreadable)?;
            let new: IndexMap<&str, &str> = entries.iter().copied().collect();
            let mut all: Vec<(&str, &str)> = there
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .filter(|(key, _)| !new.contains_key(key))
                .collect();
            all.extend(entries);
            render(format, &all)
        }
        // Whoever sources it takes the later assignment.
        Format::Sh | Format::Conf => {
            let mut text = base.to_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            // A line that goes on would take in the next one.
            if text.ends_with("\\\n") {
                text.push('\n');
            }
            Ok(text + &added)
        }
        Format::Yaml | Format::Ini => Err(unreadable(format!(
            "flokkr writes {} files but does not read them",
            shown(format.name())
        ))),
    }
}
