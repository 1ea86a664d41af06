//! Names while an image is built: there is no cluster yet, so that every name is one that can't be.

use crate::plan::{Addressing, Member};

/// Ends the names. The domain is reserved, so that nothing has such a name (RFC 2606).
pub(super) const INVALID: &str = ".flokkr.invalid";

/// The names of services that are not there.
pub(super) struct Nowhere;

impl Addressing for Nowhere {
    fn service(&self, member: Member<'_>) -> String {
        format!("{}{INVALID}", member.service)
    }

    fn replica(&self, member: Member<'_>, index: u32) -> String {
        format!("{}-{index}{INVALID}", member.service)
    }
}
