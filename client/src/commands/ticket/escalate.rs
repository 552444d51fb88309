//! `loket ticket escalate`

use clap::Args;
use loket_client::v1::EscalateTicketRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Take an escalation: to another queue, or a child there.
///
/// It is one of those of the helpdesk's definition. With `-o json` it is an `EscalateTicketResponse`: `{"ticket": …}`, and
/// `"child"` if one was filed.
#[derive(Debug, Args)]
pub(crate) struct Escalate {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The id of the escalation in the helpdesk's definition
    #[arg(value_name = "ESCALATION")]
    escalation: String,

    /// Why; kept in the history; `-` reads it from standard input
    #[arg(long)]
    reason: String,

    /// The queue, where the escalation leads to several: `order`, or as tables show it, `smmpanel/order`
    #[arg(long, value_name = "QUEUE", default_value = "", hide_default_value = true)]
    to: String,

    /// What the child is about; without it, the ticket's subject
    #[arg(long, default_value = "", hide_default_value = true)]
    subject: String,

    /// The child's text, `-` for standard input; without it, the ticket's
    #[arg(long, default_value = "", hide_default_value = true)]
    body: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Escalate {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let [reason, body] = args::texts([("--reason", self.reason), ("--body", self.body)])?;
        let request = EscalateTicketRequest {
            queue: args::queue_of(&self.name, "--to", &self.to)?,
            name: self.name,
            escalation: self.escalation,
            reason,
            subject: self.subject,
            body,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let answer = context.client().await?.escalate_ticket(request).await?;
        context.output.one("EscalateTicketResponse", &answer, |answer| {
            let tickets = answer.ticket.iter().chain(&answer.child);
            tickets.map(show::ticket::whole).collect::<Vec<_>>().join("\n")
        })
    }
}
