//! Waits until others answer: all at once, each about once a second.
//!
//! A name is looked up for each try, since a replica that is started anew has another address.

use std::collections::BTreeSet;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Failure, fetch, reason, say};
use crate::launch::{Endpoint, Waits};

/// An address that is gone answers nothing for minutes.
const ONE_TRY: Duration = Duration::from_secs(2);
/// The pause between two tries.
pub(super) const BETWEEN: Duration = Duration::from_secs(1);
/// How often is said what is missing.
pub(super) const SAID: Duration = Duration::from_secs(10);

/// Returns when as many answer as must.
pub(super) fn for_all(waits: &Waits) -> Result<(), Failure> {
    let began = Instant::now();
    let (sender, answers) = channel();
    for (index, endpoint) in waits.endpoints.iter().enumerate() {
        let (sender, endpoint) = (sender.clone(), endpoint.clone());
        thread::spawn(move || {
            loop {
                let answer = try_once(&endpoint);
                let done = answer.is_ok();
                // Nobody listens any more when the wait is over.
                if sender.send((index, answer)).is_err() || done {
                    return;
                }
                thread::sleep(BETWEEN);
            }
        });
    }
    let mut missing: Vec<Option<String>> =
        vec![Some("no answer".to_owned()); waits.endpoints.len()];
    let mut said: Option<Instant> = None;
    let mut tried = BTreeSet::new();
    let there = |missing: &[Option<String>]| missing.iter().filter(|m| m.is_none()).count();
    while there(&missing) < waits.count {
        // However short the limit is, each is tried once.
        let limit = if tried.len() < waits.endpoints.len() {
            waits.limit.max(ONE_TRY)
        } else {
            waits.limit
        };
        let left = limit.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Err(Failure::new(format!(
                "after {} s only {} of {} answer; missing: {}",
                waits.limit.as_secs(),
                there(&missing),
                waits.count,
                list(waits, &missing)
            )));
        }
        match answers.recv_timeout(left.min(SAID)) {
            Ok((index, answer)) => {
                let Some(one) = missing.get_mut(index) else {
                    continue;
                };
                let came = answer.is_ok();
                tried.insert(index);
                *one = answer.err();
                let endpoint = waits.endpoints.get(index);
                if let Some(endpoint) = endpoint.filter(|_| came) {
                    say(&format!(
                        "{endpoint} answers ({} of {})",
                        there(&missing),
                        waits.count
                    ));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::new("nothing tries to reach what is waited for"));
            }
        }
        let due = said.map_or(began.elapsed() > BETWEEN, |last| last.elapsed() >= SAID);
        if due && there(&missing) < waits.count {
            said = Some(Instant::now());
            say(&format!("waiting for {}", list(waits, &missing)));
        }
    }
    Ok(())
}

fn list(waits: &Waits, missing: &[Option<String>]) -> String {
    let names = waits.endpoints.iter().zip(missing);
    let names = names.filter_map(|(endpoint, why)| Some(format!("{endpoint} ({})", why.as_ref()?)));
    names.collect::<Vec<_>>().join(", ")
}

fn try_once(endpoint: &Endpoint) -> Result<(), String> {
    match endpoint {
        Endpoint::Http(url) => fetch::answers(url, ONE_TRY),
        Endpoint::Tcp(host, port) => {
            let found = (host.as_str(), *port).to_socket_addrs();
            let addresses = found.map_err(|_| "no such name".to_owned())?;
            let mut last = "no address".to_owned();
            for address in addresses {
                match TcpStream::connect_timeout(&address, ONE_TRY) {
                    Ok(_) => return Ok(()),
                    Err(e) => last = reason(&e),
                }
            }
            Err(last)
        }
    }
}
