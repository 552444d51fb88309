//! Who calls: the access keys that are good, and what the caller of a request is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::status::Denied;
use crate::domain::{AccessKey, Actor, Refusal, Role, text};
use crate::engine::load::access_key;
use crate::feed::Hub;
use crate::store::{Pool, SYSTEM, StoreError, heads, keys};

/// SHA-256 of a secret.
pub type KeyHash = [u8; 32];

pub fn hash(secret: &str) -> KeyHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// A key that opens this server, and the signal that it does not any more.
#[derive(Debug)]
pub(super) struct KeyEntry {
    pub(super) key: AccessKey,
    /// Cancelled when the key is revoked.
    pub(super) revoked: CancellationToken,
}

/// The keys, in memory. They are read again when the directory has changed.
pub struct Keys {
    pool: Pool,
    good: RwLock<HashMap<KeyHash, Arc<KeyEntry>>>,
    /// Revoked keys, so that they are told what they are.
    bad: RwLock<Vec<KeyHash>>,
    /// The revision of the directory that was read last. Held while it is read again.
    read_at: Mutex<i64>,
}

/// How often a process looks by itself whether another has changed the keys: a revoked key's streams end within 5 seconds
/// everywhere, also when it has not heard of it.
const POLL: Duration = Duration::from_secs(2);

impl Keys {
    pub fn load(pool: Pool) -> Result<Arc<Self>, StoreError> {
        let keys = Self { pool, good: RwLock::default(), bad: RwLock::default(), read_at: Mutex::new(-1) };
        keys.refresh()?;
        Ok(Arc::new(keys))
    }

    /// Reads the keys again if the directory has changed since.
    pub fn refresh(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.get()?;
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let head = heads::last_revision(&mut connection, SYSTEM)?;
        if head == *read_at {
            return Ok(());
        }
        let rows = keys::all(&mut connection)?;
        let mut bad = Vec::new();
        let mut good = self.good.write().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let key = access_key(row)?;
            let Ok(hash) = KeyHash::try_from(key.hash.as_slice()) else { continue };
            if key.revoke_time.is_some() {
                bad.push(hash);
                if let Some(entry) = good.remove(&hash) {
                    entry.revoked.cancel();
                }
            } else {
                good.entry(hash).or_insert_with(|| Arc::new(KeyEntry { key, revoked: CancellationToken::new() }));
            }
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
                        self.refresh_off_thread().await;
                    }
                }
                Err(error) => tracing::warn!(%error, "the directory cannot be followed yet"),
            }
            tokio::time::sleep(POLL).await;
            self.refresh_off_thread().await;
        }
    }

    pub(super) async fn refresh_off_thread(self: &Arc<Self>) {
        let keys = Arc::clone(self);
        match tokio::task::spawn_blocking(move || keys.refresh()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the access keys could not be read"),
            Err(error) => tracing::error!(%error, "reading the access keys panicked"),
        }
    }

    fn get(&self, hash: &KeyHash) -> Option<Arc<KeyEntry>> {
        self.good.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Lets a caller in by its metadata.
    pub(super) async fn admit(self: &Arc<Self>, headers: &http::HeaderMap) -> Result<Caller, Denied> {
        let secret = headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim())
            .ok_or(Denied::NoKey)?;
        let hash = hash(secret);
        let entry = if let Some(entry) = self.get(&hash) {
            entry
        } else {
            // It may have been made by another process a moment ago.
            self.refresh_off_thread().await;
            let revoked = || self.bad.read().unwrap_or_else(PoisonError::into_inner).contains(&hash);
            self.get(&hash).ok_or_else(|| if revoked() { Denied::Revoked } else { Denied::UnknownKey })?
        };
        Caller::new(entry, headers)
    }
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
                if !matches!(entry.key.role, Role::Service | Role::Admin) {
                    return Err(Denied::OnBehalfOf { role: entry.key.role });
                }
                let subject = value.to_str().unwrap_or_default();
                subject.chars().take(text::DISPLAY_NAME_MAX).collect()
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
        Err(Refusal::NotFound { kind: "Helpdesk", name: format!("helpdesks/{helpdesk}") })
    }

    pub(super) fn opens(&self, helpdesk: &str) -> bool {
        let opened = &self.entry.key.helpdesks;
        if opened.is_empty() { self.actor.role == Role::Admin } else { opened.iter().any(|id| id == helpdesk) }
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
