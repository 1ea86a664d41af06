//! From an image to its Dockerfile: reads as the list of what a build says.

use super::archive::{self, Source};
use super::{check, health, labels, launcher, packages, user};
use crate::blueprint::{At, Build, Packager, Shell, User};
use crate::emit::dockerfile::Instruction;
use crate::plan::{Image, Plan};
use crate::problem::Problem;
use crate::target::Account;
use crate::target::image::lasting;

/// Root's ids.
const ROOT: &str = "0:0";

/// What is written for an image.
pub(super) struct Context {
    /// Its Dockerfile.
    pub(super) instructions: Vec<Instruction>,
    /// Its `.dockerignore`.
    pub(super) ignored: String,
}

/// Lowers an image that is built; `None` when a problem was reported.
pub(super) fn image(image: &Image, plan: &Plan, account: &mut Account) -> Option<Context> {
    let Image {
        name: _,
        span: _,
        reference: _,
        launcher: _,
        user,
        conf,
        shell: _,
        entrypoint: _,
        argv: _,
        owns,
        rewrites: _,
        root,
        build,
    } = image;
    let build = build.as_ref()?;
    let before = account.problems.errors();
    check::check(image, build, plan, account);
    let own: Vec<&str> = owns.iter().chain(conf).map(String::as_str).collect();
    check::plain_paths(image, build, &own, account);
    let packager = packager(build, account);
    if account.problems.errors() > before {
        return None;
    }
    let Build {
        base,
        packager: _,
        packages: _,
        archive,
        home,
        path,
        run,
        env,
        labels: _,
        launch: _,
        entrypoint: _,
        command,
        span: _,
    } = build;
    let home = home.as_ref().map(|h| h.value.0.as_str());
    let mut lines = vec![head(plan), Instruction::Blank];
    if let (Some(archive), Some(packager)) = (archive, packager) {
        lines.extend(archive::stage(&base.value, archive, packager));
    }
    lines.push(Instruction::From(base.value.clone(), "image".to_owned()));
    let mut changes = filesystem(image, build, packager, &own);
    changes.extend(runs(run, image.shell));
    changes.extend(launcher::copy(image));
    if !changes.is_empty() {
        // Whatever the base runs as, these are root's.
        lines.push(Instruction::User(ROOT.to_owned()));
        lines.extend(changes);
    }
    for (key, value) in env.iter() {
        let variable = Instruction::Env(key.value.to_string(), value.value.clone());
        lines.push(variable);
    }
    if !path.is_empty() {
        let directories = path.iter().map(|p| p.value.0.clone());
        lines.push(Instruction::Path(directories.collect()));
    }
    lines.extend(launcher::variables(image, &build.env));
    let labels = labels::labels(image, build);
    lines.extend(labels.into_iter().map(|(k, v)| Instruction::Label(k, v)));
    let ports = ports(image, plan);
    if !ports.is_empty() {
        lines.push(Instruction::Expose(ports));
    }
    if let Some(home) = home {
        lines.push(Instruction::Workdir(home.to_owned()));
    }
    lines.extend(process_user(*user, root.as_deref()));
    lines.extend(health::check(image, plan));
    let words = |words: &[At<String>]| words.iter().map(|w| w.value.clone()).collect();
    lines.extend(launcher::entrypoint(image));
    if let Some(command) = command {
        lines.push(Instruction::Cmd(words(command)));
    }
    check::too_long(&lines, build.span, account);
    Some(Context {
        instructions: lines,
        ignored: ignored(image, build),
    })
}

fn head(plan: &Plan) -> Instruction {
    Instruction::Comment(format!(
        "Made by flokkr from the blueprint {}: change that, not this file.",
        plan.name
    ))
}

/// The instructions that change files.
fn filesystem(
    image: &Image,
    build: &Build,
    packager: Option<Packager>,
    own: &[&str],
) -> Vec<Instruction> {
    let mut lines = Vec::new();
    let home = build.home.as_ref().map(|h| h.value.0.as_str());
    let names = packages::names(&build.packages);
    let mut first = Vec::new();
    if let Some(packager) = packager.filter(|_| !names.is_empty()) {
        lines.extend(packages::unpinned(packager, &names));
        first.extend(packages::install(packager, &names));
    }
    // Apart from the packages where something is copied between: images of the same base with the same
    // packages then share that layer.
    let mut last = Vec::new();
    let copy = build.archive.as_ref().and_then(archive::source);
    // An archive has the owners of whoever packed it.
    let mut owner = matches!(copy, Some(Source::Url(_) | Source::File(_))).then(|| ROOT.to_owned());
    if let Some(user) = image.user {
        last.extend(user::entries(image, user, home));
        let mut paths = own.to_vec();
        if copy.is_some() && paths.iter().any(|path| Some(*path) == home) {
            // Whose it is, is said while it is copied: a change of owner doubles the layer.
            owner = Some(user::ids(user));
            paths.retain(|path| Some(*path) != home);
        }
        paths.sort_unstable();
        paths.dedup();
        last.extend(user::directories(user, &paths));
    }
    let copy = copy.zip(home).map(|(source, home)| {
        let (from, source) = match source {
            Source::Directory(directory) => (None, format!("{directory}/")),
            Source::Url(_) | Source::File(_) => (
                Some(archive::STAGE.to_owned()),
                format!("{}/", archive::UNPACKED),
            ),
        };
        Instruction::Copy {
            from,
            owner,
            source,
            target: format!("{home}/"),
        }
    });
    let Some(copy) = copy else {
        first.extend(last);
        lines.extend((!first.is_empty()).then_some(Instruction::Run(first)));
        return lines;
    };
    lines.extend((!first.is_empty()).then_some(Instruction::Run(first)));
    lines.push(copy);
    lines.extend((!last.is_empty()).then_some(Instruction::Run(last)));
    lines
}

/// The user of the process, in numbers: a platform that asks for a user other than root can't tell
/// from a name.
fn process_user(user: Option<User>, root: Option<&str>) -> Vec<Instruction> {
    let user = user.unwrap_or(User { uid: 0, gid: None });
    let mut lines = Vec::new();
    if user.uid == 0 {
        let why = root.unwrap_or_default().split_whitespace();
        let why: Vec<&str> = why.collect();
        lines.push(Instruction::Comment(format!(
            "Root: {}\nhadolint ignore=DL3002",
            why.join(" ")
        )));
    }
    lines.push(Instruction::User(user::ids(user)));
    lines
}

/// The image's own commands, each in a layer as it was written. Where there is bash, a pipe fails
/// with any of its commands; the packages of the image may be what brought it.
fn runs(commands: &[At<String>], shell: Shell) -> Vec<Instruction> {
    let mut lines = Vec::new();
    let bash = shell == Shell::Bash && !commands.is_empty();
    let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect();
    if bash {
        let pipefail = ["/bin/bash", "-o", "pipefail", "-c"];
        lines.push(Instruction::Shell(words(&pipefail)));
    }
    for command in commands {
        lines.push(Instruction::Comment("hadolint ignore=DL3059".to_owned()));
        lines.push(Instruction::Run(vec![command.value.clone()]));
    }
    if bash {
        lines.push(Instruction::Shell(words(&["/bin/sh", "-c"])));
    }
    lines
}

/// Ports of the processes with this image, by number.
fn ports(image: &Image, plan: &Plan) -> Vec<String> {
    let mut ports = Vec::new();
    for service in &plan.services {
        let processes = lasting(service).enumerate();
        for (index, _) in processes.filter(|(_, c)| c.image.name == image.name) {
            let sidecar = index
                .checked_sub(1)
                .and_then(|i| service.sidecars.get(i))
                .map(|s| &s.container.name);
            let own = service
                .ports
                .iter()
                .filter(|p| p.sidecar.as_ref() == sidecar);
            ports.extend(own.map(|p| (p.number, p.protocol.word())));
        }
    }
    ports.sort_unstable();
    ports.dedup();
    let ports = ports
        .iter()
        .map(|(number, protocol)| format!("{number}/{protocol}"));
    ports.collect()
}

/// Everything but what is copied, so that nothing else is sent to the builder.
fn ignored(image: &Image, build: &Build) -> String {
    let path = build.archive.as_ref().and_then(|a| a.path.as_ref());
    let path = path.map(|path| path.value.trim_end_matches('/'));
    let launcher = image.launches().then_some(launcher::PROGRAM);
    let copied = path.into_iter().chain(launcher);
    let copied = copied.map(|name| format!("!{name}\n"));
    format!("*\n{}", copied.collect::<String>())
}

fn packager(build: &Build, account: &mut Account) -> Option<Packager> {
    let fetched = build.archive.as_ref().and_then(archive::source);
    let needed =
        !build.packages.is_empty() || matches!(fetched, Some(Source::Url(_) | Source::File(_)));
    let packager = packages::packager(build);
    if needed && packager.is_none() {
        account.problems.add(
            Problem::error("missing-key", "nothing says how packages are installed")
                .at(build.base.span)
                .label("the base's name does not tell")
                .help("say it beside `base`: packager: apt (or apk, dnf, microdnf)"),
        );
    }
    packager
}
