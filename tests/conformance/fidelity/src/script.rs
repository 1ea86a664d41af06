//! Scripts that flokkr puts before a command, where no text of the platform carries what each replica is
//! given: a real bash runs them, and what they start says its words and its environment.
//!
//! Owns that run. What the script and its variables are, the platform's code has said.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::consumer::Process;

/// The first word of a run of this program that says what it was given.
pub const SAY: &str = "--say";

/// Where flokkr mounts them, and what their names end with.
const FOLDER: &str = "/flokkr/";
const ENDING: &str = "-replica.sh";

/// What an entrypoint of a batch is; there is none here.
const ENTRY: &str = "/entry";

/// Runs the script as it is, and this program in the place of the entrypoint.
const RUN: &str = r#"exec() {
  local _said_at _said_words=()
  for _said_at; do
    if [ "$_said_at" = /entry ]; then _said_words+=("$_said_by" --say); else _said_words+=("$_said_at"); fi
  done
  builtin exec "${_said_words[@]}"
}
_said_by=$2
. "$1""#;

/// Variables that a shell sets and hands on.
const OWN_VARIABLES: &[&str] = &["_", "OLDPWD", "PWD", "SHLVL"];

/// What this program was given, as a line of JSON.
pub fn say(words: impl Iterator<Item = OsString>) -> String {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    json!({ "words": words.map(text).collect::<Vec<_>>(), "variables": variables }).to_string()
}

/// A process whose command is such a script becomes what the script starts.
pub fn run(process: &mut Process) -> Result<(), String> {
    let [shell, path] = process.words.as_slice() else {
        return Ok(());
    };
    if !path.starts_with(FOLDER) || !path.ends_with(ENDING) {
        return Ok(());
    }
    let (shell, path) = (shell.clone(), path.clone());
    let text = process.files.remove(&path);
    let text = text.ok_or_else(|| format!("there is no script {path}"))?;
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let place: PathBuf =
        std::env::temp_dir().join(format!("fidelity-{}{ENDING}", std::process::id()));
    std::fs::write(&place, &text).map_err(|e| format!("{}: {e}", place.display()))?;
    let run = Command::new(&shell)
        .args(["-c", RUN, "bash"])
        .args([&place, &own])
        .env_clear()
        .envs(&process.variables)
        .output();
    let _ = std::fs::remove_file(&place);
    let run = run.map_err(|e| format!("{shell}: {e}"))?;
    let said = String::from_utf8_lossy(&run.stdout);
    let said: Value = serde_json::from_str(&said).map_err(|e| {
        let wrong = String::from_utf8_lossy(&run.stderr);
        format!("{path} does not start its command: {e}: {said}{wrong}")
    })?;
    let is_set = |name: &str| {
        process.variables.contains_key(name)
            || [" ", "'"]
                .iter()
                .any(|c| text.contains(&format!("{c}{name}=")))
    };
    let words = said["words"].as_array().into_iter().flatten();
    process.words = [ENTRY.to_owned()]
        .into_iter()
        .chain(words.filter_map(|w| w.as_str().map(str::to_owned)))
        .collect();
    let variables = said["variables"].as_object().into_iter().flatten();
    process.variables = variables
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .filter(|(name, _)| !OWN_VARIABLES.contains(&name.as_str()) || is_set(name))
        .collect();
    Ok(())
}
