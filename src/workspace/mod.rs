//! The only module that touches the file system of whoever types a command: reading blueprints, values and plugins, and
//! writing what is emitted.
//!
//! [`write`](write::write) writes a set of files so that a killed run leaves old or new ones, and
//! keeps the list of files that flokkr owns in a directory.
//! May fail with paths that can't be read or written, and with files that are not flokkr's.

mod archive;
mod ownership;
mod program;
mod read;
mod state;
mod text;
mod write;

pub use archive::place_archive;
pub use ownership::LIST;
pub use program::Programs;
pub use read::{Blueprint, FileLoader, Place, blueprint, found, is_blueprint, owned, place};
pub use state::{absolute, forget, kept, state};
pub use text::text;
pub use write::{Failure, Options, Outcome, create, write};
