//! `loket bench`: what the service does on this machine, as ratios that mean something on another.

mod agents;
mod claim;
mod commit;
mod connection;
mod create;
mod desk;
mod etcd;
mod fanout;
mod idle;
mod load;
mod request_ids;
mod scale;
mod verdict;
mod verify;
mod watch;

use std::time::Duration;

use loket_client::{Client, Options};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;

/// Measure a server.
///
/// Every benchmark is authenticated with an admin's key, uses distinct request ids, and works in a helpdesk of its own,
/// which it makes and leaves behind. Ctrl-C ends a measurement early and still prints it. When it finds what must not be, an
/// error, a gap, a ticket claimed twice, it fails.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Create(create::Args),
    Claim(claim::Args),
    Watch(watch::Args),
    Scale(scale::Args),
    Verify(verify::Args),
    Etcd(etcd::Args),
}

/// Who is connected to whom, and who prints.
struct Bench {
    client: Client,
    options: Options,
    output: Output,
}

/// Where the load goes and how much of it.
#[derive(Debug, Clone, clap::Args)]
struct LoadArgs {
    /// The helpdesk, made when it is missing.
    #[arg(long, default_value = "bench", value_parser = args::helpdesk)]
    helpdesk: String,

    /// Further servers of the same database: the connections are spread evenly over all.
    #[arg(long = "further-endpoint", value_name = "URL")]
    further_endpoints: Vec<String>,

    /// Connections.
    #[arg(long, default_value_t = 8, value_parser = positive)]
    connections: usize,

    /// How long each kind of call is measured.
    #[arg(long, default_value = "10s", value_parser = args::duration)]
    duration: Duration,

    /// How long the load runs before it is measured.
    #[arg(long, default_value = "2s", value_parser = args::duration)]
    warmup: Duration,
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let bench = Bench { client: context.client().await?, options: context.options()?, output: context.output };
        match self {
            Self::Create(args) => create::run(args, &bench).await,
            Self::Claim(args) => claim::run(args, &bench).await,
            Self::Watch(args) => watch::run(args, &bench).await,
            Self::Scale(args) => scale::run(args, &bench).await,
            Self::Verify(args) => verify::run(args, &bench).await,
            Self::Etcd(args) => etcd::run(args, &bench).await,
        }
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1_000_000) => Ok(number),
        _ => Err("give a number from 1 to 1000000".to_owned()),
    }
}
