//! Configuration: read once, from flags, then the environment, then a file, then the defaults.

// The one place where the environment is read.
#![allow(clippy::disallowed_methods)]

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches, Parser};

use crate::store::Database;
use crate::store::dialect::bell;
use crate::telemetry::{self, LogFormat};

/// A helpdesk ticket engine that is only a gRPC service.
///
/// Without any flag it keeps everything under ./loket-data, writes an admin's key to admin.key there at its first start,
/// and listens on this machine only. Every flag can also be set by its variable, or in a TOML file by its name with
/// underscores (`data_dir = "/var/lib/loket"`); flags win over variables, variables over the file.
#[derive(Debug, Clone, Parser)]
#[command(name = "loket-server", version, max_term_width = 110)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one, which the log names.
    #[arg(long, env = "LOKET_LISTEN", default_value = "127.0.0.1:50051", value_name = "ADDRESS", value_parser = address)]
    pub listen: SocketAddr,

    /// Folder for the database, admin.key, and large snapshots until they are sent, which are in `tmp` there; made when it
    /// is missing.
    #[arg(long, env = "LOKET_DATA_DIR", default_value = "./loket-data", value_name = "FOLDER")]
    pub data_dir: PathBuf,

    /// Folder for the attachments; made when it is missing. Several servers on one PostgreSQL must share it. Without it:
    /// attachments in the data folder.
    #[arg(long, env = "LOKET_ATTACHMENTS_DIR", value_name = "FOLDER")]
    pub attachments_dir: Option<PathBuf>,

    /// Where the data is: sqlite:path/to/file.db or `postgres://user:password@host/database`, with parameters as libpq has
    /// them. Without it: loket.db in the data folder.
    #[arg(long, env = "LOKET_DATABASE_URL", hide_env_values = true, value_name = "URL",
          value_parser = Secret(str::parse::<Database>))]
    pub database_url: Option<Database>,

    /// The database URL leads to a pooler in transaction mode, as PgBouncer: nothing is prepared beyond a transaction.
    #[arg(long, env = "LOKET_DATABASE_POOLER", value_name = "BOOL", default_value_t = false, action = ArgAction::Set,
          num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_default_value = true)]
    pub database_pooler: bool,

    /// A direct URL of the same PostgreSQL, on which to hear what other servers commit, where --database-url leads through a
    /// pooler that LISTEN does not pass. `none`: hear nothing, look at the heads. Without it: --database-url, but for a pooler.
    #[arg(long, env = "LOKET_LISTEN_DATABASE_URL", hide_env_values = true, value_name = "URL",
          value_parser = Secret(listen))]
    pub listen_database_url: Option<Listen>,

    /// How often to look what other servers have committed, while it is not heard on LISTEN; ten times as seldom while it is.
    #[arg(long, env = "LOKET_POLL_INTERVAL", default_value = "50ms", value_name = "TIME", value_parser = interval)]
    pub poll_interval: Duration,

    /// Create those of the five preset helpdesks that are missing.
    #[arg(long, env = "LOKET_WITH_PRESETS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set,
          num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_default_value = true)]
    pub with_presets: bool,

    /// Serve metrics to Prometheus here, at /metrics. Without it: none.
    #[arg(long, env = "LOKET_METRICS_LISTEN", value_name = "ADDRESS", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,

    /// What to log: a level (error, warn, info, debug, trace), or a filter such as `info,loket_server::engine=debug`.
    #[arg(long, env = "LOKET_LOG", default_value = "info", value_name = "FILTER",
          value_parser = log_filter)]
    pub log: String,

    /// How to log.
    #[arg(long, env = "LOKET_LOG_FORMAT", default_value = "human", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// How long a call may take until its answer begins, whatever its caller allows: 1ms to 24h.
    #[arg(long, env = "LOKET_REQUEST_TIMEOUT", default_value = "60s", value_name = "TIME",
          value_parser = request_timeout)]
    pub request_timeout: Duration,

    /// How long open calls and streams are waited for when the server stops: up to 1h.
    #[arg(long, env = "LOKET_DRAIN_TIMEOUT", default_value = "10s", value_name = "TIME",
          value_parser = drain_timeout)]
    pub drain_timeout: Duration,

    /// Calls at once; over that, `UNAVAILABLE` at once. Open streams do not count. A quarter of them may wait for a
    /// revision, and another quarter be uploads: more of those are `RESOURCE_EXHAUSTED`. One key has half of the calls,
    /// streams, waits and waiting claims at most, and a sixteenth of the uploads; but 16 of each.
    #[arg(long, env = "LOKET_MAX_CALLS", default_value_t = 4096, value_name = "COUNT",
          value_parser = between(1, 1_000_000_usize))]
    pub max_calls: usize,

    /// Streams open at once; over that, `RESOURCE_EXHAUSTED`.
    #[arg(long, env = "LOKET_MAX_STREAMS", default_value_t = 20_000, value_name = "COUNT",
          value_parser = between(1, 10_000_000_usize))]
    pub max_streams: usize,

    /// Bytes of snapshots that may wait for watches to take them, in memory and then in the data folder: 1 MiB to 1 PiB. One
    /// key has half of them at most; over that, `RESOURCE_EXHAUSTED`.
    #[arg(long, env = "LOKET_MAX_SNAPSHOT_BYTES", default_value_t = 4 << 30, value_name = "BYTES",
          value_parser = between(1 << 20, 1_u64 << 50))]
    pub max_snapshot_bytes: u64,

    /// Claims that may wait for a ticket at once, each of them an open call; over that, `RESOURCE_EXHAUSTED`.
    #[arg(long, env = "LOKET_MAX_WAITING_CLAIMS", default_value_t = 1024, value_name = "COUNT",
          value_parser = between(1, 1_000_000_usize))]
    pub max_waiting_claims: usize,

    /// The largest request, in bytes: 1,024 to 1 GiB.
    #[arg(long, env = "LOKET_MAX_MESSAGE_BYTES", default_value_t = 4 << 20, value_name = "BYTES",
          value_parser = between(1 << 10, 1_usize << 30))]
    pub max_message_bytes: usize,

    /// Commands that may wait for one helpdesk; over that, `UNAVAILABLE` at once.
    #[arg(long, env = "LOKET_MAX_QUEUED", default_value_t = 8192, value_name = "COUNT",
          value_parser = between(1, 1_000_000_usize))]
    pub max_queued: usize,

    /// Connections to PostgreSQL for writing; a SQLite file has one.
    #[arg(long, env = "LOKET_WRITERS", default_value_t = 4, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub writers: u32,

    /// Connections to the database for reading, at least 2: those who catch up have half of them, snapshots a quarter.
    #[arg(long, env = "LOKET_READERS", default_value_t = 4, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub readers: u32,

    /// Recent changes kept in memory for each helpdesk that is watched; who is further behind reads the log.
    #[arg(long, env = "LOKET_RING_CAPACITY", default_value_t = 16_384, value_name = "COUNT",
          value_parser = between(1, 10_000_000_usize))]
    pub ring_capacity: usize,

    /// How many revisions a resume token may be behind; older ones are `OUT_OF_RANGE`.
    #[arg(long, env = "LOKET_FEED_WINDOW", default_value_t = 10_000_000, value_name = "COUNT",
          value_parser = between(1, 1_000_000_000_000_i64))]
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
        let file = first.get_one::<PathBuf>("config");
        if let Some(path) = file {
            command = with_file(command, path)?;
        }
        let read =
            command.clone().try_get_matches_from(&arguments).and_then(|matches| Self::from_arg_matches(&matches));
        read.map_err(|error| told_where(error, &command, &arguments, file.map(PathBuf::as_path)))
    }

    /// Variables that are named like this server's and are none of them, nor of the CLI: most likely misspelt.
    pub fn unknown_variables() -> Vec<String> {
        unknown(std::env::vars_os().map(|(name, _)| name))
    }

    /// Where the bytes of attachments are.
    pub fn attachments(&self) -> PathBuf {
        self.attachments_dir.clone().unwrap_or_else(|| self.data_dir.join("attachments"))
    }

    /// Where large snapshots wait to be sent.
    pub fn snapshots(&self) -> PathBuf {
        self.data_dir.join("tmp")
    }

    /// Where the data is.
    pub fn database(&self) -> Database {
        match &self.database_url {
            Some(database) if self.database_pooler => database.clone().through_pooler(),
            Some(database) => database.clone(),
            None => Database::Sqlite(self.data_dir.join("loket.db")),
        }
    }

    /// Where to hear what other servers commit.
    pub fn listen_database(&self) -> Option<Database> {
        match &self.listen_database_url {
            None if self.database_pooler => None,
            None => Some(self.database()),
            Some(Listen::At(database)) => Some(database.clone()),
            Some(Listen::Nowhere) => None,
        }
    }
}

/// Where to hear what other servers commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Nowhere,
    At(Database),
}

fn unknown(names: impl Iterator<Item = OsString>) -> Vec<String> {
    const OF_THE_CLI: [&str; 3] = ["LOKET_ENDPOINT", "LOKET_TOKEN", "LOKET_DATA_DIR"];
    let command = Config::command();
    let is_known = |name: &str| {
        OF_THE_CLI.contains(&name) || command.get_arguments().any(|argument| argument.get_env() == Some(name.as_ref()))
    };
    let ours = names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with("LOKET_"));
    let mut unknown: Vec<_> = ours.filter(|name| !is_known(name)).collect();
    unknown.sort_unstable();
    unknown
}

/// Says where a wrong value is that no flag has given: in a variable, or else in the file.
fn told_where(error: clap::Error, command: &Command, arguments: &[OsString], file: Option<&Path>) -> clap::Error {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return error };
    let name = flag.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    let is_given =
        arguments.iter().any(|given| given.to_str().and_then(|given| given.split('=').next()) == Some(&name));
    let argument = command.get_arguments().find(|argument| argument.get_long() == name.strip_prefix("--"));
    let Some(argument) = argument.filter(|_| !is_given) else { return error };
    let variable = argument.get_env().filter(|variable| std::env::var_os(variable).is_some());
    let place = match (variable, file) {
        (Some(variable), _) => variable.to_string_lossy().into_owned(),
        (None, Some(file)) => format!("`{}` in {}", argument.get_id(), file.display()),
        (None, None) => return error,
    };
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    clap::Error::raw(error.kind(), format!("{place}: {text}"))
}

/// Makes the settings of a file the defaults.
fn with_file(mut command: clap::Command, path: &Path) -> Result<clap::Command, clap::Error> {
    let fail = |command: &mut clap::Command, message: String| command.error(clap::error::ErrorKind::Io, message);
    let text = std::fs::read_to_string(path)
        .map_err(|error| fail(&mut command, format!("the settings in {} cannot be read: {error}", path.display())))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // Without the line itself, which may hold a password.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let (line, wrong) = (before.matches('\n').count() + 1, error.message());
        fail(&mut command, format!("the settings in {} are not TOML, in line {line}: {wrong}", path.display()))
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

/// Reads what may hold a password, which clap would repeat where it is wrong.
#[derive(Debug, Clone, Copy)]
struct Secret<T>(fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Secret<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let read = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned()).and_then(self.0);
        read.map_err(|wrong| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            let told = format!("the value of '{name}', which is not repeated here, is invalid: {wrong}\n");
            clap::Error::raw(ErrorKind::ValueValidation, told).with_cmd(command)
        })
    }
}

fn listen(url: &str) -> Result<Listen, String> {
    if url == "none" {
        return Ok(Listen::Nowhere);
    }
    let database: Database = url.parse()?;
    if bell::is_shared(&database) {
        Ok(Listen::At(database))
    } else {
        Err("it is a file, which one server has to itself; give postgres://user@host/database, or none".to_owned())
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it is not an IP address and a port, such as 127.0.0.1:50051 or 0.0.0.0:50051".to_owned())
}

/// Not so short that looking is all it does.
fn interval(text: &str) -> Result<Duration, String> {
    const SHORTEST: Duration = Duration::from_millis(5);
    match duration(text)? {
        short if short < SHORTEST => Err(format!("`{text}` is shorter than {SHORTEST:?}")),
        interval => Ok(interval),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time; write it like 500ms, 10s, 2m or 1h");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let count: u64 = text[..digits].parse().map_err(|_| wrong())?;
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(count)),
        "s" | "" => Ok(Duration::from_secs(count)),
        "m" => count.checked_mul(60).map(Duration::from_secs).ok_or_else(wrong),
        "h" => count.checked_mul(3600).map(Duration::from_secs).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn request_timeout(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_millis(1), Duration::from_hours(24))
}

fn drain_timeout(text: &str) -> Result<Duration, String> {
    within(text, Duration::ZERO, Duration::from_hours(1))
}

fn within(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let given = duration(text)?;
    let hours = most.as_secs() / 3600;
    if (least..=most).contains(&given) {
        Ok(given)
    } else {
        Err(format!("it is not {}ms to {hours}h", least.as_millis()))
    }
}

/// A number of a range, its ends included.
fn between<N>(least: N, most: N) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static
where
    N: FromStr + PartialOrd + fmt::Display + Copy + Send + Sync + 'static,
{
    move |text| match text.parse() {
        Ok(given) if least <= given && given <= most => Ok(given),
        Ok(_) | Err(_) => Err(format!("it is not a whole number of {least} to {most}")),
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    telemetry::filter(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Config;

    fn read(flag: &str) -> Result<Config, String> {
        Config::read(["loket-server", flag].map(Into::into)).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        for flag in [
            "--max-calls=0",
            "--max-calls=18446744073709551615",
            "--max-streams=0",
            "--max-streams=2305843009213693952",
            "--max-queued=0",
            "--max-waiting-claims=0",
            "--max-message-bytes=0",
            "--max-snapshot-bytes=0",
            "--ring-capacity=0",
            "--feed-window=-1",
            "--feed-window=0",
            "--readers=0",
            "--request-timeout=0s",
            "--request-timeout=307445734561825861m",
            "--request-timeout=25h",
            "--drain-timeout=18446744073709551615s",
            "--log=loket_server=nonsense",
            "--log=inof",
            "--log=info,foo",
        ] {
            let told = read(flag).expect_err(flag);
            let (name, value) = flag.split_once('=').unwrap();
            assert!(told.contains(name) && told.contains(value), "{told}");
        }
        for flag in
            ["--max-calls=1", "--request-timeout=1ms", "--drain-timeout=0s", "--log=warn,loket_server::engine=debug"]
        {
            read(flag).unwrap();
        }
    }

    #[test]
    fn what_a_file_or_a_variable_turns_on_a_flag_turns_off() {
        for (flag, on) in [("--with-presets", true), ("--with-presets=true", true), ("--with-presets=false", false)] {
            assert_eq!(read(flag).unwrap().with_presets, on, "{flag}");
        }
        let told = read("--with-presets=perhaps").unwrap_err();
        assert!(told.contains("[possible values: true, false]"), "{told}");
    }

    #[test]
    fn variables_of_nothing_are_noticed() {
        let names = ["HOME", "LOKET_TOKEN", "LOKET_LISTEN", "LOKET_LISTENER", "LOKET_DATABSE_URL", "loket_listen"];
        let unknown = super::unknown(names.map(Into::into).into_iter());
        assert_eq!(unknown, ["LOKET_DATABSE_URL", "LOKET_LISTENER"]);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_its_passwords() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\ndatabase_url = \"postgres://u:topsecret@h/db\n").unwrap();
        let told = read(&format!("--config={}", file.path().display())).unwrap_err();
        assert!(told.contains("are not TOML, in line 2: ") && !told.contains("topsecret"), "{told}");
    }

    #[test]
    fn a_wrong_value_of_a_file_is_told_with_its_key() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "max_calls = 0\n").unwrap();
        let told = read(&format!("--config={}", file.path().display())).unwrap_err();
        let place = format!("error: `max_calls` in {}: invalid value '0'", file.path().display());
        assert!(told.starts_with(&place), "{told}");
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told_without_its_password() {
        for (url, wrong) in [
            ("postgre://u:topsecret@h/db", "neither sqlite:path/to/file.db nor postgres://user@host/database"),
            ("postgres://u:top secret@h/db", "a blank or a control character"),
            ("postgres://u:topsecret%@h/db", "a % without two hexadecimal digits"),
            ("postgres://u:topsecret%2@h/db", "a % without two hexadecimal digits"),
            ("postgres://u:topsecret%00@h/db", "a %00"),
            ("postgres://u:top@secret@h/db", "write them as %40"),
            ("postgres://u:top/secret@h/db", "write them as %40 and %2F"),
            ("postgres://u:topsecret@[::1/db", "around an address of IPv6"),
            ("postgres://u:topsecret@[]/db", "around an address of IPv6"),
            ("postgres://u:topsecret@[::1]x/db", "around an address of IPv6"),
        ] {
            for name in ["--database-url", "--listen-database-url"] {
                let told = read(&format!("{name}={url}")).unwrap_err();
                assert!(told.contains(name) && told.contains(wrong) && !told.contains("secret"), "{told}");
            }
        }
        for url in [
            "postgres://u:100%25@h/db?sslmode=require",
            "postgres://u@[::1]:5432,h,/db?options=-c%20x=@",
            "postgres:///db?host=/tmp&user=u@x",
            "postgresql://h:5432",
        ] {
            read(&format!("--database-url={url}")).unwrap();
        }
    }
}
