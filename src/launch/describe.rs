//! What would be done, in words, for `--dry-run`.
//!
//! Owns the words; what of them is masked is [`secret`]'s.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::time::Duration;

use indexmap::IndexMap;

use super::{AgentText, ConfigFile, Download, Launch, secret};
use crate::plan;

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
        out.line(&format!("clone {url} to {to}"));
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
    let again = retry.map(|retry| {
        let (times, normal) = (retry.times, shown(retry.normal));
        format!(", {times} times at most unless it lasted {normal}")
    });
    out.line(&format!(
        "run {}{}",
        command(words),
        again.unwrap_or_default()
    ));
    if !pause_after.is_zero() {
        out.line(&format!("sleep {}", shown(*pause_after)));
    }
    out.text
}

/// A command as a shell would have it.
fn command(words: &[OsString]) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let masked = secret::masked_words(words.iter().map(AsRef::as_ref));
    let quoted: Vec<String> = masked.iter().map(|word| plan::quote(word)).collect();
    quoted.join(" ")
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{}", secret::masked(line));
    }

    fn file(&mut self, file: &ConfigFile) {
        let base = file.base.as_ref();
        let over = base.map(|base| format!(", over what {base} has"));
        self.line(&format!("write {}{}", file.path, over.unwrap_or_default()));
        let masked =
            |(key, value): (&String, &String)| (key.clone(), secret::masked_value(key, value));
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
        let Download { url, to, .. } = download;
        self.line(&format!("{what} {url} to {to}{proven}"));
    }
}

fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}
