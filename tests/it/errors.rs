//! What flokkr says about inputs that are wrong: `tests/errors/<case>.yaml` for the first target,
//! `tests/errors/<target>/<case>.yaml` for that one, each with the arguments of `<case>.args`, a
//! line each. The whole message is in `snapshots/errors/`.

use std::path::Path;

use flokkr::problem::{self, Problem, Problems, Sources, Style};
use serde_json::Value;

use crate::support::{ROOT, each, first_target, flokkr, path, said, snapshot, text, tree};

/// Every case: its path below `tests/errors/`, without `.yaml`. What lies in `parts/` is included
/// by others.
pub fn cases() -> Vec<String> {
    tree("tests/errors")
        .iter()
        .filter(|file| !file.starts_with("parts/"))
        .filter_map(|file| file.strip_suffix(".yaml"))
        .map(str::to_owned)
        .collect()
}

/// What is typed for a case.
fn words(case: &str) -> Vec<String> {
    let target = case
        .split_once('/')
        .map_or(first_target().name(), |(target, _)| target);
    let file = format!("tests/errors/{case}.yaml");
    let mut words: Vec<String> = ["gen", target, "-f", &file].map(str::to_owned).to_vec();
    let arguments = format!("tests/errors/{case}.args");
    if path(&arguments).exists() {
        words.extend(text(&arguments).lines().map(str::to_owned));
    }
    words
}

fn run(words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = flokkr(Path::new(ROOT), &words).output().unwrap();
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(2), "not refused:\n{out}{err}");
    assert_eq!(out, "", "written although it was refused");
    err
}

#[test]
fn are_explained() {
    each(cases(), |case| snapshot("errors", case, &run(&words(case))));
}

/// What was written all the same is no secret.
#[test]
fn count_what_was_written_before() {
    let mut problems = Problems::default();
    problems.add(Problem::error("not-written", "can't write it"));
    for (wrote, end) in [
        (0, "nothing was written"),
        (1, "1 file was written before"),
        (1, "2 files were written before"),
    ] {
        problems.wrote(wrote);
        let said = problem::text(&problems, &Sources::default(), Style::Plain);
        assert!(said.ends_with(&format!("1 error; {end}\n")), "{said}");
    }
}

#[test]
fn are_told_to_tools() {
    each(cases(), |case| {
        let mut words = words(case);
        words.push("--message-format=json".to_owned());
        let lines = run(&words);
        assert!(!lines.is_empty());
        for line in lines.lines() {
            let problem: Value = serde_json::from_str(line).unwrap();
            assert!(
                problem["code"].is_string() && problem["message"].is_string(),
                "{line}"
            );
            if problem.get("file").is_some() {
                assert!(
                    problem["line"].as_u64() >= Some(1) && problem["column"].as_u64() >= Some(1),
                    "{line}"
                );
            }
        }
    });
}
