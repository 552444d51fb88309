//! `loket key revoke`

use clap::Args;
use loket_client::v1::RevokeAccessKeyRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Take a key back.
///
/// Calls with it fail at once, its streams end within seconds.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The key, as `loket key list` names it
    #[arg(value_name = "KEY", value_parser = args::access_key)]
    name: String,

    #[command(flatten)]
    change: args::Change,
}

impl Revoke {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = RevokeAccessKeyRequest {
            name: self.name,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let key = context.client().await?.revoke_access_key(request).await?;
        context.output.one("AccessKey", &key, show::key::whole)
    }
}
