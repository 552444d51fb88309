//! Who calls: the access keys that are good.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::caller::Caller;
use super::share::Taken;
use super::status::Denied;
use crate::domain::AccessKey;
use crate::domain::access_key::KeyHash;
use crate::engine::Failure;
use crate::feed::{Head, Hub, Spooled};
use crate::store::changes::{self, Limit};
use crate::store::{AnyConnection, Pool, SYSTEM, StoreError, dialect, heads, keys};

pub fn hash(secret: &str) -> KeyHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// A key that opens this server, and the signal that it does not any more.
#[derive(Debug)]
pub(super) struct KeyEntry {
    pub(super) key: AccessKey,
    /// Cancelled when the key is revoked.
    pub(super) revoked: CancellationToken,
    /// What is done with it at this moment.
    pub(super) taken: Taken,
    /// A permit for each read that it may have in the line for a connection at once, so that not all who come after it wait
    /// for all that it wants to know.
    pub(super) reads: Arc<Semaphore>,
    /// The same for its snapshots, whose line is another.
    pub(super) snapshots: Semaphore,
    /// What is kept of its snapshots until they are sent.
    pub(super) spooled: Arc<Spooled>,
}

impl KeyEntry {
    fn new(key: AccessKey, pool: &Pool) -> Arc<Self> {
        let part_of = |connections: usize| Semaphore::new((connections * 3 / 4).max(1));
        let connections = pool.max_size() as usize;
        let (reads, snapshots) = (part_of(connections), part_of(connections / 4));
        Arc::new(Self {
            key,
            revoked: CancellationToken::new(),
            taken: Taken::default(),
            reads: Arc::new(reads),
            snapshots,
            spooled: Arc::default(),
        })
    }
}

/// The keys, in memory. They are read again when the directory has changed.
pub struct Keys {
    pool: Pool,
    good: RwLock<HashMap<KeyHash, Arc<KeyEntry>>>,
    /// Revoked keys, so that they are told what they are.
    bad: RwLock<HashSet<KeyHash>>,
    /// Where the directory ended when it was read last. Held while it is read again.
    read_at: Mutex<Option<Head>>,
    /// When it was last looked whether a key that is not known is new. Held while that is done.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

/// How often a process looks by itself whether another has changed the keys: a revoked key's streams end within 5 seconds
/// everywhere, also when it has not heard of it.
const POLL: Duration = Duration::from_secs(2);

/// When more revisions than these have come, all keys are read again: it takes no longer than to look for which.
const MOST_CHANGED: i64 = 1_000;

/// Keys that are not known make this process look into the database once in this time at most, however many there are.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

impl Keys {
    pub fn load(pool: Pool) -> Result<Arc<Self>, StoreError> {
        let keys = Self {
            pool,
            good: RwLock::default(),
            bad: RwLock::default(),
            read_at: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
        };
        keys.refresh()?;
        Ok(Arc::new(keys))
    }

    /// Reads the keys again if the directory has changed since, or is another one. What it finds need not be on disk yet: the
    /// secret of a key is told when it is, and one that is revoked too early was revoked.
    pub fn refresh(&self) -> Result<(), StoreError> {
        // In this order: who waits for another to read holds no connection.
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = self.pool.get()?;
        // All as of one moment: of what a failover then loses, nothing is known here that the head does not tell of.
        let (head, found) = dialect::read(&mut connection, |connection| found(connection, *read_at))?;
        match found {
            Found::Same => {}
            Found::Changed(changed) => self.take_in(changed),
            Found::All(all) => self.replace(all),
        }
        *read_at = Some(head);
        Ok(())
    }

    /// Takes in keys that were made or revoked; the others are as they were.
    fn take_in(&self, changed: Vec<AccessKey>) {
        let mut good = self.good.write().unwrap_or_else(PoisonError::into_inner);
        let mut bad = self.bad.write().unwrap_or_else(PoisonError::into_inner);
        for key in changed {
            if key.revoke_time.is_some() {
                if let Some(entry) = good.remove(&key.hash) {
                    entry.revoked.cancel();
                }
                bad.insert(key.hash);
            } else {
                bad.remove(&key.hash);
                good.entry(key.hash).or_insert_with(|| KeyEntry::new(key, &self.pool));
            }
        }
    }

    /// Knows these keys and no others.
    fn replace(&self, all: Vec<AccessKey>) {
        let there: HashSet<_> = all.iter().map(|key| key.hash).collect();
        self.take_in(all);
        self.bad.write().unwrap_or_else(PoisonError::into_inner).retain(|hash| there.contains(hash));
        let mut good = self.good.write().unwrap_or_else(PoisonError::into_inner);
        // Of a key that the database has lost, nobody can tell whether it was revoked.
        for (_, lost) in good.extract_if(|hash, _| !there.contains(hash)) {
            lost.revoked.cancel();
        }
    }

    /// Reads the keys when another process has changed them, until it is dropped.
    pub async fn follow(self: Arc<Self>, hub: Arc<Hub>) {
        loop {
            match hub.feed(SYSTEM).await {
                Ok(feed) => {
                    let mut bell = feed.bell();
                    loop {
                        // Also unasked: a reading may have failed. The feed holds the bell's sender.
                        let _ = tokio::time::timeout(POLL, bell.changed()).await;
                        // What went wrong is in the log, and the next look is soon.
                        let _ = self.refresh_off_thread().await;
                    }
                }
                Err(error) => tracing::warn!(%error, "the directory cannot be followed yet"),
            }
            tokio::time::sleep(POLL).await;
            let _ = self.refresh_off_thread().await;
        }
    }

    /// # Errors
    ///
    /// When the keys could not be read: what this process knows of them may be old.
    pub(super) async fn refresh_off_thread(self: &Arc<Self>) -> Result<(), Failure> {
        let keys = Arc::clone(self);
        match tokio::task::spawn_blocking(move || keys.refresh()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the access keys could not be read");
                Err(Failure::StoreUnavailable)
            }
            Err(error) => {
                tracing::error!(%error, "reading the access keys panicked");
                Err(Failure::StoreUnavailable)
            }
        }
    }

    /// Looks whether another process has made the key that is not known here. All who wait share the next look: made-up
    /// keys cost one caller's share of the database, not one for each.
    async fn look_again(self: &Arc<Self>) -> Result<(), Failure> {
        let asked = Instant::now();
        let mut looked = self.looked.lock().await;
        if let Some(last) = *looked {
            if last >= asked {
                return Ok(());
            }
            tokio::time::sleep_until(last + BETWEEN_LOOKS).await;
        }
        let now = Instant::now();
        self.refresh_off_thread().await?;
        *looked = Some(now);
        Ok(())
    }

    fn get(&self, hash: &KeyHash) -> Option<Arc<KeyEntry>> {
        self.good.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Lets a caller in by its metadata, if that takes no look into the database.
    pub(super) fn admit_known(&self, headers: &http::HeaderMap) -> Option<Result<Caller, Denied>> {
        match key_hash(headers) {
            Ok(hash) => self.get(&hash).map(|entry| Caller::new(entry, headers)),
            Err(denied) => Some(Err(denied)),
        }
    }

    /// Lets a caller in whose key is not known: another process may have made it a moment ago.
    pub(super) async fn admit_unknown(self: &Arc<Self>, headers: &http::HeaderMap) -> Result<Caller, Denied> {
        let hash = key_hash(headers)?;
        self.look_again().await.map_err(|_| Denied::KeysUnreadable)?;
        let revoked = || self.bad.read().unwrap_or_else(PoisonError::into_inner).contains(&hash);
        let entry = self.get(&hash).ok_or_else(|| if revoked() { Denied::Revoked } else { Denied::UnknownKey })?;
        Caller::new(entry, headers)
    }
}

/// What is found of the keys, and which end of the directory tells of it.
enum Found {
    /// The directory is as it was read.
    Same,
    /// The other keys are as they were.
    Changed(Vec<AccessKey>),
    All(Vec<AccessKey>),
}

fn found(connection: &mut AnyConnection, read_at: Option<Head>) -> Result<(Head, Found), StoreError> {
    let revision = heads::last_revision(connection, SYSTEM)?;
    let uid = changes::uid(connection, SYSTEM, revision)?.unwrap_or(0);
    let head = Head { revision, uid };
    if Some(head) == read_at {
        return Ok((head, Found::Same));
    }
    let found = match changed(connection, read_at, revision)? {
        Some(changed) => Found::Changed(changed),
        None => Found::All(keys::all(connection)?),
    };
    Ok((head, found))
}

/// The keys that were made or revoked since the directory was read, by its log; None where all must be read: it is another
/// directory, or has lost what was read of it, or too much has changed.
fn changed(
    connection: &mut AnyConnection,
    read_at: Option<Head>,
    revision: i64,
) -> Result<Option<Vec<AccessKey>>, StoreError> {
    let Some(read) = read_at.filter(|read| (read.revision + 1..=read.revision + MOST_CHANGED).contains(&revision))
    else {
        return Ok(None);
    };
    if changes::uid(connection, SYSTEM, read.revision)? != Some(read.uid) {
        return Ok(None);
    }
    let limit = Limit { rows: MOST_CHANGED as usize, bytes: u64::MAX };
    let entries = match changes::after(connection, SYSTEM, read.revision, limit) {
        // A later version may write what this one cannot read.
        Err(StoreError::Corrupt(_)) => return Ok(None),
        entries => entries?,
    };
    if entries.last().is_none_or(|last| last.change.revision < revision) {
        return Ok(None);
    }
    let ids: BTreeSet<_> = entries.iter().filter_map(|entry| AccessKey::id_of(&entry.change.resource)).collect();
    let ids: Vec<_> = ids.into_iter().map(str::to_owned).collect();
    let changed = keys::readable_by_ids(connection, &ids)?;
    Ok(Some(changed).filter(|changed| changed.len() == ids.len()))
}

/// Of the key that a caller shows.
fn key_hash(headers: &http::HeaderMap) -> Result<KeyHash, Denied> {
    let secret = headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim())
        .ok_or(Denied::NoKey)?;
    Ok(hash(secret))
}

/// A new secret: 256 random bits, behind a word that tells people and scanners what it is.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(bits.iter().fold("loket_".to_owned(), |secret, byte| format!("{secret}{byte:02x}")))
}
