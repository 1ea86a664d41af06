//! What the config of Hadoop says of a NameNode's directories and of its journal.
//!
//! Owns what Hadoop makes of such a setting: which files it reads, its `${...}`, its lists. What is not understood is
//! a failure, since whoever asks is about to format something.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::{Failure, files};
use crate::conffile::{self, Format};
use crate::launch::prepare::list;
use crate::launch::settings::local_path;

/// What Hadoop reads, later files over earlier ones.
const FILES: [&str; 2] = ["core-site.xml", "hdfs-site.xml"];

/// Where the image is; the second is the name that it had before.
const NAME: [&str; 2] = ["dfs.namenode.name.dir", "dfs.name.dir"];
/// Where the edits are, if not with the image.
const EDITS: [&str; 2] = ["dfs.namenode.edits.dir", "dfs.name.edits.dir"];
/// Where the edits are that another NameNode reads.
const SHARED: [&str; 1] = ["dfs.namenode.shared.edits.dir"];

/// A switch whose name looks like that of one NameNode's directory.
const RESTORE: &str = "dfs.namenode.name.dir.restore";

/// As many `${...}` Hadoop replaces in a value.
const DEEPEST: usize = 20;

/// The settings of a directory of config files.
pub(super) struct Settings {
    directory: Utf8PathBuf,
    entries: IndexMap<String, String>,
}

/// What holds edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edits {
    /// A directory.
    Directory(Utf8PathBuf),
    /// A journal on `JournalNodes`: the addresses of their web servers, and its name.
    Journal(Vec<String>, String),
}

impl Settings {
    /// Reads them.
    pub(super) fn read(directory: &Utf8Path) -> Result<Self, Failure> {
        let mut entries = IndexMap::new();
        let mut found = false;
        for name in FILES {
            let path = directory.join(name);
            let Some(text) = files::read(&path)? else {
                continue;
            };
            found = true;
            entries.extend(
                conffile::parse(Format::Xml, &text)
                    .map_err(|reason| Failure::new(format!("can't read {path}: {reason}")))?,
            );
        }
        if !found {
            return Err(Failure::new(format!(
                "{directory} has no {}, so nothing says what a format would empty: nothing is formatted",
                FILES.join(" and no ")
            )));
        }
        Ok(Self {
            directory: directory.to_owned(),
            entries,
        })
    }

    /// All directories that the image is in, of which these were named; a failure if they are others.
    pub(super) fn name_directories(
        &self,
        named: &[Utf8PathBuf],
    ) -> Result<Vec<Utf8PathBuf>, Failure> {
        let mut known = Vec::new();
        let mut all: Vec<Utf8PathBuf> = Vec::new();
        for (key, value) in self.of(&NAME) {
            let mut directories = Vec::new();
            for word in self.list(key, value)? {
                let path = local_path(&word);
                directories.push(path.ok_or_else(|| self.not_understood(key, &word))?);
            }
            if named.iter().all(|path| directories.contains(path)) {
                all.extend(directories);
            } else {
                known.push(value.trim().to_owned());
            }
        }
        if known.is_empty() && all.is_empty() {
            let key = "hadoop.tmp.dir";
            if let Some(value) = self.entries.get(key) {
                let usual = self.expand(key, value)? + "/dfs/name";
                let path = local_path(&usual);
                all.extend(path.filter(|path| named.iter().all(|one| one == path)));
                known.push(usual);
            } else {
                if named.iter().all(|path| is_usual(path)) {
                    all.extend(named.iter().cloned().chain(usual_directories()));
                }
                known.push("/tmp/hadoop-USER/dfs/name".to_owned());
            }
        }
        if all.is_empty() {
            return Err(Failure::new(format!(
                "a format would empty {}, as {} has it, and not {}: nothing is formatted; set \
                    dfs.namenode.name.dir to what is to be formatted",
                known.join(", "),
                self.directory,
                list(named)
            )));
        }
        Ok(all)
    }

    /// What a format empties besides the directories of the image.
    pub(super) fn edits(&self) -> Result<Vec<Edits>, Failure> {
        self.edits_of(&EDITS)
    }

    /// What is shared with another NameNode.
    pub(super) fn shared_edits(&self) -> Result<Vec<Edits>, Failure> {
        self.edits_of(&SHARED)
    }

    fn edits_of(&self, keys: &[&str]) -> Result<Vec<Edits>, Failure> {
        let mut found = Vec::new();
        for (key, value) in self.of(keys) {
            for word in self.list(key, value)? {
                found.push(match word.strip_prefix("qjournal://") {
                    Some(rest) => {
                        let journal = self.journal(rest)?;
                        journal.ok_or_else(|| self.not_understood(key, &word))?
                    }
                    None => Edits::Directory(
                        local_path(&word).ok_or_else(|| self.not_understood(key, &word))?,
                    ),
                });
            }
        }
        Ok(found)
    }

    /// `host:port;host:port/name`, where the ports are not those of the web servers.
    fn journal(&self, address: &str) -> Result<Option<Edits>, Failure> {
        let port = self.journal_port()?;
        let Some((nodes, name)) = address.split_once('/') else {
            return Ok(None);
        };
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Ok(None);
        }
        let mut servers = Vec::new();
        for node in nodes.split(';').map(str::trim) {
            let (host, given) = match node.rsplit_once(':') {
                Some((host, given)) if !given.ends_with(']') => (host, Some(given)),
                _ => (node, None),
            };
            let fits = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
            if host.is_empty() || !host.chars().all(fits) || !given.is_none_or(is_port) {
                return Ok(None);
            }
            servers.push(format!("{host}:{port}"));
        }
        Ok(Some(Edits::Journal(servers, name.to_owned())))
    }

    /// The port of the `JournalNodes`' web servers.
    fn journal_port(&self) -> Result<String, Failure> {
        let key = "dfs.journalnode.http-address";
        let Some(value) = self.entries.get(key) else {
            return Ok("8480".to_owned());
        };
        let value = self.expand(key, value)?;
        match value.rsplit_once(':') {
            Some((_, port)) if is_port(port) => Ok(port.to_owned()),
            _ => Err(self.not_understood(key, &value)),
        }
    }

    /// The entries of a key, or of one NameNode, whose names stand behind it.
    fn of<'a>(&'a self, keys: &[&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_of = |name: &str, key: &&str| {
            let rest = name.strip_prefix(*key);
            name != RESTORE && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.entries
            .iter()
            .filter(move |(name, _)| keys.iter().any(|key| is_of(name, key)))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The words of a list, as Hadoop has them.
    fn list(&self, key: &str, value: &str) -> Result<Vec<String>, Failure> {
        let value = self.expand(key, value)?;
        let words = value.split(',').map(str::trim);
        let words = words.filter(|word| !word.is_empty());
        Ok(words.map(str::to_owned).collect())
    }

    /// A value without blanks around it, and with what its `${...}` stand for.
    fn expand(&self, key: &str, value: &str) -> Result<String, Failure> {
        let mut text = value.trim().to_owned();
        for _ in 0..=DEEPEST {
            let Some((head, after)) = text.split_once('}').filter(|(head, _)| head.contains("${"))
            else {
                break;
            };
            let replaced = head
                .rsplit_once("${")
                .and_then(|(before, name)| Some([before, &self.variable(name)?, after].concat()));
            text = replaced.ok_or_else(|| self.not_understood(key, value.trim()))?;
        }
        if text.contains("${") {
            return Err(self.not_understood(key, value.trim()));
        }
        Ok(text.trim().to_owned())
    }

    /// What stands for a `${name}`; none for what only Java knows.
    fn variable(&self, name: &str) -> Option<String> {
        let Some(name) = name.strip_prefix("env.") else {
            return self.entries.get(name).cloned();
        };
        let (name, otherwise) = match name.split_once('-') {
            Some((name, otherwise)) => (name, Some(otherwise)),
            None => (name, None),
        };
        let (name, nor_empty) = match name.strip_suffix(':') {
            Some(name) => (name, true),
            None => (name, false),
        };
        match std::env::var_os(name) {
            Some(set) if !(nor_empty && set.is_empty()) => set.into_string().ok(),
            _ => otherwise.map(str::to_owned),
        }
    }

    fn not_understood(&self, key: &str, value: &str) -> Failure {
        Failure::new(format!(
            "{}: {key} is `{value}`, of which can't be told what a format would do to it: nothing is \
                formatted",
            self.directory
        ))
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// What there is where Hadoop has the image when no file says where: who ran it is not known.
fn usual_directories() -> impl Iterator<Item = Utf8PathBuf> {
    let users = Utf8Path::new("/tmp").read_dir_utf8();
    let users = users.into_iter().flatten().flatten();
    let paths = users.map(|user| user.path().join("dfs/name"));
    paths.filter(|path| is_usual(path))
}

/// Where Hadoop has the image when no file says where, whoever runs it.
fn is_usual(path: &Utf8Path) -> bool {
    let rest = path.as_str().strip_prefix("/tmp/hadoop-");
    let user = rest.and_then(|rest| rest.strip_suffix("/dfs/name"));
    user.is_some_and(|user| !user.is_empty() && !user.contains('/'))
}
