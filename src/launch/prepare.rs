//! What is prepared once in the life of a volume.
//!
//! Owns which steps an environment asks for, and how each is known to be complete. A step that was
//! killed half way is taken again: what tells is written last by the program itself, not by this
//! launcher.

use camino::{Utf8Path, Utf8PathBuf};

use super::settings::Reader;
use crate::problem::Problem;

/// A step of preparation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Format a NameNode's directory, or fetch the image if the shared journal is in use already.
    Namenode {
        /// `dfs.namenode.name.dir`.
        directory: Utf8PathBuf,
        /// The id that the cluster gets.
        cluster: Option<String>,
        /// The config that tells whether there is a shared journal.
        config: Option<Utf8PathBuf>,
    },
    /// Fetch the image from another NameNode.
    Standby(Utf8PathBuf),
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
    if let Some(directory) = reader.path("ENSURE_NAMENODE_DIR") {
        steps.push(Step::Namenode {
            directory,
            cluster: reader.text("ENSURE_NAMENODE_CLUSTERID").map(str::to_owned),
            config: config.map(|directory| directory.join("hdfs-site.xml")),
        });
    }
    if let Some(directory) = reader.path("ENSURE_STANDBY_NAMENODE_DIR") {
        steps.push(Step::Standby(directory));
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
            None => reader.report(
                Problem::error(
                    "no-directory",
                    "ENSURE_KAFKA_FORMATTED: nothing says where server.properties is",
                )
                .help("set CONF_DIR to its directory"),
            ),
        }
    }
    steps
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
            Self::Namenode { directory, .. } => write!(
                f,
                "format {directory} unless it is complete, or fetch its image when the shared \
                    journal is in use"
            ),
            Self::Standby(directory) => write!(
                f,
                "fetch the image of another NameNode into {directory} unless it is complete"
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
