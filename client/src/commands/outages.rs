//! What is said of a watch whose server is away: else what was shown last would be taken for how things stand.

use std::time::Duration;

use loket_client::v1::WatchQueueResponse;
use loket_client::watch::Outage;
use loket_client::{Error, QueueWatch, Watch, WatchItem};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::output;

/// How often it is looked whether there is a stream; a shorter outage is not worth a word.
const LOOK: Duration = Duration::from_secs(1);

/// A watch that goes on by itself.
pub(crate) trait Follow {
    type Item;

    async fn next(&mut self) -> Result<Option<Self::Item>, Error>;

    fn outage(&self) -> Option<Outage>;
}

impl Follow for Watch {
    type Item = WatchItem;

    async fn next(&mut self) -> Result<Option<WatchItem>, Error> {
        Self::next(self).await
    }

    fn outage(&self) -> Option<Outage> {
        Self::outage(self)
    }
}

impl Follow for QueueWatch {
    type Item = WatchQueueResponse;

    async fn next(&mut self) -> Result<Option<WatchQueueResponse>, Error> {
        Self::next(self).await
    }

    fn outage(&self) -> Option<Outage> {
        Self::outage(self)
    }
}

/// Follows whether a watch has its stream.
#[derive(Debug)]
pub(crate) struct Outages {
    /// How long the first stream may be in coming.
    patience: Duration,
    /// Since the first stream was there.
    was_up: bool,
    /// Since an outage was told of.
    told: bool,
}

impl Outages {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, was_up: false, told: false }
    }

    /// What comes next of a watch; of an outage meanwhile standard error tells.
    pub(crate) async fn next<W: Follow>(&mut self, watch: &mut W) -> Result<Option<W::Item>, Failure> {
        loop {
            output::look()?;
            let item = timeout(self.look(), watch.next()).await.ok().transpose()?;
            let outage = self.outage(watch)?;
            match (&outage, self.told) {
                (Some(outage), false) => output::warn(&words(outage)),
                (None, true) => output::warn("connected again"),
                (Some(_), true) | (None, false) => {}
            }
            self.told = outage.is_some();
            if let Some(item) = item {
                return Ok(item);
            }
        }
    }

    /// The outage that a watch is in, if it lasts.
    ///
    /// # Errors
    ///
    /// The first stream did not come in time.
    pub(crate) fn outage<W: Follow>(&mut self, watch: &W) -> Result<Option<Outage>, Failure> {
        match watch.outage() {
            None => {
                self.was_up = true;
                Ok(None)
            }
            Some(Outage { error: Some(error), elapsed }) if !self.was_up && elapsed >= self.patience => {
                Err(error.into())
            }
            Some(outage) => Ok(Some(outage).filter(|outage| self.was_up && outage.elapsed >= LOOK)),
        }
    }

    /// When to look next.
    pub(crate) fn look(&self) -> Duration {
        if self.was_up { LOOK } else { self.patience.clamp(Duration::from_millis(50), LOOK) }
    }
}

/// What there is to say of an outage.
pub(crate) fn words(Outage { elapsed, error }: &Outage) -> String {
    let why = error.as_ref().map_or_else(|| "the stream ended".to_owned(), |error| error.message().to_owned());
    format!("not connected for {} s, trying again: {why}", elapsed.as_secs())
}
