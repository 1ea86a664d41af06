//! The check of an image: the one that all who use it agree on.

use super::addressing::INVALID;
use crate::blueprint::Shell;
use crate::emit::dockerfile::Instruction;
use crate::plan::{Check, Health, Image, Plan, Probe, Value};
use crate::target::image::lasting;
use crate::target::probe::{self, duration};

/// `HEALTHCHECK`, when every process that stays and has this image is checked in the same way, and
/// the check needs no name of a cluster. Else one of them would be checked by what is another's.
pub(super) fn check(image: &Image, plan: &Plan) -> Option<Instruction> {
    let mut checks = plan
        .services
        .iter()
        .flat_map(lasting)
        .filter(|c| c.image.name == image.name)
        .map(|c| c.health.as_ref().and_then(|health| lower(health, image)));
    let first = checks.next()??;
    checks.all(|c| c.as_ref() == Some(&first)).then_some(first)
}

fn lower(health: &Health, image: &Image) -> Option<Instruction> {
    let check = health.usable()?;
    let Check {
        probe: _,
        interval,
        timeout,
        retries,
        within,
        span: _,
    } = check;
    let within = health.start.as_ref().map_or(within, |start| &start.within);
    let options = vec![
        ("interval", duration(interval.0)),
        ("timeout", duration(timeout.0)),
        ("start-period", duration(within.0)),
        ("retries", retries.to_string()),
    ];
    let words = words(&check.probe, image)?;
    let somewhere = !words.iter().any(|w| w.contains(INVALID));
    somewhere.then_some(Instruction::Healthcheck(options, words))
}

/// The words that the check runs; the same for all replicas, and without a secret.
fn words(probe: &Probe, image: &Image) -> Option<Vec<String>> {
    let bash = image.shell == Shell::Bash;
    match probe {
        Probe::Command(command) => {
            let same = command.words.iter().map(|slot| match slot.all() {
                [value] => Some(value.as_ref()),
                _ => None,
            });
            let words: Option<Vec<Option<&Value>>> = same.collect();
            let plain = words?
                .into_iter()
                .flatten()
                .map(|w| w.plain().map(str::to_owned));
            plain.collect()
        }
        Probe::Tcp(_, number) => bash.then(|| probe::tcp("$HOSTNAME", *number).to_vec()),
        Probe::Http(_, number, path) => {
            let path = match path.all() {
                [value] => value.as_ref()?.plain()?,
                _ => return None,
            };
            bash.then(|| probe::http("$HOSTNAME", *number, path).to_vec())
        }
    }
}
