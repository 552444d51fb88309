//! `loket ticket update`

use clap::Args;
use loket_client::v1::{Ticket, UpdateTicketRequest};
use prost_types::FieldMask;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Change fields of a ticket: those that are given, and no others.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// What it is about, in one line
    #[arg(long)]
    subject: Option<String>,

    /// One of the helpdesk's priorities; empty for none
    #[arg(long)]
    priority: Option<String>,

    /// A field of the helpdesk, removed by an empty value; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = args::pair)]
    fields: Vec<(String, String)>,

    /// All the labels, one for each flag; an empty one alone removes them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// All the further addresses, one for each flag; an empty one alone removes them
    #[arg(long, value_name = "EMAIL")]
    cc: Vec<String>,

    /// All of what the case is called elsewhere, one for each flag; an empty one alone removes them
    #[arg(long = "external-ref", value_name = "SOURCE=ID", value_parser = args::external_ref_or_none)]
    external_refs: Vec<(String, String)>,

    /// What solved it; `-` reads it from standard input
    #[arg(long)]
    solution: Option<String>,

    /// Why; kept in the history; `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Update {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = self.request()?;
        let ticket = context.client().await?.update_ticket(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }

    fn request(self) -> Result<UpdateTicketRequest, Failure> {
        let fields = args::fields(self.fields)?;
        let is_solution = self.solution.is_some();
        let solution = self.solution.unwrap_or_default();
        let given = [
            ("subject", self.subject.is_some()),
            ("priority", self.priority.is_some()),
            ("tags", !self.tags.is_empty()),
            ("cc", !self.cc.is_empty()),
            ("external_refs", !self.external_refs.is_empty()),
            ("solution", is_solution),
        ];
        let paths = given.into_iter().filter(|(_, given)| *given).map(|(path, _)| path.to_owned());
        let paths: Vec<_> = paths.chain(fields.keys().map(|name| format!("fields.{name}"))).collect();
        if paths.is_empty() {
            return Err(Failure::Usage("say what to change, as with --priority or --field".to_owned()));
        }
        let [solution, reason] = args::texts([("--solution", solution), ("--reason", self.reason)])?;
        let ticket = Ticket {
            name: self.name,
            subject: self.subject.unwrap_or_default(),
            priority: self.priority.unwrap_or_default(),
            // Named by the mask and without a value: removed.
            fields: fields.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            tags: unless_one_empty(self.tags),
            cc: unless_one_empty(self.cc),
            external_refs: args::external_refs(unless_one_empty(self.external_refs)),
            solution,
            etag: self.etag.etag,
            ..Ticket::default()
        };
        Ok(UpdateTicketRequest {
            ticket: Some(ticket),
            update_mask: Some(FieldMask { paths }),
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
            reason,
        })
    }
}

fn unless_one_empty<T: Default + PartialEq>(values: Vec<T>) -> Vec<T> {
    if matches!(&values[..], [only] if *only == T::default()) { Vec::new() } else { values }
}
