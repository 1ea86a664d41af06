//! `flokkr gen`: emits files to a directory, a file or standard output; with `--check` only says
//! what would change.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::{DRIFT, SAME, Session};
use crate::cli::Gen;
use crate::diff;
use crate::file::File;
use crate::target::Layout;
use crate::workspace::{self, Outcome, Place};

pub(super) fn run(typed: &Gen, session: &mut Session) -> Option<u8> {
    let Gen {
        target,
        blueprint,
        input,
        output,
        single_file,
        check,
        prune,
        overwrite,
        launcher,
    } = typed;
    session.targets(target)?;
    if *check && output.as_deref() == Some(Utf8Path::new("-")) {
        return session.fail(
            "usage",
            "--check compares with what is there, and nothing is at -; name a directory or a file, or pipe \
             it into `flokkr diff TARGET -`",
        );
    }
    let loaded = session.cluster(blueprint.as_deref(), input)?;
    let layout = if *single_file {
        Layout::Single
    } else {
        Layout::Several
    };
    let files = session.emit(&loaded, target, layout)?;
    session.denied(input)?;
    if files.is_empty() {
        for target in session.targets(target)? {
            session.say(&format!("{}: {}", target.name(), target.nothing()));
        }
    }
    let Some(output) = output.as_ref().filter(|o| *o != "-") else {
        session.print(&stream(&files))?;
        return Some(SAME);
    };
    let (directory, files, whole) = place(output, files, session)?;
    if *check {
        return compare(&directory, &files, whole, session);
    }
    let options = workspace::Options {
        overwrite: *overwrite,
        prune: *prune,
        whole,
    };
    let paths = std::mem::take(&mut session.programs);
    let programs = workspace::Programs {
        paths: &paths,
        from: launcher.as_deref(),
    };
    match workspace::write(&directory, &files, programs, options) {
        Ok(outcome) => {
            say(&directory, &outcome, *prune, session);
            Some(SAME)
        }
        Err(failure) => {
            let Outcome {
                written, removed, ..
            } = failure.done;
            let done = Outcome {
                written,
                removed,
                ..Outcome::default()
            };
            say(&directory, &done, *prune, session);
            session.problems.wrote(done.written.len());
            for reason in failure.reasons {
                session.fail::<()>("not-written", reason);
            }
            None
        }
    }
}

/// Where files go, and whether that is a directory of its own: an output that ends like a file, or is
/// one, takes the only file there is.
fn place(
    output: &Utf8Path,
    mut files: Vec<File>,
    session: &mut Session,
) -> Option<(Utf8PathBuf, Vec<File>, bool)> {
    if output.as_str().is_empty() {
        return session.fail(
            "usage",
            "-o names nothing; name a directory, a file, or - for standard output",
        );
    }
    let named_so = output
        .extension()
        .is_some_and(|e| matches!(e, "yaml" | "yml" | "hcl"));
    let there = workspace::place(output);
    if there == Place::Directory || (!named_so && there == Place::Free) {
        return Some((output.to_owned(), files, true));
    }
    let ([only], Some(name)) = (files.as_mut_slice(), output.file_name()) else {
        let message = format!(
            "{output} is one file, but there are {} to write; name a directory",
            files.len()
        );
        return session.fail("not-written", message);
    };
    only.path = name.into();
    let directory = output.parent().filter(|p| !p.as_str().is_empty());
    let directory = directory.unwrap_or(Utf8Path::new(".")).to_owned();
    Some((directory, files, false))
}

/// Files one after the other, each of several below its name.
pub(super) fn stream(files: &[File]) -> String {
    let mut out = String::new();
    for (index, file) in files.iter().enumerate() {
        if files.len() > 1 {
            // A stream of YAML documents can go on to whoever applies them.
            let line = match file.path.extension() {
                _ if index == 0 => "",
                Some("yaml") => "---\n",
                _ => "\n",
            };
            let _ = writeln!(out, "{line}# {}", file.path);
        }
        out.push_str(&file.text);
    }
    out
}

fn compare(directory: &Utf8Path, files: &[File], whole: bool, session: &mut Session) -> Option<u8> {
    let there = match workspace::found(directory, files, whole) {
        Ok(there) => there,
        Err(reason) => return session.fail("io", reason),
    };
    let report = diff::compare(files, &there);
    let called = |path: &Utf8Path| directory.join(path).to_string();
    session.print(&diff::text(&report, &called, "blueprint"))?;
    Some(if report.is_empty() { SAME } else { DRIFT })
}

fn shown(directory: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    if directory == "." {
        return path.to_owned();
    }
    directory.join(path)
}

fn say(directory: &Utf8Path, outcome: &Outcome, pruned: bool, session: &Session) {
    let Outcome {
        written,
        unchanged,
        removed,
        stale,
    } = outcome;
    let list = [
        ("wrote", written),
        ("unchanged", unchanged),
        ("removed", removed),
    ];
    for (verb, paths) in list {
        for path in paths {
            session.say(&format!("{verb} {}", shown(directory, path)));
        }
    }
    let why = if pruned {
        "but it was edited since flokkr wrote it, so it stays"
    } else {
        "--prune removes it unless it was edited"
    };
    for path in stale {
        session.say(&format!(
            "stale {}: the blueprint no longer gives it; {why}",
            shown(directory, path)
        ));
    }
}
