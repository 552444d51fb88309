//! `loket queue list`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListQueuesRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// List the queues of a helpdesk.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,
}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ListQueuesRequest { parent: self.helpdesk, ..ListQueuesRequest::default() };
        let queues: Vec<_> = context.client().await?.all_queues(request).try_collect().await?;
        context.output.list("Queue", &queues, show::queue::list)
    }
}
