//! What becomes of a batch, command by command; and what it costs. On each database.

mod durable;
mod log_growth;
#[allow(clippy::duplicate_mod, reason = "the same tests run on each database")]
#[path = "tests/suite.rs"]
mod postgres;
mod requester_index;
#[allow(clippy::duplicate_mod, reason = "the same tests run on each database")]
#[path = "tests/suite.rs"]
mod sqlite;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::{Connection, RunQueryDsl};
use tokio::sync::oneshot::{Receiver, channel};

use super::Writer;
use crate::domain::commands::{
    ApplyDefinition, ClaimNextTicket, Command, CreateAgent, CreateHelpdesk, CreateReply, CreateTicket, LinkTickets,
    Proposed, TransitionTicket, UpdateTicket,
};
use crate::domain::context::Answer;
use crate::domain::definition::Definition;
use crate::domain::{Actor, ExternalRef, LinkKind, Micros, ReplyKind, Role};
use crate::engine::definitions::Definitions;
use crate::engine::inbox::Inbox;
use crate::engine::submission::Submission;
use crate::engine::teller::Teller;
use crate::engine::{Clock, Failure, Limits, Outcome, Request, RequestId};
use crate::feed::{Durable, FeedOptions, Hub};
use crate::store::throwaway::Throwaway;
use crate::store::{Pool, SYSTEM, changes, definition_payload, dialect, heads};

const DESK: &str = "desk";

const DEFINITION: &str = "
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: close, from: [new], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
fields:
- {id: kind, type: FIELD_TYPE_CHOICE, indexed: true, choices: [{value: a}, {value: b}]}
queues: [{id: main}]
default_queue: main
";

/// A caller whose commands panic when they are decided.
const PANICS: &str = "panics";

/// Called before each decision.
pub(in crate::engine) fn may_panic(request: &Request) {
    assert_ne!(request.actor.subject, PANICS, "as the test asked for");
}

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Micros {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A writer that is driven by hand.
struct Desk {
    writer: Writer,
    inbox: Arc<Inbox>,
    hub: Arc<Hub>,
    _throwaway: Throwaway,
}

type Answered = Receiver<Result<Outcome, Failure>>;

impl Desk {
    fn new(throwaway: Throwaway, limits: Limits) -> Self {
        let database = throwaway.database.clone();
        dialect::migrate(&mut database.open().unwrap()).unwrap();
        let pool = Pool::of(&database, 2).unwrap();
        let hub = Arc::new(Hub::new(pool, FeedOptions::default(), Path::new("no snapshots here")));
        let inbox = Arc::new(Inbox::new(limits));
        let clock = Arc::new(TestClock(AtomicI64::new(1_000_000)));
        let teller = Teller::new(Arc::clone(&inbox), Arc::clone(&hub));
        let definitions = Arc::new(Definitions::new(Arc::clone(hub.doubts())));
        let writer = Writer::open(database, Arc::clone(&inbox), definitions, clock, teller).unwrap();
        let mut desk = Self { writer, inbox, hub, _throwaway: throwaway };
        let definition = definition(DEFINITION);
        let create = Command::CreateHelpdesk(CreateHelpdesk { id: DESK.to_owned(), definition });
        let [created] = desk.all([Request { helpdesk: SYSTEM.into(), ..request(create) }]);
        created.unwrap();
        desk
    }

    /// Takes as many commands at once as there may be, and is in time for them, however slow the machine is.
    fn patient(throwaway: Throwaway) -> Self {
        let limits = Limits::default();
        Self::new(
            throwaway,
            Limits { batch_floor: limits.batch_commands, batch_time: Duration::from_mins(10), ..limits },
        )
    }

    fn put(&self, request: Request) -> Answered {
        let (answer, answered) = channel();
        self.inbox.put(Submission::new(request.into(), answer)).unwrap();
        answered
    }

    /// One batch of what waits.
    fn run(&mut self) {
        let held = self.inbox.take().unwrap();
        self.writer.run(held);
    }

    /// All of these, in as many batches as it takes.
    fn all<const N: usize>(&mut self, requests: [Request; N]) -> [Result<Outcome, Failure>; N] {
        let mut answered = requests.map(|request| self.put(request));
        loop {
            self.run();
            let open = answered.iter_mut().any(|answer| answer.is_empty() && !answer.is_terminated());
            if !open {
                return answered.map(|mut answer| answer.try_recv().unwrap());
            }
        }
    }

    fn durable(&self) -> &Arc<Durable> {
        self.hub.durable()
    }

    fn head(&mut self) -> i64 {
        heads::last_revision(self.writer.connection.as_mut().unwrap(), DESK).unwrap()
    }

    fn count(&mut self, table: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        let counted = diesel::sql_query(format!("SELECT count(*) AS count FROM {table}"));
        counted.get_result::<Count>(self.writer.connection.as_mut().unwrap()).unwrap().count
    }

    fn execute(&mut self, statements: &str) {
        self.writer.connection.as_mut().unwrap().batch_execute(statements).unwrap();
    }

    /// The ticket that each of these claims got.
    fn claimed<const N: usize>(&mut self, claims: [Request; N]) -> [Option<i64>; N] {
        self.all(claims).map(|outcome| {
            let Answer::Ticket(ticket) = outcome.unwrap().answer else { return None };
            Some(ticket.id)
        })
    }

    fn log(&mut self) -> Vec<(i64, String)> {
        let log = changes::after(
            self.writer.connection.as_mut().unwrap(),
            DESK,
            0,
            changes::Limit { rows: 10_000, bytes: u64::MAX },
        )
        .unwrap();
        log.iter().map(|entry| (entry.change.revision, entry.change.command.to_string())).collect()
    }

    /// The statements that run on the writer's connection while `work` does, by their first verb.
    fn counted(&mut self, work: impl FnOnce(&mut Self)) -> BTreeMap<String, usize> {
        let tally = Arc::new(Mutex::new(BTreeMap::new()));
        let kept = Arc::clone(&tally);
        let note = move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let verb = text.split_whitespace().next().unwrap_or_default().to_uppercase();
                *kept.lock().unwrap().entry(verb).or_default() += 1;
            }
        };
        self.writer.connection.as_mut().unwrap().set_instrumentation(note);
        work(self);
        self.writer.connection.as_mut().unwrap().set_instrumentation(|_: InstrumentationEvent<'_>| {});
        let tally = tally.lock().unwrap();
        tally.clone()
    }
}

fn definition(yaml: &str) -> Arc<Definition> {
    Arc::new(definition_payload::definition_from_proto(&loket::json::helpdesk_from_yaml(yaml).unwrap()).unwrap())
}

fn request(command: Command) -> Request {
    Request {
        helpdesk: DESK.into(),
        actor: Actor { subject: "budi".to_owned(), role: Role::Agent, on_behalf_of: String::new() },
        command,
        request_id: RequestId { id: uuid::Uuid::new_v4().to_string(), fresh: false },
        digest: [7; 32],
        deadline: None,
        bytes: 1_000,
        bulk: false,
        validate_only: false,
    }
}

fn by(subject: &str, command: Command) -> Request {
    let mut request = request(command);
    subject.clone_into(&mut request.actor.subject);
    request
}

pub(in crate::engine) fn create(subject: &str) -> Request {
    let external_refs = vec![ExternalRef { source: "test".to_owned(), id: uuid::Uuid::new_v4().to_string() }];
    request(Command::CreateTicket(CreateTicket {
        requester: "ani@example.com".to_owned(),
        subject: subject.to_owned(),
        body: "The whole story.".to_owned(),
        external_refs,
        fields: [("kind".to_owned(), "a".to_owned())].into(),
        ..CreateTicket::default()
    }))
}

fn reply(ticket: i64) -> Request {
    request(Command::CreateReply(CreateReply {
        fields: std::collections::BTreeMap::new(),
        canned_response: String::new(),
        survey_token: None,
        ticket,
        kind: ReplyKind::Public,
        body: "Hello.".to_owned(),
        solution: String::new(),
        transition: String::new(),
        etag: String::new(),
        uploads: Vec::new(),
    }))
}

fn transition(ticket: i64, transition: &str) -> Request {
    let transition = transition.to_owned();
    request(Command::TransitionTicket(TransitionTicket { ticket, transition, ..TransitionTicket::default() }))
}

fn retitle(ticket: i64, subject: &str) -> Request {
    let subject = Some(subject.to_owned());
    request(Command::UpdateTicket(UpdateTicket { ticket, subject, ..UpdateTicket::default() }))
}

/// The second becomes the parent of the first.
fn link(ticket: i64, parent: i64) -> Request {
    let (reason, etag) = (String::new(), String::new());
    request(Command::LinkTickets(LinkTickets { ticket, other: parent, kind: LinkKind::Parent, reason, etag }))
}

fn claim_next() -> Request {
    request(Command::ClaimNextTicket(ClaimNextTicket { queue: "main".to_owned(), waited: 0 }))
}

/// A choice of 40 values that are the skills of the queue.
fn skilled() -> String {
    let choices: Vec<_> = (0..40).map(|skill| format!("{{value: s{skill}}}")).collect();
    DEFINITION
        .replace("{value: a}, {value: b}", &format!("{{value: a}}, {}", choices.join(", ")))
        .replace("{id: main}", "{id: main, skill_field: kind}")
}

/// An agent who has the skills of these numbers.
fn agent(subject: &str, skills: std::ops::Range<usize>) -> Request {
    let mut request = by(
        "lead",
        Command::CreateAgent(CreateAgent {
            id: subject.to_owned(),
            subject: subject.to_owned(),
            skills: skills.map(|skill| format!("s{skill}")).collect(),
            active: true,
            ..CreateAgent::default()
        }),
    );
    request.actor.role = Role::Admin;
    request
}

/// A ticket that needs the skill of a number.
fn needing(skill: usize) -> Request {
    let mut request = create("Needs a skill");
    if let Command::CreateTicket(command) = &mut request.command {
        command.fields.insert("kind".to_owned(), format!("s{skill}"));
    }
    request
}

fn apply(yaml: &str) -> Request {
    let proposed = Proposed::Whole(definition(yaml));
    request(Command::ApplyDefinition(ApplyDefinition { proposed, etag: String::new() }))
}
