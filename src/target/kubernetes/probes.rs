//! Checks as probes.

use super::model::{Action, Probe};
use super::pod::Draft;
use crate::blueprint::Duration;
use crate::plan::{self, Check, Each, Words};
use crate::problem::{Problem, Span};

/// The probes of a container: startup, readiness, liveness.
#[derive(Default)]
pub(super) struct Probes {
    pub(super) start: Option<Probe>,
    pub(super) ready: Option<Probe>,
    pub(super) alive: Option<Probe>,
}

/// A probe that never fails the start may go on for so long at most.
const FOREVER: u64 = 1_000_000;

impl Draft<'_, '_> {
    /// The probes of the main container. Readiness and liveness wait for the startup probe.
    pub(super) fn probes(&mut self, health: Option<&plan::Health>) -> Probes {
        let Some(health) = health else {
            return Probes::default();
        };
        let plan::Health {
            start,
            ready,
            alive,
            apart: _,
            span: _,
        } = health;
        Probes {
            start: start.as_ref().and_then(|c| self.startup(c)),
            ready: ready.as_ref().and_then(|c| self.probe(c)),
            alive: alive
                .as_ref()
                .and_then(|c| self.liveness(c, start.is_none())),
        }
    }

    /// The probes of a native sidecar. One check for everything starts none at its start: that would
    /// hold back the main container, which it may be waiting for.
    pub(super) fn sidecar_probes(&mut self, health: Option<&plan::Health>) -> Probes {
        let Some(health) = health else {
            return Probes::default();
        };
        let plan::Health {
            start,
            ready,
            alive,
            apart,
            span: _,
        } = health;
        let start = start.as_ref().filter(|_| *apart);
        Probes {
            start: start.and_then(|c| self.startup(c)),
            ready: ready.as_ref().and_then(|c| self.probe(c)),
            alive: alive
                .as_ref()
                .and_then(|c| self.liveness(c, start.is_none())),
        }
    }

    fn startup(&mut self, check: &Check) -> Option<Probe> {
        let probe = self.probe(check)?;
        let period = probe.period.max(1);
        Some(Probe {
            failures: seconds(check.within).div_ceil(period).clamp(1, FOREVER),
            ..probe
        })
    }

    /// Without a startup probe the time for the start is a delay.
    fn liveness(&mut self, check: &Check, delayed: bool) -> Option<Probe> {
        let probe = self.probe(check)?;
        let delay = if delayed { seconds(check.within) } else { 0 };
        Some(Probe { delay, ..probe })
    }

    fn probe(&mut self, check: &Check) -> Option<Probe> {
        let Check {
            probe,
            interval,
            timeout,
            retries,
            within: _,
            span,
        } = check;
        let action = match probe {
            plan::Probe::Tcp(port, _) => Action::Tcp(port.to_string()),
            plan::Probe::Http(port, _, path) => {
                let path = match path {
                    Each::Same(path) => path.as_ref().map_or("/", |p| p.raw()).to_owned(),
                    Each::Replica(_) => {
                        return self.differs("health", *span, "the path of a check");
                    }
                };
                Action::Http {
                    port: port.to_string(),
                    path,
                }
            }
            // The kubelet looks for references in the words of a probe, as in those of a process.
            plan::Probe::Command(words) => {
                let words = self.plain_words("health", words)?;
                Action::Exec(words.iter().map(|word| word.replace('$', "$$")).collect())
            }
        };
        if interval.0 % 1000 != 0 || timeout.0 % 1000 != 0 {
            let how = "times of probes are whole seconds: rounded up";
            self.lowering
                .account
                .emulated("health.interval", *span, how);
        }
        Some(Probe {
            action,
            delay: 0,
            period: seconds(*interval).max(1),
            timeout: seconds(*timeout).max(1),
            failures: u64::from(*retries).max(1),
        })
    }

    /// Words that nothing of the pod is put into, so that nothing in them can differ.
    pub(super) fn plain_words(
        &mut self,
        field: &'static str,
        words: &Words,
    ) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for (word, span) in words.placed() {
            match word {
                Each::Same(None) => {}
                Each::Same(Some(word)) => {
                    if let Some(text) = word.plain() {
                        self.safe(text, span);
                        texts.push(text.to_owned());
                    } else {
                        self.lowering.account.refused(
                            field,
                            span,
                            Problem::error("secret", "a secret can't stand in this command")
                                .at(span)
                                .label("Kubernetes fills nothing in here")
                                .help("mount the secret as a file, and read it in the command"),
                        );
                        return None;
                    }
                }
                Each::Replica(_) => {
                    return self.differs(field, span, "the command of a check");
                }
            }
        }
        Some(texts)
    }

    fn differs<T>(&mut self, field: &'static str, span: Span, what: &str) -> Option<T> {
        self.lowering.account.refused(
            field,
            span,
            Problem::error(
                "unsupported",
                format!("Kubernetes can't give {what} to each replica"),
            )
            .at(span)
            .label("it differs from replica to replica, and a pod template has one")
            .help("let it ask the host name, or a variable: [bash, -c, \"... $HOSTNAME ...\"]"),
        );
        None
    }
}

/// Whole seconds, rounded up.
pub(super) fn seconds(duration: Duration) -> u64 {
    duration.0.div_ceil(1000)
}
