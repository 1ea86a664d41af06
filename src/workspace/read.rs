//! Reading: a blueprint by path or library name, what it includes, plugins, and what is there to
//! compare with.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::ownership::Ownership;
use super::text::{stdin, text};
use crate::diff::Found;
use crate::file::File;
use crate::library;
use crate::problem::{did_you_mean, one_of};
use crate::resolve::Loader;

/// A blueprint, and where it was found.
#[derive(Debug)]
pub struct Blueprint {
    /// What a person calls it: the path as typed, or `library:NAME`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The directory that plugins stand beside.
    pub directory: Utf8PathBuf,
}

/// Finds a blueprint: `-`, a file, a directory with a `blueprint.yaml`, or a name of the library;
/// without a word the `blueprint.yaml` of the current directory.
///
/// # Errors
/// What was looked for, and what there is.
pub fn blueprint(word: Option<&str>) -> Result<Blueprint, String> {
    let Some(word) = word else {
        if Utf8Path::new("blueprint.yaml").is_file() {
            return file("blueprint.yaml".into());
        }
        return Err(format!(
            "there is no blueprint.yaml here; name a file (-f FILE), or a blueprint of the library: {}; \
             `flokkr init` writes one to start from",
            one_of(library::blueprints())
        ));
    };
    if word == "-" {
        return Ok(Blueprint {
            name: "<stdin>".to_owned(),
            text: stdin()?,
            directory: Utf8PathBuf::new(),
        });
    }
    let path = Utf8Path::new(word);
    if path.is_file() {
        return file(path.to_owned());
    }
    if path.is_dir() && path.join("blueprint.yaml").is_file() {
        return file(path.join("blueprint.yaml"));
    }
    if let Some(text) = library::blueprint(word) {
        return Ok(Blueprint {
            name: format!("library:{word}"),
            text: text.to_owned(),
            directory: Utf8PathBuf::new(),
        });
    }
    if path.is_dir() {
        return Err(format!("the folder {word} has no blueprint.yaml"));
    }
    let beside = beside(path);
    let known: Vec<&str> = library::blueprints()
        .map(|name| -> &str { name })
        .chain(beside.iter().map(String::as_str))
        .collect();
    let near = did_you_mean(word, known).map_or_else(
        || ".".to_owned(),
        |name| format!("; did you mean `{name}`?"),
    );
    Err(format!(
        "there is no file `{word}` and no such blueprint in the library{near} The library has {}",
        one_of(library::blueprints())
    ))
}

/// The files in the folder of a path, each as it would be typed there.
fn beside(path: &Utf8Path) -> Vec<String> {
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let listed = if folder.as_str().is_empty() {
        Utf8Path::new(".")
    } else {
        folder
    };
    let entries = listed.read_dir_utf8().into_iter().flatten().flatten();
    let files = entries.filter(|e| e.path().is_file());
    let mut names: Vec<String> = files.map(|e| folder.join(e.file_name()).into()).collect();
    names.sort();
    names
}

/// Would [`blueprint`] find one by this word?
pub fn is_blueprint(word: &str) -> bool {
    let path = Utf8Path::new(word);
    word == "-"
        || path.is_file()
        || path.join("blueprint.yaml").is_file()
        || library::blueprint(word).is_some()
}

fn file(path: Utf8PathBuf) -> Result<Blueprint, String> {
    Ok(Blueprint {
        text: text(&path)?,
        directory: path.parent().map(Utf8Path::to_owned).unwrap_or_default(),
        name: path.into_string(),
    })
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing.
    Free,
    /// A directory.
    Directory,
    /// Anything else.
    File,
}

/// Looks what is at a path.
pub fn place(path: &Utf8Path) -> Place {
    match (path.is_dir(), path.exists()) {
        (true, _) => Place::Directory,
        (false, true) => Place::File,
        (false, false) => Place::Free,
    }
}

/// A path without `.` and, where a name stands before it, without `..`: one file, one name, so that
/// includes in a circle are seen.
fn straight(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for component in path.components() {
        let last = out.components().next_back();
        match (component, last) {
            (Utf8Component::CurDir, _) => {}
            (Utf8Component::ParentDir, Some(Utf8Component::Normal(_))) => {
                out.pop();
            }
            _ => out.push(component),
        }
    }
    out
}

/// The folder of a blueprint that is a file.
fn folder_of(blueprint: &str) -> Option<Utf8PathBuf> {
    if blueprint.starts_with("library:") {
        return None;
    }
    Utf8Path::new(blueprint).parent().map(Utf8Path::to_owned)
}

/// Brings includes and plugins: files beside the blueprint first, then the library.
#[derive(Debug)]
pub struct FileLoader {
    /// The blueprint's directory.
    pub directory: Utf8PathBuf,
}

impl Loader for FileLoader {
    fn include(&self, name: &str, from: &str) -> Result<(String, String), String> {
        let is_path = name.contains('/')
            || Utf8Path::new(name)
                .extension()
                .is_some_and(|e| matches!(e, "yaml" | "yml"));
        if is_path {
            let path = straight(&folder_of(from).unwrap_or_default().join(name));
            return Ok((path.to_string(), text(&path)?));
        }
        match library::blueprint(name) {
            Some(text) => Ok((format!("library:{name}"), text.to_owned())),
            None => Err(format!("the library has no blueprint `{name}`")),
        }
    }

    fn plugin(&self, name: &str, from: &str) -> Option<Result<(String, String), String>> {
        let simple = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let beside = folder_of(from);
        for folder in beside.iter().chain([&self.directory]) {
            let path = folder.join("plugins").join(format!("{name}.yaml"));
            if simple && path.is_file() {
                return Some(text(&path).map(|text| (path.to_string(), text)));
            }
        }
        let text = library::plugin(name)?;
        Some(Ok((format!("library:plugins/{name}"), text.to_owned())))
    }

    fn blueprints(&self) -> Vec<String> {
        library::blueprints().map(str::to_owned).collect()
    }

    fn plugins(&self) -> Vec<String> {
        let mut names: Vec<String> = library::plugins().map(str::to_owned).collect();
        let own = self.directory.join("plugins");
        if let Ok(entries) = own.read_dir_utf8() {
            let files = entries.flatten().map(camino::Utf8DirEntry::into_path);
            let yaml = files.filter(|p| p.extension() == Some("yaml"));
            names.extend(yaml.filter_map(|p| p.file_stem().map(str::to_owned)));
        }
        names.sort();
        names.dedup();
        names
    }
}

/// What a directory has of the files that are wanted and, where the `whole` of it is meant, of those
/// that flokkr wrote once.
///
/// # Errors
/// That something can't be read.
pub fn found(directory: &Utf8Path, wanted: &[File], whole: bool) -> Result<Vec<Found>, String> {
    let owned = Ownership::read(directory)?;
    let mut found = Vec::new();
    for file in wanted {
        let path = directory.join(&file.path);
        if path.exists() {
            found.push(Found {
                path: file.path.clone(),
                text: Some(text(&path)?),
            });
        }
    }
    for path in owned.paths().filter(|_| whole) {
        let known = wanted.iter().any(|f| f.path == *path);
        if !known && directory.join(path).exists() {
            found.push(Found {
                path: path.clone(),
                text: None,
            });
        }
    }
    Ok(found)
}

/// The files that flokkr wrote into a directory.
///
/// # Errors
/// That the list can't be read.
pub fn owned(directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, String> {
    let owned = Ownership::read(directory)?;
    Ok(owned.paths().cloned().collect())
}
