//! How a pod ends. It has one time for everything: for the commands before the signals, which all
//! start at once, for the containers, which get their signals when theirs has ended, and then for
//! the native sidecars, each when those behind it have ended (`killContainer` of the kubelet).

use super::model::{Container, PreStop};
use super::pod::Draft;
use super::probes::seconds;
use super::settings::Version;
use crate::plan;

/// The time that a pod has unless it says so.
const USUAL: u64 = 30;

/// How a process of a pod ends; times in seconds.
pub(super) struct End {
    /// Ends when the containers have, and the sidecars behind it.
    native: bool,
    /// How long the command before the signal takes.
    pause: u64,
    /// From the signal to the kill, where it matters.
    grace: Option<u64>,
    /// The blueprint says something about it.
    said: bool,
}

/// The time in which all processes can end as they ask for: none where they ask for nothing.
pub(super) fn grace(ends: &[End]) -> Option<u64> {
    let own = |end: &End| end.grace.unwrap_or_default();
    let together = ends.iter().filter(|e| !e.native);
    let together = together.map(|e| e.pause.saturating_add(own(e))).max();
    let last_first = ends.iter().rev().filter(|e| e.native);
    let whole = last_first.fold(together.unwrap_or_default(), |at, end| {
        at.max(end.pause).saturating_add(own(end))
    });
    ends.iter().any(|e| e.said).then_some(whole)
}

impl Draft<'_, '_> {
    /// What happens before the stop signal, and how long that and the end take.
    pub(super) fn stop(
        &mut self,
        emitted: &mut Container,
        container: &plan::Container,
        sidecar: bool,
    ) {
        let stop = &container.stop;
        let (before, pause) = self.before(stop).unzip();
        emitted.pre_stop = before;
        let said = stop.grace.is_some() || pause.flatten().is_some();
        self.ends.push(End {
            native: emitted.sidecar,
            pause: pause.flatten().unwrap_or_default(),
            // A sidecar that asks for nothing takes what is left.
            grace: stop
                .grace
                .map(seconds)
                .or_else(|| (said || !sidecar).then_some(USUAL)),
            said,
        });
    }

    /// The command before the signal, and its time where that is known.
    fn before(&mut self, stop: &plan::Stop) -> Option<(PreStop, Option<u64>)> {
        let words = stop.before.as_ref()?;
        let span = words.span;
        let words = self.plain_words("stop.before", words)?;
        if let [command, time] = words.as_slice()
            && command == "sleep"
            && let Ok(seconds) = time.parse()
        {
            let action = seconds > 0 && self.lowering.settings.version() >= Version::SLEEP;
            let before = if action {
                PreStop::Sleep(seconds)
            } else {
                PreStop::Exec(words)
            };
            return Some((before, Some(seconds)));
        }
        let what = "the whole of `stop.grace` after this command: its time is part of it";
        self.lowering.account.lost("stop.before", span, what);
        Some((PreStop::Exec(words), None))
    }
}
