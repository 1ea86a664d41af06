//! Volumes of a replica, and the step that gives a fresh one to the image's user.

use super::lower::{Lowering, Place, is_expanded, user_text};
use super::model::{Service, Volume, VolumeMount};
use crate::blueprint::VolumeKind;
use crate::plan::{self, Value};

/// The volumes of a replica as mounts; named ones are declared.
pub(super) fn mounts(lowering: &mut Lowering<'_>, place: Place<'_>) -> Vec<VolumeMount> {
    let volumes = &place.service.volumes;
    volumes.iter().map(|v| mount(v, lowering, place)).collect()
}

fn mount(volume: &plan::Volume, lowering: &mut Lowering<'_>, place: Place<'_>) -> VolumeMount {
    let plan::Volume {
        name,
        path,
        kind,
        size,
        source,
        readonly,
        class: _,
        span,
    } = volume;
    let target = path.clone();
    match kind {
        VolumeKind::Host => VolumeMount::Bind {
            source: source.clone().unwrap_or_default(),
            target,
            readonly: *readonly,
        },
        VolumeKind::Memory => VolumeMount::Memory {
            target,
            size: size.map(|s| s.0),
        },
        VolumeKind::Persistent | VolumeKind::Shared | VolumeKind::Temporary => {
            let owner = if *kind == VolumeKind::Shared || !is_expanded(place.service) {
                &*place.service.name
            } else {
                place.main
            };
            let source = format!("{owner}-{name}");
            lowering.own_volume(&source, &place.service.name, name, *span);
            let declared = Volume {
                size: size.map(|s| s.0),
            };
            lowering.project.volumes.insert(source.clone(), declared);
            VolumeMount::Named {
                source,
                target,
                readonly: *readonly,
            }
        }
    }
}

/// A fresh named volume belongs to root unless the image has the directory. Where the image does
/// not, one step gives the volume to the user that the process runs as; its name is returned.
pub(super) fn owner(lowering: &mut Lowering<'_>, place: Place<'_>) -> Option<String> {
    let Place { service, main, .. } = place;
    let container = &service.main;
    let user = container.user.or(container.image.user)?;
    if user.uid == 0 {
        return None;
    }
    // What the image owns belongs to the image's user, which need not be this one.
    let made_so = container.user.is_none() || container.user == container.image.user;
    let paths: Vec<Value> = service
        .volumes
        .iter()
        .filter(|v| !matches!(v.kind, VolumeKind::Host | VolumeKind::Memory) && !v.readonly)
        .filter(|v| !(made_so && container.image.owns.contains(&v.path)))
        .map(|v| Value::new(v.path.as_str()))
        .collect();
    if paths.is_empty() {
        return None;
    }
    let name = format!("{main}-volumes");
    let command = [Value::new(user_text(user))].into_iter().chain(paths);
    let step = Service {
        image: container.image.reference.clone(),
        user: Some("0:0".to_owned()),
        entrypoint: Some(vec![Value::new("chown")]),
        command: Some(command.collect()),
        network_mode: Some("none".to_owned()),
        volumes: mounts(lowering, place),
        restart: Some("no"),
        profiles: service.profiles.clone(),
        ..Service::default()
    };
    lowering.add(
        name.clone(),
        format!("{}-volumes", service.name),
        step,
        service.span,
    );
    Some(name)
}
