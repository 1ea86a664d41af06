//! One text for all replicas: [`fit`] finds the pieces whenever there are some, never gives a
//! replica another text than its own, and comes to an end.

use std::time::Duration;

use flokkr::plan::{Part, Value};
use flokkr::target::{Piece, fit};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::env::hostile;
use crate::properties::cases_or;

/// As a plan writes a secret into a text.
fn token_of_secret(name: &str) -> String {
    let token = format!("\0secret:{name}\0");
    let value = Value::new(token.as_str());
    assert_eq!(value.parts().collect::<Vec<_>>(), [Part::Secret(name)]);
    token
}

/// The texts of the tokens: the names of pods, their numbers, and ids that count from 1.
fn tokens(replicas: u32, first: u32) -> Vec<Vec<String>> {
    let texts = |text: &dyn Fn(u32) -> String| (0..replicas).map(text).collect();
    vec![
        texts(&|i| format!("db-{}", first + i)),
        texts(&|i| (first + i).to_string()),
        texts(&|i| (i + 1).to_string()),
    ]
}

/// What pieces give a replica.
fn given(pieces: &[Piece], tokens: &[Vec<String>], replica: usize) -> String {
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Secret(name) => token_of_secret(name),
        Piece::Token(token) => tokens[*token][replica].clone(),
    });
    texts.collect()
}

fn values(texts: &[String]) -> Vec<Value> {
    texts.iter().map(|t| Value::new(t.as_str())).collect()
}

/// Whatever is found gives every replica its text; is anything found?
fn found(texts: &[String], tokens: &[Vec<String>]) -> bool {
    let values = values(texts);
    let values: Vec<&Value> = values.iter().collect();
    let Some(pieces) = fit(&values, tokens) else {
        return false;
    };
    for (replica, text) in texts.iter().enumerate() {
        assert_eq!(&given(&pieces, tokens, replica), text, "{pieces:?}");
    }
    true
}

/// Texts that look like tokens, parts of them, and what platforms change.
fn literal() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "0", "1", "2", "9", "10", "11", "12", "db", "db-", "-", "db-1", "db-10", "d", "$", "$$",
        "$(", "é", "😀", "", ".",
    ]);
    let hostile = hostile().prop_map(|text| text.replace('\0', ""));
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => hostile]
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        3 => literal().prop_map(Piece::Text),
        3 => (0..3usize).prop_map(Piece::Token),
        1 => "[a-z]{1,2}".prop_map(Piece::Secret),
    ]
}

proptest! {
    #![proptest_config(cases_or(256))]

    #[test]
    fn pieces_that_exist_are_found(
        replicas in 1u32..20, first in 0u32..4, pieces in vec(piece(), 0..7),
    ) {
        let tokens = tokens(replicas, first);
        let texts: Vec<String> = (0..replicas as usize)
            .map(|replica| given(&pieces, &tokens, replica))
            .collect();
        prop_assert!(found(&texts, &tokens), "{texts:?}");
    }

    #[test]
    fn what_has_no_pieces_is_never_given_some(
        replicas in 2u32..20, first in 0u32..4, pieces in vec(piece(), 0..5),
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), other in literal(),
    ) {
        let tokens = tokens(replicas, first);
        let mut texts: Vec<String> = (0..replicas as usize)
            .map(|replica| given(&pieces, &tokens, replica))
            .collect();
        let text = which.get(&texts);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let at = *at.get(&places);
        texts[which.index(replicas as usize)].insert_str(at, &other);
        found(&texts, &tokens);
    }

    #[test]
    fn texts_without_any_order_are_never_mixed_up(
        texts in vec(vec(literal(), 0..3), 2..6), first in 0u32..4,
    ) {
        let texts: Vec<String> = texts.iter().map(|pieces| pieces.concat()).collect();
        found(&texts, &tokens(u32::try_from(texts.len()).unwrap(), first));
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

#[test]
fn numbers_of_several_digits_are_told_apart() {
    let numbers: Vec<String> = (9..12).map(|n: u32| n.to_string()).collect();
    let tokens = [numbers];
    assert!(found(&owned(&["9", "10", "11"]), &tokens));
    assert!(found(&owned(&["19", "110", "111"]), &tokens));
    assert!(found(&owned(&["99", "1010", "1111"]), &tokens));
    assert!(!found(&owned(&["9", "1", "1"]), &tokens));
    assert!(!found(&owned(&["10", "11", "12"]), &tokens));
    assert!(!found(&owned(&["90", "100", "11"]), &tokens));
    assert!(!found(&owned(&["9", "10", ""]), &tokens));
}

#[test]
fn a_secret_is_no_text() {
    let tokens = [owned(&["0", "1"])];
    let secret = |name: &str| token_of_secret(name);
    assert!(found(&[secret("a") + "0", secret("a") + "1"], &tokens));
    assert!(!found(&[secret("a"), secret("b")], &tokens));
    // Its name is not a place for a token.
    assert!(!found(&[secret("n0"), secret("n1")], &tokens));
    assert!(!found(&[secret("a"), "a".to_owned()], &tokens));
}

/// Much more than a blueprint has, and much more time than it takes.
#[test]
fn long_texts_and_many_replicas_come_to_an_end() {
    for work in [long_texts, many_ways, many_replicas] {
        let (done, wait) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            work();
            done.send(()).unwrap();
        });
        wait.recv_timeout(Duration::from_secs(30)).expect("an end");
    }
}

fn long_texts() {
    let tokens = tokens(2, 9);
    let run = "9".repeat(20_000);
    let ten = "10".repeat(10_000);
    assert!(!found(&[format!("{run}x"), format!("{ten}y")], &tokens));
    let equal = "db-".repeat(10_000);
    assert!(!found(&[format!("{equal}x"), format!("{equal}y")], &tokens));
    assert!(found(&[format!("{equal}9"), format!("{equal}10")], &tokens));
}

/// Each name can be gone through in two ways.
fn many_ways() {
    let names = |n: u32| format!("db-{n}").repeat(60);
    assert!(!found(&[names(9) + "x", names(10) + "y"], &tokens(2, 9)));
}

fn many_replicas() {
    let tokens = tokens(1000, 0);
    let start = "db-1".repeat(50);
    let mut texts: Vec<String> = (0..1000).map(|i| format!("{start}{i}")).collect();
    assert!(found(&texts, &tokens));
    texts[999].push('!');
    assert!(!found(&texts, &tokens));
}
