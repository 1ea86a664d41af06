//! Names while an image is built: there is no cluster yet, so that every name is one that can't be.

use super::settings::Settings;
use crate::plan::{Addressing, Member};

/// Ends the names. The domain is reserved, so that nothing has such a name (RFC 2606).
pub(super) const NOWHERE: &str = ".flokkr.invalid";

impl Addressing for Settings {
    fn service(&self, member: Member<'_>) -> String {
        format!("{}{NOWHERE}", member.service)
    }

    fn replica(&self, member: Member<'_>, index: u32) -> String {
        format!("{}-{index}{NOWHERE}", member.service)
    }
}
