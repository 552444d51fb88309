//! Work that goes on whether or not anybody asks how far it is.

use tokio::task::{AbortHandle, JoinError};

/// Runs a future as a task of its own, which is given up when this is dropped.
///
/// A stream whose client takes nothing is not polled, in the middle of whatever it does. What it holds then, a turn to read
/// or a lock, it would hold until the client goes on: so all that is shared is waited for and held by such a task.
///
/// # Errors
///
/// When the work panicked.
pub async fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, JoinError> {
    struct GivenUp(AbortHandle);
    impl Drop for GivenUp {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let task = tokio::spawn(work);
    let _given_up = GivenUp(task.abort_handle());
    task.await
}
