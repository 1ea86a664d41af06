//! Plugin definitions: typed parameters, and the part of a service that they add.

use serde_json::{Value as Json, json};

use super::Version;
use super::read::{At, FromText, Map, Raw, Read, Reader};
use super::record::{choices, records};
use super::reference::Definitions;
use super::service::Service;
use crate::yaml::{Node, Value};

choices! {
    /// What a parameter holds.
    pub enum ParameterType {
        /// Any text.
        Text = "text",
        /// A whole number.
        Integer = "integer",
        /// `true` or `false`.
        Boolean = "boolean",
        /// An absolute path in the container.
        Path = "path",
        /// A port number.
        Port = "port",
        /// A length of time.
        Duration = "duration",
        /// A list of texts, or a text that gives one.
        List = "list",
    }
}

records! {
    /// A plugin: a part of a service that any service can take in, with parameters.
    pub struct Plugin at "plugin" {
        /// The version of the language.
        pub version: At<Version> = "plugin", "plugin: v1";
        /// Its name, which is the file's name too.
        pub name: At<String> = "name", "name: sleep";
        /// What it does.
        pub description: At<String> = "description", "description: Waits before the start";
        /// Parameters by name; the plugin's texts see them as `params.NAME`.
        pub params: Map<Parameter> = "params", "params: { seconds: { type: integer, default: 10 } }";
        /// What it adds: the same keys as a service, laid under the service's own. Lists of
        /// `init`, `args` and `profiles` come before the service's, ports come after its own.
        pub service: Raw = "service", "service: { env: { SLEEP_SECONDS: \"{{ params.seconds }}\" } }";
    }

    /// A parameter of a plugin.
    pub struct Parameter at "plugin.params.seconds" {
        /// What it holds: `text`, `integer`, `boolean`, `path`, `port`, `duration` or `list`.
        pub kind: At<ParameterType> = "type", "type: integer";
        /// What it is for.
        pub description: Option<At<String>> = "description", "description: How long";
        /// Its value when a service gives none.
        pub default: Option<DefaultValue> = "default", "default: 10";
        /// A service must give it.
        pub required: Option<At<bool>> = "required", "required: true";
    }
}

/// A default: a text, or a list of texts.
#[derive(Debug, Clone)]
pub struct DefaultValue(pub Node);

impl Read for DefaultValue {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Map(_) => reader.expected(node, "a text or a list of texts"),
            _ => Some(Self(node.clone())),
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "number", "boolean", "array"]})
    }
}

impl Plugin {
    /// The JSON Schema of a plugin's file; what stands under `service` is a part of a service.
    pub fn file_schema(definitions: &mut Definitions) -> Json {
        let service = Service::schema(definitions);
        let plugin = <Self as Read>::schema(definitions);
        json!({"allOf": [plugin, {"properties": {"service": service}}]})
    }
}

impl ParameterType {
    /// Does a text fit, once its templates are evaluated?
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Text | Self::List => true,
            Self::Integer => text.parse::<i64>().is_ok(),
            Self::Boolean => bool::from_text(text).is_some(),
            Self::Path => super::ContainerPath::from_text(text).is_some(),
            Self::Port => u16::from_text(text).is_some(),
            Self::Duration => super::Duration::from_text(text).is_some(),
        }
    }
}
