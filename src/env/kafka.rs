//! The apache/kafka image: `KAFKA_LOG_DIRS` puts `log.dirs` into `server.properties`.
//!
//! The rules are those of `kafka.docker.KafkaDockerWrapper` (Kafka 4.3.1), which writes `key=value`
//! lines that Kafka reads with `java.util.Properties`.

use super::{AS_FILE, ConfigFile, Decoded, DecodedFile, Fault, Format, Variable};
use crate::conffile::{Corruption, properties, shown};
use indexmap::IndexMap;
use std::collections::HashMap;

/// The only file that the image makes from variables.
pub(super) const FILE: &str = "server.properties";

const PREFIX: &str = "KAFKA_";

/// Variables that begin alike but are for the scripts.
const NOT_MAPPED: [&str; 11] = [
    "KAFKA_VERSION",
    "KAFKA_HEAP_OPTS",
    "KAFKA_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
];

pub(super) fn encode(file: &ConfigFile<'_>) -> Result<Vec<Variable>, Vec<Corruption>> {
    let fits = file
        .format
        .is_none_or(|format| format == Format::Properties);
    if file.name != FILE || !fits {
        let reason = format!("the apache/kafka wrapper writes only `{FILE}`, as properties");
        return Err(vec![Corruption::of_file(reason, AS_FILE)]);
    }
    super::spell_all(file, |key, value| {
        Ok((spell(key)?, properties::escape_value(value)))
    })
}

/// The variable of a key.
fn spell(key: &str) -> Result<String, Fault> {
    let refuse = |reason: String| Err((reason, AS_FILE.to_owned()));
    if key.chars().any(|c| c.is_ascii_uppercase()) {
        return refuse(
            "the apache/kafka wrapper turns capitals in keys into small letters".to_owned(),
        );
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if let Some(c) = key.chars().find(|c| !fits(*c)) {
        return refuse(format!(
            "the shells of the apache/kafka image drop variables with `{}` in the name",
            shown(&c.to_string())
        ));
    }
    let name: String = key
        .to_ascii_uppercase()
        .replace('_', "__")
        .replace('-', "___")
        .replace('.', "_");
    let variable = format!("{PREFIX}{name}");
    match key_of(&variable) {
        None => refuse(format!(
            "the apache/kafka wrapper leaves `{variable}` to the scripts of Kafka"
        )),
        Some(read) if read != key => refuse(format!(
            "the apache/kafka wrapper would read the key as `{}`: `.`, `-` and `_` beside \
                each other cannot be told apart",
            shown(&read)
        )),
        Some(_) => Ok(variable),
    }
}

/// The key that a variable sets.
pub(super) fn key_of(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(PREFIX)?;
    let mapped = !name.is_empty() && !NOT_MAPPED.contains(&variable);
    let key = || {
        name.to_lowercase()
            .replace('_', ".")
            .replace("...", "-")
            .replace("..", "_")
    };
    mapped.then(key)
}

pub(super) fn decode(env: &[(&str, &str)]) -> Decoded {
    let mut decoded = Decoded::default();
    let mut entries = IndexMap::new();
    let mut origins: HashMap<String, &str> = HashMap::new();
    for (variable, value) in env {
        let Some(key) = key_of(variable) else {
            decoded.unrelated.push((*variable).to_owned());
            continue;
        };
        match properties::parse(&format!("{key}={value}\n")) {
            Ok(pairs) => {
                for key in pairs.keys() {
                    if let Some(other) = origins.insert(key.clone(), variable) {
                        let reason = format!(
                            "it spells the same key as `{other}`, and the apache/kafka wrapper picks one \
                                of the two at random"
                        );
                        decoded.fail(variable, reason);
                    }
                }
                entries.extend(pairs);
            }
            Err(reason) => {
                decoded.ignore(variable, format!("Kafka cannot read its file: {reason}"));
            }
        }
    }
    if !entries.is_empty() {
        decoded.files.insert(
            FILE.to_owned(),
            DecodedFile {
                format: Format::Properties,
                entries,
            },
        );
    }
    decoded
}
