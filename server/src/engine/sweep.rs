//! Takes away the files that nobody has: uploads that were not used in time, and what a crash has left.
//!
//! An upload's row comes before its bytes, and goes before them; what uses it is decided while the head is locked, as is what
//! takes it away. So bytes without a row are nobody's, and never will be anybody's.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::housekeeping::common_time;
use super::{Engine, Failure};
use crate::domain::time::{DAY, Micros};
use crate::domain::upload::Upload;
use crate::store::{Content, StoreError, dialect, heads, uploads};

/// How long an expired upload is still told apart from one that there never was.
const TOLD: Micros = Upload::LIFETIME;
/// Bytes are kept for so long after they were first seen to be nobody's: whoever has restored the wrong backup can still restore
/// the right one, which has them again.
const KEPT: Micros = DAY;
/// How many are looked at, and may go, in one transaction.
const AT_ONCE: usize = 500;
/// How long a helpdesk's folder is left alone when all of it was looked at.
const REST: Duration = Duration::from_hours(1);

/// When each helpdesk's folder was last looked through.
#[derive(Default)]
pub(super) struct Sweep {
    rests_until: HashMap<String, Instant>,
}

impl Sweep {
    pub(super) async fn run(&mut self, engine: &Engine) -> Result<(), Failure> {
        let helpdesks = engine.read(|connection| Ok(heads::last_revisions(connection)?)).await?;
        self.rests_until.retain(|helpdesk, _| helpdesks.iter().any(|(known, _)| known == helpdesk));
        for (helpdesk, _) in helpdesks {
            // What is wrong with the folder of one is no reason to leave the others'.
            if let Err(failure) = self.clear(engine, &helpdesk).await {
                tracing::warn!(%failure, %helpdesk, "a helpdesk's files were not looked through to the end");
            }
        }
        Ok(())
    }

    async fn clear(&mut self, engine: &Engine, helpdesk: &str) -> Result<(), Failure> {
        while expire(engine, helpdesk).await? == AT_ONCE {}
        if self.rests_until.get(helpdesk).is_none_or(|until| *until <= Instant::now()) {
            look_through(engine, helpdesk).await?;
            self.rests_until.insert(helpdesk.to_owned(), Instant::now() + REST);
        }
        Ok(())
    }
}

/// Forgets the next few uploads that have expired, and notes what they had as nobody's. Says how many.
async fn expire(engine: &Engine, helpdesk: &str) -> Result<usize, Failure> {
    let (key, now) = (helpdesk.to_owned(), engine.clock().now());
    let gone = engine
        .read(move |connection| {
            let before = common_time(connection, &key, now)? - TOLD;
            if uploads::expired(connection, &key, before, 1)?.is_empty() {
                return Ok(Vec::new());
            }
            dialect::write(connection, |connection| {
                heads::lock(connection, &key)?;
                let found = uploads::expired(connection, &key, before, AT_ONCE as i64)?;
                let ids: Vec<_> = found.iter().map(|(id, _)| id.clone()).collect();
                uploads::remove(connection, &key, &ids)?;
                Ok::<_, StoreError>(found)
            })
        })
        .await?;
    let count = gone.len();
    // Not taken away at once: in the database that should have been restored they may be attached.
    let nobodys: Vec<_> = gone.into_iter().filter(|(_, is_nobodys)| *is_nobodys).map(|(id, _)| id).collect();
    note(engine, helpdesk, nobodys).await?;
    Ok(count)
}

/// Looks through a helpdesk's files for those that have no row: notes them, and takes away what was noted long enough ago.
async fn look_through(engine: &Engine, helpdesk: &str) -> Result<(), Failure> {
    let key = helpdesk.to_owned();
    let noted = in_folder(engine, move |content| content.orphans(&key)).await?;
    let (key, now) = (helpdesk.to_owned(), engine.clock().now());
    let before = engine.read(move |connection| common_time(connection, &key, now)).await? - KEPT;
    // Whatever is not seen to be nobody's now is somebody's again, or gone.
    let mut forgotten: HashSet<_> = noted.keys().cloned().collect();
    let key = helpdesk.to_owned();
    for bucket in in_folder(engine, move |content| content.buckets(&key)).await? {
        let key = helpdesk.to_owned();
        let ids = in_folder(engine, move |content| content.ids(&key, &bucket)).await?;
        for ids in ids.chunks(AT_ONCE) {
            let (key, ids) = (helpdesk.to_owned(), ids.to_vec());
            let nobodys = engine.read(move |connection| {
                dialect::read(connection, |connection| Ok(uploads::unknown(connection, &key, ids)?))
            });
            let (known, new): (Vec<_>, Vec<_>) = nobodys.await?.into_iter().partition(|id| noted.contains_key(id));
            note(engine, helpdesk, new).await?;
            let (old, young): (Vec<_>, Vec<_>) =
                known.into_iter().partition(|id| noted.get(id).is_some_and(|since| *since < before));
            for id in young {
                forgotten.remove(&id);
            }
            // A note goes after its file: what cannot be taken away is tried again.
            for id in remove(engine, helpdesk, old).await? {
                forgotten.remove(&id);
            }
        }
    }
    if forgotten.is_empty() {
        return Ok(());
    }
    let key = helpdesk.to_owned();
    in_folder(engine, move |content| content.forget_orphans(&key, &forgotten)).await
}

async fn note(engine: &Engine, helpdesk: &str, ids: Vec<String>) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let (key, now) = (helpdesk.to_owned(), engine.clock().now());
    in_folder(engine, move |content| ids.iter().try_for_each(|id| content.note_orphan(&key, id, now))).await
}

/// Takes files away. Returns those that could not be: each for itself, so that none keeps the others.
async fn remove(engine: &Engine, helpdesk: &str, ids: Vec<String>) -> Result<Vec<String>, Failure> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let (key, count) = (helpdesk.to_owned(), ids.len());
    let failed = in_folder(engine, move |content| {
        let mut failed = ids;
        failed.retain(|id| {
            let removed = content.remove(&key, id);
            if let Err(error) = &removed {
                tracing::warn!(%error, helpdesk = key, file = id, "a file that nobody has cannot be taken away");
            }
            removed.is_err()
        });
        Ok(failed)
    })
    .await?;
    tracing::info!(helpdesk, files = count - failed.len(), "took away files that nobody has");
    Ok(failed)
}

/// Works on the folder, off the async threads.
async fn in_folder<T: Send + 'static>(
    engine: &Engine,
    work: impl FnOnce(&Content) -> std::io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let content = engine.content().clone();
    match tokio::task::spawn_blocking(move || work(&content)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the folder of the attachments cannot be cleared");
            Err(Failure::ContentUnavailable)
        }
        Err(_) => Err(Failure::Internal),
    }
}
