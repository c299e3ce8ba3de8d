//! Programs that run beside the bot, from the list that the configuration allows.
//!
//! What is on the list is all there is: an absolute path with its arguments, no shell, and an environment that holds nothing of the bot's. A program
//! outlives the call that started it, so it is kept here, by the marker of the try of the step that wanted it; a bot that is killed takes it along, and
//! then nobody knows how far it came.

use std::collections::{BTreeMap, VecDeque};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commands::time::{Span, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio_util::task::TaskTracker;

use crate::clock::Clock;

/// Where programs find others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of what a program says is kept: the end.
const KEPT: usize = 4096;
/// How long the last words of a program may take.
const LINGER: Span = Span::seconds(2);
/// How many programs that ended are remembered.
const REMEMBERED: usize = 200;

/// The programs.
pub struct Programs {
    allowed: BTreeMap<String, Vec<String>>,
    /// Tells this bot from the one that was here before, and from other replicas.
    host: String,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    known: Arc<Mutex<VecDeque<(String, State)>>>,
}

/// What becomes of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs.
    Runs,
    /// It ended with this code, having said this; `None`: something ended it.
    Ended(Option<i32>, String),
    /// It took too long and was ended.
    TooLong(String),
}

/// A program that should run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// By what it is found again.
    pub marker: &'a str,
    /// Its name on the list.
    pub name: &'a str,
    /// Its environment.
    pub variables: &'a BTreeMap<String, String>,
    /// After this it is ended.
    pub limit: Span,
}

impl Programs {
    /// The programs of a list: name, then path and arguments.
    #[must_use]
    pub fn new(
        allowed: BTreeMap<String, Vec<String>>,
        host: String,
        clock: Arc<dyn Clock>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            allowed,
            host,
            clock,
            tasks,
            known: Arc::default(),
        }
    }

    /// What tells this bot from others.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// A program of the list, as it would be run.
    pub(crate) fn allowed(&self, name: &str) -> Option<&[String]> {
        self.allowed.get(name).map(Vec::as_slice)
    }

    /// What became of a program that was started here.
    pub(crate) fn state(&self, marker: &str) -> Option<State> {
        let known = lock(&self.known);
        known
            .iter()
            .find(|(known, _)| known == marker)
            .map(|(_, state)| state.clone())
    }

    /// Starts a program; the error is why it certainly does not run.
    pub(crate) fn start(&self, wanted: Wanted<'_>) -> Result<(), String> {
        let (path, arguments) = self
            .allowed(wanted.name)
            .and_then(<[_]>::split_first)
            .ok_or("it is not on the list")?;
        let child = Command::new(path)
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .envs(wanted.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What it starts belongs to it and ends with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let marker = wanted.marker.to_owned();
        note(&self.known, &marker, State::Runs);
        let (clock, known) = (Arc::clone(&self.clock), Arc::clone(&self.known));
        let ends = clock.now() + wanted.limit;
        self.tasks.spawn(async move {
            let state = follow(child, &*clock, ends).await;
            note(&known, &marker, state);
        });
        Ok(())
    }
}

fn lock<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(known: &Mutex<VecDeque<(String, State)>>, marker: &str, state: State) {
    let mut known = lock(known);
    if let Some((_, old)) = known.iter_mut().find(|(known, _)| known == marker) {
        *old = state;
        return;
    }
    known.push_back((marker.to_owned(), state));
    let over = known.len().saturating_sub(REMEMBERED);
    let mut forgotten = 0;
    known.retain(|(_, state)| {
        let forget = forgotten < over && *state != State::Runs;
        forgotten += usize::from(forget);
        !forget
    });
}

/// Waits for the end of a program, listening to what it says.
async fn follow(mut child: Child, clock: &dyn Clock, ends: Timestamp) -> State {
    let said = Mutex::new(VecDeque::new());
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let listening = async { futures::join!(listen(out, &said), listen(err, &said)) };
    let too_long = clock.sleep_until(ends);
    tokio::pin!(listening, too_long);
    let mut heard = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break Some(status),
            () = &mut too_long => break None,
            // It goes on without a word.
            _ = &mut listening, if !heard => heard = true,
        }
    };
    if status.is_some() && !heard {
        // What it said last may still be on its way; what it left behind may hold its output open forever.
        tokio::select! {
            _ = &mut listening => {}
            () = clock.sleep(LINGER) => {}
        }
    }
    if status.is_none()
        && let Some(group) = group
    {
        // What has ended meanwhile need not be ended.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = child.wait().await;
    }
    let said = lock(&said);
    let text = String::from_utf8_lossy(&said.iter().copied().collect::<Vec<u8>>()).into_owned();
    match status {
        None => State::TooLong(text),
        Some(status) => State::Ended(status.ok().and_then(|status| status.code()), text),
    }
}

/// Keeps the end of what is said.
async fn listen(from: Option<impl AsyncRead + Unpin>, said: &Mutex<VecDeque<u8>>) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        let mut said = lock(said);
        said.extend(&buffer[..read]);
        let over = said.len().saturating_sub(KEPT);
        said.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::testing::StillClock;

    fn programs(argv: &[&str], clock: &Arc<StillClock>) -> Programs {
        let argv = argv.iter().map(|part| (*part).to_owned()).collect();
        let clock: Arc<dyn Clock> = Arc::<StillClock>::clone(clock);
        Programs::new(
            BTreeMap::from([("it".to_owned(), argv)]),
            "here".to_owned(),
            clock,
            TaskTracker::new(),
        )
    }

    async fn ends(programs: &Programs) -> State {
        programs.tasks.close();
        programs.tasks.wait().await;
        programs.state("m").unwrap()
    }

    fn wanted(variables: &BTreeMap<String, String>) -> Wanted<'_> {
        Wanted {
            marker: "m",
            name: "it",
            variables,
            limit: Span::minutes(1),
        }
    }

    #[tokio::test]
    async fn a_program_has_its_own_environment_and_nothing_of_the_bots() {
        let clock = StillClock::at(Timestamp(0));
        let variables = BTreeMap::from([("STAGE".to_owned(), "prod; rm -rf /".to_owned())]);
        let programs = programs(&["/usr/bin/env"], &clock);
        programs.start(wanted(&variables)).unwrap();
        let State::Ended(Some(0), said) = ends(&programs).await else {
            panic!("it ends well")
        };
        let mut lines: Vec<&str> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, [format!("PATH={PATH}").as_str(), "STAGE=prod; rm -rf /"]);
    }

    #[tokio::test]
    async fn a_program_that_fails_or_is_not_there_says_so() {
        let clock = StillClock::at(Timestamp(0));
        let none = BTreeMap::new();
        let programs = programs(&["/bin/sh", "-c", "echo no such table >&2; exit 3"], &clock);
        programs.start(wanted(&none)).unwrap();
        assert_eq!(
            ends(&programs).await,
            State::Ended(Some(3), "no such table\n".to_owned())
        );
        let other = Wanted {
            name: "other",
            ..wanted(&none)
        };
        assert_eq!(programs.start(other).unwrap_err(), "it is not on the list");
        let gone = super::tests::programs(&["/nowhere/at/all"], &clock);
        assert!(gone.start(wanted(&none)).is_err());
        assert_eq!(gone.state("m"), None, "it never ran");
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_ended_with_all_it_started() {
        let clock = StillClock::at(Timestamp(0));
        let none = BTreeMap::new();
        let programs = programs(&["/bin/sh", "-c", "echo begun; sleep 1000 & wait"], &clock);
        programs.start(wanted(&none)).unwrap();
        assert_eq!(programs.state("m"), Some(State::Runs));
        clock.pass(Span::minutes(1));
        assert!(matches!(ends(&programs).await, State::TooLong(_)));
    }
}
