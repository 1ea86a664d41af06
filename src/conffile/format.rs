//! The formats of configuration files and the extensions that stand for them.
//!
//! Owns the names only. The bytes of each format live in the modules beside this one; which launcher
//! knows which format is for `env` to say.

/// The syntax of a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Hadoop's `<configuration>` of `<property>` blocks.
    Xml,
    /// What `java.util.Properties` reads.
    Properties,
    /// `key=value` lines, read by `java.util.Properties` as well (`zoo.cfg`, `server.properties`).
    Cfg,
    /// `KEY=value` lines without any quoting, as `docker run --env-file` takes them.
    Env,
    /// `export KEY=value` lines for a shell that sources the file.
    Sh,
    /// The same lines as [`Format::Sh`]; envtoconf writes them for the extension `conf`.
    Conf,
    /// A tree of maps and lists, spelled in the keys with dots.
    Yaml,
    /// Sections in brackets; the section is the text of a key before its first dot.
    Ini,
}

impl Format {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: [Self; 8] = [
        Self::Xml,
        Self::Properties,
        Self::Cfg,
        Self::Env,
        Self::Sh,
        Self::Conf,
        Self::Yaml,
        Self::Ini,
    ];

    /// The name that is written after `!` in a blueprint, which is also the extension.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Properties => "properties",
            Self::Cfg => "cfg",
            Self::Env => "env",
            Self::Sh => "sh",
            Self::Conf => "conf",
            Self::Yaml => "yaml",
            Self::Ini => "ini",
        }
    }

    /// The format of this lower-case name; `yml` is a second name of YAML, as it is in envtoconf.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "yml" => Some(Self::Yaml),
            _ => Self::ALL.into_iter().find(|format| format.name() == name),
        }
    }

    /// The format that a lower-case extension stands for when nothing else is said.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::parse(extension)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
