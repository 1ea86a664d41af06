//! The big-data-europe images: `CORE_CONF_fs_defaultFS` puts `fs.defaultFS` into `core-site.xml`.
//!
//! Their entrypoint (big-data-europe/docker-hadoop, `entrypoint.sh`) writes each property with
//! `echo` and `sed` and escapes nothing; the traps of both are refused here. It adds to the file of
//! the image instead of replacing it.

use super::{AS_FILE, ConfigFile, Decoded, DecodedFile, Dialect, Fault, Format, Variable, wire};
use crate::conffile::{Corruption, shown, xml};
use indexmap::IndexMap;

/// The beginnings of the variables, and their files.
const FILES: [(&str, &str); 6] = [
    ("CORE_CONF_", "core-site.xml"),
    ("HDFS_CONF_", "hdfs-site.xml"),
    ("YARN_CONF_", "yarn-site.xml"),
    ("HTTPFS_CONF_", "httpfs-site.xml"),
    ("KMS_CONF_", "kms-site.xml"),
    ("MAPRED_CONF_", "mapred-site.xml"),
];

/// The beginning of the variables of a file, if it is one of the six.
pub(super) fn prefix_of(file_name: &str) -> Option<&'static str> {
    FILES
        .iter()
        .find(|(_, file)| *file == file_name)
        .map(|(prefix, _)| *prefix)
}

/// The file of a variable.
pub(super) fn file_of(variable: &str) -> Option<&'static str> {
    split(variable).map(|(file, _)| file)
}

fn split(variable: &str) -> Option<(&'static str, &str)> {
    FILES.iter().find_map(|(prefix, file)| {
        let rest = variable.strip_prefix(prefix)?;
        (!rest.is_empty()).then_some((*file, rest))
    })
}

pub(super) fn encode(file: &ConfigFile<'_>) -> Result<Vec<Variable>, Vec<Corruption>> {
    let refuse = |reason: &str| vec![Corruption::of_file(reason, AS_FILE)];
    let prefix = prefix_of(file.name).ok_or_else(|| {
        let names = FILES.map(|(_, file)| format!("`{file}`")).join(", ");
        refuse(&format!(
            "the big-data-europe entrypoint writes only {names}"
        ))
    })?;
    if file.format.is_some_and(|format| format != Format::Xml) {
        return Err(refuse("the big-data-europe entrypoint writes only XML"));
    }
    super::spell_all(file, |key, value| {
        key_fault(key).or_else(|| value_fault(value)).map_or_else(
            || Ok((format!("{prefix}{}", encode_key(key)), value.to_owned())),
            Err,
        )
    })
}

fn encode_key(key: &str) -> String {
    key.chars()
        .map(|c| match c {
            '-' => "___".to_owned(),
            '_' => "__".to_owned(),
            '.' => "_".to_owned(),
            _ => c.to_string(),
        })
        .collect()
}

/// In the order of the entrypoint: three underscores first, then two, then one.
fn decode_key(name: &str) -> String {
    name.replace("___", "-")
        .replace("__", "@")
        .replace('_', ".")
        .replace('@', "_")
}

fn key_fault(key: &str) -> Option<Fault> {
    if let Some(c) = key
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
    {
        return Some((
            format!(
                "the big-data-europe entrypoint asks bash for the variable, whose name \
                    cannot hold `{}`",
                shown(&c.to_string())
            ),
            AS_FILE.to_owned(),
        ));
    }
    let read = decode_key(&encode_key(key));
    (read != key).then(|| {
        (
            format!(
                "the big-data-europe entrypoint would read the key as `{read}`: `.`, \
                `-` and `_` beside each other cannot be told apart"
            ),
            AS_FILE.to_owned(),
        )
    })
}

fn value_fault(value: &str) -> Option<Fault> {
    let outside = xml::value_fault(value).or_else(|| wire::empty_fault(Dialect::Bde, value));
    if outside.is_some() {
        return outside;
    }
    let wrong = trap(value).or_else(|| {
        let breaks = value.contains('<') || value.contains("]]>");
        breaks.then_some("does not escape XML, and the `&` of an escape is lost in its sed")
    })?;
    Some((
        format!("the big-data-europe entrypoint {wrong}"),
        AS_FILE.to_owned(),
    ))
}

/// What `echo` without quotes and the replacement of a `sed` command do to a value.
fn trap(value: &str) -> Option<&'static str> {
    let middle = value.split(' ').skip(1);
    if value.contains('&') {
        Some("puts the text that its sed matched in place of `&`")
    } else if value.contains('\\') {
        Some("takes a backslash for an escape of its sed")
    } else if value.contains(['\n', '\t', '\r']) {
        Some("turns tabs and line ends into blanks")
    } else if value.contains("  ") {
        Some("turns several blanks into one")
    } else if middle
        .into_iter()
        .any(|word| word.contains(['*', '?', '[']))
    {
        Some("lets bash replace a word with `*`, `?` or `[` by the names of files")
    } else {
        None
    }
}

pub(super) fn decode(env: &[(&str, &str)]) -> Decoded {
    let mut decoded = Decoded::default();
    for (variable, value) in env {
        let Some((file, name)) = split(variable) else {
            decoded.unrelated.push((*variable).to_owned());
            continue;
        };
        if name
            .chars()
            .any(|c| !(c.is_ascii_alphanumeric() || c == '_'))
        {
            decoded.ignore(
                variable,
                "bash has no variable of this name, and the entrypoint loses it",
            );
            continue;
        }
        if let Some((reason, _)) = value_fault(value) {
            decoded.ignore(variable, reason);
        }
        if value.is_empty() {
            continue;
        }
        let file = decoded.files.entry(file.to_owned());
        let file = file.or_insert_with(|| DecodedFile {
            format: Format::Xml,
            entries: IndexMap::new(),
        });
        file.entries.insert(decode_key(name), squeeze(value));
    }
    decoded
}

/// What the unquoted `echo` leaves of blanks.
fn squeeze(value: &str) -> String {
    let mut squeezed = String::with_capacity(value.len());
    for c in value.chars() {
        let blank = matches!(c, ' ' | '\t' | '\n');
        if !blank {
            squeezed.push(c);
        } else if !squeezed.ends_with(' ') {
            squeezed.push(' ');
        }
    }
    squeezed
}
