//! Where claims wait for tickets: a line for each queue that somebody waits at, served in the order of coming.
//!
//! Waiting is no command. When a ticket may have come, the line's task puts the claim of who waits longest into the inbox,
//! like any claim, then of as many more as there seem to be tickets. Nobody who has gone is served: its claim is dropped
//! undecided. Who is being served when its time is up waits for what comes of it, so that no ticket is given to nobody.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Engine;
use super::submission::{Failure, Outcome, Request, Submission};
use crate::domain::Micros;
use crate::domain::commands::Command;
use crate::domain::context::Answer;
use crate::domain::time::SECOND;
use crate::feed::{Followed, Waits};

/// Helpdesk and queue.
type Key = (Arc<str>, String);
type Answered = Result<Outcome, Failure>;

/// How many claims are tried at once at most.
const MOST_AT_ONCE: usize = 256;

/// Where several processes wait at one queue, who waits longer shall come first: the others hold back for each ticket, by up to
/// so much and so many times what a claim takes, and leave it when it is taken by then.
const SPREAD: Duration = Duration::from_millis(6);
const SPREAD_CLAIMS: f64 = 3.0;

/// The process that commits a ticket knows of it sooner than the others hear of it: by so much, and half of what a claim
/// takes.
const LEAD: Duration = Duration::from_millis(4);
const LEAD_CLAIMS: f64 = 0.5;

/// A database that is slow makes nobody hold back for longer.
const LONGEST_PATIENCE: Duration = Duration::from_millis(50);

/// How long a line rests when the server could not decide a claim.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a claim takes here, from the inbox to its outcome.
#[derive(Default)]
struct Pace {
    claim: Duration,
}

/// All lines of a process.
pub(super) struct Lot {
    lines: Mutex<HashMap<Key, Arc<Line>>>,
    limit: usize,
    permits: Semaphore,
}

/// Those who wait at one queue.
#[derive(Default)]
struct Line {
    state: Mutex<State>,
    /// Somebody has come or gone.
    moved: Notify,
}

#[derive(Default)]
struct State {
    /// In the order of coming. Who is being served is not in here.
    waiting: BTreeMap<u64, Waiter>,
    last: u64,
    /// Somebody has come for whom there is a ticket.
    is_called: bool,
    /// Those whose time was up while they were being served.
    leaving: Vec<u64>,
}

struct Waiter {
    request: Box<Request>,
    answer: oneshot::Sender<Answered>,
    since: Instant,
}

/// No code that holds these locks can panic half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lot {
    pub(super) fn new(limit: usize) -> Self {
        Self { lines: Mutex::default(), limit, permits: Semaphore::new(limit) }
    }

    fn is_waited_at(&self, key: &Key) -> bool {
        lock(&self.lines).contains_key(key)
    }

    /// Puts a claim at the end of its line. True when the line is new, and needs somebody who serves it.
    fn park(&self, key: &Key, request: Box<Request>) -> (Place, bool) {
        let mut lines = lock(&self.lines);
        let is_new = !lines.contains_key(key);
        let line = Arc::clone(lines.entry(key.clone()).or_default());
        let (answer, answered) = oneshot::channel();
        let mut state = lock(&line.state);
        state.last += 1;
        let id = state.last;
        state.waiting.insert(id, Waiter { request, answer, since: Instant::now() });
        drop(state);
        drop(lines);
        metrics::gauge!("loket_waiting_claims").increment(1.0);
        (Place { line, id, answered }, is_new)
    }

    /// Takes a line away at which nobody waits.
    fn close(&self, key: &Key, line: &Line) -> bool {
        let mut lines = lock(&self.lines);
        let is_empty = lock(&line.state).waiting.is_empty();
        if is_empty {
            lines.remove(key);
        }
        is_empty
    }
}

/// Somebody's place in a line; given up when it is dropped.
struct Place {
    line: Arc<Line>,
    id: u64,
    answered: oneshot::Receiver<Answered>,
}

impl Place {
    /// Gives it up, unless it is being served.
    async fn leave(mut self) -> Answered {
        {
            let mut state = lock(&self.line.state);
            if state.waiting.remove(&self.id).is_some() {
                return Ok(empty());
            }
            state.leaving.push(self.id);
        }
        (&mut self.answered).await.unwrap_or(Err(Failure::Internal))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.line.state);
        state.waiting.remove(&self.id);
        state.leaving.retain(|leaving| *leaving != self.id);
        drop(state);
        self.line.moved.notify_one();
        metrics::gauge!("loket_waiting_claims").decrement(1.0);
    }
}

/// A claim that found nothing.
fn empty() -> Outcome {
    Outcome { revision: 0, replayed: false, answer: Answer::Nothing, encoded: None }
}

fn is_empty(outcome: &Outcome) -> bool {
    !outcome.replayed && matches!(outcome.answer, Answer::Nothing | Answer::NoneFits)
}

impl Engine {
    /// Submits a claim of the next ticket of a queue, and where there is none waits for one: until then, or until the server
    /// begins to stop. An outcome without a ticket is no error. Who waits no longer drops the future.
    pub async fn claim_next(
        self: &Arc<Self>,
        request: Box<Request>,
        queue: &str,
        until: Instant,
        closing: &CancellationToken,
    ) -> Result<Outcome, Failure> {
        let key: Key = (Arc::clone(&request.helpdesk), queue.to_owned());
        if !self.lot.is_waited_at(&key) {
            let outcome = self.submit(request.clone()).await?;
            if !is_empty(&outcome) {
                return Ok(outcome);
            }
        }
        let Ok(_permit) = self.lot.permits.try_acquire() else {
            // What was done already is told again also where nobody can wait.
            let seen = self.look(request).await?;
            let failure = Failure::TooManyWaiting { limit: self.lot.limit };
            return if seen.replayed { Ok(seen) } else { Err(failure) };
        };
        let (mut place, is_new) = self.lot.park(&key, request.clone());
        if is_new {
            tokio::spawn(serve(Arc::clone(self), key, Arc::clone(&place.line)));
        } else {
            // Who comes when others wait is served after them, and those who were there need not be asked again. It only looks,
            // from its place, so that nothing can come unseen in between. Who may not claim is refused.
            let seen = tokio::select! {
                biased;
                answer = &mut place.answered => return answer.unwrap_or(Err(Failure::Internal)),
                seen = self.look(request.clone()) => seen,
            };
            match seen {
                Ok(seen) if seen.replayed => return Ok(seen),
                Ok(seen) if !is_empty(&seen) => place.line.call(),
                Ok(_) => {}
                // Unless it is being served in this moment.
                Err(failure) => {
                    let outcome = place.leave().await?;
                    return if is_empty(&outcome) { Err(failure) } else { Ok(outcome) };
                }
            }
        }
        tokio::select! {
            biased;
            answer = &mut place.answered => answer.unwrap_or(Err(Failure::Internal)),
            () = closing.cancelled() => self.leave(place, request).await,
            () = sleep_until(until) => self.leave(place, request).await,
        }
    }

    /// What would become of a claim, in the order of all commands: what was decided before it is committed by then, wherever
    /// that was. Nothing is claimed.
    async fn look(&self, mut request: Box<Request>) -> Result<Outcome, Failure> {
        let (answer, answered) = oneshot::channel();
        request.validate_only = true;
        self.inbox.put(Submission::new(request, answer))?;
        answered.await.unwrap_or(Err(Failure::Internal))
    }

    /// Its time is up: it leaves empty-handed, unless it is being served, or the same claim was served elsewhere: to a caller
    /// that asked twice, or at another place.
    async fn leave(&self, place: Place, request: Box<Request>) -> Result<Outcome, Failure> {
        let outcome = place.leave().await?;
        if !is_empty(&outcome) || request.request_id.fresh {
            return Ok(outcome);
        }
        // Whatever hinders the look, nothing was claimed for this call.
        Ok(self.look(request).await.ok().filter(|seen| seen.replayed).unwrap_or(outcome))
    }
}

/// Serves a line until nobody waits in it.
async fn serve(engine: Arc<Engine>, key: Key, line: Arc<Line>) {
    let feed = match engine.hub.feed(&key.0).await {
        Ok(feed) => feed,
        Err(error) => {
            let failure = Failure::from_store(&error);
            while !engine.lot.close(&key, &line) {
                let waiting = std::mem::take(&mut lock(&line.state).waiting);
                for waiter in waiting.into_values() {
                    let _ = waiter.answer.send(Err(failure.clone()));
                }
            }
            return;
        }
    };
    let (_, epoch) = feed.standing();
    let mut server = Server { engine, key, line, feed, seen: i64::MIN, epoch, pace: Pace::default() };
    loop {
        let (head, epoch) = server.feed.standing();
        let mut is_called = std::mem::take(&mut lock(&server.line.state).is_called);
        if server.epoch != epoch {
            // What was seen is of another log: in this one any ticket may have come long ago.
            (server.epoch, server.seen, is_called) = (epoch, i64::MIN, true);
        }
        if !server.round(is_called).await {
            // Whoever was called has not got the ticket: the call stands.
            lock(&server.line.state).is_called |= is_called;
            sleep(PAUSE).await;
            if server.engine.lot.close(&server.key, &server.line) {
                return;
            }
            continue;
        }
        server.seen = head.revision;
        loop {
            let Some(is_called) = server.next_reason().await else { return };
            match server.turn(is_called).await {
                Turn::Come { most: _ } => break,
                Turn::Gone { revision } => server.seen = revision,
            }
        }
    }
}

/// Serves a line.
struct Server {
    engine: Arc<Engine>,
    key: Key,
    line: Arc<Line>,
    feed: Followed,
    /// The claims were tried for all that had come by this revision.
    seen: i64,
    /// The epoch of the feed in which that was.
    epoch: u64,
    pace: Pace,
}

/// What holding back has led to.
enum Turn {
    /// It is this line's turn; so many tickets are known of.
    Come { most: usize },
    /// Others have taken all that had come by this revision.
    Gone { revision: i64 },
}

impl Server {
    /// Waits until a ticket may have come that was not seen, or is there for somebody who has joined the line, which is then
    /// true. None when nobody is left.
    async fn next_reason(&self) -> Option<bool> {
        let mut bell = self.feed.bell();
        loop {
            if self.engine.lot.close(&self.key, &self.line) {
                return None;
            }
            bell.mark_unchanged();
            // Between looking and waiting the bell may have rung: it is looked at after it was marked.
            if lock(&self.line.state).is_called {
                return Some(true);
            }
            if self.feed.epoch() != self.epoch {
                // The database has lost what was seen: what comes has lower revisions now.
                return Some(true);
            }
            if self.feed.arrival(&self.key.1).revision > self.seen {
                return Some(false);
            }
            tokio::select! {
                rung = bell.changed() => if rung.is_err() { return None },
                () = self.line.moved.notified() => {}
            }
        }
    }

    /// Holds back where other processes may wait at the queue, as long as what has come is there. Somebody who was called has
    /// seen a ticket that may have come long ago.
    async fn turn(&self, is_called: bool) -> Turn {
        if !self.feed.is_shared() {
            return Turn::Come { most: MOST_AT_ONCE };
        }
        let begin = Instant::now();
        let mut bell = self.feed.bell();
        loop {
            bell.mark_unchanged();
            let (most, since, is_own) = match self.feed.waits(&self.key.1, self.seen) {
                Waits::Some { tickets, since, is_own } => (tickets, since, is_own),
                Waits::Gone { revision } if !is_called => return Turn::Gone { revision },
                Waits::Gone { revision: _ } | Waits::Unknown => (MOST_AT_ONCE, begin, false),
            };
            let usual_wait = self.feed.usual_wait(&self.key.1);
            let due = since + self.line.patience(usual_wait, &self.pace, is_own);
            if due <= Instant::now() {
                return Turn::Come { most };
            }
            tokio::select! {
                rung = bell.changed() => if rung.is_err() { return Turn::Come { most } },
                () = sleep_until(due) => {}
            }
        }
    }

    /// Tries the claims in order, twice as many at once each time, until one finds the queue empty. Where other processes may
    /// wait, it holds back anew after each that got a ticket. Where somebody was called, what came long ago may be there for
    /// others who were called with them. False when the server could not decide one: it would fail the others too, so they are
    /// left at their places.
    async fn round(&mut self, is_called: bool) -> bool {
        let line = Arc::clone(&self.line);
        let (mut behind, mut at_once) = (0, 1);
        loop {
            let taken = line.take(behind, at_once);
            let Some(last) = taken.last().map(|(id, _)| *id) else { return true };
            behind = last;
            let begin = Instant::now();
            // All are in the inbox before the first is waited for, and so in the order of the line.
            let tries: Vec<_> =
                taken.into_iter().map(|(id, waiter)| (id, put(&self.engine, &waiter), waiter)).collect();
            let done = join_all(tries.into_iter().map(|(id, answered, waiter)| attempt(id, answered, waiter))).await;
            self.pace.claim = (self.pace.claim * 7 + begin.elapsed()) / 8;
            let (mut is_over, mut has_failed, mut has_given) = (false, false, false);
            for (id, waiter, outcome) in done.into_iter().flatten() {
                match outcome {
                    Ok(outcome) if is_empty(&outcome) => {
                        is_over |= matches!(outcome.answer, Answer::Nothing);
                        line.put_back(id, waiter);
                    }
                    Ok(outcome) => {
                        has_given = true;
                        line.tell_alike(&waiter.request, &outcome);
                        // Who has gone in this moment gets it by asking again.
                        let _ = waiter.answer.send(Ok(outcome));
                    }
                    // It was refused before it was decided.
                    Err(Failure::Overloaded { .. }) => {
                        has_failed = true;
                        line.put_back(id, waiter);
                    }
                    Err(failure) => {
                        // Its own time was up.
                        has_failed |= !matches!(failure, Failure::Refused(_) | Failure::TimedOut);
                        let _ = waiter.answer.send(Err(failure));
                    }
                }
            }
            if is_over || has_failed {
                return !has_failed;
            }
            at_once = (at_once * 2).min(MOST_AT_ONCE);
            // Who waits at another process may have waited longer than who is next here.
            if has_given {
                match self.turn(is_called).await {
                    Turn::Come { most } => at_once = at_once.min(most),
                    Turn::Gone { revision: _ } => return true,
                }
            }
        }
    }
}

fn put(engine: &Engine, waiter: &Waiter) -> Result<oneshot::Receiver<Answered>, Failure> {
    let (answer, answered) = oneshot::channel();
    metrics::counter!("loket_waiting_claim_tries_total").increment(1);
    let mut request = waiter.request.clone();
    if let Command::ClaimNextTicket(claim) = &mut request.command {
        claim.waited = Micros::try_from(waiter.since.elapsed().as_micros()).unwrap_or(Micros::MAX);
    }
    engine.inbox.put(Submission::new(request, answer))?;
    Ok(answered)
}

/// None when who waits has gone: what is not decided yet is then dropped.
async fn attempt(
    id: u64,
    answered: Result<oneshot::Receiver<Answered>, Failure>,
    mut waiter: Waiter,
) -> Option<(u64, Waiter, Answered)> {
    let answered = match answered {
        Ok(answered) => answered,
        Err(failure) => return Some((id, waiter, Err(failure))),
    };
    tokio::select! {
        biased;
        outcome = answered => Some((id, waiter, outcome.unwrap_or(Err(Failure::Internal)))),
        () = waiter.answer.closed() => None,
    }
}

impl Line {
    /// There is a ticket for somebody who has come.
    fn call(&self) {
        lock(&self.state).is_called = true;
        self.moved.notify_one();
    }

    /// Tells others who asked for the same under the same id what came of it.
    fn tell_alike(&self, request: &Request, outcome: &Outcome) {
        if request.request_id.fresh {
            return;
        }
        let is_alike = |_: &u64, other: &mut Waiter| {
            let other = &other.request;
            other.request_id == request.request_id
                && other.digest == request.digest
                && other.actor.subject == request.actor.subject
        };
        for (_, waiter) in lock(&self.state).waiting.extract_if(.., is_alike) {
            let _ = waiter.answer.send(Ok(Outcome { replayed: true, encoded: None, ..outcome.clone() }));
        }
    }

    /// The next who wait behind a place, in order; they are served now.
    fn take(&self, behind: u64, most: usize) -> Vec<(u64, Waiter)> {
        let mut state = lock(&self.state);
        let ids: Vec<u64> = state.waiting.range(behind + 1..).take(most).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| Some((id, state.waiting.remove(&id)?))).collect()
    }

    /// Nothing came of it: it waits on at its place, or leaves if its time is up.
    fn put_back(&self, id: u64, waiter: Waiter) {
        let mut state = lock(&self.state);
        if let Some(place) = state.leaving.iter().position(|leaving| *leaving == id) {
            state.leaving.swap_remove(place);
            let _ = waiter.answer.send(Ok(empty()));
        } else if !waiter.answer.is_closed() {
            state.waiting.insert(id, waiter);
        }
    }

    /// How long to hold back. The longer the first of this line has waited, beside how long others do, the shorter: so of
    /// several processes the one comes first whose first has waited longest. What others had waited, the log tells.
    fn patience(&self, usual_wait: Micros, pace: &Pace, is_own: bool) -> Duration {
        let waited = lock(&self.state).waiting.values().next().map_or(Duration::ZERO, |first| first.since.elapsed());
        let usual = usual_wait as f64 / SECOND as f64;
        // From a quarter less than usual, who holds back most, to a quarter more, who does not.
        let share = if usual > 0.0 { ((1.25 - waited.as_secs_f64() / usual) * 2.0).clamp(0.0, 1.0) } else { 0.0 };
        let lead = if is_own { LEAD + pace.claim.mul_f64(LEAD_CLAIMS) } else { Duration::ZERO };
        ((SPREAD + pace.claim.mul_f64(SPREAD_CLAIMS)).mul_f64(share) + lead).min(LONGEST_PATIENCE)
    }
}
