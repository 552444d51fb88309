//! The command `loket`: Loket's client for people and scripts.

mod args;
mod commands;
mod context;
mod failure;
mod output;
mod show;

use std::process::ExitCode;

use crate::commands::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read();
    let asked = cli.asked();
    match cli.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(asked),
    }
}
