//! Templates: what they give, or where they are wrong.

#![no_main]

use flokkr::problem::{Problems, Sources, Span};
use flokkr::template::{Engine, MAX_TEXT, Value, plain_value};
use flokkr_fuzz::check_problems;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let engine = Engine::default();
    let list: Vec<Value> = ["a", "b", "10"].into_iter().map(Value::from).collect();
    let pairs = [
        ("text", Value::from("some text")),
        ("number", Value::from(3)),
        ("fraction", Value::from(0.5)),
        ("truth", Value::from(true)),
        ("list", Value::from(list)),
        ("map", Value::from_pairs([("a", Value::from(1))])),
    ];
    let context = Value::from_pairs(pairs);
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let source = sources.add("input", input);
    let span = Span::new(source, 0, input.len());
    let mut wrong = |failure: &flokkr::template::Failure| {
        problems.add(failure.problem(input, span, &sources, &|| vec!["text".to_owned()]));
    };
    match engine.render(input, &context) {
        Ok(text) => {
            assert!(text.len() <= MAX_TEXT);
            let _ = plain_value(&text);
        }
        Err(failure) => wrong(&failure),
    }
    if let Some(Err(failure)) = engine.expression(input, &context) {
        wrong(&failure);
    }
    let _ = engine.names(input);
    let _ = check_problems(&problems, &sources);
});
