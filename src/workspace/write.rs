//! Writing a set of files: all are prepared beside their places first, then put there, and an
//! unchanged one is not touched.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::{Builder, NamedTempFile};

use super::ownership::{LIST, Ownership, bytes, is_inside, unix};
use super::program::{Programs, is_placed};
use super::text::reason;
use crate::file::File;

/// Prefix of files that a run prepares.
const PREPARED: &str = ".flokkr-new-";

/// Permissions of a program.
const PROGRAM_MODE: u32 = 0o755;

/// What a run may do to files that are there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Replace files that flokkr wrote and nobody edited since.
    pub overwrite: bool,
    /// Remove files that flokkr wrote, that nobody edited since, and that are no longer given.
    pub prune: bool,
    /// The directory is the output; else just the files named are, and others in it are of no
    /// concern.
    pub whole: bool,
}

/// What a run did, by path.
#[derive(Debug, Default)]
pub struct Outcome {
    /// New or with another text.
    pub written: Vec<Utf8PathBuf>,
    /// As they were.
    pub unchanged: Vec<Utf8PathBuf>,
    /// No longer given, and removed.
    pub removed: Vec<Utf8PathBuf>,
    /// No longer given, and left: `--prune` was not asked for, or someone edited them.
    pub stale: Vec<Utf8PathBuf>,
}

/// Why a run ended, and what it had done by then.
#[derive(Debug)]
pub struct Failure {
    /// Every reason.
    pub reasons: Vec<String>,
    /// What was done: nothing, unless the system refused something half way.
    pub done: Outcome,
}

/// Writes files, and programs, into a directory.
///
/// # Errors
/// Every file that is in the way and may not be touched, or what the system refuses.
pub fn write(
    directory: &Utf8Path,
    files: &[File],
    programs: Programs<'_>,
    options: Options,
) -> Result<Outcome, Failure> {
    let mut done = Outcome::default();
    match write_all(directory, files, programs, options, &mut done) {
        Ok(()) => Ok(done),
        Err(reasons) => Err(Failure { reasons, done }),
    }
}

fn write_all(
    directory: &Utf8Path,
    files: &[File],
    programs: Programs<'_>,
    options: Options,
    outcome: &mut Outcome,
) -> Result<(), Vec<String>> {
    let one = |e: String| vec![e];
    let mut ownership = Ownership::read(directory).map_err(one)?;
    let program = programs.bytes().map_err(one)?;
    let mut refused = Vec::new();
    let changed = in_the_way(directory, files, options, &ownership, outcome, &mut refused);
    let mut placed = Vec::new();
    for path in programs.paths {
        match is_placed(directory, path, &program, &ownership) {
            _ if !is_inside(path) => refused.push(outside(directory, path)),
            Ok(true) => outcome.unchanged.push(path.clone()),
            Ok(false) => placed.push(path),
            Err(reason) => refused.push(reason),
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let remove = stale(directory, files, options, &ownership, outcome).map_err(one)?;
    fs::create_dir_all(directory).map_err(|e| {
        vec![format!(
            "can't make the directory {directory}: {}",
            reason(&e)
        )]
    })?;
    clean(directory);

    // Prepared first: what can fail fails before anything is in its place.
    let mut prepared = Vec::new();
    for file in &changed {
        let text = file.text.as_bytes();
        let temporary = prepare(directory, &file.path, text, None).map_err(one)?;
        prepared.push((temporary, &file.path));
    }
    for path in placed {
        let temporary = prepare(directory, path, &program, Some(PROGRAM_MODE)).map_err(one)?;
        prepared.push((temporary, path));
    }
    // Old and new texts are both flokkr's until the last file is in place, so that a killed run
    // leaves nothing that the next one would not dare to touch.
    for file in files {
        ownership.note(&file.path, file.text.as_bytes());
    }
    for path in programs.paths {
        ownership.note_program(path, &program);
    }
    let list = |ownership: &Ownership| save(directory, ownership);
    list(&ownership).map_err(one)?;
    for (temporary, relative) in prepared {
        let path = directory.join(relative);
        temporary
            .persist(&path)
            .map_err(|e| vec![format!("can't write {path}: {}", reason(&e.error))])?;
        outcome.written.push(relative.clone());
    }
    for path in remove {
        let full = directory.join(&path);
        fs::remove_file(&full).map_err(|e| vec![format!("can't remove {full}: {}", reason(&e))])?;
        remove_empty_parents(directory, &path);
        ownership.forget(&path);
        outcome.removed.push(path);
    }
    for file in files {
        ownership.settle(&file.path, file.text.as_bytes());
    }
    for path in programs.paths {
        ownership.settle_program(path, &program);
    }
    list(&ownership).map_err(one)
}

fn outside(directory: &Utf8Path, path: &Utf8Path) -> String {
    format!("`{path}` is no path below {directory}")
}

/// Files to write: those that are new or differ. One that differs must be flokkr's own.
fn in_the_way<'f>(
    directory: &Utf8Path,
    files: &'f [File],
    options: Options,
    ownership: &Ownership,
    outcome: &mut Outcome,
    refused: &mut Vec<String>,
) -> Vec<&'f File> {
    let mut changed = Vec::new();
    for file in files {
        let path = directory.join(&file.path);
        if !is_inside(&file.path) {
            refused.push(outside(directory, &file.path));
            continue;
        }
        match bytes(&path) {
            Err(error) => refused.push(error),
            Ok(Some(there)) if unix(&there) == file.text.as_bytes() => {
                outcome.unchanged.push(file.path.clone());
            }
            Ok(Some(there)) if !ownership.wrote(&file.path, &there) => {
                let whose = if ownership.paths().any(|p| *p == file.path) {
                    "was edited since flokkr wrote it"
                } else {
                    "was not written by flokkr"
                };
                refused.push(format!("{path} {whose}; move it away to have it written"));
            }
            Ok(Some(_)) if !options.overwrite => refused.push(format!(
                "{path} would change; --overwrite replaces files that flokkr wrote, --check shows what differs"
            )),
            Ok(None | Some(_)) => changed.push(file),
        }
    }
    changed
}

/// Files on the list that are no longer given; those to remove are returned.
fn stale(
    directory: &Utf8Path,
    files: &[File],
    options: Options,
    ownership: &Ownership,
    outcome: &mut Outcome,
) -> Result<Vec<Utf8PathBuf>, String> {
    let mut remove = Vec::new();
    for path in ownership
        .paths()
        .filter(|p| options.whole && !files.iter().any(|f| f.path == **p))
    {
        if let Some(there) = bytes(&directory.join(path))? {
            if options.prune && ownership.wrote(path, &there) {
                remove.push(path.clone());
            } else {
                outcome.stale.push(path.clone());
            }
        }
    }
    Ok(remove)
}

/// A file with this text beside the place where it belongs.
fn prepare(
    directory: &Utf8Path,
    path: &Utf8Path,
    text: &[u8],
    mode: Option<u32>,
) -> Result<NamedTempFile, String> {
    let full = directory.join(path);
    let parent = full.parent().unwrap_or(directory);
    let failed = |e: &std::io::Error| format!("can't write {full}: {}", reason(e));
    fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    // A file that is replaced keeps its permissions; a new one gets those of the umask.
    let permissions = match (mode, fs::metadata(&full)) {
        (Some(mode), _) => fs::Permissions::from_mode(mode),
        (None, Ok(there)) => there.permissions(),
        (None, Err(_)) => fs::Permissions::from_mode(0o666),
    };
    let mut file = Builder::new()
        .prefix(PREPARED)
        .permissions(permissions)
        .tempfile_in(parent)
        .map_err(|e| failed(&e))?;
    file.write_all(text).map_err(|e| failed(&e))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    Ok(file)
}

fn save(directory: &Utf8Path, ownership: &Ownership) -> Result<(), String> {
    let path = directory.join(LIST);
    let Some(text) = ownership.text() else {
        return Ok(());
    };
    if bytes(&path)?.is_some_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let file = prepare(directory, LIST.into(), text.as_bytes(), None)?;
    file.persist(&path)
        .map_err(|e| format!("can't write {path}: {}", reason(&e.error)))?;
    Ok(())
}

/// Removes what a killed run prepared.
fn clean(directory: &Utf8Path) {
    let Ok(entries) = directory.read_dir_utf8() else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().starts_with(PREPARED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn remove_empty_parents(directory: &Utf8Path, path: &Utf8Path) {
    let mut parent = path.parent();
    while let Some(folder) = parent.filter(|p| !p.as_str().is_empty()) {
        if fs::remove_dir(directory.join(folder)).is_err() {
            return;
        }
        parent = folder.parent();
    }
}

/// Makes a new file; one that is there is left alone.
///
/// # Errors
/// That it is there already, or can't be written.
pub fn create(path: &Utf8Path, text: &str) -> Result<(), String> {
    if path.exists() {
        return Err(format!("{path} is there already; nothing was written"));
    }
    let directory = path.parent().unwrap_or(Utf8Path::new(""));
    let name = path.file_name().unwrap_or("file");
    let place = if directory.as_str().is_empty() {
        Utf8Path::new(".")
    } else {
        directory
    };
    let file = prepare(place, name.into(), text.as_bytes(), None)?;
    file.persist_noclobber(place.join(name))
        .map_err(|e| format!("can't write {path}: {}", reason(&e.error)))?;
    Ok(())
}
