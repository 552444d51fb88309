//! SIGKILL under load: what was acknowledged is there once, nothing is done twice, and who watches misses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loket::v1::{Change, ErrorReason, ExternalRef, Role, Ticket, TicketEvent};
use loket_client::WatchItem;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::database;
use crate::support::tail::snapshot;
use crate::support::{Caller, Random, SIMPLE, ServerProcess, draft, eventually};

const KILLS: usize = 20;
const WRITERS: usize = 6;

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
struct Load {
    acknowledged: Mutex<Acknowledged>,
    count: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_nothing_repeat_nothing_and_hide_nothing() {
    let mut random = Random::new(20);
    let mut server = ServerProcess::start(database()).await;
    server.admin().await.open("desk", SIMPLE).await;
    let (told, heard) = watch::channel(-1);
    let watcher = tokio::spawn(listen(server.admin().await, told));
    eventually("the watch begins", async || (*heard.borrow() >= 0).then_some(())).await;
    let load = Arc::new(Load::default());
    let (stop, stopped) = watch::channel(false);
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let caller = server.caller(Role::Agent, &format!("writer-{number}"), &["desk"]).await;
        writers.spawn(write(caller, number, Arc::clone(&load), stopped.clone()));
    }

    for kill in 0..KILLS {
        let (acknowledged, revision) = (load.count.load(Ordering::SeqCst), *heard.borrow());
        let enough = acknowledged + 1 + random.below(200);
        let both = async || {
            let moved = load.count.load(Ordering::SeqCst) >= enough && *heard.borrow() > revision;
            (moved || writers.len() < WRITERS || watcher.is_finished()).then_some(())
        };
        eventually(&format!("writes and changes come through before kill {kill}"), both).await;
        // Any moment is as good as another: in the middle of a commit, or between two.
        tokio::time::sleep(Duration::from_micros(random.number() % 15_000)).await;
        server.kill();
        server.restart().await;
    }
    stop.send(true).unwrap();
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }

    let admin = server.admin().await;
    let last = admin.list_tickets(list()).await.unwrap().revision;
    eventually("the watcher hears the end", async || (*heard.borrow() >= last).then_some(())).await;
    // It goes when nobody listens to it any more: at its next response, a marker at the latest.
    drop(heard);
    let events = watcher.await.unwrap();
    let tickets = admin.list("").await.unwrap();
    let history = history(&admin, &tickets).await;
    let acknowledged = load.acknowledged.lock().unwrap();
    assert!(
        acknowledged.tickets.len() > KILLS && acknowledged.replies.len() > KILLS && !acknowledged.claims.is_empty()
    );
    check_tickets(&acknowledged, &tickets);
    check_history(&acknowledged, &history, last);
    check_events(&events, &history, &tickets);
}

fn list() -> loket::v1::ListTicketsRequest {
    loket::v1::ListTicketsRequest { parent: "helpdesks/desk".to_owned(), ..Default::default() }
}

/// Files, replies and claims through the client's own retries, until it is told to stop.
async fn write(caller: Caller, number: usize, load: Arc<Load>, stopped: watch::Receiver<bool>) {
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

fn note_claim(load: &Load, ticket: &Ticket) {
    let before = load.acknowledged.lock().unwrap().claims.insert(ticket.name.clone(), ticket.assignee.clone());
    assert!(before.is_none_or(|before| before == ticket.assignee), "{} was claimed by two", ticket.name);
}

/// All events, through every restart, until nobody hears of them any more.
async fn listen(admin: Caller, told: watch::Sender<i64>) -> Vec<TicketEvent> {
    let mut watch = admin.watch(snapshot(&admin, ""));
    let mut events = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(20), watch.next()).await.expect("the watch stands still");
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
