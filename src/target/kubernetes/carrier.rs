//! Texts of one pod template that stand for those of all replicas: `$` doubled, the pod's name and
//! number in the places where replicas differ, secrets as references.
//!
//! The kubelet expands `$(NAME)` in `env[].value`, `command` and `args`, and makes `$` of `$$`
//! there (`expansion.Expand`); what comes by `envFrom`, a field or a Secret it leaves alone.
//! Doubling every `$` also avoids a bug before 1.34.4 and 1.35.1, which corrupted a `$` before a
//! character of several bytes.

use std::fmt::Write as _;

use indexmap::{IndexMap, IndexSet};

use super::addressing::pod_name;
use super::model::{EnvValue, EnvVar};
use crate::plan::{Each, Part, Service, Slot, Value};
use crate::target::{Piece, fit};

/// The pod's name.
const NAME_FIELD: &str = "metadata.name";
/// The pod's number (label of the StatefulSet controller, 1.28).
const NUMBER_FIELD: &str = "metadata.labels['apps.kubernetes.io/pod-index']";

const NAME: usize = 0;

/// What carries the differences between the replicas of one service.
pub(super) struct Carrier {
    /// For the pod's name and its number: the texts by replica.
    tokens: Vec<Vec<String>>,
    /// The variables that hold them.
    variables: [String; 2],
    /// The variables that hold secrets, by those.
    secrets: IndexMap<String, String>,
}

/// What the texts of one container refer to.
#[derive(Debug, Default)]
pub(super) struct References {
    tokens: [bool; 2],
    secrets: IndexSet<String>,
}

impl Carrier {
    /// For a service; `taken` are the names of variables that its containers have, `secrets` all that there
    /// are.
    pub(super) fn new<'s>(
        service: &Service,
        first: u32,
        mut taken: IndexSet<String>,
        secrets: impl Iterator<Item = &'s str>,
    ) -> Self {
        let texts = |text: &dyn Fn(u32) -> String| (0..service.replicas).map(text).collect();
        let tokens = vec![
            texts(&|i| pod_name(&service.name, first, i)),
            texts(&|i| first.saturating_add(i).to_string()),
        ];
        let variables =
            ["POD_NAME", "FLOKKR_REPLICA"].map(|name| free(name, &|n| taken.contains(n)));
        taken.extend(variables.iter().cloned());
        let mut by_secret = IndexMap::new();
        for secret in secrets {
            let variable = free(&secret_variable(secret), &|n| taken.contains(n));
            taken.insert(variable.clone());
            by_secret.insert(secret.to_owned(), variable);
        }
        Self {
            tokens,
            variables,
            secrets: by_secret,
        }
    }

    /// The variable with the pod's name, which is now needed.
    pub(super) fn name_variable(&self, references: &mut References) -> &str {
        references.tokens[NAME] = true;
        &self.variables[NAME]
    }

    /// The variable with the pod's name.
    pub(super) fn name_of_variable(&self) -> &str {
        &self.variables[NAME]
    }

    /// A text for all replicas, if there is one.
    pub(super) fn text(&self, slot: &Slot, references: &mut References) -> Option<String> {
        let pieces = self.pieces(slot)?;
        Some(self.written(&pieces, references))
    }

    /// The text of one value.
    pub(super) fn value(&self, value: &Value, references: &mut References) -> String {
        self.written(&pieces_of(value), references)
    }

    /// The value of a variable for all replicas, if there is one.
    pub(super) fn env(
        &self,
        slot: &Slot,
        secret: &dyn Fn(&str) -> (String, String),
        references: &mut References,
    ) -> Option<EnvValue> {
        let pieces = self.pieces(slot)?;
        Some(match pieces.as_slice() {
            [Piece::Token(NAME)] => EnvValue::Field(NAME_FIELD),
            [Piece::Token(_)] => EnvValue::Field(NUMBER_FIELD),
            [Piece::Secret(name)] => {
                let (name, key) = secret(name);
                EnvValue::Secret { name, key }
            }
            _ => EnvValue::Text(self.written(&pieces, references)),
        })
    }

    /// Words for all replicas, if there are any.
    pub(super) fn words(
        &self,
        words: &Each<Vec<Value>>,
        references: &mut References,
    ) -> Option<Vec<String>> {
        let lists = match words {
            Each::Same(words) => {
                return Some(words.iter().map(|w| self.value(w, references)).collect());
            }
            Each::Replica(lists) => lists,
        };
        let length = lists.first()?.len();
        if lists.iter().any(|l| l.len() != length) {
            return None;
        }
        let texts = (0..length).map(|at| {
            let values = lists.iter().map(|l| l.get(at).cloned());
            self.text(&Each::of(values.collect())?, references)
        });
        texts.collect()
    }

    /// The variables that texts refer to; they stand before the others.
    pub(super) fn variables(
        &self,
        references: &References,
        secret: &dyn Fn(&str) -> (String, String),
    ) -> Vec<EnvVar> {
        let fields = [NAME_FIELD, NUMBER_FIELD];
        let tokens = self.variables.iter().zip(fields).zip(references.tokens);
        let mut variables: Vec<EnvVar> = tokens
            .filter(|(_, needed)| *needed)
            .map(|((name, field), _)| EnvVar {
                name: name.clone(),
                value: EnvValue::Field(field),
            })
            .collect();
        variables.extend(references.secrets.iter().map(|token| {
            let (name, key) = secret(token);
            EnvVar {
                name: self.secret_variable(token).to_owned(),
                value: EnvValue::Secret { name, key },
            }
        }));
        variables
    }

    /// The same variables as processes see them: names and values.
    pub(super) fn values(&self, references: &References) -> Vec<(String, Slot)> {
        let tokens = self
            .variables
            .iter()
            .zip(&self.tokens)
            .zip(references.tokens);
        let needed = tokens.filter(|(_, needed)| *needed);
        let tokens = needed.filter_map(|((name, texts), _)| {
            let texts = texts.iter().map(|text| Some(Value::new(text.as_str())));
            Some((name.clone(), Each::of(texts.collect())?))
        });
        let secrets = references.secrets.iter().map(|secret| {
            let value = Each::Same(Some(Value::secret(secret)));
            (self.secret_variable(secret).to_owned(), value)
        });
        tokens.chain(secrets).collect()
    }

    fn secret_variable(&self, secret: &str) -> &str {
        self.secrets.get(secret).map_or("", String::as_str)
    }

    fn pieces(&self, slot: &Slot) -> Option<Vec<Piece>> {
        match slot {
            Each::Same(value) => Some(pieces_of(value.as_ref()?)),
            Each::Replica(values) => {
                let values: Option<Vec<&Value>> = values.iter().map(Option::as_ref).collect();
                fit(&values?, &self.tokens)
            }
        }
    }

    fn written(&self, pieces: &[Piece], references: &mut References) -> String {
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(&text.replace('$', "$$")),
                Piece::Token(token) => {
                    if let (Some(variable), Some(needed)) = (
                        self.variables.get(*token),
                        references.tokens.get_mut(*token),
                    ) {
                        *needed = true;
                        let _ = write!(out, "$({variable})");
                    }
                }
                Piece::Secret(name) => {
                    references.secrets.insert(name.clone());
                    let _ = write!(out, "$({})", self.secret_variable(name));
                }
            }
        }
        out
    }
}

fn pieces_of(value: &Value) -> Vec<Piece> {
    value
        .parts()
        .map(|part| match part {
            Part::Text(text) => Piece::Text(text.to_owned()),
            Part::Secret(name) => Piece::Secret(name.to_owned()),
        })
        .collect()
}

/// A name that is not taken.
fn free(name: &str, taken: &dyn Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let mut numbered = (2..).map(|n| format!("{name}_{n}"));
    numbered.find(|n| !taken(n)).unwrap_or_default()
}

/// What the variable of a secret is called, unless another one has that name.
fn secret_variable(secret: &str) -> String {
    let name = secret.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("SECRET_{}", name.to_ascii_uppercase())
}

/// Characters that texts for Kubernetes can't have: server-side apply refuses or changes them, as
/// do kustomize and strict decoders, however they are escaped. Files with them go as `binaryData`.
pub(super) fn is_unsafe(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}
