//! Needs in Compose: a health condition where the needed service's check says just what is
//! needed, else a service that waits for the ports and completes.

use std::sync::Arc;

use indexmap::IndexMap;

use super::lower::{Lowering, Place, condition, distinct, emitted_names, is_expanded};
use super::model::{Condition, Dependency, Mount, Service};
use crate::blueprint::{Kind, Quorum};
use crate::plan::{self, Probe, Value};
use crate::target::wait;

/// Its name among the inline configs.
const SCRIPT_NAME: &str = "flokkr-wait-for-sh";

/// What must be there before a replica's first step.
pub(super) fn needs(lowering: &mut Lowering<'_>, place: Place<'_>) -> IndexMap<String, Dependency> {
    let mut before = IndexMap::new();
    for need in &place.service.needs {
        let Some(needed) = lowering.services.get(&*need.service).copied() else {
            continue;
        };
        let names = emitted_names(needed);
        let port = wait::port(need, needed);
        let beside = port
            .map(|(name, _)| sidecars(&name, needed))
            .unwrap_or_default();
        let beside = beside
            .into_iter()
            .map(|n| (n, condition(Condition::Started)));
        let native = native(need, needed);
        if let Some(level) = native {
            before.extend(names.into_iter().map(|n| (n, condition(level))));
            if level != Condition::Completed {
                before.extend(beside);
            }
            continue;
        }
        if let Some(name) = gate(lowering, place, need, needed) {
            before.insert(name, condition(Condition::Completed));
            continue;
        }
        // Without a shell nothing can wait; the nearest condition is said, and that it differs.
        let level = if needed.main.health.is_some() {
            Condition::Healthy
        } else {
            Condition::Started
        };
        let what = format!(
            "nothing can wait for {} of `{}`: that takes an image with bash, and a port; \
             every replica must be {}",
            need.quorum.word(),
            need.service,
            if level == Condition::Healthy {
                "healthy"
            } else {
                "started"
            }
        );
        lowering.account.lost("needs.quorum", need.span, &what);
        before.extend(names.into_iter().map(|n| (n, condition(level))));
        before.extend(beside);
    }
    before
}

/// The sidecars that listen on a port of a service, one for each replica: the replicas' own containers start none.
fn sidecars(port: &str, needed: &plan::Service) -> Vec<String> {
    let mut ports = needed.ports.iter();
    let sidecar = ports
        .find(|p| *p.name == *port)
        .and_then(|p| p.sidecar.as_ref());
    let of = |sidecar: &Arc<str>| {
        let names = emitted_names(needed).into_iter();
        names.map(|n| format!("{n}-{sidecar}")).collect()
    };
    sidecar.map(of).unwrap_or_default()
}

/// The condition that says exactly what a need says, if there is one.
fn native(need: &plan::Need, needed: &plan::Service) -> Option<Condition> {
    if needed.kind == Kind::Job {
        return Some(Condition::Completed);
    }
    if need.quorum != Quorum::All && needed.replicas > 1 {
        return None;
    }
    let Some((port, _)) = &need.port else {
        let checked = needed.main.health.is_some();
        return Some(if checked {
            Condition::Healthy
        } else {
            Condition::Started
        });
    };
    let health = needed.main.health.as_ref()?;
    // With one check for everything, healthy is what its author means by "there". With checks
    // apart, healthy means ready, which can be much later than the port is open.
    let check = health.usable()?;
    let same = matches!(&check.probe, Probe::Tcp(name, _) if name == port);
    // Of a sidecar, which starts later, no check of the main process says anything.
    let beside = |p: &plan::Port| p.name == *port && p.sidecar.is_some();
    let whole = !health.apart && !needed.ports.iter().any(beside);
    (whole || same).then_some(Condition::Healthy)
}

/// The service that waits for a port of several replicas; one for all who need the same.
fn gate(
    lowering: &mut Lowering<'_>,
    place: Place<'_>,
    need: &plan::Need,
    needed: &plan::Service,
) -> Option<String> {
    let (name, number) = wait::port(need, needed)?;
    let image = wait::image(place.service, needed)?;
    let count = if is_expanded(needed) {
        needed.replicas
    } else {
        1
    };
    if count < needed.replicas && need.quorum != Quorum::Any {
        let what = format!(
            "the replicas of `{}` share one name, so that one which answers is enough",
            need.service
        );
        lowering.account.lost("needs.quorum", need.span, &what);
    }
    let at_least = wait::at_least(need.quorum, count);
    let how = "a service waits for the ports and completes";
    let field = if need.quorum == Quorum::All {
        "needs"
    } else {
        "needs.quorum"
    };
    lowering.account.emulated(field, need.span, how);
    let key = (Arc::clone(&need.service), Arc::clone(&name), need.quorum);
    if let Some(gate) = lowering.gates.get(&key).cloned() {
        share(lowering, &gate, place);
        return Some(gate);
    }
    // `a.b-c` and `a-b.c` would have one name.
    let plain = format!("wait-{}-{name}-{}", need.service, need.quorum.word());
    let mut numbered = (2..).map(|n| format!("{plain}-{n}"));
    let gate = if lowering.has(&plain) {
        numbered.find(|name| !lowering.has(name))?
    } else {
        plain
    };
    lowering.gates.insert(key, gate.clone());
    let hosts = if lowering.settings.is_host() {
        vec!["localhost".to_owned()]
    } else {
        emitted_names(needed)
    };
    let mut command = vec![Value::new(at_least.to_string())];
    command.extend(hosts.iter().map(|h| Value::new(format!("{h}:{number}"))));
    lowering
        .project
        .configs
        .insert(SCRIPT_NAME.to_owned(), Value::new(wait::SCRIPT));
    let waiting = Service {
        image: image.reference.clone(),
        entrypoint: Some(vec![Value::new("bash"), Value::new(wait::SCRIPT_PATH)]),
        command: Some(command),
        configs: vec![Mount {
            source: SCRIPT_NAME.to_owned(),
            target: wait::SCRIPT_PATH.to_owned(),
        }],
        network_mode: lowering.settings.is_host().then(|| "host".to_owned()),
        depends_on: emitted_names(needed)
            .into_iter()
            .chain(sidecars(&name, needed))
            .map(|n| (n, condition(Condition::Started)))
            .collect(),
        restart: Some("no"),
        profiles: place.service.profiles.clone(),
        ..Service::default()
    };
    lowering.add(gate.clone(), gate.clone(), waiting, need.span);
    Some(gate)
}

/// A second service waits behind the same gate: the gate is there whenever one of them is.
fn share(lowering: &mut Lowering<'_>, gate: &str, place: Place<'_>) {
    let Some(waiting) = lowering.project.services.get_mut(gate) else {
        return;
    };
    if place.service.profiles.is_empty() || waiting.profiles.is_empty() {
        waiting.profiles.clear();
        return;
    }
    let both = waiting.profiles.iter().chain(&place.service.profiles);
    let names = distinct(both.map(|p| p.as_str().into()));
    waiting.profiles = names.iter().map(ToString::to_string).collect();
}
