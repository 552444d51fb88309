//! Who calls: the access keys that are good, and what the caller of a request is.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::share::Taken;
use super::status::Denied;
use crate::domain::access_key::KeyHash;
use crate::domain::{AccessKey, Actor, Refusal, Role, text};
use crate::engine::Failure;
use crate::feed::{Head, Hub, Spooled};
use crate::store::{Pool, SYSTEM, StoreError, changes, heads, keys};

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
    bad: RwLock<Vec<KeyHash>>,
    /// Where the directory ended when it was read last. Held while it is read again.
    read_at: Mutex<Option<Head>>,
    /// When it was last looked whether a key that is not known is new. Held while that is done.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

/// How often a process looks by itself whether another has changed the keys: a revoked key's streams end within 5 seconds
/// everywhere, also when it has not heard of it.
const POLL: Duration = Duration::from_secs(2);

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
        let revision = heads::last_revision(&mut connection, SYSTEM)?;
        let uid = changes::uid(&mut connection, SYSTEM, revision)?.unwrap_or(0);
        let head = Some(Head { revision, uid });
        if head == *read_at {
            return Ok(());
        }
        let all = keys::all(&mut connection)?;
        let (mut bad, mut there) = (Vec::new(), HashSet::new());
        let mut good = self.good.write().unwrap_or_else(PoisonError::into_inner);
        for key in all {
            let hash = key.hash;
            there.insert(hash);
            if key.revoke_time.is_some() {
                bad.push(hash);
                if let Some(entry) = good.remove(&hash) {
                    entry.revoked.cancel();
                }
            } else {
                good.entry(hash).or_insert_with(|| KeyEntry::new(key, &self.pool));
            }
        }
        // Of a key that the database has lost, nobody can tell whether it was revoked.
        for (_, lost) in good.extract_if(|hash, _| !there.contains(hash)) {
            lost.revoked.cancel();
        }
        drop(good);
        *self.bad.write().unwrap_or_else(PoisonError::into_inner) = bad;
        *read_at = head;
        Ok(())
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

/// The caller of a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) entry: Arc<KeyEntry>,
    pub(super) actor: Actor,
}

impl Caller {
    fn new(entry: Arc<KeyEntry>, headers: &http::HeaderMap) -> Result<Self, Denied> {
        let on_behalf_of = match headers.get(loket::reason::ON_BEHALF_OF) {
            None => String::new(),
            Some(value) => {
                if !entry.key.role.acts_for_others() {
                    return Err(Denied::OnBehalfOf { role: entry.key.role });
                }
                let subject = value.to_str().map_err(|_| Denied::NotASubject)?.trim();
                if subject.is_empty() || subject.len() > text::DISPLAY_NAME_MAX {
                    return Err(Denied::NotASubject);
                }
                subject.to_owned()
            }
        };
        let actor = Actor { subject: entry.key.subject.clone(), role: entry.key.role, on_behalf_of };
        Ok(Self { entry, actor })
    }

    /// A helpdesk that the key does not open does not exist for it.
    pub(super) fn enter(&self, helpdesk: &str) -> Result<(), Refusal> {
        if self.opens(helpdesk) {
            return Ok(());
        }
        Err(Refusal::no_helpdesk(helpdesk))
    }

    pub(super) fn opens(&self, helpdesk: &str) -> bool {
        let opened = &self.entry.key.helpdesks;
        if opened.is_empty() { self.actor.role == Role::Admin } else { opened.iter().any(|id| id == helpdesk) }
    }

    /// The helpdesks that it opens, in order of their ids; None for all that there are.
    pub(super) fn only(&self) -> Option<BTreeSet<String>> {
        let opened = &self.entry.key.helpdesks;
        let is_all = opened.is_empty() && self.actor.role == Role::Admin;
        (!is_all).then(|| opened.iter().cloned().collect())
    }

    /// Refuses all roles but these.
    pub(super) fn must_be(&self, what: &str, allowed: &[Role]) -> Result<(), Refusal> {
        if allowed.contains(&self.actor.role) {
            return Ok(());
        }
        Err(Refusal::RoleNotAllowed { what: what.to_owned(), role: self.actor.role, allowed: allowed.to_vec() })
    }

    pub(super) fn must_be_staff(&self, what: &str) -> Result<(), Refusal> {
        self.must_be(what, &[Role::Agent, Role::Supervisor, Role::Service, Role::Admin])
    }
}

/// A new secret: 256 random bits, behind a word that tells people and scanners what it is.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(bits.iter().fold("loket_".to_owned(), |secret, byte| format!("{secret}{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use diesel::RunQueryDsl;

    use super::*;
    use crate::store::{AnyConnection, BatchRows, Database, HeadRow, dialect, write_batch};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn keys_that_are_not_known_share_a_look_and_keep_no_connection_from_others() {
        const CALLERS: usize = 100;
        let folder = tempfile::tempdir().unwrap();
        let database: Database = format!("sqlite:{}", folder.path().join("keys.db").display()).parse().unwrap();
        dialect::migrate(&mut database.open().unwrap()).unwrap();
        let pool = Pool::of(&database, 1).unwrap();
        let keys = Keys::load(pool.clone()).unwrap();

        // Somebody reads the keys, and takes long.
        let (release, released) = mpsc::channel::<()>();
        let (held, is_held) = tokio::sync::oneshot::channel();
        let reader = std::thread::spawn({
            let keys = Arc::clone(&keys);
            move || {
                let _reading = keys.read_at.lock().unwrap();
                held.send(()).unwrap();
                released.recv().ok();
            }
        });
        is_held.await.unwrap();
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..CALLERS {
            let keys = Arc::clone(&keys);
            callers.spawn(async move {
                let mut headers = http::HeaderMap::new();
                headers.insert(http::header::AUTHORIZATION, format!("Bearer made-up-{number}").parse().unwrap());
                keys.admit_unknown(&headers).await.map(drop)
            });
        }
        while keys.looked.try_lock().is_ok() {
            tokio::task::yield_now().await;
        }
        let connection = tokio::task::spawn_blocking(move || pool.get().map(drop));
        connection.await.unwrap().unwrap();
        release.send(()).unwrap();
        reader.join().unwrap();

        // Each look of its own would take a tenth of a second for each.
        let all = tokio::time::timeout(Duration::from_secs(5), callers.join_all()).await.unwrap();
        assert!(all.iter().all(|denied| matches!(denied, Err(Denied::UnknownKey))), "{all:?}");
    }

    fn head(last_revision: i64) -> HeadRow {
        HeadRow { last_revision, ..HeadRow::fresh(SYSTEM) }
    }

    /// A database at revision 2 with the keys `kept` and `lost`, and those who know them.
    fn with_two_keys(folder: &Path) -> (AnyConnection, Arc<Keys>, [Arc<KeyEntry>; 2]) {
        let database: Database = format!("sqlite:{}", folder.join("keys.db").display()).parse().unwrap();
        let mut connection = database.open().unwrap();
        dialect::migrate(&mut connection).unwrap();
        heads::insert(&mut connection, &head(2)).unwrap();
        diesel::sql_query(
            "INSERT INTO changes (helpdesk, revision, ordinal, ticket, uid, payload) VALUES (?, 2, 0, 0, 7, '')",
        )
        .bind::<diesel::sql_types::Text, _>(SYSTEM)
        .execute(&mut connection)
        .unwrap();
        let ids = ["kept", "lost"];
        for id in ids {
            let key = AccessKey {
                id: id.to_owned(),
                hash: hash(id),
                role: Role::Agent,
                subject: id.to_owned(),
                helpdesks: Vec::new(),
                display_name: String::new(),
                create_time: 0,
                revoke_time: None,
                revision: 1,
            };
            keys::insert(&mut connection, &key).unwrap();
        }
        let keys = Keys::load(Pool::of(&database, 1).unwrap()).unwrap();
        let entries = ids.map(|id| keys.get(&hash(id)).unwrap());
        (connection, keys, entries)
    }

    #[test]
    fn a_key_that_the_database_has_lost_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut connection, keys, [kept, lost]) = with_two_keys(folder.path());
        diesel::sql_query("DELETE FROM access_keys WHERE id = 'lost'").execute(&mut connection).unwrap();
        keys.refresh().unwrap();
        assert!(!lost.revoked.is_cancelled(), "the directory is as it was read: nothing of it is read again");

        write_batch(&mut connection, &BatchRows::of(&head(1))).unwrap();
        keys.refresh().unwrap();
        assert!(lost.revoked.is_cancelled() && !kept.revoked.is_cancelled());
        assert!(keys.get(&hash("lost")).is_none() && keys.get(&hash("kept")).is_some());
    }

    /// As after a failover that lost the last commit, when another one has taken its revision.
    #[test]
    fn a_directory_of_the_same_revision_with_another_uid_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mut connection, keys, [kept, lost]) = with_two_keys(folder.path());
        diesel::sql_query("DELETE FROM access_keys WHERE id = 'lost'").execute(&mut connection).unwrap();
        diesel::sql_query("UPDATE changes SET uid = 8").execute(&mut connection).unwrap();
        keys.refresh().unwrap();
        assert!(lost.revoked.is_cancelled() && !kept.revoked.is_cancelled());
        assert!(keys.get(&hash("lost")).is_none() && keys.get(&hash("kept")).is_some());
    }
}
