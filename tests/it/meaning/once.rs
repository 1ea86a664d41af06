//! What was wrong once, or no one looked at, as blueprints of one ensemble.

use super::random::judge;

/// An ensemble with the fields of one service.
fn ensemble(fields: &str) -> String {
    format!(
        "blueprint: v1\nname: made\nimages: {{ app: {{ ref: \"example/app:1\" }} }}\n\
         services:\n  app: {{ image: app, kind: ensemble, replicas: 2, {fields} }}\n"
    )
}

/// `env` sets what has a `=`, and takes what begins with a dash for an option.
#[test]
fn env_gets_no_name_and_no_word_wrong() {
    let differs = "{{ 'a' if replica.index == 0 else 'b' }}";
    let text = ensemble(&format!("entrypoint: [run], env: {{ -u: \"{differs}\" }}"));
    assert!(judge(&text).unwrap().0 > 0);
    let text = ensemble(&format!(
        "entrypoint: [b=c, run], env: {{ A: \"{differs}\" }}"
    ));
    assert!(judge(&text).unwrap().0 > 0);
}

#[test]
fn no_words_are_no_line() {
    for fields in ["entrypoint: []", "init: [{ name: step, command: [] }]"] {
        assert_eq!(judge(&ensemble(fields)).unwrap().0, 0, "{fields}");
    }
    assert_eq!(judge(&ensemble("command: []")).unwrap().1, 0);
}

/// Steps are called like the scripts that a target needs itself.
#[test]
fn scripts_of_steps_are_nobody_elses() {
    let steps = "init: [{ name: before, script: a }, { name: wait-for, script: b }, { name: c, script: d }]";
    let files = "files: { /flokkr/before-2.sh: e }";
    let text = ensemble(&format!("needs: [db], {steps}, {files}"));
    let text = text.replace("example/app:1\"", "example/app:1\", shell: bash")
        + "  db: { image: app, ports: { main: 1 } }\n";
    assert_eq!(judge(&text).unwrap().1, 0);
}

/// What a step runs may have lines, also where it differs from replica to replica.
#[test]
fn lines_in_words_of_steps_stay() {
    let step =
        |name: &str| format!("{{ name: {name}, command: [\"a\\n{{{{ replica.index }}}}\"] }}");
    let text = ensemble(&format!("init: [{}, {}]", step("one"), step("two")));
    assert_eq!(judge(&text).unwrap().1, 0);
}

/// A secret may have any character, so that a variable with it is quoted as a whole.
#[test]
fn a_secret_beside_a_number_is_quoted() {
    for number in ["index", "id"] {
        let value = format!("{{{{ replica.{number} }}}}{{{{ secret('token') }}}}");
        let text = ensemble(&format!("env: {{ A: \"{value}\" }}"));
        let text = text.replace("images:", "secrets: { token: { env: TOKEN } }\nimages:");
        assert!(judge(&text).unwrap().0 > 0, "{number}");
    }
}

/// A step may be taken in another image, whose launcher reads the same variables otherwise.
#[test]
fn a_step_is_given_what_its_own_launcher_reads() {
    let config = "config: { a.properties: { b: 'x\\y', c: d, e: f } }";
    let step = "init: [{ name: step, image: tool, command: [step] }]";
    let text = ensemble(&format!("{config}, {step}")).replace(
        "\"example/app:1\"",
        "\"example/app:1\", launcher: flokkr, argv: exec }, tool: { ref: \"tool:1\", launcher: launch",
    );
    assert_eq!(judge(&text).unwrap().1, 0);
}
