//! The name of a file that `NAME.EXT_key` can spell.
//!
//! Owns the check of names; whether the extension tells a format is for `convention` to say.

use super::{AS_FILE, Dialect, Fault};
use crate::conffile::shown;

/// A name that survives being cut out of the name of a variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileName {
    /// The part before the dot.
    pub base: String,
    /// The part behind the dot.
    pub extension: String,
}

impl FileName {
    /// Takes a file name apart.
    ///
    /// # Errors
    /// Names that the launcher would cut elsewhere, lower-case, or put outside its directory
    /// (envtoconf 1.2.2 and envtoconf.py cut at every `.` and `_`).
    pub fn parse(dialect: Dialect, name: &str) -> Result<Self, Fault> {
        let found = fault(dialect.launcher(), name);
        let Some((base, extension)) = name.split_once('.').filter(|_| found.is_none()) else {
            return Err((found.unwrap_or_default(), way_round(name)));
        };
        Ok(Self {
            base: base.to_owned(),
            extension: extension.to_owned(),
        })
    }

    /// The beginning of the names of this file's variables, without the separator.
    pub fn in_capitals(&self) -> String {
        format!("{}.{}", self.base, self.extension).to_ascii_uppercase()
    }
}

/// What is wrong with a name, for the launcher `who`.
fn fault(who: &str, name: &str) -> Option<String> {
    let shown_name = shown(name);
    if name.contains('/') {
        return Some(format!(
            "{who} writes into one directory only, so `{shown_name}` cannot have a path"
        ));
    }
    let Some((base, extension)) = name.split_once('.') else {
        return Some(format!(
            "{who} needs an extension, and `{shown_name}` has none"
        ));
    };
    if base.is_empty() || extension.is_empty() {
        return Some(format!(
            "`{shown_name}` has nothing before or behind its dot"
        ));
    }
    if base.contains('_') || extension.contains(['.', '_']) {
        return Some(format!(
            "{who} cuts the name of a variable at each `.` and `_`, so `{shown_name}` would \
                be taken for another file"
        ));
    }
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        let lower = name.to_ascii_lowercase();
        return Some(format!("{who} writes file names in lower case: `{lower}`"));
    }
    let c = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')))?;
    Some(format!(
        "`{}` cannot be carried in the name of a variable: letters, digits and dashes can",
        shown(&c.to_string())
    ))
}

/// A path cannot become a plain name, but any other name can be changed.
fn way_round(name: &str) -> String {
    if name.contains('/') {
        AS_FILE.to_owned()
    } else {
        format!("rename the file if the product allows it, or {AS_FILE}")
    }
}
