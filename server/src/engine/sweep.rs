//! Takes away the files that nobody has: uploads that were not used in time, and what a crash has left.
//!
//! An upload's row comes before its bytes, and goes before them; what uses it is decided while the head is locked, as is what
//! takes it away. So bytes without a row are nobody's, and never will be anybody's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Engine, Failure};
use crate::domain::time::{DAY, Micros};
use crate::domain::upload::Upload;
use crate::store::{Content, StoreError, dialect, heads, uploads};

/// How long an expired upload is still told apart from one that there never was.
const TOLD: Micros = Upload::LIFETIME;
/// Bytes of nobody are kept for so long: whoever has restored the wrong backup can still restore the right one.
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
            while expire(engine, &helpdesk).await? == AT_ONCE {}
            if self.rests_until.get(&helpdesk).is_none_or(|until| *until <= Instant::now()) {
                look_through(engine, &helpdesk).await?;
                self.rests_until.insert(helpdesk, Instant::now() + REST);
            }
        }
        Ok(())
    }
}

/// Forgets the next few uploads that have expired, and takes away what they had. Says how many.
async fn expire(engine: &Engine, helpdesk: &str) -> Result<usize, Failure> {
    let before = engine.clock().now() - TOLD;
    let key = helpdesk.to_owned();
    let gone = engine
        .read(move |connection| {
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
    let nobodys = gone.into_iter().filter(|(_, is_nobodys)| *is_nobodys).map(|(id, _)| id).collect();
    remove(engine, helpdesk, nobodys).await?;
    Ok(count)
}

/// Looks through a helpdesk's files for those that have no row.
async fn look_through(engine: &Engine, helpdesk: &str) -> Result<(), Failure> {
    let key = helpdesk.to_owned();
    for bucket in in_folder(engine, move |content| content.buckets(&key)).await? {
        let key = helpdesk.to_owned();
        let ids = in_folder(engine, move |content| content.ids(&key, &bucket)).await?;
        let before = engine.clock().now() - KEPT;
        let old: Vec<_> = ids.into_iter().filter(|id| made_at(id).is_some_and(|time| time < before)).collect();
        for ids in old.chunks(AT_ONCE) {
            let (key, ids) = (helpdesk.to_owned(), ids.to_vec());
            let nobodys = engine.read(move |connection| {
                dialect::read(connection, |connection| Ok(uploads::unknown(connection, &key, ids)?))
            });
            remove(engine, helpdesk, nobodys.await?).await?;
        }
    }
    Ok(())
}

async fn remove(engine: &Engine, helpdesk: &str, ids: Vec<String>) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    tracing::info!(helpdesk, files = ids.len(), "took away files that nobody has");
    let key = helpdesk.to_owned();
    in_folder(engine, move |content| ids.iter().try_for_each(|id| content.remove(&key, id))).await
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

/// When an upload was made: its id is a UUID of version 7, which begins with the time in milliseconds.
fn made_at(id: &str) -> Option<Micros> {
    Micros::from_str_radix(id.get(..12)?, 16).ok().map(|millis| millis * 1_000)
}
