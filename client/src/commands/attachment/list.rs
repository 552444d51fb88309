//! `loket attachment list`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListAttachmentsRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// List the files of a ticket and its replies, oldest first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    ticket: String,
}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request =
            ListAttachmentsRequest { parent: self.ticket, page_size: 1000, ..ListAttachmentsRequest::default() };
        let attachments: Vec<_> = context.client().await?.all_attachments(request).try_collect().await?;
        context.output.list("Attachment", &attachments, show::attachment::list)
    }
}
