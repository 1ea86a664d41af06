//! Init steps: what they see, where they are taken, and their scripts.

use std::fmt::Write as _;
use std::sync::Arc;

use super::build::Builder;
use super::shell::quote;
use super::{Container, Each, EnvEntry, File, Image, Init, Resources, Slot, Stop, Value, Words};
use crate::blueprint::{self, Command, Mode, Shell};
use crate::problem::{Problem, Span};

/// Where scripts of init steps are mounted.
const SCRIPTS: &str = "/flokkr";

/// What a script's first line may say: bash runs what is written for `sh`, too.
const INTERPRETERS: [&str; 6] = [
    "/bin/bash",
    "/usr/bin/bash",
    "/usr/bin/env bash",
    "/bin/sh",
    "/usr/bin/sh",
    "/usr/bin/env sh",
];

impl Builder<'_, '_> {
    /// A step sees what the main process sees: environment, config, files, secrets.
    pub(super) fn init(
        &mut self,
        step: &blueprint::Init,
        main: &Container,
        index: usize,
    ) -> Option<Init> {
        let blueprint::Init {
            name,
            command,
            script,
            unless,
            when,
            image,
            env,
            user,
            span,
        } = step;
        let image_span = image.as_ref().map_or(*span, |image| image.span);
        let image = match image {
            Some(image) => self.image(&image.value),
            None => Arc::clone(&main.image),
        };
        let carrier = super::config::Carrier {
            image: &image,
            replaced: false,
        };
        let mut entries = main.env.clone();
        for entry in super::container::env(env, &carrier, index, self.evaluator) {
            entries.retain(|e: &EnvEntry| e.name != entry.name);
            entries.push(entry);
        }
        let mut files = main.files.clone();
        let run = Run {
            name: &name.value,
            span: *span,
            command: command.as_ref(),
            script: script.as_ref(),
            unless: unless.as_ref(),
        };
        let words = self.run(&run, &image, index, &mut files)?;
        let config = super::config::of_step(main, &image, image_span, self.evaluator);
        Some(Init {
            container: Container {
                name: name.value.as_str().into(),
                span: name.span,
                image,
                entrypoint: None,
                command: Some(words),
                user: user.map(|u| u.value).or(main.user),
                workdir: main.workdir.clone(),
                env: entries,
                config,
                files,
                secrets: main.secrets.clone(),
                health: None,
                stop: Stop::default(),
                resources: Resources {
                    cpu: None,
                    cpu_limit: None,
                    ..main.resources
                },
            },
            when: self.when(when.as_ref(), index),
        })
    }

    fn when(&mut self, when: Option<&blueprint::Text>, index: usize) -> Each<bool> {
        let Some(when) = when else {
            return Each::Same(true);
        };
        let slot = self.evaluator.slot(when, index);
        let mut values = Vec::new();
        for value in slot.all() {
            match value.as_ref().map_or("false", Value::raw) {
                "true" | "True" => values.push(true),
                "false" | "False" => values.push(false),
                other => self.evaluator.problems.add(
                    Problem::error("wrong-type", format!("`when` gives `{other}`"))
                        .at(when.span)
                        .label("expected a condition that is true or false"),
                ),
            }
        }
        match (slot, values.first()) {
            (Each::Replica(all), _) if all.len() == values.len() => {
                Each::of(values).unwrap_or(Each::Same(true))
            }
            (_, Some(first)) => Each::Same(*first),
            _ => Each::Same(false),
        }
    }

    /// The command of a step; a script, or a command behind a condition, becomes a mounted file,
    /// because some entrypoints split words again.
    fn run(
        &mut self,
        run: &Run<'_>,
        image: &Image,
        index: usize,
        files: &mut Vec<File>,
    ) -> Option<Words> {
        let Run {
            name,
            span,
            command,
            script,
            unless,
        } = *run;
        if let (Some(command), None, None) = (command, script, unless) {
            return Some(super::container::line(command, index, self.evaluator));
        }
        if image.shell != Shell::Bash {
            let place = script.or(unless).map_or(span, |t| t.span);
            self.evaluator.problems.add(
                Problem::error(
                    "no-shell",
                    format!("image `{}` has no bash to run this step", image.name),
                )
                .at(place)
                .label("`script` and `unless` need bash in the image")
                .help("give the step an `image` that has bash, or a plain `command`"),
            );
            return None;
        }
        let unless = unless.map(|t| self.evaluator.slot(t, index));
        let body = match (script, command) {
            (Some(script), _) => {
                let slot = self.evaluator.slot(script, index);
                self.for_bash(&slot, script.span);
                Body::Script(slot)
            }
            (None, Some(command)) => {
                let words = super::container::line(command, index, self.evaluator);
                super::deliver::long_words(&words, str::len, self.evaluator.problems);
                Body::Command(words)
            }
            (None, None) => return None,
        };
        self.no_secret(unless.as_ref(), &body, span);
        let count = self.evaluator.count(index);
        let texts = (0..count)
            .map(|i| script_text(unless.as_ref(), &body, i))
            .collect();
        let path = format!("{SCRIPTS}/{name}.sh");
        files.push(File {
            path: path.clone(),
            content: Each::of(texts).unwrap_or(Each::Same(None)),
            mode: Mode(0o644),
            span,
        });
        Some(Words::own(&["bash", &path], span))
    }
}

impl Builder<'_, '_> {
    /// A script's own first line is not read: it may say what is so anyway.
    fn for_bash(&mut self, script: &Slot, span: Span) {
        let lines = script.all().iter().flatten();
        let lines = lines.filter_map(|s| s.raw().strip_prefix("#!")?.lines().next());
        let other = lines
            .map(str::trim)
            .find(|line| !INTERPRETERS.contains(line));
        let Some(other) = other else {
            return;
        };
        let path = other.split_whitespace().next().unwrap_or_default();
        let help = match other.strip_prefix(path) {
            Some(options) if !options.is_empty() && INTERPRETERS.contains(&path) => {
                format!("leave the line out, and begin with `set{options}`")
            }
            _ => "give the step the text under the service's `files`, and run it by `command`"
                .to_owned(),
        };
        self.evaluator.problems.add(
            Problem::error(
                "wrong-value",
                format!("a step's script is run by bash, not by `{other}`"),
            )
            .at(span)
            .label("expected a script for bash, which runs it")
            .help(help),
        );
    }

    /// The bytes of a secret are not known, so no quoting makes them safe in a script.
    fn no_secret(&mut self, unless: Option<&Slot>, body: &Body, span: Span) {
        let slots: Vec<&Slot> = match body {
            Body::Script(slot) => vec![slot],
            Body::Command(words) => words.words.iter().collect(),
        };
        let mut values = slots
            .into_iter()
            .chain(unless)
            .flat_map(Each::all)
            .flatten();
        if values.any(Value::has_secret) {
            self.evaluator.problems.add(
                Problem::error("secret", "a secret can't stand in a script")
                    .at(span)
                    .label("its bytes would be read as shell")
                    .help(
                        "put it into a variable under `env`, and write \"$VARIABLE\" in the script",
                    ),
            );
        }
    }
}

/// What a step says about what it runs.
#[derive(Clone, Copy)]
struct Run<'a> {
    name: &'a str,
    span: Span,
    command: Option<&'a Command>,
    script: Option<&'a blueprint::Text>,
    unless: Option<&'a blueprint::Text>,
}

enum Body {
    Script(Slot),
    Command(Words),
}

fn script_text(unless: Option<&Slot>, body: &Body, replica: u32) -> Option<Value> {
    let mut text = String::from("#!/bin/bash\n");
    if let Some(path) = unless.and_then(|u| u.value(replica)) {
        let _ = writeln!(text, "if [ -e {} ]; then exit 0; fi", quote(path.raw()));
    }
    match body {
        Body::Script(script) => {
            let script = script.value(replica)?.raw().to_owned();
            let rest = match script.strip_prefix("#!") {
                Some(after) => after
                    .split_once('\n')
                    .map_or("", |(_, rest)| rest)
                    .to_owned(),
                None => script,
            };
            text.push_str(&rest);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        Body::Command(words) => {
            let words: Vec<String> = words
                .words
                .iter()
                .filter_map(|w| w.value(replica))
                .map(|w| quote(w.raw()))
                .collect();
            let _ = writeln!(text, "exec {}", words.join(" "));
        }
    }
    Some(Value::new(text))
}
