//! A stream of `WatchTickets` as the wire has it, and what its reader makes of it. What is promised of every stream is
//! checked with every response.

use std::collections::BTreeMap;
use std::time::Duration;

use loket::v1::ticket_service_client::TicketServiceClient;
use loket::v1::{
    Ticket, TicketEvent, TicketEventType as Type, WatchMarker as Marker, WatchStart, WatchTicketsRequest,
    WatchTicketsResponse,
};
use loket_client::Error;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::Caller;

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// HTTP/2's smallest for a connection.
const CONNECTION_WINDOW: u32 = 65_535;

/// A client on a connection of its own, that can take in very little: when it does not read, the server cannot write.
pub(crate) type Narrow = TicketServiceClient<InterceptedService<Channel, Key>>;

#[derive(Clone)]
pub(crate) struct Key(MetadataValue<Ascii>);

impl Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

pub(crate) async fn narrow(caller: &Caller, window: u32) -> Narrow {
    let endpoint = Endpoint::from_shared(caller.endpoint().to_owned()).unwrap();
    let endpoint = endpoint.initial_stream_window_size(window).initial_connection_window_size(CONNECTION_WINDOW);
    let key = Key(format!("Bearer {}", caller.secret).parse().unwrap());
    TicketServiceClient::with_interceptor(endpoint.connect().await.unwrap(), key)
}

/// From a snapshot, with a marker each second.
pub(crate) fn snapshot(caller: &Caller, filter: &str) -> WatchTicketsRequest {
    WatchTicketsRequest {
        parent: caller.parent.clone(),
        filter: filter.to_owned(),
        start: WatchStart::Snapshot.into(),
        progress_interval: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        ..WatchTicketsRequest::default()
    }
}

/// From the head.
pub(crate) fn now(caller: &Caller, filter: &str) -> WatchTicketsRequest {
    WatchTicketsRequest { start: WatchStart::Now.into(), ..snapshot(caller, filter) }
}

/// From behind a token.
pub(crate) fn behind(caller: &Caller, filter: &str, token: &str) -> WatchTicketsRequest {
    WatchTicketsRequest { start: 0, resume_token: token.to_owned(), ..snapshot(caller, filter) }
}

/// A stream and what came of it. Resumes when the server says that it closes, and only then.
pub(crate) struct Tail {
    client: Narrow,
    request: WatchTicketsRequest,
    stream: Option<Streaming<WatchTicketsResponse>>,
    pub(crate) seen: Seen,
}

impl Tail {
    pub(crate) async fn open(client: Narrow, request: WatchTicketsRequest) -> Result<Self, Error> {
        let seen = Seen { in_snapshot: request.start() == WatchStart::Snapshot, ..Seen::default() };
        let mut tail = Self { client, request, stream: None, seen };
        tail.connect().await?;
        Ok(tail)
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let opening = self.client.watch_tickets(self.request.clone());
        let stream = tokio::time::timeout(PATIENCE, opening).await.expect("the stream is not opened")?;
        self.stream = Some(stream.into_inner());
        Ok(())
    }

    /// The next response; none when the stream has ended well.
    pub(crate) async fn next(&mut self) -> Result<Option<WatchTicketsResponse>, Error> {
        let stream = self.stream.as_mut().expect("the stream has ended");
        let message = tokio::time::timeout(PATIENCE, stream.message()).await.expect("nothing comes")?;
        match &message {
            Some(response) => self.seen.take(response),
            None => self.stream = None,
        }
        Ok(message)
    }

    /// The next response, on a new stream if the server has closed this one.
    pub(crate) async fn follow(&mut self) -> WatchTicketsResponse {
        loop {
            if let Some(response) = self.next().await.unwrap() {
                return response;
            }
            assert!(self.seen.closing, "the stream ended unannounced");
            self.seen.closing = false;
            if !self.seen.token.is_empty() {
                self.request.start = 0;
                self.request.resume_token.clone_from(&self.seen.token);
            }
            self.connect().await.unwrap();
        }
    }

    /// Reads until everything up to a revision was told.
    pub(crate) async fn until(&mut self, revision: i64) {
        while self.seen.in_snapshot || self.seen.revision < revision {
            self.follow().await;
        }
    }

    /// Reads until the snapshot has ended, and says of which revision it is.
    pub(crate) async fn snapshot(&mut self) -> i64 {
        while self.seen.in_snapshot {
            self.follow().await;
        }
        self.seen.revision
    }
}

/// What a reader knows.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The tickets that match, by name.
    pub(crate) tickets: BTreeMap<String, Ticket>,
    /// Without those of the snapshot.
    pub(crate) events: Vec<TicketEvent>,
    pub(crate) revision: i64,
    pub(crate) token: String,
    pub(crate) closing: bool,
    in_snapshot: bool,
    /// A stream that began with a snapshot knows all that matches.
    complete: bool,
}

impl Seen {
    fn take(&mut self, response: &WatchTicketsResponse) {
        assert!(!self.closing, "nothing comes behind CLOSING");
        let marker = response.marker();
        if self.in_snapshot {
            self.take_snapshot(response);
        } else {
            assert_ne!(marker, Marker::SnapshotEnd);
            self.take_events(response);
        }
        self.closing = marker == Marker::Closing;
        if marker == Marker::Unspecified {
            assert!(!response.events.is_empty(), "{response:?} says nothing");
        } else {
            assert!(response.events.is_empty(), "a marker comes alone");
            assert_eq!(self.closing, response.retry_delay.is_some());
        }
    }

    fn take_snapshot(&mut self, response: &WatchTicketsResponse) {
        if response.marker() == Marker::Closing {
            self.tickets.clear();
            self.revision = 0;
            return;
        }
        assert!(self.revision == 0 || self.revision == response.revision, "a snapshot is of one revision");
        self.revision = response.revision;
        for event in &response.events {
            assert_eq!(event.r#type(), Type::Snapshot);
            assert!(event.change.is_none());
            let ticket = event.ticket.clone().unwrap();
            assert_eq!(event.revision, ticket.revision);
            assert!(ticket.revision <= response.revision);
            assert!(self.tickets.insert(ticket.name.clone(), ticket).is_none(), "a ticket is in a snapshot once");
        }
        if response.marker() == Marker::SnapshotEnd {
            (self.in_snapshot, self.complete) = (false, true);
            assert!(!response.resume_token.is_empty());
            self.token.clone_from(&response.resume_token);
        } else {
            assert!(response.resume_token.is_empty(), "no token before the snapshot has ended");
        }
    }

    fn take_events(&mut self, response: &WatchTicketsResponse) {
        if response.resume_token.is_empty() {
            assert_eq!(response.marker(), Marker::Closing, "every response has a token");
            return;
        }
        assert!(response.revision >= self.revision, "revisions do not run back");
        let mut last = (self.revision, -1);
        for event in &response.events {
            let ticket = event.ticket.as_ref().unwrap();
            // A ticket comes more than once in a revision that imported it; what has left has no ordinal.
            let ordinal = event.change.as_ref().map(|change| change.ordinal);
            let goes_on = event.revision == last.0 && last.0 > self.revision;
            let follows = event.revision > last.0 || (goes_on && ordinal.is_none_or(|ordinal| ordinal > last.1));
            assert!(follows, "{event:?} follows {last:?}");
            assert!(event.revision <= response.revision);
            let before = if goes_on { last.1 } else { -1 };
            last = (event.revision, ordinal.unwrap_or(before));
            self.take_event(event, ticket);
        }
        self.events.extend(response.events.iter().cloned());
        self.revision = response.revision;
        self.token.clone_from(&response.resume_token);
    }

    fn take_event(&mut self, event: &TicketEvent, ticket: &Ticket) {
        let name = &ticket.name;
        let known = self.tickets.contains_key(name);
        match event.r#type() {
            Type::Entered => assert!(!known, "{name} enters twice"),
            Type::Updated => assert!(known || !self.complete, "{name} is updated and has not entered"),
            Type::Left => {
                assert!(known || !self.complete, "{name} leaves and has not entered");
                let name_only = Ticket { name: name.clone(), ..Ticket::default() };
                assert_eq!(
                    event,
                    &TicketEvent {
                        r#type: Type::Left.into(),
                        ticket: Some(name_only),
                        change: None,
                        revision: event.revision,
                    }
                );
                self.tickets.remove(name);
                return;
            }
            Type::Snapshot | Type::Unspecified => panic!("{event:?} among changes"),
        }
        assert_eq!(ticket.revision, event.revision);
        assert_eq!(ticket.body, "");
        if let Some(change) = &event.change {
            assert_eq!((change.revision, &change.ticket), (event.revision, name));
            assert!(change.ticket_after.is_none());
        }
        self.tickets.insert(name.clone(), ticket.clone());
    }
}
