//! A server in this process, started as the program starts it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use loket::v1::Role;
use loket_server::serve::{self, Running};
use tempfile::TempDir;

use super::{Caller, Options, TestClock};

/// It listens on a port of its own, and keeps its data in a folder that goes with it. Dropped, it stops.
pub(crate) struct Server {
    pub(crate) clock: Arc<TestClock>,
    options: Options,
    running: Option<Running>,
    data_dir: Arc<TempDir>,
    admin: Caller,
}

impl Server {
    pub(crate) async fn start(options: impl Into<Options>) -> Self {
        let data_dir = Arc::new(tempfile::tempdir().unwrap());
        Self::start_on(options.into(), data_dir, Arc::new(TestClock::new())).await
    }

    /// Stops it in order, and starts it again on the same data with the same clock, on another port.
    pub(crate) async fn again(self) -> Self {
        let options = self.options.clone();
        self.again_with(options).await
    }

    /// The same with other options.
    pub(crate) async fn again_with(mut self, options: impl Into<Options>) -> Self {
        let running = self.running.take().unwrap();
        running.stop();
        running.stopped().await.unwrap();
        Self::start_on(options.into(), Arc::clone(&self.data_dir), Arc::clone(&self.clock)).await
    }

    async fn start_on(options: Options, data_dir: Arc<TempDir>, clock: Arc<TestClock>) -> Self {
        let config = options.config(data_dir.path());
        let running = serve::start(config, Arc::clone(&clock) as _).await.unwrap();
        let endpoint = format!("http://{}", running.address);
        let admin = Caller::connect(&endpoint, &admin_key(data_dir.path()), "desk").await;
        Self { clock, options, running: Some(running), data_dir, admin }
    }

    /// `http://127.0.0.1:…`.
    pub(crate) fn endpoint(&self) -> String {
        self.admin.endpoint().to_owned()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data_dir.path().to_owned()
    }

    /// Asks it to stop, as a signal would.
    pub(crate) fn stop(&self) {
        self.running.iter().for_each(Running::stop);
    }

    /// The caller with the first admin's key.
    pub(crate) fn admin(&self) -> &Caller {
        &self.admin
    }

    /// The secret of a new key.
    pub(crate) async fn key(&self, role: Role, subject: &str, helpdesks: &[&str]) -> String {
        self.admin.key(role, subject, helpdesks).await.secret
    }

    /// Somebody with a new key; the first helpdesk is the one that the short methods of [`Caller`] speak of.
    pub(crate) async fn caller(&self, role: Role, subject: &str, helpdesks: &[&str]) -> Caller {
        let secret = self.key(role, subject, helpdesks).await;
        Caller::connect(&self.endpoint(), &secret, helpdesks.first().unwrap_or(&"desk")).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The key that the first start writes.
pub(crate) fn admin_key(data_dir: &Path) -> String {
    std::fs::read_to_string(data_dir.join("admin.key")).unwrap().trim().to_owned()
}
