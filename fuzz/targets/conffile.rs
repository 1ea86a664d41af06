//! Config files: any text is read or refused, and what is written is read back as it was.

#![no_main]

use arbitrary::Arbitrary;
use flokkr::conffile::{Format, parse, render};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input<'i> {
    format: u8,
    entries: Vec<(&'i str, &'i str)>,
    text: &'i str,
}

const READ: [Format; 4] = [Format::Xml, Format::Properties, Format::Cfg, Format::Env];

fuzz_target!(|input: Input<'_>| {
    let format = Format::ALL[usize::from(input.format) % Format::ALL.len()];
    come_back(format, &input.entries);
    if let Ok(entries) = parse(format, input.text) {
        let entries: Vec<_> = entries.iter().map(|(k, v)| (&**k, &**v)).collect();
        come_back(format, &entries);
    }
});

fn come_back(format: Format, entries: &[(&str, &str)]) {
    let Ok(text) = render(format, entries) else {
        return;
    };
    if READ.contains(&format) {
        let read = parse(format, &text).expect("a text that was written");
        let read: Vec<_> = read.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(read, entries, "{text}");
    }
}
