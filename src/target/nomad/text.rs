//! Texts that arrive as they are: what Nomad's client replaces in them, and the ways round.
//!
//! Seen with Nomad 1.11.3 (`helper/args`, `client/taskenv`, `hclutils.ParseHclInterface`):
//! - The parser of job files normalises every text to NFC, and puts a U+034F into more than 30 marks
//!   in a row (the Stream-Safe text format of UAX #15, `norm` of golang.org/x/text 0.34.0). What is to be
//!   composed is looked up there by the lower 16 bits of two characters, so that U+11F02 with U+0345
//!   becomes what U+1F02 with U+0345 is composed to.
//! - In variables, and in names and checks of services, the client replaces `${NAME}` of letters,
//!   digits, `_`, `-` and `.` once, by attributes of the node, `NOMAD_` variables and other
//!   variables, in random order. There is no escape, but `meta` is there by then: the `$` of such
//!   a text comes from `${NOMAD_META_dollar}`, and `${NOMAD_META_empty}` between two characters
//!   keeps the parser from composing them.
//! - The options of the driver are parsed as HCL templates a second time, so that `${` and `%{`
//!   are doubled twice. That pass ends at a lone carriage return, and drops a byte order mark at
//!   the beginning. It normalises again, so that nothing keeps two characters apart. Before, the
//!   options are JSON, whose reader goes from one cluster of characters to the next: it does not
//!   see a quote or a backslash behind a character that is shown before others (U+0600, say).

use std::collections::BTreeSet;

use unicode_normalization::char::{
    canonical_combining_class, compose, decompose_canonical, decompose_compatible,
};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::model::Text;
use crate::emit::hcl::{self, Piece};

/// The reference to the index of an allocation in its group.
pub(super) const INDEX: &str = "NOMAD_ALLOC_INDEX";

/// A text that comes from `meta`, because it can't stand where it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meta {
    /// `$`, where the client would replace what follows.
    Dollar,
    /// Nothing, between characters that would be composed.
    Empty,
    /// A carriage return.
    Return,
    /// A byte order mark.
    Mark,
}

impl Meta {
    const ALL: [Self; 4] = [Self::Dollar, Self::Empty, Self::Return, Self::Mark];

    /// The key in `meta`.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Dollar => "dollar",
            Self::Empty => "empty",
            Self::Return => "cr",
            Self::Mark => "bom",
        }
    }

    /// The value in `meta`.
    pub(super) fn value(self) -> &'static str {
        match self {
            Self::Dollar => "$",
            Self::Empty => "",
            Self::Return => "\r",
            Self::Mark => "\u{feff}",
        }
    }

    fn reference(self) -> &'static str {
        match self {
            Self::Dollar => "NOMAD_META_dollar",
            Self::Empty => "NOMAD_META_empty",
            Self::Return => "NOMAD_META_cr",
            Self::Mark => "NOMAD_META_bom",
        }
    }

    /// Those that a text refers to.
    pub(super) fn of(text: &Text) -> BTreeSet<Self> {
        let referred = |meta: &Self| {
            let reference = Piece::reference(meta.reference());
            text.contains(&reference)
        };
        Self::ALL.into_iter().filter(referred).collect()
    }
}

/// Why a text can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// This character has another normal form.
    Character(char),
    /// Characters that are composed by the parser stand in an option of the driver.
    Decomposed,
    /// So do characters that it takes for others, and composes.
    Mistaken,
    /// So do more marks than it leaves together.
    Crowded,
}

impl Unfit {
    /// What is said at the text.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Character(c) => format!(
                "Nomad's parser normalises every text (NFC), and makes another character of U+{:04X}",
                u32::from(c)
            ),
            Self::Decomposed => {
                "Nomad's parser normalises every text (NFC), and composes characters in it"
                    .to_owned()
            }
            Self::Mistaken => {
                "Nomad's parser normalises every text (NFC), looks at the lower 16 bits of characters, and \
                 composes some in it that it takes for others"
                    .to_owned()
            }
            Self::Crowded => {
                format!("Nomad's parser puts a U+034F into more than {MARKS} marks in a row")
            }
        }
    }
}

/// Does the parser leave a text as it is?
pub(super) fn is_normal(text: &str) -> bool {
    text.is_ascii() || (text.nfc().eq(text.chars()) && !is_mistaken(text) && !is_crowded(text))
}

/// Does the parser compose what no one else would: characters that it takes for others, in a text that is
/// normal otherwise? A text may begin with a mark, which then takes more marks.
fn is_mistaken(text: &str) -> bool {
    let mut base = None;
    // The class of the mark that was last put behind the base.
    let mut last = None;
    text.chars().any(|c| {
        let class = canonical_combining_class(c);
        let blocked = last.is_some_and(|last| last >= class);
        let mistaken = !blocked && joins(c) && base.is_some_and(|b| is_taken_for_others(b, c));
        if class == 0 || base.is_none() {
            base = Some(c);
            last = None;
        } else {
            last = Some(class);
        }
        mistaken
    })
}

/// Are there two other characters with the same lower 16 bits that are composed? Syllables of Hangul are not
/// looked up.
fn is_taken_for_others(first: char, second: char) -> bool {
    let others = |c: char| {
        let plane = move |plane: u32| char::from_u32((u32::from(c) & 0xffff) | plane << 16);
        [0, 1].into_iter().filter_map(plane)
    };
    others(first)
        .flat_map(|a| others(second).map(move |b| (a, b)))
        .filter(|pair| *pair != (first, second))
        .filter_map(|(a, b)| compose(a, b))
        .any(|composed| !('\u{ac00}'..='\u{d7a3}').contains(&composed))
}

/// Is a character composed with what stands before it, before some at least?
fn joins(c: char) -> bool {
    is_nfc_quick(std::iter::once(c)) == IsNormalized::Maybe
}

/// So many marks in a row the parser leaves together.
const MARKS: usize = 30;

/// Are there more marks in a row? Those of a composed character count, and whatever is composed with
/// what stands before it, or stands for such: vowels and finals of Hangul, say.
fn is_crowded(text: &str) -> bool {
    let mut count = 0;
    text.chars().any(|c| {
        if is_mark(c) {
            count += 1;
        } else {
            count = 0;
            decompose_canonical(c, |part| count = if is_mark(part) { count + 1 } else { 0 });
        }
        count > MARKS
    })
}

fn is_mark(c: char) -> bool {
    let mut marks = true;
    decompose_compatible(c, |part| {
        marks &= joins(part) || canonical_combining_class(part) != 0;
    });
    marks
}

/// A text in which the client replaces references.
pub(super) fn replaced(text: &str) -> Result<Text, Unfit> {
    let mut pieces = Text::new();
    let mut rest = text;
    while let Some((before, name, after)) = reference(rest) {
        normal(before, &mut pieces)?;
        pieces.push(Piece::reference(Meta::Dollar.reference()));
        pieces.push(Piece::Text(format!("{{{name}}}")));
        rest = after;
    }
    normal(rest, &mut pieces)?;
    Ok(joined(pieces))
}

/// The first `${NAME}` that the client looks at: what stands before it, the name, what follows.
fn reference(text: &str) -> Option<(&str, &str, &str)> {
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find("${")?;
        let inside = text.get(at + 2..)?;
        let (name, after) = inside.split_at_checked(inside.find(|c| !named(c))?)?;
        if let Some(after) = after.strip_prefix('}').filter(|_| !name.is_empty()) {
            return Some((text.get(..at)?, name, after));
        }
        from = at + 2;
    }
}

/// Text that the parser would compose, with nothing between its parts.
fn normal(text: &str, pieces: &mut Text) -> Result<(), Unfit> {
    if is_normal(text) {
        pieces.push(Piece::Text(text.to_owned()));
        return Ok(());
    }
    let mut part = String::new();
    // Nothing before it has to do with what comes.
    let mut start = 0;
    for c in text.chars() {
        if !std::iter::once(c).nfc().eq(std::iter::once(c)) {
            return Err(Unfit::Character(c));
        }
        if !is_mark(c) {
            start = part.len();
        }
        part.push(c);
        if !part.get(start..).is_some_and(is_normal) {
            part.pop();
            pieces.push(Piece::Text(std::mem::take(&mut part)));
            pieces.push(Piece::reference(Meta::Empty.reference()));
            part.push(c);
            start = 0;
        }
    }
    pieces.push(Piece::Text(part));
    Ok(())
}

/// An option of the driver: a text that is parsed a second time.
pub(super) fn option(text: &str) -> Result<Text, Unfit> {
    if !is_normal(text) {
        let alone = text
            .chars()
            .find(|c| !std::iter::once(*c).nfc().eq(std::iter::once(*c)));
        let together = if !text.nfc().eq(text.chars()) {
            Unfit::Decomposed
        } else if is_mistaken(text) {
            Unfit::Mistaken
        } else {
            Unfit::Crowded
        };
        return Err(alone.map_or(together, Unfit::Character));
    }
    let mut pieces = Text::new();
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut run = None;
    let mut first = true;
    while let Some(c) = chars.next() {
        let meta = match c {
            '\u{feff}' if first => Some(Meta::Mark),
            '\r' if chars.peek() != Some(&'\n') => Some(Meta::Return),
            _ => None,
        };
        first = false;
        if let Some(meta) = meta {
            run = None;
            pieces.push(Piece::Text(std::mem::take(&mut out)));
            pieces.push(Piece::reference(meta.reference()));
            continue;
        }
        match (c, run) {
            ('{', Some(dollar)) => {
                out.push(dollar);
                out.push('{');
                run = None;
            }
            ('$' | '%', _) => {
                out.push(c);
                run = Some(c);
            }
            _ => {
                out.push(c);
                run = None;
            }
        }
        if hcl::is_shown_before(c) && chars.peek().is_none_or(|next| is_escaped_in_json(*next)) {
            pieces.push(Piece::Text(std::mem::take(&mut out)));
            pieces.push(Piece::reference(Meta::Empty.reference()));
        }
    }
    pieces.push(Piece::Text(out));
    Ok(apart(pieces))
}

fn is_escaped_in_json(c: char) -> bool {
    c.is_control() || matches!(c, '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

/// The pieces of an option: a `$` before a reference would make it an escape, so that it becomes an
/// expression of its own.
pub(super) fn apart(pieces: Text) -> Text {
    let mut out: Text = Vec::with_capacity(pieces.len());
    for piece in joined(pieces) {
        if let (Some(Piece::Text(last)), Piece::Reference(_)) = (out.last_mut(), &piece)
            && last.ends_with('$')
        {
            let dollars = last.split_off(last.trim_end_matches('$').len());
            last.push_str("${\"");
            last.push_str(&dollars);
            last.push_str("\"}");
        }
        out.push(piece);
    }
    out
}

/// Neighbouring texts as one, empty ones dropped.
pub(super) fn joined(pieces: Text) -> Text {
    let mut out = Text::new();
    for piece in pieces {
        match (out.last_mut(), piece) {
            (Some(Piece::Text(last)), Piece::Text(text)) => last.push_str(&text),
            (_, Piece::Text(text)) if text.is_empty() => {}
            (_, piece) => out.push(piece),
        }
    }
    out
}
