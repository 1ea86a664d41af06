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
