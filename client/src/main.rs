//! The command `loket`: Loket's client for people and scripts.

mod args;
mod commands;
mod context;
mod failure;
mod output;
mod show;

use std::process::ExitCode;

use crate::commands::Cli;
use crate::failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::read();
    let asked = cli.asked();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::Other(format!("the program cannot begin: {error}")).report(asked),
    };
    let ended = runtime.block_on(cli.run());
    // A thread may still wait for the standard input.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(asked),
    }
}
