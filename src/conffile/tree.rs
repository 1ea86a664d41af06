//! The tree that dotted keys spell: `a.b` is a map in a map, `a.1` the first element of a list.
//!
//! The rules are those of envtoconf 1.2.2 where they give one answer; where it picks at random,
//! fills in or panics (a value and a map at one place, a hole, the index 0, an index at the top) the
//! keys are refused.

use super::{Corruption, shown};
use indexmap::IndexMap;

/// A value, or what is below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tree<'a> {
    /// A text at the end of a key.
    Scalar(&'a str),
    /// Named branches in the order of their first entry.
    Map(Vec<(&'a str, Tree<'a>)>),
    /// Elements in the order of their indices.
    List(Vec<Tree<'a>>),
}

/// Deeper keys are a mistake, and would need a deep stack.
const DEEPEST: usize = 40;

/// A tree whose lists are still maps from the text of the index.
enum Sketch<'a> {
    Leaf(&'a str),
    Branch {
        first: usize,
        children: IndexMap<&'a str, Sketch<'a>>,
    },
}

/// The tree of these entries.
///
/// # Errors
/// Every entry that has no single place in a tree.
pub(crate) fn grow<'a>(entries: &[(&'a str, &'a str)]) -> Result<Tree<'a>, Vec<Corruption>> {
    let mut problems = Vec::new();
    let mut root = IndexMap::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        let outcome = check_pieces(key).and_then(|()| plant(&mut root, index, key, value));
        problems.extend(outcome.err().map(|reason| fault(index, reason)));
    }
    if let Some(top) = root.keys().find(|piece| is_index(piece)) {
        let reason = format!("`{top}` is a list index, and the top of the file cannot be a list");
        let entry = entries
            .iter()
            .position(|(key, _)| key.split('.').next() == Some(top));
        problems.push(fault(entry.unwrap_or_default(), reason));
        return Err(problems);
    }
    let tree = Tree::Map(settle_all(root, &mut problems));
    problems.sort_by_key(|problem| problem.entry);
    if problems.is_empty() {
        Ok(tree)
    } else {
        Err(problems)
    }
}

fn fault(entry: usize, reason: String) -> Corruption {
    Corruption::of_entry(
        entry,
        reason,
        "write keys that form one tree, with list elements numbered 1, 2, 3 and so on",
    )
}

/// Whether a piece of a key counts the elements of a list.
pub(crate) fn is_index(piece: &str) -> bool {
    !piece.is_empty() && piece.chars().all(|c| c.is_ascii_digit())
}

fn check_pieces(key: &str) -> Result<(), String> {
    if key.split('.').any(str::is_empty) {
        return Err(format!("a piece of the key `{}` is empty", shown(key)));
    }
    if key.split('.').nth(DEEPEST).is_some() {
        return Err(format!("the key goes down more than {DEEPEST} levels"));
    }
    Ok(())
}

/// Puts one value at its place, if nothing else is there.
fn plant<'a>(
    root: &mut IndexMap<&'a str, Sketch<'a>>,
    entry: usize,
    key: &'a str,
    value: &'a str,
) -> Result<(), String> {
    let taken = || {
        format!(
            "`{}` is both a value and the beginning of other keys",
            shown(key)
        )
    };
    let (path, last) = key
        .rsplit_once('.')
        .map_or((None, key), |(path, last)| (Some(path), last));
    let mut here = root;
    for piece in path.into_iter().flat_map(|path| path.split('.')) {
        let fresh = || Sketch::Branch {
            first: entry,
            children: IndexMap::new(),
        };
        match here.entry(piece).or_insert_with(fresh) {
            Sketch::Leaf(_) => return Err(taken()),
            Sketch::Branch { children, .. } => here = children,
        }
    }
    if here.contains_key(last) {
        return Err(taken());
    }
    here.insert(last, Sketch::Leaf(value));
    Ok(())
}

fn settle_all<'a>(
    children: IndexMap<&'a str, Sketch<'a>>,
    problems: &mut Vec<Corruption>,
) -> Vec<(&'a str, Tree<'a>)> {
    children
        .into_iter()
        .map(|(piece, sketch)| (piece, settle(sketch, problems)))
        .collect()
}

/// Tells lists from maps.
fn settle<'a>(sketch: Sketch<'a>, problems: &mut Vec<Corruption>) -> Tree<'a> {
    let (first, children) = match sketch {
        Sketch::Leaf(value) => return Tree::Scalar(value),
        Sketch::Branch { first, children } => (first, children),
    };
    let indices = children.keys().filter(|piece| is_index(piece)).count();
    if indices == 0 {
        return Tree::Map(settle_all(children, problems));
    }
    if indices != children.len() {
        problems.push(fault(
            first,
            "names and list indices are mixed at one place".to_owned(),
        ));
        return Tree::List(Vec::new());
    }
    let mut elements = children;
    let mut list = Vec::with_capacity(indices);
    for number in 1..=indices {
        let Some(element) = elements.swap_remove(number.to_string().as_str()) else {
            let reason = format!(
                "the list has no element {number}; its indices must begin at 1 and leave no hole"
            );
            problems.push(fault(first, reason));
            break;
        };
        list.push(settle(element, problems));
    }
    Tree::List(list)
}
