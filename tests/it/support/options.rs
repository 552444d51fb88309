//! How a server is started.

use std::time::Duration;

use loket_server::config::Config;

use super::{Data, Database};

/// The database and the flags of a server; what is not named here is at its default.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) database: Database,
    /// Of a database that is there already, instead of a new one.
    pub(crate) url: Option<String>,
    flags: Vec<String>,
    /// The command that a process is run by, with its arguments; none by default.
    pub(crate) under: Vec<String>,
}

impl From<Database> for Options {
    fn from(database: Database) -> Self {
        Self { database, url: None, flags: Vec::new(), under: Vec::new() }
    }
}

/// `Server::start(database().with().ring_capacity(4))`.
impl Database {
    pub(crate) fn with(self) -> Options {
        self.into()
    }
}

impl Options {
    pub(crate) fn presets(self) -> Self {
        self.flag("--with-presets")
    }

    pub(crate) fn ring_capacity(self, changes: usize) -> Self {
        self.flag(&format!("--ring-capacity={changes}"))
    }

    pub(crate) fn feed_window(self, revisions: i64) -> Self {
        self.flag(&format!("--feed-window={revisions}"))
    }

    pub(crate) fn max_queued(self, commands: usize) -> Self {
        self.flag(&format!("--max-queued={commands}"))
    }

    pub(crate) fn max_calls(self, calls: usize) -> Self {
        self.flag(&format!("--max-calls={calls}"))
    }

    pub(crate) fn max_streams(self, streams: usize) -> Self {
        self.flag(&format!("--max-streams={streams}"))
    }

    pub(crate) fn max_message_bytes(self, bytes: usize) -> Self {
        self.flag(&format!("--max-message-bytes={bytes}"))
    }

    pub(crate) fn request_timeout(self, timeout: Duration) -> Self {
        self.flag(&format!("--request-timeout={}ms", timeout.as_millis()))
    }

    pub(crate) fn drain_timeout(self, timeout: Duration) -> Self {
        self.flag(&format!("--drain-timeout={}ms", timeout.as_millis()))
    }

    /// On a database that is there already.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }

    /// Any other flag.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Runs a server process by another command, as `strace` is.
    pub(crate) fn under(mut self, command: Vec<String>) -> Self {
        self.under = command;
        self
    }

    /// The command line; port 0 takes a free one.
    pub(crate) fn arguments(&self, data: &Data, port: u16) -> Vec<String> {
        let mut arguments = self.flags.clone();
        arguments.push(format!("--listen=127.0.0.1:{port}"));
        arguments.push(format!("--data-dir={}", data.folder().display()));
        arguments.push(format!("--attachments-dir={}", data.attachments().display()));
        arguments.push(format!("--database-url={}", data.url()));
        arguments
    }

    pub(crate) fn config(&self, data: &Data) -> Config {
        let program = ["loket-server".to_owned()];
        Config::read(program.into_iter().chain(self.arguments(data, 0)).map(Into::into)).unwrap()
    }
}
