//! `loket ticket reply`

use std::path::PathBuf;

use clap::Args;
use loket_client::v1::{self, CreateReplyRequest, ReplyKind};

use crate::args;
use crate::commands::attachment::attach;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Reply on a ticket, or leave a note, and move it in the same step.
///
/// Files are uploaded after the server has looked at the rest and before the reply is made. With --validate-only none is
/// uploaded: of the files it is then only known that they are here and can be read. With `-o json` it is the `Reply`; an empty
/// one that claimed the ticket has `claimed_ticket`.
#[derive(Debug, Args)]
pub(crate) struct Reply {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    ticket: String,

    /// The text; `-` reads it from standard input. Empty, and without files, it claims the ticket where the helpdesk takes it so
    #[arg(long, default_value = "", hide_default_value = true)]
    body: String,

    /// The canned response to begin with, as `loket helpdesk canned` lists them
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    canned: String,

    /// A field to set with it, removed by an empty value; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = args::pair)]
    fields: Vec<(String, String)>,

    /// For the staff only
    #[arg(long)]
    note: bool,

    /// A transition to take with it
    #[arg(long, default_value = "", hide_default_value = true)]
    transition: String,

    /// What solved the case; shown to the requester, so not of a note. `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true, conflicts_with = "note")]
    solution: String,

    /// A file to attach; may be given several times
    #[arg(long = "attach", value_name = "FILE")]
    attach: Vec<PathBuf>,

    /// An upload of `loket attachment upload` to attach; may be given several times
    #[arg(long = "upload", value_name = "UPLOAD", value_parser = args::upload)]
    uploads: Vec<String>,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Reply {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let [body, solution] = args::texts([("--body", self.body), ("--solution", self.solution)])?;
        // What is looked at before the upload has no files: it would pass for a claim.
        if !self.attach.is_empty() && body.trim().is_empty() && self.canned.is_empty() {
            return Err(Failure::Usage(
                "an empty reply takes no files, for it claims the ticket: say with --body, or --canned, what they are"
                    .to_owned(),
            ));
        }
        let kind = if self.note { ReplyKind::Note } else { ReplyKind::Public };
        let reply =
            v1::Reply { kind: kind.into(), body, solution, canned_response: self.canned, ..v1::Reply::default() };
        let client = context.client().await?;
        let validate_only = self.change.validate_only;
        let mut request = CreateReplyRequest {
            parent: self.ticket.clone(),
            reply: Some(reply),
            transition: self.transition,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only,
            uploads: self.uploads,
            fields: args::fields(self.fields)?,
        };
        let check = CreateReplyRequest { request_id: String::new(), validate_only: true, ..request.clone() };
        let check = client.create_reply(check);
        let attached = attach(&client, context.output, &self.ticket, &self.attach, validate_only, check).await?;
        request.uploads.extend(attached);
        let reply = client.create_reply(request).await?;
        context.output.one("Reply", &reply, show::reply::whole)
    }
}
