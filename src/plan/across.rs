//! What all replicas of a container are given, seen at once: for targets that write one template
//! for all of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Container, Deliverer, Each, Slot, Value, Words};
use crate::blueprint::Mode;
use crate::problem::{Problems, Span};

/// What the replicas of a container are given.
#[derive(Debug, Default)]
pub struct Across {
    /// Environment variables, in order, names unique.
    pub env: Vec<VariableOfAll>,
    /// Files, in order, paths unique.
    pub files: Vec<FileOfAll>,
}

/// An environment variable of some or all replicas.
#[derive(Debug, Clone)]
pub struct VariableOfAll {
    /// Its name.
    pub name: Arc<str>,
    /// Its value; none for replicas that do not have it.
    pub value: Slot,
    /// The config group that it comes from.
    pub group: Option<Arc<str>>,
    /// Where it stands.
    pub span: Span,
}

/// A file of some or all replicas.
#[derive(Debug, Clone)]
pub struct FileOfAll {
    /// Its path in the container.
    pub path: String,
    /// Its text; none for replicas that do not have it.
    pub content: Slot,
    /// Its permissions.
    pub mode: Mode,
    /// Where it stands.
    pub span: Span,
}

impl Deliverer {
    /// What the replicas of a container are given.
    pub fn across(
        &mut self,
        container: &Container,
        replicas: u32,
        problems: &mut Problems,
    ) -> Across {
        let count = if differs(container) { replicas } else { 1 };
        let mut env: Merged<VariableOfAll> = Merged::default();
        let mut files: Merged<FileOfAll> = Merged::default();
        for replica in 0..count {
            let given = self.deliver(container, replica, problems);
            env.next();
            for variable in given.env {
                let key = variable.name.to_string();
                env.put(&key, replica, variable.value, || VariableOfAll {
                    name: variable.name,
                    value: Each::Same(None),
                    group: variable.group,
                    span: variable.span,
                });
            }
            files.next();
            for file in given.files {
                files.put(&file.path.clone(), replica, file.content, || FileOfAll {
                    path: file.path,
                    content: Each::Same(None),
                    mode: file.mode,
                    span: file.span,
                });
            }
        }
        Across {
            env: env.end(count, |variable, value| variable.value = value),
            files: files.end(count, |file, content| file.content = content),
        }
    }
}

/// Does anything differ from replica to replica?
fn differs(container: &Container) -> bool {
    let each = |slot: &Slot| matches!(slot, Each::Replica(_));
    container.env.iter().any(|e| each(&e.value))
        || container.config.iter().any(|f| f.differs)
        || container.files.iter().any(|f| each(&f.content))
}

/// Things by key with a value for each replica; what only a later replica has stands behind what
/// came before it there.
struct Merged<T> {
    places: HashMap<String, usize>,
    entries: Vec<(T, Vec<Option<Value>>)>,
    order: Vec<usize>,
    at: usize,
}

impl<T> Default for Merged<T> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            entries: Vec::new(),
            order: Vec::new(),
            at: 0,
        }
    }
}

impl<T> Merged<T> {
    /// The next replica begins.
    fn next(&mut self) {
        self.at = 0;
    }

    fn put(&mut self, key: &str, replica: u32, value: Value, make: impl FnOnce() -> T) {
        let place = if let Some(place) = self.places.get(key) {
            // Mostly the replicas have the same things in the same order.
            if self.order.get(self.at) == Some(place) {
                self.at += 1;
            } else if let Some(found) = self.order.iter().position(|p| p == place) {
                self.at = found + 1;
            }
            *place
        } else {
            let place = self.entries.len();
            self.entries.push((make(), Vec::new()));
            self.places.insert(key.to_owned(), place);
            self.order.insert(self.at.min(self.order.len()), place);
            self.at += 1;
            place
        };
        if let Some((_, values)) = self.entries.get_mut(place) {
            values.resize(replica as usize, None);
            values.push(Some(value));
        }
    }

    fn end(self, count: u32, set: impl Fn(&mut T, Slot)) -> Vec<T> {
        let mut entries: Vec<Option<T>> = Vec::with_capacity(self.entries.len());
        for (mut entry, mut values) in self.entries {
            values.resize(count as usize, None);
            if let Some(slot) = Each::of(values) {
                set(&mut entry, slot);
            }
            entries.push(Some(entry));
        }
        let order = self.order.into_iter();
        order
            .filter_map(|place| entries.get_mut(place)?.take())
            .collect()
    }
}

/// The words of a command for all replicas, as [`words`](super::words) spells them.
pub fn words_of_all(
    container: &Container,
    words: &Words,
    replicas: u32,
    problems: &mut Problems,
) -> Each<Vec<Value>> {
    let differs = words.words.iter().any(|w| matches!(w, Each::Replica(_)));
    let count = if differs { replicas } else { 1 };
    let all = (0..count).map(|replica| super::words(container, words, replica, problems));
    Each::of(all.collect()).unwrap_or(Each::Same(Vec::new()))
}
