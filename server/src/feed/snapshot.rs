//! The matching tickets as they stood at exactly one revision.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tempfile::SpooledTempFile;

use super::group::MAX_RESPONSE;
use super::live::{Feed, Head, ended_early};
use super::{FeedError, Lens, lock};
use crate::domain::Ticket;
use crate::store::{AnyConnection, StoreError, changes, dialect, heads};

/// What is larger goes to a file.
const IN_MEMORY: usize = 1 << 20;

/// When so much waits to be sent, everything new goes to files.
const ALL_IN_MEMORY: u64 = 256 << 20;

/// What all snapshots keep that wait to be sent.
pub(super) struct Spools {
    /// For files that have no name there: nothing is left of them when the process ends.
    folder: PathBuf,
    limit: u64,
    bytes: AtomicU64,
}

/// Bytes that the snapshots of one key keep, which may be half of what all may: a key whose streams stand still keeps no room
/// from others.
#[derive(Debug, Default)]
pub struct Spooled(AtomicU64);

impl Spools {
    pub(super) fn new(folder: &Path, limit: u64) -> Self {
        Self { folder: folder.to_owned(), limit, bytes: AtomicU64::new(0) }
    }

    fn failed(&self, error: io::Error) -> FeedError {
        FeedError::Spool { folder: self.folder.clone(), error }
    }

    fn most_of_one(&self) -> u64 {
        self.limit / 2
    }
}

/// Encoded responses, waiting to be sent. No transaction is open any more.
pub struct Snapshot {
    spool: Arc<Mutex<Spool>>,
    left: usize,
    place: Head,
    epoch: u64,
}

struct Spool {
    file: SpooledTempFile,
    responses: usize,
    /// What it keeps of what its key may, and of what all may.
    bytes: u64,
    own: Arc<Spooled>,
    all: Arc<Spools>,
}

/// Reads the next matching tickets, in order; perhaps none though more follow, and None when there are no more.
pub type Pages = Box<dyn FnMut(&mut AnyConnection) -> Result<Option<Vec<Ticket>>, StoreError> + Send>;

impl Snapshot {
    /// Reads and encodes the whole of it in one transaction, for a key of which `own` is kept. Stops soon when this future is
    /// dropped.
    pub async fn take(
        feed: &Arc<Feed>,
        mut pages: Pages,
        lens: Arc<dyn Lens>,
        own: Arc<Spooled>,
    ) -> Result<Self, FeedError> {
        let helpdesk = feed.helpdesk().to_owned();
        let wanted = Arc::new(AtomicBool::new(true));
        let _guard = Unwanted(Arc::clone(&wanted));
        let spools = Arc::clone(feed.spools());
        let epoch = feed.epoch();
        feed.read_long(move |connection| {
            let mut spool = Spool::new(spools, own);
            let place = dialect::read(connection, |connection| -> Result<Head, FeedError> {
                let (revision, version) = heads::get(connection, &helpdesk)
                    .map_err(StoreError::from)?
                    .map_or((0, 0), |head| (head.last_revision, head.definition_version));
                if lens.definition_version().is_some_and(|made_for| made_for < version) {
                    return Err(FeedError::Outdated);
                }
                let uid = changes::uid(connection, &helpdesk, revision).map_err(StoreError::from)?.unwrap_or(0);
                let mut response = Vec::new();
                while wanted.load(Ordering::Relaxed) {
                    let Some(tickets) = pages(connection)? else { break };
                    for ticket in &tickets {
                        lens.snapshot_event(ticket, &mut response);
                        if response.len() >= MAX_RESPONSE {
                            lens.seal(revision, None, &mut response);
                            spool.add(&mut response)?;
                        }
                    }
                }
                if !response.is_empty() {
                    lens.seal(revision, None, &mut response);
                    spool.add(&mut response)?;
                }
                Ok(Head { revision, uid })
            })?;
            spool.file.seek(SeekFrom::Start(0)).map_err(|error| spool.all.failed(error))?;
            let left = spool.responses;
            Ok(Self { spool: Arc::new(Mutex::new(spool)), left, place, epoch })
        })
        .await
    }

    /// The revision that the snapshot is of: changes follow from the next.
    pub fn place(&self) -> Head {
        self.place
    }

    /// The epoch of the feed before it was taken.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The next response; None when that was all.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FeedError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let spool = Arc::clone(&self.spool);
        let in_memory = !lock(&spool).file.is_rolled();
        if in_memory {
            return lock(&spool).take().map(Some);
        }
        let reading = tokio::task::spawn_blocking(move || lock(&spool).take());
        reading.await.map_err(|error| ended_early(&error))?.map(Some)
    }
}

impl Spool {
    fn new(all: Arc<Spools>, own: Arc<Spooled>) -> Self {
        let in_memory = if all.bytes.load(Ordering::Relaxed) < ALL_IN_MEMORY { IN_MEMORY } else { 0 };
        Self { file: SpooledTempFile::new_in(in_memory, &all.folder), responses: 0, bytes: 0, own, all }
    }

    fn add(&mut self, response: &mut Vec<u8>) -> Result<(), FeedError> {
        let more = response.len() as u64;
        // What is too much is given back with the rest.
        self.bytes += more;
        let own = self.own.0.fetch_add(more, Ordering::Relaxed) + more;
        let all = self.all.bytes.fetch_add(more, Ordering::Relaxed) + more;
        if own > self.all.most_of_one() {
            return Err(FeedError::ShareFull { most: self.all.most_of_one() });
        }
        if all > self.all.limit {
            return Err(FeedError::SpoolsFull { limit: self.all.limit });
        }
        self.put(response).map_err(|error| self.all.failed(error))?;
        self.responses += 1;
        response.clear();
        Ok(())
    }

    fn put(&mut self, response: &[u8]) -> io::Result<()> {
        self.file.write_all(&(response.len() as u64).to_be_bytes())?;
        self.file.write_all(response)
    }

    fn take(&mut self) -> Result<Bytes, FeedError> {
        self.get().map_err(|error| self.all.failed(error))
    }

    fn get(&mut self) -> io::Result<Bytes> {
        let mut length = [0; 8];
        self.file.read_exact(&mut length)?;
        let mut response = vec![0; u64::from_be_bytes(length) as usize];
        self.file.read_exact(&mut response)?;
        Ok(Bytes::from(response))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.own.0.fetch_sub(self.bytes, Ordering::Relaxed);
        self.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Tells the reading thread that nobody waits for it any more.
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
