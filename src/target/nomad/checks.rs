//! Services of a task and their checks: what a deployment, Consul's DNS and restarts look at.
//!
//! They are the task's, not the group's, so that a check that fails restarts that task only; but
//! where Consul is told the allocation's own address, Nomad takes them in the group alone, and
//! restarts all its tasks. Nomad's own services know `tcp` and `http`; Consul runs a command in
//! the container as well.

use super::addressing::registered;
use super::lower::{Lowering, Place};
use super::model::{Check, Endpoint, Group, Probe, Service, Task, Text};
use super::replica::replaced_slot;
use super::settings::Discovery;
use crate::blueprint::Shell;
use crate::emit::hcl::Piece;
use crate::plan::{self, Container, Health};

impl Lowering<'_> {
    /// The service under which the container of a task is checked.
    pub(super) fn checked(
        &mut self,
        container: &Container,
        name: &str,
        task: &mut Task,
        place: Place<'_>,
        group: &mut Group,
    ) {
        let Some(health) = &container.health else {
            return;
        };
        // Nomad's own services are looked up for their addresses, which a port of the node is none
        // of; so what is checked has another name then.
        let name = match self.settings.discovery() {
            Discovery::Nomad => format!("{name}-health"),
            _ => name.to_owned(),
        };
        let name = registered(&self.plan.name, &name);
        self.label(&name, container.span);
        let checks = self.checks(health, container.image.shell, place, group);
        let native = !self.settings.is_consul();
        if checks.is_empty() && native {
            return;
        }
        let first = checks.iter().find_map(|c| match &c.probe {
            Probe::Tcp(endpoint) | Probe::Http(endpoint, _) => Some(endpoint.clone()),
            Probe::Script(_) => None,
        });
        let ports = &place.service.ports;
        let listens = |p: &&plan::Port| p.sidecar.as_deref() == place.sidecar_of(container);
        let own = ports.iter().find(listens);
        // Whoever looks the service up in Consul is told its first port, as by the identity; a port
        // that is only checked need not be the one to talk to. Among Nomad's services that would
        // publish one more.
        let port = match (own, first) {
            (_, Some(checked)) if native => Some(checked),
            (Some(port), _) => Some(self.endpoint(group, &port.name, port.number)),
            (None, checked) => checked,
        };
        let of_allocation = self.settings.discovery() == Discovery::Consul;
        let service = Service {
            comment: None,
            name: vec![Piece::Text(name)],
            task: of_allocation.then(|| task.name.clone()),
            native,
            port,
            of_allocation,
            checks,
        };
        if of_allocation {
            group.services.push(service);
        } else {
            task.services.push(service);
        }
    }

    fn checks(
        &mut self,
        health: &Health,
        shell: Shell,
        place: Place<'_>,
        group: &mut Group,
    ) -> Vec<Check> {
        let Health {
            start,
            ready,
            alive,
            apart,
            span: _,
        } = health;
        if start.is_some() {
            let how = "failures count after it, and an update waits for so long";
            self.account.emulated("health.start", health.span, how);
        }
        // Failures don't count before the start is over.
        let grace = start.as_ref().map(|s| s.within.0);
        if !apart {
            let one = ready.as_ref().and_then(|c| {
                let probe = self.probe(c, health, shell, place, group)?;
                Some(check("ready", c, probe, Some((c.retries, c.within.0))))
            });
            return one.into_iter().collect();
        }
        let mut checks = Vec::new();
        if let Some(usable) = ready.as_ref().or(start.as_ref())
            && let Some(probe) = self.probe(usable, health, shell, place, group)
        {
            checks.push(check("ready", usable, probe, None));
        }
        if let Some(alive) = alive
            && let Some(probe) = self.probe(alive, health, shell, place, group)
        {
            let grace = grace.unwrap_or(alive.within.0);
            let same = checks.iter_mut().find(|c| is_same(&c.probe, &probe));
            match same {
                // One check is enough; it is made oftener, so that more failures are as long.
                Some(ready) if ready.interval <= alive.interval.0 => {
                    let long = alive.interval.0 * u64::from(alive.retries);
                    let limit = long.div_ceil(ready.interval);
                    ready.restart = Some((u32::try_from(limit).unwrap_or(u32::MAX), grace));
                }
                _ => checks.push(check("alive", alive, probe, Some((alive.retries, grace)))),
            }
        }
        checks
    }

    /// What Nomad or Consul tries.
    fn probe(
        &mut self,
        check: &plan::Check,
        health: &Health,
        shell: Shell,
        place: Place<'_>,
        group: &mut Group,
    ) -> Option<Probe> {
        match &check.probe {
            plan::Probe::Tcp(name, number) => Some(Probe::Tcp(self.endpoint(group, name, *number))),
            plan::Probe::Http(name, number, path) => {
                let Some(path) = replaced_slot(path, place.covered) else {
                    self.no_secret(check.span, "a check");
                    return None;
                };
                let path = self.spelled(path, "health", check.span);
                Some(Probe::Http(self.endpoint(group, name, *number), path))
            }
            plan::Probe::Command(words) if self.settings.is_consul() => {
                let mut spelled = Vec::new();
                for (word, span) in words.placed() {
                    if word.all().iter().all(Option::is_none) {
                        continue;
                    }
                    let Some(text) = replaced_slot(word, place.covered) else {
                        self.no_secret(span, "a check");
                        continue;
                    };
                    spelled.push(self.spelled(text, "health", span));
                }
                Some(Probe::Script(self.failing(spelled, check, health, shell)))
            }
            plan::Probe::Command(_) => {
                let all = [&health.start, &health.ready, &health.alive];
                let open = all.into_iter().flatten().find_map(|c| match &c.probe {
                    plan::Probe::Command(_) => None,
                    other => Some(other),
                });
                let what = match open {
                    Some(_) => {
                        "its own services are checked by `tcp` and `http`, not by a command: \
                                the port of another check is looked at instead"
                    }
                    None => {
                        "its own services are checked by `tcp` and `http`, not by a command, and \
                             there is no port to look at: a task that runs counts as ready"
                    }
                };
                self.account.lost(field(check, health), check.span, what);
                match open? {
                    plan::Probe::Tcp(name, number) | plan::Probe::Http(name, number, _) => {
                        Some(Probe::Tcp(self.endpoint(group, name, *number)))
                    }
                    plan::Probe::Command(_) => None,
                }
            }
        }
    }

    /// A command whose failure is one: code 1, with which most end, is a warning to Consul, whose
    /// DNS still names the replica then. So a shell of the image makes it 2.
    fn failing(
        &mut self,
        command: Vec<Text>,
        check: &plan::Check,
        health: &Health,
        shell: Shell,
    ) -> Vec<Text> {
        let shell = match shell {
            Shell::Bash => "bash",
            Shell::Sh => "sh",
            Shell::None => {
                let what = "Consul takes the exit code 1 for a warning, with which its DNS still \
                            names a replica, and no shell is there to make it another";
                self.account.lost(field(check, health), check.span, what);
                return command;
            }
        };
        // The word after the script is its own name.
        [shell, "-c", "\"$@\" || exit 2", "check"]
            .into_iter()
            .map(|word| vec![Piece::Text(word.to_owned())])
            .chain(command)
            .collect()
    }
}

/// The field that a check is of, as far as losses are told apart.
fn field(check: &plan::Check, health: &Health) -> &'static str {
    let alive = health.alive.as_ref().is_some_and(|a| a.span == check.span) && health.apart;
    if alive {
        "health.alive"
    } else {
        "health.ready"
    }
}

impl Place<'_> {
    /// The name of the sidecar that a container is.
    fn sidecar_of(&self, container: &Container) -> Option<&str> {
        let sidecars = &self.service.sidecars;
        let found = sidecars
            .iter()
            .find(|s| std::ptr::eq(&raw const s.container, container));
        found.map(|s| &*s.container.name)
    }
}

fn check(
    name: &'static str,
    check: &plan::Check,
    probe: Probe,
    restart: Option<(u32, u64)>,
) -> Check {
    Check {
        name,
        probe,
        // Nomad takes no less.
        interval: check.interval.0.max(1000),
        timeout: check.timeout.0.max(1000),
        restart,
    }
}

/// Do two checks look at the same?
fn is_same(one: &Probe, other: &Probe) -> bool {
    let label = |e: &Endpoint| match e {
        Endpoint::Label(label) => label.clone(),
        Endpoint::Number(number) => number.to_string(),
    };
    match (one, other) {
        (Probe::Tcp(a), Probe::Tcp(b)) => label(a) == label(b),
        (Probe::Http(a, p), Probe::Http(b, q)) => label(a) == label(b) && p == q,
        (Probe::Script(a), Probe::Script(b)) => a == b,
        _ => false,
    }
}
