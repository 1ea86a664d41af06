//! Cluster and names to [`Plan`]: reads as the list of what a service consists of.

use std::collections::HashMap;
use std::sync::Arc;

use super::addressing::{Addressing, Directory};
use super::container::{Parts, container, line};
use super::evaluate::Evaluator;
use super::{
    Container, Image, Init, Need, Placement, Plan, Port, Secret, SecretSource, Service, Sidecar,
    Try, Volume, mounts,
};
use crate::blueprint::{
    self, Argv, At, Blueprint, Entrypoint, Kind, Map, Protocol, Publish, Restart, Shell, Texts,
    VolumeKind,
};
use crate::env::Dialect;
use crate::problem::{Problem, Problems, Sources, Span};
use crate::resolve::Cluster;

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
        declared: _,
        scopes,
        accepts: _,
        unsure: _,
    } = cluster;
    let directory = Directory::new(blueprint, addressing);
    let mut evaluator = Evaluator::new(directory, vars.clone(), scopes, sources, problems);
    let listed: Vec<Arc<Image>> = blueprint
        .images
        .iter()
        .map(|(key, declared)| Arc::new(image(key, declared)))
        .collect();
    let images = listed
        .iter()
        .map(|image| (Arc::clone(&image.name), Arc::clone(image)))
        .collect();
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
    let tries = builder.tries();
    Plan {
        name: blueprint.name.value.clone(),
        description: blueprint.description.as_ref().map(|d| d.value.clone()),
        services,
        secrets: secrets(blueprint),
        images: listed,
        tries,
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

fn image(key: &At<Arc<str>>, image: &blueprint::Image) -> Image {
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
    let launched = build.as_ref().and_then(|build| build.launch);
    let usual = match launcher {
        // flokkr's own launcher never splits words.
        _ if launched.is_some_and(|launch| launch.value) => Argv::Exec,
        Dialect::Flokkr => Argv::Eval,
        Dialect::Apache => Argv::Split,
        _ => Argv::Exec,
    };
    let paths =
        |list: &[At<blueprint::ContainerPath>]| list.iter().map(|p| p.value.0.clone()).collect();
    Image {
        name: Arc::clone(&key.value),
        span: key.span,
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
        span: Span::nowhere(),
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

pub(super) struct Builder<'a, 'e> {
    pub(super) blueprint: &'a Blueprint,
    images: HashMap<Arc<str>, Arc<Image>>,
    pub(super) evaluator: &'e mut Evaluator<'a>,
}

impl Builder<'_, '_> {
    /// An image; one that is not declared, which is reported already, is taken for one that can do
    /// everything, so that the rest of the service is checked.
    pub(super) fn image(&self, name: &str) -> Arc<Image> {
        self.images
            .get(name)
            .map_or_else(|| Arc::new(anything(name)), Arc::clone)
    }

    /// The commands to begin with; one of a service that is not there is reported already.
    fn tries(&mut self) -> Vec<Try> {
        let mut tries = Vec::new();
        for one in &self.blueprint.tries {
            let blueprint::Try {
                service,
                run,
                about,
                span: _,
            } = one;
            let mut names = self.blueprint.services.names();
            let Some(index) = names.position(|name| name == service.value) else {
                continue;
            };
            tries.push(Try {
                service: index,
                words: line(run, index, self.evaluator),
                about: about.as_ref().map(|about| about.value.clone()),
            });
        }
        tries
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
        let inits: Vec<Init> = init
            .iter()
            .filter_map(|step| self.init(step, &main, index))
            .collect();
        let sidecars: Vec<Sidecar> = sidecars
            .iter()
            .map(|(key, sidecar)| self.sidecar(&key.value, key.span, sidecar, &main, index, &ports))
            .collect();
        let volumes: Vec<Volume> = volumes
            .iter()
            .map(|(k, v)| volume(&k.value, k.span, v))
            .collect();
        let problems = &mut *self.evaluator.problems;
        for container in std::iter::once(&main).chain(inits.iter().map(|i| &i.container)) {
            mounts::check(container, &volumes, problems);
        }
        for sidecar in &sidecars {
            let mounted: &[Volume] = if sidecar.volumes { &volumes } else { &[] };
            mounts::check(&sidecar.container, mounted, problems);
        }
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
            volumes,
            needs: self.needs(needs),
            restart: restart.map_or(usual, |r| r.value),
            placement: placement.as_ref().map(|p| self.placement(p, index)),
            profiles: profiles.iter().map(|p| p.value.clone()).collect(),
            labels: self.own_labels(labels, index),
            patches: patch
                .iter()
                .map(|(k, v)| (Arc::clone(&k.value), v.0.clone()))
                .collect(),
            ports,
        }
    }

    /// Labels of a service; those of flokkr's own are not for the taking.
    fn own_labels(&mut self, labels: &Texts, index: usize) -> Vec<super::Label> {
        for (key, _) in &labels.entries {
            if key.text.starts_with("flokkr.") {
                self.evaluator.problems.add(
                    Problem::error(
                        "invalid-name",
                        format!("the label `{}` is flokkr's own", key.text),
                    )
                    .at(key.span)
                    .label("expected a name that does not begin with `flokkr.`"),
                );
            }
        }
        let pairs = self.evaluator.pairs(labels, index);
        let kept = pairs.into_iter().filter(|p| !p.removed);
        let label = |p: super::evaluate::Pair| super::Label {
            key: p.key,
            value: p.value,
            span: p.key_span,
        };
        kept.map(label).collect()
    }

    fn nodes(&mut self, nodes: &Texts, index: usize) -> Vec<(Arc<str>, super::Slot)> {
        let pairs = self.evaluator.pairs(nodes, index);
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
            nodes: self.nodes(nodes, index),
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
}

fn ports(own: &Map<blueprint::PortForm>, sidecars: &Map<blueprint::Sidecar>) -> Vec<Port> {
    let port = |name: &At<Arc<str>>, form: &blueprint::PortForm, sidecar: Option<&Arc<str>>| {
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
