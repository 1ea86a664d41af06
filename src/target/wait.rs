//! Waiting for ports: the script that targets mount where the platform has no such need of its
//! own, and what it is given.

use std::sync::Arc;

use crate::blueprint::{Protocol, Quorum, Shell};
use crate::plan::{Image, Need, Port, Probe, Service};

/// Where the script is mounted.
pub const SCRIPT_PATH: &str = "/flokkr/wait-for.sh";
/// Waits until enough of some ports take connections; ends at once on SIGTERM.
/// Called as `bash SCRIPT_PATH MINIMUM HOST:PORT...`.
pub const SCRIPT: &str = include_str!("wait-for.sh");

/// The port that stands for a need: the one it names, else that of the needed service's check.
pub fn port(need: &Need, needed: &Service) -> Option<(Arc<str>, u16)> {
    if let Some((name, number)) = &need.port {
        return Some((Arc::clone(name), *number));
    }
    match &needed.main.health.as_ref()?.usable()?.probe {
        Probe::Tcp(name, number) | Probe::Http(name, number, _) => {
            Some((Arc::clone(name), *number))
        }
        Probe::Command(_) => None,
    }
}

/// The port that comes nearest to a need where none stands for it: what another check of the needed
/// service looks at, else the first port of its main process. It may be open before it is ready.
pub fn nearest_port(needed: &Service) -> Option<(Arc<str>, u16)> {
    let health = needed.main.health.as_ref();
    let checks = health.map(|h| [&h.start, &h.ready, &h.alive]);
    let checked = checks
        .into_iter()
        .flatten()
        .flatten()
        .find_map(|c| match &c.probe {
            Probe::Tcp(name, number) | Probe::Http(name, number, _) => {
                Some((Arc::clone(name), *number))
            }
            Probe::Command(_) => None,
        });
    let of_main = |p: &&Port| p.sidecar.is_none() && p.protocol == Protocol::Tcp;
    checked.or_else(|| {
        let port = needed.ports.iter().find(of_main)?;
        Some((Arc::clone(&port.name), port.number))
    })
}

/// An image that can run the script: that of whoever waits, else that of whom it waits for.
pub fn image<'a>(waiting: &'a Service, needed: &'a Service) -> Option<&'a Arc<Image>> {
    [&waiting.main.image, &needed.main.image]
        .into_iter()
        .find(|i| i.shell == Shell::Bash)
}

/// How many of so many replicas a quorum is.
pub fn at_least(quorum: Quorum, count: u32) -> u32 {
    match quorum {
        Quorum::All => count,
        Quorum::Majority => count / 2 + 1,
        Quorum::Any => 1,
    }
}
