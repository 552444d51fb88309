//! `loket key list`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListAccessKeysRequest;

use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// List the keys, without their secrets.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Also those that were revoked
    #[arg(long)]
    show_revoked: bool,
}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ListAccessKeysRequest { show_revoked: self.show_revoked, ..ListAccessKeysRequest::default() };
        let keys: Vec<_> = context.client().await?.all_access_keys(request).try_collect().await?;
        context.output.list("AccessKey", &keys, show::key::list)
    }
}
