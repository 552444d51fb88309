//! `loket requester list`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListRequestersRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// List the requesters of a helpdesk.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,

    /// Only the one with this address
    #[arg(long, default_value = "", hide_default_value = true)]
    email: String,
}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request =
            ListRequestersRequest { parent: self.helpdesk, email: self.email, ..ListRequestersRequest::default() };
        let requesters: Vec<_> = context.client().await?.all_requesters(request).try_collect().await?;
        context.output.list("Requester", &requesters, show::requester::list)
    }
}
