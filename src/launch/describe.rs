//! What would be done, in words, for `--dry-run`.
//!
//! Owns which values are secrets by the look of their keys, and masks them.

use std::fmt::Write as _;
use std::time::Duration;

use indexmap::IndexMap;

use super::{AgentText, ConfigFile, Download, Launch};
use crate::plan;

/// What stands for a secret.
const MASK: &str = "********";

/// All that a launch would do, a line each and the texts of files below theirs.
pub fn describe(launch: &Launch) -> String {
    let Launch {
        defaults,
        directory,
        files,
        owned,
        user,
        clone,
        downloads,
        waits,
        pause,
        pause_after,
        kerberos,
        steps,
        agents,
        agent_files,
        retry,
        words,
    } = launch;
    let mut out = Lines::default();
    for path in owned {
        out.line(&format!("make {path} writable for the process"));
    }
    if let Some((uid, gid)) = user {
        out.line(&format!("go on as user {uid}:{gid}"));
    }
    if let Some((url, to)) = clone {
        out.line(&format!("clone {} to {to}", without_password(url)));
    }
    for download in downloads {
        out.download(download);
    }
    if let Some(waits) = waits {
        let names: Vec<String> = waits.endpoints.iter().map(ToString::to_string).collect();
        let of = match waits.count {
            count if count == names.len() => String::new(),
            count => format!("{count} of "),
        };
        let limit = shown(waits.limit);
        out.line(&format!(
            "wait for {of}{}, {limit} at most",
            names.join(", ")
        ));
    }
    if !pause.is_zero() {
        out.line(&format!("sleep {}", shown(*pause)));
    }
    if let Some(directory) = directory {
        let unless = if defaults.needed {
            ""
        } else {
            ", if it is there,"
        };
        for path in &defaults.places {
            out.line(&format!("copy {path}{unless} to {directory}"));
        }
    }
    for file in files {
        out.file(file);
    }
    if let Some(kerberos) = kerberos {
        out.line(&format!("write {}", kerberos.settings));
        for (what, names) in [
            ("keytabs", &kerberos.keytabs),
            ("keystores", &kerberos.keystores),
        ] {
            if !names.is_empty() {
                out.line(&format!(
                    "fetch the {what} {} from {} to {}",
                    names.join(", "),
                    kerberos.issuer,
                    kerberos.directory
                ));
            }
        }
    }
    for step in steps {
        out.line(&step.to_string());
    }
    for file in agent_files {
        match &file.from {
            AgentText::Here(_) => out.line(&format!("write {}", file.path)),
            AgentText::Fetched(download) => out.download(download),
        }
    }
    if let Some((variable, options)) = agents {
        out.line(&format!("add to {variable} of the process: {options}"));
    }
    let quoted: Vec<String> = words
        .iter()
        .map(|word| plan::quote(&word.to_string_lossy()))
        .collect();
    let again = retry.map(|retry| {
        let (times, normal) = (retry.times, shown(retry.normal));
        format!(", {times} times at most unless it lasted {normal}")
    });
    out.line(&format!(
        "run {}{}",
        quoted.join(" "),
        again.unwrap_or_default()
    ));
    if !pause_after.is_zero() {
        out.line(&format!("sleep {}", shown(*pause_after)));
    }
    out.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn file(&mut self, file: &ConfigFile) {
        let base = file.base.as_ref();
        let over = base.map(|base| format!(", over what {base} has"));
        self.line(&format!("write {}{}", file.path, over.unwrap_or_default()));
        let masked = |(key, value): (&String, &String)| {
            let value = if is_secret(key, value) { MASK } else { value };
            (key.clone(), value.to_owned())
        };
        let shown = ConfigFile {
            entries: file.entries.iter().map(masked).collect::<IndexMap<_, _>>(),
            base: None,
            ..file.clone()
        };
        let text = shown.text(None).unwrap_or_default();
        for line in text.lines() {
            self.line(&format!("    {line}"));
        }
    }

    fn download(&mut self, download: &Download) {
        let what = if download.unpack { "unpack" } else { "fetch" };
        let proven = if download.digest.is_some() {
            ", proven by its digest"
        } else {
            ""
        };
        let url = without_password(&download.url);
        self.line(&format!("{what} {url} to {}{proven}", download.to));
    }
}

/// Is the value of this key one that no log should have?
fn is_secret(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let named = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "credential",
        "token",
        "access.key",
        "private.key",
        "apikey",
        "jaas.config",
    ];
    let harmless = matches!(value, "true" | "false" | "")
        || value.chars().all(|c| c.is_ascii_digit())
        || value.starts_with("org.apache.")
        || (key.ends_with("path") || key.ends_with("file")) && value.starts_with('/');
    named.iter().any(|name| key.contains(name)) && !harmless
        || without_password(value).len() != value.len()
}

/// An address without the password in it.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
        Some((authority, path)) => (authority, path),
        None => (rest, ""),
    };
    match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => format!("{scheme}://{MASK}@{host}{path}"),
        _ => url.to_owned(),
    }
}

fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}
