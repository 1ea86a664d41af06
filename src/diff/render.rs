//! A report as text: one unified diff per changed file, a line per missing or stale one, and a
//! summary line.

use std::fmt::Write as _;

use camino::Utf8Path;
use similar::TextDiff;

use super::{Change, Report};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The report as text; `there` says what a person calls a file that is there, `blueprint` what the
/// other side is called.
pub fn text(report: &Report, there: &dyn Fn(&Utf8Path) -> String, blueprint: &str) -> String {
    let mut out = String::new();
    let (mut changed, mut missing, mut stale) = (0, 0, 0);
    for change in &report.changes {
        match change {
            Change::Changed {
                path,
                old,
                new,
                same_data,
            } => {
                changed += 1;
                let diff = TextDiff::from_lines(old, new);
                let mut unified = diff.unified_diff();
                let unified = unified
                    .context_radius(CONTEXT)
                    .header(&there(path), &format!("{blueprint}/{path}"));
                let _ = write!(out, "{unified}");
                if *same_data {
                    let _ = writeln!(out, "(the same data in {path}: only its spelling differs)");
                }
            }
            Change::Missing(path) => {
                missing += 1;
                let _ = writeln!(
                    out,
                    "missing: {path} (the blueprint gives it, it is not there)"
                );
            }
            Change::Stale(path) => {
                stale += 1;
                let _ = writeln!(
                    out,
                    "stale: {path} (flokkr wrote it, the blueprint no longer gives it)"
                );
            }
        }
    }
    if !report.is_empty() {
        let _ = writeln!(
            out,
            "drift: {changed} changed, {missing} missing, {stale} stale"
        );
    }
    out
}
