//! Whose losses a blueprint accepts: what it declares itself, and what is declared in files that it
//! includes. So who includes a blueprint hears of the losses of the own services all the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::problem::{SourceId, Sources, Span};
use crate::yaml::Node;

/// What the files of a cluster accept.
#[derive(Debug, Clone, Default)]
pub struct Accepts {
    entries: Vec<Accept>,
    /// Texts of plugins, and the blueprint that asks for each.
    plugins: HashMap<SourceId, SourceId>,
}

/// One loss that one file accepts.
#[derive(Debug, Clone)]
struct Accept {
    target: Arc<str>,
    loss: Arc<str>,
    files: Files,
}

/// For which files it does.
#[derive(Debug, Clone)]
enum Files {
    /// It is the blueprint that was asked for, which all others are part of.
    All,
    /// The file and those that it includes.
    These(HashSet<SourceId>),
}

impl Accepts {
    /// Is a loss of a target accepted where it stands?
    pub fn cover(&self, target: &str, loss: &str, span: Span) -> bool {
        let asker = self.plugins.get(&span.source);
        let file = asker.copied().unwrap_or(span.source);
        self.entries.iter().any(|accept| {
            let covered = match &accept.files {
                Files::All => true,
                Files::These(files) => files.contains(&file),
            };
            covered && *accept.target == *target && *accept.loss == *loss
        })
    }

    /// A plugin is part of the blueprint that asks for it.
    pub(super) fn plugin(&mut self, text: SourceId, asker: SourceId) {
        self.plugins.insert(text, asker);
    }
}

/// The files as they are read, and what each accepts.
#[derive(Debug, Default)]
pub(super) struct Reading {
    read: Vec<SourceId>,
    entries: Vec<Accept>,
}

impl Reading {
    /// How many files were read so far: where those begin that the next one includes.
    pub(super) fn mark(&self) -> usize {
        self.read.len()
    }

    /// A file was read, and what it includes, from the mark on. `whole`: it is the blueprint itself.
    pub(super) fn file(&mut self, source: SourceId, tree: &Node, mark: usize, whole: bool) {
        self.read.push(source);
        let below = self.read.get(mark..).unwrap_or_default();
        for target in tree.get("targets").map(Node::entries).unwrap_or_default() {
            let accepted = target.value.get("accept");
            for loss in accepted.map(Node::entries).unwrap_or_default() {
                self.entries.push(Accept {
                    target: Arc::clone(&target.key),
                    loss: Arc::clone(&loss.key),
                    files: if whole {
                        Files::All
                    } else {
                        Files::These(below.iter().copied().collect())
                    },
                });
            }
        }
    }

    /// What they accept. A file that is included twice is read twice, and is one file all the same.
    pub(super) fn accepts(self, sources: &Sources) -> Accepts {
        let Self { read, mut entries } = self;
        let called = |id: &SourceId| sources.get(*id).map(|s| s.name.as_str());
        for accept in &mut entries {
            if let Files::These(files) = &mut accept.files {
                let names: HashSet<_> = files.iter().map(called).collect();
                files.extend(read.iter().filter(|id| names.contains(&called(id))));
            }
        }
        Accepts {
            entries,
            plugins: HashMap::new(),
        }
    }
}
