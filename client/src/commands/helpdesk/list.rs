//! `loket helpdesk list`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListHelpdesksRequest;

use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// List the helpdesks that the key opens.
#[derive(Debug, Args)]
pub(crate) struct List {}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let helpdesks: Vec<_> =
            context.client().await?.all_helpdesks(ListHelpdesksRequest::default()).try_collect().await?;
        context.output.list("Helpdesk", &helpdesks, show::helpdesk::list)
    }
}
