//! The nearest known name, and lists of names for a message. Knows nothing of what the names are.

/// The known name that is near enough to what was written to be meant, if there is one.
/// Near: a Damerau-Levenshtein distance of at most a third of the length, or the same letters in
/// another case.
pub fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(distance, name)| *distance <= limit && !name.is_empty())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
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
    let names: Vec<String> = names.into_iter().map(|n| format!("`{n}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more > 1 {
        let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
        return format!("{} and {more} more", shown.join(", "));
    }
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
