//! The server's program.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use loket_server::config::Config;
use loket_server::engine::SystemClock;
use loket_server::{serve, telemetry};
use tokio::signal::unix::{SignalKind, signal};
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
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if tracing::enabled!(Level::ERROR) {
                tracing::error!("{error}");
            } else {
                // There is no log yet, or it is off; the reason of a failure is told all the same.
                let _ = writeln!(std::io::stderr(), "error: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::logs(&config.log, config.log_format)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(config));
    runtime.shutdown_timeout(LEFT_OVER);
    outcome
}

async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(listen) = config.metrics_listen {
        telemetry::metrics(listen)?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = serve::start(config, Arc::new(SystemClock)).await?;
    let stopper = server.stopper();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopper.cancel();
    });
    server.stopped().await?;
    Ok(())
}
