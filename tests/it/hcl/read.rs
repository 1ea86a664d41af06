//! A small reader of texts in HCL, written from the specification and from what Nomad's parser was
//! seen to do.

/// The text of a quoted string. `${NAME}` stays, as Nomad's parser leaves what it does not know.
pub fn unquoted(text: &str) -> String {
    plain(&unescaped(text))
}

/// The template that a quoted string is.
pub fn unescaped(text: &str) -> String {
    let inside = text.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    let mut out = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        assert!(c != '"' && !c.is_control(), "{text} has a bare {c:?}");
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().unwrap() {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            c @ ('"' | '\\') => out.push(c),
            c @ ('u' | 'U') => {
                let count = if c == 'u' { 4 } else { 8 };
                let digits: String = chars.by_ref().take(count).collect();
                out.push(char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap());
            }
            other => panic!("no escape: \\{other}"),
        }
    }
    out
}

/// A template without expressions: of a run of `$` or `%` before `{` one is taken away; one alone
/// would begin an expression, which is only left alone when it is a name.
fn plain(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c != '$' && c != '%' {
            out.push(c);
            at += 1;
            continue;
        }
        let run = chars[at..].iter().take_while(|x| **x == c).count();
        let opens = chars.get(at + run) == Some(&'{');
        if opens && run == 1 {
            let name: String = chars[at + 2..].iter().take_while(|x| **x != '}').collect();
            let named = |x: char| x.is_ascii_alphanumeric() || "_.-".contains(x);
            assert!(c == '$' && name.chars().all(named), "an expression: {text}");
        }
        out.extend(std::iter::repeat_n(c, run - usize::from(opens && run > 1)));
        at += run;
    }
    out
}

/// The text of an indented heredoc.
pub fn flushed(text: &str) -> String {
    let (head, rest) = text.split_once('\n').unwrap();
    let marker = head.strip_prefix("<<-").unwrap();
    let mut lines: Vec<&str> = Vec::new();
    for line in rest.split('\n') {
        if line.trim() == marker {
            break;
        }
        lines.push(line);
    }
    let blanks = |l: &str| l.chars().take_while(|c| c.is_whitespace()).count();
    let shown = lines.iter().filter(|l| !l.trim().is_empty());
    let least = shown.map(|l| blanks(l)).min().unwrap_or(0);
    let mut out = String::new();
    for line in lines {
        if line.trim().is_empty() {
            out.push_str(line);
        } else {
            out.extend(line.chars().skip(least));
        }
        out.push('\n');
    }
    plain(&out)
}
