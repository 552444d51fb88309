//! A load that notes what it was told, and the proof that all of it is so: what was acknowledged is there once, nothing is
//! done twice, and who watches misses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loket::v1::{Change, ErrorReason, ExternalRef, Ticket, TicketEvent};
use loket_client::WatchItem;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::tail::snapshot;
use super::{Caller, Random, draft, eventually};

/// What the server said yes to.
#[derive(Debug, Default)]
struct Acknowledged {
    /// By the external reference.
    tickets: BTreeMap<String, Ticket>,
    /// By the body, which is like no other: the ticket.
    replies: BTreeMap<String, String>,
    /// By the ticket.
    claims: BTreeMap<String, String>,
}

#[derive(Default)]
struct Noted {
    acknowledged: Mutex<Acknowledged>,
    count: AtomicUsize,
}

/// Agents that file, reply and claim on the helpdesk `desk`, and watchers of all of it, through the client's own retries.
pub(crate) struct Load {
    noted: Arc<Noted>,
    agents: usize,
    writers: JoinSet<()>,
    watchers: Vec<Watcher>,
    stop: watch::Sender<bool>,
}

struct Watcher {
    /// The last revision it was told.
    told: watch::Receiver<i64>,
    events: JoinHandle<Vec<TicketEvent>>,
}

impl Load {
    /// Begins to watch, then to write. Nobody else writes to the helpdesk, or has.
    pub(crate) async fn begin(agents: Vec<Caller>, watchers: Vec<Caller>) -> Self {
        let noted = Arc::new(Noted::default());
        let mut following = Vec::new();
        for watcher in watchers {
            let (tell, told) = watch::channel(-1);
            let events = tokio::spawn(listen(watcher, tell));
            eventually("the watch begins", async || (*told.borrow() >= 0).then_some(())).await;
            following.push(Watcher { told, events });
        }
        let (stop, stopped) = watch::channel(false);
        let count = agents.len();
        let mut writers = JoinSet::new();
        for (number, agent) in agents.into_iter().enumerate() {
            writers.spawn(write(agent, number, Arc::clone(&noted), stopped.clone()));
        }
        Self { noted, agents: count, writers, watchers: following, stop }
    }

    /// How much was acknowledged.
    pub(crate) fn count(&self) -> usize {
        self.noted.count.load(Ordering::SeqCst)
    }

    /// Waits until so much more was acknowledged, and every watcher was told of something more.
    pub(crate) async fn moves_on(&self, when: &str, by: usize) {
        let enough = self.count() + by;
        let told: Vec<_> = self.watchers.iter().map(|watcher| *watcher.told.borrow()).collect();
        let moved = async || {
            let told = self.watchers.iter().zip(&told).all(|(watcher, before)| *watcher.told.borrow() > *before);
            let broken = self.writers.len() < self.agents || self.watchers.iter().any(|one| one.events.is_finished());
            ((self.count() >= enough && told) || broken).then_some(())
        };
        eventually(&format!("writes and changes come through {when}"), moved).await;
    }

    /// Stops the agents, and checks everything: what they were told, what the watchers were told, and what is there.
    pub(crate) async fn check(mut self, admin: &Caller) {
        self.stop.send(true).unwrap();
        while let Some(written) = self.writers.join_next().await {
            written.unwrap();
        }
        let last = admin.list_tickets(list()).await.unwrap().revision;
        let tickets = admin.list("").await.unwrap();
        let history = history(admin, &tickets).await;
        {
            let acknowledged = self.noted.acknowledged.lock().unwrap();
            let Acknowledged { tickets: filed, replies, claims } = &*acknowledged;
            assert!(filed.len() > 20 && replies.len() > 20 && !claims.is_empty(), "there was no load to speak of");
            check_tickets(&acknowledged, &tickets);
            check_history(&acknowledged, &history, last);
        }
        for Watcher { told, events } in self.watchers {
            eventually("a watcher hears the end", async || (*told.borrow() >= last).then_some(())).await;
            // It goes when nobody listens to it any more: at its next response, a marker at the latest.
            drop(told);
            check_events(&events.await.unwrap(), &history, &tickets);
        }
    }
}

fn list() -> loket::v1::ListTicketsRequest {
    loket::v1::ListTicketsRequest { parent: "helpdesks/desk".to_owned(), ..Default::default() }
}

/// Files, replies and claims through the client's own retries, until it is told to stop.
async fn write(caller: Caller, number: usize, load: Arc<Noted>, stopped: watch::Receiver<bool>) {
    let mut random = Random::new(1_000 + number as u64);
    let mut filed: Vec<String> = Vec::new();
    for turn in 0.. {
        if *stopped.borrow() {
            return;
        }
        match random.below(4) {
            0 | 1 => {
                let id = format!("{number}-{turn}");
                let external_refs = vec![ExternalRef { source: "load".to_owned(), id: id.clone() }];
                let ticket = caller.create(Ticket { external_refs, ..draft(&id) }).await.unwrap();
                filed.push(ticket.name.clone());
                load.acknowledged.lock().unwrap().tickets.insert(id, ticket);
            }
            2 if !filed.is_empty() => {
                let body = format!("reply {number}-{turn}");
                let ticket = random.one_of(&filed);
                caller.reply(ticket, &body).await.unwrap();
                load.acknowledged.lock().unwrap().replies.insert(body, ticket.clone());
            }
            _ if random.chance(2) => {
                let Some(ticket) = caller.claim_next("main").await.unwrap() else { continue };
                note_claim(&load, &ticket);
            }
            // Writers meet: each sees the lowest ticket that it knows to be unclaimed.
            _ => match caller.claim(&format!("helpdesks/desk/tickets/{}", 1 + random.below(50))).await {
                Ok(ticket) => note_claim(&load, &ticket),
                Err(error) if error.reason() == Some(ErrorReason::AlreadyClaimed) => {}
                Err(error) if error.reason() == Some(ErrorReason::ResourceNotFound) => {}
                Err(error) => panic!("{error:?}"),
            },
        }
        load.count.fetch_add(1, Ordering::SeqCst);
    }
}

fn note_claim(load: &Noted, ticket: &Ticket) {
    let before = load.acknowledged.lock().unwrap().claims.insert(ticket.name.clone(), ticket.assignee.clone());
    assert!(before.is_none_or(|before| before == ticket.assignee), "{} was claimed by two", ticket.name);
}

/// All events, through every restart, until nobody hears of them any more.
async fn listen(admin: Caller, told: watch::Sender<i64>) -> Vec<TicketEvent> {
    let mut watch = admin.watch(snapshot(&admin, ""));
    let mut events = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(30), watch.next()).await.expect("the watch stands still");
        match next.unwrap().unwrap() {
            WatchItem::Response(response) => {
                events.extend(response.events);
                if !response.resume_token.is_empty() {
                    told.send_replace(response.revision);
                }
            }
            WatchItem::Restarted => {
                assert!(watch.resume_token().is_none(), "what has a token is resumed");
                events.clear();
            }
        }
        if told.is_closed() {
            return events;
        }
    }
}

fn check_tickets(acknowledged: &Acknowledged, tickets: &[Ticket]) {
    let mut by_ref: BTreeMap<&str, Vec<&Ticket>> = BTreeMap::new();
    for ticket in tickets {
        let [reference] = ticket.external_refs.as_slice() else { panic!("{ticket:?}") };
        assert_eq!(reference.id, ticket.subject);
        by_ref.entry(&reference.id).or_default().push(ticket);
    }
    for (id, ticket) in &acknowledged.tickets {
        let found = by_ref.get(id.as_str()).unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
        assert_eq!(found.len(), 1, "{id} was filed twice");
        assert_eq!((&found[0].name, &found[0].uid), (&ticket.name, &ticket.uid));
    }
    // Every writer waits for its answers: what is there was asked for, and all was answered.
    assert_eq!(tickets.len(), acknowledged.tickets.len());
    let assigned = tickets.iter().filter(|ticket| !ticket.assignee.is_empty());
    let assigned: BTreeMap<_, _> = assigned.map(|ticket| (ticket.name.clone(), ticket.assignee.clone())).collect();
    assert_eq!(assigned, acknowledged.claims);
}

async fn history(admin: &Caller, tickets: &[Ticket]) -> BTreeMap<i64, Change> {
    let mut history = BTreeMap::new();
    for ticket in tickets {
        for change in admin.changes(&ticket.name).await.unwrap() {
            let revision = change.revision;
            assert!(history.insert(revision, change).is_none(), "revision {revision} is two changes");
        }
    }
    history
}

fn check_history(acknowledged: &Acknowledged, history: &BTreeMap<i64, Change>, last: i64) {
    assert!(history.keys().copied().eq(1..=last), "revisions are dense");
    let times = history.values().map(|change| change.commit_time.map(|time| (time.seconds, time.nanos)));
    assert!(times.is_sorted(), "time does not run back");
    let mut replies = BTreeMap::new();
    for change in history.values() {
        if let Some(reply) = &change.reply {
            let twice = replies.insert(reply.body.clone(), change.ticket.clone());
            assert!(twice.is_none(), "{} was said twice", reply.body);
        }
    }
    assert_eq!(replies, acknowledged.replies);
    let claims = history.values().filter(|change| change.command.starts_with("Claim"));
    let claimed: Vec<_> = claims.map(|change| change.ticket.clone()).collect();
    assert_eq!(claimed.len(), claimed.iter().collect::<BTreeSet<_>>().len(), "a ticket was claimed twice");
    let requests: BTreeSet<_> = history.values().map(|change| &change.request_id).collect();
    assert_eq!(requests.len(), history.len(), "a request was done twice");
}

/// Every change once and in order, and together they are how the tickets stand.
fn check_events(events: &[TicketEvent], history: &BTreeMap<i64, Change>, tickets: &[Ticket]) {
    let expected: Vec<_> = history.values().map(|change| (change.revision, change.ticket.as_str())).collect();
    let told: Vec<_> =
        events.iter().map(|event| (event.revision, event.change.as_ref().unwrap().ticket.as_str())).collect();
    assert_eq!(told, expected);
    let mut fold = BTreeMap::new();
    for event in events {
        let ticket = event.ticket.as_ref().unwrap();
        fold.insert(&ticket.name, ticket);
    }
    assert_eq!(fold, tickets.iter().map(|ticket| (&ticket.name, ticket)).collect());
}
