//! Claims that wait for a ticket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loket::v1::{
    ClaimNextTicketRequest, ClaimNextTicketResponse, ErrorReason, RevokeAccessKeyRequest, Role, Ticket,
    TransferTicketRequest,
};
use loket_client::Error;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use super::agents::register;
use super::database;
use super::operations::scrape;
use crate::support::{Caller, Desk, SIMPLE, ServerProcess, draft, eventually, fields, free_port, own, reason, told};

const LONG: Duration = Duration::from_secs(40);

fn request(caller: &Caller, wait: Duration) -> ClaimNextTicketRequest {
    ClaimNextTicketRequest {
        name: format!("{}/queues/main", caller.parent),
        request_id: Uuid::now_v7().to_string(),
        max_wait: Some(wait.try_into().unwrap()),
        ..ClaimNextTicketRequest::default()
    }
}

type Waiting = JoinHandle<Result<Option<Ticket>, Error>>;

/// Waits in a task of its own.
fn wait(caller: &Caller, wait: Duration) -> Waiting {
    let (caller, request) = (caller.clone(), request(caller, wait));
    tokio::spawn(async move { Ok(caller.claim_next_ticket(request).await?.ticket) })
}

/// A process whose metrics say how many wait.
struct Counted {
    server: ServerProcess,
    port: u16,
}

impl Counted {
    async fn start(flags: &[&str]) -> Self {
        let port = free_port();
        let options = database().with().flag(&format!("--metrics-listen=127.0.0.1:{port}"));
        let options = flags.iter().fold(options, |options, flag| options.flag(flag));
        let server = ServerProcess::start(options).await;
        server.admin().await.open("desk", SIMPLE).await;
        Self { server, port }
    }

    async fn worker(&self, subject: &str) -> Caller {
        self.server.caller(Role::Agent, subject, &["desk"]).await
    }

    async fn metric(&self, name: &str) -> u64 {
        let metrics = scrape(self.port).await;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    async fn waits_for(&self, waiting: usize) {
        let is_so = async || (self.metric("loket_waiting_claims").await == waiting as u64).then_some(());
        eventually("so many wait", is_so).await;
    }
}

#[tokio::test]
async fn who_waits_is_woken_by_an_arrival() {
    let counted = Counted::start(&[]).await;
    let (worker, service) = (counted.worker("budi").await, counted.server.admin().await);
    for _ in 0..3 {
        let waiting = wait(&worker, LONG);
        counted.waits_for(1).await;
        let filed = service.create(draft("Printer")).await.unwrap();
        let begin = Instant::now();
        let claimed = waiting.await.unwrap().unwrap().unwrap();
        assert_eq!((claimed.name, claimed.assignee.as_str()), (filed.name, "budi"));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    }
    // Also by a ticket that is given back.
    let claimed = service.list("assignee = budi").await.unwrap().remove(0);
    let waiting = wait(&counted.worker("dewi").await, LONG);
    counted.waits_for(1).await;
    worker.release(&claimed.name).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().name, claimed.name);
}

#[tokio::test]
async fn a_wait_in_vain_is_ok_and_not_remembered() {
    let desk = Desk::open(database()).await;
    let worker = desk.agent("budi").await;
    let asked = request(&worker, Duration::from_millis(50));
    let begin = Instant::now();
    assert_eq!(worker.claim_next_ticket(asked.clone()).await.unwrap(), ClaimNextTicketResponse::default());
    assert!(begin.elapsed() >= Duration::from_millis(50));
    let ticket = worker.create(draft("Printer")).await.unwrap();
    let claimed = worker.claim_next_ticket(asked.clone()).await.unwrap();
    assert_eq!(claimed.ticket.as_ref().unwrap().name, ticket.name);
    // Repeated it is told again, however long it would wait now.
    let again = ClaimNextTicketRequest { max_wait: Some(LONG.try_into().unwrap()), ..asked };
    assert_eq!(worker.claim_next_ticket(again.clone()).await.unwrap(), claimed);
    // Also while others wait.
    let waiting = wait(&desk.agent("dewi").await, LONG);
    eventually("it waits", async || {
        assert_eq!(worker.claim_next_ticket(again.clone()).await.unwrap(), claimed);
        (!waiting.is_finished()).then_some(())
    })
    .await;
    waiting.abort();
    for wrong in [Duration::from_secs(301), Duration::from_hours(24)] {
        assert_eq!(reason(worker.claim_next_ticket(request(&worker, wrong)).await), ErrorReason::InvalidRequest);
    }
    let negative = ClaimNextTicketRequest {
        max_wait: Some(prost_types::Duration { seconds: -1, nanos: 0 }),
        ..request(&worker, LONG)
    };
    insta::assert_snapshot!(told(worker.claim_next_ticket(negative).await), @r"
    InvalidArgument INVALID_REQUEST
    max_wait: -1 s is not 0 to 300 s
    - max_wait: -1 s is not 0 to 300 s
    ");
    for (seconds, nanos) in [(i64::MIN, 0), (i64::MAX, 0), (300, 1), (0, -1), (0, i32::MAX), (5, i32::MIN)] {
        let max_wait = Some(prost_types::Duration { seconds, nanos });
        let extreme = ClaimNextTicketRequest { max_wait, ..request(&worker, LONG) };
        assert_eq!(reason(worker.claim_next_ticket(extreme).await), ErrorReason::InvalidRequest, "{seconds} {nanos}");
    }
}

/// Whoever repeats a claim while its first try still waits, or is being committed, is told what became of it.
#[tokio::test]
async fn two_waits_under_one_request_id_end_with_the_same_ticket() {
    let counted = Counted::start(&[]).await;
    let worker = counted.worker("budi").await;
    let asked = request(&worker, LONG);
    let ask = || {
        let (worker, asked) = (worker.clone(), asked.clone());
        tokio::spawn(async move { Ok::<_, Error>(worker.claim_next_ticket(asked).await?.ticket) })
    };
    let mut waiting = Vec::new();
    for place in 1..=3 {
        waiting.push(ask());
        counted.waits_for(place).await;
    }
    let filed = counted.server.admin().await.create(draft("Printer")).await.unwrap();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap().unwrap().name, filed.name);
    }
}

/// Those who were there have been asked already.
#[tokio::test]
async fn who_joins_a_line_has_nobody_asked_again() {
    const WORKERS: u64 = 12;
    let counted = Counted::start(&[]).await;
    let admin = counted.server.admin().await;
    let yaml = SIMPLE.replace("- {id: main, display_name: Main}", "- {id: main, skill_field: kind}");
    let fields = "fields: [{id: kind, type: FIELD_TYPE_CHOICE, choices: [{value: a}, {value: b}, {value: c}]}]";
    admin.open("skilled", &format!("{yaml}{fields}\n")).await;
    let admin = admin.on("skilled");
    let file = async |skill| {
        let ticket = Ticket { fields: crate::support::fields([("kind", skill)]), ..draft(skill) };
        admin.create(ticket).await.unwrap()
    };
    // It waits, and nobody who waits can take it.
    file("a").await;
    for number in 0..WORKERS {
        register(&admin, &format!("w{number}"), &[], &["b"], true).await.unwrap();
    }
    let mut waiting = Vec::new();
    for number in 0..WORKERS {
        let worker = counted.server.caller(Role::Agent, &format!("w{number}"), &["skilled"]).await;
        waiting.push(wait(&worker, LONG));
        counted.waits_for(waiting.len()).await;
    }
    let first = file("b").await;
    assert_eq!(waiting.remove(0).await.unwrap().unwrap().unwrap().name, first.name);
    // The first alone, when the line began; then the first again, who got it, and after that at most everybody once.
    let tries = counted.metric("loket_waiting_claim_tries_total").await;
    assert!(tries <= 2 + WORKERS, "{tries}");
}

#[tokio::test]
async fn who_came_first_is_served_first_and_who_has_gone_is_passed_over() {
    const WORKERS: usize = 8;
    let counted = Counted::start(&[]).await;
    let mut waiting = Vec::new();
    for number in 0..WORKERS {
        let worker = counted.worker(&format!("worker-{number}")).await;
        waiting.push(wait(&worker, LONG));
        counted.waits_for(number + 1).await;
    }
    // These hang up.
    for gone in [5, 2, 0] {
        waiting.remove(gone).abort();
    }
    counted.waits_for(WORKERS - 3).await;
    let service = counted.server.caller(Role::Service, "intake", &["desk"]).await;
    for (number, waiting) in waiting.into_iter().enumerate() {
        let filed = service.create(draft(&format!("Ticket {number}"))).await.unwrap();
        assert_eq!(waiting.await.unwrap().unwrap().unwrap().name, filed.name, "the turn of {number}");
    }
    counted.waits_for(0).await;
    // Nothing went to those who had gone.
    assert_eq!(service.list("assignee = \"\"").await.unwrap(), []);
    assert_eq!(service.list("").await.unwrap().len(), WORKERS - 3);
}

#[tokio::test]
async fn one_key_has_half_of_the_places_at_most_and_gets_what_is_there() {
    let counted = Counted::start(&["--max-waiting-claims=40"]).await;
    let (budi, dewi) = (counted.worker("budi").await, counted.worker("dewi").await);
    let service = counted.server.caller(Role::Service, "intake", &["desk"]).await;
    let first = ClaimNextTicketRequest { request_id: Uuid::new_v4().to_string(), ..request(&budi, LONG) };
    let filed = service.create(draft("First")).await.unwrap();
    let claimed = budi.claim_next_ticket(first.clone()).await.unwrap();
    assert_eq!(claimed.ticket.as_ref().unwrap().name, filed.name);
    let mut waiting: Vec<_> = (0..20).map(|_| wait(&budi, LONG)).collect();
    counted.waits_for(20).await;
    insta::assert_snapshot!(told(budi.claim_next_ticket(request(&budi, LONG)).await), @r"
    ResourceExhausted TOO_MANY_WAITING_CLAIMS
    this key has 20 claims that wait for a ticket on this server, which is all that one key may have; ask again without waiting
    - waiting_claims: at most 20 claims that wait for a ticket for one key
    ");
    // What was claimed before is told again, and others may wait.
    assert_eq!(budi.claim_next_ticket(first).await.unwrap().ticket.unwrap().name, filed.name);
    waiting.push(wait(&dewi, LONG));
    counted.waits_for(21).await;
}

#[tokio::test]
async fn there_are_only_so_many_who_wait() {
    let counted = Counted::start(&["--max-waiting-claims=2"]).await;
    let worker = counted.worker("budi").await;
    let waiting = [wait(&worker, LONG), wait(&counted.worker("dewi").await, LONG)];
    counted.waits_for(2).await;
    insta::assert_snapshot!(told(worker.claim_next_ticket(request(&worker, LONG)).await), @r"
    ResourceExhausted TOO_MANY_WAITING_CLAIMS
    2 claims wait for a ticket on this server, which is all it admits; ask again without waiting
    - waiting_claims: at most 2 claims that wait
    ");
    // Who does not wait is served as ever.
    assert_eq!(worker.claim_next("main").await.unwrap(), None);
    for waiting in waiting {
        waiting.abort();
    }
    counted.waits_for(0).await;
    worker.claim_next_ticket(request(&worker, Duration::from_millis(1))).await.unwrap();
}

#[tokio::test]
async fn a_stop_ends_every_wait_without_an_error() {
    let mut counted = Counted::start(&[]).await;
    let mut waiting = Vec::new();
    for number in 0..3 {
        let worker = counted.worker(&format!("worker-{number}")).await;
        waiting.push(wait(&worker, LONG));
    }
    counted.waits_for(3).await;
    let begin = Instant::now();
    counted.server.terminate();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap(), None);
    }
    assert!(counted.server.ended().await, "{}", counted.server.log());
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_revoked_keys_wait_ends() {
    let counted = Counted::start(&[]).await;
    let admin = counted.server.admin().await;
    let key = admin.key(Role::Agent, "budi", &["desk"]).await;
    let waiting = wait(&Caller::connect(admin.endpoint(), &key.secret, "desk").await, LONG);
    counted.waits_for(1).await;
    let revoke = RevokeAccessKeyRequest { name: key.name, ..RevokeAccessKeyRequest::default() };
    admin.revoke_access_key(revoke).await.unwrap();
    assert_eq!(reason(waiting.await.unwrap()), ErrorReason::AccessKeyRevoked);
}

#[tokio::test]
async fn a_server_ends_a_wait_before_its_own_time_for_a_call_is_up() {
    let desk = Desk::open(database().with().request_timeout(Duration::from_secs(1))).await;
    let worker = desk.agent("budi").await;
    assert_eq!(worker.claim_next_ticket(request(&worker, LONG)).await.unwrap(), ClaimNextTicketResponse::default());
}

/// An arrival is for the first who may take it, wherever it stands in the line.
#[tokio::test]
async fn an_arrival_finds_the_one_who_has_the_skill() {
    let counted = Counted::start(&[]).await;
    let admin = counted.server.admin().await;
    let yaml = SIMPLE.replace("- {id: main, display_name: Main}", "- {id: main, skill_field: kind}");
    let fields = "fields: [{id: kind, type: FIELD_TYPE_CHOICE, choices: [{value: a}, {value: b}, {value: c}]}]";
    admin.open("skilled", &format!("{yaml}{fields}\n")).await;
    let admin = admin.on("skilled");
    let mut waiting = Vec::new();
    for (number, skill) in ["a", "b", "c"].into_iter().enumerate() {
        register(&admin, skill, &[], &[skill], true).await.unwrap();
        let worker = counted.server.caller(Role::Agent, skill, &["skilled"]).await;
        waiting.push((skill, wait(&worker, LONG)));
        counted.waits_for(number + 1).await;
    }
    for (skill, waiting) in waiting.into_iter().rev() {
        let ticket = Ticket { fields: crate::support::fields([("kind", skill)]), ..draft(skill) };
        admin.create(ticket).await.unwrap();
        assert_eq!(waiting.await.unwrap().unwrap().unwrap().subject, skill);
    }
}

/// Also where others wait already, so that they take no places.
#[tokio::test]
async fn who_may_not_claim_does_not_wait() {
    let counted = Counted::start(&[]).await;
    let admin = counted.server.admin().await;
    register(&admin, "dewi", &[], &[], false).await.unwrap();
    let requester = counted.server.caller(Role::Requester, "customer@example.com", &["desk"]).await;
    let inactive = counted.worker("dewi").await;
    let waiting = wait(&counted.worker("budi").await, LONG);
    counted.waits_for(1).await;
    assert_eq!(reason(requester.claim_next_ticket(request(&requester, LONG)).await), ErrorReason::RoleNotAllowed);
    assert_eq!(reason(inactive.claim_next_ticket(request(&inactive, LONG)).await), ErrorReason::AgentNotEligible);
    let filed = admin.create(draft("Printer")).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().name, filed.name);
}

/// Workers that come and go while tickets arrive: none is claimed twice, none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_ticket_goes_to_one_who_is_told() {
    const TICKETS: usize = 200;
    let desk = Desk::open(database()).await;
    let service = desk.service("intake").await;
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut workers = JoinSet::new();
    for number in 0..12 {
        let (caller, told) = (desk.agent(&format!("worker-{number}")).await, Arc::clone(&told));
        workers.spawn(async move {
            loop {
                // Some hang up in the middle, and ask again under the same id.
                let asked = request(&caller, LONG);
                let patience = Duration::from_millis(5 + 7 * number);
                let claimed = loop {
                    let claim = caller.claim_next_ticket(asked.clone());
                    if let Ok(answer) = tokio::time::timeout(patience, claim).await {
                        break answer.unwrap().ticket;
                    }
                };
                if let Some(ticket) = claimed {
                    assert_eq!(ticket.assignee, format!("worker-{number}"));
                    told.lock().unwrap().push(ticket.name);
                }
            }
        });
    }
    for number in 0..TICKETS {
        service.create(draft(&format!("Ticket {number}"))).await.unwrap();
    }
    eventually("all are told", async || (told.lock().unwrap().len() >= TICKETS).then_some(())).await;
    workers.abort_all();
    let mut told = told.lock().unwrap().clone();
    assert_eq!(told.len(), TICKETS);
    told.sort();
    told.dedup();
    assert_eq!(told.len(), TICKETS, "none is told twice");
}

const PASSING_ON: &str = "
display_name: Passing on
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: held, state: STATE_WAITING, waits_on: WAITS_ON_REQUESTER}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: hold, from: [new], to: held, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: resume, from: [held], to: new, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: close, from: [new, held], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
fields: [{id: kind, type: FIELD_TYPE_CHOICE, choices: [{value: a}, {value: b}]}]
queues:
- {id: main, skill_field: kind}
- {id: other}
default_queue: main
";

/// One ticket that nobody who waits may take, and a claim that has been tried in vain.
struct Passed {
    admin: Caller,
    ticket: String,
    waiting: Waiting,
}

impl Passed {
    /// The ticket is in `main`, has a kind, and has gone through transitions; who waits at `queue` has the skill `b`.
    async fn by(counted: &Counted, queue: &str, kind: &str, gone_through: &[&str]) -> Self {
        let admin = counted.server.admin().await;
        admin.open("passing", PASSING_ON).await;
        let admin = admin.on("passing");
        register(&admin, "dewi", &[], &["b"], true).await.unwrap();
        let ticket = Ticket { fields: fields([("kind", kind)]), ..draft("Printer") };
        let ticket = admin.create(ticket).await.unwrap().name;
        for transition in gone_through {
            admin.transition(&ticket, transition).await.unwrap();
        }
        let worker = counted.server.caller(Role::Agent, "dewi", &["passing"]).await;
        let name = format!("{}/queues/{queue}", worker.parent);
        let request = ClaimNextTicketRequest { name, ..request(&worker, LONG) };
        let waiting = tokio::spawn(async move { Ok(worker.claim_next_ticket(request).await?.ticket) });
        // The line tries once when it begins.
        let is_tried = async || (counted.metric("loket_waiting_claim_tries_total").await > 0).then_some(());
        eventually("it was tried", is_tried).await;
        counted.waits_for(1).await;
        Self { admin, ticket, waiting }
    }

    async fn taken(self) {
        let begin = Instant::now();
        assert_eq!(self.waiting.await.unwrap().unwrap().unwrap().name, self.ticket);
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn who_waits_is_woken_by_a_transfer() {
    let counted = Counted::start(&[]).await;
    let passed = Passed::by(&counted, "other", "b", &[]).await;
    let transfer = TransferTicketRequest {
        name: passed.ticket.clone(),
        queue: "other".to_owned(),
        reason: "The wrong queue".to_owned(),
        ..TransferTicketRequest::default()
    };
    passed.admin.transfer_ticket(transfer).await.unwrap();
    passed.taken().await;
}

#[tokio::test]
async fn who_waits_is_woken_by_a_status_that_is_the_staffs_turn_again() {
    let counted = Counted::start(&[]).await;
    let passed = Passed::by(&counted, "main", "b", &["hold"]).await;
    passed.admin.transition(&passed.ticket, "resume").await.unwrap();
    passed.taken().await;
}

#[tokio::test]
async fn who_waits_is_woken_by_fields_that_ask_for_its_skill() {
    let counted = Counted::start(&[]).await;
    let passed = Passed::by(&counted, "main", "a", &[]).await;
    let other = Ticket { name: passed.ticket.clone(), fields: fields([("kind", "b")]), ..Ticket::default() };
    passed.admin.update(other, &["fields.kind"]).await.unwrap();
    passed.taken().await;
}

#[tokio::test]
async fn how_long_a_claim_has_waited_is_for_the_staff_to_know() {
    let counted = Counted::start(&[]).await;
    let admin = counted.server.admin().await;
    let start = "- {id: start, from: [new], to: open, trigger: TRANSITION_TRIGGER_MANUAL}";
    admin.open("taken", &SIMPLE.replace(start, &start.replace("MANUAL", "CLAIM"))).await;
    let worker = counted.server.caller(Role::Agent, "budi", &["taken"]).await;
    let requester = counted.server.caller(Role::Requester, "customer@example.com", &["taken"]).await;
    let waiting = wait(&worker, LONG);
    counted.waits_for(1).await;
    let filed = requester.create(own("Printer")).await.unwrap().name;
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().name, filed);
    for (caller, is_told) in [(&worker, true), (&requester, false)] {
        let claim = caller.changes(&filed).await.unwrap().pop().unwrap();
        assert!(claim.field_changes.iter().any(|change| change.new_value == "open"), "{claim:?}");
        assert_eq!(claim.wait_duration.is_some(), is_told, "{claim:?}");
    }
}
