//! From the model to text: one file per job, its blocks in the order in which Nomad's own documents
//! have them.

use super::model::{
    Check, Config, Constraint, Endpoint, Env, Group, Job, JobKind, Mount, Network, Port, Probe,
    Resources, Restart, Service, Task, Template, Text, Update,
};
use super::patch;
use super::settings::Settings;
use super::share::{self, Locals};
use crate::emit::hcl::{self, Body, Expr, Piece};
use crate::plan::Plan;
use crate::problem::Problems;
use crate::target::memory;
use crate::target::probe::duration;

/// The whole file of a job.
pub(super) fn document(
    job: &Job,
    plan: &Plan,
    settings: &Settings,
    problems: &mut Problems,
) -> String {
    let locals = share::locals(job);
    let mut body = Body::default();
    if !locals.groups.is_empty() {
        let mut block = Body::default();
        for (name, variables) in &locals.groups {
            block.set(name, variables_of(variables));
        }
        body.block("locals", &[], block);
    }
    let mut inside = job_body(job, &locals, settings);
    let patches = [settings.patch.as_ref().map(|p| &p.0), job.patch.as_ref()];
    for node in patches.into_iter().flatten() {
        patch::apply(&mut inside, node, problems);
    }
    body.block("job", &[&job.id], inside);
    let mut comment = format!(
        "Made by flokkr from the blueprint {}: change that, not this file.",
        plan.name
    );
    if let Some(description) = job.description.as_ref().or(plan.description.as_ref()) {
        let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
        comment = format!("{line}\n{comment}");
    }
    hcl::document(&comment, &body)
}

fn text(text: &Text) -> Expr {
    Expr::Text(text.clone())
}

fn set(body: &mut Body, name: &str, value: Option<&Text>) {
    if let Some(value) = value {
        body.set(name, text(value));
    }
}

fn set_plain(body: &mut Body, name: &str, value: Option<impl Into<String>>) {
    if let Some(value) = value {
        body.set(name, Expr::text(value));
    }
}

fn time(millis: u64) -> Expr {
    Expr::text(duration(millis))
}

fn variables_of(variables: &[&Env]) -> Expr {
    let pairs = variables
        .iter()
        .map(|e| (e.name.to_string(), text(&e.value)));
    Expr::Object(pairs.collect())
}

fn job_body(job: &Job, locals: &Locals<'_>, settings: &Settings) -> Body {
    let Job {
        name,
        id: _,
        kind,
        description: _,
        meta,
        update,
        group,
        patch: _,
        profiles: _,
    } = job;
    let mut body = Body::default();
    set_plain(
        &mut body,
        "region",
        settings.region.as_ref().map(|r| &*r.value),
    );
    set_plain(
        &mut body,
        "namespace",
        settings.namespace.as_ref().map(|n| &*n.value),
    );
    if !settings.datacenters.is_empty() {
        let names = settings.datacenters.iter().map(|d| &*d.value);
        body.set("datacenters", Expr::texts(names));
    }
    set_plain(
        &mut body,
        "node_pool",
        settings.node_pool.as_ref().map(|n| &*n.value),
    );
    body.set("type", Expr::text(kind.word()));
    if let Some(priority) = settings.priority {
        body.set("priority", Expr::number(priority.value));
    }
    if !meta.is_empty() {
        body.comment("what can't stand in a text itself: see ${NOMAD_META_...} below");
        let mut pairs = Body::default();
        for meta in meta {
            pairs.set(meta.key(), Expr::text(meta.value()));
        }
        body.block("meta", &[], pairs);
    }
    if let Some(update) = update {
        body.block("update", &[], update_body(update));
    }
    body.block("group", &[name], group_body(group, *kind, locals));
    body
}

fn update_body(update: &Update) -> Body {
    let Update {
        checks,
        healthy_deadline,
    } = update;
    let mut body = Body::default();
    body.set("max_parallel", Expr::number(1u64));
    let health = if *checks { "checks" } else { "task_states" };
    body.set("health_check", Expr::text(health));
    body.set("min_healthy_time", Expr::text("10s"));
    body.set("healthy_deadline", time(*healthy_deadline));
    body.set("progress_deadline", time(healthy_deadline + 300_000));
    body
}

fn group_body(group: &Group, kind: JobKind, locals: &Locals<'_>) -> Body {
    let Group {
        count,
        constraints,
        affinities,
        spread,
        restart,
        stays,
        disk,
        network,
        services,
        tasks,
    } = group;
    let mut body = Body::default();
    if let Some(count) = count {
        body.set("count", Expr::number(*count));
    }
    for constraint in constraints {
        body.block("constraint", &[], constraint_body(constraint));
    }
    for affinity in affinities {
        body.block("affinity", &[], constraint_body(affinity));
    }
    if let Some(attribute) = spread {
        let mut inside = Body::default();
        inside.set("attribute", Expr::Text(vec![Piece::reference(*attribute)]));
        body.block("spread", &[], inside);
    }
    restart_body(*restart, kind, *stays, &mut body);
    if let Some(size) = disk {
        let mut inside = Body::default();
        inside.set("size", Expr::number(*size));
        body.block("ephemeral_disk", &[], inside);
    }
    let network = network_body(network);
    if !network.is_empty() {
        body.block("network", &[], network);
    }
    for service in services {
        service_block(service, &mut body);
    }
    for task in tasks {
        if let Some(comment) = task.comment {
            body.comment(comment);
        }
        body.block("task", &[&task.name], task_body(task, locals));
    }
    body
}

fn constraint_body(constraint: &Constraint) -> Body {
    let Constraint {
        attribute,
        operator,
        value,
    } = constraint;
    let mut body = Body::default();
    set(&mut body, "attribute", attribute.as_ref());
    set_plain(&mut body, "operator", *operator);
    body.set("value", text(value));
    body
}

fn restart_body(restart: Restart, kind: JobKind, stays: bool, body: &mut Body) {
    let mut inside = Body::default();
    match restart {
        Restart::Always => {
            inside.set("attempts", Expr::number(10u64));
            inside.set("interval", Expr::text("5m"));
            inside.set("delay", Expr::text("5s"));
            inside.set("mode", Expr::text("delay"));
        }
        Restart::Some => {
            inside.set("attempts", Expr::number(3u64));
            inside.set("interval", Expr::text("24h"));
            inside.set("delay", Expr::text("15s"));
            inside.set("mode", Expr::text("fail"));
        }
        Restart::Never => {
            inside.set("attempts", Expr::number(0u64));
            inside.set("mode", Expr::text("fail"));
        }
    }
    body.block("restart", &[], inside);
    let never = restart == Restart::Never;
    if kind != JobKind::System && (stays || never) {
        if stays && !never {
            body.comment("its data is on its node");
        }
        let mut inside = Body::default();
        inside.set("attempts", Expr::number(0u64));
        inside.set("unlimited", Expr::bool(false));
        body.block("reschedule", &[], inside);
    }
}

fn network_body(network: &Network) -> Body {
    let Network {
        mode,
        hostname,
        dns,
        ports,
    } = network;
    let mut body = Body::default();
    set_plain(&mut body, "mode", *mode);
    set(&mut body, "hostname", hostname.as_ref());
    if let Some(dns) = dns {
        let mut inside = Body::default();
        inside.set("servers", Expr::texts([dns]));
        body.block("dns", &[], inside);
    }
    for port in ports {
        let Port { label, fixed, to } = port;
        let mut inside = Body::default();
        if let Some(fixed) = fixed {
            inside.set("static", Expr::number(*fixed));
        }
        if let Some(to) = to {
            inside.set("to", Expr::number(*to));
        }
        body.block("port", &[label], inside);
    }
    body
}

fn endpoint(endpoint: &Endpoint) -> Expr {
    match endpoint {
        Endpoint::Label(label) => Expr::text(label),
        Endpoint::Number(number) => Expr::number(*number),
    }
}

fn service_block(service: &Service, body: &mut Body) {
    let Service {
        comment,
        name,
        task,
        native,
        port,
        of_allocation,
        checks,
    } = service;
    let mut inside = Body::default();
    inside.set("name", text(name));
    set_plain(&mut inside, "task", task.as_ref());
    set_plain(&mut inside, "provider", native.then_some("nomad"));
    if let Some(port) = port {
        inside.set("port", endpoint(port));
    }
    set_plain(
        &mut inside,
        "address_mode",
        of_allocation.then_some("alloc"),
    );
    for check in checks {
        inside.block("check", &[], check_body(check, *of_allocation));
    }
    if let Some(comment) = comment {
        body.comment(*comment);
    }
    body.block("service", &[], inside);
}

fn check_body(check: &Check, of_allocation: bool) -> Body {
    let Check {
        name,
        probe,
        interval,
        timeout,
        restart,
    } = check;
    let mut body = Body::default();
    body.set("name", Expr::text(*name));
    let at = |body: &mut Body, port: &Endpoint| {
        body.set("port", endpoint(port));
        set_plain(body, "address_mode", of_allocation.then_some("alloc"));
    };
    match probe {
        Probe::Tcp(port) => {
            body.set("type", Expr::text("tcp"));
            at(&mut body, port);
        }
        Probe::Http(port, path) => {
            body.set("type", Expr::text("http"));
            at(&mut body, port);
            body.set("path", text(path));
        }
        Probe::Script(words) => {
            body.set("type", Expr::text("script"));
            if let [first, rest @ ..] = words.as_slice() {
                body.set("command", text(first));
                if !rest.is_empty() {
                    body.set("args", Expr::List(rest.iter().map(text).collect()));
                }
            }
        }
    }
    body.set("interval", time(*interval));
    body.set("timeout", time(*timeout));
    if let Some((limit, grace)) = restart {
        let mut inside = Body::default();
        inside.set("limit", Expr::number(*limit));
        inside.set("grace", time(*grace));
        body.block("check_restart", &[], inside);
    }
    body
}

fn task_body(task: &Task, locals: &Locals<'_>) -> Body {
    let Task {
        name,
        comment: _,
        lifecycle,
        user,
        config,
        env: _,
        templates,
        services,
        resources,
        kill_timeout,
        kill_signal,
        vault,
    } = task;
    let mut body = Body::default();
    body.set("driver", Expr::text("docker"));
    set_plain(&mut body, "user", user.as_ref());
    if let Some(grace) = kill_timeout {
        body.set("kill_timeout", time(*grace));
    }
    set_plain(&mut body, "kill_signal", kill_signal.as_ref());
    if let Some((hook, sidecar)) = lifecycle {
        let mut inside = Body::default();
        inside.set("hook", Expr::text(*hook));
        inside.set("sidecar", Expr::bool(*sidecar));
        body.block("lifecycle", &[], inside);
    }
    body.block("config", &[], config_body(config));
    if let Some(env) = environment(name, locals) {
        body.set("env", env);
    }
    if *vault {
        body.block("vault", &[], Body::default());
    }
    for template in templates {
        body.block("template", &[], template_body(template));
    }
    for service in services {
        service_block(service, &mut body);
    }
    body.block("resources", &[], resources_body(*resources));
    body
}

/// Shared parts merged, the rest written out.
fn environment(task: &str, locals: &Locals<'_>) -> Option<Expr> {
    let (merged, own) = locals.tasks.get(task)?;
    let mut parts: Vec<Expr> = merged
        .iter()
        .filter_map(|at| locals.groups.get(*at))
        .map(|(name, _)| Expr::Plain(format!("local.{name}")))
        .collect();
    if !own.is_empty() {
        parts.push(variables_of(own));
    }
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Expr::Call("merge", parts)),
    }
}

fn config_body(config: &Config) -> Body {
    let Config {
        image,
        entrypoint,
        command,
        args,
        work_dir,
        network_mode,
        aliases,
        hostname,
        dns,
        ports,
        pid_mode,
        volumes,
        mounts,
        labels,
    } = config;
    let mut body = Body::default();
    body.set("image", text(image));
    if let Some(entrypoint) = entrypoint {
        body.set("entrypoint", entrypoint.clone());
    }
    set(&mut body, "command", command.as_ref());
    if let Some(args) = args {
        body.set("args", args.clone());
    }
    body.set("init", Expr::bool(true));
    set(&mut body, "work_dir", work_dir.as_ref());
    set(&mut body, "network_mode", network_mode.as_ref());
    set(&mut body, "hostname", hostname.as_ref());
    if !aliases.is_empty() {
        let aliases = aliases.iter().map(text);
        body.set("network_aliases", Expr::List(aliases.collect()));
    }
    if let Some(dns) = dns {
        body.set("dns_servers", Expr::texts([dns]));
    }
    if !ports.is_empty() {
        body.set("ports", Expr::texts(ports));
    }
    set(&mut body, "pid_mode", pid_mode.as_ref());
    if !volumes.is_empty() {
        let volumes = volumes.iter().map(text);
        body.set("volumes", Expr::List(volumes.collect()));
    }
    if !labels.is_empty() {
        let pairs = labels.iter().map(|(key, value)| (key.clone(), text(value)));
        body.set("labels", Expr::List(vec![Expr::Object(pairs.collect())]));
    }
    for mount in mounts {
        body.block("mount", &[], mount_body(mount));
    }
    body
}

fn mount_body(mount: &Mount) -> Body {
    let Mount {
        kind,
        source,
        target,
        readonly,
        size,
        driver,
    } = mount;
    let mut body = Body::default();
    body.set("type", Expr::text(*kind));
    set(&mut body, "source", source.as_ref());
    body.set("target", text(target));
    if *readonly {
        body.set("readonly", Expr::bool(true));
    }
    if *kind == "tmpfs" {
        let mut inside = Body::default();
        if let Some(size) = size {
            inside.set("size", Expr::number(*size));
        }
        inside.set("mode", Expr::number(memory::MODE));
        body.block("tmpfs_options", &[], inside);
    }
    if let Some(driver) = driver {
        let mut config = Body::default();
        config.set("name", text(driver));
        let mut inside = Body::default();
        inside.block("driver_config", &[], config);
        body.block("volume_options", &[], inside);
    }
    body
}

fn template_body(template: &Template) -> Body {
    let Template {
        destination,
        data,
        delimiters,
        env,
        perms,
        owner,
        noop,
    } = template;
    let mut body = Body::default();
    body.set("destination", Expr::text(destination));
    if *env {
        body.set("env", Expr::bool(true));
    }
    set_plain(&mut body, "perms", perms.as_ref());
    if let Some(owner) = owner {
        body.set("uid", Expr::number(owner.uid));
        if let Some(gid) = owner.gid {
            body.set("gid", Expr::number(gid));
        }
    }
    set_plain(&mut body, "change_mode", noop.then_some("noop"));
    if let Some((left, right)) = delimiters {
        body.set("left_delimiter", Expr::text(*left));
        body.set("right_delimiter", Expr::text(*right));
    }
    let data = if hcl::is_heredoc(data) {
        Expr::Lines(data.clone())
    } else {
        Expr::text(data)
    };
    body.set("data", data);
    body
}

fn resources_body(resources: Resources) -> Body {
    let Resources {
        cpu,
        memory,
        memory_max,
    } = resources;
    let mut body = Body::default();
    body.set("cpu", Expr::number(cpu));
    body.set("memory", Expr::number(memory));
    if let Some(most) = memory_max {
        body.set("memory_max", Expr::number(most));
    }
    body
}
