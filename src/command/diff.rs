//! `flokkr diff`: compares what a blueprint gives with a directory, a file or standard input.

use camino::Utf8Path;

use super::{DRIFT, SAME, Session};
use crate::cli::Diff;
use crate::diff;
use crate::target::Layout;
use crate::workspace::{self, Place};

pub(super) fn run(typed: &Diff, session: &mut Session) -> Option<u8> {
    let Diff {
        target,
        words,
        input,
    } = typed;
    session.targets(target)?;
    let (blueprint, against) = match words.as_slice() {
        [against] => (None, against),
        [blueprint, against] if input.file.is_none() => (Some(blueprint.as_str()), against),
        _ => {
            return session.fail(
                "usage",
                "name the blueprint once: with -f, or as a word before what to compare with",
            );
        }
    };
    let against = Utf8Path::new(against);
    let place = workspace::place(against);
    if against != "-" && place == Place::Free {
        return session.fail("io", format!("there is no {against} to compare with"));
    }
    if against == "-" && (blueprint == Some("-") || input.file.as_deref() == Some("-")) {
        return session.fail(
            "usage",
            "standard input can't be both the blueprint and what to compare with",
        );
    }
    let loaded = session.cluster(blueprint, input)?;
    // One file, or a stream, is compared with everything in one.
    let layout = if place == Place::Directory {
        Layout::Several
    } else {
        Layout::Single
    };
    let files = session.emit(&loaded, target, layout)?;
    session.denied(input)?;
    let directory = place == Place::Directory;
    let there = if directory {
        workspace::found(against, &files, true)
    } else {
        workspace::found_file(against, &files)
    };
    let there = match there {
        Ok(there) => there,
        Err(reason) => return session.fail("io", reason),
    };
    let report = diff::compare(&files, &there);
    let called = |path: &Utf8Path| match against.as_str() {
        "-" => "stdin".to_owned(),
        _ if directory => against.join(path).to_string(),
        file => file.to_owned(),
    };
    session.print(&diff::text(&report, &called, "blueprint"))?;
    Some(if report.is_empty() { SAME } else { DRIFT })
}
