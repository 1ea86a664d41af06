//! Writers that know a syntax and no domain. They can't fail: what they take is always writable.

pub mod dockerfile;
pub mod hcl;
pub mod yaml;
