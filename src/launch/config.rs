//! Config files that the environment asks for.
//!
//! Owns where they go, and which are merged into a file that is there. What a variable says is
//! `env`'s, what a file looks like `conffile`'s.

use std::collections::{HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::Defaults;
use super::settings::Reader;
use crate::conffile::{self, Format};
use crate::env::{self, Decoded, DecodedFile, Dialect};
use crate::problem::{Problem, one_of};

/// A config file that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it is written.
    pub path: Utf8PathBuf,
    /// Its format.
    pub format: Format,
    /// Its entries, by key.
    pub entries: IndexMap<String, String>,
    /// The entries are laid over those of this file, if it is there.
    pub base: Option<Utf8PathBuf>,
}

impl ConfigFile {
    /// Its text, given that of its base.
    ///
    /// # Errors
    /// What the format can't say, or why the base can't be read.
    pub fn text(&self, base: Option<&str>) -> Result<String, Vec<String>> {
        let entries = self.pairs();
        let rendered = match base {
            Some(base) => conffile::merge(self.format, base, &entries),
            None => conffile::render(self.format, &entries),
        };
        rendered.map_err(|corruptions| {
            let words = corruptions.into_iter().map(|corruption| {
                let key = corruption.entry.and_then(|at| entries.get(at));
                let key = key.map(|(key, _)| format!(": `{key}`"));
                let reason = corruption.reason;
                format!("{}{}: {reason}", self.path, key.unwrap_or_default())
            });
            words.collect()
        })
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        let pairs = self.entries.iter();
        pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect()
    }

    /// What the format can't say: keys, or the file as a whole, with the reasons.
    fn impossible(&self) -> Vec<(Option<String>, String)> {
        let entries = self.pairs();
        let corruptions = conffile::render(self.format, &entries).err();
        let corruptions = corruptions.into_iter().flatten().map(|corruption| {
            let key = corruption.entry.and_then(|at| entries.get(at));
            (key.map(|(key, _)| (*key).to_owned()), corruption.reason)
        });
        corruptions.collect()
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) defaults: Defaults,
    pub(super) directory: Option<Utf8PathBuf>,
    pub(super) files: Vec<ConfigFile>,
}

/// Where the wrapper of apache/kafka looks for a file to begin with.
const KAFKA_BASE: &str = "/mnt/shared/config/server.properties";

/// The config files of an environment.
pub(super) fn read(
    dialect: Dialect,
    chosen: Option<&Utf8PathBuf>,
    reader: &mut Reader<'_>,
) -> Found {
    // `FLOKKR_CONF_DIR` is spelled as the key `DIR` of a flokkr.conf would be.
    let variables = reader.env().iter();
    let variables = variables.filter(|(name, _)| !name.starts_with("FLOKKR_"));
    let decoded = env::decode(dialect, variables.map(|(k, v)| (k.as_str(), v.as_str())));
    report(dialect, &decoded, reader);
    if matches!(dialect, Dialect::Apache | Dialect::Ozone) {
        two_spellings(dialect, &decoded, reader);
    }
    for name in reader.garbled() {
        if !name.starts_with("FLOKKR_") && !decoded.unrelated.contains(name) {
            reader.reads(name);
        }
    }
    let directory = chosen.cloned().or_else(|| directory(dialect, reader));
    let Some(directory) = directory else {
        let mut names: Vec<&str> = decoded.files.keys().map(String::as_str).collect();
        if reader.text("FLOKKR_DEFAULTS").is_some() {
            names.push("what FLOKKR_DEFAULTS names");
        }
        if names.is_empty() {
            return Found::default();
        }
        let problem = Problem::error(
            "no-directory",
            format!("nothing says where {} goes", names.join(", ")),
        );
        reader.report(problem.help("set CONF_DIR to the directory of the config files"));
        return Found::default();
    };
    let merged = reader.words("FLOKKR_MERGE");
    for name in &merged {
        if *name != "all" && !decoded.files.contains_key(*name) {
            let text = format!("FLOKKR_MERGE names {name}, of which no variable says anything");
            let known = decoded.files.keys().map(String::as_str);
            reader.report(Problem::warning("unknown-name", text).nearest(name, known));
        }
    }
    let mut files = Vec::new();
    for (name, file) in decoded.files {
        let path = directory.join(&name);
        let base = match dialect {
            Dialect::Kafka => Some(KAFKA_BASE.into()),
            // Its entrypoint adds to the file of the image.
            Dialect::Bde => Some(path.clone()),
            _ if merged.contains(&"all") || merged.contains(&name.as_str()) => Some(path.clone()),
            _ => None,
        };
        let mut file = ConfigFile {
            path,
            format: file.format,
            entries: file.entries,
            base,
        };
        // Leaving out the first that are found may show others.
        while !leave_out(&mut file, dialect, reader) {}
        files.push(file);
    }
    Found {
        defaults: defaults(dialect, &directory, reader),
        directory: Some(directory),
        files,
    }
}

/// Reports what the format of a file can't say, and leaves it out where the dialect's launcher would
/// go on; true when there is no more of it.
fn leave_out(file: &mut ConfigFile, dialect: Dialect, reader: &mut Reader<'_>) -> bool {
    let mut done = true;
    for (key, reason) in file.impossible() {
        let text = match &key {
            Some(key) => format!("{}: `{key}`: {reason}", file.path),
            None => format!("{}: {reason}", file.path),
        };
        match key.filter(|_| dialect != Dialect::Launch) {
            // The published launcher writes it so that nobody can read it.
            Some(key) => {
                file.entries.shift_remove(&key);
                done = false;
                let text = format!("{text}; it is left out");
                reader.report(Problem::warning("corrupted", text));
            }
            None => reader.report(Problem::error("corrupted", text)),
        }
    }
    done
}

/// What the launcher of the dialect would not take as it stands: this one refuses its own language,
/// and in another's goes on where that launcher would.
fn report(dialect: Dialect, decoded: &Decoded, reader: &mut Reader<'_>) {
    for ignored in &decoded.ignored {
        let text = format!("{}: {}", ignored.variable, ignored.reason);
        let refused = dialect == Dialect::Launch || ignored.fails;
        reader.report(if refused {
            Problem::error("corrupted", text)
        } else {
            Problem::warning("corrupted", text)
        });
    }
    if dialect != Dialect::Launch {
        return;
    }
    for name in &decoded.unrelated {
        not_written(name, reader);
    }
    for (name, file) in &decoded.files {
        let escaped = |value: &&String| {
            let behind = value.split('&').skip(1);
            file.format == Format::Xml
                && behind.into_iter().any(|text| {
                    let word = text.split(';').next().unwrap_or_default();
                    matches!(word, "amp" | "lt" | "gt" | "quot" | "apos") || word.starts_with('#')
                })
        };
        if file.entries.values().any(|value| escaped(&value)) {
            let text = format!("{name}: a value has escapes of XML, which are taken for text");
            let help = "variables that were written for another launcher need FLOKKR_DIALECT, such \
                as flokkr or apache";
            reader.report(Problem::warning("escaped", text).help(help));
        }
    }
}

/// Warns of a variable that looks like an entry and is none. Others than those of config have no dots.
fn not_written(name: &str, reader: &mut Reader<'_>) {
    let Some((file, key)) = name.split_once('_') else {
        return;
    };
    let Some((_, extension)) = file.rsplit_once('.').filter(|(base, _)| !base.is_empty()) else {
        return;
    };
    let extension = extension.to_lowercase();
    let problem =
        |why: &str| Problem::warning("unknown-name", format!("{name} is not read: {why}"));
    if key.is_empty() {
        reader.report(problem("there is no key behind the name of the file"));
    } else if Format::parse(&extension).is_none() {
        let problem = problem(&format!("`{extension}` is no format"));
        let names = || Format::ALL.into_iter().map(Format::name);
        let problem = problem.help(format!("expected {}", one_of(names())));
        reader.report(problem.nearest(&extension, names()));
    }
}

/// Warns of keys that two variables spell. envtoconf.py takes that which comes last in the environment, whose
/// order depends on who sets it; here it is the last by its name.
fn two_spellings(dialect: Dialect, decoded: &Decoded, reader: &mut Reader<'_>) {
    let mut seen: HashMap<(String, String), (&str, String)> = HashMap::new();
    let unrelated: HashSet<&str> = decoded.unrelated.iter().map(String::as_str).collect();
    let env = reader.env();
    for (name, value) in env
        .iter()
        .filter(|(name, _)| !unrelated.contains(name.as_str()))
    {
        let alone = env::decode(dialect, [(name.as_str(), value.as_str())]);
        for (file, DecodedFile { entries, .. }) in alone.files {
            for (key, value) in entries {
                let other = seen.insert((file.clone(), key), (name, value.clone()));
                if let Some((other, _)) = other.filter(|(_, other)| *other != value) {
                    let text = format!("{name} spells the same key as {other}, and counts");
                    reader.report(Problem::warning("corrupted", text));
                }
            }
        }
    }
}

/// The directory of config files: as the image says it, then where that of the dialect's images is.
fn directory(dialect: Dialect, reader: &mut Reader<'_>) -> Option<Utf8PathBuf> {
    let names: &[&str] = match dialect {
        Dialect::Ozone => &["OZONE_CONF_DIR", "HADOOP_CONF_DIR"],
        Dialect::Flokkr => &["CONF_DIR"],
        Dialect::Apache | Dialect::Bde => &["HADOOP_CONF_DIR"],
        Dialect::Launch => &["CONF_DIR", "HADOOP_CONF_DIR"],
        Dialect::Kafka | Dialect::None => &[],
    };
    for name in ["FLOKKR_CONF_DIR"].iter().chain(names) {
        if reader.text(name).is_some() {
            // What is no path is refused already, once.
            return reader.path(name).or_else(|| Some("/".into()));
        }
    }
    let usual = match dialect {
        Dialect::Apache | Dialect::Ozone => "/opt/hadoop/etc/hadoop",
        Dialect::Bde => "/etc/hadoop",
        Dialect::Kafka => "/opt/kafka/config",
        Dialect::Flokkr | Dialect::Launch | Dialect::None => return None,
    };
    Some(usual.into())
}

/// Where the defaults come from that are put into the directory first.
fn defaults(dialect: Dialect, directory: &Utf8Path, reader: &mut Reader<'_>) -> Defaults {
    let asked = reader.path("FLOKKR_DEFAULTS");
    let needed = asked.is_some();
    let mut places: Vec<Utf8PathBuf> = match asked {
        Some(path) => vec![path],
        None if dialect == Dialect::Ozone => {
            vec![
                "/opt/ozone/etc/hadoop".into(),
                "/opt/hadoop/etc/hadoop".into(),
            ]
        }
        None => Vec::new(),
    };
    places.retain(|path| path != directory);
    Defaults {
        needed: needed && !places.is_empty(),
        places,
    }
}
