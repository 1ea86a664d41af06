//! One text for all replicas, where each replica's value differs: [`fit`] finds the names that the
//! platform replaces in it (a pod's name, an allocation's index).
//!
//! Knows no platform: a target gives the tokens, and writes them in its own way.

use std::collections::HashSet;

use crate::plan::{Part, Value};

/// A piece of a text that stands for the values of all replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// A secret, by its name.
    Secret(String),
    /// The token of this number.
    Token(usize),
}

/// The unit that values are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item<'a> {
    Char(char),
    Secret(&'a str),
}

fn items(value: &Value) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    for part in value.parts() {
        match part {
            Part::Text(text) => items.extend(text.chars().map(Item::Char)),
            Part::Secret(name) => items.push(Item::Secret(name)),
        }
    }
    items
}

/// The pieces that give every replica its value, if there are any: `values` by replica, and for
/// each token its text by replica. Earlier tokens are preferred.
pub fn fit(values: &[&Value], tokens: &[Vec<String>]) -> Option<Vec<Piece>> {
    let search = Search {
        values: values.iter().map(|v| items(v)).collect(),
        tokens: tokens
            .iter()
            .map(|texts| texts.iter().map(|t| t.chars().collect()).collect())
            .collect(),
    };
    search.run().map(|steps| join(&steps))
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Item(Item<'a>),
    Token(usize),
}

struct Search<'a> {
    values: Vec<Vec<Item<'a>>>,
    tokens: Vec<Vec<Vec<char>>>,
}

/// Positions from which there is more than one way, and those that are left.
struct Branch<'a> {
    positions: Vec<usize>,
    /// Steps that led here.
    taken: usize,
    others: std::vec::IntoIter<(Step<'a>, Vec<usize>)>,
}

impl<'a> Search<'a> {
    /// Goes through all values at once. Only where there is a choice are the positions kept, and
    /// those that led nowhere are not tried again.
    fn run(&self) -> Option<Vec<Step<'a>>> {
        let mut dead: HashSet<Vec<usize>> = HashSet::new();
        let mut taken: Vec<Step<'a>> = Vec::new();
        let mut branches: Vec<Branch<'a>> = Vec::new();
        let mut positions = vec![0; self.values.len()];
        while !self.ends(&positions) {
            let mut ways = self.ways(&positions).into_iter();
            let mut way = ways.find(|(_, next)| !dead.contains(next));
            if way.is_some() && ways.len() > 0 {
                branches.push(Branch {
                    positions: std::mem::take(&mut positions),
                    taken: taken.len(),
                    others: ways,
                });
            }
            while way.is_none() {
                let branch = branches.last_mut()?;
                taken.truncate(branch.taken);
                way = branch.others.find(|(_, next)| !dead.contains(next));
                if way.is_none() {
                    dead.insert(std::mem::take(&mut branch.positions));
                    branches.pop();
                }
            }
            let (step, next) = way?;
            taken.push(step);
            positions = next;
        }
        Some(taken)
    }

    fn ends(&self, positions: &[usize]) -> bool {
        let mut pairs = self.values.iter().zip(positions);
        pairs.all(|(value, at)| *at == value.len())
    }

    /// The steps that can be taken, and where each leads.
    fn ways(&self, positions: &[usize]) -> Vec<(Step<'a>, Vec<usize>)> {
        let mut choices = Vec::new();
        // The texts of a token differ, so where one fits no common text does.
        for (token, texts) in self.tokens.iter().enumerate() {
            let ends: Option<Vec<usize>> = self
                .values
                .iter()
                .zip(positions)
                .zip(texts)
                .map(|((value, at), text)| {
                    let given = value.get(*at..at + text.len())?;
                    let same = given.iter().zip(text).all(|(i, c)| *i == Item::Char(*c));
                    (same && !text.is_empty()).then_some(at + text.len())
                })
                .collect();
            if let Some(next) = ends.filter(|_| texts.len() == self.values.len()) {
                choices.push((Step::Token(token), next));
            }
        }
        let items: Option<Vec<Item<'a>>> = self
            .values
            .iter()
            .zip(positions)
            .map(|(value, at)| value.get(*at).copied())
            .collect();
        if let Some(first) = items.as_ref().and_then(|i| i.first())
            && items.iter().flatten().all(|i| i == first)
        {
            let next = positions.iter().map(|at| at + 1).collect();
            choices.push((Step::Item(*first), next));
        }
        choices
    }
}

fn join(steps: &[Step<'_>]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for step in steps {
        match step {
            Step::Item(Item::Char(c)) => {
                if let Some(Piece::Text(text)) = pieces.last_mut() {
                    text.push(*c);
                } else {
                    pieces.push(Piece::Text(c.to_string()));
                }
            }
            Step::Item(Item::Secret(name)) => pieces.push(Piece::Secret((*name).to_owned())),
            Step::Token(token) => pieces.push(Piece::Token(*token)),
        }
    }
    pieces
}
