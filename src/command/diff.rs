//! `flokkr diff`: compares what a blueprint gives with a directory, a file or standard input.

use camino::{Utf8Path, Utf8PathBuf};

use super::generate::stream;
use super::{DRIFT, SAME, Session};
use crate::cli::Diff;
use crate::diff::{self, Found};
use crate::file::File;
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
    let directory = place == Place::Directory;
    let called = |path: &Utf8Path| match against.as_str() {
        "-" => "stdin".to_owned(),
        _ if directory => against.join(path).to_string(),
        file => file.to_owned(),
    };
    let several = session.emit(&loaded, target, Layout::Several)?;
    session.denied(input)?;
    let there = match There::read(against, directory) {
        Ok(there) => there,
        Err(reason) => return session.fail("io", reason),
    };
    let files = if there.is(&several) {
        several
    } else {
        // All that can be said was said of the files apart; a target may have none in one.
        let said = std::mem::take(&mut session.problems);
        let single = session.emit(&loaded, target, Layout::Single);
        session.problems = said;
        single
            .filter(|single| !directory || there.is(single))
            .unwrap_or(several)
    };
    let compared = there.compare(files);
    let (files, there) = match compared {
        Ok(compared) => compared,
        Err(reason) => return session.fail("io", reason),
    };
    let report = diff::compare(&files, &there);
    session.print(&diff::text(&report, &called, "blueprint"))?;
    Some(if report.is_empty() { SAME } else { DRIFT })
}

/// What is there to compare with.
enum There<'a> {
    /// A directory, and what flokkr wrote into it.
    Directory(&'a Utf8Path, Vec<Utf8PathBuf>),
    /// One file, or standard input, and its text.
    Text(&'a Utf8Path, String),
}

impl<'a> There<'a> {
    fn read(against: &'a Utf8Path, directory: bool) -> Result<Self, String> {
        Ok(if directory {
            Self::Directory(against, workspace::owned(against)?)
        } else {
            Self::Text(against, workspace::text(against)?)
        })
    }

    /// Was it made of files of these names? A directory's list tells, and a stream of several begins
    /// with the name of the first.
    fn is(&self, files: &[File]) -> bool {
        match self {
            Self::Directory(_, owned) => files.iter().all(|f| owned.contains(&f.path)),
            Self::Text(_, text) => is_stream(text, files),
        }
    }

    fn compare(self, files: Vec<File>) -> Result<(Vec<File>, Vec<Found>), String> {
        let (against, text) = match self {
            Self::Directory(directory, _) => {
                let found = workspace::found(directory, &files, true)?;
                return Ok((files, found));
            }
            Self::Text(against, text) => (against, text),
        };
        let count = files.len();
        let whole = match <[File; 1]>::try_from(files) {
            Ok([only]) => only,
            Err(files) if is_stream(&text, &files) => File {
                path: "stream".into(),
                text: stream(&files),
            },
            Err(_) => {
                return Err(format!(
                    "{against} is one file, but the blueprint gives {count}: compare with a directory, or \
                     with what `gen` prints"
                ));
            }
        };
        let found = Found {
            path: whole.path.clone(),
            text: Some(text),
        };
        Ok((vec![whole], vec![found]))
    }
}

fn is_stream(text: &str, files: &[File]) -> bool {
    files.len() > 1 && text.lines().next() == stream(files).lines().next()
}
