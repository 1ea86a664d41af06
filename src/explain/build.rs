//! From a plan, and what its target says about it, to an [`Explanation`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::origin::{Origin, Origins};
use super::{
    Chosen, ConfigFile, Container, Entry, Explanation, File, Part, Role, Service, Setter, Variable,
};
use crate::blueprint::Delivery;
use crate::conffile;
use crate::env::{self, Format};
use crate::plan::{self, Delivered, Deliverer, Plan, Value, Words, config_path};
use crate::problem::{Problems, Sources};
use crate::resolve::Cluster;
use crate::target::{Account, Configured, Extra, Target};

/// What became of a cluster on a target, without an error.
#[derive(Clone, Copy)]
pub struct Made<'p> {
    /// The cluster.
    pub cluster: &'p Cluster,
    /// Its plan for the target.
    pub plan: &'p Plan,
    /// The target.
    pub target: &'static dyn Target,
    /// The target with its settings.
    pub configured: &'p dyn Configured,
    /// What it said.
    pub account: &'p Account,
    /// All texts.
    pub sources: &'p Sources,
}

/// Explains what was chosen.
pub fn explain<'p>(made: Made<'p>, chosen: &Chosen) -> Explanation<'p> {
    let mut builder = Builder {
        made,
        chosen,
        origins: Origins::new(made.cluster, made.sources),
        deliverer: Deliverer::default(),
    };
    let services = in_order(made.plan).into_iter();
    let wanted = |s: &&plan::Service| chosen.service.as_ref().is_none_or(|name| s.name == *name);
    let services = services.filter(wanted);
    Explanation {
        cluster: &made.plan.name,
        description: made.plan.description.as_deref(),
        target: made.target.name(),
        services: services.map(|s| builder.service(s)).collect(),
    }
}

/// Services in the order of their start: each behind those that it needs, else as in the blueprint.
pub(super) fn in_order(plan: &Plan) -> Vec<&plan::Service> {
    let services = &plan.services;
    let names = services.iter().enumerate();
    let places: HashMap<&str, usize> = names.map(|(at, s)| (&*s.name, at)).collect();
    let needed = |s: &plan::Service| {
        let needs = s.needs.iter();
        needs
            .filter_map(|n| places.get(&*n.service).copied())
            .collect()
    };
    let needs: Vec<Vec<usize>> = services.iter().map(needed).collect();
    let mut waiting: BTreeSet<usize> = (0..services.len()).collect();
    let mut order = Vec::new();
    // The needs of a plan without errors do not go in a circle, so that some service is always next.
    while let Some(next) = waiting.iter().copied().find(|at| {
        needs
            .get(*at)
            .is_none_or(|n| n.iter().all(|n| !waiting.contains(n)))
    }) {
        waiting.remove(&next);
        order.extend(services.get(next));
    }
    order
}

struct Builder<'p, 'c> {
    made: Made<'p>,
    chosen: &'c Chosen,
    origins: Origins<'p>,
    deliverer: Deliverer,
}

impl<'p> Builder<'p, '_> {
    fn service(&mut self, service: &'p plan::Service) -> Service<'p> {
        let target = self.made.target.name();
        let mut patches = service.patches.iter();
        let patch = patches.find(|(name, _)| **name == *target);
        let patch = patch.and_then(|(_, node)| self.origins.place(node.span));
        let replicas = match self.chosen.replica {
            Some(replica) => replica..replica + 1,
            None => 0..service.replicas,
        };
        let mut containers = Vec::new();
        for replica in replicas {
            for init in &service.inits {
                if init.when.get(replica) == Some(&true) {
                    containers.extend(self.part(service, &init.container, Role::Step, replica));
                }
            }
            containers.extend(self.part(service, &service.main, Role::Main, replica));
            for sidecar in &service.sidecars {
                let container = &sidecar.container;
                containers.extend(self.part(service, container, Role::Sidecar, replica));
            }
        }
        Service {
            plan: service,
            from: self.origins.place(service.span),
            patch,
            containers,
        }
    }

    /// A container, if it was asked for.
    fn part(
        &mut self,
        service: &'p plan::Service,
        planned: &'p plan::Container,
        role: Role,
        replica: u32,
    ) -> Option<Container<'p>> {
        let wanted = match &self.chosen.part {
            Part::All => true,
            Part::Main => role == Role::Main,
            Part::Named(name) => role != Role::Main && planned.name == *name,
        };
        if !wanted {
            return None;
        }
        // What is wrong was said when the target was given the plan.
        let mut unsaid = Problems::default();
        let container = self.made.configured.delivered(planned);
        let delivered = self.deliverer.deliver(&container, replica, &mut unsaid);
        let mut words = |words: &Option<Words>| {
            let words = words.as_ref()?;
            Some(plan::words(&container, words, replica, &mut unsaid))
        };
        let (entrypoint, command) = (words(&container.entrypoint), words(&container.command));
        let place = Seen {
            service: &service.name,
            container: &container,
            replica,
        };
        Some(Container {
            plan: planned,
            role,
            replica,
            from: self.origins.place(planned.span),
            entrypoint,
            command,
            config: self.config(place, &delivered),
            env: self.env(place, &delivered),
            files: self.files(place, delivered),
        })
    }

    fn config(&mut self, place: Seen<'_>, delivered: &Delivered) -> Vec<ConfigFile> {
        let Seen {
            container, replica, ..
        } = place;
        let mut variables: Vec<(&str, &str)> = delivered
            .env
            .iter()
            .map(|v| (&*v.name, v.value.raw()))
            .collect();
        // Launchers that keep to an order keep to that of names.
        variables.sort_unstable();
        let mut launched = env::decode(container.image.launcher, variables);
        let files = container.config.iter();
        let files = files.filter_map(|file| {
            let by_env = file.delivery == Delivery::Env;
            let path = config_path(&container.image, &file.name);
            let entries = file.entries.iter();
            let entries = entries.filter_map(|e| Some((e, e.value.value(replica)?)));
            let entries: Vec<_> = entries.collect();
            if entries.is_empty() && by_env {
                // No variable says that there is such a file.
                return None;
            }
            let written = launched.files.swap_remove(&*file.name).filter(|_| by_env);
            let format = file.format.or_else(|| of_name(&file.name));
            let (format, text) = if let Some(written) = written {
                let pairs = written.entries.iter();
                let pairs: Vec<_> = pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let text = conffile::render(written.format, &pairs).ok();
                (Some(written.format), text.map(Value::new))
            } else {
                let mut mounted = delivered.files.iter();
                let mounted = mounted.find(|f| f.path == path && !by_env);
                (format, mounted.map(|f| f.content.clone()))
            };
            let entries = entries.into_iter().map(|(entry, value)| Entry {
                key: Arc::clone(&entry.key),
                value: value.clone(),
                group: entry.group.clone(),
                from: self.origins.of(entry.span, place.service),
                over: self.places(&entry.over),
            });
            Some(ConfigFile {
                entries: entries.collect(),
                path,
                format,
                by_env,
                text,
            })
        });
        files.collect()
    }

    fn env(&mut self, place: Seen<'_>, delivered: &Delivered) -> Vec<Variable> {
        let Seen {
            service,
            container,
            replica,
        } = place;
        let extras = self.made.account.extras().iter();
        let extras: Vec<&Extra> = extras
            .filter(|e| e.service == *service && e.container == container.span)
            .filter(|e| e.replica.is_none_or(|r| r == replica))
            .collect();
        let mut variables = Vec::new();
        for variable in &delivered.env {
            let own = container.env.iter().find(|e| e.name == variable.name);
            let (setter, span) = match own {
                Some(own) => (Setter::Env, own.value_span),
                None => (Setter::Config, variable.span),
            };
            variables.push(Variable {
                name: Arc::clone(&variable.name),
                value: variable.value.clone(),
                setter,
                from: self.origins.of(span, service),
            });
        }
        for extra in extras {
            variables.retain(|v| v.name != extra.name);
            let Some(value) = extra.value.value(replica) else {
                continue;
            };
            let (setter, from) = match extra.span {
                Some(span) => (Setter::Patch, self.origins.plain(span)),
                None => (Setter::Target, Origin::default()),
            };
            variables.push(Variable {
                name: Arc::clone(&extra.name),
                value: value.clone(),
                setter,
                from,
            });
        }
        variables
    }

    fn files(&mut self, place: Seen<'_>, delivered: Delivered) -> Vec<File> {
        let config = &place.container.config;
        let files = delivered.files.into_iter();
        let files = files.map(|file| File {
            is_config: config.iter().any(|c| c.span == file.span),
            text: file.content,
            mode: file.mode,
            from: self.origins.plain(file.span),
            path: file.path,
        });
        files.collect()
    }
}

impl Builder<'_, '_> {
    fn places(&mut self, spans: &[crate::problem::Span]) -> Vec<super::Place> {
        let places = spans.iter().filter_map(|span| self.origins.place(*span));
        places.collect()
    }
}

/// A container of one replica, as it is delivered.
#[derive(Clone, Copy)]
struct Seen<'a> {
    service: &'a Arc<str>,
    container: &'a plan::Container,
    replica: u32,
}

fn of_name(name: &str) -> Option<Format> {
    let (_, extension) = name.rsplit_once('.')?;
    Format::of_extension(extension)
}
