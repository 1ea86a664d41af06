//! What one scalar can say: counts, ports, durations, sizes, and the words of each enumeration.

use serde_json::{Value as Json, json};

use super::read::FromText;
use super::record::choices;

choices! {
    /// How a service's processes are run.
    pub enum Kind {
        /// Interchangeable replicas.
        Service = "service",
        /// Replicas with a stable identity (name, number, volume) each.
        Ensemble = "ensemble",
        /// One on every node.
        Daemon = "daemon",
        /// Runs to its end.
        Job = "job",
    }

    /// How config reaches the process.
    pub enum Delivery {
        /// As environment variables that the image's launcher turns into files.
        Env = "env",
        /// As finished files, mounted.
        Files = "files",
    }

    /// The shell that an image has.
    pub enum Shell {
        /// `bash`: `/dev/tcp` works, dotted variables survive.
        Bash = "bash",
        /// Only a POSIX `sh` (dash, ash): no `/dev/tcp`, dotted variables are lost.
        Sh = "sh",
        /// None.
        None = "none",
    }

    /// What runs the image's own entrypoint.
    pub enum Entrypoint {
        /// A bash script.
        Bash = "bash",
        /// A script of `/bin/sh`: dash and ash remove variables whose names have dots or dashes.
        Sh = "sh",
        /// A program, or no entrypoint at all.
        Exec = "exec",
    }

    /// What the image's entrypoint does with the words of the command.
    pub enum Argv {
        /// Passes them on as they are.
        Exec = "exec",
        /// Splits them again at blanks (`exec $@`).
        Split = "split",
        /// Joins them and lets a shell evaluate the line.
        Eval = "eval",
    }

    /// What installs packages in an image.
    pub enum Packager {
        /// Debian, Ubuntu.
        Apt = "apt",
        /// Alpine.
        Apk = "apk",
        /// Fedora, Red Hat's UBI, and their relatives.
        Dnf = "dnf",
        /// UBI's minimal images.
        Microdnf = "microdnf",
    }

    /// How many replicas of a needed ensemble must be there.
    pub enum Quorum {
        /// Every one.
        All = "all",
        /// More than half.
        Majority = "majority",
        /// At least one.
        Any = "any",
    }

    /// What happens when the process ends.
    pub enum Restart {
        /// It is started again.
        Always = "always",
        /// It is started again unless it ended well.
        OnFailure = "on-failure",
        /// Nothing.
        Never = "never",
    }

    /// What a volume is made of.
    pub enum VolumeKind {
        /// Kept as long as the cluster; one per replica.
        Persistent = "persistent",
        /// Kept; one for all replicas.
        Shared = "shared",
        /// Lives as long as the container.
        Temporary = "temporary",
        /// In memory.
        Memory = "memory",
        /// A directory of the node.
        Host = "host",
    }

    /// What replicas are kept apart by.
    pub enum Spread {
        /// Nodes.
        Host = "host",
        /// Zones.
        Zone = "zone",
    }

    /// Transport of a port.
    pub enum Protocol {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }
}

/// Most replicas that a service may have.
pub const MAX_REPLICAS: u32 = 1000;

/// A number of replicas, from 1 to [`MAX_REPLICAS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u32);

impl FromText for Count {
    fn expected() -> String {
        format!("a whole number from 1 to {MAX_REPLICAS}")
    }

    fn from_text(text: &str) -> Option<Self> {
        let number: u32 = digits(text)?;
        (1..=MAX_REPLICAS).contains(&number).then_some(Self(number))
    }

    fn scalar_schema() -> Json {
        json!({"type": "integer", "minimum": 1, "maximum": MAX_REPLICAS})
    }
}

/// A number of tries.
impl FromText for u32 {
    fn expected() -> String {
        "a whole number".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        digits(text)
    }

    fn scalar_schema() -> Json {
        json!({"type": "integer", "minimum": 0})
    }
}

/// A port, from 1.
impl FromText for u16 {
    fn expected() -> String {
        "a port number from 1 to 65535".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        digits(text).filter(|n| *n > 0)
    }

    fn scalar_schema() -> Json {
        json!({"type": "integer", "minimum": 1, "maximum": 65535})
    }
}

fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let whole = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| text.parse().ok()).flatten()
}

impl FromText for bool {
    fn expected() -> String {
        "`true` or `false`".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn scalar_schema() -> Json {
        json!({"type": "boolean"})
    }

    fn names() -> Vec<&'static str> {
        vec!["true", "false"]
    }
}

/// `true`, `false`, or the port of the node to publish on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// Not published.
    No,
    /// On the port's own number.
    Same,
    /// On this one.
    On(u16),
}

impl FromText for Publish {
    fn expected() -> String {
        "`true`, `false` or a port number from 1 to 65535".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "true" => Some(Self::Same),
            "false" => Some(Self::No),
            _ => u16::from_text(text).map(Self::On),
        }
    }

    fn scalar_schema() -> Json {
        json!({"anyOf": [bool::scalar_schema(), u16::scalar_schema()]})
    }
}

/// A length of time in milliseconds, written `500ms`, `30s`, `5m`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub u64);

impl FromText for Duration {
    fn expected() -> String {
        "a length of time such as 500ms, 30s, 5m or 1h".to_owned()
    }

    fn hint(text: &str) -> Option<String> {
        digits::<u64>(text).map(|number| format!("a number needs its unit: {number}s"))
    }

    fn from_text(text: &str) -> Option<Self> {
        let at = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at_checked(at)?;
        let unit: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let value = digits::<u64>(number)?.checked_mul(unit)?;
        (value <= 365 * 24 * 3_600_000).then_some(Self(value))
    }

    fn scalar_schema() -> Json {
        json!({"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"})
    }
}

/// An amount of bytes, written `512Mi`, `1Gi`, `500M` or as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromText for Size {
    fn expected() -> String {
        "a size such as 512Mi, 10Gi or 500M".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let at = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(at)?;
        let unit: u64 = match unit {
            "" => 1,
            "k" => 1000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            "Ti" => 1 << 40,
            _ => return None,
        };
        let value = digits::<u64>(number)?.checked_mul(unit)?;
        (value > 0).then_some(Self(value))
    }

    fn scalar_schema() -> Json {
        json!({"anyOf": [
            {"type": "string", "pattern": "^[0-9]+([kMGT]|[KMGT]i)?$"},
            {"type": "integer", "minimum": 1},
        ]})
    }
}

/// An amount of processors in thousandths, written `0.5`, `2` or `500m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpu(pub u32);

impl FromText for Cpu {
    fn expected() -> String {
        "an amount of processors such as 0.5, 2 or 500m".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let millis = if let Some(number) = text.strip_suffix('m') {
            digits::<u32>(number)?
        } else {
            let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
            if part.is_empty() || part.len() > 3 {
                return None;
            }
            let part: u32 = digits(&format!("{part:0<3}"))?;
            digits::<u32>(whole)?.checked_mul(1000)?.checked_add(part)?
        };
        (1..=1_000_000).contains(&millis).then_some(Self(millis))
    }

    fn scalar_schema() -> Json {
        json!({"anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": "^([0-9]+m|[0-9]+(\\.[0-9]{1,3})?)$"},
        ]})
    }
}

/// A numeric user, written `1000` or `1000:100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id, when given.
    pub gid: Option<u32>,
}

impl FromText for User {
    fn hint(text: &str) -> Option<String> {
        (text == "root").then(|| "root is \"0\"".to_owned())
    }

    fn expected() -> String {
        "numeric ids such as \"1000\" or \"1000:100\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some((uid, gid)) => Some(Self {
                uid: digits(uid)?,
                gid: Some(digits(gid)?),
            }),
            None => Some(Self {
                uid: digits(text)?,
                gid: None,
            }),
        }
    }

    fn scalar_schema() -> Json {
        json!({"anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": "^[0-9]+(:[0-9]+)?$"},
        ]})
    }
}

/// Permission bits, written in octal as `"0755"`: no more than `"0777"`, as an API server of Kubernetes
/// demands (`validateKeyToPath`, 1.34).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u32);

impl FromText for Mode {
    fn expected() -> String {
        "permissions in octal such as \"0644\", at most \"0777\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let octal =
            (3..=4).contains(&text.len()) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        let bits = octal.then(|| u32::from_str_radix(text, 8).ok()).flatten()?;
        (bits <= 0o777).then_some(Self(bits))
    }

    fn scalar_schema() -> Json {
        json!({"anyOf": [
            {"type": "string", "pattern": "^0?[0-7]{3}$"},
            {"type": "integer"},
        ]})
    }
}

/// An absolute path inside a container: no `..`, no control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPath(pub String);

impl FromText for ContainerPath {
    fn expected() -> String {
        "an absolute path such as /data".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let good = text.starts_with('/')
            && !text.chars().any(char::is_control)
            && !text.split('/').any(|part| part == ".." || part == ".");
        // One directory, one spelling: `/data/` and `//data` are `/data`.
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        good.then(|| Self(format!("/{}", parts.join("/"))))
    }

    fn scalar_schema() -> Json {
        json!({"type": "string", "pattern": "^/"})
    }
}
