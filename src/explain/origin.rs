//! The way back from a value to where it stands: its own place, and those of the variables and
//! parameters that it is made from.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::problem::{Lines, SourceId, Sources, Span};
use crate::resolve::{Cluster, Param};
use crate::template::{Engine, is_template};
use crate::yaml::{Node, Value};

/// A place in a text that flokkr read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What a person calls the text: a path, `library:NAME`, `--set`.
    pub file: Rc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What `--set` was given; else nothing.
    pub set: Option<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its own place; none for what no text says.
    pub place: Option<Place>,
    /// What its template is made from.
    pub used: Rc<Vec<Used>>,
}

/// A variable, or a parameter of a plugin, that a value is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Its name: `datanodes`, `params.dir`.
    pub name: String,
    /// Where its value comes from.
    pub place: Option<Place>,
    /// The value is the default of the blueprint, or of the plugin.
    pub is_default: bool,
}

/// Finds origins.
pub(super) struct Origins<'a> {
    sources: &'a Sources,
    cluster: &'a Cluster,
    engine: Engine,
    lines: Lines<'a>,
    names: HashMap<SourceId, Rc<str>>,
    /// What texts are made from, by service and place: replicas share most of it.
    used: HashMap<(Arc<str>, Span), Rc<Vec<Used>>>,
}

impl<'a> Origins<'a> {
    pub(super) fn new(cluster: &'a Cluster, sources: &'a Sources) -> Self {
        Self {
            sources,
            cluster,
            engine: Engine::default(),
            lines: Lines::new(sources),
            names: HashMap::new(),
            used: HashMap::new(),
        }
    }

    /// Of a value that stands here, in a service.
    pub(super) fn of(&mut self, span: Span, service: &Arc<str>) -> Origin {
        let place = self.place(span);
        let key = (Arc::clone(service), span);
        if let Some(used) = self.used.get(&key) {
            return Origin {
                place,
                used: Rc::clone(used),
            };
        }
        let used = Rc::new(self.used_at(span, service));
        self.used.insert(key, Rc::clone(&used));
        Origin { place, used }
    }

    /// Of something that is no template.
    pub(super) fn plain(&mut self, span: Span) -> Origin {
        Origin {
            place: self.place(span),
            used: Rc::default(),
        }
    }

    pub(super) fn place(&mut self, span: Span) -> Option<Place> {
        let source = self.sources.get(span.source)?;
        let (line, column) = self.lines.of(span)?;
        let file = self.names.entry(span.source);
        let file = Rc::clone(file.or_insert_with(|| source.name.as_str().into()));
        let set = source
            .name
            .strip_prefix("--set")
            .map(|name| match name.trim() {
                "" => source.text.to_string(),
                // A list or mapping is a text of its own.
                name => format!("{name}={}", source.text),
            });
        Some(Place {
            file,
            line,
            column,
            set,
        })
    }

    fn used_at(&mut self, span: Span, service: &Arc<str>) -> Vec<Used> {
        let Some(written) = self.sources.slice(span).filter(|t| is_template(t)) else {
            return Vec::new();
        };
        let mut search = Search {
            cluster: self.cluster,
            engine: &self.engine,
            params: self.params(span.source, service),
            seen: HashSet::new(),
            found: Vec::new(),
        };
        search.text(written);
        let found = search.found;
        let used = found.into_iter().map(|(name, span, is_default)| Used {
            name,
            place: self.place(span),
            is_default,
        });
        used.collect()
    }

    /// The parameters of the plugin that this text is, as a service gives them.
    fn params(&self, source: SourceId, service: &str) -> BTreeMap<String, &'a Param> {
        let scopes = self.cluster.scopes.iter();
        let scope = scopes
            .rev()
            .find(|s| s.source == source && *s.service == *service);
        let params = scope.into_iter().flat_map(|s| &s.params);
        params.map(|p| (format!("params.{}", p.name), p)).collect()
    }
}

/// Follows names to what they are made from.
struct Search<'a, 'e> {
    cluster: &'a Cluster,
    engine: &'e Engine,
    params: BTreeMap<String, &'a Param>,
    seen: HashSet<String>,
    /// Name, place, and whether it is a default.
    found: Vec<(String, Span, bool)>,
}

impl Search<'_, '_> {
    /// A text as it is written, quotes and escapes included: what stands between `{{` and `}}` is
    /// looked at without them.
    fn text(&mut self, written: &str) {
        let mut names = self.engine.names(written);
        if names.is_empty() {
            let bare = written.replace("\\\"", "\"").replace("''", "'");
            names = self.engine.names(&bare);
        }
        for name in names {
            if name == "params" {
                self.params(written);
            } else {
                self.variable(&name);
            }
        }
    }

    fn variable(&mut self, name: &str) {
        let Some(declared) = self.cluster.declared.get(name) else {
            return;
        };
        if !self.seen.insert(name.to_owned()) {
            return;
        }
        self.found
            .push((name.to_owned(), declared.span, !declared.given));
        for name in &declared.names {
            self.variable(name);
        }
    }

    fn params(&mut self, written: &str) {
        let mentioned = |name: &&String| {
            let inside = |c: char| c == '_' || c == '-' || c.is_alphanumeric();
            let mut behind = written.split(name.as_str()).skip(1);
            behind.any(|rest| !rest.starts_with(inside))
        };
        let names: Vec<String> = self.params.keys().filter(mentioned).cloned().collect();
        for name in names {
            let Some(param) = self.params.get(&name).copied() else {
                continue;
            };
            if self.seen.insert(name.clone()) {
                self.found.push((name, param.node.span, !param.given));
                self.node(&param.node);
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar(scalar) if is_template(&scalar.text) => self.text(&scalar.text),
            Value::List(items) => items.iter().for_each(|item| self.node(item)),
            Value::Map(_) | Value::Null | Value::Scalar(_) => {}
        }
    }
}
