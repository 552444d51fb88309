//! The only wiring: opens what there is to open, in order, and closes it in the opposite order.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use loket::v1 as proto;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;

use crate::attachments_folder::open_attachments;
use crate::config::Config;
use crate::database_file::{self, DatabaseFile};
use crate::domain::survey::SurveyKey;
use crate::engine::{Clock, Engine, Failure, Housekeeping, Setup};
use crate::feed::{FeedOptions, Hub, Tail};
use crate::rpc::{self, Keys, LayerOptions};
use crate::store::dialect::{self, Starting};
use crate::store::{Content, Database, Pool, StoreError};
use crate::{engine, first_start, health, private_folder};

/// Why the server could not start, or stopped. For the operator to read.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{what} {path}: {error}")]
    File { what: &'static str, path: String, error: std::io::Error },
    #[error("another server uses {0} already; one server at a time can have a SQLite file")]
    InUse(Database),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the reflection service cannot be built: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    #[error("{0}")]
    FirstStart(String),
    #[error("what a server needs cannot be read or made: {0}")]
    NotReady(#[from] Failure),
    #[error("{0}")]
    Attachments(String),
    #[error("a task of the server ended early: {0}")]
    Ended(#[from] JoinError),
    #[error("a part of the server died, as the log tells above; nothing that was acknowledged is lost: start again")]
    Died,
    #[error(
        "the file of the database was moved, removed or replaced while the server had it open: what was written since is in the \
         file that is gone, and nowhere else"
    )]
    FileGone,
}

/// A server that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    /// A handle that asks it to stop: no new calls, streams are told, open calls are finished.
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until it has stopped, by itself or because it was asked to.
    pub async fn stopped(self) -> Result<(), ServeError> {
        self.task.await?
    }
}

/// Starts a server; it answers when this returns.
pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Running, ServeError> {
    let database = config.database();
    let snapshots = config.snapshots();
    for folder in [&config.data_dir, &snapshots] {
        private_folder::make(folder).map_err(|error| ServeError::File {
            what: "cannot make the folder",
            path: folder.display().to_string(),
            error,
        })?;
    }
    let lock = lock(&database)?;
    database.claim()?;
    let (starting, content) = prepare(database.clone(), config.attachments()).await?;
    let pool = Pool::of(&database, config.readers)?;
    let shared = dialect::bell::is_shared(&database);
    let feed = FeedOptions {
        ring_capacity: config.ring_capacity,
        feed_window: config.feed_window,
        spooled_bytes: config.max_snapshot_bytes,
        shared,
        ..FeedOptions::default()
    };
    let hub = Arc::new(Hub::new(pool.clone(), feed, &snapshots));
    let tail =
        shared.then(|| Tail::new(Arc::clone(&hub), database.clone(), config.listen_database(), config.poll_interval));
    let keys = Keys::load(pool.clone())?;
    let died = CancellationToken::new();
    let engine = Engine::start(Setup {
        database: database.clone(),
        pool,
        clock,
        hub,
        content,
        limits: engine::Limits {
            queued_commands: config.max_queued,
            waiting_claims: config.max_waiting_claims,
            ..engine::Limits::default()
        },
        writers: database.writers(config.writers as usize),
        on_death: Arc::new({
            let died = died.clone();
            move || died.cancel()
        }),
    })?;
    first_start::admin_key(&engine, &keys, &config.data_dir).await?;
    let survey_key = first_start::survey_key(&engine).await?;
    if config.with_presets {
        first_start::presets(&engine).await?;
    }
    drop(starting);
    let file = match &database {
        Database::Sqlite(path) => Some(DatabaseFile::at(path).map_err(|error| ServeError::File {
            what: "cannot find",
            path: path.display().to_string(),
            error,
        })?),
        Database::Postgres(_) => None,
    };

    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| ServeError::Listen { address: config.listen, error })?;
    let address = listener.local_addr().map_err(|error| ServeError::Listen { address: config.listen, error })?;
    let stop = CancellationToken::new();
    let parts = Parts { config, engine, keys, survey_key, tail, died, file, lock };
    let task = tokio::spawn(run(parts, listener, stop.clone()));
    tracing::info!(%address, %database, version = env!("CARGO_PKG_VERSION"), "Loket is ready");
    Ok(Running { address, stop, task })
}

/// Waits for this server's turn, and brings the database to this version's schema. Of what starts with other servers on
/// the same database, some may run on this very thread: so the waiting is done on another.
async fn prepare(database: Database, attachments: PathBuf) -> Result<(Starting, Content), ServeError> {
    let prepared = tokio::task::spawn_blocking(move || -> Result<(Starting, Content), ServeError> {
        let starting = Starting::wait(&database)?;
        let mut connection = database.open()?;
        dialect::check(&mut connection)?;
        dialect::migrate(&mut connection)?;
        let content = open_attachments(&mut connection, &attachments)?;
        Ok((starting, content))
    });
    prepared.await?
}

struct Parts {
    config: Config,
    engine: Arc<Engine>,
    keys: Arc<Keys>,
    survey_key: SurveyKey,
    /// None where this process has the database to itself.
    tail: Option<Tail>,
    died: CancellationToken,
    /// None on PostgreSQL.
    file: Option<DatabaseFile>,
    /// Held as long as the server has the file.
    lock: Option<File>,
}

async fn run(parts: Parts, listener: TcpListener, stop: CancellationToken) -> Result<(), ServeError> {
    let Parts { config, engine, keys, survey_key, tail, died, file, lock } = parts;
    let closing = CancellationToken::new();
    let limits = rpc::Limits {
        message_bytes: config.max_message_bytes,
        streams: config.max_streams,
        waits: (config.max_calls / 4).max(1),
        claims: config.max_waiting_claims,
        uploads: (config.max_calls / 4).max(1),
        idle: config.request_timeout,
    };
    let server = rpc::Server::new(Arc::clone(&engine), Arc::clone(&keys), survey_key, limits, closing.clone());
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let routes = rpc::services(&server)
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);

    // Before the first call is taken, so that none finds a service that is not known yet.
    let status = health::ask(&engine).await;
    health::set(&reporter, status).await;
    let mut background = vec![
        vital(&died, health::watch(reporter.clone(), status, Arc::clone(&engine), closing.clone())),
        vital(&died, Arc::clone(&keys).follow(Arc::clone(engine.hub()))),
        tokio::spawn(Housekeeping::run(Arc::clone(&engine))),
    ];
    background.extend(tail.map(|tail| vital(&died, tail.run())));
    let options = LayerOptions {
        concurrency: config.max_calls,
        timeout: config.request_timeout,
        message_bytes: config.max_message_bytes,
    };
    let layer = tower::layer::layer_fn({
        let closing = closing.clone();
        move |service| rpc::stack(service, Arc::clone(&keys), options, closing.clone())
    });
    let serving = tonic::transport::Server::builder()
        .layer(layer)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .initial_connection_window_size(Some(4 << 20))
        .initial_stream_window_size(Some(1 << 20))
        .max_concurrent_streams(Some(4096))
        .http2_max_header_list_size(Some(HEADER_BYTES))
        .add_routes(routes)
        .serve_with_incoming_shutdown(rpc::incoming(listener), closing.clone().cancelled_owned())
        .fuse();
    tokio::pin!(serving);

    let mut outcome = tokio::select! {
        outcome = &mut serving => outcome.map_err(ServeError::from),
        () = died.cancelled() => Err(ServeError::Died),
        () = database_file::gone(file.as_ref()) => {
            died.cancel();
            Err(ServeError::FileGone)
        }
        () = stop.cancelled() => Ok(()),
    };
    tracing::info!("stopping: no new calls are taken, open ones are finished");
    // One for all that is waited for from here on.
    let deadline = tokio::time::Instant::now() + config.drain_timeout;
    // Whoever watches the health is told before its stream ends; and again, where another status was said in this moment.
    health::set(&reporter, ServingStatus::NotServing).await;
    closing.cancel();
    health::set(&reporter, ServingStatus::NotServing).await;
    if outcome.is_ok() && stop.is_cancelled() {
        tokio::select! {
            ended = &mut serving => outcome = ended.map_err(ServeError::from),
            () = tokio::time::sleep_until(deadline) => tracing::warn!("some calls were not finished in time and are cut"),
            () = died.cancelled() => {}
        }
    }
    engine.close();
    if died.is_cancelled() {
        // What waited is refused by now, and what is refused is still told.
        outcome = outcome.and(Err(ServeError::Died));
        let _ = tokio::time::timeout_at(deadline.min(tokio::time::Instant::now() + LAST_WORDS), &mut serving).await;
    } else {
        // What was taken is still decided: its callers may be gone, its commits are not.
        let _ = tokio::time::timeout_at(deadline, engine.drained()).await;
    }
    for task in background {
        task.abort();
    }
    if let Some(file) = file {
        if file.is_gone() {
            file.set_log_aside();
            outcome = outcome.and(Err(ServeError::FileGone));
        } else if outcome.is_ok() {
            database_file::put_log_away(&engine, deadline.max(tokio::time::Instant::now() + LAST_WORDS)).await;
        }
    }
    drop(lock);
    tracing::info!("stopped");
    outcome
}

/// Runs beside the server a part of it without which it would not keep what it promises: the server ends when it dies.
fn vital(died: &CancellationToken, part: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let died = died.clone();
    tokio::spawn(async move {
        // What has panicked is not looked at again.
        if AssertUnwindSafe(part).catch_unwind().await.is_err() {
            died.cancel();
        }
    })
}

/// The longest headers of a call, as HTTP/2 counts them. Longer ones end the whole connection, with all that a proxy has put
/// on it.
const HEADER_BYTES: u32 = 64 << 10;

/// How long callers are still answered when nothing can be written any more.
const LAST_WORDS: Duration = Duration::from_secs(1);

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(loket::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

/// A second server on the same SQLite file refuses to start. The lock goes with the process.
fn lock(database: &Database) -> Result<Option<File>, ServeError> {
    let Database::Sqlite(path) = database else { return Ok(None) };
    let lock_path = lock_path(path).map_err(|error| ServeError::File {
        what: "cannot find",
        path: path.display().to_string(),
        error,
    })?;
    let file_error = |error| ServeError::File { what: "cannot open", path: lock_path.display().to_string(), error };
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(file_error)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(ServeError::InUse(database.clone())),
        Err(TryLockError::Error(error)) => Err(file_error(error)),
    }
}

/// Beside the database itself, whichever links lead to it; and no other database has the same.
fn lock_path(path: &Path) -> std::io::Result<PathBuf> {
    let whole = match fs::canonicalize(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::canonicalize(folder)?.join(path.file_name().ok_or(error)?)
        }
        found => found?,
    };
    let mut name = whole.into_os_string();
    name.push(".lock");
    Ok(name.into())
}

/// Writes a file that its owner alone can read, whole or not at all.
pub(crate) fn write_secret(path: &Path, secret: &str) -> Result<(), ServeError> {
    let failed = |error| ServeError::File { what: "cannot write", path: path.display().to_string(), error };
    let new = path.with_extension("key.new");
    // One that a crash has left, or that somebody else has put there, keeps its mode and its readers.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new).map_err(failed)?;
    writeln!(file, "{secret}").and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)?;
    // The name is on disk with its folder, and the key's row comes only after this.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// A preset's file as a helpdesk.
pub(crate) fn read_preset(name: &str, text: &str) -> Result<proto::Helpdesk, ServeError> {
    loket::json::helpdesk_from_yaml(text).map_err(|error| ServeError::FirstStart(format!("the preset {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_database_has_one_lock_however_it_is_named_and_no_other_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = |name: &str| Database::Sqlite(folder.path().join(name));
        let held = lock(&database("a.db")).unwrap();
        assert!(matches!(lock(&database("a.db")), Err(ServeError::InUse(_))));
        let other = lock(&database("a.sqlite")).unwrap();
        assert!(other.is_some());

        fs::write(folder.path().join("a.db"), "").unwrap();
        std::os::unix::fs::symlink("a.db", folder.path().join("link.db")).unwrap();
        for name in ["a.db", "link.db", "./a.db"] {
            assert!(matches!(lock(&database(name)), Err(ServeError::InUse(_))), "{name}");
        }
        drop(held);
        assert!(lock(&database("link.db")).is_ok());
        assert!(matches!(lock(&database("gone/a.db")), Err(ServeError::File { .. })));
    }
}
