//! Plugins: a service's `plugins` are taken into its node, before the language is read.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::accepts::Accepts;
use super::layers::{Loaded, Loader};
use crate::blueprint::{At, FromText, Parameter, ParameterType, Plugin, Read, Reader, unknown_key};
use crate::problem::{Problem, Problems, SourceId, Sources, Span, one_of};
use crate::template::{self, Engine, Value as Evaluated};
use crate::yaml::{self, Entry, Node, Value};

/// One plugin in one service, with the parameters it was given there.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The plugin's name.
    pub plugin: String,
    /// The text of the plugin.
    pub source: SourceId,
    /// The service that asks for it.
    pub service: Arc<str>,
    /// Parameters as written: templates see them as `params.NAME`, evaluated where they are used.
    pub params: Vec<Param>,
    /// What structure scalars of the plugin's part see: variables, and those parameters that can
    /// be told without a target.
    pub structure: Evaluated,
}

/// A parameter's value.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: ParameterType,
    /// As it was given, or the default.
    pub node: Node,
    /// It was given.
    pub given: bool,
}

/// Lists that a plugin adds to instead of being replaced.
const JOINED: [&str; 3] = ["init", "args", "profiles"];

/// A mapping whose first entry platforms take for the service's: there the service's own come before
/// those of plugins.
const FIRST_COUNTS: &str = "ports";

struct Context<'a> {
    accepts: &'a mut Accepts,
    loader: &'a dyn Loader,
    engine: &'a Engine,
    vars: &'a Evaluated,
    sources: &'a mut Sources,
    problems: &'a mut Problems,
    scopes: Vec<Scope>,
    /// Definitions by name and the source that asks; none for those that can't be read.
    plugins: HashMap<(Arc<str>, String), Option<Rc<Plugin>>>,
}

/// Takes the plugins of every service into the tree.
pub(super) fn apply(
    tree: &mut Node,
    accepts: &mut Accepts,
    loader: &dyn Loader,
    engine: &Engine,
    vars: &Evaluated,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Vec<Scope> {
    let mut context = Context {
        accepts,
        loader,
        engine,
        vars,
        sources,
        problems,
        scopes: Vec::new(),
        plugins: HashMap::new(),
    };
    if let Value::Map(entries) = &mut tree.value {
        let services = entries.iter_mut().find(|e| &*e.key == "services");
        if let Some(Entry { value, .. }) = services
            && let Value::Map(services) = &mut value.value
        {
            for service in services {
                context.service(&service.key, &mut service.value);
            }
        }
    }
    context.scopes
}

impl Context<'_> {
    fn service(&mut self, name: &Arc<str>, service: &mut Node) {
        let plugins: Vec<Entry> = service
            .get("plugins")
            .map(Node::entries)
            .unwrap_or_default()
            .to_vec();
        let ports: Vec<Arc<str>> = service
            .get(FIRST_COUNTS)
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|e| Arc::clone(&e.key))
            .collect();
        // The last plugin written is laid first, so that the first one's steps come first.
        for entry in plugins.iter().rev() {
            if let Some(body) = self.instance(entry, name) {
                let own = std::mem::replace(service, body.clone());
                *service = join(body, own);
            }
        }
        if let Value::Map(entries) = &mut service.value
            && let Some(entry) = entries.iter_mut().find(|e| &*e.key == FIRST_COUNTS)
            && let Value::Map(entries) = &mut entry.value.value
        {
            let place = |e: &Entry| ports.iter().position(|p| *p == e.key);
            entries.sort_by_key(|e| place(e).unwrap_or(usize::MAX));
        }
    }

    /// The plugin's part of a service, its texts marked with a new scope.
    fn instance(&mut self, entry: &Entry, service: &Arc<str>) -> Option<Node> {
        let plugin = self.plugin(entry)?;
        let params = self.params(&plugin, entry)?;
        let structure = self.structure(&params);
        let mut body = plugin.service.0.clone();
        self.keys(&mut body, &structure);
        self.scopes.push(Scope {
            plugin: entry.key.to_string(),
            source: plugin.name.span.source,
            service: Arc::clone(service),
            params,
            structure,
        });
        body.set_scope(u32::try_from(self.scopes.len()).unwrap_or(u32::MAX));
        Some(body)
    }

    /// Evaluates the keys that can be told now, so that the service's own of the same name is laid
    /// over each. The others are evaluated with the values.
    fn keys(&self, node: &mut Node, structure: &Evaluated) {
        match &mut node.value {
            Value::Map(entries) => {
                let mut taken: HashSet<Arc<str>> =
                    entries.iter().map(|e| Arc::clone(&e.key)).collect();
                for entry in entries {
                    // Two of one name are reported where the language is read.
                    if let Some(key) = self.key(&entry.key, structure)
                        && taken.insert(Arc::clone(&key))
                    {
                        entry.key = key;
                    }
                    self.keys(&mut entry.value, structure);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|i| self.keys(i, structure)),
            Value::Null | Value::Scalar(_) => {}
        }
    }

    fn key(&self, key: &str, structure: &Evaluated) -> Option<Arc<str>> {
        if !template::is_template(key) {
            return None;
        }
        let told = |path: &String| {
            let mut segments = path.split('.');
            let value = segments.try_fold(structure.clone(), |value, segment| {
                value.get_attr(segment).ok().filter(|v| !v.is_undefined())
            });
            value.is_some()
        };
        if !self.engine.paths(key).iter().all(told) {
            return None;
        }
        let text = self.engine.render(key, structure).ok()?;
        (!template::is_template(&text)).then(|| text.into())
    }

    /// The definition of a plugin, read once.
    fn plugin(&mut self, entry: &Entry) -> Option<Rc<Plugin>> {
        let from = self.sources.get(entry.key_span.source);
        let from = from.map(|s| s.name.clone()).unwrap_or_default();
        let key = (Arc::clone(&entry.key), from);
        if let Some(read) = self.plugins.get(&key) {
            return read.clone();
        }
        let Some(loaded) = self.loader.plugin(&entry.key, &key.1) else {
            self.problems.add(self.unknown(entry));
            return None;
        };
        let read = self.read(loaded, entry).map(Rc::new);
        self.plugins.insert(key, read.clone());
        read
    }

    fn read(&mut self, loaded: Result<Loaded, String>, entry: &Entry) -> Option<Plugin> {
        let (called, text) = match loaded {
            Ok(loaded) => loaded,
            Err(reason) => {
                self.problems
                    .add(Problem::error("unknown-plugin", reason).at(entry.key_span));
                return None;
            }
        };
        let source = self.sources.add(called, text);
        self.accepts.plugin(source, entry.key_span.source);
        let node = yaml::read(source, self.sources, self.problems)?;
        let contexts = [Evaluated::from(())];
        let mut reader = Reader {
            problems: self.problems,
            sources: self.sources,
            engine: self.engine,
            contexts: &contexts,
            variable: &|_| None,
            unsure: false,
        };
        let plugin = Plugin::read(&node, &mut reader)?;
        if plugin.name.value != *entry.key {
            reader.problems.add(
                Problem::error(
                    "invalid-name",
                    format!("this plugin calls itself `{}`", plugin.name.value),
                )
                .at(plugin.name.span)
                .label(format!("expected `{}`, as its file is called", entry.key)),
            );
        }
        Some(plugin)
    }

    fn unknown(&self, entry: &Entry) -> Problem {
        let known = self.loader.plugins();
        let known = known.iter().map(String::as_str);
        Problem::error(
            "unknown-plugin",
            format!("there is no plugin `{}`", entry.key),
        )
        .at(entry.key_span)
        .label(format!("expected {}", one_of(known.clone())))
        .nearest(&entry.key, known)
        .help("a plugin of your own is a file plugins/NAME.yaml beside the blueprint")
    }

    fn params(&mut self, plugin: &Plugin, entry: &Entry) -> Option<Vec<Param>> {
        let given = &entry.value;
        let mut whole = true;
        if !matches!(given.value, Value::Map(_) | Value::Null) {
            self.problems.add(
                Problem::error(
                    "wrong-type",
                    format!("parameters are a mapping, this is {}", given.kind()),
                )
                .at(given.span)
                .label("expected parameters and their values"),
            );
            return None;
        }
        for extra in given.entries() {
            if plugin.params.get(&extra.key).is_none() {
                whole = false;
                let names: Vec<&str> = plugin.params.names().collect();
                self.problems.add(unknown_key(
                    &extra.key,
                    extra.key_span,
                    names.iter().copied(),
                ));
            }
        }
        let mut params = Vec::new();
        for (name, parameter) in plugin.params.iter() {
            match self.param(name, parameter, entry) {
                Some(param) => params.push(param),
                None => whole = false,
            }
        }
        whole.then_some(params)
    }

    fn param(
        &mut self,
        name: &At<Arc<str>>,
        parameter: &Parameter,
        entry: &Entry,
    ) -> Option<Param> {
        let kind = parameter.kind.value;
        let given = entry.value.get(&name.value).filter(|n| !n.is_null());
        let default = parameter.default.as_ref().map(|d| &d.0);
        let Some(node) = given.or(default) else {
            if parameter.required.is_some_and(|r| r.value) {
                self.problems.add(
                    Problem::error(
                        "missing-key",
                        format!("the plugin `{}` needs `{}`", entry.key, name.value),
                    )
                    .at(entry.key_span)
                    .label(format!("expected {}: VALUE", name.value)),
                );
                return None;
            }
            let empty = empty(kind, entry.key_span);
            return Some(Param {
                name: Arc::clone(&name.value),
                kind,
                node: empty,
                given: false,
            });
        };
        if !fits(kind, node) {
            self.problems.add(
                Problem::error(
                    "wrong-type",
                    format!(
                        "`{}` of the plugin `{}` is {}",
                        name.value,
                        entry.key,
                        words(kind)
                    ),
                )
                .at(node.span)
                .label(format!("expected {}", words(kind))),
            );
            return None;
        }
        Some(Param {
            name: Arc::clone(&name.value),
            kind,
            node: node.clone(),
            given: given.is_some(),
        })
    }

    /// Variables, and the parameters that can be told now.
    fn structure(&self, params: &[Param]) -> Evaluated {
        let mut told: Vec<(String, Evaluated)> = Vec::new();
        for param in params {
            if let Some(value) = self.told(&param.node) {
                told.push((param.name.to_string(), value));
            }
        }
        let params = Evaluated::from_pairs(told);
        let vars = self.vars.try_iter().into_iter().flatten();
        let vars = vars.filter_map(|key| {
            let value = self.vars.get_item(&key).ok()?;
            Some((key.to_string(), value))
        });
        Evaluated::from_pairs(vars.chain([("params".to_owned(), params)]))
    }

    fn told(&self, node: &Node) -> Option<Evaluated> {
        match &node.value {
            Value::Null | Value::Map(_) => Some(Evaluated::from("")),
            Value::List(items) => {
                let items: Option<Vec<_>> = items.iter().map(|n| self.told(n)).collect();
                Some(Evaluated::from(items?))
            }
            Value::Scalar(scalar) if template::is_template(&scalar.text) => self
                .engine
                .render(&scalar.text, self.vars)
                .ok()
                .map(|text| template::plain_value(&text)),
            Value::Scalar(scalar) if scalar.plain => Some(template::plain_value(&scalar.text)),
            Value::Scalar(scalar) => Some(Evaluated::from(&*scalar.text)),
        }
    }
}

fn empty(kind: ParameterType, span: Span) -> Node {
    Node {
        value: if kind == ParameterType::List {
            Value::List(Vec::new())
        } else {
            Value::Scalar(yaml::Scalar {
                text: if kind == ParameterType::Boolean {
                    "false".into()
                } else {
                    "".into()
                },
                plain: true,
            })
        },
        span,
        scope: 0,
    }
}

fn fits(kind: ParameterType, node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => template::is_template(&scalar.text) || kind.accepts(&scalar.text),
        Value::List(items) => {
            kind == ParameterType::List && items.iter().all(|n| n.text().is_some())
        }
        Value::Map(_) | Value::Null => false,
    }
}

fn words(kind: ParameterType) -> String {
    match kind {
        ParameterType::Text => "a text".to_owned(),
        ParameterType::Integer => "a whole number".to_owned(),
        ParameterType::Boolean => bool::expected(),
        ParameterType::Path => crate::blueprint::ContainerPath::expected(),
        ParameterType::Port => u16::expected(),
        ParameterType::Duration => crate::blueprint::Duration::expected(),
        ParameterType::List => "a list of texts".to_owned(),
    }
}

/// The plugin's part under the service's own; some lists are joined.
fn join(body: Node, own: Node) -> Node {
    let mut lists: Vec<(Entry, Vec<Node>)> = Vec::new();
    for key in JOINED {
        let first = body.get(key).map(|n| &n.value);
        let then = own.entry(key);
        if let (Some(Value::List(first)), Some(entry)) = (first, then)
            && let Value::List(second) = &entry.value.value
        {
            let items = first.iter().chain(second).cloned().collect();
            lists.push((entry.clone(), items));
        }
    }
    let mut joined = yaml::merge(body, own);
    if let Value::Map(entries) = &mut joined.value {
        for (entry, items) in lists {
            if let Some(slot) = entries.iter_mut().find(|e| e.key == entry.key) {
                slot.value.value = Value::List(items);
            }
        }
    }
    joined
}
