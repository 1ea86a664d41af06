//! Configuration files as environment variables, in both directions.
//!
//! This module owns the conventions of the launchers: which file a variable belongs to, how a key
//! and a value must be spelled so that the *product* reads what the author wrote, and which files,
//! keys and values a launcher would corrupt. What the platforms between (Compose, Kubernetes, a
//! shell) do to names and values is theirs to say; rendering whole files is `conffile`'s.
//!
//! Two promises hold for every dialect. What [`encode`] accepts, [`decode`] gives back: the same
//! file, format, keys and values. And what cannot be carried is refused with the reason and the way
//! round, never changed on the way.

mod bde;
mod convention;
mod dialect;
mod file_name;
mod grammar;
mod kafka;
mod reading;
mod timestamp;
mod wire;

pub use crate::conffile::{Corruption, Format};
pub use dialect::Dialect;

use crate::conffile;
use crate::conffile::shown;
use file_name::FileName;
use indexmap::IndexMap;

/// The way round that always works.
const AS_FILE: &str = "deliver the file itself: `delivery: files` in the `config` of the service";

/// Why something cannot be carried, and the way round.
type Fault = (String, String);

/// One config file as the blueprint has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile<'a> {
    /// The name in the launcher's directory (`core-site.xml`), or an absolute path.
    pub name: &'a str,
    /// The format written behind the name with `!`; without it the extension tells.
    pub format: Option<Format>,
    /// Keys and values in the order of the blueprint, as the product must read them.
    pub entries: Vec<(&'a str, &'a str)>,
}

/// One environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name, which may hold dots, dashes, `!` and whatever a key holds.
    pub name: String,
    /// The value, spelled for the launcher; platforms may need further escapes.
    pub value: String,
    /// The position of the entry that it carries; none for a variable that sets a file's format.
    pub entry: Option<usize>,
}

/// What an environment says about configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The files that the launcher would write, by name.
    pub files: IndexMap<String, DecodedFile>,
    /// Variables that are configuration, but that the launcher or the product would not take as they
    /// stand. One may also have given an entry, where one reading is likelier than others.
    pub ignored: Vec<Ignored>,
    /// The names of the variables that the launcher leaves alone, in their order.
    pub unrelated: Vec<String>,
}

/// One file that a launcher would write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedFile {
    /// The format that the launcher would write.
    pub format: Format,
    /// What the product would read.
    pub entries: IndexMap<String, String>,
}

/// A variable that did not simply become an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The name of the variable.
    pub variable: String,
    /// What the launcher does with it, in one sentence.
    pub reason: String,
    /// Nobody can go on: the launcher ends, or picks one of several readings at random.
    pub fails: bool,
}

impl Decoded {
    fn ignore(&mut self, variable: &str, reason: impl Into<String>) {
        self.ignored.push(Ignored {
            variable: variable.to_owned(),
            reason: reason.into(),
            fails: false,
        });
    }

    /// The same, where the launcher ends or picks at random.
    fn fail(&mut self, variable: &str, reason: impl Into<String>) {
        self.ignore(variable, reason);
        if let Some(last) = self.ignored.last_mut() {
            last.fails = true;
        }
    }
}

/// The variables that make a launcher write this file, in the spelling that most platforms can
/// carry. A file without entries needs none, and none is written.
///
/// # Errors
/// Every entry that would not reach the product as it is, or, before all entries, what is wrong with
/// the file: its name, its format, or the launcher itself.
pub fn encode(dialect: Dialect, file: &ConfigFile<'_>) -> Result<Vec<Variable>, Vec<Corruption>> {
    let variables = match dialect {
        Dialect::Flokkr | Dialect::Apache | Dialect::Ozone | Dialect::Launch => {
            convention::encode(dialect, file)?
        }
        Dialect::Bde => bde::encode(file)?,
        Dialect::Kafka => kafka::encode(file)?,
        Dialect::None => {
            let reason = "this image has no launcher that reads configuration from variables";
            return Err(vec![Corruption::of_file(reason, AS_FILE)]);
        }
    };
    // The convention's rules are complete, which the property tests show, and reading everything
    // back costs more than all the rest of a run; the small dialects are read back always.
    let proven = matches!(
        dialect,
        Dialect::Flokkr | Dialect::Apache | Dialect::Ozone | Dialect::Launch
    );
    if proven && !cfg!(debug_assertions) {
        return Ok(variables);
    }
    let problems = differences(dialect, file, &variables);
    if problems.is_empty() {
        Ok(variables)
    } else {
        Err(problems)
    }
}

/// Whether this dialect has any spelling for a file of this name. Its entries, or its format, may
/// still be refused by [`encode`].
pub fn carries(dialect: Dialect, file_name: &str) -> bool {
    match dialect {
        Dialect::Flokkr | Dialect::Apache | Dialect::Ozone | Dialect::Launch => {
            convention::carries(dialect, file_name)
        }
        Dialect::Bde => bde::prefix_of(file_name).is_some(),
        Dialect::Kafka => file_name == kafka::FILE,
        Dialect::None => false,
    }
}

/// The files that the launcher of this dialect would write for such an environment.
pub fn decode<'a>(dialect: Dialect, env: impl IntoIterator<Item = (&'a str, &'a str)>) -> Decoded {
    let env: Vec<_> = env.into_iter().collect();
    match dialect {
        Dialect::Flokkr | Dialect::Apache | Dialect::Ozone | Dialect::Launch => {
            reading::decode(dialect, &env)
        }
        Dialect::Bde => bde::decode(&env),
        Dialect::Kafka => kafka::decode(&env),
        Dialect::None => Decoded {
            unrelated: env.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ..Decoded::default()
        },
    }
}

/// The file that the launcher would write an ordinary variable into: `HADOOP_CONF_DIR` makes
/// envtoconf 1.2.2 write `hadoop.conf`. None when the launcher leaves the variable alone.
pub fn mistaken_for(dialect: Dialect, variable: &str) -> Option<String> {
    match dialect {
        Dialect::Flokkr | Dialect::Apache | Dialect::Ozone | Dialect::Launch => {
            grammar::file_of(dialect, variable)
        }
        Dialect::Bde => bde::file_of(variable).map(str::to_owned),
        Dialect::Kafka => kafka::key_of(variable).map(|_| kafka::FILE.to_owned()),
        Dialect::None => None,
    }
}

/// Files of one container that cannot be carried beside each other, by the position of the later
/// one. Names that the dialect does not carry at all are passed over.
pub fn conflicts(dialect: Dialect, names: &[&str]) -> Vec<(usize, Corruption)> {
    let mut found = Vec::new();
    for (index, name) in names
        .iter()
        .enumerate()
        .filter(|(_, name)| carries(dialect, name))
    {
        let mut before = names
            .iter()
            .take(index)
            .filter(|other| carries(dialect, other));
        let conflict = before.find_map(|other| conflict(dialect, name, other));
        found.extend(conflict.map(|problem| (index, problem)));
    }
    found
}

fn conflict(dialect: Dialect, name: &str, other: &str) -> Option<Corruption> {
    if name == other {
        let reason = format!(
            "`{name}` is there in two formats, and {} can write it in one",
            dialect.launcher()
        );
        return Some(Corruption::of_file(
            reason,
            "write the file once, with one format",
        ));
    }
    let base = |name: &str| FileName::parse(dialect, name).ok().map(|name| name.base);
    let shared = base(name)
        .filter(|base_name| dialect.is_python() && base(other).as_ref() == Some(base_name))?;
    let reason = format!(
        "{} writes one file per name before the dot: of `{other}` and `{name}` only the \
            last one seen as `{shared}`",
        dialect.launcher()
    );
    Some(Corruption::of_file(
        reason,
        format!("rename one of the two files, or {AS_FILE}"),
    ))
}

/// Spells every entry, or says what is wrong with each that has no spelling.
fn spell_all(
    file: &ConfigFile<'_>,
    spell: impl Fn(&str, &str) -> Result<(String, String), Fault>,
) -> Result<Vec<Variable>, Vec<Corruption>> {
    let mut problems = conffile::check_keys(&file.entries);
    let mut variables = Vec::with_capacity(file.entries.len());
    for (index, (key, value)) in file.entries.iter().enumerate() {
        if problems.iter().any(|problem| problem.entry == Some(index)) {
            continue;
        }
        match key_fault(key).map_or_else(|| spell(key, value), Err) {
            Ok((name, value)) => variables.push(Variable {
                name,
                value,
                entry: Some(index),
            }),
            Err((reason, way)) => problems.push(Corruption::of_entry(index, reason, way)),
        }
    }
    problems.sort_by_key(|problem| problem.entry);
    if problems.is_empty() {
        Ok(variables)
    } else {
        Err(problems)
    }
}

/// What no name of a variable can hold on any system.
fn key_fault(key: &str) -> Option<Fault> {
    let c = key.chars().find(|c| *c == '=' || c.is_control())?;
    let what = if c == '=' {
        "`=`"
    } else {
        "a control character"
    };
    Some((
        format!(
            "the key `{}` becomes part of the name of a variable, which cannot hold {what}",
            shown(key)
        ),
        AS_FILE.to_owned(),
    ))
}

/// The entries that would be read back as something else: the net below all other rules.
fn differences(dialect: Dialect, file: &ConfigFile<'_>, variables: &[Variable]) -> Vec<Corruption> {
    let pairs = variables
        .iter()
        .map(|variable| (variable.name.as_str(), variable.value.as_str()));
    let decoded = decode(dialect, pairs);
    let read = decoded.files.get(file.name);
    let lost = |(index, (key, value)): (usize, &(&str, &str))| {
        let found = read.and_then(|file| file.entries.get(*key));
        if found.is_some_and(|found| found == value) {
            return None;
        }
        let reason = format!(
            "{} would not give the product the entry `{}` as it is written",
            dialect.launcher(),
            shown(key)
        );
        Some(Corruption::of_entry(index, reason, AS_FILE))
    };
    file.entries.iter().enumerate().filter_map(lost).collect()
}
