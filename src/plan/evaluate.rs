//! Evaluating a text: once, or once per replica; texts that mean the same everywhere only once.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use super::addressing::Directory;
use super::config::Merged;
use super::context::{BROKEN, Context, Globals, OMIT, Peer, Secrets};
use super::value::{Each, Slot, Value};
use crate::blueprint::{Files, Kind, ParameterType, Text, Texts, VALUE_NAMES};
use crate::problem::{Problem, Problems, Sources, Span};
use crate::resolve::Scope;
use crate::template::{self, Engine, Failure, Value as Evaluated};
use crate::yaml::{Node, Value as Yaml};

/// Evaluates the texts of a cluster with one target's names.
pub(super) struct Evaluator<'a> {
    pub(super) problems: &'a mut Problems,
    sources: &'a Sources,
    engine: Engine,
    directory: Arc<Directory>,
    vars: Evaluated,
    scopes: &'a [Scope],
    /// Names in each template seen, by its text.
    names: HashMap<Arc<str>, Arc<BTreeSet<String>>>,
    /// Values of templates that mean the same for every service.
    constants: HashMap<Arc<str>, Option<Value>>,
    /// Config files by the groups they are made of, where they mean the same for every service.
    pub(super) merged: HashMap<String, Rc<Vec<Merged>>>,
    /// Groups that mean the same for every service, by their address in the blueprint.
    shared: HashMap<usize, bool>,
}

/// Names whose value does not depend on the service that asks.
const CONSTANT: [&str; 6] = ["host", "hosts", "address", "addresses", "secret", "omit"];

/// A key with its values, after `peer` and `replica`.
pub(super) struct Pair {
    pub(super) key: Arc<str>,
    pub(super) key_span: Span,
    pub(super) value: Slot,
    pub(super) span: Span,
    /// The layer says that the key is removed.
    pub(super) removed: bool,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        directory: Directory,
        vars: Evaluated,
        scopes: &'a [Scope],
        sources: &'a Sources,
        problems: &'a mut Problems,
    ) -> Self {
        Self {
            problems,
            sources,
            engine: Engine::default(),
            directory: Arc::new(directory),
            vars,
            scopes,
            names: HashMap::new(),
            constants: HashMap::new(),
            merged: HashMap::new(),
            shared: HashMap::new(),
        }
    }

    /// How many replicas a service has.
    pub(super) fn count(&self, service: usize) -> u32 {
        self.directory.get(service).map_or(1, |l| l.count)
    }

    /// The number of a port of a service.
    pub(super) fn port(&self, service: &str, port: &str) -> Option<u16> {
        let at = self.directory.find(service)?;
        self.directory.get(at)?.port(port)
    }

    /// A text's value for every replica of a service. A problem is reported and leaves the value
    /// out, so that the rest can be checked too.
    pub(super) fn slot(&mut self, text: &Text, service: usize) -> Slot {
        if text.text.contains("{%") {
            self.block(text);
        }
        if !template::is_template(&text.text) {
            return Each::Same(Some(Value::new(Arc::clone(&text.text))));
        }
        let names = self.names(&text.text);
        if Self::is_constant(&names) {
            if let Some(value) = self.constants.get(&text.text) {
                return Each::Same(value.clone());
            }
            let value = self.one(text, service, None, &Peer::None);
            self.constants.insert(Arc::clone(&text.text), value.clone());
            return Each::Same(value);
        }
        if !self.per_replica(text, &names) {
            return Each::Same(self.one(text, service, None, &Peer::None));
        }
        let Some(count) = self.replicas(text, service) else {
            return Each::Same(None);
        };
        let values: Vec<_> = (0..count)
            .map(|i| self.one(text, service, Some(i), &Peer::None))
            .collect();
        Each::of(values).unwrap_or(Each::Same(None))
    }

    /// `{% for %}` and the like mean nothing here, which an author may not know.
    fn block(&mut self, text: &Text) {
        const WORDS: [&str; 8] = [
            "for", "if", "elif", "else", "endif", "endfor", "set", "macro",
        ];
        let mut blocks = text.text.split("{%").skip(1);
        let begins = |rest: &str| {
            let rest = rest.trim_start_matches('-').trim_start();
            WORDS.iter().any(|w| {
                rest.strip_prefix(w)
                    .is_some_and(|end| end.starts_with([' ', '%', '-']))
            })
        };
        if blocks.any(begins) {
            self.problems.add(
                Problem::warning(
                    "template-block",
                    "`{% %}` is text here, and goes out as it stands",
                )
                .at(text.span)
                .label("expected only `{{ }}`: an expression, with filters such as join"),
            );
        }
    }

    /// How many replicas a text is evaluated for; a problem outside of an ensemble.
    fn replicas(&mut self, text: &Text, service: usize) -> Option<u32> {
        let listing = self.directory.get(service)?;
        if listing.kind == Kind::Ensemble {
            return Some(listing.count);
        }
        let name = Arc::clone(&listing.name);
        self.problems.add(
            Problem::error(
                "replica",
                format!(
                    "`replica` is known only in an ensemble; `{name}` is a {}",
                    listing.kind.word()
                ),
            )
            .at(text.span)
            .label("expected no `replica` here")
            .help(format!(
                "give `{name}` `kind: ensemble`: its replicas get a stable identity each"
            )),
        );
        None
    }

    /// Pairs of a mapping whose keys are templates too, in order.
    pub(super) fn pairs(&mut self, texts: &Texts, service: usize) -> Vec<Pair> {
        let mut pairs = Vec::with_capacity(texts.entries.len());
        for (key, value) in &texts.entries {
            self.pair(key, value.as_ref(), service, &mut pairs);
        }
        pairs
    }

    fn pair(&mut self, key: &Text, value: Option<&Text>, service: usize, pairs: &mut Vec<Pair>) {
        let Some(value) = value else {
            pairs.push(Pair {
                key: Arc::clone(&key.text),
                key_span: key.span,
                value: Each::Same(None),
                span: key.span,
                removed: true,
            });
            return;
        };
        let mut push = |key_text: Arc<str>, slot: Slot| {
            pairs.push(Pair {
                key: key_text,
                key_span: key.span,
                value: slot,
                span: value.span,
                removed: false,
            });
        };
        if !template::is_template(&key.text) {
            let slot = self.slot(value, service);
            push(Arc::clone(&key.text), slot);
            return;
        }
        let names = self.names(&key.text);
        if names.contains("peer") {
            for index in 0..self.peers(key, service) {
                let peer = Peer::At(index);
                let key_text = self.one(key, service, None, &peer);
                let slot = self.peer_value(value, service, &peer);
                if let Some(key_text) = self.key(key, key_text) {
                    push(key_text, slot);
                }
            }
            return;
        }
        let keys = self.slot(key, service);
        let values = self.slot(value, service);
        match keys {
            Each::Same(text) => {
                if let Some(text) = self.key(key, text) {
                    push(text, values);
                }
            }
            Each::Replica(texts) => {
                let mut distinct: Vec<Arc<str>> = Vec::new();
                for text in &texts {
                    if let Some(text) = self.key(key, text.clone())
                        && !distinct.contains(&text)
                    {
                        distinct.push(text);
                    }
                }
                for name in distinct {
                    let of = |i: u32| texts.get(i as usize).cloned().flatten();
                    let slots: Vec<Option<Value>> = (0u32..)
                        .take(texts.len())
                        .map(|i| {
                            of(i)
                                .filter(|t| t.raw() == &*name)
                                .and_then(|_| values.value(i).cloned())
                        })
                        .collect();
                    push(name, Each::of(slots).unwrap_or(Each::Same(None)));
                }
            }
        }
    }

    /// A key's text: a secret can't be one.
    fn key(&mut self, key: &Text, text: Option<Value>) -> Option<Arc<str>> {
        let text = text?;
        if text.has_secret() {
            self.problems.add(
                Problem::error("secret", "a secret can't be part of a name")
                    .at(key.span)
                    .label("expected a text without secret()"),
            );
            return None;
        }
        Some(text.raw().into())
    }

    /// The value of a key that loops over replicas: it may name `replica` as well.
    fn peer_value(&mut self, value: &Text, service: usize, peer: &Peer) -> Slot {
        let names = self.names(&value.text);
        if !self.per_replica(value, &names) {
            return Each::Same(self.one(value, service, None, peer));
        }
        let Some(count) = self.replicas(value, service) else {
            return Each::Same(None);
        };
        let values: Vec<_> = (0..count)
            .map(|i| self.one(value, service, Some(i), peer))
            .collect();
        Each::of(values).unwrap_or(Each::Same(None))
    }

    /// How many replicas a key with `peer` is written for.
    fn peers(&mut self, key: &Text, service: usize) -> u32 {
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let errors = self.problems.errors();
        self.one(key, service, None, &Peer::Probe(Arc::clone(&seen)));
        let failed = self.problems.errors() > errors;
        let services: Vec<usize> = seen
            .lock()
            .map(|s| s.iter().copied().collect())
            .unwrap_or_default();
        match services.as_slice() {
            [one] => self.directory.get(*one).map_or(0, |l| l.count),
            [] if failed => 0,
            [] => {
                self.problems.add(
                    Problem::error("peer", "this key names `peer` but asks nothing of it")
                        .at(key.span)
                        .label("expected peer.id, peer.index, peer.host, or peer('service') with one of them")
                        .help("only an ensemble's replicas (`kind: ensemble`), or a single process, can be peers"),
                );
                0
            }
            _ => {
                self.problems.add(
                    Problem::error("peer", "this key loops over two services at once")
                        .at(key.span)
                        .label("expected the peers of one service"),
                );
                0
            }
        }
    }

    fn names(&mut self, text: &Arc<str>) -> Arc<BTreeSet<String>> {
        if let Some(names) = self.names.get(text) {
            return Arc::clone(names);
        }
        let names = Arc::new(self.engine.names(text));
        self.names.insert(Arc::clone(text), Arc::clone(&names));
        names
    }

    /// Does every text of a config group mean the same, whatever service asks?
    pub(super) fn is_shared(&mut self, group: &Files) -> bool {
        let address = std::ptr::from_ref(group).addr();
        if let Some(known) = self.shared.get(&address) {
            return *known;
        }
        let texts = group.files.iter().flat_map(|(_, texts)| &texts.entries);
        let texts = texts.flat_map(|(key, value)| [Some(key), value.as_ref()]);
        let shared = texts.flatten().all(|text| {
            !template::is_template(&text.text) || Self::is_constant(&self.names(&text.text))
        });
        self.shared.insert(address, shared);
        shared
    }

    fn is_constant(names: &BTreeSet<String>) -> bool {
        names.iter().all(|name| {
            CONSTANT.contains(&name.as_str())
                || (!VALUE_NAMES.contains(&name.as_str()) || name == "name")
        })
    }

    fn per_replica(&self, text: &Text, names: &BTreeSet<String>) -> bool {
        if names.contains("replica") {
            return true;
        }
        let Some(scope) = scope_of(self.scopes, text.scope).filter(|_| names.contains("params"))
        else {
            return false;
        };
        scope.params.iter().any(|p| mentions_replica(&p.node))
    }

    /// The value for one replica; `None` when it is omitted or a problem was reported.
    fn one(
        &mut self,
        text: &Text,
        service: usize,
        replica: Option<u32>,
        peer: &Peer,
    ) -> Option<Value> {
        let params = self.params(text, service, replica);
        let secrets = Arc::new(Secrets::default());
        let context = Context {
            directory: Arc::clone(&self.directory),
            vars: self.vars.clone(),
            service,
            replica,
            peer: peer.clone(),
            params,
            secrets: Arc::clone(&secrets),
        };
        let globals = Evaluated::from_object(Globals(Arc::new(context)));
        match self.engine.render(&text.text, &globals) {
            Ok(value) if value == OMIT => None,
            Ok(value) => {
                let (whole, broken) = Value::tokens(&value);
                if broken || whole < secrets.expected() {
                    self.taken_apart(text);
                    return None;
                }
                Some(Value::new(value))
            }
            Err(failure) => {
                self.failed(&failure, text, peer);
                None
            }
        }
    }

    fn failed(&mut self, failure: &Failure, text: &Text, peer: &Peer) {
        if failure.message != BROKEN {
            let known = || self.known();
            let mut problem = failure.problem(&text.text, text.span, self.sources, &known);
            let about_peer = problem.message.starts_with("`peer") && problem.code == "template";
            if about_peer && matches!(peer, Peer::None) {
                problem = problem
                    .label("`peer` is known only where a key names it too")
                    .help("write the key with it, such as \"server.{{ peer.id }}\", or use peers() for a list");
            } else if about_peer || problem.message.starts_with("`replica.") {
                problem = problem.label("a replica has index, id, host, count and service");
            }
            let service = failure
                .names
                .iter()
                .find(|n| self.directory.find(n).is_some());
            if let Some(service) = service.filter(|_| problem.code == "undefined") {
                problem = problem.help(format!("a service is named in quotes: '{service}'"));
            }
            self.problems.add(problem);
        }
    }

    fn taken_apart(&mut self, text: &Text) {
        if text.text.contains('\0') {
            return; // reported where it was read
        }
        self.problems.add(
            Problem::error("secret", "a secret, or `omit`, can't be taken apart")
                .at(text.span)
                .label("expected secret('name') without a filter, or {{ omit }} alone")
                .help("flokkr never knows a secret's value: only the platform fills it in"),
        );
    }

    fn known(&self) -> Vec<String> {
        let vars = self.vars.try_iter().into_iter().flatten();
        let mut names: Vec<String> = vars.map(|n| n.to_string()).collect();
        // The blueprint's own names first: a long list is cut at its end.
        names.retain(|n| !VALUE_NAMES.contains(&n.as_str()));
        names.extend(VALUE_NAMES.iter().map(|n| (*n).to_owned()));
        names
    }

    /// Parameters of the plugin that brought a text, evaluated as texts of the service.
    fn params(&mut self, text: &Text, service: usize, replica: Option<u32>) -> Option<Evaluated> {
        let scope = scope_of(self.scopes, text.scope)?;
        let params: Vec<(String, Evaluated)> = scope
            .params
            .iter()
            .map(|param| {
                let value = self.param(&param.node, param.kind, service, replica);
                (param.name.to_string(), value)
            })
            .collect();
        Some(Evaluated::from_pairs(params))
    }

    fn param(
        &mut self,
        node: &Node,
        kind: ParameterType,
        service: usize,
        replica: Option<u32>,
    ) -> Evaluated {
        match &node.value {
            Yaml::List(items) => items
                .iter()
                .map(|n| self.param(n, ParameterType::Text, service, replica))
                .collect(),
            Yaml::Scalar(scalar) => {
                let text = Text::of(Arc::clone(&scalar.text), node.span, node.scope);
                if kind == ParameterType::List {
                    return self.list(&text, service, replica);
                }
                let value = if template::is_template(&text.text) {
                    self.one(&text, service, replica, &Peer::None)
                } else {
                    Some(Value::new(Arc::clone(&text.text)))
                };
                let value = value.unwrap_or_else(|| Value::new(""));
                self.accepts(kind, &value, &text);
                match kind {
                    ParameterType::Integer | ParameterType::Boolean | ParameterType::Port => {
                        template::plain_value(value.raw())
                    }
                    _ => Evaluated::from(value.raw()),
                }
            }
            Yaml::Null | Yaml::Map(_) => Evaluated::from(""),
        }
    }

    fn accepts(&mut self, kind: ParameterType, value: &Value, text: &Text) {
        if template::is_template(&text.text) && !value.has_secret() && !kind.accepts(value.raw()) {
            self.problems.add(
                Problem::error("wrong-type", format!("this gives `{}`", value.raw()))
                    .at(text.span)
                    .label(format!("expected a parameter of type `{}`", kind.word())),
            );
        }
    }

    /// A parameter of type list that is given as one expression.
    fn list(&mut self, text: &Text, service: usize, replica: Option<u32>) -> Evaluated {
        let context = Context {
            directory: Arc::clone(&self.directory),
            vars: self.vars.clone(),
            service,
            replica,
            peer: Peer::None,
            params: None,
            secrets: Arc::default(),
        };
        let globals = Evaluated::from_object(Globals(Arc::new(context)));
        match self.engine.expression(&text.text, &globals) {
            Some(Ok(value)) if value.as_str().is_none() && value.try_iter().is_ok() => value,
            Some(Ok(value)) => Evaluated::from(vec![value]),
            Some(Err(failure)) => {
                self.failed(&failure, text, &Peer::None);
                Evaluated::from(Vec::<Evaluated>::new())
            }
            None => {
                let value = self.one(text, service, replica, &Peer::None);
                Evaluated::from(
                    value
                        .map(|v| v.raw().to_owned())
                        .into_iter()
                        .collect::<Vec<_>>(),
                )
            }
        }
    }
}

fn scope_of(scopes: &[Scope], scope: u32) -> Option<&Scope> {
    scopes.get((scope as usize).checked_sub(1)?)
}

fn mentions_replica(node: &Node) -> bool {
    match &node.value {
        Yaml::Scalar(scalar) => {
            template::is_template(&scalar.text) && scalar.text.contains("replica")
        }
        Yaml::List(items) => items.iter().any(mentions_replica),
        Yaml::Null | Yaml::Map(_) => false,
    }
}
