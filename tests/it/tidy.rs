//! What no linter knows: where things may stand in `src/`, and that nothing is left over.

use std::collections::BTreeSet;

use flokkr::target;

use crate::blueprints::{self, REFUSED, WARNINGS};
use crate::errors;
use crate::support::{emit_file, path, text, tree};

/// Files of Rust below `src/`, with their texts.
fn sources() -> Vec<(String, String)> {
    let files = tree("src")
        .into_iter()
        .filter(|f| f.strip_suffix(".rs").is_some());
    files
        .map(|f| (format!("src/{f}"), text(&format!("src/{f}"))))
        .collect()
}

/// A file without its comments; strings stay.
fn code(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '/' if rest.starts_with("//") => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            '"' => string(rest),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#\"") => raw_string(rest),
            '\'' => character(rest),
            c => c.len_utf8(),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// Bytes of the string that begins here.
fn string(text: &str) -> usize {
    let mut escaped = true;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn raw_string(text: &str) -> usize {
    let end = if text.starts_with("r#") { "\"#" } else { "\"" };
    let start = text.find('"').unwrap() + 1;
    text[start..]
        .find(end)
        .map_or(text.len(), |at| start + at + end.len())
}

/// Bytes of the character that begins here; of a lifetime, the quote.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    let first = chars.next().map(|(_, c)| c);
    if first == Some('\\') {
        return text[2..]
            .find('\'')
            .map_or(1, |at| if at == 0 { 4 } else { at + 3 });
    }
    chars
        .next()
        .filter(|(_, c)| *c == '\'')
        .map_or(1, |(at, _)| at + 1)
}

#[test]
fn code_is_told_from_comments() {
    let text = "a // b\n'\"' \"c // d \\\" e\" 'f '\\'' r#\"// g\"# h // i";
    assert_eq!(
        code(text),
        "a \n'\"' \"c // d \\\" e\" 'f '\\'' r#\"// g\"# h "
    );
}

#[test]
fn every_file_says_what_it_owns() {
    for (file, text) in sources() {
        assert!(text.starts_with("//! "), "{file} does not open with `//!`");
    }
}

/// Modules in the order of the list in `src/lib.rs`.
fn order() -> Vec<String> {
    let lines = text("src/lib.rs");
    let lines = lines.lines().filter(|l| l.starts_with("//! - [`"));
    let heads = lines.map(|l| l.split_once(':').map_or(l, |(head, _)| head).to_owned());
    heads
        .flat_map(|head| {
            let names = head.split("[`").skip(1);
            names
                .map(|n| n.split('`').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The first segments of all paths that begin with `crate::`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        let names = match part.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap().split(',').collect(),
            None => vec![part],
        };
        for name in names {
            let identifier = |c: char| c == '_' || c.is_ascii_alphanumeric();
            let name = name.trim_start();
            let end = name.find(|c| !identifier(c)).unwrap_or(name.len());
            found.insert(name[..end].to_owned());
        }
    }
    found
}

#[test]
fn a_stage_imports_only_those_before_it() {
    let order = order();
    let place = |module: &str| order.iter().position(|m| m == module);
    let mut seen = BTreeSet::new();
    for (file, text) in sources() {
        let module = file["src/".len()..]
            .split(['/', '.'])
            .next()
            .unwrap()
            .to_owned();
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let own = place(&module).unwrap_or_else(|| panic!("src/lib.rs does not list `{module}`"));
        for import in imports(&code(&text)) {
            let other = place(&import).unwrap_or_else(|| panic!("{file}: crate::{import}?"));
            assert!(
                other <= own,
                "{file} imports `{import}`, which comes after `{module}`"
            );
        }
        seen.insert(module);
    }
    assert_eq!(
        seen.len(),
        order.len(),
        "src/lib.rs lists a module that is not there"
    );
}

#[test]
fn no_target_imports_another() {
    for (file, text) in sources() {
        let Some(folder) = file
            .strip_prefix("src/target/")
            .and_then(|f| f.split_once('/'))
        else {
            continue;
        };
        for target in target::ALL.iter().filter(|t| t.name() != folder.0) {
            let path = format!("target::{}", target.name());
            assert!(!code(&text).contains(&path), "{file} imports {path}");
        }
    }
}

/// Other things of the same name: Nomad's driver, a variable.
const NAMESAKES: [(&str, &str); 4] = [
    ("src/target/nomad/emit.rs", "docker"),
    // The program that Compose is a part of.
    ("src/target/compose/local.rs", "docker"),
    // KUBERNETES_CONFIGMAP, a variable of the flokkr images.
    ("src/launch/settings.rs", "kubernetes"),
    // What Unicode does with a character and its marks.
    ("src/target/nomad/text.rs", "compose"),
];

/// Names of targets that are also words: of a product that other targets need, and of its file.
/// They are names where they are a string of their own.
const WORDS: [&str; 2] = ["docker", "dockerfile"];

/// A target's name stands in the code of its own folder, in the list of targets, and in the
/// examples of `src/cli.rs`. Comments may name one, and so may the examples of the language, which
/// are documentation: the last string of a field's line in `src/blueprint/`.
#[test]
fn targets_are_named_only_at_home() {
    for (file, text) in sources() {
        let mut code = code(&text);
        if file.starts_with("src/blueprint/") {
            let lines = code.lines().map(|line| {
                let is_field = line.trim_start().starts_with("pub ") && line.ends_with("\";");
                let example = line.rfind("\", \"").filter(|_| is_field);
                example.map_or(line, |at| &line[..at])
            });
            code = lines.collect::<Vec<_>>().join("\n");
        }
        if matches!(file.as_str(), "src/target/mod.rs" | "src/cli.rs") {
            continue;
        }
        let word = |c: char| c == '-' || c.is_ascii_alphanumeric();
        let words: BTreeSet<String> = code
            .split(|c| !word(c))
            .map(str::to_ascii_lowercase)
            .collect();
        for target in target::ALL {
            let home = format!("src/target/{}/", target.name());
            let names = [target.name()]
                .into_iter()
                .chain(target.aliases().iter().copied());
            for name in names.filter(|_| !file.starts_with(&home)) {
                let named = if WORDS.contains(&name) {
                    code.contains(&format!("\"{name}\""))
                } else {
                    words.contains(name)
                };
                let namesake = NAMESAKES.contains(&(file.as_str(), name));
                assert!(!named || namesake, "{file} names the target `{name}`");
            }
        }
    }
}

/// What only some files may use.
const OWNERS: &[(&str, &[&str])] = &[
    (
        "std::fs",
        &[
            "src/launch/machine/",
            "src/workspace/",
            "src/machine.rs",
            "src/library/build.rs",
        ],
    ),
    ("tempfile", &["src/launch/machine/", "src/workspace/"]),
    (".exists()", &["src/launch/machine/", "src/workspace/"]),
    (
        ".is_dir()",
        &[
            "src/launch/machine/",
            "src/workspace/",
            "src/library/build.rs",
        ],
    ),
    (
        ".is_file()",
        &[
            "src/launch/machine/",
            "src/workspace/",
            "src/library/build.rs",
        ],
    ),
    (
        "std::env",
        &[
            "src/launch/machine/",
            "src/main.rs",
            "src/workspace/program.rs",
            "src/workspace/state.rs",
            "src/library/build.rs",
        ],
    ),
    ("minijinja", &["src/template/"]),
    ("granit_parser", &["src/yaml/"]),
    ("serde_yaml", &["src/diff/"]),
    ("clap", &["src/cli.rs", "src/command/", "src/main.rs"]),
    ("anstream", &["src/command/"]),
    ("similar", &["src/diff/"]),
    ("annotate_snippets", &["src/problem/"]),
    (
        "unicode_normalization",
        &["src/emit/hcl.rs", "src/target/nomad/"],
    ),
    ("unicode_segmentation", &["src/emit/hcl.rs"]),
    ("println!", &["src/library/build.rs"]),
    ("TcpStream", &["src/launch/machine/"]),
    (
        "std::process::Command",
        &["src/launch/machine/", "src/machine.rs"],
    ),
    ("rustix", &["src/launch/machine/"]),
    ("signal_hook", &["src/launch/machine/"]),
    ("ureq", &["src/launch/machine/"]),
    ("flate2", &["src/launch/machine/"]),
    ("tar", &["src/launch/machine/"]),
];

#[test]
fn each_crate_has_one_owner() {
    for (file, text) in sources() {
        let code = code(&text);
        for &(what, owners) in OWNERS {
            let allowed = owners.iter().any(|o| file.starts_with(o));
            let path = what.chars().all(|c| c == '_' || c.is_ascii_lowercase());
            let used = if path {
                code.contains(&format!("{what}::"))
            } else {
                code.contains(what)
            };
            assert!(
                allowed || !used,
                "{file} uses {what}, which is left to {owners:?}"
            );
        }
    }
}

#[test]
fn every_snapshot_has_a_case() {
    let mut wanted = BTreeSet::new();
    for (folder, name) in blueprints::cases() {
        for target in target::ALL {
            let place = format!("{name}/{}", target.name());
            let case = format!("{folder}/{name}");
            let without = blueprints::without(&case, *target);
            let mut emitted = emit_file(&format!("{case}/blueprint.yaml"), *target);
            let refused = emitted.files.is_none();
            let has_without = path(&without).is_file();
            assert!(refused || !has_without, "{without} takes away nothing");
            if refused {
                wanted.insert(format!("{place}/{REFUSED}"));
                if !has_without {
                    continue;
                }
                emitted = emit_file(&without, *target);
            }
            let files = emitted.files.unwrap_or_default();
            wanted.extend(files.iter().map(|f| format!("{place}/{}", f.path)));
            if !emitted.said.is_empty() {
                wanted.insert(format!("{place}/{WARNINGS}"));
            }
        }
    }
    wanted.extend(
        errors::cases()
            .into_iter()
            .map(|case| format!("errors/{case}")),
    );
    let commands = text("tests/it/cli.rs");
    let launches = text("tests/it/launch.rs");
    for file in tree("snapshots") {
        if file.strip_suffix(".snap.new").is_some() {
            continue; // not reviewed yet
        }
        let name = file
            .strip_suffix(".snap")
            .unwrap_or_else(|| panic!("{file} is no snapshot"));
        let known = match name.split_once('/') {
            Some(("cli", shown)) => {
                shown.starts_with("help-") || commands.contains(&format!("\"{shown}\""))
            }
            Some(("launch", shown)) => launches.contains(&format!("\"{shown}\"")),
            _ => wanted.remove(name),
        };
        assert!(known, "nothing makes snapshots/{file}: remove it");
    }
    assert!(wanted.is_empty(), "no snapshot of {wanted:?}");
}

#[test]
fn every_input_of_an_error_is_a_case() {
    for file in tree("tests/errors") {
        let known = file.strip_suffix(".yaml").is_some()
            || file
                .strip_suffix(".args")
                .is_some_and(|c| errors::cases().iter().any(|n| n == c));
        assert!(known, "nothing reads tests/errors/{file}");
    }
}

/// What `tests/conformance/mutants` breaks is there to be broken: each mutant has a name and a target of
/// its own, and its text stands once in its file.
#[test]
fn every_mutant_fits_the_sources() {
    let mut names = BTreeSet::new();
    let mut failures = Vec::new();
    for list in tree("tests/conformance/mutants.d") {
        let all = text(&format!("tests/conformance/mutants.d/{list}"));
        for mutant in all.split("\n\n") {
            let lines: Vec<_> = mutant.lines().filter(|l| !l.starts_with('#')).collect();
            let [head, place, changes @ ..] = lines.as_slice() else {
                continue;
            };
            let name = head.split_once(": ").unwrap().0;
            let (file, _) = place[3..].split_once(": ").unwrap();
            let taken = changes.iter().filter_map(|line| line.strip_prefix("- "));
            let taken = taken.collect::<Vec<_>>().join("\n");
            let found = text(file).matches(&taken).count();
            if taken.is_empty() || found != 1 {
                failures.push(format!("{name}: its text is {found} times in {file}"));
            }
            if !names.insert(name.to_owned()) {
                failures.push(format!("two mutants are called {name}"));
            }
        }
    }
    assert!(names.len() > 100, "{} mutants", names.len());
    assert_eq!(failures, Vec::<String>::new());
}
