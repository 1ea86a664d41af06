//! Where the files of clusters are kept that run on this machine.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::text::reason;

/// The directory of all clusters: the one given, else that of the user.
///
/// # Errors
/// That nothing says where it is.
pub fn state(given: Option<&Utf8Path>) -> Result<Utf8PathBuf, String> {
    if let Some(given) = given {
        return absolute(given);
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|v| v.starts_with('/'));
    if let Some(state) = variable("XDG_STATE_HOME") {
        return Ok(Utf8PathBuf::from(state).join("flokkr"));
    }
    match variable("HOME") {
        Some(home) => Ok(Utf8PathBuf::from(home).join(".local/state/flokkr")),
        None => Err("HOME is not set; say where to keep files: --state DIR".to_owned()),
    }
}

/// A path as every program finds it, wherever it runs.
///
/// # Errors
/// That there is no current directory, or its name is not UTF-8.
pub fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, String> {
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let current =
        std::env::current_dir().map_err(|e| format!("no current directory: {}", reason(&e)))?;
    let current = Utf8PathBuf::from_path_buf(current)
        .map_err(|_| "the current directory's name is not UTF-8".to_owned())?;
    Ok(match path.as_str() {
        "" | "." => current,
        _ => current.join(path),
    })
}

/// The names of the clusters that are kept.
pub fn kept(state: &Utf8Path) -> Vec<String> {
    let entries = state.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_owned())
        .collect();
    names.sort();
    names
}

/// Removes what is kept of a cluster.
///
/// # Errors
/// What the system refuses.
pub fn forget(state: &Utf8Path, cluster: &str) -> Result<(), String> {
    let directory = state.join(cluster);
    match fs::remove_dir_all(&directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("can't remove {directory}: {}", reason(&e)))
        }
        _ => Ok(()),
    }
}
