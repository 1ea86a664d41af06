//! Volumes of a pod. Their owner is the group that the pod runs with (`fsGroup`), so that no step
//! as root is needed.

use super::lower::is_stateful;
use super::model::{Body, Claim, Mount, Volume, VolumeSource};
use super::pod::Draft;
use crate::blueprint::{Kind, VolumeKind};
use crate::plan;
use crate::problem::Problem;

/// A claim must ask for some size.
const SMALLEST: u64 = 1 << 30;

impl Draft<'_, '_> {
    /// The volumes of the pod, and the claims that its StatefulSet makes.
    pub(super) fn volumes(&mut self) -> (Vec<Volume>, Vec<Claim>) {
        let mut claims = Vec::new();
        let mut volumes = Vec::new();
        let service = self.service;
        for volume in &service.volumes {
            let plan::Volume {
                name,
                path: _,
                kind,
                size,
                source,
                readonly: _,
                class: _,
                span,
            } = volume;
            let source = match kind {
                VolumeKind::Persistent if is_stateful(service) => {
                    claims.push(self.claim(name.to_string(), volume, false));
                    continue;
                }
                VolumeKind::Persistent if service.kind == Kind::Daemon => {
                    self.lowering.account.refused(
                        "volumes",
                        *span,
                        Problem::error(
                            "unsupported",
                            "a daemon has no storage of its own in Kubernetes",
                        )
                        .at(*span)
                        .label("a DaemonSet has no volume claims")
                        .help("take a directory of the node: { kind: host, source: /srv/... }"),
                    );
                    continue;
                }
                VolumeKind::Persistent if service.replicas > 1 => {
                    self.lowering.account.refused(
                        "volumes",
                        *span,
                        Problem::error(
                            "unsupported",
                            "the pods of a job have no storage of their own in Kubernetes",
                        )
                        .at(*span)
                        .label("a Job has no claim for each replica")
                        .help("let them share it: `kind: shared`; keep what ends with the pod in `kind: temporary`; or make a job of each replica"),
                    );
                    continue;
                }
                VolumeKind::Persistent | VolumeKind::Shared => {
                    let claim = format!("{}-{name}", service.name);
                    let body = self.claim(claim.clone(), volume, *kind == VolumeKind::Shared);
                    self.object(claim.clone(), Body::Claim(body));
                    VolumeSource::Claim(claim)
                }
                VolumeKind::Temporary => VolumeSource::Empty {
                    memory: false,
                    size: size.map(|s| s.0),
                },
                VolumeKind::Memory => VolumeSource::Empty {
                    memory: true,
                    size: size.map(|s| s.0),
                },
                VolumeKind::Host => {
                    let what =
                        "the Pod Security level `restricted`: a directory of the node is mounted";
                    self.lowering.account.lost("security", *span, what);
                    self.lowering.privileged = true;
                    VolumeSource::Host(source.clone().unwrap_or_default())
                }
            };
            volumes.push(Volume {
                name: name.to_string(),
                source,
            });
        }
        (volumes, claims)
    }

    fn claim(&mut self, name: String, volume: &plan::Volume, shared: bool) -> Claim {
        if volume.size.is_none() {
            let what = format!("a volume without a size: `{}` asks for 1Gi", volume.name);
            self.lowering
                .account
                .lost("volumes.size", volume.span, &what);
        }
        let class = volume.class.clone();
        Claim {
            name,
            shared,
            class: class.or_else(|| {
                let default = self.lowering.settings.storage_class.as_ref();
                default.map(|c| c.value.clone())
            }),
            size: volume.size.map_or(SMALLEST, |s| s.0),
        }
    }

    /// The volumes in a container.
    pub(super) fn volume_mounts(&self) -> Vec<Mount> {
        let volumes = self.service.volumes.iter();
        volumes
            .map(|v| Mount {
                volume: v.name.to_string(),
                path: v.path.clone(),
                sub: None,
                readonly: v.readonly,
            })
            .collect()
    }
}
