//! How the launchers with the `NAME.EXT_key` convention take the name of a variable apart.
//!
//! Owns names only. Each function here follows the code of one launcher, including its slips: a name
//! that a human would not write can still be in an environment.

use super::Dialect;
use crate::conffile::Format;

/// What a launcher makes of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Not configuration.
    Unrelated,
    /// The launcher ends with an error at this variable.
    Fails(String),
    /// Part of a file, if the extension or a format says how to write it.
    Part(Part),
}

/// The pieces of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The file name before its dot, in lower case.
    pub base: String,
    /// The extension, in lower case.
    pub extension: String,
    /// The text behind `!`, in lower case.
    pub format: Option<String>,
    /// The config key, which may be empty.
    pub key: String,
}

impl Part {
    /// The name of the file.
    pub fn file(&self) -> String {
        // envtoconf joins the directory and a name that begins with a slash.
        format!("{}.{}", self.base.trim_start_matches('/'), self.extension)
    }

    /// The word that says how the file is written: the one behind `!`, else the extension.
    pub fn format_word(&self) -> &str {
        self.format.as_deref().unwrap_or(&self.extension)
    }
}

/// Reads a name as the launcher of this dialect does.
pub(super) fn read(dialect: Dialect, name: &str) -> Reading {
    match dialect {
        Dialect::Flokkr => read_as_go(name),
        Dialect::Apache | Dialect::Ozone => read_as_python(name),
        Dialect::Launch => read_strictly(name).map_or(Reading::Unrelated, Reading::Part),
        Dialect::Bde | Dialect::Kafka | Dialect::None => Reading::Unrelated,
    }
}

/// The file that a variable of this name would get into, whatever its value.
pub(super) fn file_of(dialect: Dialect, name: &str) -> Option<String> {
    let Reading::Part(part) = read(dialect, name) else {
        return None;
    };
    let known = |word: &str| Format::parse(word).is_some_and(|format| dialect.knows(format));
    let written = if dialect.is_python() {
        known(&part.extension)
    } else {
        known(part.format_word()) && !part.key.is_empty()
    };
    written.then(|| part.file())
}

/// envtoconf 1.2.2: empty pieces are dropped, but counted when the key is cut off.
fn read_as_go(name: &str) -> Reading {
    let mut pieces = name.split(['.', '_']).filter(|piece| !piece.is_empty());
    let (Some(base), Some(second)) = (pieces.next(), pieces.next()) else {
        return Reading::Unrelated;
    };
    let panics = || {
        Reading::Fails(
            "envtoconf 1.2.2 panics at this name, and the container does not start".to_owned(),
        )
    };
    let (extension, format, skipped) = if second.contains('!') {
        let mut words = second.split('!').filter(|word| !word.is_empty());
        let (Some(extension), Some(format)) = (words.next(), words.next()) else {
            return panics();
        };
        (
            extension,
            Some(format),
            base.len() + extension.len() + format.len() + 3,
        )
    } else {
        (second, None, base.len() + second.len() + 2)
    };
    // Without a format the key is cut off only if there is one.
    let key = match name.get(skipped..) {
        None if format.is_some() => return panics(),
        key => key.unwrap_or_default(),
    };
    Reading::Part(Part {
        base: base.to_lowercase(),
        extension: extension.to_lowercase(),
        format: format.map(str::to_lowercase),
        key: key.trim().to_owned(),
    })
}

/// envtoconf.py of apache/hadoop and apache/ozone: empty pieces count.
fn read_as_python(name: &str) -> Reading {
    // The one exclusion that both programs have.
    if name == "HADOOP_CONF_DIR" {
        return Reading::Unrelated;
    }
    let mut pieces = name.split(['.', '_']);
    let (Some(base), Some(second)) = (pieces.next(), pieces.next()) else {
        return Reading::Unrelated;
    };
    let (base, second) = (base.to_lowercase(), second.to_lowercase());
    let mut words = second.split('!');
    let extension = words.next().unwrap_or_default();
    let format = words.next();
    if !Format::parse(extension).is_some_and(|format| Dialect::Apache.knows(format)) {
        return Reading::Unrelated;
    }
    if base.contains('/') {
        return Reading::Fails(
            "envtoconf.py makes no directory for a name with a slash, and the container \
                does not start"
                .to_owned(),
        );
    }
    let length = |text: &str| text.chars().count();
    let skipped = length(&base) + length(extension) + format.map_or(2, |format| length(format) + 3);
    let key: String = name.chars().skip(skipped).collect();
    Reading::Part(Part {
        extension: extension.to_owned(),
        format: format.map(str::to_owned),
        key: key.trim_matches(is_python_blank).to_owned(),
        base,
    })
}

/// flokkr's own launcher: the dot of the file name must be a dot, so that no ordinary variable
/// (`HADOOP_CONF_DIR`, `KAFKA_CFG_X`, a service link) is configuration by accident.
fn read_strictly(name: &str) -> Option<Part> {
    let (base, rest) = name.split_once('.')?;
    let end = rest.find(['.', '_', '!']);
    let (extension, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    let (format, key) = match rest.strip_prefix('!') {
        Some(rest) => {
            let (format, key) = rest.split_once(['.', '_'])?;
            (Some(format.to_ascii_lowercase()), key)
        }
        None => (None, rest.get(1..).unwrap_or_default()),
    };
    let fits = |piece: &str| {
        !piece.is_empty() && piece.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    (fits(base) && fits(extension)).then(|| Part {
        base: base.to_ascii_lowercase(),
        extension: extension.to_ascii_lowercase(),
        format,
        key: key.to_owned(),
    })
}

/// What Python's `strip()` cuts.
pub(super) fn is_python_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}
