//! `flokkr targets`: what each target does for the fields of a blueprint, as the targets say it while
//! they lower it.

use std::fmt::Write as _;

use indexmap::IndexSet;

use super::{SAME, Session};
use crate::cli::Targets;
use crate::pipeline;
use crate::plan::fields::{FIELDS, is_part};
use crate::target::{self, Fate, Layout, Note, Target};

/// One column.
struct Column {
    target: &'static dyn Target,
    fields: Vec<&'static str>,
    notes: Vec<Note>,
}

pub(super) fn run(typed: &Targets, session: &mut Session) -> Option<u8> {
    let Targets { blueprint, input } = typed;
    let loaded = session.cluster(blueprint.as_deref(), input)?;
    let mut columns = Vec::new();
    for target in target::ALL {
        let (sources, problems) = (&session.sources, &mut session.problems);
        let (cluster, origin) = (&loaded.cluster, loaded.origin());
        let lowered = pipeline::lower(cluster, origin, *target, Layout::Objects, sources, problems);
        columns.extend(lowered.map(|l| Column {
            target: *target,
            fields: l.fields,
            notes: l.account.notes().to_vec(),
        }));
    }
    if session.problems.has_errors() {
        return None;
    }
    session.print(&table(&columns))?;
    Some(SAME)
}

/// A row for each field, and below it how it is done where it is not done natively.
fn table(columns: &[Column]) -> String {
    let said = columns.iter().flat_map(|c| c.notes.iter().map(|n| n.field));
    let used: IndexSet<&str> = columns
        .iter()
        .flat_map(|c| c.fields.iter().copied())
        .chain(said)
        .collect();
    let mut remarks: IndexSet<String> = IndexSet::new();
    let mut rows: Vec<Vec<String>> = vec![heading(columns)];
    for field in FIELDS.iter().filter(|f| used.contains(*f)) {
        let cells = columns.iter().map(|c| cell(field, c, &mut remarks));
        rows.push(std::iter::once((*field).to_owned()).chain(cells).collect());
    }
    let mut text = aligned(&rows);
    if !remarks.is_empty() {
        text.push('\n');
    }
    for (at, remark) in remarks.iter().enumerate() {
        let _ = writeln!(text, "{}. {remark}", at + 1);
    }
    text
}

fn heading(columns: &[Column]) -> Vec<String> {
    let names = columns.iter().map(|c| c.target.name().to_owned());
    std::iter::once("field".to_owned()).chain(names).collect()
}

/// What a target does for a field, with the numbers of the remarks on it.
fn cell(field: &str, column: &Column, remarks: &mut IndexSet<String>) -> String {
    if !column.target.concerns(field) {
        return "-".to_owned();
    }
    let notes: Vec<&Note> = column
        .notes
        .iter()
        .filter(|n| n.field == field || (is_part(field, n.field) && !FIELDS.contains(&n.field)))
        .collect();
    let word = match notes.iter().map(|n| n.fate).max() {
        None => return "native".to_owned(),
        Some(Fate::Emulated) => "emulated",
        Some(Fate::Lost) => "left out",
        Some(Fate::Refused) => "refused",
    };
    let mut numbers: Vec<usize> = notes
        .iter()
        .map(|n| {
            let remark = format!("{}, {}: {}", column.target.name(), n.field, n.how);
            remarks.insert_full(remark).0 + 1
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("{word} [{}]", numbers.join(","))
}

fn aligned(rows: &[Vec<String>]) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().filter_map(|r| r.get(at)).map(String::len).max();
    let widths: Vec<usize> = (0..count).filter_map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
