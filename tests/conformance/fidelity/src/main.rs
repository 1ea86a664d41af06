//! Fidelity: hostile names and values, made from a seed, go through flokkr and then through a
//! platform's own code, and every byte must arrive.
//!
//! ```text
//! fidelity TARGET --flokkr PATH --program PATH... [--seed N] [--count N] [--first N] [--keep DIR]
//! fidelity config --readers DIR ...
//! fidelity compose|docker|kubernetes|nomad --flokkr PATH --witness IMAGE ...
//! ```
//!
//! A run begins with batch 0, or with `--first`, so that a difference can be seen again alone. With an
//! image that has the witness in it, a running Docker Engine, node of Kubernetes or Nomad agent takes the
//! place of the program, and what is compared is what real processes got.
//!
//! What flokkr refuses must say so on its own line of the blueprint, and is then written without
//! flokkr, in every careful spelling that the program knows: one that arrives is a difference, too.
//! It ends with 1 when there are differences, and prints each with its place and its bytes.
//!
//! [`hostile`] makes texts, [`batch`] puts them into blueprints and knows what must arrive,
//! [`generator`] runs flokkr, [`consumer`] the programs, [`launcher`] those that images begin with,
//! [`engine`] the containers, [`script`] bash, and [`compare`] finds what differs.

mod batch;
mod compare;
mod consumer;
mod engine;
mod generator;
mod hostile;
mod launcher;
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use batch::{Batch, PLACES, Place};
use consumer::Consumer;
use generator::Problem;

/// So many cases are in one blueprint.
const BATCH: usize = 1000;

/// And so many in one that is run: some 60 containers.
const RUN_BATCH: usize = 500;

/// After so many differences the rest tells nothing new.
const ENOUGH: usize = 20;

/// What is asked for.
struct Options {
    consumer: &'static Consumer,
    flokkr: PathBuf,
    judge: Judge,
    /// The folder of what makes and reads config files.
    readers: Option<PathBuf>,
    seed: u64,
    count: usize,
    first: usize,
    keep: Option<PathBuf>,
}

/// Who says what arrives.
enum Judge {
    /// Programs around the platform's own code, of one version each, which all must say the same.
    Programs(Vec<PathBuf>),
    /// The processes themselves, which are of this image.
    Witness(String),
}

/// What was seen.
#[derive(Default)]
struct Tally {
    carried: BTreeMap<Place, usize>,
    /// By the kind of problem, and how often.
    refused: BTreeMap<String, usize>,
    /// How many processes there were.
    processes: usize,
    differences: Vec<String>,
}

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == script::SAY) {
        println!("{}", script::say(words));
        return ExitCode::SUCCESS;
    }
    let options = match options() {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("fidelity: {wrong}");
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    let mut tally = Tally::default();
    let most = match options.judge {
        Judge::Programs(_) => BATCH,
        Judge::Witness(_) => RUN_BATCH,
    };
    let mut made = 0;
    let mut number = options.first;
    while made < options.count && tally.differences.len() < ENOUGH {
        let size = most.min(options.count - made);
        match judge(&options, number, size, &mut tally) {
            Ok(cases) => made += cases,
            Err(wrong) => {
                tally.differences.push(format!("batch {number}: {wrong}"));
                break;
            }
        }
        number += 1;
    }
    report(&options, &tally, made, started)
}

/// One batch; how many cases it has.
fn judge(
    options: &Options,
    number: usize,
    size: usize,
    tally: &mut Tally,
) -> Result<usize, String> {
    let consumer = options.consumer;
    let scratch = Scratch::new(options.keep.as_deref(), number)?;
    let witness = match &options.judge {
        Judge::Programs(_) => None,
        Judge::Witness(image) => Some(image.clone()),
    };
    let mut batch = Batch::new(consumer.shape, witness, options.seed, number, size);
    let mut all = BTreeMap::new();
    batch.count(&mut all);
    let cases = all.values().sum();
    let mut refused = Vec::new();
    let folder = (0..6).find_map(|round| {
        let out = scratch.path.join(format!("round-{round}"));
        settle(options, &mut batch, &out, &mut refused, tally).transpose()
    });
    let folder = folder.ok_or("flokkr refuses more at every turn")??;
    batch.count(&mut tally.carried);
    let expected = batch.expected();
    let all = match &options.judge {
        Judge::Programs(programs) => {
            let mut all = Vec::new();
            for program in programs {
                let mut processes = consumer.processes(program, &folder)?;
                if let Some(readers) = &options.readers {
                    consumer::entries(&mut processes, &batch.configs(), readers, &folder)?;
                }
                all.push(("", processes));
            }
            all
        }
        Judge::Witness(image) => consumer.run(image, &folder, &expected)?,
    };
    let place = format!("batch {number} of seed {}", options.seed);
    for (builder, processes) in all {
        tally.processes += processes.len();
        let found = compare::differences(&expected, &processes).into_iter();
        let by = if builder.is_empty() { "" } else { ", by " };
        let found = found.map(|line| format!("{place}{by}{builder}: {line}"));
        tally.differences.extend(found.take(ENOUGH));
    }
    // What is refused was written in other ways for the program, which is the faster.
    let Judge::Programs(programs) = &options.judge else {
        return Ok(cases);
    };
    // What differs from replica to replica is no question of spelling alone, and no text of a
    // blueprint has a NUL.
    refused.retain(|case| {
        let asked = !matches!(case.place, Place::Key(..) | Place::Patch) && !consumer.is_own(case);
        asked && !case.value.differs() && !case.has_nul()
    });
    let answers: Result<Vec<_>, _> = programs
        .iter()
        .map(|program| consumer.answers(program, batch.settings, &refused))
        .collect();
    let answers = answers?;
    for (index, case) in refused.iter().enumerate() {
        let mut of_each = answers.iter().map(|all| &all[index]);
        // Where one of the versions loses it, it is rightly refused.
        let Some(answer) = of_each.next() else {
            continue;
        };
        if answer.carried && of_each.all(|other| other.carried) {
            let (value, how) = (case.value.of_replica(0), &answer.how);
            tally.differences.push(format!(
                "{place}: refused, and yet it can be carried ({how}): {:?} {:?} = {:?}",
                case.place,
                case.name,
                compare::shortened(&value)
            ));
        }
    }
    Ok(cases)
}

/// One run of flokkr: the folder of its files, if it refuses nothing any more.
fn settle(
    options: &Options,
    batch: &mut Batch,
    out: &Path,
    refused: &mut Vec<batch::Case>,
    tally: &mut Tally,
) -> Result<Option<PathBuf>, String> {
    let path = out.with_extension("yaml");
    std::fs::write(&path, batch.blueprint()).map_err(|e| format!("{}: {e}", path.display()))?;
    let outcome = generator::generate(&options.flokkr, options.consumer.shape.target, &path, out)?;
    let (mut keys, mut clashes) = (BTreeSet::new(), BTreeSet::new());
    for problem in &outcome.problems {
        if outcome.written && batch.at(problem.line).is_none() {
            continue;
        }
        for line in problem.lines() {
            let Some(key) = batch.at(line) else {
                let Problem {
                    message, expected, ..
                } = problem;
                return Err(format!("line {line}: {message}: {expected}"));
            };
            // Two names that can't be together are no question of spelling.
            if ["label-clash", "name-clash"].contains(&problem.code.as_str()) {
                clashes.insert(key);
            }
            if keys.insert(key) {
                *tally.refused.entry(problem.code.clone()).or_default() += 1;
            }
        }
    }
    let gone = batch.remove(&keys).into_iter();
    refused.extend(
        gone.filter(|(key, _)| !clashes.contains(key))
            .map(|(_, case)| case),
    );
    match (outcome.written, keys.is_empty()) {
        (true, true) => Ok(Some(out.to_owned())),
        (_, false) => Ok(None),
        (false, true) => Err("flokkr wrote nothing and said nothing".to_owned()),
    }
}

fn report(options: &Options, tally: &Tally, made: usize, started: Instant) -> ExitCode {
    for line in &tally.differences {
        println!("{line}");
    }
    let carried: usize = tally.carried.values().sum();
    let by_place = PLACES
        .iter()
        .filter_map(|(place, name)| Some(format!("{} {name}", tally.carried.get(place)?)));
    println!(
        "{}, seed {}: {made} texts in {:.0} s: {carried} carried to {} processes ({}), {} refused, {} differences",
        options.consumer.name(),
        options.seed,
        started.elapsed().as_secs_f64(),
        tally.processes,
        by_place.collect::<Vec<_>>().join(", "),
        made - carried.min(made),
        tally.differences.len()
    );
    for (code, count) in &tally.refused {
        println!("  refused as {code}: {count}");
    }
    if tally.differences.is_empty() && carried > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options() -> Result<Options, String> {
    let mut words = std::env::args().skip(1);
    let target = words.next().ok_or("name a target")?;
    let consumer = consumer::ALL.into_iter().find(|c| c.name() == target);
    let consumer = consumer.ok_or_else(|| format!("there is no target {target} here"))?;
    let (mut flokkr, mut judge, mut readers, mut keep) = (None, None, None, None);
    let mut programs = Vec::new();
    let (mut seed, mut count, mut first) = (1, 20_000, 0);
    while let Some(word) = words.next() {
        let value = words
            .next()
            .ok_or_else(|| format!("{word} needs a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{word}: {value} is no number"))
        };
        match word.as_str() {
            "--flokkr" => flokkr = Some(PathBuf::from(value)),
            "--program" => programs.push(PathBuf::from(value)),
            "--witness" => judge = Some(Judge::Witness(value)),
            "--readers" => readers = Some(PathBuf::from(value)),
            "--keep" => keep = Some(PathBuf::from(value)),
            "--seed" => seed = number()?,
            "--first" => first = usize::try_from(number()?).map_err(|e| e.to_string())?,
            "--count" => count = usize::try_from(number()?).map_err(|e| e.to_string())?,
            _ => return Err(format!("{word} is not known")),
        }
    }
    if judge.is_none() && !programs.is_empty() {
        judge = Some(Judge::Programs(programs));
    }
    Ok(Options {
        consumer,
        flokkr: flokkr.ok_or("--flokkr is missing")?,
        judge: judge.ok_or("--program or --witness is missing")?,
        readers,
        seed,
        count,
        first,
        keep,
    })
}

/// The folder of a batch, which goes with it unless it is kept.
struct Scratch {
    path: PathBuf,
    kept: bool,
}

impl Scratch {
    fn new(keep: Option<&Path>, number: usize) -> Result<Self, String> {
        let parent = keep.map_or_else(std::env::temp_dir, Path::to_owned);
        let path = parent.join(format!("fidelity-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self {
            path,
            kept: keep.is_some(),
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept {
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
