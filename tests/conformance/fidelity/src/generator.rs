//! flokkr as its users run it.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// A problem that it reports.
#[derive(Debug, Deserialize)]
pub struct Problem {
    severity: String,
    /// What kind of problem.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What was expected, or is to be done.
    #[serde(default)]
    pub expected: String,
    /// Where, if it is in the blueprint; the first line is 1.
    #[serde(default)]
    pub line: usize,
    /// Other places with the same problem.
    #[serde(default)]
    pub related: Vec<Related>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub struct Related {
    /// Its line.
    #[serde(default)]
    pub line: usize,
}

impl Problem {
    /// All lines that it is about.
    pub fn lines(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.line).chain(self.related.iter().map(|r| r.line))
    }
}

/// What came of a run.
pub struct Outcome {
    /// Files were written.
    pub written: bool,
    /// Errors, and losses.
    pub problems: Vec<Problem>,
}

/// Generates the files of a blueprint into a folder.
pub fn generate(
    flokkr: &Path,
    target: &str,
    blueprint: &Path,
    folder: &Path,
) -> Result<Outcome, String> {
    let run = Command::new(flokkr)
        .args(["gen", target, "--message-format", "json", "-f"])
        .arg(blueprint)
        .arg("-o")
        .arg(folder)
        .output()
        .map_err(|e| format!("{}: {e}", flokkr.display()))?;
    let said = [run.stdout, run.stderr].concat();
    let lines = said
        .split(|b| *b == b'\n')
        .filter(|line| line.starts_with(b"{"));
    let problems: Result<Vec<Problem>, _> = lines.map(serde_json::from_slice).collect();
    let mut problems =
        problems.map_err(|e| format!("a message of flokkr that can't be read: {e}"))?;
    problems.retain(|problem| problem.severity == "error" || problem.code == "not-carried");
    match run.status.code() {
        Some(0) => Ok(Outcome {
            written: true,
            problems,
        }),
        Some(2) => {
            problems.retain(|problem| problem.severity == "error");
            Ok(Outcome {
                written: false,
                problems,
            })
        }
        _ => Err(format!(
            "flokkr ended with {}:\n{}",
            run.status,
            String::from_utf8_lossy(&said)
        )),
    }
}
