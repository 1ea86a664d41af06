//! What is prepared once in the life of a volume.
//!
//! Owns which steps an environment asks for, and how each is known to be complete. A step that was
//! killed half way is taken again: what tells is written last by the program itself, not by this
//! launcher.

use camino::{Utf8Path, Utf8PathBuf};

use super::secret::masked_words;
use super::settings::Reader;
use super::words;
use crate::problem::Problem;

/// The file system of the NameNode that the command of `NAMENODE_INIT` runs on, as the flokkr images have it.
pub(super) const FIRST_NAMENODE: &str = "hdfs://127.0.0.1:1111";

/// A step of preparation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Format a NameNode's directory, or fetch the image if the shared journal is in use already.
    Namenode {
        /// Of `dfs.namenode.name.dir`, one at least.
        directories: Vec<Utf8PathBuf>,
        /// The id that the cluster gets.
        cluster: Option<String>,
        /// The directory of the config, which tells what a format does.
        config: Utf8PathBuf,
        /// A command for what was formatted, on a NameNode that no one else sees.
        first: Option<Vec<String>>,
    },
    /// Fetch the image from another NameNode.
    Standby {
        /// Of `dfs.namenode.name.dir`, one at least.
        directories: Vec<Utf8PathBuf>,
        /// The directory of the config.
        config: Utf8PathBuf,
    },
    /// Make the znode of the automatic failover.
    Zkfc,
    /// Prepare a daemon of Ozone; the file is written last by that.
    Ozone(Daemon, Utf8PathBuf),
    /// Write the id of a ZooKeeper server.
    ZookeeperId(Utf8PathBuf, ZookeeperId),
    /// Format the directories of a Kafka node.
    Kafka {
        /// The id of the cluster.
        cluster: String,
        /// `server.properties`, which names the directories.
        config: Utf8PathBuf,
    },
}

/// What of Ozone is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// The first storage container manager.
    Scm,
    /// Another one, which asks the first.
    ScmBootstrap,
    /// An Ozone Manager, which asks the storage container manager.
    Om,
}

impl Daemon {
    /// The command.
    pub fn words(self) -> [&'static str; 3] {
        match self {
            Self::Scm => ["ozone", "scm", "--init"],
            Self::ScmBootstrap => ["ozone", "scm", "--bootstrap"],
            Self::Om => ["ozone", "om", "--init"],
        }
    }

    /// Whether it needs another process, and is tried until that answers.
    pub fn asks(self) -> bool {
        self != Self::Scm
    }
}

/// Where the id of a ZooKeeper server comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZookeeperId {
    /// The number at the end of the host's name.
    Host,
    /// It is given.
    Given(u32),
}

/// The steps, in the order in which they are taken.
pub(super) fn read(config: Option<&Utf8Path>, reader: &mut Reader<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let first = first(reader);
    if let Some((directories, config)) = namenode("ENSURE_NAMENODE_DIR", config, reader) {
        steps.push(Step::Namenode {
            directories,
            cluster: reader.text("ENSURE_NAMENODE_CLUSTERID").map(str::to_owned),
            config,
            first,
        });
    } else if first.is_some() {
        let text = "NAMENODE_INIT does nothing without ENSURE_NAMENODE_DIR";
        reader.report(Problem::warning("unsupported", text));
    }
    if let Some((directories, config)) = namenode("ENSURE_STANDBY_NAMENODE_DIR", config, reader) {
        steps.push(Step::Standby {
            directories,
            config,
        });
    }
    if reader.flag("ENSURE_ZKFC_FORMATTED") {
        steps.push(Step::Zkfc);
    }
    if let Some(version) = reader.path("ENSURE_SCM_INITIALIZED") {
        steps.push(Step::Ozone(Daemon::Scm, version));
    } else if let Some(version) = reader.path("ENSURE_SCM_BOOTSTRAPPED") {
        steps.push(Step::Ozone(Daemon::ScmBootstrap, version));
    }
    if let Some(version) = reader.path("ENSURE_OM_INITIALIZED") {
        steps.push(Step::Ozone(Daemon::Om, version));
    }
    steps.extend(zookeeper(reader));
    if let Some(cluster) = reader.text("ENSURE_KAFKA_FORMATTED") {
        match config {
            Some(directory) => steps.push(Step::Kafka {
                cluster: cluster.to_owned(),
                config: directory.join("server.properties"),
            }),
            None => reader.report(nowhere("ENSURE_KAFKA_FORMATTED", "server.properties")),
        }
    }
    steps
}

/// The directories of a NameNode, and that of the config that Hadoop reads.
fn namenode(
    name: &str,
    config: Option<&Utf8Path>,
    reader: &mut Reader<'_>,
) -> Option<(Vec<Utf8PathBuf>, Utf8PathBuf)> {
    let directories = reader.paths(name)?;
    let read = reader.path("HADOOP_CONF_DIR");
    let config = read.or_else(|| config.map(Utf8Path::to_owned));
    if config.is_none() {
        reader.report(nowhere(name, "hdfs-site.xml"));
    }
    Some((directories, config?))
}

fn nowhere(name: &str, file: &str) -> Problem {
    let text = format!("{name}: nothing says where {file} is");
    Problem::error("no-directory", text).help("set CONF_DIR to its directory")
}

/// Paths as they are written with commas between.
pub(super) fn list(paths: &[Utf8PathBuf]) -> String {
    let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
    paths.join(",")
}

/// The command of `NAMENODE_INIT`. Whoever asks for files there asks the one NameNode that answers.
fn first(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let text = reader.text("NAMENODE_INIT")?;
    let mut words = match words::split(text) {
        Ok(words) if !words.is_empty() => words,
        Ok(_) => return None,
        Err(what) => {
            let problem = Problem::error("wrong-value", format!("NAMENODE_INIT is `{text}`"));
            reader.report(problem.help(format!(
                "no shell reads it, and {what} means something to one only: write bash -c '...'"
            )));
            return None;
        }
    };
    let asks_for_files = matches!(
        words.as_slice(),
        [program, part, ..] if matches!((program.as_str(), part.as_str()), ("hdfs", "dfs") | ("hadoop", "fs"))
    );
    if asks_for_files && !words.iter().any(|word| word == "-fs") {
        let ours = ["-fs", FIRST_NAMENODE].map(str::to_owned);
        words.splice(2..2, ours);
    }
    Some(words)
}

fn zookeeper(reader: &mut Reader<'_>) -> Option<Step> {
    let directory = reader.path("ZOOKEEPER_ID_FROM_HOST")?;
    // The second is what the published image reads.
    let given = ["ZOOKEEPER_ID", "ZOO_MY_ID"];
    let given = given
        .into_iter()
        .find_map(|name| Some((name, reader.text(name)?)));
    let id = match given {
        None => ZookeeperId::Host,
        Some((name, text)) => match text.parse() {
            Ok(id) if id <= 255 => ZookeeperId::Given(id),
            _ => {
                let problem = Problem::error("wrong-value", format!("{name} is `{text}`"));
                reader.report(problem.help("expected a number up to 255"));
                return None;
            }
        },
    };
    Some(Step::ZookeeperId(directory.join("myid"), id))
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Namenode {
                directories, first, ..
            } => {
                write!(
                    f,
                    "format {} unless it is complete, or fetch its image when the shared \
                        journal is in use",
                    list(directories)
                )?;
                match first {
                    Some(words) => write!(
                        f,
                        "; once it is formatted: {}",
                        masked_words(words.iter().map(String::as_str)).join(" ")
                    ),
                    None => Ok(()),
                }
            }
            Self::Standby { directories, .. } => write!(
                f,
                "fetch the image of another NameNode into {} unless it is complete",
                list(directories)
            ),
            Self::Zkfc => f.write_str("make the znode of the automatic failover"),
            Self::Ozone(daemon, version) => {
                write!(f, "{} unless {version} is there", daemon.words().join(" "))
            }
            Self::ZookeeperId(file, ZookeeperId::Host) => {
                write!(f, "write the number of the host's name to {file}")
            }
            Self::ZookeeperId(file, ZookeeperId::Given(id)) => write!(f, "write {id} to {file}"),
            Self::Kafka { cluster, config } => {
                write!(
                    f,
                    "format the directories of {config} for the cluster {cluster}"
                )
            }
        }
    }
}
