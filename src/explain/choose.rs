//! What is meant by the name of a service as it was typed.

use std::sync::Arc;

use crate::plan::{Plan, Service};
use crate::problem::{Problem, one_of};

/// What is to be explained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The service; else all of them.
    pub service: Option<Arc<str>>,
    /// Which of its containers.
    pub part: Part,
    /// The replica; else all of them.
    pub replica: Option<u32>,
}

/// Which containers of a service are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    #[default]
    All,
    /// The main process.
    Main,
    /// The step or sidecar of this name.
    Named(Arc<str>),
}

/// Reads `SERVICE`, `SERVICE-REPLICA`, and either with `.STEP` or `.SIDECAR` behind it.
///
/// # Errors
/// A problem with what there is instead.
pub fn choose(plan: &Plan, word: &str, replica: Option<u32>) -> Result<Chosen, Box<Problem>> {
    let (name, part) = match word.split_once('.') {
        Some((name, part)) => (name, Some(part)),
        None => (word, None),
    };
    let (service, numbered) = service(plan, name)?;
    if let (Some(typed), Some(numbered)) = (replica, numbered)
        && typed != numbered
    {
        let message = format!("`{name}` is not replica {typed}");
        return Err(Box::new(Problem::error("usage", message).help(format!(
            "name the replica once: `{}-{typed}`, or --replica {typed}",
            service.name
        ))));
    }
    let replica = replica.or(numbered);
    if let Some(replica) = replica.filter(|r| *r >= service.replicas) {
        let message = format!("`{}` has no replica {replica}", service.name);
        let label = match service.replicas {
            1 => "expected 0, the only one".to_owned(),
            count => format!("expected 0 to {}", count - 1),
        };
        let problem = Problem::error("unknown-replica", message).label(label);
        return Err(Box::new(problem));
    }
    let part = match part {
        Some(part) => Part::Named(known_part(service, part, replica)?),
        None => Part::All,
    };
    Ok(Chosen {
        service: Some(Arc::clone(&service.name)),
        part,
        replica,
    })
}

/// The service of a name, and the replica where the name ends with its number.
fn service<'p>(plan: &'p Plan, name: &str) -> Result<(&'p Service, Option<u32>), Box<Problem>> {
    let find = |name: &str| plan.services.iter().find(|s| *s.name == *name);
    if let Some(service) = find(name) {
        return Ok((service, None));
    }
    if let Some((start, number)) = name.rsplit_once('-')
        && let (Some(service), Ok(replica)) = (find(start), number.parse())
    {
        return Ok((service, Some(replica)));
    }
    let known = || plan.services.iter().map(|s| &*s.name);
    let message = format!("`{}` has no service `{name}`", plan.name);
    let problem = Problem::error("unknown-service", message);
    let problem = problem.label(format!("expected {}", one_of(known())));
    Err(Box::new(problem.nearest(name, known())))
}

/// A step or sidecar of a service.
fn known_part(
    service: &Service,
    part: &str,
    replica: Option<u32>,
) -> Result<Arc<str>, Box<Problem>> {
    let steps = || service.inits.iter().map(|i| &i.container.name);
    let sidecars = || service.sidecars.iter().map(|s| &s.container.name);
    let known = || steps().chain(sidecars()).map(|n| &**n);
    let Some(name) = steps().chain(sidecars()).find(|n| ***n == *part) else {
        if known().next().is_none() {
            let message = format!("`{}` has neither steps nor sidecars", service.name);
            return Err(Box::new(Problem::error("unknown-service", message)));
        }
        let message = format!("`{}` has no step or sidecar `{part}`", service.name);
        let problem = Problem::error("unknown-service", message);
        let problem = problem.label(format!("expected {}", one_of(known())));
        return Err(Box::new(problem.nearest(part, known())));
    };
    let replicas = replica.map_or(0..service.replicas, |r| r..r + 1);
    let takes = |replica: u32| {
        let steps = service.inits.iter().filter(|i| i.container.name == *name);
        let mut steps = steps.map(|i| i.when.get(replica) == Some(&true));
        steps.any(|takes| takes) || sidecars().any(|n| n == name)
    };
    if let Some(replica) = replica.filter(|_| !replicas.clone().any(takes)) {
        let message = format!(
            "replica {replica} of `{}` takes no step `{name}`",
            service.name
        );
        let taking: Vec<String> = (0..service.replicas)
            .filter(|r| takes(*r))
            .map(|r| r.to_string())
            .collect();
        let problem = Problem::error("unknown-replica", message);
        let label = format!("expected {}", one_of(taking.iter().map(String::as_str)));
        return Err(Box::new(problem.label(label)));
    }
    Ok(Arc::clone(name))
}
