//! What an image and its build must be, so that a Dockerfile can say it.

use std::sync::Arc;

use crate::blueprint::{At, Build, ContainerPath, Shell};
use crate::emit::dockerfile::{self, Instruction};
use crate::plan::{Image, MAX_VARIABLE, Plan, shell};
use crate::problem::{Problem, Span};
use crate::target::{Account, image};

/// Checks what can be told before anything is written.
pub(super) fn check(image: &Image, build: &Build, plan: &Plan, account: &mut Account) {
    name(image, plan, account);
    if image.shell == Shell::None {
        account.problems.add(
            Problem::error("unsupported", "an image is built by commands of its shell")
                .at(image.span)
                .label("it says shell: none"),
        );
    }
    let is_root = image.user.is_none_or(|u| u.uid == 0);
    if is_root && image.root.is_none() {
        account.problems.add(
            Problem::error(
                "missing-key",
                format!("nothing says who the process of image `{}` is", image.name),
            )
            .at(image.span)
            .label("expected `user` other than root, such as user: \"1000:1000\"")
            .help("if it has to be root, say why: root: ..."),
        );
    }
    for (key, value) in build.env.iter() {
        pair(Instruction::Env, key, value, account);
    }
    for (key, value) in build.labels.iter() {
        pair(Instruction::Label, key, value, account);
    }
    let shell = shell::of_entrypoint(image.entrypoint);
    for (key, _) in build
        .env
        .iter()
        .filter(|(key, _)| !shell::hands_on(shell, &key.value))
    {
        account.problems.add(
            Problem::error(
                "corrupted",
                format!("the variable `{}` would not arrive", key.value),
            )
            .at(key.span)
            .label(format!(
                "the image's entrypoint is run by {}",
                shell::why(shell, &key.value)
            )),
        );
    }
    for command in &build.run {
        shell_line(command, account);
    }
}

/// A variable or a label that no line can hold.
fn pair(
    instruction: fn(String, String) -> Instruction,
    key: &At<Arc<str>>,
    value: &At<String>,
    account: &mut Account,
) {
    let line = instruction(key.value.to_string(), value.value.clone());
    let help = match line {
        Instruction::Env(..) => "give it to the services instead, under their `env`",
        _ => "a label is for a few words; a longer text can be a file of the image",
    };
    let mut lines = [(&*key.value, key.span), (&value.value, value.span)].into_iter();
    if let Some((_, span)) = lines.find(|(text, _)| !dockerfile::writable(text)) {
        account.problems.add(
            Problem::error(
                "unsupported",
                "a line end can't stand in an image's variables and labels",
            )
            .at(span)
            .label("a Dockerfile has no way to write one there")
            .help(help),
        );
        return;
    }
    let size = key.value.len() + value.value.len() + "=\0".len();
    if matches!(line, Instruction::Env(..)) && size > MAX_VARIABLE {
        account.problems.add(
            Problem::error(
                "too-large",
                format!("the variable `{}` has {size} bytes", key.value),
            )
            .at(value.span)
            .label(format!(
                "Linux takes {MAX_VARIABLE} bytes of name, `=`, value and end"
            ))
            .help("put it into a file of the image"),
        );
    }
}

/// The name is a folder, a target of the bake file and a user's name.
fn name(image: &Image, plan: &Plan, account: &mut Account) {
    let name = &*image.name;
    let good = name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good {
        account.problems.add(
            Problem::error(
                "invalid-name",
                format!("`{name}` can't be the name of an image that is built"),
            )
            .at(image.span)
            .label("expected lower-case letters, digits and dashes, a letter first, at most 32"),
        );
    }
    let mut others = image::built(plan).take_while(|other| other.name != image.name);
    if let Some(other) = others.find(|other| other.reference == image.reference) {
        account.problems.add(
            Problem::error(
                "duplicate-name",
                format!("two images that are built are called {}", image.reference),
            )
            .at(image.span)
            .label("expected another `ref`")
            .related(other.span, "the first one"),
        );
    }
}

/// Paths stand in instructions and in commands; what one of both would take for its own is refused.
pub(super) fn plain_paths(image: &Image, build: &Build, own: &[&str], account: &mut Account) {
    let declared = build.home.iter().chain(&build.path);
    let declared = declared.map(
        |At {
             value: ContainerPath(path),
             span,
         }| (path.as_str(), *span),
    );
    let own = own.iter().map(|path| (*path, image.span));
    for (path, span) in declared.chain(own) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._+@-".contains(c);
        if path == "/" || !path.chars().all(plain) {
            account.problems.add(
                Problem::error("unsupported", format!("`{path}` can't be made in an image"))
                    .at(span)
                    .label("expected a directory below /, of letters, digits and `._+@-`"),
            );
        }
    }
}

/// A line that a builder would not give to the shell as it is.
fn shell_line(command: &At<String>, account: &mut Account) {
    let text = command.value.trim();
    let reason = match text {
        "" => "there is nothing in it",
        t if t.contains('\n') => "it has a line end",
        t if t.ends_with('\\') => "it ends in a backslash, which would take the next line in",
        t if t.starts_with('[') => "it would be taken for a list of words",
        t if t.starts_with("--") => "it would be taken for an option of RUN",
        t if t.contains("<<") => "it would be taken for a here-document",
        _ => return,
    };
    account.problems.add(
        Problem::error("unsupported", "RUN can't hold this command")
            .at(command.span)
            .label(reason),
    );
}

/// What is left of lines that a builder would not read.
pub(super) fn too_long(lines: &[Instruction], span: Span, account: &mut Account) {
    let texts: Vec<String> = lines
        .iter()
        .filter(|line| !matches!(line, Instruction::Env(..) | Instruction::Label(..)))
        .map(dockerfile::line)
        .collect();
    let longest = texts.iter().flat_map(|t| t.lines()).map(str::len).max();
    if let Some(length) = longest.filter(|length| *length > dockerfile::LONGEST) {
        account.problems.add(
            Problem::error(
                "too-large",
                format!("the image has a line of {length} bytes"),
            )
            .at(span)
            .label(format!("a builder reads {} bytes", dockerfile::LONGEST)),
        );
    }
}
