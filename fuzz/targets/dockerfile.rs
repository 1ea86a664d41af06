//! Dockerfiles: any text ends for the reader of the tests, and what flokkr writes is read back as
//! it was.

#![no_main]

use std::panic;

use arbitrary::Arbitrary;
use flokkr::emit::dockerfile::{Instruction, document, writable};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/docker/read.rs"]
mod read;

#[derive(Debug, Arbitrary)]
struct Input<'i> {
    text: &'i str,
    pairs: Vec<(&'i str, &'i str)>,
    words: Vec<String>,
}

fuzz_target!(
    // A text that is refused is the end of a test, not of the run.
    init: panic::set_hook(Box::new(|_| {})),
    |input: Input<'_>| {
        let _ = panic::catch_unwind(|| {
            for line in read::instructions(input.text, "ENV") {
                let _ = read::pair(line);
            }
            for line in read::instructions(input.text, "CMD") {
                let _ = read::exec(line);
            }
        });
        let written: Vec<_> = input
            .pairs
            .into_iter()
            .filter(|(name, value)| {
                let name_taken = !name.is_empty() && !name.contains('=') && writable(name);
                name_taken && writable(value) && !name.contains('\0') && !value.contains('\0')
            })
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut instructions: Vec<_> = written
            .iter()
            .map(|(name, value)| Instruction::Env(name.clone(), value.clone()))
            .collect();
        instructions.push(Instruction::Cmd(input.words.clone()));
        let text = document(&instructions);
        let alike = panic::catch_unwind(|| {
            let pairs: Vec<_> = read::instructions(&text, "ENV")
                .into_iter()
                .map(read::pair)
                .collect();
            let lines = read::instructions(&text, "CMD");
            pairs == written && lines.len() == 1 && read::exec(lines[0]) == input.words
        });
        if !alike.unwrap_or(false) {
            eprintln!("not read as it was written:\n{text}");
            std::process::abort();
        }
    }
);
