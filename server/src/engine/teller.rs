//! Tells of what was committed, once it is on disk: first those who asked for it, then those who watch.
//!
//! While nothing else waits to be written, the writer waits for the disk itself, which is the shortest way. While
//! something does, a thread of its own waits, and tells of all commits that came together: the writer goes on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::inbox::Inbox;
use super::submission::{Failure, Outcome, Submission};
use crate::feed::{Durable, Hub};
use crate::store::{LogEntry, Wal};

/// How many batches may wait for the disk: beyond them the writer waits too.
const DEPTH: usize = 8;

/// What was decided in one batch.
pub(super) struct Done {
    pub(super) helpdesk: Arc<str>,
    pub(super) submissions: Vec<Submission>,
    pub(super) outcomes: Vec<Result<Outcome, Failure>>,
    /// What it added to the log.
    pub(super) entries: Vec<LogEntry>,
    /// Where the log ended before it, when more may be behind that than this.
    pub(super) announced_behind: Option<i64>,
}

/// What the writer and the thread beside it need to tell anybody.
#[derive(Clone)]
pub(super) struct Teller {
    inbox: Arc<Inbox>,
    hub: Arc<Hub>,
    durable: Arc<Durable>,
    /// Where the callers are told; none when the writer is driven by hand, and tells them itself.
    runtime: Option<Handle>,
    /// Called when nothing can be written any more.
    on_death: Arc<dyn Fn() + Send + Sync>,
    /// Held while the disk is waited for: it says once for each file that something was lost, and whoever hears it has to note
    /// it before another believes that all is there.
    flushing: Arc<Mutex<()>>,
}

impl Teller {
    pub(super) fn new(inbox: Arc<Inbox>, hub: Arc<Hub>) -> Self {
        let durable = Arc::clone(hub.durable());
        Self { inbox, hub, durable, runtime: None, on_death: Arc::new(|| {}), flushing: Arc::default() }
    }

    pub(super) fn within(&mut self, runtime: Handle, on_death: Arc<dyn Fn() + Send + Sync>) {
        self.runtime = Some(runtime);
        self.on_death = on_death;
    }

    /// No command is taken any more, and the process is to end.
    pub(super) fn die(&self) {
        // Who waits for the disk waits for nothing any more.
        if !self.durable.has(self.durable.begun()) {
            self.durable.fail();
        }
        (self.on_death)();
        self.inbox.abandon();
    }

    /// The writer writes to a connection that was opened anew: perhaps to another database.
    pub(super) fn doubt(&self) {
        self.hub.doubt();
    }

    /// Counts a commit that readers may see as soon as it is made.
    pub(super) fn begin(&self) {
        self.durable.begin();
    }

    /// Tells all of the same failure.
    pub(super) fn refuse(&self, submissions: Vec<Submission>, failure: &Failure) {
        let refused = submissions.len();
        for submission in submissions {
            submission.answer(Err(failure.clone()));
        }
        self.inbox.answered(refused);
    }

    fn tell(&self, done: Done) {
        let Done { helpdesk, submissions, outcomes, entries, announced_behind } = done;
        self.answer(submissions, outcomes);
        if let Some(behind) = announced_behind {
            self.hub.announce(&helpdesk, behind);
        }
        if !entries.is_empty() {
            self.inbox.note_commit(true);
            self.hub.publish(&helpdesk, entries);
        }
    }

    /// All from within the runtime: woken one by one from here, each would be sent its answer alone.
    fn answer(&self, submissions: Vec<Submission>, outcomes: Vec<Result<Outcome, Failure>>) {
        let counted = Counted { inbox: Arc::clone(&self.inbox), submissions: submissions.len() };
        let answer = move || {
            let _counted = counted;
            for (submission, outcome) in submissions.into_iter().zip(outcomes) {
                submission.answer(outcome);
            }
        };
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async { answer() })),
            None => answer(),
        }
    }

    /// Puts on disk what was committed up to now. When that fails, what of it is there cannot be known: the kernel may have
    /// dropped what it could not write, and would not fail again. Only a start from what is there is safe.
    fn flush(&self, wal: &Wal, commit: u64) -> Result<(), Failure> {
        let _flushing = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        wal.flush().and_then(|()| self.durable.reach(commit)).map_err(|error| {
            tracing::error!(%error, "this server ends, to start again from what is on disk");
            self.durable.fail();
            self.die();
            Failure::StoreUnavailable
        })
    }

    /// Puts on disk what is not there yet, and then tells.
    fn flush_and_tell(&self, wal: &Wal, commit: u64, batches: Vec<Done>) {
        let flushed = if self.durable.has(commit) { Ok(()) } else { self.flush(wal, commit) };
        match flushed {
            Ok(()) => batches.into_iter().for_each(|done| self.tell(done)),
            Err(failure) => batches.into_iter().for_each(|done| self.refuse(done.submissions, &failure)),
        }
    }
}

/// Commands that are answered once this is dropped: also where the runtime has ended, and runs nothing any more.
struct Counted {
    inbox: Arc<Inbox>,
    submissions: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.inbox.answered(self.submissions);
    }
}

/// Ends the process when the thread that holds it panics.
pub(super) struct DiesWithMe(pub(super) Teller);

impl Drop for DiesWithMe {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.die();
        }
    }
}

/// Sees to it that batches are told of in their order, and not before they are on disk.
pub(super) struct Telling {
    pub(super) teller: Teller,
    /// The thread beside the writer, from the first time on that one is needed.
    beside: Option<Beside>,
}

struct Beside {
    ahead: SyncSender<Waiting>,
    /// Batches that it was given and has not told of.
    open: Arc<AtomicUsize>,
}

/// A batch that waits for the disk.
struct Waiting {
    wal: Arc<Wal>,
    /// The commit up to which the log is to be on disk.
    commit: u64,
    done: Done,
}

impl Telling {
    pub(super) fn new(teller: Teller) -> Self {
        Self { teller, beside: None }
    }

    /// Tells of a batch, at once or from beside the writer. The batch is as durable as its commit where there is no log.
    pub(super) fn put(&mut self, wal: Option<&Arc<Wal>>, done: Done) {
        let Some(wal) = wal else { return self.teller.tell(done) };
        let commit = self.teller.durable.begun();
        let is_behind = self.beside.as_ref().is_some_and(|beside| beside.open.load(Ordering::SeqCst) > 0);
        let is_short = || self.teller.durable.has(commit) || self.teller.inbox.is_empty();
        if self.teller.runtime.is_none() || (!is_behind && is_short()) {
            return self.teller.flush_and_tell(wal, commit, vec![done]);
        }
        if self.beside.is_none() {
            self.beside = Beside::start(self.teller.clone());
        }
        let waiting = Waiting { wal: Arc::clone(wal), commit, done };
        let refused = match &self.beside {
            Some(beside) => beside.put(waiting).err(),
            None => Some(waiting),
        };
        // No thread is to be had, or it is gone, and the process ends.
        if let Some(Waiting { wal, commit, done }) = refused {
            self.teller.flush_and_tell(&wal, commit, vec![done]);
        }
    }

    /// After a commit that failed: what was counted for it is on disk when all before it is.
    pub(super) fn forget(&self, wal: Option<&Arc<Wal>>) {
        let commit = self.teller.durable.begun();
        if let Some(wal) = wal.filter(|_| !self.teller.durable.has(commit)) {
            // Who cannot be told so is told of the failed commit.
            let _ = self.teller.flush(wal, commit);
        }
    }
}

impl Beside {
    fn start(teller: Teller) -> Option<Self> {
        let (ahead, waiting) = sync_channel(DEPTH);
        let open = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&open);
        let thread = std::thread::Builder::new().name("flusher".to_owned());
        let running = move || {
            let _guard = DiesWithMe(teller.clone());
            run(&teller, &waiting, &told);
        };
        thread.spawn(running).ok()?;
        Some(Self { ahead, open })
    }

    fn put(&self, waiting: Waiting) -> Result<(), Waiting> {
        self.open.fetch_add(1, Ordering::SeqCst);
        self.ahead.send(waiting).map_err(|refused| refused.0)
    }
}

/// Until the writer is gone.
fn run(teller: &Teller, waiting: &Receiver<Waiting>, open: &AtomicUsize) {
    let mut next = waiting.recv().ok();
    while let Some(Waiting { wal, mut commit, done }) = next {
        let mut batches = vec![done];
        // What is here by now was written before, and reaches the disk together; but for what went to a log opened anew.
        next = loop {
            match waiting.try_recv() {
                Ok(more) if Arc::ptr_eq(&more.wal, &wal) => {
                    commit = more.commit;
                    batches.push(more.done);
                }
                Ok(other) => break Some(other),
                Err(_) => break None,
            }
        };
        let told = batches.len();
        teller.flush_and_tell(&wal, commit, batches);
        open.fetch_sub(told, Ordering::SeqCst);
        next = next.or_else(|| waiting.recv().ok());
    }
}
