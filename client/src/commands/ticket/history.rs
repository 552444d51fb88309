//! `loket ticket history`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListChangesRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Show what happened to a ticket, oldest first.
///
/// The table leaves out what only counts, and shortens what is long; `-o json` tells all of it, as an array of `Change`.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    ticket: String,
}

impl History {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ListChangesRequest { parent: self.ticket, page_size: 1000, ..ListChangesRequest::default() };
        let changes: Vec<_> = context.client().await?.all_changes(request).try_collect().await?;
        context.output.list("Change", &changes, show::change::history)
    }
}
