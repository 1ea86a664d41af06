//! flokkr itself as the entrypoint of an image.
//!
//! It comes last of what is copied: another version of it leaves the layers of the product as they
//! are. `docs/launch.md` has the variables.

use crate::blueprint::{At, Map};
use crate::emit::dockerfile::Instruction;
use crate::env::Dialect;
use crate::plan::Image;

/// The name of the program in a context.
pub(super) const PROGRAM: &str = "flokkr";

/// Copies it.
pub(super) fn copy(image: &Image) -> Option<Instruction> {
    image.launches().then(|| Instruction::Copy {
        from: None,
        owner: None,
        source: PROGRAM.to_owned(),
        target: Image::LAUNCHER.to_owned(),
    })
}

/// What it must know of the image, unless the image's own variables say it.
pub(super) fn variables(image: &Image, env: &Map<At<String>>) -> Vec<Instruction> {
    if !image.launches() {
        return Vec::new();
    }
    let dialect = (image.launcher != Dialect::Launch)
        .then(|| ("FLOKKR_DIALECT", image.launcher.name().to_owned()));
    let conf = image.conf.clone().map(|conf| ("FLOKKR_CONF_DIR", conf));
    let given = |name: &str| env.iter().any(|(key, _)| &*key.value == name);
    [dialect, conf]
        .into_iter()
        .flatten()
        .filter(|(name, _)| !given(name))
        .map(|(name, value)| Instruction::Env(name.to_owned(), value))
        .collect()
}

/// What starts a process.
pub(super) fn entrypoint(image: &Image) -> Option<Instruction> {
    image.built_entrypoint().map(Instruction::Entrypoint)
}
