//! Configuration: read once, from flags, then the environment, then a file, then the defaults.

// The one place where the environment is read.
#![allow(clippy::disallowed_methods)]

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::store::Database;
use crate::telemetry::LogFormat;

/// A helpdesk ticket engine that is only a gRPC service.
///
/// Without any flag it keeps everything under ./loket-data, writes an admin's key to admin.key there at its first start,
/// and listens on this machine only. Every flag can also be set by its variable, or in a TOML file by its name with
/// underscores (`data_dir = "/var/lib/loket"`); flags win over variables, variables over the file.
#[derive(Debug, Clone, Parser)]
#[command(name = "loket-server", version, max_term_width = 110)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one, which the log names.
    #[arg(long, env = "LOKET_LISTEN", default_value = "127.0.0.1:50051", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    /// Folder for the database and admin.key; made when it is missing.
    #[arg(long, env = "LOKET_DATA_DIR", default_value = "./loket-data", value_name = "FOLDER")]
    pub data_dir: PathBuf,

    /// Where the data is: sqlite:path/to/file.db or `postgres://user:password@host/database`, with parameters as libpq has
    /// them. Without it: loket.db in the data folder.
    #[arg(long, env = "LOKET_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<Database>,

    /// The database URL leads to a pooler in transaction mode, as PgBouncer: nothing is prepared beyond a transaction.
    #[arg(long, env = "LOKET_DATABASE_POOLER")]
    pub database_pooler: bool,

    /// Create those of the five preset helpdesks that are missing.
    #[arg(long, env = "LOKET_WITH_PRESETS")]
    pub with_presets: bool,

    /// Serve metrics to Prometheus here, at /metrics. Without it: none.
    #[arg(long, env = "LOKET_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// What to log: a level (error, warn, info, debug, trace), or a filter such as `info,loket_server::engine=debug`.
    #[arg(long, env = "LOKET_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// How to log.
    #[arg(long, env = "LOKET_LOG_FORMAT", default_value = "human", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// How long a call may take until its answer begins, whatever its caller allows.
    #[arg(long, env = "LOKET_REQUEST_TIMEOUT", default_value = "60s", value_name = "TIME", value_parser = duration)]
    pub request_timeout: Duration,

    /// How long open calls and streams are waited for when the server stops.
    #[arg(long, env = "LOKET_DRAIN_TIMEOUT", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub drain_timeout: Duration,

    /// Calls at once; over that, `UNAVAILABLE` at once. Open streams do not count.
    #[arg(long, env = "LOKET_MAX_CALLS", default_value_t = 4096, value_name = "COUNT")]
    pub max_calls: usize,

    /// Streams open at once; over that, `RESOURCE_EXHAUSTED`.
    #[arg(long, env = "LOKET_MAX_STREAMS", default_value_t = 20_000, value_name = "COUNT")]
    pub max_streams: usize,

    /// The largest request, in bytes.
    #[arg(long, env = "LOKET_MAX_MESSAGE_BYTES", default_value_t = 4 << 20, value_name = "BYTES")]
    pub max_message_bytes: usize,

    /// Commands that may wait for one helpdesk; over that, `UNAVAILABLE` at once.
    #[arg(long, env = "LOKET_MAX_QUEUED", default_value_t = 8192, value_name = "COUNT")]
    pub max_queued: usize,

    /// Connections to PostgreSQL for writing; a SQLite file has one.
    #[arg(long, env = "LOKET_WRITERS", default_value_t = 4, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub writers: u32,

    /// Connections to the database for reading.
    #[arg(long, env = "LOKET_READERS", default_value_t = 4, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub readers: u32,

    /// Recent changes kept in memory for each helpdesk that is watched; who is further behind reads the log.
    #[arg(long, env = "LOKET_RING_CAPACITY", default_value_t = 16_384, value_name = "COUNT")]
    pub ring_capacity: usize,

    /// How many revisions a resume token may be behind; older ones are `OUT_OF_RANGE`.
    #[arg(long, env = "LOKET_FEED_WINDOW", default_value_t = 10_000_000, value_name = "COUNT")]
    pub feed_window: i64,

    /// A TOML file with settings.
    #[arg(long, env = "LOKET_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Config {
    /// Reads the command line, the environment and the file that either names. Errors are for people, and say which setting
    /// is meant.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let mut command = Self::command();
        let first = Self::command().ignore_errors(true).try_get_matches_from(&arguments)?;
        if let Some(path) = first.get_one::<PathBuf>("config") {
            command = with_file(command, path)?;
        }
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    /// Where the data is.
    pub fn database(&self) -> Database {
        match &self.database_url {
            Some(database) if self.database_pooler => database.clone().through_pooler(),
            Some(database) => database.clone(),
            None => Database::Sqlite(self.data_dir.join("loket.db")),
        }
    }
}

/// Makes the settings of a file the defaults.
fn with_file(mut command: clap::Command, path: &Path) -> Result<clap::Command, clap::Error> {
    let fail = |command: &mut clap::Command, message: String| command.error(clap::error::ErrorKind::Io, message);
    let text = std::fs::read_to_string(path)
        .map_err(|error| fail(&mut command, format!("the settings in {} cannot be read: {error}", path.display())))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        fail(&mut command, format!("the settings in {} are not TOML: {error}", path.display()))
    })?;
    for (key, value) in table {
        let known = command.get_arguments().any(|argument| argument.get_id() == key.as_str() && key != "config");
        if !known {
            let message = format!("{}: there is no setting `{key}`; see --help", path.display());
            return Err(fail(&mut command, message));
        }
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        command = command.mut_arg(key, |argument| argument.required(false).default_value(value));
    }
    Ok(command)
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time; write it like 500ms, 10s or 2m");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let count: u64 = text[..digits].parse().map_err(|_| wrong())?;
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(count)),
        "s" | "" => Ok(Duration::from_secs(count)),
        "m" => Ok(Duration::from_secs(count * 60)),
        _ => Err(wrong()),
    }
}
