//! Logs and metrics.

use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line of text for people.
    Human,
    /// A JSON object on each line.
    Json,
}

/// A log that is written until this is dropped.
pub struct Log {
    lost: ErrorCounter,
    _writing: WorkerGuard,
}

impl Log {
    /// Keeps the meter of the lines that were lost, as nobody read them.
    pub async fn count_lost_lines(&self) -> Infallible {
        const INTERVAL: Duration = Duration::from_secs(5);
        let meter = metrics::counter!("loket_log_lines_lost_total");
        loop {
            meter.absolute(self.lost.dropped_lines() as u64);
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Reads what is to be logged, in the syntax of `RUST_LOG`.
///
/// A word by itself is a level: what that syntax takes it for otherwise, all of a target of that name, would log nothing.
pub fn filter(text: &str) -> Result<EnvFilter, String> {
    const RIGHT: &str =
        "write a level (off, error, warn, info, debug, trace), or a filter such as info,loket_server::engine=debug";
    let is_level = |part: &&str| part.contains(['=', '[']) || part.is_empty() || part.parse::<LevelFilter>().is_ok();
    if let Some(word) = text.split(',').map(str::trim).find(|part| !is_level(part)) {
        return Err(format!("`{word}` is no level; {RIGHT}"));
    }
    EnvFilter::try_new(text).map_err(|error| format!("{error}; {RIGHT}"))
}

/// Writes logs to standard error until what is returned is dropped; `filter` is in the syntax of `RUST_LOG`.
///
/// A thread of its own writes them. Where nobody reads what it writes, as at the other end of a pipe, lines are lost when
/// 16,384 of them wait, and nothing else stands still.
pub fn logs(filter: &str, format: LogFormat) -> Result<Log, Box<dyn std::error::Error>> {
    const WAITING_LINES: usize = 16_384;
    let registry = tracing_subscriber::registry().with(self::filter(filter)?);
    let writer = NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES);
    let (stderr, writing) = writer.finish(std::io::stderr());
    let log = Log { lost: stderr.error_counter(), _writing: writing };
    match format {
        LogFormat::Human => {
            registry
                .with(
                    tracing_subscriber::fmt::layer()
                        .with_target(false)
                        .with_ansi(std::io::stderr().is_terminal())
                        .with_writer(stderr),
                )
                .try_init()?;
        }
        LogFormat::Json => {
            registry
                .with(
                    tracing_subscriber::fmt::layer()
                        .json()
                        .flatten_event(true)
                        .with_span_list(false)
                        .with_writer(stderr),
                )
                .try_init()?;
        }
    }
    Ok(log)
}

/// Serves the metrics to Prometheus at `http://{listen}/metrics`, and says what they mean.
pub fn metrics(listen: SocketAddr) -> Result<(), BuildError> {
    const SECONDS: [f64; 14] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 20.0, 60.0];
    const COMMANDS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    PrometheusBuilder::new()
        .with_http_listener(listen)
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("loket_batch_commands".to_owned()), &COMMANDS)?
        .install()?;
    metrics::describe_gauge!("loket_build_info", "1, by version");
    metrics::gauge!("loket_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::describe_gauge!("loket_serving", "1 while health says SERVING, else 0");
    metrics::describe_histogram!("loket_call_seconds", metrics::Unit::Seconds, "Time until the answer to a call began");
    metrics::describe_counter!("loket_log_lines_lost_total", "Lines of the log that were lost, as nobody read them");
    metrics::describe_counter!("loket_calls_total", "Calls answered, by method and code");
    metrics::describe_gauge!("loket_streams_open", "Open streams, by method");
    metrics::describe_counter!(
        "loket_streams_ended_total",
        "Streams that have ended, by method and code: Cancelled by the client"
    );
    metrics::describe_histogram!("loket_batch_commands", "Commands in one commit");
    metrics::describe_histogram!(
        "loket_flush_seconds",
        metrics::Unit::Seconds,
        "Time to put SQLite's log on disk: each is waited for by the callers of one commit or more"
    );
    metrics::describe_gauge!("loket_queued_commands", "Commands that wait for a writer");
    metrics::describe_gauge!("loket_waiting_claims", "Claims that wait for a ticket");
    metrics::describe_counter!("loket_waiting_claim_tries_total", "Claims that were tried for who waits");
    Ok(())
}
