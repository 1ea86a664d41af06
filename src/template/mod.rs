//! The one strict minijinja environment, and what goes wrong in a `{{ }}`.
//!
//! Owns the syntax (only `{{ }}` is special: no blocks, no comments, so `${#array}` and `%{x}`
//! stay text), strictness (an unknown name is an error), limits, and the translation of an engine
//! error into a [`Failure`] with a byte range. Leaves to its callers which names there are.
//! The only module that names the engine; others use the types re-exported here.

mod failure;

use std::cell::Cell;
use std::collections::BTreeSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Template, UndefinedBehavior};

pub use failure::Failure;
pub use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
pub use minijinja::{Error, ErrorKind, State};

/// Steps that one template may take; a value that needs more is a mistake.
const FUEL: u64 = 1_000_000;
/// Longest text that a template may give, in bytes: twice what Linux takes as one variable.
pub const MAX_TEXT: usize = 16 << 20;

/// Longest that all texts of one engine may be together, in bytes: each is kept until the end.
const MAX_TEXTS: usize = 256 << 20;
/// What an item of a list counts as a text, in bytes.
const ITEM: usize = 64;

/// Longest expression between `{{` and `}}`, in bytes: the engine goes down one step for each
/// operator, and the stack must last.
const MAX_EXPRESSION: usize = 1000;

/// Evaluates templates.
#[derive(Debug)]
pub struct Engine {
    environment: Environment<'static>,
    /// Bytes of all texts so far.
    given: Cell<usize>,
}

impl Default for Engine {
    fn default() -> Self {
        let mut environment = Environment::new();
        // Delimiters that no YAML text can hold: NUL is not a YAML character.
        if let Ok(syntax) = SyntaxConfig::builder()
            .block_delimiters("\0%", "%\0")
            .comment_delimiters("\0#", "#\0")
            .keep_trailing_newline(true)
            .build()
        {
            environment.set_syntax(syntax);
        }
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // A boolean becomes the text that YAML writes for it; what is no scalar has no text.
        environment.set_formatter(|out, state, value| {
            let no_text = |what| Err(Error::new(ErrorKind::InvalidOperation, what));
            match (value.kind(), value.is_true()) {
                (ValueKind::Bool, true) => out.write_str("true").map_err(Error::from),
                (ValueKind::Bool, false) => out.write_str("false").map_err(Error::from),
                (ValueKind::Seq | ValueKind::Iterable, _) => {
                    no_text("a list has no text of its own: say how, such as `| join(',')`")
                }
                (ValueKind::Map, _) => {
                    no_text("a mapping has no text of its own: ask for one of its keys")
                }
                (ValueKind::None, _) => no_text("there is no value here"),
                _ => minijinja::escape_formatter(out, state, value),
            }
        });
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        environment.set_recursion_limit(50);
        Self {
            environment,
            given: Cell::new(0),
        }
    }
}

impl Engine {
    /// The text of a template in a context.
    ///
    /// # Errors
    /// A [`Failure`]: syntax, an unknown name, a wrong argument, too much work.
    pub fn render(&self, template: &str, context: &Value) -> Result<String, Failure> {
        self.count(0)?;
        let compiled = self.compile(template)?;
        let text = compiled.render(context.clone()).map_err(|e| {
            let mut names = compiled.undeclared_variables(false);
            // The engine's own functions, such as `range`.
            names.retain(|n| self.environment.globals().all(|(own, _)| own != n));
            Failure::of(&e, template, Some(names))
        })?;
        if text.len() > MAX_TEXT {
            return Err(Failure::new(format!(
                "the value is {} bytes long; no platform takes that",
                text.len()
            )));
        }
        self.count(text.len())?;
        Ok(text)
    }

    /// Counts what is given; a failure when it is too much.
    fn count(&self, bytes: usize) -> Result<(), Failure> {
        self.given.set(self.given.get().saturating_add(bytes));
        if self.given.get() <= MAX_TEXTS {
            return Ok(());
        }
        let size = MAX_TEXTS >> 20;
        Err(Failure::new(format!(
            "the values of all templates together are longer than {size} MiB"
        )))
    }

    /// The value of a text that is one `{{ expression }}` and nothing else, such as a list.
    /// `None` when the text is anything else.
    pub fn expression(&self, template: &str, context: &Value) -> Option<Result<Value, Failure>> {
        let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        if inner.contains("{{") || inner.contains("}}") {
            return None;
        }
        if let Some(failure) = too_long(template) {
            return Some(Err(failure));
        }
        let value = self
            .environment
            .compile_expression(inner)
            .and_then(|e| e.eval(context.clone()));
        let value = value.map_err(|e| Failure {
            range: None,
            ..Failure::of(&e, inner, None)
        });
        Some(value.and_then(|value| {
            self.count(value.len().unwrap_or(0).saturating_mul(ITEM))?;
            Ok(value)
        }))
    }

    /// The names that a template looks up; empty when it has none or does not parse.
    pub fn names(&self, template: &str) -> BTreeSet<String> {
        self.compile(template)
            .map(|t| t.undeclared_variables(false).into_iter().collect())
            .unwrap_or_default()
    }

    /// The same, each with the attributes that are asked of it: `params.port`.
    pub fn paths(&self, template: &str) -> BTreeSet<String> {
        self.compile(template)
            .map(|t| t.undeclared_variables(true).into_iter().collect())
            .unwrap_or_default()
    }

    fn compile<'t>(&'t self, template: &'t str) -> Result<Template<'t, 't>, Failure> {
        match too_long(template) {
            Some(failure) => Err(failure),
            None => self
                .environment
                .template_from_named_str("value", template)
                .map_err(|e| Failure::of(&e, template, None)),
        }
    }
}

/// The failure of a template with an expression that is too long.
fn too_long(template: &str) -> Option<Failure> {
    let mut at = 0;
    while let Some(open) = template.get(at..)?.find("{{") {
        let start = at + open + 2;
        let length = expression_length(template.get(start..)?);
        if length > MAX_EXPRESSION {
            return Some(Failure {
                range: Some(start..start + length),
                ..Failure::new(format!(
                    "this expression is longer than {MAX_EXPRESSION} bytes"
                ))
            });
        }
        at = start + length;
    }
    None
}

/// Bytes up to the `}}` that is in no quotes, or to the end.
fn expression_length(text: &str) -> usize {
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') if text.get(at..).is_some_and(|rest| rest.starts_with("}}")) => return at,
            _ => {}
        }
    }
    text.len()
}

/// Is there anything to evaluate in a text?
pub fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// A plain scalar as a value to calculate with: a number or a boolean where writing that value
/// gives back the same text (`3`, `0.5`, `true`), else the text (`0777`, `1.10`, `1e3`, `yes`).
pub fn plain_value(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Value::from(number);
    }
    if let Ok(number) = text.parse::<f64>()
        && Value::from(number).to_string() == text
        && text.contains('.')
    {
        return Value::from(number);
    }
    match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => Value::from(text),
    }
}
