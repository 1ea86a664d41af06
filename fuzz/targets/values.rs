//! Values files and `--set` for a blueprint with a variable of every type: the input is a file,
//! and behind a line `=== set` arguments, a line each.

#![no_main]

use flokkr::target::{self, Layout};
use flokkr_fuzz::{Texts, run, split};
use libfuzzer_sys::fuzz_target;

const BLUEPRINT: &str = r#"
blueprint: v1
name: demo
vars:
  text: "x"
  word: 512m
  whole: 3
  number: 0.5
  truth: false
  list: [a, "{{ whole }}"]
  map: { a: 1, b: { c: "d" }, e: [1] }
  open: null
  made: "{{ text }}-{{ whole + 1 }}-{{ map.a }}"
images:
  app: { ref: "example/app:{{ word }}" }
services:
  app:
    image: app
    kind: ensemble
    replicas: "{{ [whole, 5] | min }}"
    args: "{{ list }}"
    env:
      TEXT: "{{ text }}"
      MADE: "{{ made }}"
      NUMBER: "{{ number }}"
      TRUTH: "{{ truth }}"
      LIST: "{{ list | join(',') }}"
      MAP: "{{ map.b.c }}"
      OPEN: "{{ open }}"
    files: { /etc/app: { text: "{{ map.e }}{{ open }}" } }
"#;

fuzz_target!(|input: &str| {
    let parts = split(input);
    let values = parts[0].1;
    let sets = parts.get(1).map_or("", |(_, text)| text);
    let texts = Texts::with(BLUEPRINT).given(values, sets);
    run(&texts, &target::ALL[..1], Layout::Several);
});
