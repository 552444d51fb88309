//! The server's program.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use loket_server::config::Config;
use loket_server::engine::SystemClock;
use loket_server::serve;
use loket_server::telemetry::{self, Log};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Level;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What still runs when the server has stopped is reading, and nobody waits for it any more.
const LEFT_OVER: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let config = match Config::read(std::env::args_os()) {
        Ok(config) => config,
        Err(error) => error.exit(),
    };
    let log = telemetry::logs(&config.log, config.log_format);
    let outcome =
        log.as_ref().map_err(ToString::to_string).and_then(|log| run(config, log).map_err(|error| error.to_string()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if tracing::enabled!(Level::ERROR) {
                tracing::error!("{error}");
            } else {
                // There is no log, or it is off; the reason of a failure is told all the same.
                let _ = writeln!(std::io::stderr(), "error: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config, log: &Log) -> Result<(), Box<dyn std::error::Error>> {
    for variable in Config::unknown_variables() {
        tracing::warn!(%variable, "there is no such variable, and it changes nothing; see --help");
    }
    raise_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(config, log));
    runtime.shutdown_timeout(LEFT_OVER);
    outcome
}

/// Takes as many file descriptors as the system allows: each connection is one, and the usual limit is for programs that ask
/// `select` about them, which this one does not.
fn raise_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    if let Err(error) = raised {
        tracing::warn!(%error, files = limit.current, "the limit of open files stays as it was");
    }
}

async fn serve(config: Config, log: &Log) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(listen) = config.metrics_listen {
        telemetry::metrics(listen)?;
    }
    let mut signals = Signals::new()?;
    let server = serve::start(config, Arc::new(SystemClock)).await?;
    let stopper = server.stopper();
    let end = server.stopped();
    tokio::pin!(end);
    tokio::select! {
        outcome = &mut end => return Ok(outcome?),
        () = signals.next() => stopper.cancel(),
        never = log.count_lost_lines() => match never {},
    }
    tokio::select! {
        outcome = end => Ok(outcome?),
        // Whoever says it twice does not wait. What was acknowledged is on disk.
        () = signals.next() => Err("stopped at once, by a second signal".into()),
    }
}

/// What asks the server to stop: SIGTERM and SIGINT.
struct Signals([Signal; 2]);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    async fn next(&mut self) {
        let Self([terminate, interrupt]) = self;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
