//! All services in the order of their start, as a table.

use super::build::in_order;
use super::text::{needs, table};
use crate::plan::{Each, Init, Plan, Service};

/// A line for each service of a plan: what it is, its steps and sidecars, what it needs.
pub fn overview(plan: &Plan, target: &str) -> String {
    let mut text = format!("{} on {target}", plan.name);
    if let Some(description) = &plan.description {
        text.push_str(": ");
        text.push_str(&description.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    text.push_str("\n\n");
    let head = [
        "service", "kind", "replicas", "steps", "sidecars", "profiles", "needs",
    ];
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).to_vec()];
    rows.extend(in_order(plan).into_iter().map(row));
    let filled = |at: usize| {
        rows.iter()
            .skip(1)
            .any(|r| r.get(at).is_some_and(|c| !c.is_empty()))
    };
    let kept: Vec<bool> = (0..head.len()).map(filled).collect();
    for row in &mut rows {
        let mut kept = kept.iter();
        row.retain(|_| kept.next().is_some_and(|kept| *kept));
    }
    text.push_str(&table(&rows, "", [usize::MAX; 2]));
    text
}

fn row(service: &Service) -> Vec<String> {
    let steps = service.inits.iter().map(step);
    let sidecars = service.sidecars.iter();
    let sidecars = sidecars.map(|s| s.container.name.to_string());
    vec![
        service.name.to_string(),
        service.kind.word().to_owned(),
        service.replicas.to_string(),
        steps.collect::<Vec<_>>().join(", "),
        sidecars.collect::<Vec<_>>().join(", "),
        service.profiles.join(", "),
        needs(service),
    ]
}

/// A step, with the replicas that take it, unless all do.
fn step(init: &Init) -> String {
    let name = &init.container.name;
    match &init.when {
        Each::Same(true) => name.to_string(),
        Each::Same(false) => format!("{name} (no replica)"),
        Each::Replica(takes) => {
            let takes = (0u32..).zip(takes).filter(|(_, takes)| **takes);
            let numbers: Vec<String> = takes.map(|(replica, _)| replica.to_string()).collect();
            format!("{name} (replica {})", numbers.join(", "))
        }
    }
}
