//! `loket requester get`

use clap::Args;
use loket_client::v1::GetRequesterRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Show a requester.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The requester, as `loket requester list` names it
    #[arg(value_name = "REQUESTER", value_parser = args::requester)]
    name: String,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = GetRequesterRequest { name: self.name, ..GetRequesterRequest::default() };
        let requester = context.client().await?.get_requester(request).await?;
        context.output.one("Requester", &requester, show::requester::whole)
    }
}
