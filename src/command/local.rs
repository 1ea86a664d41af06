//! What `up`, `down` and `status` share: the runner, its tools, and which cluster is meant.

use camino::{Utf8Path, Utf8PathBuf};

use super::Session;
use crate::cli::Input;
use crate::machine::{self, Answer};
use crate::target::{self, Runner, State, Target, Tool};
use crate::workspace;

/// The target whose files run on this machine, and what runs them.
pub(super) fn runner() -> Option<(&'static dyn Target, &'static dyn Runner)> {
    target::ALL
        .iter()
        .find_map(|target| Some((*target, target.runner()?)))
}

impl Session {
    /// Whether all programs are there, and new enough; what is not is reported.
    pub(super) fn tools(&mut self, runner: &dyn Runner) -> Option<()> {
        for tool in runner.tools() {
            let Tool {
                name,
                version,
                oldest,
                get,
                mend,
            } = tool;
            let program = version.first().cloned().unwrap_or_default();
            let answer = match machine::ask(&version) {
                Ok(Some(answer)) => answer,
                Ok(None) => {
                    let text = format!("{name} is not there (no program `{program}`); {get}");
                    return self.fail("no-tool", text);
                }
                Err(e) => return self.fail("no-tool", format!("can't run `{program}`: {e}")),
            };
            if !answer.is_good() {
                let text = format!("{name} does not answer: {}; {mend}", answer.last_line());
                return self.fail("no-tool", text);
            }
            let found = answer.out.trim();
            if numbers(found).is_none_or(|numbers| numbers < oldest) {
                let (major, minor, patch) = oldest;
                let text = format!(
                    "{name} is {found}, and {major}.{minor}.{patch} is the oldest that will do; {get}"
                );
                return self.fail("no-tool", text);
            }
        }
        Some(())
    }

    /// Asks a program, which must be there by now.
    pub(super) fn ask(&mut self, words: &[String]) -> Option<Answer> {
        match machine::ask(words) {
            Ok(Some(answer)) => Some(answer),
            Ok(None) => self.fail("no-tool", format!("`{}` is not there", words.join(" "))),
            Err(e) => self.fail("no-tool", format!("can't run `{}`: {e}", words.join(" "))),
        }
    }

    /// What runs of a project.
    pub(super) fn states(&mut self, runner: &dyn Runner, project: &str) -> Option<Vec<State>> {
        let answer = self.ask(&runner.list(project))?;
        if !answer.is_good() {
            let text = format!("can't tell what runs of {project}: {}", answer.last_line());
            return self.fail("no-tool", text);
        }
        match runner.read_list(&answer.out) {
            Ok(states) => Some(states),
            Err(reason) => self.fail("no-tool", reason),
        }
    }

    /// The name of the cluster that a word means: one that is kept, else that of a blueprint.
    pub(super) fn cluster_name(&mut self, word: Option<&str>, state: &Utf8Path) -> Option<String> {
        if let Some(word) = word {
            let kept = workspace::kept(state);
            if kept.iter().any(|name| name == word) {
                return Some(word.to_owned());
            }
        }
        let loaded = self.cluster(word, &Input::default())?;
        Some(loaded.cluster.blueprint.name.value.clone())
    }

    /// The directory of all clusters.
    pub(super) fn state(&mut self, given: Option<&Utf8Path>) -> Option<Utf8PathBuf> {
        match workspace::state(given) {
            Ok(state) => Some(state),
            Err(reason) => self.fail("io", reason),
        }
    }
}

/// The first three numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let version = version.trim_start_matches('v');
    let mut numbers = version.split(['.', '-', '+', '~']).map(str::parse);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next()?.ok()?;
    let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
    Some((major, minor, patch))
}
