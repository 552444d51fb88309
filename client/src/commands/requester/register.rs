//! `loket requester register`

use clap::Args;
use loket_client::v1::{RegisterRequesterRequest, Requester};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Register an address; services and admins get the code to mail.
///
/// The code is shown this once.
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,

    /// The address; left out by a requester, its own
    #[arg(long, default_value = "", hide_default_value = true)]
    email: String,

    /// What people call them
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    display_name: String,

    #[command(flatten)]
    change: args::Change,
}

impl Register {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let requester = Requester { email: self.email, display_name: self.display_name, ..Requester::default() };
        let request = RegisterRequesterRequest {
            parent: self.helpdesk,
            requester: Some(requester),
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let is_written = !request.validate_only;
        let requester = context.client().await?.register_requester(request).await?;
        if is_written && requester.code.is_empty() && requester.verify_time.is_none() {
            context
                .output
                .note("No code is shown: only the key of a service or an admin makes one, and it is shown only once.");
        }
        context.output.one("Requester", &requester, show::requester::whole)
    }
}
