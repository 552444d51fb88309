//! `loket ticket escalate`

use clap::Args;
use loket_client::v1::EscalateTicketRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Take one of the helpdesk's escalations: the ticket goes to another queue, or a child is filed there.
///
/// With `-o json` it is an `EscalateTicketResponse`: the ticket, and the child if there is one.
#[derive(Debug, Args)]
pub(crate) struct Escalate {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The id of the escalation in the helpdesk's definition
    #[arg(value_name = "ESCALATION")]
    escalation: String,

    /// Why; kept in the history
    #[arg(long)]
    reason: String,

    /// The id of the queue, where the escalation leads to several
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
        let request = EscalateTicketRequest {
            name: self.name,
            escalation: self.escalation,
            reason: self.reason,
            queue: self.to,
            subject: self.subject,
            body: args::text(self.body)?,
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
