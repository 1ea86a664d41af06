//! One process: command, environment, files and checks, from what a service, a step or a sidecar
//! says.

use std::collections::HashMap;
use std::sync::Arc;

use super::config::{self, Carrier};
use super::evaluate::Evaluator;
use super::{
    Check, Container, EnvEntry, File, Health, Image, Port, Probe, Resources, SecretMount, Slot,
    Stop, Words,
};
use crate::blueprint::{
    self, At, Blueprint, Command, Config, ContainerPath, Duration, HttpCheck, Map, Mode,
    MountedText, PortRef, Text, Texts, User,
};
use crate::env;
use crate::problem::{Problem, Span};

/// What a container is made from: the parts that services and sidecars have in common.
pub(super) struct Parts<'a> {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) image: Arc<Image>,
    pub(super) entrypoint: Option<&'a Command>,
    pub(super) command: Option<&'a Command>,
    pub(super) args: &'a [Text],
    pub(super) user: Option<At<User>>,
    pub(super) workdir: Option<&'a At<ContainerPath>>,
    pub(super) env: &'a Texts,
    pub(super) config: Option<&'a Config>,
    pub(super) files: &'a Map<MountedText>,
    pub(super) secrets: &'a Map<Option<blueprint::SecretMount>>,
    pub(super) health: Option<&'a blueprint::Health>,
    pub(super) stop: Option<&'a blueprint::Stop>,
    pub(super) resources: Option<&'a blueprint::Resources>,
}

pub(super) fn container(
    parts: &Parts<'_>,
    blueprint: &Blueprint,
    service: usize,
    ports: &[Port],
    evaluator: &mut Evaluator<'_>,
) -> Container {
    let carrier = Carrier {
        image: &parts.image,
        replaced: parts.entrypoint.is_some(),
    };
    let config = config::files(parts.config, blueprint, &carrier, service, evaluator);
    Container {
        name: Arc::clone(&parts.name),
        span: parts.span,
        image: Arc::clone(&parts.image),
        entrypoint: parts.entrypoint.map(|c| line(c, service, evaluator)),
        command: command(parts.command, parts.args, service, evaluator),
        user: parts.user.map(|u| u.value),
        workdir: parts.workdir.map(|w| w.value.0.clone()),
        env: env(parts.env, &carrier, service, evaluator),
        config,
        files: files(parts.files, &parts.image, service, evaluator),
        secrets: secrets(parts.secrets),
        health: parts.health.map(|h| health(h, service, ports, evaluator)),
        stop: parts
            .stop
            .map(|s| stop(s, service, evaluator))
            .unwrap_or_default(),
        resources: parts
            .resources
            .map(|r| resources(r, evaluator))
            .unwrap_or_default(),
    }
}

pub(super) fn words(
    command: &Command,
    args: &[Text],
    service: usize,
    evaluator: &mut Evaluator<'_>,
) -> Words {
    let texts = command.words.iter().chain(args);
    of_texts(texts, command.span, service, evaluator)
}

fn of_texts<'a>(
    texts: impl Iterator<Item = &'a Text>,
    span: Span,
    service: usize,
    evaluator: &mut Evaluator<'_>,
) -> Words {
    let (words, spans) = texts.map(|t| (evaluator.slot(t, service), t.span)).unzip();
    Words { words, spans, span }
}

/// Words that must be there: platforms differ in whether an empty list is none, or the image's own
/// words.
pub(super) fn line(command: &Command, service: usize, evaluator: &mut Evaluator<'_>) -> Words {
    let before = evaluator.problems.errors();
    let words = words(command, &[], service, evaluator);
    let replicas = 0..evaluator.count(service);
    let mut counts = replicas.map(|r| words.words.iter().filter_map(move |w| w.value(r)).count());
    if counts.any(|count| count == 0) && evaluator.problems.errors() == before {
        evaluator.problems.add(
            Problem::error("wrong-value", "this gives no words to run")
                .at(words.span)
                .label("expected at least one, for every replica"),
        );
    }
    words
}

/// `args` alone stand for the command: the image's entrypoint is given just them.
fn command(
    command: Option<&Command>,
    args: &[Text],
    service: usize,
    evaluator: &mut Evaluator<'_>,
) -> Option<Words> {
    match (command, args.first()) {
        (Some(command), _) => Some(words(command, args, service, evaluator)),
        (None, Some(first)) => Some(of_texts(args.iter(), first.span, service, evaluator)),
        (None, None) => None,
    }
}

/// Environment variables; what no process can be given is refused here, for every target.
pub(super) fn env(
    texts: &Texts,
    carrier: &Carrier<'_>,
    service: usize,
    evaluator: &mut Evaluator<'_>,
) -> Vec<EnvEntry> {
    let mut entries: Vec<EnvEntry> = Vec::new();
    let mut seen: HashMap<Arc<str>, Span> = HashMap::new();
    for pair in evaluator.pairs(texts, service) {
        if pair.removed {
            entries.retain(|e| e.name != pair.key);
            continue;
        }
        if let Some(first) = seen.insert(Arc::clone(&pair.key), pair.key_span) {
            evaluator.problems.add(
                Problem::error(
                    "duplicate-key",
                    format!("two variables are called `{}`", pair.key),
                )
                .at(pair.key_span)
                .label("expected names that differ after their templates are evaluated")
                .related(first, "the first one"),
            );
        }
        env_name(&pair.key, pair.key_span, carrier, evaluator);
        entries.push(EnvEntry {
            name: pair.key,
            value: pair.value,
            span: pair.key_span,
            value_span: pair.span,
        });
    }
    entries
}

fn env_name(name: &str, span: Span, carrier: &Carrier<'_>, evaluator: &mut Evaluator<'_>) {
    if name.is_empty() || name.contains(['=', '\0']) {
        evaluator.problems.add(
            Problem::error(
                "invalid-name",
                format!("`{name}` can't be the name of a variable"),
            )
            .at(span)
            .label("expected a name without `=`, of at least one character"),
        );
    }
    let image = carrier.image;
    if !carrier.replaced
        && let Some(file) = env::mistaken_for(image.launcher, name)
    {
        evaluator.problems.add(
            Problem::warning(
                "mistaken-variable",
                format!(
                    "the launcher `{}` takes `{name}` for configuration",
                    image.launcher.name()
                ),
            )
            .at(span)
            .label(format!("it would write {file}"))
            .help(format!("if that is meant, write it under `config`: {file}")),
        );
    }
}

fn files(
    files: &Map<MountedText>,
    image: &Image,
    service: usize,
    evaluator: &mut Evaluator<'_>,
) -> Vec<File> {
    let mut list = Vec::new();
    for (key, MountedText(file)) in files.iter() {
        let written = key.value.to_string();
        let good = <ContainerPath as blueprint::FromText>::from_text(&written);
        let bad = good.is_none() || written.ends_with('/');
        let path = good.map_or(written, |p| p.0);
        if bad {
            evaluator.problems.add(
                Problem::error("wrong-value", format!("`{path}` is no path of a file"))
                    .at(key.span)
                    .label("expected an absolute path such as /etc/motd"),
            );
        }
        if image.rewrites.contains(&path) {
            evaluator.problems.add(
                Problem::error("delivery", format!("`{path}` can't be mounted"))
                    .at(key.span)
                    .label(format!(
                        "the entrypoint of image `{}` rewrites it at each start",
                        image.name
                    )),
            );
        }
        let raw = file.raw.is_some_and(|r| r.value);
        let content = if raw {
            super::Each::Same(Some(super::Value::new(Arc::clone(&file.text.text))))
        } else {
            evaluator.slot(&file.text, service)
        };
        list.push(File {
            path,
            content,
            mode: file.mode.map_or(Mode(0o644), |m| m.value),
            span: key.span,
        });
    }
    list
}

fn secrets(mounts: &Map<Option<blueprint::SecretMount>>) -> Vec<SecretMount> {
    mounts
        .iter()
        .map(|(key, mount)| SecretMount {
            secret: Arc::clone(&key.value),
            path: mount.as_ref().and_then(|m| m.path.as_ref()).map_or_else(
                || format!("/run/secrets/{}", key.value),
                |p| p.value.0.clone(),
            ),
            mode: mount.as_ref().and_then(|m| m.mode).map(|m| m.value),
            span: key.span,
        })
        .collect()
}

fn resources(resources: &blueprint::Resources, evaluator: &mut Evaluator<'_>) -> Resources {
    let blueprint::Resources {
        cpu,
        memory,
        limits,
        span: _,
    } = resources;
    let limits = limits.as_ref();
    let above = |limit: Span, what: &str, evaluator: &mut Evaluator<'_>| {
        evaluator.problems.add(
            Problem::error(
                "wrong-value",
                format!("the limit of {what} is below what is reserved"),
            )
            .at(limit)
            .label("expected at least what is reserved"),
        );
    };
    if let (Some(memory), Some(limit)) = (memory, limits.and_then(|l| l.memory))
        && limit.value < memory.value
    {
        above(limit.span, "memory", evaluator);
    }
    if let (Some(cpu), Some(limit)) = (cpu, limits.and_then(|l| l.cpu))
        && limit.value < cpu.value
    {
        above(limit.span, "processors", evaluator);
    }
    let memory = memory.map(|m| m.value);
    Resources {
        cpu: cpu.map(|c| c.value),
        memory,
        cpu_limit: limits.and_then(|l| l.cpu).map(|c| c.value),
        memory_limit: limits.and_then(|l| l.memory).map(|m| m.value).or(memory),
    }
}

/// Signals that can ask a process to end, or to do what it does before.
const SIGNALS: [&str; 12] = [
    "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGABRT",
    "SIGWINCH", "SIGPWR", "SIGALRM", "SIGCONT",
];

fn stop(stop: &blueprint::Stop, service: usize, evaluator: &mut Evaluator<'_>) -> Stop {
    let blueprint::Stop {
        grace,
        signal,
        before,
        span: _,
    } = stop;
    if let Some(signal) = signal
        && !SIGNALS.contains(&signal.value.as_str())
    {
        evaluator.problems.add(
            Problem::error("wrong-value", format!("`{}` is no signal", signal.value))
                .at(signal.span)
                .label("expected a name such as SIGTERM or SIGINT")
                .nearest(&signal.value, SIGNALS),
        );
    }
    Stop {
        grace: grace.map(|g| g.value),
        signal: signal.as_ref().map(|s| s.value.clone()),
        before: before.as_ref().map(|c| words(c, &[], service, evaluator)),
    }
}

/// Times of a check: its own, else its health block's, else the defaults.
#[derive(Clone, Copy)]
struct Times {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    retries: Option<u32>,
    within: Option<Duration>,
}

/// One check as it was written.
struct Written<'a> {
    tcp: Option<&'a PortRef>,
    http: Option<&'a HttpCheck>,
    command: Option<&'a Command>,
    times: Times,
    span: Span,
}

fn health(
    health: &blueprint::Health,
    service: usize,
    ports: &[Port],
    evaluator: &mut Evaluator<'_>,
) -> Health {
    let blueprint::Health {
        tcp,
        http,
        command,
        interval,
        timeout,
        retries,
        within,
        start,
        ready,
        alive,
        span,
    } = health;
    let times = Times {
        interval: interval.map(|i| i.value),
        timeout: timeout.map(|t| t.value),
        retries: retries.map(|r| r.value),
        within: within.map(|w| w.value),
    };
    let apart = start.is_some() || ready.is_some() || alive.is_some();
    if !apart {
        let written = Written {
            tcp: tcp.as_ref(),
            http: http.as_ref(),
            command: command.as_ref(),
            times,
            span: *span,
        };
        let one = check(&written, times, service, ports, evaluator);
        return Health {
            start: one.clone(),
            ready: one.clone(),
            alive: one,
            apart,
            span: *span,
        };
    }
    let mut part = |written: &Option<blueprint::Check>| {
        let written = written.as_ref()?;
        let blueprint::Check {
            tcp,
            http,
            command,
            interval,
            timeout,
            retries,
            within,
            span,
        } = written;
        let written = Written {
            tcp: tcp.as_ref(),
            http: http.as_ref(),
            command: command.as_ref(),
            times: Times {
                interval: interval.map(|i| i.value),
                timeout: timeout.map(|t| t.value),
                retries: retries.map(|r| r.value),
                within: within.map(|w| w.value),
            },
            span: *span,
        };
        check(&written, times, service, ports, evaluator)
    };
    Health {
        start: part(start),
        ready: part(ready),
        alive: part(alive),
        apart,
        span: *span,
    }
}

fn check(
    written: &Written<'_>,
    outer: Times,
    service: usize,
    ports: &[Port],
    evaluator: &mut Evaluator<'_>,
) -> Option<Check> {
    let number = |port: &PortRef| {
        let found = ports.iter().find(|p| p.name == port.name);
        found.map(|p| (Arc::clone(&p.name), p.number))
    };
    let probe = match (written.tcp, written.http, written.command) {
        (Some(port), _, _) => {
            let (name, number) = number(port)?;
            Probe::Tcp(name, number)
        }
        (_, Some(http), _) => {
            let (name, number) = number(&http.port)?;
            Probe::Http(name, number, http_path(http, service, evaluator))
        }
        (_, _, Some(command)) => Probe::Command(words(command, &[], service, evaluator)),
        _ => return None,
    };
    let times = written.times;
    let interval = times.interval.or(outer.interval).unwrap_or(Duration(5_000));
    let timeout = times.timeout.or(outer.timeout).unwrap_or(Duration(5_000));
    let retries = times.retries.or(outer.retries).unwrap_or(6);
    if interval.0 == 0 || timeout.0 == 0 || retries == 0 {
        evaluator.problems.add(
            Problem::error("health", "a check needs time and tries")
                .at(written.span)
                .label("expected `interval`, `timeout` and `retries` above 0"),
        );
    }
    Some(Check {
        probe,
        interval,
        timeout,
        retries,
        within: times.within.or(outer.within).unwrap_or(Duration(120_000)),
        span: written.span,
    })
}

fn http_path(http: &HttpCheck, service: usize, evaluator: &mut Evaluator<'_>) -> Slot {
    let Some(path) = &http.path else {
        return super::Each::Same(Some(super::Value::new("/")));
    };
    let slot = evaluator.slot(path, service);
    let bad = |v: &super::Value| {
        !v.raw().starts_with('/') || v.raw().chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if slot.all().iter().flatten().any(bad) {
        evaluator.problems.add(
            Problem::error("wrong-value", "this is no path to GET")
                .at(path.span)
                .label("expected a path such as /status, without blanks"),
        );
    }
    slot
}
