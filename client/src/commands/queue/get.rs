//! `loket queue get`

use clap::Args;
use loket_client::v1::GetQueueRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Show a queue.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// `smmpanel/order` or `helpdesks/smmpanel/queues/order`
    #[arg(value_name = "QUEUE", value_parser = args::queue)]
    name: String,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = GetQueueRequest { name: self.name, ..GetQueueRequest::default() };
        let queue = context.client().await?.get_queue(request).await?;
        context.output.one("Queue", &queue, show::queue::whole)
    }
}
