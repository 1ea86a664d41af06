//! The script of a prestart task: what it waits for, and the steps that it takes.

use std::fmt::Write as _;
use std::sync::Arc;

use super::replica::{Covered, fitted};
use super::text::INDEX;
use super::waits::Wait;
use crate::plan::{Init, Value};
use crate::target;

/// The folder that the tasks of an allocation share, which everyone may write to.
const SHARED: &str = "/alloc/data";

/// What the script begins with. Bash does not look at a signal while it waits for a program, so
/// that the programs run beside it.
pub(super) const HEAD: &str = "#!/bin/bash
set -euo pipefail
child=
trap 'kill $child 2>/dev/null || true; wait || true; exit 143' TERM INT

step() {
  \"$@\" &
  child=$!
  wait \"$child\"
}
";

/// What a task of a chain waits for, and what it leaves.
pub(super) struct Chain {
    pub(super) awaited: Option<String>,
    pub(super) mark: Option<String>,
}

impl Chain {
    pub(super) fn begin(&self, script: &mut String) {
        if let Some(mark) = &self.awaited {
            let _ = writeln!(script, "\nuntil [ -e {mark} ]; do step sleep 1; done");
        }
    }

    pub(super) fn end(&self, script: &mut String) {
        if self.awaited.is_some() || self.mark.is_some() {
            script.push('\n');
        }
        if let Some(mark) = &self.mark {
            let _ = writeln!(script, "touch {mark}");
        }
        if let Some(mark) = &self.awaited {
            let _ = writeln!(
                script,
                "rm -f {mark} # an allocation that is restarted does it all again"
            );
        }
    }
}

/// The file that a task leaves when it is done.
pub(super) fn mark(task: &str) -> String {
    format!("{SHARED}/{task}.done")
}

/// Waits for what is needed, by the waiting script at a path.
pub(super) fn push_waits(script: &mut String, waits: &[Wait], path: &str) {
    if !waits.is_empty() {
        script.push('\n');
    }
    for wait in waits {
        let words: Vec<String> = wait.words().iter().map(|w| quote(w)).collect();
        let _ = writeln!(script, "step bash {path} {}", words.join(" "));
    }
}

/// One step of the script, for the replicas that take it.
pub(super) fn push_step(script: &mut String, step: &Init, shared: &[Arc<str>], covered: Covered) {
    let mut lines: Vec<(Option<Vec<String>>, Vec<u32>)> = Vec::new();
    for replica in covered.indexes() {
        let taken = step.when.get(replica) == Some(&true);
        let line = taken.then(|| line(step, shared, covered, replica));
        match lines.iter_mut().find(|(l, _)| *l == line) {
            Some((_, replicas)) => replicas.push(replica),
            None => lines.push((line, vec![replica])),
        }
    }
    let _ = writeln!(script, "\n# {}", step.container.name);
    if let [(Some(line), _)] = lines.as_slice() {
        let _ = writeln!(script, "{}", below(line, ""));
        return;
    }
    let _ = writeln!(script, "case \"${INDEX}\" in");
    for (line, replicas) in &lines {
        let Some(line) = line else { continue };
        let replicas: Vec<String> = replicas.iter().map(u32::to_string).collect();
        let line = below(line, "    ");
        let _ = writeln!(script, "  {})\n    {line}\n    ;;", replicas.join(" | "));
    }
    script.push_str("esac\n");
}

/// Parts of a command below each other. Only they are indented: a word may have lines of its own.
fn below(parts: &[String], indent: &str) -> String {
    parts.join(&format!(" \\\n{indent}  "))
}

/// The command of a step for one replica: alone, or below the variables that it alone has.
fn line(step: &Init, shared: &[Arc<str>], covered: Covered, replica: u32) -> Vec<String> {
    let container = &step.container;
    let own = container.env.iter().filter(|e| !shared.contains(&e.name));
    let mut variables: Vec<String> = Vec::new();
    for entry in own {
        let all: Option<Vec<&Value>> = covered.indexes().map(|i| entry.value.value(i)).collect();
        let by_index = all.and_then(|values| fitted(&values, &covered.tokens()));
        let value = match (by_index, entry.value.value(replica)) {
            (Some(pieces), _) if covered.count > 1 => indexed(&pieces),
            (_, Some(value)) => quote(value.raw()),
            (_, None) => continue,
        };
        variables.push(format!("{}={value}", entry.name));
    }
    let words = container.command.iter().flat_map(|w| &w.words);
    let words: Vec<String> = words
        .filter_map(|w| w.value(replica))
        .map(|w| quote(w.raw()))
        .collect();
    let command = words.join(" ");
    if variables.is_empty() {
        return vec![format!("step {command}")];
    }
    let mut parts = vec!["step env".to_owned()];
    parts.extend(variables);
    parts.push(command);
    parts
}

/// A word in which the index stands.
fn indexed(pieces: &[target::Piece]) -> String {
    let mut word = String::new();
    for piece in pieces {
        match piece {
            target::Piece::Text(text) => word.push_str(&quote(text)),
            target::Piece::Token(_) => {
                let _ = write!(word, "\"${INDEX}\"");
            }
            target::Piece::Secret(_) => {}
        }
    }
    word
}

/// A word for a shell.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
