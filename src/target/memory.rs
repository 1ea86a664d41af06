//! Volumes in memory, where the platform gives each container a `tmpfs` of its own.

use crate::blueprint::VolumeKind;
use crate::plan::Service;
use crate::problem::Span;

/// The permissions of a volume in memory where it belongs to root: all may write it. Docker is told, since it gives
/// it those of the image's directory at its place; runc 1.1.5 does so all the same.
pub const MODE: u32 = 0o1777;

/// What is lost of volumes in memory that several processes of a replica mount, and where each stands.
pub fn apart(service: &Service) -> Vec<(Span, String)> {
    let inits = service
        .inits
        .iter()
        .filter(|i| i.when.all().contains(&true));
    let sidecars = service.sidecars.iter().filter(|s| s.volumes);
    let others: Vec<String> = inits
        .map(|i| &i.container)
        .chain(sidecars.map(|s| &s.container))
        .map(|c| format!("`{}`", c.name))
        .collect();
    if others.is_empty() {
        return Vec::new();
    }
    let volumes = service.volumes.iter();
    volumes
        .filter(|v| v.kind == VolumeKind::Memory)
        .map(|volume| {
            let what = format!(
                "memory that processes share: `{}` and beside it {} get an empty {} each; \
                 with `kind: temporary` they share a disk",
                service.name,
                others.join(", "),
                volume.path,
            );
            (volume.span, what)
        })
        .collect()
}
