//! Needs: init containers that wait for ports, in front of the steps.
//!
//! A Service with replicas behind it has one name, and answers as soon as one of them is ready; a
//! headless one has a name for each. The end of a job is asked of the API server, by `kubectl`.

use super::addressing::pod_name;
use super::lower::headless;
use super::model::{Container, Security};
use super::pod::Draft;
use crate::blueprint::{Kind, Mode, Protocol, Quorum, User};
use crate::plan::{self, Addressing as _, Member};
use crate::problem::Problem;
use crate::target::wait;

/// Whoever asks the API server needs no user of its image.
const NOBODY: User = User {
    uid: 65_534,
    gid: Some(65_534),
};

impl Draft<'_, '_> {
    /// The init containers for what a service needs.
    pub(super) fn waits(&mut self) -> Vec<Container> {
        let service = self.service;
        let needs = service.needs.iter();
        needs.filter_map(|need| self.wait(need)).collect()
    }

    fn wait(&mut self, need: &plan::Need) -> Option<Container> {
        let needed = self.lowering.services.get(&*need.service).copied()?;
        if needed.kind == Kind::Job {
            return self.wait_for_job(need);
        }
        let Some(image) = wait::image(self.service, needed) else {
            let what = format!(
                "nothing can wait for {} of `{}`: neither image has bash",
                need.quorum.word(),
                need.service
            );
            self.lowering.account.lost("needs.quorum", need.span, &what);
            return None;
        };
        let (label, at_least, addresses) = self.awaited(need, needed)?;
        let how = "an init container waits for the ports";
        self.lowering.account.emulated("needs", need.span, how);
        let script = self
            .files
            .mount(wait::SCRIPT_PATH, wait::SCRIPT, Mode(0o644));
        let mut command = vec![
            "bash".to_owned(),
            wait::SCRIPT_PATH.to_owned(),
            at_least.to_string(),
        ];
        command.extend(addresses);
        let security = self.security(image, None, need.span);
        Some(Container {
            name: self.container_name(&format!("need-{}-{label}", need.service)),
            image: image.reference.clone(),
            command: Some(command),
            mounts: vec![script],
            resources: self.service.main.resources,
            security,
            ..Container::default()
        })
    }

    /// What is waited for: a word for it, how many of the addresses, and the addresses.
    fn awaited(
        &mut self,
        need: &plan::Need,
        needed: &plan::Service,
    ) -> Option<(String, u32, Vec<String>)> {
        // Ready, and one is enough: a Service passes on to ready pods only.
        let alone = needed.replicas == 1 && needed.kind != Kind::Daemon;
        if need.port.is_none()
            && needed.main.health.is_some()
            && (alone || need.quorum == Quorum::Any)
            && let Some(name) = self.lowering.ready_name(needed)
            && let Some(port) = needed.ports.iter().find(|p| p.protocol == Protocol::Tcp)
        {
            let settings = self.lowering.settings;
            let namespace = settings.namespace(&self.lowering.plan.name);
            let host = format!("{name}.{namespace}.svc.{}", settings.domain());
            return Some((
                "ready".to_owned(),
                1,
                vec![format!("{host}:{}", port.number)],
            ));
        }
        let exact = wait::port(need, needed);
        let is_exact = exact.is_some();
        let Some((port, number)) = exact.or_else(|| wait::nearest_port(needed)) else {
            let what = format!(
                "nothing says when `{}` is there: it has no port that could be waited for",
                need.service
            );
            self.lowering.account.lost("needs.quorum", need.span, &what);
            return None;
        };
        if !is_exact && needed.main.health.is_some() {
            let what = format!(
                "the port `{port}` of `{}` is waited for, which may be open before it is ready",
                need.service
            );
            self.lowering.account.lost("needs.quorum", need.span, &what);
        } else if need.port.is_none() {
            let how = if is_exact {
                format!("waits for the port `{port}`, which its check looks at")
            } else {
                format!("waits for the port `{port}`: it has no check")
            };
            self.lowering.account.emulated("needs", need.span, &how);
        }
        let hosts = self.hosts(need, needed);
        let at_least = wait::at_least(need.quorum, u32::try_from(hosts.len()).unwrap_or(1));
        let addresses = hosts.into_iter().map(|h| format!("{h}:{number}"));
        Some((port.to_string(), at_least, addresses.collect()))
    }

    /// The names to try: of each pod, or of all behind one Service.
    fn hosts(&mut self, need: &plan::Need, needed: &plan::Service) -> Vec<String> {
        let lowering = &mut *self.lowering;
        let member = Member {
            cluster: &lowering.plan.name,
            service: &needed.name,
            kind: needed.kind,
            replicas: needed.replicas,
        };
        let host = lowering.settings.service(member);
        if headless(needed) && needed.replicas > 1 {
            let first = lowering.settings.first(&needed.name);
            let pods = (0..needed.replicas).map(|i| pod_name(&needed.name, first, i));
            return pods.map(|pod| format!("{pod}.{host}")).collect();
        }
        let scattered = needed.replicas > 1 || needed.kind == Kind::Daemon;
        if scattered && need.quorum != Quorum::Any {
            let what = format!(
                "the replicas of `{}` share one name, so that one which answers is enough",
                need.service
            );
            lowering.account.lost("needs.quorum", need.span, &what);
        }
        vec![host]
    }

    fn wait_for_job(&mut self, need: &plan::Need) -> Option<Container> {
        let Some(kubectl) = &self.lowering.settings.kubectl else {
            self.lowering.account.refused(
                "needs",
                need.span,
                Problem::error(
                    "unsupported",
                    format!("nothing can wait for the end of the job `{}`", need.service),
                )
                .at(need.span)
                .label("only the API server knows that a job has ended, and asking it takes kubectl")
                .help("name an image with it: targets: { kubernetes: { kubectl: IMAGE } }; or make the job an `init` step"),
            );
            return None;
        };
        let image = kubectl.value.clone();
        self.asks_for_jobs = true;
        let how = "an init container asks the API server, with a service account of its own";
        self.lowering.account.emulated("needs", need.span, how);
        let words = [
            "kubectl",
            "wait",
            "--for=condition=complete",
            &format!("job/{}", need.service),
            "--timeout=-1s",
        ];
        Some(Container {
            name: self.container_name(&format!("need-{}", need.service)),
            image,
            command: Some(words.map(str::to_owned).to_vec()),
            resources: self.service.main.resources,
            security: Security {
                user: Some(NOBODY),
                non_root: true,
                restricted: true,
            },
            ..Container::default()
        })
    }
}
