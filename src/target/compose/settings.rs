//! `targets.compose`: what only Compose knows.

use crate::blueprint::record::choices;
use crate::blueprint::{At, FromText, Map, Patch, Text, records};
use crate::problem::{Problem, Problems, Span};

choices! {
    /// The network that containers are in.
    pub enum Network {
        /// A network of the project's own; services find each other by name.
        Bridge = "bridge",
        /// The node's network: ports are the node's, every name is `localhost`.
        Host = "host",
    }
}

records! {
    /// Settings of the target `compose`.
    pub struct ComposeSettings at "targets.compose" {
        /// The oldest version of Docker Compose that must take the file: 2.26 unless given, at least
        /// 2.20.
        pub version: Option<At<Version>> = "version", "version: \"2.30\"";
        /// `bridge` (the default) or `host`.
        pub network: Option<At<Network>> = "network", "network: bridge";
        /// The address of the node that published ports listen on; `127.0.0.1` unless given, so
        /// that nothing is open to the outside by accident. `0.0.0.0` opens it.
        pub bind: Option<At<String>> = "bind", "bind: 0.0.0.0";
        /// The folder with the build contexts that another target emits, as it is seen from the
        /// file: images with `build` are built from there. Absent, every image must exist.
        pub build: Option<At<String>> = "build", "build: ../docker";
        /// Losses that are known and accepted, each with the reason: no warning is given for them where this
        /// file, or one that it includes, declares what is lost.
        pub accept: Map<Text> = "accept", "accept: { health.alive: the node restarts nothing }";
        /// Laid over the whole file: maps merge, lists replace, null removes. `$` is Compose's own
        /// here: write `$$` for one.
        pub patch: Option<Patch> = "patch", "patch: { networks: { default: { driver: bridge } } }";
    }
}

/// The settings, defaults included.
pub(super) type Settings = ComposeSettings;

/// What Compose cannot carry, by the name that `accept` takes.
pub(super) const LOSSES: [&str; 11] = [
    "build",
    "files.mode",
    "health.alive",
    "needs.quorum",
    "placement",
    "ports.publish",
    "secrets.mode",
    "stop.before",
    "volumes.class",
    "volumes.memory",
    "volumes.temporary",
];

/// A version of Docker Compose: 2, and these two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    const OLDEST: Self = Self(20, 0);
    const DEFAULT: Self = Self(26, 0);
    /// `configs` have their content in the file; the compose-go of 2.23.0 does not know that.
    pub(super) const CONTENT: Self = Self(23, 1);
    /// `pre_stop` hooks (compose-go 2.4.1); 2.29.7 has a compose-go without.
    pub(super) const HOOKS: Self = Self(30, 0);
}

impl FromText for Version {
    fn expected() -> String {
        "a version of Docker Compose such as \"2.30\" or \"2.23.1\", at least 2.20".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| digits)
        };
        let rest = text.strip_prefix("2.")?;
        let version = match rest.split_once('.') {
            Some((minor, patch)) => Self(number(minor)?, number(patch)?),
            None => Self(number(rest)?, 0),
        };
        (version >= Self::OLDEST).then_some(version)
    }

    fn scalar_schema() -> serde_json::Value {
        serde_json::json!({"type": ["string", "number"], "pattern": "^2\\.[0-9]+(\\.[0-9]+)?$"})
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: None,
            network: None,
            bind: None,
            build: None,
            accept: Map::default(),
            patch: None,
            span: Span::nowhere(),
        }
    }
}

impl Settings {
    /// The oldest version that must take the file.
    pub(super) fn version(&self) -> Version {
        self.version.map_or(Version::DEFAULT, |v| v.value)
    }

    /// Containers are in the node's network.
    pub(super) fn is_host(&self) -> bool {
        self.network.is_some_and(|n| n.value == Network::Host)
    }

    /// The address that published ports listen on.
    pub(super) fn bind(&self) -> &str {
        self.bind.as_ref().map_or("127.0.0.1", |b| &b.value)
    }

    /// Checks what can be told from the settings alone.
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(bind) = &self.bind
            && bind.value.parse::<std::net::IpAddr>().is_err()
        {
            problems.add(
                Problem::error("wrong-value", format!("`{}` is no address", bind.value))
                    .at(bind.span)
                    .label("expected an IP address such as 127.0.0.1 or 0.0.0.0"),
            );
        }
        if let Some(build) = &self.build
            && (build.value.is_empty() || build.value.chars().any(char::is_control))
        {
            problems.add(
                Problem::error("wrong-value", format!("`{}` is no folder", build.value))
                    .at(build.span)
                    .label("expected a path from the file to the folder, such as ../docker"),
            );
        }
    }
}
