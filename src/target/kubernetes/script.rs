//! The words of a container, and the scripts that give each replica what no text carries: which
//! variables and words there are at all, and who takes a step.

use std::fmt::Write as _;

use super::addressing::pod_name;
use super::carrier::References;
use super::env::Environment;
use super::model::Mount;
use super::pod::Draft;
use crate::blueprint::{Mode, Shell};
use crate::plan::shell::hands_on;
use crate::plan::{
    Across, Container, Each, FileOfAll, Init, Slot, Value, VariableOfAll, Words, quote,
    words_of_all,
};

/// Where flokkr's own scripts are mounted.
const SCRIPTS: &str = "/flokkr";

/// The words of a container.
#[derive(Default)]
pub(super) struct Line {
    pub(super) command: Option<Vec<String>>,
    pub(super) args: Option<Vec<String>>,
}

impl Draft<'_, '_> {
    /// The words of a container; where they or its variables differ in a way that no text carries,
    /// a script that has the words of each replica.
    pub(super) fn command(
        &mut self,
        container: &Container,
        environment: &mut Environment,
        mounts: &mut Vec<Mount>,
        references: &mut References,
    ) -> Line {
        let entrypoint = self.words(container, container.entrypoint.as_ref());
        let command = self.words(container, container.command.as_ref());
        let carried = |words: &Option<Each<Vec<Value>>>, references: &mut References| match words {
            None => Some(None),
            Some(words) => self.carrier.words(words, references).map(Some),
        };
        if environment.rest.is_empty() {
            let texts = (
                carried(&entrypoint, references),
                carried(&command, references),
            );
            if let (Some(command), Some(args)) = texts {
                return Line { command, args };
            }
        }
        let rest = std::mem::take(&mut environment.rest);
        let (Some([entrypoint, command]), Shell::Bash) = (
            whole_line(container, entrypoint, command),
            container.image.shell,
        ) else {
            self.refuse(container, &rest);
            return Line::default();
        };
        let mut set = rest.clone();
        set.extend(environment.without_disturbing());
        let Some(text) = self.script(&entrypoint, &command, &set, references) else {
            self.refuse(container, &rest);
            return Line::default();
        };
        let path = format!("{SCRIPTS}/{}-replica.sh", container.name);
        mounts.extend(self.mount_text(&path, &text, Mode(0o644), container.span));
        let how = "a script has what each replica is given";
        self.lowering
            .account
            .emulated("replica", container.span, how);
        Line {
            command: Some(vec!["bash".to_owned(), path]),
            args: None,
        }
    }

    fn words(&mut self, container: &Container, words: Option<&Words>) -> Option<Each<Vec<Value>>> {
        let words = words?;
        for (slot, span) in words.placed() {
            for value in slot.all().iter().flatten() {
                self.safe(value.raw(), span);
            }
        }
        let problems = &mut self.lowering.account.problems;
        Some(words_of_all(
            container,
            words,
            self.service.replicas,
            problems,
        ))
    }

    /// A script with the command of each replica, by the pod's name.
    fn script(
        &self,
        entrypoint: &Each<Vec<Value>>,
        command: &Each<Vec<Value>>,
        variables: &[VariableOfAll],
        references: &mut References,
    ) -> Option<String> {
        let first = self.lowering.settings.first(&self.service.name);
        let variable = self.carrier.name_variable(references);
        let mut text =
            format!("#!/bin/bash\n# What only one replica is given.\ncase ${variable} in\n");
        for replica in 0..self.service.replicas {
            let line = entrypoint.get(replica)?.iter().chain(command.get(replica)?);
            let mut words = settings(variables, replica, line.clone().next())?;
            for word in line {
                words.push(quote(word.plain()?));
            }
            let pod = pod_name(&self.service.name, first, replica);
            let _ = writeln!(text, "  {pod}) exec {} ;;", words.join(" "));
        }
        let _ = writeln!(
            text,
            "esac\necho \"there is no replica ${variable}\" >&2\nexit 1"
        );
        Some(text)
    }

    /// A step that only some replicas take, as one that the others leave at once.
    pub(super) fn gated(&mut self, init: &Init, given: &mut Across) -> Option<Container> {
        let Each::Replica(takes) = &init.when else {
            return None;
        };
        let container = &init.container;
        if container.image.shell != Shell::Bash {
            self.unsupported(
                "init.when",
                container.span,
                "a step for some replicas, in an image without bash",
                "give the step an `image` that has bash",
            );
            return None;
        }
        for variable in &given.env {
            if !hands_on(Shell::Bash, &variable.name) {
                let what = format!(
                    "`{}` for a step of some replicas: bash stands before it, and sets that itself",
                    variable.name
                );
                let help = "give the variable another name, or the step to all replicas";
                self.unsupported("init.when", variable.span, &what, help);
            }
        }
        let path = format!("{SCRIPTS}/{}.sh", container.name);
        let at = given.files.iter().position(|f| f.path == path);
        let body = match at {
            Some(at) => given.files.remove(at).content,
            None => exec_line(container.command.as_ref()?, self.service.replicas),
        };
        let gate = self.gate(takes);
        let texts = (0..self.service.replicas).map(|replica| {
            let text = body.value(replica).map_or("", Value::raw);
            let text = text.strip_prefix("#!/bin/bash\n").unwrap_or(text);
            let text = if takes.get(replica as usize) == Some(&true) {
                text
            } else {
                // All the same where the step is not taken, so that the file can be one.
                first_taken(takes, &body).unwrap_or(text)
            };
            Some(Value::new(format!("#!/bin/bash\n{gate}{text}")))
        });
        given.files.push(FileOfAll {
            path: path.clone(),
            content: Each::of(texts.collect()).unwrap_or(Each::Same(None)),
            mode: Mode(0o644),
            span: container.span,
        });
        let how = "the step ends at once in replicas that don't take it";
        self.lowering
            .account
            .emulated("init.when", container.span, how);
        Some(Container {
            command: Some(Words::own(&["bash", &path], container.span)),
            ..container.clone()
        })
    }

    /// Ends the script in replicas that don't take the step; names the fewer ones.
    fn gate(&self, takes: &[bool]) -> String {
        let first = self.lowering.settings.first(&self.service.name);
        let variable = self.carrier.name_of_variable();
        let pods = |wanted: bool| {
            let taken = (0..).zip(takes).filter(|(_, t)| **t == wanted);
            let names: Vec<String> = taken
                .map(|(i, _)| pod_name(&self.service.name, first, i))
                .collect();
            names.join(" | ")
        };
        let many = takes.iter().filter(|t| **t).count() * 2 > takes.len();
        if many {
            format!("case ${variable} in {}) exit 0 ;; esac\n", pods(false))
        } else {
            format!("case ${variable} in {}) ;; *) exit 0 ;; esac\n", pods(true))
        }
    }

    fn refuse(&mut self, container: &Container, rest: &[VariableOfAll]) {
        let help = if container.image.shell == Shell::Bash {
            "give it an `entrypoint`, so that a script can stand before it; or let the process ask its host name"
        } else {
            "let the process ask its host name"
        };
        let lists = [&container.entrypoint, &container.command];
        let words = lists.into_iter().flatten().flat_map(Words::placed);
        for (slot, span) in words.filter(|(slot, _)| slot.all().iter().any(Option::is_some)) {
            let mut references = References::default();
            if self.carrier.text(slot, &mut references).is_none() {
                self.unsupported(
                    "command",
                    span,
                    "a word that follows neither the pod's name nor its number",
                    help,
                );
            }
        }
        for variable in rest {
            let what = format!(
                "the values of `{}`, which follow neither the pod's name nor its number",
                variable.name
            );
            let ids = self.would_fit_from_one(&variable.value);
            let help = if ids {
                format!(
                    "number its pods from 1: targets: {{ kubernetes: {{ ordinals: {{ {}: 1 }} }} }}",
                    self.service.name
                )
            } else {
                format!("{help}; or, if it is config, deliver it as a file: `delivery: files`")
            };
            self.unsupported("env", variable.span, &what, &help);
        }
    }

    fn would_fit_from_one(&self, value: &Slot) -> bool {
        let numbers = (1..=self.service.replicas).map(|i| i.to_string());
        let Each::Replica(values) = value else {
            return false;
        };
        let values: Option<Vec<&Value>> = values.iter().map(Option::as_ref).collect();
        values.is_some_and(|v| crate::target::fit(&v, &[numbers.collect()]).is_some())
    }
}

/// What a container runs, from its first word: an image's own entrypoint and command are known when it is built.
fn whole_line(
    container: &Container,
    entrypoint: Option<Each<Vec<Value>>>,
    command: Option<Each<Vec<Value>>>,
) -> Option<[Each<Vec<Value>>; 2]> {
    let same = |words: Vec<String>| Each::Same(words.into_iter().map(Value::new).collect());
    if let Some(entrypoint) = entrypoint {
        return Some([entrypoint, command.unwrap_or(Each::Same(Vec::new()))]);
    }
    let image = &container.image;
    let own = || {
        let words = image.build.as_ref()?.command.as_ref()?;
        Some(same(words.iter().map(|word| word.value.clone()).collect()))
    };
    let command = command.or_else(own)?;
    Some([image.built_entrypoint().map(same)?, command])
}

/// The `env` before a line that begins with `first`, if a replica has any of these variables.
fn settings(
    variables: &[VariableOfAll],
    replica: u32,
    first: Option<&Value>,
) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for variable in variables {
        if let Some(value) = variable.value.value(replica) {
            let name = &variable.name;
            if words.is_empty() {
                words.push("env".to_owned());
            }
            // `env` takes a name like `-u` for an option.
            if name.starts_with('-') && words.get(1).is_none_or(|w| w != "--") {
                words.insert(1, "--".to_owned());
            }
            words.push(quote(&format!("{name}={}", value.plain()?)));
        }
    }
    // It would set this word too, and run the next.
    let taken = !words.is_empty() && first.is_none_or(|w| w.raw().contains('='));
    (!taken).then_some(words)
}

/// The text of the first replica that takes a step.
fn first_taken<'b>(takes: &[bool], body: &'b Slot) -> Option<&'b str> {
    let first = (0..).zip(takes).find(|(_, t)| **t)?.0;
    let text = body.value(first)?.raw();
    Some(text.strip_prefix("#!/bin/bash\n").unwrap_or(text))
}

/// The command of each replica as a line of a script.
fn exec_line(words: &Words, replicas: u32) -> Slot {
    let lines = (0..replicas).map(|replica| {
        let words = words.words.iter().filter_map(|w| w.value(replica));
        let words: Vec<String> = words.map(|w| quote(w.raw())).collect();
        Some(Value::new(format!(
            "exec {}
",
            words.join(" ")
        )))
    });
    Each::of(lines.collect()).unwrap_or(Each::Same(None))
}
