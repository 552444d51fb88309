//! `loket ticket create`

use std::path::PathBuf;

use clap::Args;
use loket_client::v1::{CreateTicketRequest, Ticket};

use crate::args;
use crate::commands::attachment::attach;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// File a ticket.
///
/// Files are uploaded after the server has looked at the rest and before the ticket is filed. With --validate-only none is
/// uploaded: of the files it is then only known that they are here and can be read.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,

    /// The e-mail address of whose case it is; requesters may leave it out
    #[arg(long, value_name = "EMAIL", default_value = "", hide_default_value = true)]
    requester: String,

    /// What it is about, in one line
    #[arg(long)]
    subject: String,

    /// The whole text; `-` reads it from standard input
    #[arg(long)]
    body: String,

    /// How it came: `web`, `email`, `phone`, …
    #[arg(long, default_value = "", hide_default_value = true)]
    channel: String,

    /// A field of the helpdesk; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = args::pair)]
    fields: Vec<(String, String)>,

    /// One of the helpdesk's priorities
    #[arg(long, default_value = "", hide_default_value = true)]
    priority: String,

    /// A label; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// A further e-mail address to keep informed; may be given several times
    #[arg(long, value_name = "EMAIL")]
    cc: Vec<String>,

    /// What the case is called elsewhere; may be given several times
    #[arg(long = "external-ref", value_name = "SOURCE=ID", value_parser = args::external_ref)]
    external_refs: Vec<(String, String)>,

    /// A file to attach; may be given several times
    #[arg(long = "attach", value_name = "FILE")]
    attach: Vec<PathBuf>,

    /// An upload of `loket attachment upload` to attach; may be given several times
    #[arg(long = "upload", value_name = "UPLOAD", value_parser = args::upload)]
    uploads: Vec<String>,

    #[command(flatten)]
    change: args::Change,
}

impl Create {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let ticket = Ticket {
            requester: self.requester,
            subject: self.subject,
            body: args::text(self.body)?,
            channel: self.channel,
            fields: args::fields(self.fields)?,
            priority: self.priority,
            tags: self.tags,
            cc: self.cc,
            external_refs: args::external_refs(self.external_refs),
            ..Ticket::default()
        };
        let client = context.client().await?;
        let validate_only = self.change.validate_only;
        let mut request = CreateTicketRequest {
            parent: self.helpdesk.clone(),
            ticket: Some(ticket),
            request_id: self.change.request_id,
            validate_only,
            uploads: self.uploads,
        };
        let check = CreateTicketRequest { request_id: String::new(), validate_only: true, ..request.clone() };
        let check = client.create_ticket(check);
        let attached = attach(&client, context.output, &self.helpdesk, &self.attach, validate_only, check).await?;
        request.uploads.extend(attached);
        let ticket = client.create_ticket(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
