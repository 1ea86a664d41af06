//! Build script: embeds every library blueprint and plugin, so that a new one is a YAML file and
//! no Rust.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("blueprints");
    println!("cargo:rerun-if-changed={}", root.display());
    println!("cargo:rerun-if-changed=src/library/build.rs");
    let mut blueprints = Vec::new();
    let mut plugins = Vec::new();
    for path in entries(&root) {
        let file = path.join("blueprint.yaml");
        if file.is_file() {
            blueprints.push((name(&path), file));
        }
    }
    for path in entries(&root.join("plugins")) {
        if path.extension().is_some_and(|e| e == "yaml") {
            plugins.push((name(&path), path));
        }
    }
    let code = format!(
        "{}{}",
        table("BLUEPRINTS", "Library blueprints by name.", &blueprints),
        table("PLUGINS", "Library plugins by name.", &plugins)
    );
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("embedded.rs");
    if let Err(error) = fs::write(&out, code) {
        println!("cargo:warning=can't write {}: {error}", out.display());
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn table(constant: &str, doc: &str, files: &[(String, PathBuf)]) -> String {
    let mut code = format!("/// {doc}\npub(super) const {constant}: &[(&str, &str)] = &[\n");
    for (name, path) in files {
        let _ = writeln!(
            code,
            "    ({name:?}, include_str!({:?})),",
            path.display().to_string()
        );
    }
    code.push_str("];\n");
    code
}
