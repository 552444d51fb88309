//! `loket ticket link`

use clap::{Args, ValueEnum};
use loket_client::v1::{LinkKind, LinkTicketsRequest};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Link a ticket to another: both get the link.
#[derive(Debug, Args)]
pub(crate) struct Link {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// What the other ticket is to this one
    #[arg(value_enum)]
    kind: Kind,

    /// The other ticket, of the same helpdesk
    #[arg(value_name = "OTHER", value_parser = args::ticket)]
    other: String,

    /// Why; kept in the history for the staff; `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

/// What another ticket is to one.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    /// This one is a part of it
    Parent,
    /// It is a part of this one
    Child,
    /// This one repeats it
    Original,
    /// It repeats this one
    Duplicate,
    /// They have to do with each other
    Related,
}

impl From<Kind> for LinkKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Parent => Self::Parent,
            Kind::Child => Self::Child,
            Kind::Original => Self::Original,
            Kind::Duplicate => Self::Duplicate,
            Kind::Related => Self::Related,
        }
    }
}

impl Link {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = LinkTicketsRequest {
            name: self.name,
            other_ticket: self.other,
            kind: LinkKind::from(self.kind).into(),
            reason: args::text(self.reason)?,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.link_tickets(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
