//! What other processes commit to the same database.
//!
//! The bell is a NOTIFY that each process sends after its commits, a few milliseconds' worth at once, on a connection of
//! its own. It only says how far a log goes: what is in it is read from the table. Where no bell is heard, because a
//! pooler stands between or a connection broke, the heads are looked at instead; and now and then even where it is heard,
//! since a process may die between its commit and its NOTIFY.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::trouble::Trouble;
use super::{Hub, lock};
use crate::store::dialect::bell;
use crate::store::{AnyConnection, Database, StoreError, heads};

/// What is committed within so long is told at once.
const DEBOUNCE: Duration = Duration::from_millis(2);

/// How often a connection that listens is asked what it has heard: while something happens, and while nothing does. libpq
/// has no way to wait for a notice that does not need its socket.
const BUSY_LISTEN: Duration = Duration::from_millis(2);
const QUIET_LISTEN: Duration = Duration::from_millis(10);
const BUSY_FOR: Duration = Duration::from_secs(2);

/// How often this process asks itself whether it hears, and how long it waits for its own words.
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// How soon a connection that failed is opened again.
const RETRY: Duration = Duration::from_millis(500);

/// How soon one is tried again on which nothing was ever heard.
const RETRY_DEAF: Duration = Duration::from_mins(1);

/// While the bell is heard, the heads are looked at so much more seldom.
const SELDOM: u32 = 10;

/// By helpdesk, the last revision of which something is to be said or done.
#[derive(Default)]
pub(super) struct Revisions {
    pending: Mutex<BTreeMap<String, i64>>,
    rung: Notify,
}

impl Revisions {
    pub(super) fn put(&self, helpdesk: &str, revision: i64) {
        let mut pending = lock(&self.pending);
        match pending.get_mut(helpdesk) {
            Some(known) => *known = revision.max(*known),
            None => {
                pending.insert(helpdesk.to_owned(), revision);
            }
        }
        drop(pending);
        self.rung.notify_one();
    }

    /// Waits until there is something, and takes it all.
    async fn take(&self) -> BTreeMap<String, i64> {
        loop {
            let taken = std::mem::take(&mut *lock(&self.pending));
            if !taken.is_empty() {
                return taken;
            }
            // A ring between looking and waiting is kept.
            self.rung.notified().await;
        }
    }
}

/// Follows the logs of those helpdesks that somebody follows here. One for a server whose database has others.
pub struct Tail {
    hub: Arc<Hub>,
    database: Database,
    /// None where there is no bell to be heard: the heads are polled.
    listen: Option<Database>,
    poll_interval: Duration,
    /// What this process calls itself.
    name: String,
    /// Whether the bell is heard.
    hears: AtomicBool,
    /// The last probe that was heard.
    probe: AtomicI64,
    /// Rung when the heads are to be looked at now.
    look: Notify,
}

impl Tail {
    /// `poll_interval` is how often the heads are looked at while the bell is not heard.
    pub fn new(hub: Arc<Hub>, database: Database, listen: Option<Database>, poll_interval: Duration) -> Self {
        // Two processes of one name would not hear each other, and would still poll.
        let name = format!("{:016x}", getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())));
        Self {
            hub,
            database,
            listen,
            poll_interval,
            name,
            hears: AtomicBool::new(false),
            probe: AtomicI64::new(0),
            look: Notify::new(),
        }
    }

    /// Runs until it is dropped.
    pub async fn run(self) {
        tokio::join!(self.tell(), self.listen(), self.poll(), self.read());
    }

    /// Tells the others what was committed here. While one NOTIFY is on its way, the next gathers.
    async fn tell(&self) {
        let mut connection = None;
        let mut trouble = Trouble::default();
        loop {
            let told = self.hub.committed.take().await;
            let words: Vec<_> =
                told.iter().map(|(helpdesk, revision)| format!("{} {revision} {helpdesk}", self.name)).collect();
            let said =
                on(&self.database, connection.take(), move |connection| Ok(bell::say(connection, &words)?)).await;
            match said {
                Ok((open, ())) => {
                    connection = Some(open);
                    trouble.is_over();
                    tokio::time::sleep(DEBOUNCE).await;
                }
                Err(error) => {
                    trouble.tell(&error, "other servers could not be told what was committed; it is tried again");
                    for (helpdesk, revision) in told {
                        self.hub.committed.put(&helpdesk, revision);
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Hears what the others tell, on a connection of its own.
    async fn listen(&self) {
        let Some(database) = &self.listen else { return };
        let mut trouble = Trouble::default();
        loop {
            let listening = on(database, None, |connection| Ok(bell::listen(connection)?)).await;
            let outcome = match listening {
                Ok((connection, ())) => self.hear(connection).await,
                Err(error) => Err(error),
            };
            let heard_before = self.hears.swap(false, Ordering::Relaxed);
            if heard_before {
                trouble.is_over();
            }
            self.hub.meters.bell.set(0.0);
            match outcome {
                Err(error) => {
                    trouble.tell(&error, "the bell of other servers' commits is not heard; the heads are polled");
                    tokio::time::sleep(RETRY).await;
                }
                Ok(()) if heard_before => tracing::warn!("the bell fell silent; it is listened for anew"),
                Ok(()) => {
                    tracing::warn!(
                        "nothing is heard on the connection for LISTEN, as behind a pooler that shares sessions between \
                         transactions: the heads are polled every {:?}; give --listen-database-url a direct URL, or `none`",
                        self.poll_interval
                    );
                    tokio::time::sleep(RETRY_DEAF).await;
                }
            }
        }
    }

    /// Hears until the connection fails, or Ok when this process does not hear itself any more.
    async fn hear(&self, mut connection: AnyConnection) -> Result<(), StoreError> {
        // What was said before it listened was not heard.
        self.look.notify_one();
        let mut probe = self.probe.load(Ordering::Relaxed);
        let mut probed = Instant::now();
        let mut rung = Instant::now();
        self.send_probe(&mut probe);
        loop {
            // It takes what the socket has, and never waits: no thread is held up.
            let words = bell::heard(&mut connection)?;
            let now = Instant::now();
            for word in &words {
                if self.take_word(word) {
                    rung = now;
                }
            }
            let is_answered = self.probe.load(Ordering::Relaxed) >= probe;
            if is_answered && !self.hears.swap(true, Ordering::Relaxed) {
                self.hub.meters.bell.set(1.0);
                tracing::debug!("the bell of other servers' commits is heard");
            }
            if !is_answered && now - probed > PROBE_PATIENCE {
                let _ = tokio::task::spawn_blocking(move || bell::unlisten(&mut connection)).await;
                return Ok(());
            }
            if is_answered && now - probed > PROBE_EVERY {
                probed = now;
                self.send_probe(&mut probe);
            }
            tokio::time::sleep(if now - rung < BUSY_FOR { BUSY_LISTEN } else { QUIET_LISTEN }).await;
        }
    }

    /// A word of this process to itself, by the way of all others: it concerns no helpdesk.
    fn send_probe(&self, probe: &mut i64) {
        *probe += 1;
        self.hub.committed.put("", *probe);
    }

    /// Whether it came from another process.
    fn take_word(&self, word: &str) -> bool {
        let mut parts = word.splitn(3, ' ');
        let (Some(name), Some(revision), Some(helpdesk)) = (parts.next(), parts.next(), parts.next()) else {
            tracing::debug!(word, "a notice that is none of Loket's");
            return false;
        };
        let Ok(revision) = revision.parse() else { return false };
        if name == self.name {
            // What was committed here was published here.
            if helpdesk.is_empty() {
                self.probe.fetch_max(revision, Ordering::Relaxed);
            }
            return false;
        }
        if !helpdesk.is_empty() {
            self.hub.unread.put(helpdesk, revision);
        }
        true
    }

    /// Looks at the heads of all that is followed, in one query.
    async fn poll(&self) {
        let mut connection = None;
        // After a connection was lost, the database may be another one: one that was failed over to, or restored.
        let mut doubtful = false;
        let mut trouble = Trouble::default();
        loop {
            let hears = self.hears.load(Ordering::Relaxed);
            let pause = if hears { self.poll_interval * SELDOM } else { self.poll_interval };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.look.notified() => {}
            }
            let followed = self.hub.followed();
            if followed.is_empty() {
                continue;
            }
            let helpdesks: Vec<_> = followed.iter().map(|feed| feed.helpdesk().to_owned()).collect();
            // Known before it is asked, so in the database by then.
            let known: Vec<_> = followed.iter().map(|feed| feed.head()).collect();
            let query = move |connection: &mut AnyConnection| Ok(heads::last_revisions_of(connection, &helpdesks)?);
            let found = match on(&self.database, connection.take(), query).await {
                Ok((open, found)) => {
                    connection = Some(open);
                    found
                }
                Err(error) => {
                    trouble.tell(&error, "the heads could not be looked at; it is tried again");
                    self.hub.doubt();
                    doubtful = true;
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            };
            let found: BTreeMap<_, _> = found.into_iter().collect();
            let was_doubtful = std::mem::take(&mut doubtful);
            if trouble.is_over() {
                tracing::info!("the heads are looked at again");
            }
            if was_doubtful {
                self.hub.doubt();
            }
            for (feed, known) in followed.iter().zip(known) {
                let is_lost = found.get(feed.helpdesk()).is_none_or(|revision| *revision < known) && known > 0;
                if (was_doubtful || is_lost)
                    && let Err(error) = feed.verify().await
                {
                    tracing::warn!(%error, helpdesk = feed.helpdesk(), "the log could not be looked at");
                    doubtful = true;
                }
            }
            for (helpdesk, revision) in found {
                if self.hub.known_revision(&helpdesk) < revision {
                    self.hub.unread.put(&helpdesk, revision);
                }
            }
        }
    }

    /// Reads what was heard of, each log for itself.
    async fn read(&self) {
        loop {
            for (helpdesk, revision) in self.hub.unread.take().await {
                if let Some(feed) = self.hub.known(&helpdesk)
                    && feed.is_wanted(revision)
                {
                    tokio::spawn(feed.catch_up());
                }
            }
        }
    }
}

/// Runs what waits for the database where it may, on a connection that is opened when there is none, and given back when
/// nothing failed.
async fn on<T: Send + 'static>(
    database: &Database,
    connection: Option<AnyConnection>,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
) -> Result<(AnyConnection, T), StoreError> {
    let database = database.clone();
    let working = tokio::task::spawn_blocking(move || {
        let mut connection = match connection {
            Some(open) => open,
            None => database.open()?,
        };
        let value = work(&mut connection)?;
        Ok((connection, value))
    });
    match working.await {
        Ok(outcome) => outcome,
        Err(error) => Err(StoreError::Ended { what: "talking to the database", error: error.to_string() }),
    }
}
