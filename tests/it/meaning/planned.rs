//! What the plan says about every process: the truth that files are held against.

use std::collections::BTreeMap;

use flokkr::blueprint::User;
use flokkr::plan::{self, Container, Deliverer, Part, Plan, Service, Value, Volume};
use flokkr::problem::Problems;

use super::process::{Cluster, Facts, Line, Outline, Place, Process, Role, secret};

/// Everything that a plan has run.
pub fn planned(plan: &Plan, outline: &Outline) -> Cluster {
    let mut planner = Planner {
        outline,
        deliverer: Deliverer::default(),
    };
    let mut cluster = Cluster::new();
    for service in &plan.services {
        for replica in 0..service.replicas {
            for (role, container, volumes) in containers(service, replica) {
                let place = Place {
                    service: service.name.to_string(),
                    replica,
                    role,
                };
                let process = planner.process(container, replica, volumes);
                cluster.insert(place, process);
            }
        }
    }
    cluster
}

/// How the texts of each container are to be read.
pub fn facts(plan: &Plan) -> BTreeMap<(String, Role), Facts> {
    let mut facts = BTreeMap::new();
    for service in &plan.services {
        let steps = service.inits.iter().map(|i| &i.container);
        let steps = steps.map(|c| (Role::Step(c.name.to_string()), c));
        let sidecars = service.sidecars.iter().map(|s| &s.container);
        let sidecars = sidecars.map(|c| (Role::Sidecar(c.name.to_string()), c));
        let main = std::iter::once((Role::Main, &service.main));
        for (role, container) in main.chain(steps).chain(sidecars) {
            let known = Facts {
                launcher: container.image.launcher,
                argv: container.image.argv,
                user: container.image.user.map(user),
            };
            facts.insert((service.name.to_string(), role), known);
        }
    }
    facts
}

fn user(user: User) -> String {
    match user.gid {
        Some(gid) => format!("{}:{gid}", user.uid),
        None => user.uid.to_string(),
    }
}

/// The processes of a replica, with the volumes that each mounts.
fn containers(service: &Service, replica: u32) -> Vec<(Role, &Container, &[Volume])> {
    let volumes = service.volumes.as_slice();
    let mut all = vec![(Role::Main, &service.main, volumes)];
    for init in &service.inits {
        if init.when.get(replica) == Some(&true) {
            let role = Role::Step(init.container.name.to_string());
            all.push((role, &init.container, volumes));
        }
    }
    for sidecar in &service.sidecars {
        let role = Role::Sidecar(sidecar.container.name.to_string());
        let volumes = if sidecar.volumes { volumes } else { &[] };
        all.push((role, &sidecar.container, volumes));
    }
    all
}

struct Planner<'a> {
    outline: &'a Outline,
    deliverer: Deliverer,
}

impl Planner<'_> {
    fn process(&mut self, container: &Container, replica: u32, volumes: &[Volume]) -> Process {
        // A target may have a way round what is said here: a script instead of words.
        let mut problems = Problems::default();
        let given = self.deliverer.deliver(container, replica, &mut problems);
        let mut words = |words: &Option<plan::Words>| {
            let words = words.as_ref()?;
            let words = plan::words(container, words, replica, &mut problems);
            Some(words.iter().map(|w| self.text(w)).collect())
        };
        let line = Line::new(words(&container.entrypoint), words(&container.command));
        let environment = given.env.iter();
        let secrets = container.secrets.iter();
        Process {
            image: container.image.reference.clone(),
            line,
            environment: environment
                .map(|v| (v.name.to_string(), self.text(&v.value)))
                .collect(),
            files: given
                .files
                .iter()
                .map(|f| (f.path.clone(), self.text(&f.content)))
                .collect(),
            secrets: secrets
                .map(|m| {
                    (
                        m.path.clone(),
                        self.outline.same_secret(&m.secret).to_owned(),
                    )
                })
                .collect(),
            volumes: volumes.iter().map(|v| v.path.clone()).collect(),
            workdir: container.workdir.clone(),
            user: container.user.map(user),
            ..Process::default()
        }
    }

    fn text(&self, value: &Value) -> String {
        let parts = value.parts().map(|part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Secret(name) => secret(self.outline.same_secret(name)),
        });
        parts.collect()
    }
}
