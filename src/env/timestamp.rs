//! Times of YAML: what readers of YAML 1.1 take for one, and the writer yaml.v2 2.4.0 does not, so that
//! it leaves the quotes out.

/// Is a text without quotes a time to readers of YAML 1.1, and none to yaml.v2, which then writes it so?
/// A tab always has quotes.
pub(super) fn is_written_plain(text: &str) -> bool {
    !text.contains('\t') && Moment::read(text).is_some_and(|moment| !moment.is_known_to_go())
}

/// What YAML 1.1 calls a timestamp (`yaml.org/type/timestamp`; the resolver of `SnakeYAML` 2.2).
struct Moment<'a> {
    year: &'a str,
    month: &'a str,
    day: &'a str,
    /// What stands before the clock, the clock and its fraction, and the zone with blanks before it.
    clock: Option<(&'a str, [&'a str; 3], Option<&'a str>, &'a str)>,
}

impl<'a> Moment<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (year, rest) = digits(text, 4, 4)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
        let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
        let date = |clock| Self {
            year,
            month,
            day,
            clock,
        };
        if rest.is_empty() {
            return (month.len() == 2 && day.len() == 2).then(|| date(None));
        }
        let (between, rest) = match rest.strip_prefix(['T', 't']) {
            Some(after) => ("T", after),
            None => blanks(rest),
        };
        if between.is_empty() {
            return None;
        }
        let (hour, rest) = digits(rest, 1, 2)?;
        let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let (second, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (fraction, rest) = digits(rest, 0, usize::MAX)?;
                (Some(fraction), rest)
            }
            None => (None, rest),
        };
        let zone = blanks(rest).1;
        let is_zone = match zone.strip_prefix(['+', '-']) {
            Some(offset) => {
                let (_, minutes) = digits(offset, 1, 2)?;
                let minutes = minutes.strip_prefix(':').map(|m| digits(m, 2, 2));
                match minutes {
                    None => digits(offset, 1, 2)?.1.is_empty(),
                    Some(minutes) => minutes?.1.is_empty(),
                }
            }
            // Blanks alone are none of it.
            None => zone == "Z" || rest.is_empty(),
        };
        is_zone.then(|| date(Some((between, [hour, minute, second], fraction, rest))))
    }

    /// One of the four forms that yaml.v2 knows (`allowedTimestampFormats`), and a time that there is.
    fn is_known_to_go(&self) -> bool {
        let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
        let (year, month, day) = (number(self.year), number(self.month), number(self.day));
        let days = match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if !(1..=days).contains(&day) {
            return false;
        }
        let Some((between, [hour, minute, second], fraction, zone)) = self.clock else {
            return true;
        };
        let is_form = match between {
            "T" => {
                zone == "Z"
                    || zone
                        .strip_prefix(['+', '-'])
                        .and_then(|offset| offset.split_once(':'))
                        .is_some_and(|(h, m)| h.len() == 2 && number(h) <= 24 && number(m) <= 60)
            }
            _ => zone.is_empty(),
        };
        is_form
            && fraction.is_none_or(|digits| !digits.is_empty())
            && number(hour) < 24
            && number(minute) < 60
            && number(second) < 60
    }
}

/// So many digits at the beginning, as many as there are, and the rest.
fn digits(text: &str, least: usize, most: usize) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (least <= end).then(|| text.split_at(end.min(most)))
}

/// The blanks at the beginning, and the rest.
fn blanks(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches([' ', '\t']);
    text.split_at(text.len() - rest.len())
}
