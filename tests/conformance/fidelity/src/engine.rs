//! A real engine: what the files say is built and started, and the processes themselves say what they
//! got. They are those of an image with nothing but the witness in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What an engine says about the files of a batch: by what was built with, lines as the program
/// around the platform's code writes them.
pub type Said = Vec<(&'static str, Vec<Value>)>;

/// Runs the files of a folder, with the image that all are of.
pub type Run = fn(&str, &Path) -> Result<Said, String>;

/// A container that says nothing for so long never will. The first check comes after 5 s.
const PATIENCE: Duration = Duration::from_secs(180);

/// The names that an engine gives every process, unless it is given them; those of the API server are for
/// each pod.
pub const OWN_VARIABLES: [&str; 11] = [
    "PATH",
    "HOME",
    "HOSTNAME",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "KUBERNETES_SERVICE_PORT_HTTPS",
    "KUBERNETES_PORT",
    "KUBERNETES_PORT_443_TCP",
    "KUBERNETES_PORT_443_TCP_PROTO",
    "KUBERNETES_PORT_443_TCP_PORT",
    "KUBERNETES_PORT_443_TCP_ADDR",
];

/// What the names begin with of the variables by which Nomad tells a task what it is.
pub const NOMADS_VARIABLES: &str = "NOMAD_";

/// What the names begin with of the labels by which Docker Compose, and Nomad, know their containers.
pub const OWN_LABELS: [&str; 2] = ["com.docker.compose.", "com.hashicorp.nomad."];

/// Labels by which the controllers know their pods.
const OWN_OF_CONTROLLERS: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

/// The namespace of each batch, which is its name.
const NAMESPACE: &str = "--namespace=bytes";

/// A line of the witness.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Seen {
    words: Vec<String>,
    environment: Vec<String>,
    files: Map<String, Value>,
    check: Vec<String>,
}

/// Their ids follow.
const REMOVE_IMAGES: [&str; 2] = ["rmi", "--force"];

/// The words that remove what is left, however that comes.
struct Leftover(Vec<String>);

/// The namespace goes with all that is in it.
struct Namespace;

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(wrong) = kubectl(&["delete", "namespace", "bytes", "--ignore-not-found"]) {
            eprintln!("left over: {wrong}");
        }
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        let mut wrong = String::new();
        // Nothing was built.
        if words == REMOVE_IMAGES {
            return;
        }
        // A network may be in use for a moment after the last container of it is gone.
        for _ in 0..10 {
            match docker(&words) {
                Ok(_) => return,
                Err(said) => wrong = said,
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        eprintln!("left over: {wrong}");
    }
}

/// Docker Compose starts the containers of a folder, whose image is the witness.
pub fn compose(witness: &str, folder: &Path) -> Result<Said, String> {
    let project: String = witness
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let file = folder.join("compose.yaml").display().to_string();
    let down = "compose -p PROJECT -f FILE down --volumes --remove-orphans --timeout 1";
    let words = down.split(' ').map(|word| match word {
        "PROJECT" => project.clone(),
        "FILE" => file.clone(),
        word => word.to_owned(),
    });
    let leftover = Leftover(words.collect());
    docker(&["compose", "-p", &project, "-f", &file, "up", "--detach"])?;
    let label = format!("label=com.docker.compose.project={project}");
    let found = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label])?;
    let containers: Vec<&str> = found.lines().collect();
    let described = described("container", &containers)?;
    let lines = each(described, |container| {
        let id = text(&container["Id"]);
        let config = &container["Config"];
        let check = config["Healthcheck"]["Test"].clone();
        let seen = heard_of(&id, !check.is_null())?;
        // The first word of what the engine knows says that no shell runs it.
        let known = check.as_array().into_iter().flatten().skip(1).map(text);
        let known: Vec<String> = known.collect();
        if known != seen.check {
            return Err(format!(
                "a check has other words than the engine says: {:?} instead of {known:?}",
                seen.check
            ));
        }
        Ok(json!({
            "service": config["Labels"]["com.docker.compose.service"],
            "entrypoint": own_words(seen.words),
            "environment": variables(seen.environment),
            "labels": config["Labels"],
            "files": seen.files,
            "health": check,
        }))
    });
    drop(leftover);
    Ok(vec![("", lines?)])
}

/// The Docker network that the jobs of a batch take: the name of its blueprint.
const NETWORK: &str = "bytes";

/// All containers of a Nomad agent.
const NOMADS: &str = "label=com.hashicorp.nomad.alloc_id";

/// Stops all jobs of the agent, which are those of a batch, and removes their containers.
struct Jobs;

impl Drop for Jobs {
    fn drop(&mut self) {
        let stop = |job: Value| {
            nomad(&["job", "stop", "-detach", "-purge", &text(&job["ID"])]).map(Value::from)
        };
        let stopped = asked("jobs").and_then(|jobs| each(jobs, stop));
        let started = Instant::now();
        let all =
            |options: &[&str]| docker(&[&["ps", "--quiet", "--filter", NOMADS], options].concat());
        while all(&[]).is_ok_and(|running| !running.is_empty()) && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(500));
        }
        let removed = all(&["--all"]).and_then(|ids| {
            if ids.is_empty() {
                Ok(String::new())
            } else {
                docker(&[vec!["rm", "--force"], ids.lines().collect()].concat())
            }
        });
        for wrong in [stopped.err(), removed.err()].into_iter().flatten() {
            eprintln!("left over: {wrong}");
        }
    }
}

/// Nomad runs the jobs of a folder, whose image is the witness.
pub fn jobs(_: &str, folder: &Path) -> Result<Said, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path().display().to_string()));
    let files: Vec<String> = files.filter(|path| path.ends_with(".nomad.hcl")).collect();
    let network = Leftover(["network", "rm", NETWORK].map(str::to_owned).to_vec());
    docker(&["network", "create", NETWORK])?;
    let leftover = Jobs;
    let submitted = files.len();
    each(files, |file| {
        nomad(&["job", "run", "-detach", &file]).map(Value::from)
    })?;
    let mut tasks = Vec::new();
    for allocation in running(submitted)? {
        for (task, state) in allocation["TaskStates"].as_object().into_iter().flatten() {
            // What keeps the network of a sidecar has nothing to say.
            if task != "network" && state["State"] == "running" {
                tasks.push((task.clone(), allocation.clone()));
            }
        }
    }
    let lines = each(tasks, |(task, allocation)| {
        let id = format!("{task}-{}", text(&allocation["ID"]));
        let container = described("container", &[&id])?;
        let container = container
            .first()
            .map_or(&Value::Null, |container| &container["Config"]);
        let seen = heard_of(&id, false)?;
        let job = nomad(&[
            "operator",
            "api",
            &format!("/v1/job/{}", text(&allocation["JobID"])),
        ])?;
        let job: Value = serde_json::from_str(&job).map_err(|e| format!("nomad: {e}"))?;
        let name = text(&allocation["Name"]);
        let index = name
            .rsplit_once('[')
            .map_or("", |(_, index)| index.trim_end_matches(']'));
        Ok(json!({
            "group": allocation["TaskGroup"],
            "index": index.parse::<u32>().unwrap_or_default(),
            "task": task,
            "config": { "entrypoint": own_words(seen.words), "labels": container["Labels"] },
            "environment": variables(seen.environment),
            "files": seen.files,
            "meta": job["Meta"],
        }))
    });
    drop(leftover);
    drop(network);
    Ok(vec![("", lines?)])
}

/// The allocations of so many jobs, as soon as all of their tasks run, or have ended as steps do.
fn running(jobs: usize) -> Result<Vec<Value>, String> {
    let started = Instant::now();
    loop {
        let summaries = asked("jobs")?;
        let groups = summaries
            .iter()
            .filter_map(|job| job["JobSummary"]["Summary"].as_object())
            .flat_map(|groups| groups.values());
        let mut placed = summaries.len() == jobs;
        for group in groups {
            placed &= group["Queued"] == 0 && (group["Running"] != 0 || group["Starting"] != 0);
        }
        let mut allocations = asked("allocations")?;
        allocations.retain(|allocation| allocation["DesiredStatus"] == "run");
        let late: Vec<String> = allocations.iter().flat_map(late).collect();
        if placed && late.is_empty() {
            return Ok(allocations);
        }
        if started.elapsed() > PATIENCE {
            let late = &late[..late.len().min(10)];
            return Err(format!("jobs do not run: {}", late.join("; ")));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The tasks of an allocation that nothing can be said of yet, and the last that happened to each.
fn late(allocation: &Value) -> Vec<String> {
    let name = text(&allocation["Name"]);
    let Some(tasks) = allocation["TaskStates"].as_object() else {
        return vec![name];
    };
    let late = tasks.iter().filter(|(_, task)| {
        task["State"] != "running" && (task["State"] != "dead" || task["Failed"] == true)
    });
    let said = late.map(|(task, state)| {
        let event = state["Events"].as_array().and_then(|events| events.last());
        let event = event.map_or_else(String::new, |event| text(&event["DisplayMessage"]));
        format!("{task} of {name}: {event}")
    });
    said.collect()
}

/// A list of the agent's.
fn asked(path: &str) -> Result<Vec<Value>, String> {
    let said = nomad(&["operator", "api", &format!("/v1/{path}")])?;
    serde_json::from_str(&said).map_err(|e| format!("nomad: {path}: {e}"))
}

/// The command line of the agent that starts containers of the engine.
fn nomad(words: &[&str]) -> Result<String, String> {
    let mut command = Command::new("nomad");
    command.args(words);
    output(&mut command)
}

/// The images of a folder are built from the witness by both builders, and run once.
pub fn dockerfiles(_: &str, folder: &Path) -> Result<Said, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let folders: Vec<PathBuf> = folders
        .filter(|path| path.join("Dockerfile").is_file())
        .collect();
    let mut said = Said::new();
    for (builder, buildkit) in [("BuildKit", "1"), ("the classic builder", "0")] {
        let built = Mutex::new(Leftover(REMOVE_IMAGES.map(str::to_owned).to_vec()));
        let lines = each(folders.clone(), |path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let wrong = |wrong| format!("{builder}: {name}: {wrong}");
            let path = path.display().to_string();
            let mut docker_build = command(&["build", "--quiet", "--network", "none", &path]);
            docker_build.env("DOCKER_BUILDKIT", buildkit);
            let id = output(&mut docker_build).map_err(wrong)?;
            let id = id.trim();
            if let Ok(mut built) = built.lock() {
                built.0.push(id.to_owned());
            }
            // The folder tells the witness that nobody needs it any longer.
            let run = docker(&["run", "--rm", "--network=none", "--tmpfs=/ends", id]);
            let seen: Seen = serde_json::from_str(&run.map_err(wrong)?)
                .map_err(|e| wrong(format!("what it says can't be read: {e}")))?;
            let image = described("image", &[id]).map_err(wrong)?;
            let config = image.first().map_or(&Value::Null, |image| &image["Config"]);
            Ok(json!({
                "file": format!("{name}/Dockerfile"),
                "entrypoint": own_words(seen.words),
                "environment": variables(seen.environment),
                "labels": config["Labels"],
                "health": { "test": config["Healthcheck"]["Test"] },
            }))
        });
        drop(built);
        said.push((builder, lines?));
    }
    Ok(said)
}

/// A node of Kubernetes runs the objects of a folder, whose image is the witness.
pub fn kubernetes(_: &str, folder: &Path) -> Result<Said, String> {
    let leftover = Namespace;
    let path = folder.display().to_string();
    kubectl(&["apply", "--server-side", "--filename", &path])?;
    let lines = each(pods()?, |(pod, container)| {
        let name = text(&pod["metadata"]["name"]);
        let own = text(&container["name"]);
        let check = &container["readinessProbe"]["exec"]["command"];
        let log = || kubectl(&["logs", NAMESPACE, &name, "--container", &own]);
        let state = || kubectl(&["describe", "pod", NAMESPACE, &name]);
        let seen = heard(log, state, !check.is_null())?;
        let labels = &pod["metadata"]["labels"];
        let mut ours = labels.as_object().cloned().unwrap_or_default();
        ours.retain(|name, _| !OWN_OF_CONTROLLERS.contains(&name.as_str()));
        let service = &labels["app.kubernetes.io/name"];
        let index = text(&labels["apps.kubernetes.io/pod-index"]);
        Ok(json!({
            "workload": service,
            "replica": index.parse().unwrap_or(0),
            "role": if *service == own { "main" } else { "sidecar" },
            "command": own_words(seen.words),
            "environment": variables(seen.environment),
            "labels": ours,
            "annotations": pod["metadata"]["annotations"],
            "files": seen.files,
            "ready": seen.check,
        }))
    });
    drop(leftover);
    Ok(vec![("", lines?)])
}

/// The pods, as soon as all are there, each with a container that does not end.
fn pods() -> Result<Vec<(Value, Value)>, String> {
    let started = Instant::now();
    loop {
        let all = "deployments,statefulsets,pods";
        let said = kubectl(&["get", all, NAMESPACE, "--output", "json"])?;
        let said: Value = serde_json::from_str(&said).map_err(|e| format!("kubectl: {e}"))?;
        let items = said["items"].as_array().into_iter().flatten();
        let (pods, workloads): (Vec<_>, Vec<_>) = items.partition(|item| item["kind"] == "Pod");
        let wanted = workloads
            .iter()
            .filter_map(|w| w["spec"]["replicas"].as_u64());
        if pods.len() as u64 == wanted.sum::<u64>() {
            let containers = pods.into_iter().flat_map(|pod| {
                let steps = pod["spec"]["initContainers"].as_array().into_iter();
                let steps = steps.flatten().filter(|c| c["restartPolicy"] == "Always");
                let main = pod["spec"]["containers"].as_array().into_iter().flatten();
                steps.chain(main).map(|c| (pod.clone(), c.clone()))
            });
            return Ok(containers.collect());
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("there are {} pods", pods.len()));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// What a container of a Docker Engine says.
fn heard_of(id: &str, is_checked: bool) -> Result<Seen, String> {
    let state = || docker(&["inspect", "--format", "{{json .State}}", id]);
    heard(|| docker(&["logs", id]), state, is_checked)
}

/// What a container says, as soon as it has said all.
fn heard(
    log: impl Fn() -> Result<String, String>,
    state: impl Fn() -> Result<String, String>,
    is_checked: bool,
) -> Result<Seen, String> {
    let started = Instant::now();
    loop {
        // There is no log before the container is.
        let log = log().unwrap_or_default();
        let mut seen = Seen::default();
        // The last line may not be there as a whole.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        for line in whole.lines() {
            let line: Seen = serde_json::from_str(line)
                .map_err(|e| format!("what a container says can't be read: {e}"))?;
            if line.check.is_empty() {
                seen = Seen {
                    check: seen.check,
                    ..line
                };
            } else {
                seen.check = line.check;
            }
        }
        if !seen.words.is_empty() && is_checked != seen.check.is_empty() {
            return Ok(seen);
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("a container says nothing: {}", state()?));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The words that a process was given beside the image's own.
fn own_words(mut words: Vec<String>) -> Vec<String> {
    if words.first().is_some_and(|word| word == "/witness") {
        words.remove(0);
    }
    words
}

/// By name. What can't be in such a list gets a name that nothing has.
fn variables(entries: Vec<String>) -> Map<String, Value> {
    let mut variables = Map::new();
    for entry in entries {
        let (name, value) = match entry.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (format!("{entry}= without a sign"), String::new()),
        };
        if variables.contains_key(&name) {
            variables.insert(format!("{name}= once more"), Value::from(value));
        } else {
            variables.insert(name, Value::from(value));
        }
    }
    variables
}

/// What the engine knows of containers or images.
fn described(kind: &str, ids: &[&str]) -> Result<Vec<Value>, String> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let said = docker(&[&[kind, "inspect"], ids].concat())?;
    serde_json::from_str(&said).map_err(|e| format!("docker {kind} inspect: {e}"))
}

/// Does something with each, some at a time: most of it is waiting. All that goes wrong is told.
fn each<T: Send>(
    all: Vec<T>,
    work: impl Fn(T) -> Result<Value, String> + Sync,
) -> Result<Vec<Value>, String> {
    let rest = Mutex::new(all.into_iter());
    let next = || rest.lock().ok()?.next();
    let worker = || std::iter::from_fn(next).map(&work).collect::<Vec<_>>();
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        let ends = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.collect::<Result<Vec<_>, _>>()
    });
    let done = done.map_err(|_| "a worker panicked".to_owned())?;
    let (right, wrong): (Vec<_>, Vec<_>) = done.into_iter().flatten().partition(Result::is_ok);
    let wrong: BTreeSet<String> = wrong.into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() {
        Ok(right.into_iter().flatten().collect())
    } else {
        Err(wrong.into_iter().collect::<Vec<_>>().join("\n"))
    }
}

fn docker(words: &[&str]) -> Result<String, String> {
    output(&mut command(words))
}

/// The client of the node that runs, which stands on the path.
fn kubectl(words: &[&str]) -> Result<String, String> {
    output(Command::new("kubectl").args(words))
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(words);
    // With more at once, an engine more often loses count of who uses a network, which then stays.
    command.env("COMPOSE_PARALLEL_LIMIT", "4");
    command
}

fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().map_err(|e| format!("{program}: {e}"))?;
    if status.success() {
        return String::from_utf8(stdout).map_err(|e| format!("{program}: {e}"));
    }
    let words = command.get_args().map(|word| word.to_string_lossy());
    let words: Vec<_> = words.take(6).collect();
    let said = String::from_utf8_lossy(&stderr);
    let end: Vec<&str> = said.lines().rev().take(5).collect();
    let end = end.into_iter().rev().collect::<Vec<_>>().join("\n");
    Err(format!(
        "{program} {} ended with {status}: {end}",
        words.join(" ")
    ))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
