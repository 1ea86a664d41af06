//! Images that are built: where the context of each lies below the folder of its target, and who
//! uses it. What builds and what runs images agree through this.

use std::sync::Arc;

use crate::plan::{Container, Image, Plan, Service};

/// What a builder reads in a context unless told otherwise.
pub const FILE: &str = "Dockerfile";

/// The images that the blueprint says how to build.
pub fn built(plan: &Plan) -> impl Iterator<Item = &Arc<Image>> {
    plan.images.iter().filter(|image| image.build.is_some())
}

/// The folder of an image's context.
pub fn folder(image: &Image) -> &str {
    &image.name
}

/// The processes of a service that stay, main process first.
pub fn lasting(service: &Service) -> impl Iterator<Item = &Container> {
    let sidecars = service.sidecars.iter().map(|s| &s.container);
    std::iter::once(&service.main).chain(sidecars)
}

/// Does something with this image say how it is checked? Then the image may carry a check, which
/// whoever has none would inherit.
pub fn may_have_check(image: &Image, plan: &Plan) -> bool {
    let mut processes = plan.services.iter().flat_map(lasting);
    processes.any(|process| process.image.name == image.name && process.health.is_some())
}
