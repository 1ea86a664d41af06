//! The labels that every image carries: those of the OCI image specification that a blueprint knows
//! (opencontainers/image-spec, `annotations.md`). The time of the build is not among them: the same
//! blueprint gives the same bytes.

use crate::blueprint::Build;
use crate::plan::Image;

const OCI: &str = "org.opencontainers.image";

/// Names and values: what is known, then what the blueprint gives, which counts.
pub(super) fn labels(image: &Image, build: &Build) -> Vec<(String, String)> {
    let mut labels = vec![(format!("{OCI}.title"), image.name.to_string())];
    if let Some(version) = tag(&image.reference) {
        labels.push((format!("{OCI}.version"), version.to_owned()));
    }
    let base = &build.base.value;
    let (name, digest) = match base.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (base.as_str(), None),
    };
    labels.push((format!("{OCI}.base.name"), qualified(name)));
    if let Some(digest) = digest {
        labels.push((format!("{OCI}.base.digest"), digest.to_owned()));
    }
    for (key, value) in build.labels.iter() {
        labels.retain(|(known, _)| *known != *key.value);
        labels.push((key.value.to_string(), value.value.clone()));
    }
    labels
}

/// The tag of a reference. A colon before a slash is that of a registry's port.
fn tag(reference: &str) -> Option<&str> {
    let name = reference.split('@').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    last.split_once(':').map(|(_, tag)| tag)
}

/// The whole name of an image, "without any assumed default registry" as the specification asks.
fn qualified(name: &str) -> String {
    match name.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}
