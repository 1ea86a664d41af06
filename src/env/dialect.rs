//! The launchers that turn environment variables into configuration files.
//!
//! Owns their names and which formats each of them writes; how they read names and values is in the
//! modules beside this one.

use crate::conffile::Format;

/// The convention that the launcher of an image follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// envtoconf 1.2.2, which the flokkr images run: `NAME.EXT_key`.
    Flokkr,
    /// envtoconf.py of the apache/hadoop image: `NAME.EXT_key`, but stricter about values.
    Apache,
    /// envtoconf.py of the apache/ozone image; the same, except that its YAML files are empty.
    Ozone,
    /// The entrypoint of the big-data-europe images: `CORE_CONF_fs_defaultFS`.
    Bde,
    /// The wrapper of the apache/kafka image: `KAFKA_LOG_DIRS`.
    Kafka,
    /// flokkr's own launcher: `NAME.EXT_key` with values as they are meant.
    Launch,
    /// No launcher: the image does not look at its environment for configuration.
    None,
}

impl Dialect {
    /// Every dialect, in the order in which they are listed to people.
    pub const ALL: [Self; 7] = [
        Self::Flokkr,
        Self::Apache,
        Self::Ozone,
        Self::Bde,
        Self::Kafka,
        Self::Launch,
        Self::None,
    ];

    /// The name in a blueprint, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flokkr => "flokkr",
            Self::Apache => "apache",
            Self::Ozone => "ozone",
            Self::Bde => "bde",
            Self::Kafka => "kafka",
            Self::Launch => "launch",
            Self::None => "none",
        }
    }

    /// The dialect of this lower-case name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// The program that reads the variables, as the subject of a sentence.
    pub(super) const fn launcher(self) -> &'static str {
        match self {
            Self::Flokkr => "envtoconf 1.2.2",
            Self::Apache => "envtoconf.py of apache/hadoop",
            Self::Ozone => "envtoconf.py of apache/ozone",
            Self::Bde => "the big-data-europe entrypoint",
            Self::Kafka => "the apache/kafka wrapper",
            Self::Launch => "flokkr launch",
            Self::None => "this image",
        }
    }

    /// Whether the launcher is one of the two in Python.
    pub(super) const fn is_python(self) -> bool {
        matches!(self, Self::Apache | Self::Ozone)
    }

    /// Whether the launcher has a writer of this format: no release of envtoconf has `ini`.
    pub(super) const fn knows(self, format: Format) -> bool {
        match self {
            Self::Flokkr | Self::Apache | Self::Ozone => !matches!(format, Format::Ini),
            Self::Bde => matches!(format, Format::Xml),
            Self::Kafka => matches!(format, Format::Properties),
            Self::Launch => true,
            Self::None => false,
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
