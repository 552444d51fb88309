//! `loket ticket split`

use clap::Args;
use loket_client::v1::{SplitReplyRequest, Ticket};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Make a new ticket of replies that begin an unrelated matter.
///
/// The replies stay where they are. What is shown is the new ticket.
#[derive(Debug, Args)]
pub(crate) struct Split {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The requester's replies, by the numbers that `loket ticket replies` shows, notes counted too, or by their names: 1 to 50
    #[arg(value_name = "REPLY", required = true, value_parser = args::reply)]
    replies: Vec<String>,

    /// What the new ticket is about, in one line
    #[arg(long)]
    subject: String,

    /// A field of the helpdesk; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = args::pair)]
    fields: Vec<(String, String)>,

    /// One of the helpdesk's priorities
    #[arg(long, default_value = "", hide_default_value = true)]
    priority: String,

    /// A label; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Split {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let ticket = Ticket {
            subject: self.subject,
            fields: args::fields(self.fields)?,
            priority: self.priority,
            tags: self.tags,
            ..Ticket::default()
        };
        let name = |reply: &String| {
            if reply.contains('/') { reply.clone() } else { format!("{}/replies/{reply}", self.name) }
        };
        let request = SplitReplyRequest {
            replies: self.replies.iter().map(name).collect(),
            parent: self.name,
            ticket: Some(ticket),
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.split_reply(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
