//! A blueprint with all that stands around it, from its bytes to the files of every target.

#![no_main]

use flokkr::target::{self, Layout};
use flokkr_fuzz::{Texts, run};
use libfuzzer_sys::fuzz_target;

const LAYOUTS: [Layout; 3] = [Layout::Several, Layout::Single, Layout::Objects];

fuzz_target!(|input: &str| {
    run(
        &Texts::of(input),
        target::ALL,
        LAYOUTS[input.len() % LAYOUTS.len()],
    );
});
