//! Cluster and names to [`Plan`]: reads as the list of what a service consists of.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::addressing::{Addressing, Directory};
use super::container::{Parts, container};
use super::evaluate::Evaluator;
use super::{
    ConfigFile, Container, Each, EnvEntry, File, Image, Init, Need, Placement, Plan, Port,
    Resources, Secret, SecretSource, Service, Sidecar, Stop, Value, Volume, Words,
};
use crate::blueprint::{
    self, Argv, Blueprint, Command, Entrypoint, Kind, Map, Mode, Protocol, Publish, Restart, Shell,
    Texts, VolumeKind,
};
use crate::env::Dialect;
use crate::problem::{Problem, Problems, Sources, Span};
use crate::resolve::Cluster;

/// Where scripts of init steps are mounted.
pub(crate) const SCRIPTS: &str = "/flokkr";

/// Evaluates everything in a cluster with a target's names. What is wrong goes to `problems`; the
/// plan is whole only when no error was added.
pub fn build(
    cluster: &Cluster,
    addressing: &dyn Addressing,
    sources: &Sources,
    problems: &mut Problems,
) -> Plan {
    let Cluster {
        blueprint,
        vars,
        scopes,
        unsure: _,
    } = cluster;
    let directory = Directory::new(blueprint, addressing);
    let mut evaluator = Evaluator::new(directory, vars.clone(), scopes, sources, problems);
    let images = images(blueprint);
    let mut builder = Builder {
        blueprint,
        images,
        evaluator: &mut evaluator,
    };
    let services = blueprint
        .services
        .iter()
        .enumerate()
        .map(|(index, (key, service))| builder.service(index, &key.value, key.span, service))
        .collect();
    Plan {
        name: blueprint.name.value.clone(),
        description: blueprint.description.as_ref().map(|d| d.value.clone()),
        services,
        secrets: secrets(blueprint),
    }
}

fn secrets(blueprint: &Blueprint) -> Vec<Secret> {
    blueprint
        .secrets
        .iter()
        .filter_map(|(key, secret)| {
            let blueprint::Secret {
                file,
                env,
                external,
                span: _,
            } = secret;
            let source = match (file, env, external) {
                (Some(file), _, _) => SecretSource::File(file.value.clone()),
                (_, Some(env), _) => SecretSource::Env(env.value.clone()),
                (_, _, Some(external)) => SecretSource::External(external.value.clone()),
                _ => return None,
            };
            Some(Secret {
                name: Arc::clone(&key.value),
                source,
                span: key.span,
            })
        })
        .collect()
}

fn images(blueprint: &Blueprint) -> HashMap<Arc<str>, Arc<Image>> {
    blueprint
        .images
        .iter()
        .map(|(key, image)| {
            let image = self::image(&key.value, image);
            (Arc::clone(&key.value), Arc::new(image))
        })
        .collect()
}

fn image(name: &Arc<str>, image: &blueprint::Image) -> Image {
    let blueprint::Image {
        reference,
        launcher,
        user,
        conf,
        shell,
        entrypoint,
        argv,
        owns,
        rewrites,
        root,
        build,
        span: _,
    } = image;
    let launcher = launcher.map_or(Dialect::None, |l| l.value);
    let usual = match launcher {
        Dialect::Flokkr => Argv::Eval,
        Dialect::Apache => Argv::Split,
        _ => Argv::Exec,
    };
    let paths = |list: &[blueprint::At<blueprint::ContainerPath>]| {
        list.iter().map(|p| p.value.0.clone()).collect()
    };
    Image {
        name: Arc::clone(name),
        reference: reference.value.clone(),
        launcher,
        user: user.map(|u| u.value),
        conf: conf.as_ref().map(|c| c.value.0.clone()),
        shell: shell.map_or(Shell::Bash, |s| s.value),
        entrypoint: entrypoint.map_or(Entrypoint::Exec, |e| e.value),
        argv: argv.map_or(usual, |a| a.value),
        owns: paths(owns),
        rewrites: paths(rewrites),
        root: root.as_ref().map(|r| r.value.clone()),
        build: build.clone(),
    }
}

fn anything(name: &str) -> Image {
    Image {
        name: name.into(),
        reference: name.to_owned(),
        launcher: Dialect::None,
        user: None,
        conf: Some("/".to_owned()),
        shell: Shell::Bash,
        entrypoint: Entrypoint::Exec,
        argv: Argv::Exec,
        owns: Vec::new(),
        rewrites: Vec::new(),
        root: None,
        build: None,
    }
}

struct Builder<'a, 'e> {
    blueprint: &'a Blueprint,
    images: HashMap<Arc<str>, Arc<Image>>,
    evaluator: &'e mut Evaluator<'a>,
}

impl Builder<'_, '_> {
    /// An image; one that is not declared, which is reported already, is taken for one that can do
    /// everything, so that the rest of the service is checked.
    fn image(&self, name: &str) -> Arc<Image> {
        self.images
            .get(name)
            .map_or_else(|| Arc::new(anything(name)), Arc::clone)
    }

    fn service(
        &mut self,
        index: usize,
        name: &Arc<str>,
        span: Span,
        service: &blueprint::Service,
    ) -> Service {
        let blueprint::Service {
            description,
            image,
            kind,
            replicas,
            entrypoint,
            command,
            args,
            user,
            workdir,
            env,
            config,
            files,
            ports: own_ports,
            volumes,
            needs,
            init,
            health,
            stop,
            restart,
            resources,
            placement,
            secrets,
            profiles,
            labels,
            plugins: _,
            sidecars,
            patch,
            span: _,
        } = service;
        let kind = kind.map_or(Kind::Service, |k| k.value);
        let ports = ports(own_ports, sidecars);
        let parts = Parts {
            name: Arc::clone(name),
            span,
            image: self.image(&image.value),
            entrypoint: entrypoint.as_ref(),
            command: command.as_ref(),
            args,
            user: *user,
            workdir: workdir.as_ref(),
            env,
            config: config.as_ref(),
            files,
            secrets,
            health: health.as_ref(),
            stop: stop.as_ref(),
            resources: resources.as_ref(),
        };
        let main = container(&parts, self.blueprint, index, &ports, self.evaluator);
        let inits = init
            .iter()
            .filter_map(|step| self.init(step, &main, index))
            .collect();
        let sidecars = sidecars
            .iter()
            .map(|(key, sidecar)| self.sidecar(&key.value, key.span, sidecar, &main, index, &ports))
            .collect();
        let usual = if kind == Kind::Job {
            Restart::OnFailure
        } else {
            Restart::Always
        };
        Service {
            name: Arc::clone(name),
            span,
            description: description.as_ref().map(|d| d.value.clone()),
            kind,
            replicas: replicas.map_or(1, |r| r.value.0),
            main,
            inits,
            sidecars,
            volumes: volumes
                .iter()
                .map(|(k, v)| volume(&k.value, k.span, v))
                .collect(),
            needs: self.needs(needs),
            restart: restart.map_or(usual, |r| r.value),
            placement: placement.as_ref().map(|p| self.placement(p, index)),
            profiles: profiles.iter().map(|p| p.value.clone()).collect(),
            labels: self.labels(labels, index),
            patches: patch
                .iter()
                .map(|(k, v)| (Arc::clone(&k.value), v.0.clone()))
                .collect(),
            ports,
        }
    }

    fn labels(&mut self, labels: &Texts, index: usize) -> Vec<(Arc<str>, super::Slot)> {
        let pairs = self.evaluator.pairs(labels, index);
        let kept = pairs.into_iter().filter(|p| !p.removed);
        kept.map(|p| (p.key, p.value)).collect()
    }

    fn placement(&mut self, placement: &blueprint::Placement, index: usize) -> Placement {
        let blueprint::Placement {
            spread,
            nodes,
            with,
            span,
        } = placement;
        Placement {
            spread: spread.map(|s| s.value),
            nodes: self.labels(nodes, index),
            with: with.iter().map(|w| w.value.clone()).collect(),
            span: *span,
        }
    }

    fn needs(&self, needs: &blueprint::Needs) -> Vec<Need> {
        needs
            .list
            .iter()
            .filter_map(|need| {
                let (name, port) = match need.what.value.split_once('.') {
                    Some((name, port)) => (name, Some(port)),
                    None => (&*need.what.value, None),
                };
                let port = match port {
                    None => None,
                    Some(port) => Some((port.into(), self.evaluator.port(name, port)?)),
                };
                Some(Need {
                    service: name.into(),
                    port,
                    quorum: need.quorum,
                    span: need.what.span,
                })
            })
            .collect()
    }

    fn sidecar(
        &mut self,
        name: &Arc<str>,
        span: Span,
        sidecar: &blueprint::Sidecar,
        main: &Container,
        index: usize,
        ports: &[Port],
    ) -> Sidecar {
        let blueprint::Sidecar {
            image,
            entrypoint,
            command,
            args,
            user,
            workdir,
            env,
            config,
            files,
            ports: _,
            health,
            stop,
            resources,
            secrets,
            volumes,
            processes,
            span: _,
        } = sidecar;
        let parts = Parts {
            name: Arc::clone(name),
            span,
            image: match image {
                Some(image) => self.image(&image.value),
                None => Arc::clone(&main.image),
            },
            entrypoint: entrypoint.as_ref(),
            command: command.as_ref(),
            args,
            user: *user,
            workdir: workdir.as_ref(),
            env,
            config: config.as_ref(),
            files,
            secrets,
            health: health.as_ref(),
            stop: stop.as_ref(),
            resources: resources.as_ref(),
        };
        Sidecar {
            container: container(&parts, self.blueprint, index, ports, self.evaluator),
            volumes: volumes.is_none_or(|v| v.value),
            processes: processes.is_some_and(|p| p.value),
        }
    }

    /// A step sees what the main process sees: environment, config, files, secrets.
    fn init(&mut self, step: &blueprint::Init, main: &Container, index: usize) -> Option<Init> {
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
        let config: Vec<ConfigFile> = main.config.clone();
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
            return Some(super::container::words(command, &[], index, self.evaluator));
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
            (Some(script), _) => Body::Script(self.evaluator.slot(script, index)),
            (None, Some(command)) => {
                Body::Command(super::container::words(command, &[], index, self.evaluator))
            }
            (None, None) => return None,
        };
        let count = self.evaluator.count(index);
        let texts = (0..count)
            .map(|i| script_text(unless.as_ref(), &body, i))
            .collect();
        let path = format!("{SCRIPTS}/{name}.sh");
        files.push(File {
            path: path.clone(),
            content: Each::of(texts).unwrap_or(Each::Same(None)),
            mode: Mode(0o755),
            span,
        });
        let word = |text: &str| Each::Same(Some(Value::new(text)));
        Some(Words {
            words: vec![word("bash"), word(&path)],
            span,
        })
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
    Script(super::Slot),
    Command(Words),
}

fn script_text(unless: Option<&super::Slot>, body: &Body, replica: u32) -> Option<Value> {
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

/// A word for a shell.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn ports(own: &Map<blueprint::PortForm>, sidecars: &Map<blueprint::Sidecar>) -> Vec<Port> {
    let port =
        |name: &blueprint::At<Arc<str>>, form: &blueprint::PortForm, sidecar: Option<&Arc<str>>| {
            let blueprint::Port {
                port,
                publish,
                protocol,
                span: _,
            } = &form.0;
            Port {
                name: Arc::clone(&name.value),
                number: port.value,
                publish: publish.and_then(|p| match p.value {
                    Publish::No => None,
                    Publish::Same => Some(port.value),
                    Publish::On(number) => Some(number),
                }),
                protocol: protocol.map_or(Protocol::Tcp, |p| p.value),
                sidecar: sidecar.map(Arc::clone),
                span: publish.map_or(name.span, |p| p.span),
            }
        };
    let mut list: Vec<Port> = own.iter().map(|(n, f)| port(n, f, None)).collect();
    for (key, sidecar) in sidecars.iter() {
        list.extend(
            sidecar
                .ports
                .iter()
                .map(|(n, f)| port(n, f, Some(&key.value))),
        );
    }
    list
}

fn volume(name: &Arc<str>, span: Span, volume: &blueprint::Volume) -> Volume {
    let blueprint::Volume {
        path,
        kind,
        size,
        source,
        readonly,
        class,
        span: _,
    } = volume;
    Volume {
        name: Arc::clone(name),
        path: path.value.0.clone(),
        kind: kind.map_or(VolumeKind::Persistent, |k| k.value),
        size: size.map(|s| s.value),
        source: source.as_ref().map(|s| s.value.0.clone()),
        readonly: readonly.is_some_and(|r| r.value),
        class: class.as_ref().map(|c| c.value.clone()),
        span,
    }
}
