//! `build` sections: an image is built by one Compose service, and the others that run it find it
//! by its name.
//!
//! Compose builds once per service that has a section, so that N replicas would build N times. With
//! one section it knows that the image can be built, whichever service asks for it (checked with
//! 2.26.1). A service that is not there without a profile can't build for one that is. None of them
//! pulls: with the usual policy Compose asks a registry first, and would run what that has.

use std::collections::HashSet;

use super::lower::Lowering;
use crate::target::{Layout, image};

/// Gives each built image to a service, and keeps its check from steps and helpers, or says that nobody builds it.
pub(super) fn sections(lowering: &mut Lowering<'_>, layout: Layout) {
    for built in image::built(lowering.plan) {
        let project = &mut lowering.project;
        let owned: HashSet<&String> = project.owners.values().flatten().collect();
        let mut users: Vec<_> = project
            .services
            .iter_mut()
            .filter(|(_, service)| service.image == built.reference)
            .collect();
        // What the blueprint names comes before what is made beside it.
        users.sort_by_key(|(name, _)| !owned.contains(name));
        if users.is_empty() {
            continue;
        }
        if image::may_have_check(built, lowering.plan) {
            for (_, service) in &mut users {
                service.unchecked = service.healthcheck.is_none();
            }
        }
        if layout == Layout::Started {
            for (_, service) in users {
                service.unpulled = true;
            }
            continue;
        }
        let Some(folder) = &lowering.settings.build else {
            let span = built.build.as_ref().map_or(built.span, |build| build.span);
            let what = "no setting `build` says where the contexts are: the image must exist";
            lowering.account.lost("build", span, what);
            continue;
        };
        let folder = folder.value.trim_end_matches('/');
        let context = format!("{folder}/{}", image::folder(built));
        for (_, service) in &mut users {
            service.unpulled = true;
        }
        if let Some((_, always)) = users.iter_mut().find(|(_, s)| s.profiles.is_empty()) {
            always.build = Some(context);
            continue;
        }
        for (_, service) in users {
            service.build = Some(context.clone());
        }
    }
}
