//! The variables that the launcher itself reads, as typed values.
//!
//! Owns their names, defaults and forms. Names and meanings are those of the launchers of flokkr,
//! apache/hadoop, apache/ozone and big-data-europe images where these have them; names that begin with
//! `FLOKKR_` are this launcher's own. A value that is not understood is a problem, never a default.

use std::cell::RefCell;
use std::net::Ipv6Addr;
use std::time::Duration;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::secret::masked;
use super::{Digest, Download, Endpoint, Environment, Garbled, Kerberos, Retry, Waits};
use crate::env::Dialect;
use crate::problem::{Problem, Problems, one_of};

/// Names of this launcher's own.
const OWN: [&str; 7] = [
    "FLOKKR_CONF_DIR",
    "FLOKKR_DEFAULTS",
    "FLOKKR_DIALECT",
    "FLOKKR_MERGE",
    "FLOKKR_OWNED",
    "FLOKKR_REPLICA",
    "FLOKKR_USER",
];

/// What published launchers do and this one does not, with the way round.
const NOT_THERE: [(&str, &str); 4] = [
    (
        "CONSUL_ENABLED",
        "let the platform restart the process when its config in Consul changes",
    ),
    (
        "KUBERNETES_CONFIGMAP",
        "mount the ConfigMap, and let a checksum on the pod restart it",
    ),
    (
        "SSHD_ENABLE",
        "use the platform's way into a container (exec)",
    ),
    (
        "BTRACE_ENABLED",
        "put the agent into the server's options: FLOKKR_AGENT",
    ),
];

/// Reads variables, and collects what is wrong with them.
pub(super) struct Reader<'a> {
    env: &'a Environment,
    garbled: &'a Garbled,
    /// Those of them that were read.
    unreadable: RefCell<Garbled>,
    problems: &'a mut Problems,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        env: &'a Environment,
        garbled: &'a Garbled,
        problems: &'a mut Problems,
    ) -> Self {
        Self {
            env,
            garbled,
            unreadable: RefCell::default(),
            problems,
        }
    }

    /// All variables.
    pub(super) fn env(&self) -> &'a Environment {
        self.env
    }

    /// Notes that what a variable says is read. What is not UTF-8 can't be.
    pub(super) fn reads(&self, name: &str) {
        if self.garbled.contains(name) {
            self.unreadable.borrow_mut().insert(name.to_owned());
        }
    }

    /// The names of variables that are not UTF-8.
    pub(super) fn garbled(&self) -> &'a Garbled {
        self.garbled
    }

    /// Refuses what was read and is not UTF-8.
    pub(super) fn not_readable(&mut self) {
        for name in self.unreadable.take() {
            let problem = Problem::error("wrong-value", format!("{name} is not UTF-8"));
            self.report(problem);
        }
    }

    /// Reports a problem, without the secrets that are in it.
    pub(super) fn report(&mut self, mut problem: Problem) {
        problem.message = masked(&problem.message);
        self.problems.add(problem);
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.problems.errors()
    }

    /// A variable that is set, and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.env.get(name)?.as_str();
        self.reads(name);
        (!text.is_empty()).then_some(text)
    }

    fn wrong(&mut self, name: &str, value: &str, expected: &str) {
        let problem = Problem::error("wrong-value", format!("{name} is `{value}`"));
        self.report(problem.help(format!("expected {expected}")));
    }

    /// Whether a switch is on. The published launchers take any text for on, `false` too; nobody can
    /// have meant that.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false" | "no" | "off" | "0") => false,
            Some("true" | "yes" | "on" | "1") => true,
            Some(other) => {
                self.wrong(name, other, "true or false");
                false
            }
        }
    }

    /// A time: seconds, or a number with its unit.
    pub(super) fn duration(&mut self, name: &str, default: Duration) -> Duration {
        let Some(text) = self.text(name) else {
            return default;
        };
        duration(text.trim()).unwrap_or_else(|| {
            self.wrong(name, text, "seconds, or a time such as 90s, 5m or 1h");
            default
        })
    }

    fn number(&mut self, name: &str, default: u32) -> u32 {
        let Some(text) = self.text(name) else {
            return default;
        };
        text.trim().parse().unwrap_or_else(|_| {
            self.wrong(name, text, "a number");
            default
        })
    }

    /// Words between blanks and commas.
    pub(super) fn words(&self, name: &str) -> Vec<&'a str> {
        let text = self.text(name).unwrap_or_default();
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// An absolute path, with or without `file://` before it.
    pub(super) fn path(&mut self, name: &str) -> Option<Utf8PathBuf> {
        let text = self.text(name)?;
        let path = Utf8Path::new(text.strip_prefix("file://").unwrap_or(text));
        if path.is_absolute() {
            return Some(path.to_owned());
        }
        self.wrong(name, text, "an absolute path");
        None
    }

    /// Absolute paths with commas between, as Hadoop has its directories.
    pub(super) fn paths(&mut self, name: &str) -> Option<Vec<Utf8PathBuf>> {
        let text = self.text(name)?;
        let words = text.split(',').map(str::trim);
        let words = words.filter(|word| !word.is_empty());
        let paths: Option<Vec<Utf8PathBuf>> = words.map(local_path).collect();
        let paths = paths.filter(|paths| !paths.is_empty());
        if paths.is_none() {
            self.wrong(
                name,
                text,
                "an absolute path, or several with commas between",
            );
        }
        paths
    }

    /// The convention that the variables are written in.
    pub(super) fn dialect(&mut self) -> Option<Dialect> {
        let text = self.text("FLOKKR_DIALECT")?;
        let dialect = Dialect::parse(text);
        if dialect.is_none() {
            let names = || Dialect::ALL.into_iter().map(Dialect::name);
            let problem = Problem::error("wrong-value", format!("FLOKKR_DIALECT is `{text}`"));
            let problem = problem.help(format!("expected {}", one_of(names())));
            self.report(problem.nearest(text, names()));
        }
        dialect
    }

    /// Warns of names that look like this launcher's own and are not.
    pub(super) fn unknown_names(&mut self) {
        let env = self.env;
        let own = env.keys().filter(|name| {
            name.starts_with("FLOKKR_")
                && !OWN.contains(&name.as_str())
                && !name.starts_with("FLOKKR_AGENT")
        });
        for name in own {
            let problem = Problem::warning("unknown-key", format!("{name} is not read"));
            self.report(problem.nearest(name, OWN));
        }
    }

    /// Refuses what another launcher would do and this one can't: a cluster that starts without it
    /// would not be the one that was asked for.
    pub(super) fn not_there(&mut self) {
        for (name, way) in NOT_THERE {
            let on = match name {
                "KUBERNETES_CONFIGMAP" => self.text(name).is_some(),
                _ => self.flag(name),
            };
            if on {
                let problem = Problem::error(
                    "unsupported",
                    format!("{name} is not carried out by this launcher"),
                );
                self.report(problem.help(way));
            }
        }
        if self.text("LAUNCHER_UPDATE").is_some() {
            let text = "LAUNCHER_UPDATE does nothing: this launcher is part of the image";
            self.report(Problem::warning("unsupported", text));
        }
    }

    /// Directories that must belong to the process.
    pub(super) fn owned(&mut self) -> Vec<Utf8PathBuf> {
        let named = self.words("FLOKKR_OWNED");
        if named.is_empty() && self.flag("PERMISSION_FIX") {
            return vec!["/data".into()];
        }
        let mut owned = Vec::new();
        for path in named {
            if Utf8Path::new(path).is_absolute() {
                owned.push(path.into());
            } else {
                self.wrong("FLOKKR_OWNED", path, "absolute paths");
            }
        }
        owned
    }

    /// The user that root becomes.
    pub(super) fn user(&mut self) -> Option<(u32, u32)> {
        let text = self.text("FLOKKR_USER")?;
        let (uid, gid) = text.split_once(':').unwrap_or((text, text));
        let ids = uid.parse().ok().zip(gid.parse().ok());
        if ids.is_none() {
            self.wrong("FLOKKR_USER", text, "numbers, UID:GID");
        }
        ids
    }

    /// What must answer first.
    pub(super) fn waits(&mut self, dialect: Dialect) -> Option<Waits> {
        let mut endpoints = Vec::new();
        for name in ["WAITFOR", "SERVICE_PRECONDITION"] {
            for word in self.words(name) {
                match endpoint(word) {
                    Some(endpoint) if endpoints.contains(&endpoint) => {}
                    Some(endpoint) => endpoints.push(endpoint),
                    None => self.wrong(name, word, "host:port, or an address with http://"),
                }
            }
        }
        // What the launchers wait at most: a try takes about a second in all but the last.
        let limit = match dialect {
            Dialect::Flokkr => 60,
            Dialect::Bde => 500,
            _ => 300,
        };
        let limit = self.duration("WAITFOR_TIMEOUT", Duration::from_secs(limit));
        let all = endpoints.len();
        if all == 0 && self.text("WAITFOR_COUNT").is_some() {
            let text = "WAITFOR_COUNT does nothing without WAITFOR";
            self.report(Problem::warning("unsupported", text));
            return None;
        }
        let count = match self.text("WAITFOR_COUNT") {
            None | Some("all") => all,
            Some("majority") => all / 2 + 1,
            Some("any") => 1,
            Some(text) => match text.parse() {
                Ok(count) if (1..=all).contains(&count) => count,
                _ => {
                    let expected = format!("all, majority, any, or a number up to {all}");
                    self.wrong("WAITFOR_COUNT", text, &expected);
                    all
                }
            },
        };
        (all > 0).then_some(Waits {
            endpoints,
            count,
            limit,
        })
    }

    /// What is fetched: `INSTALLER_SPARK=URL` unpacks to `/opt/spark`, `DOWNLOAD_X=URL PATH` is a file.
    pub(super) fn downloads(&mut self) -> Vec<Download> {
        let mut downloads = Vec::new();
        for (name, value) in self.env {
            let fetched = name.starts_with("INSTALLER_") || name.starts_with("DOWNLOAD_");
            if !fetched || value.is_empty() {
                continue;
            }
            self.reads(name);
            let (from, to, unpack) = if let Some(product) = name.strip_prefix("INSTALLER_") {
                let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                if product.trim_matches('.').is_empty() || !product.chars().all(fits) {
                    let problem = Problem::error("wrong-value", format!("{name} names no product"));
                    self.report(
                        problem.help("expected a name behind INSTALLER_, such as INSTALLER_SPARK"),
                    );
                    continue;
                }
                let to = Utf8Path::new("/opt").join(product.to_lowercase());
                (value.as_str(), to, true)
            } else {
                let mut words = value.split_whitespace();
                match (words.next(), words.next(), words.next()) {
                    (Some(url), Some(to), None) if to.starts_with('/') => (url, to.into(), false),
                    _ => {
                        self.wrong(name, value, "an address, a blank and an absolute path");
                        continue;
                    }
                }
            };
            match download(from, to, unpack) {
                Ok(download) => {
                    if download.digest.is_none() {
                        let text = format!("{name} has no digest: whatever comes is taken");
                        let help = "write it behind the address: URL#sha256=DIGEST, or #sha512=";
                        self.report(Problem::warning("unproven", text).help(help));
                    }
                    downloads.push(download);
                }
                Err(expected) => self.wrong(name, value, &expected),
            }
        }
        downloads
    }

    /// What an issuer is asked for.
    pub(super) fn kerberos(
        &mut self,
        dialect: Dialect,
        directory: Option<&Utf8Path>,
    ) -> Option<Kerberos> {
        let list = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
        let keytabs: Vec<String> = list(self.words("KERBEROS_KEYTABS"));
        let keystores: Vec<String> = list(self.words("KERBEROS_KEYSTORES"));
        if !self.flag("KERBEROS_ENABLED") && keytabs.is_empty() && keystores.is_empty() {
            return None;
        }
        for name in keytabs.iter().chain(&keystores) {
            if name.contains('/') {
                let what = "names without a slash";
                self.wrong("KERBEROS_KEYTABS or KERBEROS_KEYSTORES", name, what);
            }
        }
        let server = self.text("KERBEROS_SERVER").unwrap_or("krb5");
        let issuer = self.text("ISSUER_SERVER").map(str::to_owned);
        // Where each published launcher puts them.
        let usual = match (dialect, directory) {
            (Dialect::Flokkr | Dialect::Launch, Some(directory)) => directory.to_owned(),
            _ => "/etc/security/keytabs".into(),
        };
        let settings = self.path("KRB5_CONFIG");
        Some(Kerberos {
            server: server.to_owned(),
            realm: self
                .text("KERBEROS_REALM")
                .unwrap_or("EXAMPLE.COM")
                .to_owned(),
            issuer: issuer.unwrap_or_else(|| format!("{}:8081", without_port(server))),
            directory: self.path("KEYTAB_DIR").unwrap_or(usual),
            keytabs,
            keystores,
            settings: settings.unwrap_or_else(|| "/etc/krb5.conf".into()),
            limit: self.duration("KERBEROS_TIMEOUT", Duration::from_secs(300)),
        })
    }

    /// Whether a process that fails is started again.
    pub(super) fn retry(&mut self) -> Option<Retry> {
        let times = self.number("RETRY_NUMBER", 1);
        let normal = self.duration("RETRY_NORMAL_RUN_DURATION", Duration::from_secs(60));
        let pause = self.duration("RETRY_PAUSE", Duration::from_secs(10));
        (times > 1).then_some(Retry {
            times,
            normal,
            pause,
        })
    }
}

/// The host of a server that may be named with a port.
pub(super) fn without_port(server: &str) -> &str {
    match server.rsplit_once(':') {
        Some((host, port))
            if port.parse::<u16>().is_ok() && (host.ends_with(']') || !host.contains(':')) =>
        {
            host
        }
        _ => server,
    }
}

/// An absolute path, or the address of one with `file:`, as Hadoop takes both.
pub(super) fn local_path(text: &str) -> Option<Utf8PathBuf> {
    let path = match text.strip_prefix("file:") {
        None => text,
        Some(rest) => {
            let path = match rest.strip_prefix("//") {
                Some(path) => path,
                None => rest,
            };
            // Whatever means something else in an address than in a path.
            if path.contains(['%', '?', '#']) || path.starts_with("//") {
                return None;
            }
            path
        }
    };
    let path = Utf8Path::new(path);
    let plain = |part| !matches!(part, Utf8Component::ParentDir);
    let fits = path.is_absolute() && path.components().all(plain);
    fits.then(|| path.components().collect())
}

/// A number of seconds, or a number with its unit.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at_checked(digits.unwrap_or(text.len()))?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "" | "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    };
    // A year is long enough for whatever adds to the time of the day.
    seconds
        .filter(|s| *s <= 31_536_000)
        .map(Duration::from_secs)
}

/// `host:port`, `[address]:port`, or an address with `http://`.
fn endpoint(word: &str) -> Option<Endpoint> {
    let web = word.strip_prefix("http://");
    if let Some(rest) = web.or_else(|| word.strip_prefix("https://")) {
        let authority = rest.split(['/', '?', '#']).next()?;
        let server = authority.rsplit('@').next()?;
        let (host, port) = split_port(server);
        host_name(host)?;
        port.is_none_or(|port| port_number(port).is_some())
            .then_some(())?;
        return Some(Endpoint::Http(word.to_owned()));
    }
    let word = word.strip_prefix("tcp://").unwrap_or(word);
    let (host, port) = split_port(word);
    Some(Endpoint::Tcp(
        host_name(host)?.to_owned(),
        port_number(port?)?,
    ))
}

/// A host, and the port behind it.
fn split_port(server: &str) -> (&str, Option<&str>) {
    match server.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (server, None),
    }
}

/// A host without the brackets of an address.
fn host_name(host: &str) -> Option<&str> {
    let inside = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let inside = inside.unwrap_or(host);
    let address = inside.split('%').next().unwrap_or(inside);
    let odd = |c: char| c.is_whitespace() || "/?#@[]:,;".contains(c);
    let fits = if inside.contains(':') {
        address.parse::<Ipv6Addr>().is_ok()
    } else {
        inside == host && !host.is_empty() && !host.contains(odd)
    };
    fits.then_some(inside)
}

fn port_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

/// A download, by its address with a digest behind `#`.
pub(super) fn download(from: &str, to: Utf8PathBuf, unpack: bool) -> Result<Download, String> {
    let (url, digest) = match from.split_once('#') {
        None => (from, None),
        Some((url, digest)) => (url, Some(self::digest(digest)?)),
    };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err("an address with http:// or https://".to_owned());
    }
    if unpack && !is_archive(url) {
        return Err("the address of a .tar.gz, .tgz or .tar".to_owned());
    }
    Ok(Download {
        url: url.to_owned(),
        digest,
        to,
        unpack,
    })
}

fn is_archive(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or(url);
    [".tar.gz", ".tgz", ".tar"]
        .iter()
        .any(|end| path.ends_with(end))
}

fn digest(text: &str) -> Result<Digest, String> {
    let hexadecimal = |text: &str, length| {
        let fits = text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit());
        fits.then(|| text.to_ascii_lowercase())
    };
    let found = if let Some(hex) = text.strip_prefix("sha256=") {
        hexadecimal(hex, 64).map(Digest::Sha256)
    } else {
        let hex = text.strip_prefix("sha512=");
        hex.and_then(|hex| hexadecimal(hex, 128))
            .map(Digest::Sha512)
    };
    found.ok_or_else(|| "#sha256= with 64 hexadecimal digits, or #sha512= with 128".to_owned())
}
