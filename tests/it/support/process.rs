//! The real program as a child, which can be killed and started again on the same data and port.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use loket::v1::Role;

use super::programs::{SERVER, program, signal, without_settings};
use super::{Caller, Data, Options, eventually};

/// Killed when it is dropped.
pub(crate) struct ServerProcess {
    options: Options,
    port: u16,
    child: Child,
    data: Data,
    /// The secret of the first admin.
    secret: String,
}

impl ServerProcess {
    /// It runs on the machine's clock.
    pub(crate) async fn start(options: impl Into<Options>) -> Self {
        let options = options.into();
        let data = Data::new(&options);
        let mut server = Self::spawn(options, data);
        server.ready().await;
        server.secret = server.data.admin_key();
        server
    }

    /// Starts another on the same database, with a folder and a port of its own.
    pub(crate) async fn beside(&self, options: impl Into<Options>) -> Self {
        let mut server = Self::spawn(options.into(), self.data.beside());
        server.ready().await;
        server.secret.clone_from(&self.secret);
        server
    }

    fn spawn(options: Options, data: Data) -> Self {
        let port = free_port();
        let child = spawn(&options, &data, port);
        Self { options, port, child, data, secret: String::new() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing of it runs any more when this returns.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: it begins to stop.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// SIGINT, as Ctrl-C sends it.
    pub(crate) fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends a signal, as the program `kill` names it.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits until it has ended by itself, and says whether it ended well.
    pub(crate) async fn ended(&mut self) -> bool {
        eventually("the server process ends", async || self.child.try_wait().unwrap()).await.success()
    }

    /// Starts it again, after a kill, with the same data, options and port. It answers when this returns.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.options, &self.data, self.port);
        self.ready().await;
    }

    /// `http://127.0.0.1:…`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn data(&self) -> &Data {
        &self.data
    }

    /// The caller with the first admin's key. Callers connect again by themselves after a restart.
    pub(crate) async fn admin(&self) -> Caller {
        Caller::connect(&self.endpoint(), &self.secret, "desk").await
    }

    /// Somebody with a new key; the first helpdesk is the one that the short methods of [`Caller`] speak of.
    pub(crate) async fn caller(&self, role: Role, subject: &str, helpdesks: &[&str]) -> Caller {
        let key = self.admin().await.key(role, subject, helpdesks).await;
        Caller::connect(&self.endpoint(), &key.secret, helpdesks.first().unwrap_or(&"desk")).await
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(log_file(self.data.folder())).unwrap_or_default()
    }

    async fn ready(&mut self) {
        let endpoint = self.endpoint();
        let answers = async || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            let channel = tonic::transport::Endpoint::from_shared(endpoint.clone()).unwrap().connect().await.ok()?;
            let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
            health.check(tonic_health::pb::HealthCheckRequest::default()).await.ok()
        };
        eventually("the server process answers", answers).await;
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("the log of the server process:\n{}", self.log());
        }
    }
}

fn spawn(options: &Options, data: &Data, port: u16) -> Child {
    let log = File::options().create(true).append(true).open(log_file(data.folder())).unwrap();
    let mut command = match options.under.split_first() {
        None => Command::new(program(SERVER)),
        Some((outer, arguments)) => {
            let mut command = Command::new(outer);
            command.args(arguments).arg(program(SERVER));
            command
        }
    };
    without_settings(&mut command);
    command.args(options.arguments(data, port)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn log_file(data_dir: &Path) -> PathBuf {
    data_dir.join("log.txt")
}

/// Outside the range from which systems take ports by themselves, so that nobody takes it while the server is down.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = 20_000 + u16::try_from(std::process::id() % 100).unwrap() * 100;
    loop {
        let port = begin + NEXT.fetch_add(1, Ordering::Relaxed) % 100;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
