//! Files and directories of the container.
//!
//! A file is replaced as a whole, so that a killed launcher leaves the old one or the new one; where it
//! is a mount of its own, which can't be replaced, it is written in place.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use camino::Utf8Path;
use camino::Utf8PathBuf;
use tempfile::Builder;

use super::{Failure, reason, say};
use crate::launch::{ConfigFile, Defaults};

/// Larger config files are none.
const MAX_BYTES: u64 = 64 << 20;

/// Writes config files: none of them, if one can't be made.
pub(super) fn config(files: &[ConfigFile]) -> Result<(), Failure> {
    let mut texts = Vec::new();
    for file in files {
        let text = config_text(file, file.base.as_deref());
        texts.push(text.map_err(|reasons| Failure::new(reasons.join("; ")))?);
    }
    for (file, text) in files.iter().zip(texts) {
        put_over(
            &file.path,
            text.as_bytes(),
            file.base.as_ref() == Some(&file.path),
        )?;
    }
    Ok(())
}

/// Puts a config file at its place. One that is laid over that file is of the same owner, and for the same readers.
fn put_over(path: &Utf8Path, bytes: &[u8], is_base: bool) -> Result<(), Failure> {
    let there = fs::metadata(path).ok().filter(|_| is_base);
    let Some(there) = there else {
        return put_bytes(path, bytes, 0o644);
    };
    let owner = (there.uid(), there.gid());
    put_as(path, bytes, there.mode() & 0o7777, Some(owner))
}

/// The text of a config file, laid over that of its base, or why there is none.
pub(super) fn config_text(
    file: &ConfigFile,
    base: Option<&Utf8Path>,
) -> Result<String, Vec<String>> {
    let there = match base {
        Some(base) => read(base).map_err(|failure| vec![failure.message])?,
        None => None,
    };
    file.text(there.as_deref())
}

/// The text of a file, if there is one.
pub(super) fn read(path: &Utf8Path) -> Result<Option<String>, Failure> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.len() > MAX_BYTES => {
            return Err(Failure::new(format!("{path} is larger than 64 MiB")));
        }
        _ => {}
    }
    let text = fs::read_to_string(path);
    text.map(Some)
        .map_err(|e| Failure::new(format!("can't read {path}: {}", reason(&e))))
}

/// Puts a file at its place, readable for all.
pub(super) fn put(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    put_bytes(path, text.as_bytes(), 0o644)
}

/// The same, for what decides about a volume: it is there after a crash of the machine. Config is
/// written anew at each start, and need not wait for the disk.
pub(super) fn put_for_good(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    put(path, text)?;
    let directory = path.parent().unwrap_or(Utf8Path::new("/"));
    let kept = fs::File::open(path).and_then(|file| file.sync_all());
    // The name is only sure to be there when the directory is.
    kept.and_then(|()| fs::File::open(directory)?.sync_all())
        .map_err(|e| Failure::new(format!("can't keep {path}: {}", reason(&e))))
}

/// Puts a file at its place.
pub(super) fn put_bytes(path: &Utf8Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    put_as(path, bytes, mode, None)
}

fn put_as(
    path: &Utf8Path,
    bytes: &[u8],
    mode: u32,
    owner: Option<(u32, u32)>,
) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let failed = |e: &io::Error| Failure::new(format!("can't write {path}: {}", reason(e)));
    let directory = path.parent().unwrap_or(Utf8Path::new("/"));
    fs::create_dir_all(directory)
        .map_err(|e| Failure::new(format!("can't make {directory}: {}", reason(&e))))?;
    match replace(directory, path, bytes, mode, owner) {
        Ok(()) => Ok(()),
        // A mount, a directory that others own, or an owner that can't be given: the file itself may still be writable.
        Err(_) if path.exists() => fs::write(path, bytes).map_err(|e| failed(&e)),
        Err(e) => Err(failed(&e)),
    }
}

fn replace(
    directory: &Utf8Path,
    path: &Utf8Path,
    bytes: &[u8],
    mode: u32,
    owner: Option<(u32, u32)>,
) -> io::Result<()> {
    let mut file = Builder::new().prefix(".flokkr-").tempfile_in(directory)?;
    file.write_all(bytes)?;
    if let Some((uid, gid)) = owner {
        let own = file.as_file().metadata()?;
        if (own.uid(), own.gid()) != (uid, gid) {
            std::os::unix::fs::fchown(file.as_file(), Some(uid), Some(gid))?;
        }
    }
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(mode))?;
    file.persist(path)?;
    Ok(())
}

/// The directory that defaults are copied from.
pub(super) fn defaults_of(defaults: &Defaults) -> Result<Option<&Utf8PathBuf>, Failure> {
    let found = defaults.places.iter().find(|path| path.is_dir());
    match defaults.places.first() {
        Some(path) if defaults.needed && found.is_none() => Err(Failure::new(format!(
            "FLOKKR_DEFAULTS is `{path}`, and that is no directory"
        ))),
        _ => Ok(found),
    }
}

/// Copies the files of the first of these directories that is there.
pub(super) fn defaults(defaults: &Defaults, to: &Utf8Path) -> Result<(), Failure> {
    let Some(from) = defaults_of(defaults)? else {
        return Ok(());
    };
    copy_files(from, to)
        .map_err(|e| Failure::new(format!("can't copy {from} to {to}: {}", reason(&e))))
}

/// Copies the files of one directory into another.
pub(super) fn copy_files(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Makes directories writable for the process: root gives them to the user it is to become, another
/// user can only see whether they are.
pub(super) fn own(directories: &[Utf8PathBuf], user: Option<(u32, u32)>) -> Result<(), Failure> {
    let root = rustix::process::geteuid().is_root();
    for directory in directories {
        if let Some((uid, gid)) = user.filter(|_| root) {
            let given = fs::create_dir_all(directory)
                .and_then(|()| give(directory.as_std_path(), uid, gid));
            given.map_err(|e| {
                Failure::new(format!(
                    "can't give {directory} to user {uid}:{gid}: {}",
                    reason(&e)
                ))
            })?;
            continue;
        }
        if let Err(e) =
            fs::create_dir_all(directory).and_then(|()| tempfile::tempfile_in(directory))
        {
            let owner = fs::metadata(directory).map(|found| (found.uid(), found.gid()));
            let owner = owner.map_or(String::new(), |(uid, gid)| format!(" of {uid}:{gid}"));
            let own = rustix::process::geteuid().as_raw();
            return Err(Failure::new(format!(
                "{directory}{owner} is not writable for user {own} ({}): mount it with that owner, or \
                    start as root with FLOKKR_USER={own}",
                reason(&e)
            )));
        }
    }
    Ok(())
}

/// Gives a tree to a user, but for what is the user's already; links are not followed.
fn give(path: &std::path::Path, uid: u32, gid: u32) -> io::Result<()> {
    let mut waiting = vec![path.to_owned()];
    let mut changed = 0_usize;
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path)?;
        if (found.uid(), found.gid()) != (uid, gid) {
            std::os::unix::fs::lchown(&path, Some(uid), Some(gid))?;
            changed += 1;
        }
        if found.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        }
    }
    if changed > 0 {
        say(&format!("gave {} to user {uid}:{gid}", path.display()));
    }
    Ok(())
}
