//! The nearest known name, and lists of names for a message. Knows nothing of what the names are.

/// Nobody who writes more letters than this means a name.
const LONGEST: usize = 100;

/// The known name that is near enough to what was written to be meant, if there is one.
/// Near: a Damerau-Levenshtein distance of at most a third of the length, or the same letters in
/// another case.
pub fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = written.chars().take(LONGEST + 1).count();
    if length > LONGEST {
        return None;
    }
    let limit = (length / 3).clamp(1, 4);
    let written_letters = letters(written);
    known
        .into_iter()
        .filter(|name| {
            // A distance takes long to find, and there may be thousands of names.
            let other = name.chars().take(LONGEST + 5).count();
            let different = (letters(name) ^ written_letters).count_ones() as usize;
            other.abs_diff(length) <= limit && different <= 2 * limit
        })
        .map(|name| (distance(written, name), name))
        .filter(|(distance, name)| *distance <= limit && !name.is_empty())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The set of a name's letters, whatever their case: one step of a distance takes one away and adds
/// another.
fn letters(name: &str) -> u64 {
    let bits = name
        .chars()
        .take(LONGEST + 5)
        .map(|c| 1 << (u32::from(c.to_ascii_lowercase()) % 64));
    bits.fold(0, |all: u64, bit: u64| all | bit)
}

fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return 0;
    }
    // A plural or a missing end is the commonest slip of all; it counts as one whatever the length.
    if a.len().abs_diff(b.len()) == 1 && (a.starts_with(b) || b.starts_with(a)) {
        return 1;
    }
    strsim::damerau_levenshtein(a, b)
}

/// "`a`, `b` or `c`"; long lists are cut after 30 names.
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 30;
    let mut names = names.into_iter();
    let shown = names.by_ref().take(SHOWN + 1);
    let shown: Vec<String> = shown.map(|n| format!("`{n}`")).collect();
    let more = names.count();
    if more > 0 {
        let shown: Vec<&str> = shown.iter().take(SHOWN).map(String::as_str).collect();
        return format!("{} and {} more", shown.join(", "), more + 1);
    }
    match shown.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
