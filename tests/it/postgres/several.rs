//! Several servers on one database: who calls cannot tell which one it talks to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loket::v1::{
    GetHelpdeskRequest, GetTicketRequest, ListTicketsRequest, RevokeAccessKeyRequest, Role, UpdateHelpdeskRequest,
    WatchQueueRequest,
};
use loket_client::Error;
use tokio::sync::{Barrier, Mutex};
use tokio::task::JoinSet;
use tonic::Code;

use crate::support::tail::{Tail, behind, narrow, now, snapshot};
use crate::support::{Caller, Database, Desk, Load, Options, SIMPLE, Server, ServerProcess, draft};

/// No poll comes in the time of a test: what is told in time was heard.
const HEARING: &str = "--poll-interval=10m";

/// Two servers of one database, with the helpdesk `desk`.
struct Pair {
    desk: Desk,
    other: Server,
}

impl Pair {
    async fn open(options: impl Into<Options>) -> Self {
        let options = options.into();
        let desk = Desk::open(options.clone()).await;
        let other = desk.beside(options).await;
        Self { desk, other }
    }

    /// Somebody new, at the one and at the other.
    async fn agent(&self, subject: &str) -> (Caller, Caller) {
        let here = self.desk.agent(subject).await;
        let there = Caller::connect(&self.other.endpoint(), &here.secret, "desk").await;
        (here, there)
    }
}

async fn open(caller: &Caller, request: loket::v1::WatchTicketsRequest) -> Tail {
    Tail::open(narrow(caller, 65_535).await, request).await.unwrap()
}

async fn both_write_and_both_are_told(options: Options) {
    let pair = Pair::open(options).await;
    let mut agents = Vec::new();
    for number in 0..4 {
        let (here, there) = pair.agent(&format!("writer-{number}")).await;
        agents.push(if number % 2 == 0 { here } else { there });
    }
    let watchers = vec![pair.desk.admin().clone(), pair.other.admin().clone()];
    let load = Load::begin(agents, watchers).await;
    load.moves_on("at two servers", 300).await;
    load.check(pair.other.admin()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_told_everything_once_and_in_order_while_both_write() {
    both_write_and_both_are_told(Database::Postgres.with().flag(HEARING)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_told_everything_also_where_nothing_is_heard() {
    both_write_and_both_are_told(Database::Postgres.with().flag("--listen-database-url=none")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_told_everything_also_from_behind_a_tiny_ring() {
    both_write_and_both_are_told(Database::Postgres.with().ring_capacity(3)).await;
}

#[tokio::test]
async fn a_token_of_one_goes_on_at_the_other() {
    let pair = Pair::open(Database::Postgres.with().flag(HEARING)).await;
    let (here, there) = pair.agent("budi").await;
    let mut whole = open(&here, snapshot(&here, "")).await;
    whole.snapshot().await;
    let mut token = whole.seen.token.clone();
    let mut told = Vec::new();
    for round in 0..10 {
        let (writer, reader) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let first = writer.create(draft("Before the stream")).await.unwrap();
        let mut tail = open(reader, behind(reader, "", &token)).await;
        tail.until(first.revision).await;
        // Also what comes while the stream is open.
        let second = writer.create(draft("While it is open")).await.unwrap();
        tail.until(second.revision).await;
        token.clone_from(&tail.seen.token);
        told.extend(tail.seen.events);
    }
    whole.until(20).await;
    assert_eq!(told, whole.seen.events);
    assert!(told.iter().map(|event| event.revision).eq(1..=20));
}

#[tokio::test]
async fn a_revision_of_one_is_waited_for_at_the_other() {
    let pair = Pair::open(Database::Postgres.with().flag(HEARING)).await;
    let (here, there) = pair.agent("budi").await;
    for _ in 0..20 {
        let ticket = here.create(draft("Printer")).await.unwrap();
        let request = GetTicketRequest {
            name: ticket.name.clone(),
            min_revision: ticket.revision,
            ..GetTicketRequest::default()
        };
        assert_eq!(there.get_ticket(request).await.unwrap().revision, ticket.revision);
    }
    // It waits for one that is still to come, and hears of it.
    let request =
        ListTicketsRequest { parent: there.parent.clone(), min_revision: 21, ..ListTicketsRequest::default() };
    let waiting = tokio::spawn({
        let there = there.clone();
        async move { there.list_tickets(request).await }
    });
    tokio::task::yield_now().await;
    here.create(draft("The one that is waited for")).await.unwrap();
    let listed = waiting.await.unwrap().unwrap();
    assert_eq!((listed.revision, listed.tickets.len()), (21, 21));
}

#[tokio::test]
async fn now_and_a_snapshot_begin_where_the_database_is() {
    let pair = Pair::open(Database::Postgres.with().flag(HEARING)).await;
    let (here, there) = pair.agent("budi").await;
    for round in 1..=5 {
        // Between two rounds nobody follows at the other: it knows nothing of this.
        here.create(draft("Unseen")).await.unwrap();
        let last = here.create(draft("Unseen")).await.unwrap().revision;
        assert_eq!(last, 3 * round - 1);
        let mut tail = open(&there, now(&there, "")).await;
        assert_eq!(tail.next().await.unwrap().unwrap().revision, last);
        let mut whole = open(&there, snapshot(&there, "")).await;
        assert_eq!(whole.snapshot().await, last);
        let next = here.create(draft("Seen")).await.unwrap();
        tail.until(next.revision).await;
        whole.until(next.revision).await;
        assert_eq!(tail.seen.events.len(), 1);
        assert_eq!(tail.seen.events, whole.seen.events);
        assert_eq!(there.list("").await.unwrap().len(), usize::try_from(3 * round).unwrap());
    }
}

#[tokio::test]
async fn a_key_made_at_one_opens_the_other_until_it_is_revoked() {
    let pair = Pair::open(Database::Postgres.with().flag(HEARING)).await;
    let key = pair.desk.admin().key(Role::Agent, "rina", &["desk"]).await;
    let there = Caller::connect(&pair.other.endpoint(), &key.secret, "desk").await;
    let mut tail = open(&there, now(&there, "")).await;
    tail.next().await.unwrap();
    let request = RevokeAccessKeyRequest { name: key.name, ..RevokeAccessKeyRequest::default() };
    pair.desk.admin().revoke_access_key(request).await.unwrap();
    let revoked = Instant::now();
    let ended: Error = loop {
        if let Err(error) = tail.next().await {
            break error;
        }
    };
    assert_eq!(ended.code(), Code::Unauthenticated);
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    assert_eq!(there.list("").await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_definition_applied_at_one_holds_at_the_other() {
    let pair = Pair::open(Database::Postgres).await;
    let (_, there) = pair.agent("budi").await;
    let name = "helpdesks/desk".to_owned();
    // Both know the first version.
    pair.other.admin().get_helpdesk(GetHelpdeskRequest { name: name.clone() }).await.unwrap();
    there.create(draft("Before")).await.unwrap();
    let with_field = format!("{SIMPLE}\nfields:\n- {{id: order, type: FIELD_TYPE_TEXT}}\n");
    let mut helpdesk = loket::json::helpdesk_from_yaml(&with_field).unwrap();
    helpdesk.name.clone_from(&name);
    let request = UpdateHelpdeskRequest { helpdesk: Some(helpdesk), ..UpdateHelpdeskRequest::default() };
    let applied = pair.desk.admin().update_helpdesk(request).await.unwrap();
    let known = pair.other.admin().get_helpdesk(GetHelpdeskRequest { name }).await.unwrap();
    assert_eq!(known, applied);
    let fields = crate::support::fields([("order", "4711")]);
    let ticket = there.create(loket::v1::Ticket { fields, ..draft("After") }).await.unwrap();
    assert_eq!(there.list("fields.order = 4711").await.unwrap(), [ticket]);
}

#[tokio::test]
async fn a_queue_is_seen_live_at_the_other() {
    let pair = Pair::open(Database::Postgres.with().flag(HEARING)).await;
    let (here, there) = pair.agent("budi").await;
    let request = WatchQueueRequest { name: "helpdesks/desk/queues/main".to_owned(), ..WatchQueueRequest::default() };
    let mut stream = there.queues().watch_queue(request).await.unwrap().into_inner();
    let mut depth = async || {
        let next = tokio::time::timeout(Duration::from_secs(30), stream.message()).await.expect("nothing comes");
        next.unwrap().unwrap().queue.unwrap().depth
    };
    assert_eq!(depth().await, 0);
    here.create(draft("Waits")).await.unwrap();
    assert_eq!(depth().await, 1);
    here.claim_next("main").await.unwrap().unwrap();
    assert_eq!(depth().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_four_processes_claim_a_thousand_and_each_is_won_once() {
    const PROCESSES: usize = 4;
    const WORKERS: usize = 64;
    const TICKETS: usize = 1_000;
    let first = ServerProcess::start(Database::Postgres).await;
    let mut servers = vec![first];
    while servers.len() < PROCESSES {
        servers.push(servers[0].beside(Database::Postgres).await);
    }
    let admin = servers[0].admin().await;
    admin.open("desk", SIMPLE).await;
    for _ in 0..TICKETS / 500 {
        let one = loket::v1::CreateTicketRequest { ticket: Some(draft("To claim")), ..Default::default() };
        let batch = loket::v1::BatchCreateTicketsRequest { parent: admin.parent.clone(), requests: vec![one; 500] };
        admin.batch_create_tickets(batch).await.unwrap();
    }
    let start = Arc::new(Barrier::new(WORKERS));
    let won: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let subject = format!("agent-{number}");
        let worker = servers[number % PROCESSES].caller(Role::Agent, &subject, &["desk"]).await;
        let (start, won) = (Arc::clone(&start), Arc::clone(&won));
        workers.spawn(async move {
            start.wait().await;
            while let Some(ticket) = worker.claim_next("main").await.unwrap() {
                assert_eq!(ticket.assignee, subject);
                let before = won.lock().await.insert(ticket.name.clone(), subject.clone());
                assert_eq!(before, None, "{} was won twice", ticket.name);
            }
        });
    }
    while let Some(worked) = workers.join_next().await {
        worked.unwrap();
    }
    let tickets = admin.list("").await.unwrap();
    let won = won.lock().await;
    assert_eq!(won.len(), TICKETS);
    assert!(tickets.iter().all(|ticket| won[&ticket.name] == ticket.assignee));
    let revision = admin.list_tickets(ListTicketsRequest { parent: admin.parent.clone(), ..Default::default() });
    assert_eq!(revision.await.unwrap().revision, 2 * i64::try_from(TICKETS).unwrap(), "revisions are dense");
}
