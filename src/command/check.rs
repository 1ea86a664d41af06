//! `flokkr check`: everything that `gen` does but the writing, for one target or all.

use super::{SAME, Session};
use crate::cli::Check;
use crate::target::{self, Layout};

pub(super) fn run(typed: &Check, session: &mut Session) -> Option<u8> {
    let Check { words, input } = typed;
    let is_target = |word: &str| word == "all" || target::find(word).is_ok();
    let (target, blueprint) = match words.as_slice() {
        [] => ("all", None),
        [one] if is_target(one) => (one.as_str(), None),
        [one] => ("all", Some(one.as_str())),
        [target, blueprint, ..] => (target.as_str(), Some(blueprint.as_str())),
    };
    if blueprint.is_some() && input.file.is_some() {
        return session.fail("usage", "name the blueprint once: with -f, or as a word");
    }
    session.targets(target)?;
    let loaded = session.cluster(blueprint, input)?;
    let files = session.emit(&loaded, target, Layout::Several)?;
    session.denied(input)?;
    session.say(&format!(
        "{}: good for {}, {} file{}",
        loaded.cluster.blueprint.name.value,
        if target == "all" {
            target::names().join(", ")
        } else {
            target.to_owned()
        },
        files.len(),
        if files.len() == 1 { "" } else { "s" }
    ));
    Some(SAME)
}
