//! `loket ticket list`

use clap::Args;
use loket_client::v1::{ListTicketsRequest, Ticket, TicketView};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::show;

/// List tickets.
///
/// With `-o json` it is an array of `Ticket`; those behind --limit are not in it, of which standard error warns.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,

    /// Which: `status = waiting AND fields.type = order`; all without it
    #[arg(long, default_value = "", hide_default_value = true)]
    filter: String,

    /// `create_time`, `create_time desc`, or `queue_order` with a filter on the queue
    #[arg(long, value_name = "ORDER", default_value = "", hide_default_value = true)]
    order_by: String,

    /// At most so many, and a warning on standard error where more follow; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,

    /// With their texts, below the table
    #[arg(long)]
    full: bool,
}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let full = self.full;
        let (tickets, more) = self.read(context, limit).await?;
        context.output.list("Ticket", &tickets, show::ticket::list)?;
        if full && !context.output.is_json() {
            output::write(&show::ticket::texts(&tickets, context.output.width()))?;
        }
        if more {
            // Whoever counts on all of them must hear of it, and programs most of all.
            output::warn(&format!("more follow after these {}: --limit 0 lists all", tickets.len()));
        }
        Ok(())
    }

    /// At most so many tickets, and whether more may follow.
    async fn read(self, context: &Context, limit: usize) -> Result<(Vec<Ticket>, bool), Failure> {
        let client = context.client().await?;
        let view = if self.full { TicketView::Full } else { TicketView::Basic };
        let mut request = ListTicketsRequest {
            parent: self.helpdesk,
            filter: self.filter,
            order_by: self.order_by,
            view: view.into(),
            ..ListTicketsRequest::default()
        };
        let mut tickets = Vec::new();
        loop {
            request.page_size = (limit - tickets.len()).min(1000) as i32;
            let page = client.list_tickets(request.clone()).await?;
            tickets.extend(page.tickets);
            let more = !page.next_page_token.is_empty();
            if !more || tickets.len() >= limit {
                return Ok((tickets, more));
            }
            request.page_token = page.next_page_token;
        }
    }
}
