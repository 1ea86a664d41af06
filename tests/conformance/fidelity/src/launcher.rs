//! The launchers of images, which make config files of a process's variables: programs beside those
//! that read the files, each written from what is known of the launcher, or the launcher itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::batch::Format;

/// Who makes the config files in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Launcher {
    /// envtoconf 1.2.2.
    Flokkr,
    /// envtoconf.py of apache/hadoop.
    Apache,
    /// That of apache/ozone.
    Ozone,
    /// The entrypoint of the big-data-europe images.
    Bde,
    /// The wrapper of apache/kafka.
    Kafka,
}

/// Config files as a blueprint names them, by their formats.
pub type Files = Vec<(&'static str, Format)>;

impl Launcher {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Flokkr,
        Self::Apache,
        Self::Ozone,
        Self::Bde,
        Self::Kafka,
    ];

    /// What a blueprint calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flokkr => "flokkr",
            Self::Apache => "apache",
            Self::Ozone => "ozone",
            Self::Bde => "bde",
            Self::Kafka => "kafka",
        }
    }

    /// The files of one service, one for each format: by their extensions, or said behind the name.
    pub fn files(self, style: usize) -> Files {
        const BDE: [&str; 6] = [
            "core-site.xml",
            "hdfs-site.xml",
            "yarn-site.xml",
            "httpfs-site.xml",
            "kms-site.xml",
            "mapred-site.xml",
        ];
        let plain = style.is_multiple_of(2);
        let yaml = if plain { "y-y.yaml" } else { "y-y.cfg!yaml" };
        let mut files = vec![
            (
                if plain { "core-site.xml" } else { "x.sh!xml" },
                Format::Xml,
            ),
            (
                if plain {
                    "p.properties"
                } else {
                    "p.conf!properties"
                },
                Format::Properties,
            ),
            (
                if plain { "c.cfg" } else { "c.properties!cfg" },
                Format::Cfg,
            ),
            (if plain { "hadoop-env.sh" } else { "s.env!sh" }, Format::Sh),
            (
                if plain { "o.conf!conf" } else { "o.xml!conf" },
                Format::Conf,
            ),
            (if plain { "e.env" } else { "e.yml!env" }, Format::Env),
        ];
        match self {
            // Whatever else a name ends with is taken where the format is said.
            Self::Flokkr if !plain => files.extend([("y.yml!yaml", Format::Yaml)]),
            Self::Flokkr | Self::Apache => files.extend([(yaml, Format::Yaml)]),
            // It always writes an empty one.
            Self::Ozone => {}
            Self::Bde => files = vec![(BDE[style % BDE.len()], Format::Xml)],
            Self::Kafka => files = vec![("server.properties", Format::Properties)],
        }
        files
    }

    /// Makes the files in a folder, with the programs of another. For the one that only Java has, the
    /// environment is written there.
    pub fn launch(
        self,
        programs: &Path,
        variables: &BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Vec<PathBuf>, String> {
        let wrong = |e: std::io::Error| format!("{}: {e}", folder.display());
        std::fs::create_dir_all(folder).map_err(wrong)?;
        let mut command = match self {
            Self::Flokkr => {
                let mut command = Command::new(programs.join("config-check"));
                command.arg("envtoconf");
                command
            }
            Self::Apache | Self::Ozone => {
                let mut command = Command::new("python3");
                let product = if self == Self::Apache {
                    "hadoop"
                } else {
                    "ozone"
                };
                command
                    .args(["-I", "-S"])
                    .arg(programs.join("envtoconf.py"));
                command.arg(product);
                command
            }
            Self::Bde => {
                let mut command = Command::new("bash");
                command.arg(programs.join("bde.sh"));
                command
            }
            Self::Kafka => {
                let pairs = variables
                    .iter()
                    .map(|(name, value)| format!("{name}={value}\0"));
                let path = folder.join("environment");
                std::fs::write(&path, pairs.collect::<String>()).map_err(wrong)?;
                return Ok(vec![path]);
            }
        };
        let path = std::env::var("PATH").unwrap_or_default();
        let out = command
            .arg(folder)
            .env_clear()
            .env("PATH", path)
            .envs(variables)
            .output()
            .map_err(|e| format!("{}: {e}", self.name()))?;
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr);
            return Err(format!("{} ended with {}: {said}", self.name(), out.status));
        }
        let entries = std::fs::read_dir(folder).map_err(wrong)?;
        let paths = entries.map(|entry| Ok(entry.map_err(wrong)?.path()));
        paths.collect()
    }
}
