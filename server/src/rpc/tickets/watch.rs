//! `WatchTickets`.

mod lens;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use loket::v1 as proto;
use proto::{WatchMarker, WatchStart};
use tonic::{Request, Response, Status};

pub(in crate::rpc) use self::stream::WatchStream;

use self::lens::TicketLens;
use self::stream::{Opening, Watch, begin_snapshot};
use crate::domain::filter::Filter;
use crate::domain::{Actor, Refusal, Violation};
use crate::engine::Failure;
use crate::feed::{Lens, Scope};
use crate::rpc::call::{Call, both};
use crate::rpc::convert::Sight;
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::rpc::status::Unresumable;
use crate::rpc::streams::Open;
use crate::rpc::{convert, names};

pub(in crate::rpc) async fn watch(
    server: &Server,
    request: Request<proto::WatchTicketsRequest>,
) -> Result<Response<WatchStream>, Status> {
    let call = Call::of(request.extensions())?;
    let open = Open::new(server, &call, "/loket.v1.TicketService/WatchTickets")?;
    let message = request.into_inner();
    let named = both(names::helpdesk("parent", &message.parent), Asked::of(&message));
    let ((helpdesk, Asked { start, progress_interval }), _) = both(named, read::revision(message.min_revision))?;
    // Only a helpdesk that exists has a feed.
    Reading::begin(server, &call, &helpdesk, message.min_revision).await?;
    let feed = server.engine.hub().feed(&helpdesk).await.map_err(|error| Failure::from_store(&error))?;
    // The place first, and then the definition: it is the one in force there, or a newer one.
    let (head, epoch) = feed.standing();
    let reading = Reading::begin(server, &call, &helpdesk, 0).await?;
    let actor = &call.caller.actor;
    let goes_on = matches!(start, Start::Token(_));
    let filter = read::filter(&message.filter, &reading.version.definition, actor, goes_on)?;
    let fields = reading.version.definition.fields().iter();
    let indexed = fields.filter(|field| field.indexed).map(|field| field.id.clone()).collect();
    let lens = Arc::new(lens(&helpdesk, filter, actor, reading));
    let (opening, subscription) = match start {
        Start::Snapshot => (Opening::Read(begin_snapshot(&call.caller.entry, &feed, &lens, indexed)), None),
        Start::Now => {
            let subscription = feed.watch_behind(head, epoch, &lens.scope, Arc::clone(&lens) as Arc<dyn Lens>);
            (Opening::Mark(WatchMarker::Progress), Some(subscription))
        }
        Start::Token(token) => {
            let token = lens.scope.read(&token).map_err(Unresumable::Invalid)?;
            let place = feed.resume(token).await.map_err(Unresumable::Gone)?;
            let subscription = feed.watch_behind(place, epoch, &lens.scope, Arc::clone(&lens) as Arc<dyn Lens>);
            (Opening::Done, Some(subscription))
        }
    };
    let watch = Watch { open, feed, lens, progress_interval, opening, subscription, ended: false };
    Ok(Response::new(watch.into_stream()))
}

/// What the request says besides its filter.
struct Asked {
    start: Start,
    progress_interval: Duration,
}

enum Start {
    Snapshot,
    Now,
    Token(String),
}

impl Asked {
    fn of(message: &proto::WatchTicketsRequest) -> Result<Self, Refusal> {
        let mut wrong = Vec::new();
        let token = message.resume_token.clone();
        let start = match WatchStart::try_from(message.start) {
            Ok(WatchStart::Unspecified) if !token.is_empty() => Start::Token(token),
            Ok(WatchStart::Unspecified | WatchStart::Now) if token.is_empty() => Start::Now,
            Ok(WatchStart::Snapshot) if token.is_empty() => Start::Snapshot,
            Ok(_) => {
                wrong.push(Violation::new("start", "is set together with `resume_token`; leave out one of them"));
                Start::Now
            }
            Err(_) => {
                let known = "WATCH_START_SNAPSHOT or WATCH_START_NOW";
                wrong.push(Violation::new("start", format!("{} is not known; write {known}", message.start)));
                Start::Now
            }
        };
        let progress_interval = match &message.progress_interval {
            None => DEFAULT_PROGRESS,
            Some(given) => match convert::duration(*given) {
                Some(given) if (SHORTEST_PROGRESS..=LONGEST_PROGRESS).contains(&given) => given,
                _ => {
                    let given = convert::shown_duration(*given);
                    wrong.push(Violation::new("progress_interval", format!("{given} is not 1 to 60 s")));
                    DEFAULT_PROGRESS
                }
            },
        };
        if wrong.is_empty() { Ok(Self { start, progress_interval }) } else { Err(Refusal::Invalid(wrong)) }
    }
}

const DEFAULT_PROGRESS: Duration = Duration::from_secs(15);
const SHORTEST_PROGRESS: Duration = Duration::from_secs(1);
const LONGEST_PROGRESS: Duration = Duration::from_mins(1);

fn lens(helpdesk: &str, filter: Filter, actor: &Actor, reading: Reading) -> TicketLens {
    let Reading { version, sight } = reading;
    let canonical = filter.canonical();
    // All staff see the same, so they share.
    let staff = actor.role.is_staff();
    let visibility = if staff { "staff".to_owned() } else { format!("requester {}", actor.subject) };
    // The definition says how own fields compare, and which are for the staff only.
    let depends = !staff || canonical.contains("fields.");
    let scope = Scope::new(helpdesk, &canonical, &visibility);
    // All of it that hangs on the definition.
    let scope = match &sight {
        Sight::Staff => scope,
        Sight::Requester { subject: _, shown } => scope.showing(shown),
    };
    TicketLens {
        helpdesk: helpdesk.to_owned(),
        filter,
        sight,
        scope,
        definition_version: depends.then_some(version.version),
    }
}
