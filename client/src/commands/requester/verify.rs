//! `loket requester verify`

use clap::Args;
use loket_client::v1::VerifyRequesterRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Verify an address by the code that was mailed to it.
///
/// A wrong code is counted.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The requester, as `loket requester list` names it
    #[arg(value_name = "REQUESTER", value_parser = args::requester)]
    name: String,

    /// The code; `-` reads it from standard input
    #[arg(long)]
    code: String,

    #[command(flatten)]
    change: args::Change,
}

impl Verify {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = VerifyRequesterRequest {
            name: self.name,
            code: args::text(self.code)?,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let requester = context.client().await?.verify_requester(request).await?;
        context.output.one("Requester", &requester, show::requester::whole)
    }
}
