//! The list of files that flokkr wrote into a directory, each with the checksum of what it wrote:
//! a file that is not on the list, or has another checksum, is a person's.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::text::{reason, text};

/// The list's file name.
pub const LIST: &str = ".flokkr";

/// The version of the list that this flokkr writes.
const VERSION: u32 = 1;

/// The list as it is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// Version of this format.
    version: u32,
    /// Checksums by path. While a run writes, both what was there and what will be.
    files: BTreeMap<Utf8PathBuf, Vec<String>>,
    /// The same for programs, which no blueprint gives.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    programs: BTreeMap<Utf8PathBuf, Vec<String>>,
}

/// Who wrote what in a directory.
#[derive(Debug, Default)]
pub(super) struct Ownership {
    kept: Kept,
}

impl Ownership {
    /// Reads a directory's list; without one, nothing is owned.
    pub(super) fn read(directory: &Utf8Path) -> Result<Self, String> {
        let path = directory.join(LIST);
        if !path.exists() {
            return Ok(Self::default());
        }
        let kept: Kept = serde_json::from_str(&text(&path)?)
            .map_err(|e| format!("{path} is damaged ({e}); remove it to start a new list"))?;
        if kept.version > VERSION {
            return Err(format!("{path} was written by a later flokkr"));
        }
        // A list that someone wrote by hand must not lead out of the directory.
        if let Some(bad) = kept
            .files
            .keys()
            .chain(kept.programs.keys())
            .find(|p| !is_inside(p))
        {
            return Err(format!("{path} names `{bad}`, which flokkr never writes"));
        }
        Ok(Self { kept })
    }

    /// The list as text; `None` when it owns nothing.
    pub(super) fn text(&self) -> Option<String> {
        if self.kept.files.is_empty() && self.kept.programs.is_empty() {
            return None;
        }
        serde_json::to_string_pretty(&self.kept)
            .ok()
            .map(|text| text + "\n")
    }

    /// The paths on the list.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.kept.files.keys()
    }

    /// Is this text what flokkr wrote there?
    pub(super) fn wrote(&self, path: &Utf8Path, text: &[u8]) -> bool {
        // A checkout may have changed the ends of lines.
        let sums = [checksum(text), checksum(&unix(text))];
        self.kept
            .files
            .get(path)
            .is_some_and(|list| sums.iter().any(|s| list.contains(s)))
    }

    /// Is this program what flokkr put there? None when it put none there.
    pub(super) fn placed(&self, path: &Utf8Path, program: &[u8]) -> Option<bool> {
        let list = self.kept.programs.get(path)?;
        Some(list.contains(&checksum(program)))
    }

    /// Notes a text that is, or will be, at a path, beside what was noted before.
    pub(super) fn note(&mut self, path: &Utf8Path, text: &[u8]) {
        self.kept.version = VERSION;
        add(&mut self.kept.files, path, checksum(text));
    }

    /// The same for a program.
    pub(super) fn note_program(&mut self, path: &Utf8Path, program: &[u8]) {
        self.kept.version = VERSION;
        add(&mut self.kept.programs, path, checksum(program));
    }

    /// Notes that just this text is at a path.
    pub(super) fn settle(&mut self, path: &Utf8Path, text: &[u8]) {
        self.forget(path);
        self.note(path, text);
    }

    /// The same for a program.
    pub(super) fn settle_program(&mut self, path: &Utf8Path, program: &[u8]) {
        self.kept.programs.remove(path);
        self.note_program(path, program);
    }

    /// Takes a path off the list.
    pub(super) fn forget(&mut self, path: &Utf8Path) {
        self.kept.files.remove(path);
    }
}

fn add(list: &mut BTreeMap<Utf8PathBuf, Vec<String>>, path: &Utf8Path, checksum: String) {
    let sums = list.entry(path.to_owned()).or_default();
    if !sums.contains(&checksum) {
        sums.push(checksum);
    }
}

/// May flokkr write a file of this path below a directory? Not one that leads out of it, nor its list.
pub(super) fn is_inside(path: &Utf8Path) -> bool {
    let mut components = path.components();
    !path.as_str().is_empty()
        && components.all(|c| matches!(c, Utf8Component::Normal(_)))
        && path != LIST
}

/// The bytes of a file, or that it is not there.
pub(super) fn bytes(path: &Utf8Path) -> Result<Option<Vec<u8>>, String> {
    let there = fs::symlink_metadata(path);
    if there.is_ok_and(|m| !m.is_file()) {
        return Err(format!("{path} is no regular file, so it is not flokkr's"));
    }
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("can't read {path}: {}", reason(&e))),
    }
}

/// A text with its lines ended by `\n` alone.
pub(super) fn unix(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte != b'\r' || rest.peek() != Some(&&b'\n') {
            out.push(*byte);
        }
    }
    out
}

fn checksum(text: &[u8]) -> String {
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(text) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
