//! Volumes of a replica.
//!
//! A named volume is a mount of type `volume`: in the driver's `volumes` the same name would be a
//! folder of each task's own. It is on the node, and its name holds the index, so that whichever
//! allocation has the index next finds the data. A temporary volume is a folder of the allocation,
//! which the tasks share and which goes with it; by `volumes`, because Docker makes such a folder
//! when it is missing, and a bind mount would fail.

use std::sync::Arc;

use super::lower::{Lowering, Place};
use super::model::{Config, Mount};
use crate::blueprint::{User, VolumeKind};
use crate::emit::hcl::Piece;
use crate::plan;
use crate::problem::Problem;

impl Lowering<'_> {
    /// The volumes of a replica as mounts.
    pub(super) fn mounts(&mut self, place: Place<'_>, config: &mut Config) {
        for volume in &place.service.volumes {
            self.mount(volume, place, config);
        }
    }

    fn mount(&mut self, volume: &plan::Volume, place: Place<'_>, config: &mut Config) {
        let plan::Volume {
            name,
            path,
            kind,
            size,
            source,
            readonly,
            class,
            span,
        } = volume;
        let target = self.option(path, "volumes", *span);
        let mut mount = Mount {
            kind: "volume",
            source: None,
            target: target.clone(),
            readonly: *readonly,
            size: None,
            driver: None,
        };
        if matches!(kind, VolumeKind::Persistent | VolumeKind::Shared) {
            // A storage class is a driver here.
            let driver = class.as_ref().map(|c| self.option(c, "volumes", *span));
            mount.driver = driver;
        }
        let plan = self.plan;
        let cluster = &plan.name;
        let service = &place.service.name;
        match kind {
            VolumeKind::Persistent if place.is_numbered() => {
                for index in place.covered.indexes() {
                    let named = format!("{cluster}-{service}-{index}-{name}");
                    self.own(named, service, volume);
                }
                let mut source = place.covered.numbered(&format!("{cluster}-{service}"));
                source.push(Piece::Text(format!("-{name}")));
                mount.source = Some(super::text::joined(source));
            }
            VolumeKind::Persistent | VolumeKind::Shared => {
                let source = format!("{cluster}-{service}-{name}");
                self.own(source.clone(), service, volume);
                mount.source = Some(vec![Piece::Text(source)]);
            }
            VolumeKind::Temporary => {
                let mut bind = vec![Piece::Text(format!("../alloc/data/{name}:"))];
                bind.extend(target);
                if *readonly {
                    bind.push(Piece::Text(":ro".to_owned()));
                }
                config.volumes.push(super::text::joined(bind));
                return;
            }
            VolumeKind::Memory => {
                mount.kind = "tmpfs";
                mount.size = size.map(|s| s.0);
            }
            VolumeKind::Host => {
                mount.kind = "bind";
                let source = source.as_deref().unwrap_or_default();
                mount.source = Some(self.option(source, "volumes", *span));
            }
        }
        config.mounts.push(mount);
    }
}

impl Lowering<'_> {
    /// Notes whose a Docker volume is: two of one name would be one.
    fn own(&mut self, named: String, service: &Arc<str>, volume: &plan::Volume) {
        let owner = (Arc::clone(service), Arc::clone(&volume.name));
        let message = format!("two volumes become `{named}` in Nomad");
        let (first, span) = self
            .volumes
            .entry(named)
            .or_insert_with(|| (owner.clone(), volume.span));
        if *first != owner {
            let problem = Problem::error("duplicate-name", message)
                .at(volume.span)
                .label("expected another name")
                .related(*span, "the first one");
            self.account.problems.add(problem);
        }
    }
}

/// The user and the paths that a step must give to that user first: a fresh named volume belongs
/// to root unless the image has the directory, and a folder of the allocation always does.
pub(super) fn unowned(service: &plan::Service) -> Option<(User, Vec<String>)> {
    let container = &service.main;
    let user = Lowering::owner(container)?;
    // What the image owns belongs to the image's user, which need not be this one.
    let made_so = container.user.is_none() || container.user == container.image.user;
    let paths: Vec<String> = service
        .volumes
        .iter()
        .filter(|v| !matches!(v.kind, VolumeKind::Host | VolumeKind::Memory) && !v.readonly)
        .filter(|v| {
            let copied = v.kind != VolumeKind::Temporary;
            !(copied && made_so && container.image.owns.contains(&v.path))
        })
        .map(|v| v.path.clone())
        .collect();
    (!paths.is_empty()).then_some((user, paths))
}
