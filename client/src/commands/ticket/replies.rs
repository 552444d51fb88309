//! `loket ticket replies`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListRepliesRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::show;

/// Show the conversation on a ticket, oldest first.
///
/// Each reply and note comes under a line with its number, and what it says is set in. With `-o json` it is an array of `Reply`.
#[derive(Debug, Args)]
pub(crate) struct Replies {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    ticket: String,
}

impl Replies {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ListRepliesRequest { parent: self.ticket, page_size: 1000, ..ListRepliesRequest::default() };
        let replies: Vec<_> = context.client().await?.all_replies(request).try_collect().await?;
        if context.output.is_json() || replies.is_empty() {
            return context.output.list("Reply", &replies, show::reply::list);
        }
        output::lines(&show::reply::conversation(&replies, context.output.width()))
    }
}
