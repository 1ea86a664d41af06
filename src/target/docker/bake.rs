//! `docker-bake.json`: all images of the blueprint, for `docker buildx bake`.

use serde_json::{Map, Value as Json};

use super::settings::Settings;
use crate::emit::yaml::Yaml;
use crate::file::File;
use crate::plan::Plan;
use crate::target::{image, patch};

/// The file.
pub(super) fn file(plan: &Plan, settings: &Settings) -> File {
    let names = image::built(plan).map(|i| Yaml::text(image::folder(i)));
    let group = map([("default", map([("targets", Yaml::List(names.collect()))]))]);
    let targets = image::built(plan).map(|built| {
        let target = map([
            ("context", Yaml::text(image::folder(built))),
            ("dockerfile", Yaml::text(image::FILE)),
            (
                "tags",
                Yaml::List(vec![Yaml::Text(literal(&built.reference))]),
            ),
        ]);
        (built.name.to_string(), target)
    });
    let mut document = map([("group", group), ("target", Yaml::Map(targets.collect()))]);
    if let Some(laid) = &settings.patch {
        patch::apply(&mut document, &laid.0);
    }
    File {
        path: "docker-bake.json".into(),
        text: format!("{:#}\n", json(&document)),
    }
}

fn map<const N: usize>(entries: [(&str, Yaml); N]) -> Yaml {
    Yaml::Map(entries.map(|(k, v)| (k.to_owned(), v)).into())
}

/// A text that bake's templates leave alone.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn json(value: &Yaml) -> Json {
    match value {
        Yaml::Text(text) => Json::from(text.as_str()),
        // What was written plain is a number, a boolean or null; else it is a text after all.
        Yaml::Plain(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Yaml::List(items) => items.iter().map(json).collect(),
        Yaml::Anchor(_, inner) => json(inner),
        Yaml::Alias(_) => Json::Null,
        Yaml::Map(entries) | Yaml::Merged(_, entries) => {
            let entries = entries.iter().map(|(k, v)| (k.clone(), json(v)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
    }
}
