//! What every command is given: how to reach the server, and where to write.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use loket_client::error::Origin;
use loket_client::options::token_is_in_env;
use loket_client::{Client, Options};
use tonic::Code;

use crate::args;
use crate::failure::{Failure, Key};
use crate::output::{Format, Output};

/// The flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    // What the environment says is asked for by hand: clap would name it in every usage line, as if it were needed.
    /// The server's address [env: `LOKET_ENDPOINT`] [default: `http://127.0.0.1:50051`]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,

    /// The access key's secret; without it, the admin key in the data directory is used [env: `LOKET_TOKEN`]
    #[arg(long, global = true, value_name = "SECRET")]
    token: Option<String>,

    /// Where the server keeps its data, and with it `admin.key`, which is read where there is no --token; given as a flag, it
    /// comes before `LOKET_TOKEN` [env: `LOKET_DATA_DIR`] [default: ./loket-data, for a server on this machine]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// The subject for whom to act, kept in the history; what may be done, and who the author is, stay the key's. Services
    /// and admins only
    #[arg(long, global = true, value_name = "SUBJECT")]
    on_behalf_of: Option<String>,

    /// How long a call may take, all its tries included, and the beginning of a watch: `500ms`, `30s`, `2m`
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = args::duration)]
    timeout: Duration,

    /// Tables for people, or the protobuf JSON mapping: one object, an array, or for watches an object on each line
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    output: Format,
}

impl Globals {
    /// Where the key comes from.
    pub(crate) fn key(&self) -> Key {
        match self.token {
            Some(_) => Key::Flag,
            None if self.data_dir.is_none() && token_is_in_env() => Key::Variable,
            None => Key::File,
        }
    }
}

/// How to reach the server, and where to write.
pub(crate) struct Context {
    globals: Globals,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(globals: Globals) -> Self {
        Self { output: Output::new(globals.output), globals }
    }

    /// How long a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.globals.timeout
    }

    /// Who calls and where, from flags, then the environment, then the defaults.
    pub(crate) fn options(&self) -> Result<Options, Failure> {
        let Globals { endpoint, token, data_dir, on_behalf_of, timeout, output: _ } = &self.globals;
        for (name, value) in [("--endpoint", endpoint), ("--token", token)] {
            // Such as a variable of a script that is not set: nobody else's key is used for it.
            if value.as_ref().is_some_and(String::is_empty) {
                return Err(Failure::Usage(format!("{name} is given as nothing")));
            }
        }
        let found = Options::given_or_from_env(endpoint.clone(), token.clone(), data_dir.clone())?;
        Ok(Options { on_behalf_of: on_behalf_of.clone(), timeout: *timeout, ..found })
    }

    /// Connects now, so that a server which is not there is told at once and not after all retries.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        Client::connect(self.options()?).await.map_err(|error| match (error.origin(), error.code()) {
            (Origin::Client, Code::InvalidArgument) => Failure::Usage(error.to_string()),
            _ => error.into(),
        })
    }
}
