//! Files of a pod: keys of ConfigMaps, each mounted at its path. What differs from replica to
//! replica has a key for each pod, and the pod mounts those under its own name.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::model::{ConfigMap, Mount, SubPath, Volume, VolumeSource};
use crate::blueprint::Mode;

/// The API server takes so many bytes of values in one ConfigMap.
pub(super) const MAX_MAP: usize = 1_048_576;

/// The usual mode of a file in such a volume.
const USUAL: Mode = Mode(0o644);

/// Begins the names of volumes that are not the blueprint's.
const VOLUMES: &str = "flokkr";

/// The files of one pod, while it is lowered.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Begins the names of their volumes.
    prefix: String,
    /// Texts of all replicas: in as many maps as their size takes.
    same: Vec<Part>,
    /// Texts by pod.
    each: Part,
    /// Where a text with a mode is already.
    places: HashMap<(String, u32), (usize, String)>,
    /// The same for the texts of all pods: the file's name.
    places_of_each: HashMap<(Vec<String>, u32), String>,
}

/// A ConfigMap and the volume that shows it.
#[derive(Debug, Default)]
struct Part {
    data: IndexMap<String, String>,
    items: Vec<(String, String, Option<u32>)>,
    size: usize,
}

/// A ConfigMap of files, with the end of its name.
pub(super) struct Made {
    pub(super) suffix: String,
    pub(super) map: ConfigMap,
    pub(super) volume: Volume,
}

impl Files {
    /// For a pod with volumes of these names.
    pub(super) fn beside(volumes: &[&str]) -> Self {
        let prefixes =
            std::iter::once(format!("{VOLUMES}-")).chain((2..).map(|n| format!("{VOLUMES}{n}-")));
        let is_free = |prefix: &String| !volumes.iter().any(|v| v.starts_with(prefix.as_str()));
        Self {
            prefix: prefixes.into_iter().find(is_free).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The name of a volume that is not the blueprint's.
    pub(super) fn volume(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Mounts a text that all replicas have.
    pub(super) fn mount(&mut self, path: &str, text: &str, mode: Mode) -> Mount {
        let place = (text.to_owned(), mode.0);
        let (part, key) = if let Some(found) = self.places.get(&place) {
            found.clone()
        } else {
            let found = self.put(path, text, mode);
            self.places.insert(place, found.clone());
            found
        };
        Mount {
            volume: self.volume(&numbered("files", part)),
            path: path.to_owned(),
            sub: Some(SubPath::Path(key)),
            readonly: true,
        }
    }

    fn put(&mut self, path: &str, text: &str, mode: Mode) -> (usize, String) {
        let fits = |part: &Part| part.size + text.len() <= MAX_MAP;
        let part = self.same.iter().position(fits).unwrap_or_else(|| {
            self.same.push(Part::default());
            self.same.len() - 1
        });
        let taken: Vec<&str> = self
            .same
            .iter()
            .flat_map(|p| p.data.keys().map(String::as_str))
            .collect();
        let key = free_key(path, &taken);
        if let Some(part) = self.same.get_mut(part) {
            part.size += text.len();
            part.data.insert(key.clone(), text.to_owned());
            part.items.push((key.clone(), key.clone(), written(mode)));
        }
        (part, key)
    }

    /// Mounts a text for each pod: pod names and texts.
    pub(super) fn mount_each<'t>(
        &mut self,
        path: &str,
        texts: impl Iterator<Item = (String, &'t str)>,
        mode: Mode,
        name_variable: &str,
    ) -> Mount {
        let texts: Vec<(String, &str)> = texts.collect();
        let place = (texts.iter().map(|(_, t)| (*t).to_owned()).collect(), mode.0);
        let file = if let Some(found) = self.places_of_each.get(&place) {
            found.clone()
        } else {
            let file = self.put_each(path, texts, mode);
            self.places_of_each.insert(place, file.clone());
            file
        };
        Mount {
            volume: self.volume("replicas"),
            path: path.to_owned(),
            sub: Some(SubPath::Expression(format!("$({name_variable})/{file}"))),
            readonly: true,
        }
    }

    fn put_each(&mut self, path: &str, texts: Vec<(String, &str)>, mode: Mode) -> String {
        let taken: Vec<&str> = self
            .each
            .items
            .iter()
            .filter_map(|(_, path, _)| path.split_once('/').map(|(_, file)| file))
            .collect();
        let file = free_key(path, &taken);
        for (pod, text) in texts {
            let key = format!("{pod}.{file}");
            self.each.size += text.len();
            self.each.data.insert(key.clone(), text.to_owned());
            let shown = format!("{pod}/{file}");
            self.each.items.push((key, shown, written(mode)));
        }
        file
    }

    /// Bytes of what differs from pod to pod, which must be in one map.
    pub(super) fn size_of_each(&self) -> usize {
        self.each.size
    }

    /// The ConfigMaps and volumes, for a service of this name.
    pub(super) fn made(self, service: &str) -> Vec<Made> {
        let prefix = self.prefix;
        let same = self
            .same
            .into_iter()
            .enumerate()
            .map(|(at, part)| (numbered("files", at), part));
        let each = std::iter::once(("replicas".to_owned(), self.each));
        same.chain(each)
            .filter(|(_, part)| !part.data.is_empty())
            .map(|(suffix, part)| Made {
                volume: Volume {
                    name: format!("{prefix}{suffix}"),
                    source: VolumeSource::ConfigMap {
                        name: format!("{service}-{suffix}"),
                        items: part.items,
                    },
                },
                map: ConfigMap { data: part.data },
                suffix,
            })
            .collect()
    }
}

fn written(mode: Mode) -> Option<u32> {
    (mode != USUAL).then(|| for_the_group(mode))
}

/// The mode of a file that belongs to root, for a process of its group: the kubelet lets the
/// `fsGroup` read it, but execute it only if the mode says so.
pub(super) fn for_the_group(mode: Mode) -> u32 {
    mode.0 | (mode.0 & 0o100) >> 3
}

fn numbered(name: &str, at: usize) -> String {
    if at == 0 {
        name.to_owned()
    } else {
        format!("{name}-{}", at + 1)
    }
}

/// A key (`[-._a-zA-Z0-9]+`, at most 253 characters, not beginning with `..`) after the file's name.
fn free_key(path: &str, taken: &[&str]) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(120)
        .collect();
    let name = if name.is_empty() || name.starts_with('.') {
        format!("file{name}")
    } else {
        name
    };
    if !taken.contains(&name.as_str()) {
        return name;
    }
    let mut numbered = (2..).map(|n| format!("{n}-{name}"));
    numbered
        .find(|n| !taken.contains(&n.as_str()))
        .unwrap_or_default()
}
