//! Whole environments in the `NAME.EXT_key` convention, read as the launchers read them.
//!
//! Owns what concerns variables together: the format that a launcher settles on for a file, the
//! order in which it meets the variables, the tree of a YAML file. Single names are in `grammar`,
//! single values in `wire`.

use super::grammar::{self, Part, Reading};
use super::{Decoded, DecodedFile, Dialect, wire};
use crate::conffile::tree::{self, is_index};
use crate::conffile::{Format, shown};
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};

/// A variable that is part of a file.
struct Seen<'a> {
    part: Part,
    variable: &'a str,
    value: &'a str,
}

/// An entry that was read, and the variable that it came from.
struct Origin {
    value: String,
    variable: String,
}

/// The format and the entries of each file.
type Files = IndexMap<String, (Format, IndexMap<String, Origin>)>;

/// The files that these variables make.
pub(super) fn decode(dialect: Dialect, env: &[(&str, &str)]) -> Decoded {
    let mut decoded = Decoded::default();
    let seen = sort_out(dialect, env, &mut decoded);
    let mut files = Files::new();
    let found = if dialect.is_python() {
        formats_of_last(dialect, seen, &mut decoded)
    } else {
        formats(dialect, env, seen, &mut decoded)
    };
    for (one, format) in found {
        take(dialect, format, &one, &mut files, &mut decoded);
    }
    for (format, entries) in files.values_mut() {
        match dialect {
            _ if *format != Format::Yaml => {}
            Dialect::Flokkr => prune(entries, &mut decoded),
            Dialect::Apache => {
                number_lists(entries, &mut decoded);
                prune(entries, &mut decoded);
            }
            _ => {}
        }
    }
    let unrelated: HashSet<String> = decoded.unrelated.drain(..).collect();
    let names = env.iter().map(|(name, _)| (*name).to_owned());
    decoded.unrelated = names.filter(|name| unrelated.contains(name)).collect();
    decoded.files = files
        .into_iter()
        .filter(|(_, (_, entries))| !entries.is_empty())
        .map(|(name, (format, entries))| {
            let entries = entries
                .into_iter()
                .map(|(key, origin)| (key, origin.value))
                .collect();
            (name, DecodedFile { format, entries })
        })
        .collect();
    decoded
}

/// The variables that are part of a file by their name.
fn sort_out<'a>(
    dialect: Dialect,
    env: &[(&'a str, &'a str)],
    decoded: &mut Decoded,
) -> Vec<Seen<'a>> {
    let mut seen = Vec::new();
    for (variable, value) in env {
        match grammar::read(dialect, variable) {
            Reading::Unrelated => decoded.unrelated.push((*variable).to_owned()),
            Reading::Fails(reason) => decoded.fail(variable, reason),
            Reading::Part(part) => seen.push(Seen {
                part,
                variable,
                value,
            }),
        }
    }
    seen
}

/// The format of each variable's file; what has none is left out.
fn formats<'a>(
    dialect: Dialect,
    env: &[(&'a str, &'a str)],
    seen: Vec<Seen<'a>>,
    decoded: &mut Decoded,
) -> Vec<(Seen<'a>, Format)> {
    let values: HashMap<&str, &str> = env.iter().copied().collect();
    let (keyed, keyless): (Vec<_>, Vec<_>) =
        seen.into_iter().partition(|one| !one.part.key.is_empty());
    // A variable without a key does something only as the format of a file that has entries.
    let files: HashSet<String> = keyed
        .iter()
        .map(|one| one.part.file().to_uppercase())
        .collect();
    let idle = keyless.iter().filter(|one| !files.contains(one.variable));
    decoded
        .unrelated
        .extend(idle.map(|one| one.variable.to_owned()));
    let mut found = Vec::new();
    for one in keyed {
        let file = one.part.file();
        let switch = values.get(file.to_uppercase().as_str());
        let word = switch.map_or(one.part.format_word().to_owned(), |word| {
            word.to_lowercase()
        });
        let format = Format::parse(&word).filter(|format| dialect.knows(*format));
        match format {
            Some(_) if file.contains('/') => decoded.ignore(
                one.variable,
                "envtoconf 1.2.2 makes no directory for a name with a slash, and writes nothing",
            ),
            Some(format) => found.push((one, format)),
            None if switch.is_some() || one.part.format.is_some() => {
                let (who, word) = (dialect.launcher(), shown(&word));
                let reason =
                    format!("{who} has no format `{word}`, and drops the entry without a word");
                decoded.ignore(one.variable, reason);
            }
            None => decoded.unrelated.push(one.variable.to_owned()),
        }
    }
    found
}

/// envtoconf.py keeps one extension and one format per name before the dot: those it saw last.
fn formats_of_last<'a>(
    dialect: Dialect,
    seen: Vec<Seen<'a>>,
    decoded: &mut Decoded,
) -> Vec<(Seen<'a>, Format)> {
    let last: HashMap<String, (String, String)> = seen
        .iter()
        .map(|Seen { part, .. }| {
            let written = (part.extension.clone(), part.format_word().to_owned());
            (part.base.clone(), written)
        })
        .collect();
    let mut found = Vec::new();
    for one in seen {
        let Some((extension, word)) = last.get(&one.part.base) else {
            continue;
        };
        match format_of_last(dialect, &one.part, extension, word) {
            Ok(format) => found.push((one, format)),
            Err(reason) => {
                let reason = format!("{} {reason}", dialect.launcher());
                if reason.ends_with("does not start") {
                    decoded.fail(one.variable, reason);
                } else {
                    decoded.ignore(one.variable, reason);
                }
            }
        }
    }
    found
}

/// The format of one variable's file, or what becomes of the variable instead.
fn format_of_last(
    dialect: Dialect,
    part: &Part,
    extension: &str,
    word: &str,
) -> Result<Format, String> {
    let format = Format::parse(word).filter(|format| dialect.knows(*format));
    if part.key.is_empty() {
        return Err(format!(
            "writes an entry without a key into `{}`",
            part.file()
        ));
    }
    if extension != part.extension {
        let base = &part.base;
        return Err(format!(
            "writes only the last file with this name before the dot, `{base}.{extension}`"
        ));
    }
    match format {
        Some(Format::Yaml) if dialect == Dialect::Ozone => {
            Err("always writes an empty YAML file".to_owned())
        }
        Some(format) => Ok(format),
        None => Err(format!(
            "has no format `{}`, and the container does not start",
            shown(word)
        )),
    }
}

/// Puts what one variable says into its file.
fn take(
    dialect: Dialect,
    format: Format,
    one: &Seen<'_>,
    files: &mut Files,
    decoded: &mut Decoded,
) {
    let name = one.part.file();
    let (agreed, entries) = files
        .entry(name)
        .or_insert_with(|| (format, IndexMap::new()));
    if *agreed != format {
        let reason = format!(
            "{} picks one of the formats {agreed} and {format} at random for this file",
            dialect.launcher()
        );
        decoded.fail(one.variable, reason);
    }
    let pairs = read_entries(dialect, format, one, decoded);
    for (key, value) in pairs {
        let origin = Origin {
            value,
            variable: one.variable.to_owned(),
        };
        let replaced = entries.insert(key, origin).filter(|_| !dialect.is_python());
        if let Some(other) = replaced.filter(|other| other.variable != one.variable) {
            let reason = format!(
                "it spells the same key as `{}`, and {} picks one of the two at random",
                other.variable,
                dialect.launcher()
            );
            decoded.fail(one.variable, reason);
        }
    }
}

/// The entries that the product finds for one variable.
fn read_entries(
    dialect: Dialect,
    format: Format,
    one: &Seen<'_>,
    decoded: &mut Decoded,
) -> Vec<(String, String)> {
    let key = &one.part.key;
    let changed = wire::python_fault(dialect, key, one.value);
    let lines = if dialect.is_python() {
        python_lines(key, one.value)
    } else {
        vec![(key.clone(), one.value.to_owned())]
    };
    let mut pairs = Vec::new();
    let mut faults: Vec<String> = changed.into_iter().map(|(reason, _)| reason).collect();
    for (key, value) in lines {
        let read = wire::read(dialect, format, &key, &value);
        pairs.extend(read.pairs);
        faults.extend(read.fault);
    }
    if pairs.is_empty() && faults.is_empty() {
        faults.push("the line that it becomes is read as a comment".to_owned());
    }
    for reason in faults {
        decoded.ignore(one.variable, reason);
    }
    pairs
}

/// The entries that envtoconf.py finds in the line that it wrote for one variable.
fn python_lines(key: &str, value: &str) -> Vec<(String, String)> {
    let text = format!("{key}: {value}\n")
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let cut = |text: &str| text.trim_matches(grammar::is_python_blank).to_owned();
    text.split('\n')
        .map(cut)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (key, value) = line.split_once(": ").unwrap_or((&line, ""));
            (cut(key), cut(value).trim_matches('"').to_owned())
        })
        .collect()
}

/// Numbers the lists of a YAML file as apache/hadoop does: in the order of the entries.
fn number_lists(entries: &mut IndexMap<String, Origin>, decoded: &mut Decoded) {
    let mut lengths: HashMap<String, usize> = HashMap::new();
    let mut numbered = IndexMap::new();
    for (key, origin) in std::mem::take(entries) {
        let key = match key.rsplit_once('.') {
            Some((path, last)) if is_index(last) => {
                let length = lengths.entry(path.to_owned()).or_default();
                *length += 1;
                format!("{path}.{length}")
            }
            _ => key,
        };
        if key.split('.').rev().skip(1).any(is_index) {
            decoded.fail(
                &origin.variable,
                "envtoconf.py of apache/hadoop fails at maps \
                in a list, and the container does not start",
            );
        } else {
            numbered.insert(key, origin);
        }
    }
    *entries = numbered;
}

/// Takes out the entries of a YAML file that have no single place in its tree.
fn prune(entries: &mut IndexMap<String, Origin>, decoded: &mut Decoded) {
    loop {
        let pairs: Vec<_> = entries
            .iter()
            .map(|(key, origin)| (key.as_str(), origin.value.as_str()))
            .collect();
        let Err(problems) = tree::grow(&pairs) else {
            return;
        };
        let mut faulty: Vec<_> = problems
            .into_iter()
            .filter_map(|problem| Some((problem.entry?, problem.reason)))
            .collect();
        faulty.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
        faulty.dedup_by_key(|(index, _)| *index);
        for (index, reason) in faulty {
            if let Some((_, origin)) = entries.shift_remove_index(index) {
                decoded.ignore(
                    &origin.variable,
                    format!("the tree of the file has no place for it: {reason}"),
                );
            }
        }
    }
}
