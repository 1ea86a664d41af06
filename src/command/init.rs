//! `flokkr init`: writes a blueprint to start from, and the schema that its first line points an
//! editor to.

use super::{SAME, Session};
use crate::cli::Init;
use crate::library;
use crate::problem::{Problem, one_of};
use crate::workspace;

/// The first line of a library blueprint, and what stands there in a folder of its own.
const IN_LIBRARY: &str = "$schema=../blueprint.schema.json";
const BESIDE: &str = "$schema=./blueprint.schema.json";

pub(super) fn run(typed: &Init, session: &mut Session) -> Option<u8> {
    let Init { from, directory } = typed;
    let text = match from {
        None => library::STARTER.to_owned(),
        Some(name) => {
            if let Some(text) = library::blueprint(name) {
                text.replacen(IN_LIBRARY, BESIDE, 1)
            } else {
                session.problems.add(
                    Problem::error(
                        "no-blueprint",
                        format!("the library has no blueprint `{name}`"),
                    )
                    .label(format!("expected {}", one_of(library::blueprints())))
                    .nearest(name, library::blueprints()),
                );
                return None;
            }
        }
    };
    let path = directory.join("blueprint.yaml");
    if let Err(reason) = workspace::create(&path, &text) {
        return session.fail("not-written", reason);
    }
    let schema = directory.join("blueprint.schema.json");
    let written = workspace::create(&schema, &super::schema::of_blueprints()).is_ok();
    let also = if written {
        format!(" and {schema}, for your editor")
    } else {
        String::new()
    };
    session.say(&format!("wrote {path}{also}; now: flokkr check -f {path}"));
    Some(SAME)
}
