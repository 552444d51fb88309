//! What the watchers of a queue share: it is read once for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use loket::v1 as proto;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::engine::Failure;
use crate::feed::apart;

/// Helpdesk and the epoch of its log, queue, and how many of its tickets are shown.
pub(super) type Key = (String, u64, String, i32);

/// The views that somebody watches.
#[derive(Default)]
pub(in crate::rpc) struct Views(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    views: HashMap<Key, Weak<View>>,
    /// Those that nobody watches any more are swept out when there are so many.
    sweep_at: usize,
}

impl Views {
    pub(super) fn get(&self, key: Key) -> Arc<View> {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = watched.views.get(&key).and_then(Weak::upgrade) {
            return view;
        }
        if watched.views.len() >= watched.sweep_at {
            watched.views.retain(|_, view| view.strong_count() > 0);
            watched.sweep_at = 2 * watched.views.len() + 16;
        }
        let view = Arc::new(View::default());
        watched.views.insert(key, Arc::downgrade(&view));
        view
    }
}

/// A queue as it was read last. Held while it is read, so that all who wait for the same read share it.
#[derive(Default)]
pub(super) struct View(tokio::sync::Mutex<Option<Arc<Shown>>>);

/// A queue as it stood at a revision.
pub(super) struct Shown {
    pub(super) response: proto::WatchQueueResponse,
    /// Of all but the revision, which alone is no news.
    pub(super) hash: [u8; 32],
}

impl View {
    /// The queue as it stood at `revision`, after which nothing has touched it, or later. Waited for and read apart: a stream
    /// that nobody reads from any more holds up none of the others.
    pub(super) async fn at(
        self: &Arc<Self>,
        revision: i64,
        read: impl Future<Output = Result<proto::WatchQueueResponse, Failure>> + Send + 'static,
    ) -> Result<Arc<Shown>, Failure> {
        let view = Arc::clone(self);
        let reading = apart(async move {
            let mut last = view.0.lock().await;
            if let Some(shown) = last.as_ref().filter(|shown| shown.response.revision >= revision) {
                return Ok(Arc::clone(shown));
            }
            let response = read.await?;
            let content = proto::WatchQueueResponse { revision: 0, ..response.clone() };
            let shown = Arc::new(Shown { hash: Sha256::digest(content.encode_to_vec()).into(), response });
            *last = Some(Arc::clone(&shown));
            Ok(shown)
        });
        reading.await.unwrap_or(Err(Failure::Internal))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;
    use loket::v1 as proto;

    use super::Views;
    use crate::engine::Failure;

    #[tokio::test]
    async fn a_queue_is_read_once_for_all_who_watch_it() {
        let (views, reads) = (Views::default(), Arc::new(AtomicI64::new(0)));
        let key = || ("desk".to_owned(), 0, "main".to_owned(), 20);
        let watchers: Vec<_> = (0..100).map(|_| views.get(key())).collect();
        let read = |revision: i64| {
            let reads = Arc::clone(&reads);
            async move {
                tokio::task::yield_now().await;
                reads.fetch_add(1, Ordering::SeqCst);
                Ok(proto::WatchQueueResponse { revision, ..proto::WatchQueueResponse::default() })
            }
        };
        for revision in [5, 6] {
            let shown = join_all(watchers.iter().map(|view| view.at(revision, read(revision)))).await;
            assert!(shown.iter().all(|shown| shown.as_ref().is_ok_and(|shown| shown.response.revision == revision)));
        }
        assert_eq!(reads.load(Ordering::SeqCst), 2);
        // Another length is another view, and what a lost log had come to is none of the new one.
        views.get(("desk".to_owned(), 0, "main".to_owned(), 10)).at(5, read(6)).await.ok();
        views.get(("desk".to_owned(), 1, "main".to_owned(), 20)).at(5, read(5)).await.ok();
        assert_eq!(reads.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_from_holds_up_no_other() {
        let views = Views::default();
        let view = views.get(("desk".to_owned(), 0, "main".to_owned(), 20));
        let response = |revision| proto::WatchQueueResponse { revision, ..proto::WatchQueueResponse::default() };
        let (read, is_read) = tokio::sync::oneshot::channel();
        let mut stalled = Box::pin(view.at(5, async move { is_read.await.map_err(|_| Failure::Internal) }));
        assert!(futures_util::poll!(&mut stalled).is_pending());
        tokio::task::yield_now().await;
        read.send(response(5)).unwrap();
        let other = view.at(6, async move { Ok(response(6)) });
        let shown = tokio::time::timeout(Duration::from_secs(10), other).await.expect("the other is held up");
        assert_eq!(shown.unwrap().response.revision, 6);
        assert_eq!(stalled.await.unwrap().response.revision, 5);
    }
}
