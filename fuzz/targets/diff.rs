//! What `flokkr diff` reads of a deployment: files of any text beside those that are wanted, and
//! the list of files that flokkr wrote. The input has the file that is there, behind `=== wanted`
//! the one that is wanted, behind `=== list` the list.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use flokkr::diff::{Found, compare, text};
use flokkr::file::File;
use flokkr::workspace::{LIST, found, text as read};
use flokkr_fuzz::split;
use libfuzzer_sys::fuzz_target;

/// In memory, where the system has such a folder.
static FOLDER: LazyLock<Utf8PathBuf> = LazyLock::new(|| {
    let memory = Utf8Path::new("/dev/shm");
    let system = std::env::temp_dir();
    let parent = if memory.is_dir() {
        memory.as_std_path()
    } else {
        &system
    };
    let folder = tempfile::Builder::new()
        .prefix("flokkr-fuzz-")
        .tempdir_in(parent);
    folder.unwrap().keep().try_into().unwrap()
});

fuzz_target!(|input: &[u8]| {
    // A file that is there may hold any bytes.
    let path = FOLDER.join("there.yaml");
    fs::write(&path, input).unwrap();
    let lossy = String::from_utf8_lossy(input);
    let parts = split(&lossy);
    let part = |name: &str| {
        parts
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, text)| *text)
    };
    let wanted = File {
        path: "there.yaml".into(),
        text: part("wanted").unwrap_or("a: 1\n").to_owned(),
    };
    let files = std::slice::from_ref(&wanted);
    if let Ok(there) = read(&path) {
        let there = Found {
            path: wanted.path.clone(),
            text: Some(there),
        };
        compared(files, &[there]);
    }
    fs::write(&path, parts[0].1).unwrap();
    fs::write(FOLDER.join(LIST), part("list").unwrap_or("")).unwrap();
    if let Ok(there) = found(&FOLDER, files, true) {
        compared(files, &there);
    }
});

/// A report is empty where texts are alike, and can be shown.
fn compared(wanted: &[File], there: &[Found]) {
    let report = compare(wanted, there);
    let shown = text(&report, &|path| path.to_string(), "blueprint");
    assert_eq!(report.is_empty(), shown.is_empty());
    let same = |f: &File| {
        let unix = f.text.replace("\r\n", "\n");
        unix == f.text && there.iter().any(|t| t.text.as_ref() == Some(&f.text))
    };
    if there.len() == wanted.len() && wanted.iter().all(same) {
        assert!(report.is_empty(), "{shown}");
    }
}
