//! What every blueprint becomes for every target: one snapshot per emitted file, in
//! `snapshots/<case>/<target>/`; `CASE=kafka cargo test` runs one case.

use flokkr::target::{self, Target};

use crate::support::{each, emit_file, entries, path, snapshot};

/// Folders with a `blueprint.yaml` each; a case is called like its folder.
pub const FOLDERS: [&str; 2] = ["blueprints", "tests/blueprints"];

/// What is reported beside the files.
pub const WARNINGS: &str = "warnings";
/// What is reported when a target can't carry a test blueprint; then the files are those of the
/// blueprint without what is refused, if there is one.
pub const REFUSED: &str = "refused";

/// The blueprint beside a case that takes away what a target refuses of it.
pub fn without(case: &str, target: &dyn Target) -> String {
    format!("{case}/without-{}.yaml", target.name())
}

/// Folder and name of every case.
pub fn cases() -> Vec<(&'static str, String)> {
    let mut cases = Vec::new();
    for folder in FOLDERS {
        for name in entries(folder) {
            if path(folder).join(&name).join("blueprint.yaml").is_file() {
                cases.push((folder, name));
            }
        }
    }
    cases
}

#[test]
fn become_files() {
    let all = cases()
        .into_iter()
        .map(|(folder, name)| format!("{folder}/{name}"));
    each(all, |case| {
        let (folder, name) = case.rsplit_once('/').unwrap();
        for target in target::ALL {
            let place = format!("{name}/{}", target.name());
            let mut emitted = emit_file(&format!("{case}/blueprint.yaml"), *target);
            if emitted.files.is_none() {
                assert!(folder == "tests/blueprints", "{case}: {}", emitted.said);
                snapshot(&place, REFUSED, &emitted.said);
                let without = without(case, *target);
                if !path(&without).is_file() {
                    continue;
                }
                emitted = emit_file(&without, *target);
            }
            for file in emitted.files.expect(&emitted.said) {
                snapshot(&place, file.path.as_str(), &file.text);
            }
            if !emitted.said.is_empty() {
                snapshot(&place, WARNINGS, &emitted.said);
            }
        }
    });
}

#[test]
fn names_of_cases_are_unique() {
    let mut names: Vec<String> = cases().into_iter().map(|(_, name)| name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
