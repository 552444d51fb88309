//! A server in this process, started as the program starts it.

use std::sync::Arc;

use loket::v1::Role;
use loket_server::serve::{self, Running};

use super::{Caller, Data, Options, TestClock};

/// It listens on a port of its own, and keeps its data in a folder that goes with it. Dropped, it stops.
pub(crate) struct Server {
    pub(crate) clock: Arc<TestClock>,
    options: Options,
    running: Option<Running>,
    data: Data,
    admin: Caller,
}

impl Server {
    pub(crate) async fn start(options: impl Into<Options>) -> Self {
        let options = options.into();
        let data = Data::new(&options);
        Self::start_on(options, data, Arc::new(TestClock::new()), None).await
    }

    /// Starts another on the same database, with a folder of its own and the same clock.
    pub(crate) async fn beside(&self, options: impl Into<Options>) -> Self {
        self.beside_at(options, Arc::clone(&self.clock)).await
    }

    /// The same with a clock of its own.
    pub(crate) async fn beside_at(&self, options: impl Into<Options>, clock: Arc<TestClock>) -> Self {
        let secret = Some(self.admin.secret.clone());
        Self::start_on(options.into(), self.data.beside(), clock, secret).await
    }

    /// Stops it in order, and starts it again on the same data with the same clock, on another port.
    pub(crate) async fn again(self) -> Self {
        let options = self.options.clone();
        self.again_with(options).await
    }

    /// The same with other options.
    pub(crate) async fn again_with(mut self, options: impl Into<Options>) -> Self {
        let running = self.running.take().unwrap();
        running.stopper().cancel();
        running.stopped().await.unwrap();
        let secret = Some(self.admin.secret.clone());
        Self::start_on(options.into(), self.data.clone(), Arc::clone(&self.clock), secret).await
    }

    /// With the key of the first admin, or the one that this start writes.
    async fn start_on(options: Options, data: Data, clock: Arc<TestClock>, secret: Option<String>) -> Self {
        let config = options.config(&data);
        let running = serve::start(config, Arc::clone(&clock) as _).await.unwrap();
        let endpoint = format!("http://{}", running.address);
        let secret = secret.unwrap_or_else(|| data.admin_key());
        let admin = Caller::connect(&endpoint, &secret, "desk").await;
        Self { clock, options, running: Some(running), data, admin }
    }

    /// `http://127.0.0.1:…`.
    pub(crate) fn endpoint(&self) -> String {
        self.admin.endpoint().to_owned()
    }

    pub(crate) fn data(&self) -> &Data {
        &self.data
    }

    /// Asks it to stop, as a signal would.
    pub(crate) fn stop(&self) {
        self.running.iter().for_each(|running| running.stopper().cancel());
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
