//! Labels: the recommended ones, the stable part of them that selects pods, and those of the
//! blueprint, which are annotations where Kubernetes takes no such label.

use super::checksum::ANNOTATION;
use super::lower::Lowering;
use super::model::Labels;
use crate::plan::{Each, Label, Service};
use crate::problem::Problem;

/// The labels that all objects of a cluster have.
pub(super) fn of_cluster(cluster: &str) -> Labels {
    vec![
        label("instance", cluster),
        label("part-of", cluster),
        label("managed-by", "flokkr"),
    ]
}

/// The labels of the objects of a service.
pub(super) fn of_service(cluster: &str, service: &Service) -> Labels {
    let mut labels = selector(cluster, &service.name);
    labels.push(label("part-of", cluster));
    labels.push(label("managed-by", "flokkr"));
    if let Some(version) = version(&service.main.image.reference) {
        labels.push(label("version", version));
    }
    labels
}

/// The labels that select the pods of a service.
pub(super) fn selector(cluster: &str, service: &str) -> Labels {
    vec![label("name", service), label("instance", cluster)]
}

fn label(name: &str, value: &str) -> (String, String) {
    (format!("app.kubernetes.io/{name}"), value.to_owned())
}

/// The tag of an image, when it can be a label.
fn version(reference: &str) -> Option<&str> {
    let name = reference.rsplit('/').next()?;
    let (_, tag) = name.split('@').next()?.rsplit_once(':')?;
    is_label_value(tag).then_some(tag)
}

impl Lowering<'_> {
    /// The labels of a blueprint: labels and annotations.
    pub(super) fn own_labels(&mut self, service: &Service) -> (Labels, Labels) {
        let mut labels = Labels::new();
        let mut annotations = Labels::new();
        for Label { key, value, span } in &service.labels {
            let value = match value {
                Each::Same(None) => continue,
                Each::Same(Some(value)) => value.plain(),
                Each::Replica(_) => {
                    let what = format!("the label `{key}`: it differs from replica to replica");
                    self.account.lost("labels", *span, &what);
                    continue;
                }
            };
            match value {
                Some(value) if is_label_key(key) && is_label_value(value) => {
                    labels.push((key.to_string(), value.to_owned()));
                }
                Some(_) if **key == *ANNOTATION => {
                    let problem = Problem::error(
                        "unsupported",
                        format!("Kubernetes can't have the label `{key}`"),
                    );
                    let problem = problem
                        .at(*span)
                        .label("pods have a checksum of their own there");
                    let problem = problem.help("use another name");
                    self.account.refused("labels", *span, problem);
                }
                Some(value)
                    if is_annotation_key(key) && !value.contains(super::carrier::is_unsafe) =>
                {
                    let how =
                        "an annotation: a label has at most 63 letters, digits, `-`, `_` and `.`";
                    self.account.emulated("labels", *span, how);
                    annotations.push((key.to_string(), value.to_owned()));
                }
                _ => {
                    let shown = key.escape_debug();
                    let what =
                        format!("the label `{shown}`: neither a label nor an annotation takes it");
                    self.account.lost("labels", *span, &what);
                }
            }
        }
        (labels, annotations)
    }
}

fn is_name(text: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63
        && text.starts_with(end)
        && text.ends_with(end)
        && text.chars().all(|c| end(c) || "-_.".contains(c))
}

/// A value of a label: empty, or like a name.
fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

/// A key of an annotation: one of a label once it is in lower case, as Go makes it
/// (`ValidateAnnotations` in apimachinery 0.37), where U+212A becomes `k` and U+0130 `i`.
fn is_annotation_key(text: &str) -> bool {
    let lower = |c: char| match c {
        '\u{130}' => 'i',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    is_label_key(&text.chars().map(lower).collect::<String>())
}

/// A key of a label or annotation: a name, behind a domain and a slash if there is one.
fn is_label_key(text: &str) -> bool {
    let Some((domain, name)) = text.split_once('/') else {
        return is_name(text);
    };
    let part = |part: &str| {
        let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(end) && part.ends_with(end) && part.chars().all(|c| end(c) || c == '-')
    };
    let theirs = ["kubernetes.io", "k8s.io"];
    let reserved = theirs
        .iter()
        .any(|t| domain == *t || domain.ends_with(&format!(".{t}")));
    !reserved && domain.len() <= 253 && domain.split('.').all(part) && is_name(name)
}
