//! Whole files spelled in the `NAME.EXT_key` convention.
//!
//! Owns what concerns the entries of a file together: its format and how the launcher is told, the
//! tree of a YAML file. Single values are in `wire`; the way back is in `reading`.

use super::file_name::FileName;
use super::{AS_FILE, ConfigFile, Dialect, Fault, Variable, wire};
use crate::conffile::{self, Corruption, Format, tree};

/// How a format other than the extension's is told to the launcher.
enum Marker {
    /// Not at all: the extension tells.
    Extension,
    /// By a variable with the name of the file (envtoconf since 1.2.1): fits into a `ConfigMap`.
    Variable(Format),
    /// By `!FORMAT` in the name of each variable.
    Name(Format),
}

/// Whether any spelling of the name exists, whatever the entries.
pub(super) fn carries(dialect: Dialect, file_name: &str) -> bool {
    FileName::parse(dialect, file_name)
        .is_ok_and(|name| !dialect.is_python() || extension_format(dialect, &name).is_some())
}

/// The format of the extension, if the launcher has one for it.
fn extension_format(dialect: Dialect, name: &FileName) -> Option<Format> {
    Format::of_extension(&name.extension).filter(|format| dialect.knows(*format))
}

/// The variables of a file, or all that is wrong with it.
pub(super) fn encode(
    dialect: Dialect,
    file: &ConfigFile<'_>,
) -> Result<Vec<Variable>, Vec<Corruption>> {
    let prepared = FileName::parse(dialect, file.name).and_then(|name| {
        let (format, marker) = format_of(dialect, &name, file)?;
        Ok((name, format, marker))
    });
    let (name, format, marker) =
        prepared.map_err(|(reason, way)| vec![Corruption::of_file(reason, way)])?;
    let prefix = match marker {
        Marker::Name(format) => format!(
            "{}!{}",
            name.in_capitals(),
            format.name().to_ascii_uppercase()
        ),
        Marker::Extension | Marker::Variable(_) => name.in_capitals(),
    };
    let spelled = super::spell_all(file, |key, value| {
        if wire::is_plain(format, key, value) {
            return Ok(([&prefix, "_", key].concat(), value.to_owned()));
        }
        let (key, value) = wire::write(dialect, format, key, value)?;
        Ok((format!("{prefix}_{key}"), value))
    });
    let together = check_together(dialect, format, file);
    let entries = match (spelled, together) {
        (Ok(entries), Ok(())) => entries,
        (spelled, together) => return Err(merge(spelled.err(), together.err())),
    };
    let switch = match marker {
        Marker::Variable(format) if !entries.is_empty() => Some(Variable {
            name: name.in_capitals(),
            value: format.name().to_owned(),
            entry: None,
        }),
        _ => None,
    };
    Ok(switch.into_iter().chain(entries).collect())
}

/// What only shows when all entries are seen: a tree that does not grow, a file that flokkr's own
/// launcher could not render.
fn check_together(
    dialect: Dialect,
    format: Format,
    file: &ConfigFile<'_>,
) -> Result<(), Vec<Corruption>> {
    if dialect == Dialect::Launch {
        conffile::render(format, &file.entries)?;
    } else if format == Format::Yaml {
        tree::grow(&file.entries)?;
    }
    Ok(())
}

/// The problems of both lists in the order of the entries: the first of each entry.
fn merge(one: Option<Vec<Corruption>>, other: Option<Vec<Corruption>>) -> Vec<Corruption> {
    let mut problems: Vec<_> = one.into_iter().chain(other).flatten().collect();
    problems.sort_by_key(|problem| problem.entry);
    problems.dedup_by_key(|problem| problem.entry);
    problems
}

/// The format of the file, and how the launcher learns it.
fn format_of(
    dialect: Dialect,
    name: &FileName,
    file: &ConfigFile<'_>,
) -> Result<(Format, Marker), Fault> {
    let told = Format::of_extension(&name.extension);
    let Some(format) = file.format.or(told) else {
        return Err((
            format!("the extension `{}` stands for no format", name.extension),
            format!(
                "write the format behind the name, such as `{}!properties`",
                file.name
            ),
        ));
    };
    if let Some(fault) = format_fault(dialect, format, file) {
        return Err(fault);
    }
    let marker = match dialect {
        _ if told == Some(format) => Marker::Extension,
        Dialect::Flokkr | Dialect::Launch => Marker::Variable(format),
        _ if extension_format(dialect, name).is_some() => Marker::Name(format),
        _ => {
            let reason = format!(
                "{} looks at the extension first, and does not know `{}`",
                dialect.launcher(),
                name.extension
            );
            return Err((reason, AS_FILE.to_owned()));
        }
    };
    Ok((format, marker))
}

/// Why a launcher would not write this format, or not as it is meant.
fn format_fault(dialect: Dialect, format: Format, file: &ConfigFile<'_>) -> Option<Fault> {
    let (who, name) = (dialect.launcher(), file.name);
    if format == Format::Conf && file.format.is_none() {
        return Some((
            format!("{who} writes `export ` before every line of a `.conf` file"),
            format!(
                "write `{name}!properties` if the product reads keys and values, \
                 or `{name}!conf` if a shell sources the file"
            ),
        ));
    }
    let reason = if !dialect.knows(format) {
        format!("no release of {who} writes {format} files")
    } else if dialect == Dialect::Ozone && format == Format::Yaml {
        format!("{who} always writes an empty YAML file")
    } else {
        return None;
    };
    Some((reason, AS_FILE.to_owned()))
}
