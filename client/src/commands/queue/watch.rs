//! `loket queue watch`

use std::time::Duration;

use clap::Args;
use loket_client::QueueWatch;
use loket_client::v1::{WatchQueueRequest, WatchQueueResponse};
use tokio::time::{MissedTickBehavior, interval};

use crate::args;
use crate::commands::outages::{self, Outages};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::show;

/// Show a queue live.
///
/// It is drawn again and again on a terminal; otherwise there is a line for each change, with `-o json` a `WatchQueueResponse`.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// `smmpanel/order` or `helpdesks/smmpanel/queues/order`
    #[arg(value_name = "QUEUE", value_parser = args::queue)]
    name: String,

    /// How many of its first tickets to show: at most 200
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    max_tickets: i32,
}

impl Watch {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client().await?;
        let request =
            WatchQueueRequest { name: self.name, max_tickets: self.max_tickets, ..WatchQueueRequest::default() };
        let mut watch = client.watch_queue(request);
        if context.output.is_live() {
            return draw(&mut watch, Outages::new(context.timeout())).await;
        }
        let mut outages = Outages::new(context.timeout());
        while let Some(view) = outages.next(&mut watch).await? {
            context.output.item("WatchQueueResponse", &view, show::queue::line)?;
        }
        Ok(())
    }
}

/// Nothing is sent while nothing changes, but the waits grow: so it is drawn every second too. While the server is away, the
/// first line says so: the rest is of before.
async fn draw(watch: &mut QueueWatch, mut outages: Outages) -> Result<(), Failure> {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<WatchQueueResponse> = None;
    loop {
        tokio::select! {
            view = watch.next() => match view? {
                Some(view) => last = Some(view),
                None => return Ok(()),
            },
            _ = second.tick() => {}
        }
        let outage = outages.outage(watch)?;
        if let Some(view) = &last {
            let (rows, columns) = output::screen();
            let warning = outage.as_ref().map(outages::words);
            output::redraw(&show::queue::screen(view, warning.as_deref(), rows, columns))?;
        }
    }
}
