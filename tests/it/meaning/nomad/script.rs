//! The script of a prestart task, taken apart into the steps of the blueprint.
//!
//! The rules: it begins with flokkr's own head. A line outside of quotes that is a comment names a
//! step, and what follows up to the next one belongs to that step. Before the first of them, ports
//! and marks are waited for; behind the last, marks are left and taken away. What a step runs are
//! the words that a real bash gives to the function `step` for an index: none when the replica
//! does not take it. Where its variables stand below each other, `env` gives it these.

use std::collections::BTreeSet;

use super::super::process::Process;
use super::super::shell;

/// What every such script begins with.
const HEAD: &str = r#"#!/bin/bash
set -euo pipefail
child=
trap 'kill $child 2>/dev/null || true; wait || true; exit 143' TERM INT

step() {
  "$@" &
  child=$!
  wait "$child"
}
"#;

/// A step: its name, and the lines that run it.
type Section = (String, String);

/// A script.
pub struct Script {
    /// The paths of the scripts that wait for ports.
    pub waits: BTreeSet<String>,
    sections: Vec<Section>,
}

/// Takes a script apart; none if it is no script of this kind.
pub fn parsed(script: &str) -> Option<Script> {
    let body = script.strip_prefix(HEAD)?;
    let mut waits = BTreeSet::new();
    let mut sections: Vec<Section> = Vec::new();
    let mut ended = false;
    for line in lines(body) {
        if let Some(name) = line.strip_prefix("# ") {
            assert!(!ended, "a step behind the end: {line}");
            sections.push((name.trim_end().to_owned(), String::new()));
            continue;
        }
        let is_mark =
            line.starts_with("touch /alloc/data/") || line.starts_with("rm -f /alloc/data/");
        ended |= is_mark;
        if is_mark || line.trim().is_empty() {
            continue;
        }
        if let Some((_, text)) = sections.last_mut() {
            assert!(!ended, "a line behind the end: {line}");
            text.push_str(line);
        } else {
            let wait = line.strip_prefix("step bash ");
            let wait = wait.and_then(|words| words.split_once(' '));
            let wait = wait.filter(|(path, _)| path.starts_with("/flokkr/wait-for"));
            waits.extend(wait.map(|(path, _)| path.to_owned()));
            let is_mark = line.starts_with("until [ -e /alloc/data/");
            assert!(is_mark || wait.is_some(), "this is no wait: {line}");
        }
    }
    Some(Script { waits, sections })
}

/// Lines as a shell sees them: a quoted or escaped end does not end one.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let (mut start, mut quote, mut escaped) = (0, None, false);
    let mut comment = false;
    for (at, c) in text.char_indices() {
        if at == start {
            comment = c == '#';
        }
        match (quote, c) {
            (_, _) if escaped => escaped = false,
            (None | Some('"'), '\\') if !comment => escaped = true,
            (None, '\n') => {
                lines.push(&text[start..=at]);
                start = at + 1;
            }
            (None, '\'' | '"') if !comment => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    assert_eq!(start, text.len(), "a line without an end");
    lines
}

impl Script {
    /// The steps that a replica takes, by name: what they have in common, and their own.
    pub fn taken(&self, index: &str, common: &Process) -> Vec<(String, Process)> {
        let steps = self.sections.iter().filter_map(|section| {
            let mut process = taken(section, index, common)?;
            // The scripts of the others are there as well.
            for (name, _) in self.sections.iter().filter(|s| s.0 != section.0) {
                process.files.remove(&format!("/flokkr/{name}.sh"));
            }
            Some((section.0.clone(), process))
        });
        steps.collect()
    }
}

/// What a step is for a replica, if it takes it: its words, and its own variables are added.
fn taken((_, text): &Section, index: &str, common: &Process) -> Option<Process> {
    let differs = text.contains("NOMAD_ALLOC_INDEX");
    let variables = [("NOMAD_ALLOC_INDEX", index)];
    let script = format!("step() {{ exec \"$@\"; }}\n{text}");
    let mut words = shell::words(&script, if differs { &variables } else { &[] });
    if words.is_empty() {
        return None;
    }
    let mut process = common.clone();
    if text.contains("step env \\\n") {
        let own = words[1..].iter().take_while(|w| w.contains('='));
        let own = own.count();
        for word in words.drain(..=own).skip(1) {
            let (name, value) = word.split_once('=').unwrap();
            process
                .environment
                .insert(name.to_owned(), value.to_owned());
        }
    }
    process.line.words = Some(words);
    process.plain = true;
    Some(process)
}
