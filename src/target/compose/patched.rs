//! Variables that patches set, replace and take away: patches are laid over the text, so that the
//! project does not know of them.

use std::sync::Arc;

use indexmap::IndexSet;

use super::lower::emitted_names;
use super::model::Project;
use super::settings::Settings;
use super::share::misread_as_key;
use crate::plan::{Each, Plan, Service, Value};
use crate::problem::Span;
use crate::target::{Account, Extra};
use crate::yaml::{Node, Value as Written};

/// Tells what patches make of the environments of a project.
pub(super) fn environments(
    project: &Project,
    plan: &Plan,
    settings: &Settings,
    account: &mut Account,
) {
    let whole = settings.patch.as_ref().and_then(|p| p.0.get("services"));
    for service in &plan.services {
        let own = service
            .patches
            .iter()
            .find(|(target, _)| &**target == "compose");
        let own = own.and_then(|(_, node)| node.get("environment"));
        if own.is_none() && whole.is_none() {
            continue;
        }
        for (replica, main) in (0u32..).zip(emitted_names(service)) {
            for (name, container) in containers(service, &main) {
                let whole = whole.and_then(|w| w.get(&name)?.get("environment"));
                let own = own.filter(|_| name == main);
                let emitted = project.services.get(&name);
                let variables = emitted.into_iter().flat_map(|s| &s.environment);
                let mut place = Place {
                    service,
                    container,
                    replica,
                    names: variables.map(|v| Arc::clone(&v.name)).collect(),
                    account,
                };
                for patch in own.into_iter().chain(whole) {
                    place.lay(patch);
                }
            }
        }
    }
}

/// The Compose services of a replica, and the containers of the plan that they are.
fn containers(service: &Service, main: &str) -> Vec<(String, Span)> {
    let steps = service.inits.iter().map(|i| &i.container);
    let sidecars = service.sidecars.iter().map(|s| &s.container);
    let others = steps.chain(sidecars);
    let others = others.map(|c| (format!("{main}-{}", c.name), c.span));
    std::iter::once((main.to_owned(), service.main.span))
        .chain(others)
        .collect()
}

/// One Compose service.
struct Place<'a> {
    service: &'a Service,
    container: Span,
    replica: u32,
    /// The variables that it has so far.
    names: IndexSet<Arc<str>>,
    account: &'a mut Account,
}

impl Place<'_> {
    fn lay(&mut self, patch: &Node) {
        // In a list of pairs names are interpolated as well.
        let is_list = self.names.iter().any(|name| misread_as_key(name));
        if !matches!(patch.value, Written::Map(_)) {
            for name in std::mem::take(&mut self.names) {
                self.say(name, None, patch.span);
            }
        }
        if let Written::List(items) = &patch.value {
            for item in items {
                if let Some((name, value)) = item.text().and_then(|t| t.split_once('=')) {
                    self.say(interpolated(name).into(), Some(value), item.span);
                }
            }
        }
        for entry in patch.entries() {
            let name = if is_list {
                interpolated(&entry.key).into()
            } else {
                Arc::clone(&entry.key)
            };
            self.say(name, entry.value.text(), entry.value.span);
        }
    }

    fn say(&mut self, name: Arc<str>, value: Option<&str>, span: Span) {
        if value.is_some() {
            self.names.insert(Arc::clone(&name));
        }
        self.account.extra(Extra {
            service: Arc::clone(&self.service.name),
            container: self.container,
            replica: Some(self.replica),
            name,
            value: Each::Same(value.map(|text| Value::new(interpolated(text)))),
            span: Some(span),
        });
    }
}

/// `$$` is a dollar; what the deploying shell fills in is not known here, and stays.
fn interpolated(text: &str) -> String {
    text.replace("$$", "$")
}
