//! `loket ticket watch`

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use loket_client::WatchItem;
use loket_client::v1::{WatchMarker, WatchStart, WatchTicketsRequest, WatchTicketsResponse};

use crate::args;
use crate::commands::outages::Outages;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::show;

/// Follow tickets as they change.
///
/// For ever, without a gap or a duplicate: broken connections and restarts of the server are survived; standard error tells of
/// those that last. With `-o json` each line is a `WatchTicketsResponse`, and `{"restarted": true}` where a stream broke before
/// its first resume token and had to be begun anew: what came before is void, and after `--start now` something may have been
/// missed.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,

    /// Which: `queue = order`; all without it
    #[arg(long, default_value = "", hide_default_value = true)]
    filter: String,

    /// Where to begin; `now` without it
    #[arg(long, value_enum, conflicts_with = "resume_token")]
    start: Option<Start>,

    /// Go on behind the response that this token came with
    #[arg(long, value_name = "TOKEN", value_parser = NonEmptyStringValueParser::new())]
    resume_token: Option<String>,

    /// How long the stream may be silent before the server sends a marker: 1s to 60s [default: 15s]
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    progress_interval: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Start {
    /// With the tickets as they stand, then every change
    Snapshot,
    /// With the next change
    Now,
}

impl Watch {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client().await?;
        let mut watch = client.watch(self.request()?);
        let mut outages = Outages::new(context.timeout());
        while let Some(item) = outages.next(&mut watch).await? {
            match item {
                WatchItem::Response(response) => {
                    context.output.item("WatchTicketsResponse", &response, show::change::events)?;
                    if response.marker() == WatchMarker::SnapshotEnd {
                        context.output.note(&told(&response));
                    }
                }
                WatchItem::Restarted if context.output.is_json() => {
                    output::lines(r#"{"restarted":true}"#)?;
                }
                WatchItem::Restarted => output::lines("The stream broke and begins anew: forget the above.")?,
            }
        }
        Ok(())
    }

    fn request(self) -> Result<WatchTicketsRequest, Failure> {
        let start = match self.start {
            Some(Start::Snapshot) => WatchStart::Snapshot,
            Some(Start::Now) => WatchStart::Now,
            None => WatchStart::Unspecified,
        };
        let progress_interval = self.progress_interval.map(prost_types::Duration::try_from).transpose();
        Ok(WatchTicketsRequest {
            parent: self.helpdesk,
            filter: self.filter,
            start: start.into(),
            resume_token: self.resume_token.unwrap_or_default(),
            progress_interval: progress_interval.map_err(|error| Failure::Usage(error.to_string()))?,
            min_revision: 0,
        })
    }
}

fn told(response: &WatchTicketsResponse) -> String {
    format!("That is the snapshot of revision {}; changes follow.", response.revision)
}
