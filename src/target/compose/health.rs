//! Checks in Compose: one per container, run inside it, in exec form.

use super::model::Healthcheck;
use super::settings::Settings;
use crate::blueprint::Shell;
use crate::plan::{Check, Container, Probe, Value, Words};
use crate::problem::Problem;
use crate::target::Account;
use crate::target::probe::{self, duration};

/// The health check of a container.
pub(super) fn check(
    container: &Container,
    replica: u32,
    settings: &Settings,
    account: &mut Account,
) -> Option<Healthcheck> {
    let health = container.health.as_ref()?;
    let check = health.usable()?;
    if let Some(alive) = health
        .alive
        .as_ref()
        .filter(|_| health.apart && health.ready.is_some())
    {
        let what = "it has one check per container and restarts none that fails (`health.alive`)";
        account.lost("health.alive", alive.span, what);
    }
    let within = health.start.as_ref().unwrap_or(check).within;
    Some(Healthcheck {
        test: test(container, check, replica, settings, account)?,
        interval: duration(check.interval.0),
        timeout: duration(check.timeout.0),
        retries: check.retries,
        start_period: duration(within.0),
    })
}

fn test(
    container: &Container,
    check: &Check,
    replica: u32,
    settings: &Settings,
    account: &mut Account,
) -> Option<Vec<Value>> {
    // A process may listen on its host name only, as Hadoop's do unless told otherwise.
    let host = if settings.is_host() {
        "127.0.0.1"
    } else {
        "$HOSTNAME"
    };
    let words = match &check.probe {
        Probe::Command(Words { words, .. }) => {
            let words = words.iter().filter_map(|w| w.value(replica)).cloned();
            return Some([Value::new("CMD")].into_iter().chain(words).collect());
        }
        Probe::Tcp(_, number) => probe::tcp(host, *number),
        Probe::Http(_, number, path) => {
            let path = path.value(replica).map_or("/", Value::raw);
            probe::http(host, *number, path)
        }
    };
    if container.image.shell != Shell::Bash {
        account.refused(
            "health",
            check.span,
            Problem::error(
                "unsupported",
                "Compose runs checks inside the container, and this one needs bash",
            )
            .at(check.span)
            .label(format!("image `{}` has none", container.image.name))
            .help("give a command that the image has: `health: { command: [...] }`"),
        );
        return None;
    }
    let how = "run inside the container, by bash";
    account.emulated("health.ready", check.span, how);
    let words = words.into_iter().map(Value::new);
    Some([Value::new("CMD")].into_iter().chain(words).collect())
}
