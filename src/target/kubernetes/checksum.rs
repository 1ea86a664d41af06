//! The checksum of the config that a pod reads: variables and files never refresh in a running
//! process, so that a change must roll its pods, and only its.

use std::collections::HashMap;
use std::fmt::Write as _;

use indexmap::IndexSet;
use sha2::{Digest, Sha256};

use super::model::{Body, ConfigMap, Object, Pod, VolumeSource};

/// Its key.
pub(super) const ANNOTATION: &str = "checksum/config";

/// Puts the checksum of its ConfigMaps on every pod template.
pub(super) fn annotate(objects: &mut [Object]) {
    let sums: HashMap<String, Vec<u8>> = objects
        .iter()
        .filter_map(|o| match &o.body {
            Body::ConfigMap(map) => Some((o.name.clone(), sum(map))),
            _ => None,
        })
        .collect();
    for object in objects {
        let Body::Workload(workload) = &mut object.body else {
            continue;
        };
        let names = read_by(&workload.pod);
        if names.is_empty() {
            continue;
        }
        let mut hash = Sha256::new();
        for name in &names {
            hash.update(sums.get(name).map_or(&[][..], Vec::as_slice));
        }
        let mut text = String::new();
        for byte in hash.finalize().iter().take(16) {
            let _ = write!(text, "{byte:02x}");
        }
        let annotations = &mut workload.pod.annotations;
        annotations.push((ANNOTATION.to_owned(), text));
    }
}

/// The ConfigMaps of a pod.
pub(super) fn read_by(pod: &Pod) -> IndexSet<String> {
    let containers = pod.inits.iter().chain(&pod.containers);
    let by_env = containers.flat_map(|c| c.env_from.iter().cloned());
    let by_file = pod.volumes.iter().filter_map(|v| match &v.source {
        VolumeSource::ConfigMap { name, .. } => Some(name.clone()),
        _ => None,
    });
    by_env.chain(by_file).collect()
}

fn sum(map: &ConfigMap) -> Vec<u8> {
    let mut hash = Sha256::new();
    for (key, value) in &map.data {
        for part in [key, value] {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().to_vec()
}
