//! An explanation for tools. `docs/explain.md` has the keys, which stay as they are.

use serde_json::{Map, Value as Json, json};

use super::origin::{Origin, Place};
use super::{ConfigFile, Container, Entry, Explanation, Service, Setter, Variable};
use crate::blueprint::User;
use crate::plan::{Need, Part, Value};

/// The whole explanation as one JSON document.
pub fn json(explanation: &Explanation<'_>) -> String {
    let Explanation {
        cluster,
        description: _,
        target,
        services,
    } = explanation;
    let services: Vec<Json> = services.iter().map(service).collect();
    let document = json!({ "cluster": cluster, "target": target, "services": services });
    format!("{document:#}\n")
}

fn service(service: &Service<'_>) -> Json {
    let Service {
        plan,
        from,
        patch,
        containers,
    } = service;
    let needs: Vec<Json> = plan.needs.iter().map(need).collect();
    let containers: Vec<Json> = containers.iter().map(container).collect();
    json!({
        "name": &*plan.name,
        "kind": plan.kind.word(),
        "replicas": plan.replicas,
        "profiles": plan.profiles,
        "needs": needs,
        "from": from.as_ref().map(place),
        "patch": patch.as_ref().map(place),
        "containers": containers,
    })
}

fn need(need: &Need) -> Json {
    let Need {
        service,
        port,
        quorum,
        span: _,
    } = need;
    json!({
        "service": &**service,
        "port": port.as_ref().map(|(name, _)| &**name),
        "number": port.as_ref().map(|(_, number)| *number),
        "replicas": quorum.word(),
    })
}

fn container(container: &Container<'_>) -> Json {
    let Container {
        plan,
        role,
        replica,
        from,
        entrypoint,
        command,
        config,
        env,
        files,
    } = container;
    let words = |words: &Option<Vec<Value>>| {
        let words = words.as_ref()?.iter();
        Some(words.map(value).collect::<Vec<_>>())
    };
    let config: Map<String, Json> = config
        .iter()
        .map(|file| (file.path.clone(), config_file(file)))
        .collect();
    let values = env.iter().map(|v| (v.name.to_string(), value(&v.value)));
    let places = env.iter().map(|v| (v.name.to_string(), variable(v)));
    let texts = files.iter().map(|f| (f.path.clone(), value(&f.text)));
    let modes = files.iter();
    let modes = modes.map(|f| (f.path.clone(), json!(format!("{:04o}", f.mode.0))));
    let secrets = plan.secrets.iter();
    let secrets = secrets.map(|s| (s.path.clone(), json!(&*s.secret)));
    json!({
        "name": &*plan.name,
        "role": role.word(),
        "replica": replica,
        "from": from.as_ref().map(place),
        "image": plan.image.reference,
        "launcher": plan.image.launcher.name(),
        "entrypoint": words(entrypoint),
        "command": words(command),
        "user": plan.user.map(user),
        "workdir": plan.workdir,
        "config": config,
        "env": values.collect::<Map<_, _>>(),
        "env_from": places.collect::<Map<_, _>>(),
        "files": texts.collect::<Map<_, _>>(),
        "modes": modes.collect::<Map<_, _>>(),
        "secrets": secrets.collect::<Map<_, _>>(),
    })
}

/// A user as platforms write it.
pub(super) fn user(user: User) -> String {
    match user.gid {
        Some(gid) => format!("{}:{gid}", user.uid),
        None => user.uid.to_string(),
    }
}

fn config_file(file: &ConfigFile) -> Json {
    let ConfigFile {
        path: _,
        format,
        by_env,
        entries,
        text,
    } = file;
    let entries: Vec<Json> = entries.iter().map(entry).collect();
    json!({
        "format": format.map(crate::env::Format::name),
        "delivery": if *by_env { "env" } else { "files" },
        "entries": entries,
        "text": text.as_ref().map(value),
    })
}

fn entry(entry: &Entry) -> Json {
    let Entry {
        key,
        value: text,
        group,
        from,
        over,
    } = entry;
    let over: Vec<Json> = over.iter().map(place).collect();
    json!({
        "key": &**key,
        "value": value(text),
        "group": group.as_deref(),
        "from": origin(from),
        "over": over,
    })
}

fn variable(variable: &Variable) -> Json {
    let mut from = origin(&variable.from);
    let by = match variable.setter {
        Setter::Env => "env",
        Setter::Config => "config",
        Setter::Target => "target",
        Setter::Patch => "patch",
    };
    if let Some(fields) = from.as_object_mut() {
        fields.insert("by".to_owned(), by.into());
    }
    from
}

fn origin(origin: &Origin) -> Json {
    let Origin { place: own, used } = origin;
    let mut fields = match own.as_ref().map(place) {
        Some(Json::Object(fields)) => fields,
        _ => Map::new(),
    };
    let used: Vec<Json> = used
        .iter()
        .map(|used| {
            json!({
                "name": used.name,
                "default": used.is_default,
                "from": used.place.as_ref().map(place),
            })
        })
        .collect();
    fields.insert("variables".to_owned(), used.into());
    fields.into()
}

fn place(place: &Place) -> Json {
    let Place {
        file,
        line,
        column,
        set,
    } = place;
    let mut fields = Map::new();
    fields.insert("file".to_owned(), json!(&**file));
    fields.insert("line".to_owned(), json!(line));
    fields.insert("column".to_owned(), json!(column));
    if let Some(set) = set {
        fields.insert("set".to_owned(), json!(set));
    }
    fields.into()
}

/// A text; where a secret is in it, the list of its parts.
fn value(value: &Value) -> Json {
    if let Some(text) = value.plain() {
        return text.into();
    }
    let parts = value.parts().map(|part| match part {
        Part::Text(text) => json!(text),
        Part::Secret(name) => json!({ "secret": name }),
    });
    parts.collect()
}
