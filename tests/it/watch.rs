//! Whatever is watched, by whomever, however slowly: what is told adds up to what is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loket::v1::{Role, Ticket, TicketEvent, TicketEventType as Type, UpdateHelpdeskRequest};
use prost_types::FieldMask;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Code;

use super::database;
use crate::support::tail::{Tail, narrow, snapshot};
use crate::support::{Caller, Desk, Random, TestClock, draft};

/// A field of every type, one of them for the staff only.
const DEFINITION: &str = "
display_name: Watched
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: open, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: waiting, state: STATE_WAITING, waits_on: WAITS_ON_REQUESTER}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: start, from: [new, waiting], to: open, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: close, from: [new, open, waiting], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: reopen, from: [closed], to: open, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: take, from: [new], to: open, trigger: TRANSITION_TRIGGER_CLAIM}
- {id: answered, from: [open], to: waiting, trigger: TRANSITION_TRIGGER_AGENT_REPLY}
- {id: back, from: [waiting], to: open, trigger: TRANSITION_TRIGGER_REQUESTER_REPLY}
fields:
- {id: words, type: FIELD_TYPE_TEXT}
- {id: size, type: FIELD_TYPE_INTEGER}
- {id: vip, type: FIELD_TYPE_BOOLEAN}
- {id: due, type: FIELD_TYPE_DATE}
- {id: seen, type: FIELD_TYPE_TIMESTAMP}
- {id: kind, type: FIELD_TYPE_CHOICE, indexed: true, choices: [{value: a}, {value: b}, {value: c}]}
- {id: area, type: FIELD_TYPE_TREE, choices: [{value: x}, {value: x/y}, {value: x/y/z}, {value: w}]}
- {id: secret, type: FIELD_TYPE_TEXT, indexed: true, staff_only: true, set_by: [ROLE_AGENT, ROLE_SUPERVISOR, ROLE_ADMIN]}
priorities: [{id: high}, {id: low}]
queues:
- {id: main}
- {id: fast, ordering: [ORDERING_KEY_PRIORITY, ORDERING_KEY_RECEIVE_TIME]}
routing:
- {when: ticket.fields.kind == 'a', queue: fast}
default_queue: main
";

/// The test's clock begins at 2026-03-02T01:00:00Z, and the load moves it on by some hours.
const FILTERS: [&str; 34] = [
    "",
    "status = open",
    "status != new",
    "state = ACTIVE",
    "NOT state = STATE_CLOSED",
    "queue = fast",
    "queue = main AND NOT assignee:*",
    "assignee = budi",
    "assignee = \"\"",
    "requester = ani@example.com",
    "requester != ani@example.com",
    "priority = high",
    "priority:*",
    "tags:red",
    "NOT tags:*",
    "cc:boss@example.com",
    "subject:urgent",
    "channel = web",
    "number = 7",
    "create_time < \"2026-03-02T02:00:00Z\"",
    "update_time >= \"2026-03-02T02:00:00Z\"",
    "first_reply_time:*",
    "close_time > \"2026-03-02T01:30:00Z\"",
    "fields.words:ma",
    "fields.words = \"\"",
    "fields.size > 9",
    "fields.vip = true OR fields.vip = \"\"",
    "fields.due <= 2026-03-10",
    "fields.seen < \"2026-03-05T00:00:00+07:00\"",
    "fields.kind = a OR fields.kind = b",
    "fields.area:\"x/y\"",
    "(status = open OR tags:red) AND -(fields.kind = a)",
    "NOT (tags:blue OR fields.size:*) AND state != CLOSED",
    "queue_time > \"2026-03-02T01:20:00Z\"",
];

/// Requesters cannot name the field.
const STAFF_FILTERS: [&str; 3] = ["fields.secret:s", "fields.secret:*", "NOT fields.secret = s1"];

const ROUNDS: usize = 5;
const COMMANDS: usize = 60;

/// How far the load is: commands done, and the last revision once there is nothing more to come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    done: usize,
    last: Option<i64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_watchers_of_every_filter_and_role_get_the_fold_of_the_log() {
    let desk = Desk::of(database().with().ring_capacity(4), DEFINITION).await;
    let actors = Arc::new(Actors::new(&desk).await);
    let callers = [
        desk.agent("budi").await,
        desk.requester("ani@example.com").await,
        desk.supervisor("rina").await,
        desk.service("intake").await,
        desk.admin().clone(),
    ];
    let [agent, ani, others @ ..] = &callers;
    let mut wanted: Vec<(&Caller, &str)> = Vec::new();
    wanted.extend(FILTERS.iter().chain(&STAFF_FILTERS).map(|filter| (agent, *filter)));
    wanted.extend(FILTERS.iter().map(|filter| (ani, *filter)));
    for (place, caller) in others.iter().enumerate() {
        wanted.extend(FILTERS.iter().chain(&STAFF_FILTERS).skip(place).step_by(6).map(|filter| (caller, *filter)));
    }

    // Those who see the same share what is made of a commit, wherever each of them stands.
    for filter in ["", "status = open", "fields.kind = a OR fields.kind = b"] {
        wanted.extend([(agent, filter); 5]);
        wanted.extend([(ani, filter); 3]);
    }

    let mut random = Random::new(7);
    let (told, progress) = watch::channel(Progress::default());
    let mut watchers = JoinSet::new();
    for round in 0..ROUNDS {
        // Some begin with an empty desk, the others later.
        for (number, (caller, filter)) in wanted.iter().enumerate().filter(|(number, _)| number % (ROUNDS - 1) == round)
        {
            let tail = Tail::open(narrow(caller, 2_048).await, snapshot(caller, filter)).await.unwrap();
            watchers.spawn(read_in_bursts(number, tail, Random::new(random.number()), progress.clone()));
        }
        act(&actors, &desk.clock, &mut random, &told).await;
        if round == ROUNDS / 2 {
            // A watch that the definition matters to is begun anew with the new one.
            rename(desk.admin()).await;
        }
    }
    told.send_modify(|progress| progress.last = Some(0));
    let last = desk.head().await;
    told.send_modify(|progress| progress.last = Some(last));

    let mut tickets = 0;
    while let Some(read) = watchers.join_next().await {
        let (number, tail) = read.unwrap();
        let (caller, filter) = wanted[number];
        let role = callers.iter().position(|other| other.secret == caller.secret).unwrap();
        let is_requester = role == 1;
        let expected = caller.list(filter).await.unwrap();
        tickets += expected.len();
        let (expected, told) = if is_requester {
            tail.seen.events.iter().for_each(check_for_requester);
            (by_name(expected.into_iter().map(public)), by_name(tail.seen.tickets.into_values().map(public)))
        } else {
            (by_name(expected), tail.seen.tickets)
        };
        pretty_equal(
            &told,
            &expected,
            &format!("`{filter}` for {}", ["agent", "requester", "supervisor", "service", "admin"][role]),
        );
    }
    assert!(tickets > wanted.len(), "the filters match nothing");
}

/// Reads a response or two, and then not before the load has moved on.
async fn read_in_bursts(
    number: usize,
    mut tail: Tail,
    mut random: Random,
    mut progress: watch::Receiver<Progress>,
) -> (usize, Tail) {
    loop {
        let Progress { done, last } = *progress.borrow();
        if let Some(last) = last.filter(|last| *last > 0) {
            tail.until(last).await;
            return (number, tail);
        }
        tail.follow().await;
        if random.chance(2) {
            // Sometimes just out of the ring, sometimes far behind it.
            let most = *random.one_of(&[4, 12, COMMANDS]);
            let enough = done + 1 + random.below(most);
            progress.wait_for(|progress| progress.done >= enough || progress.last.is_some()).await.unwrap();
        }
    }
}

/// What the staff alone know must not come with any event, nor make one.
fn check_for_requester(event: &TicketEvent) {
    let ticket = event.ticket.as_ref().unwrap();
    assert!(!ticket.fields.contains_key("secret"), "{event:?}");
    assert_eq!(ticket.note_count, 0);
    let Some(change) = &event.change else {
        assert_ne!(event.r#type(), Type::Updated, "{event:?} says nothing");
        return;
    };
    assert_eq!(ticket.requester, "ani@example.com");
    assert!(change.field_changes.iter().all(|change| change.field != "fields.secret"), "{event:?}");
    assert!(change.reply.as_ref().is_none_or(|reply| reply.kind() == loket::v1::ReplyKind::Public), "{event:?}");
    assert!(!change.field_changes.is_empty() || change.reply.is_some(), "{event:?} says nothing");
    assert_eq!(change.request_id, "");
}

/// A note moves these on, and a requester hears nothing of it.
fn public(ticket: Ticket) -> Ticket {
    Ticket { revision: 0, etag: String::new(), update_time: None, ..ticket }
}

fn by_name(tickets: impl IntoIterator<Item = Ticket>) -> BTreeMap<String, Ticket> {
    tickets.into_iter().map(|ticket| (ticket.name.clone(), ticket)).collect()
}

fn pretty_equal(told: &BTreeMap<String, Ticket>, expected: &BTreeMap<String, Ticket>, what: &str) {
    let names = |tickets: &BTreeMap<String, Ticket>| tickets.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(told), names(expected), "{what}: the tickets");
    for (name, ticket) in expected {
        assert_eq!(&told[name], ticket, "{what}");
    }
}

async fn rename(admin: &Caller) {
    let helpdesk = loket::v1::Helpdesk {
        name: admin.parent.clone(),
        display_name: "Watched anew".to_owned(),
        ..loket::v1::Helpdesk::default()
    };
    let request = UpdateHelpdeskRequest {
        helpdesk: Some(helpdesk),
        update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
        ..UpdateHelpdeskRequest::default()
    };
    admin.update_helpdesk(request).await.unwrap();
}

/// Who does something.
struct Actors {
    staff: Vec<Caller>,
    requesters: Vec<Caller>,
}

impl Actors {
    async fn new(desk: &Desk) -> Self {
        let mut requesters = Vec::new();
        for address in ["ani@example.com", "cici@example.com"] {
            requesters.push(desk.requester(address).await);
        }
        Self {
            staff: vec![desk.agent("budi").await, desk.agent("dewi").await, desk.supervisor("rina").await],
            requesters,
        }
    }
}

/// Random commands, a few at a time, so that a commit holds several. What is refused is as good as what is not.
async fn act(actors: &Arc<Actors>, clock: &Arc<TestClock>, random: &mut Random, told: &watch::Sender<Progress>) {
    for _ in 0..COMMANDS / 4 {
        clock.advance(Duration::from_secs(random.number() % 240));
        let mut running = JoinSet::new();
        for _ in 0..4 {
            let (actors, mut random) = (Arc::clone(actors), Random::new(random.number()));
            running.spawn(async move { command(&actors, &mut random).await });
        }
        while let Some(done) = running.join_next().await {
            done.unwrap();
            told.send_modify(|progress| progress.done += 1);
        }
    }
}

async fn command(actors: &Actors, random: &mut Random) {
    let staff = random.one_of(&actors.staff);
    let requester = random.one_of(&actors.requesters);
    let name = format!("helpdesks/desk/tickets/{}", 1 + random.below(40));
    let outcome = match random.below(14) {
        0..=2 => staff.create(drafted(random)).await.map(drop),
        3 => requester
            .create(Ticket {
                requester: String::new(),
                tags: Vec::new(),
                fields: fields(random, false),
                ..drafted(random)
            })
            .await
            .map(drop),
        4 => staff
            .update(Ticket { name, fields: fields(random, true), ..Ticket::default() }, &["fields"])
            .await
            .map(drop),
        5 => {
            let secret = (*random.one_of(&["", "s1", "s2"])).to_owned();
            let fields = [("secret".to_owned(), secret)].into_iter().filter(|(_, value)| !value.is_empty()).collect();
            staff.update(Ticket { name, fields, ..Ticket::default() }, &["fields.secret"]).await.map(drop)
        }
        6 => {
            let changed = Ticket { name, priority: "high".to_owned(), ..drafted(random) };
            staff.update(changed, &["tags", "cc", "priority", "subject"]).await.map(drop)
        }
        7 | 8 => staff.transition(&name, random.one_of::<&str>(&["start", "close", "reopen"])).await.map(drop),
        9 => staff.reply(&name, "Are you there?").await.map(drop),
        10 => requester.reply(&name, "I am.").await.map(drop),
        11 => staff.note(&name, "Odd.").await.map(drop),
        12 if random.chance(2) => staff.claim_next(random.one_of::<&str>(&["main", "fast"])).await.map(drop),
        12 => staff.claim(&name).await.map(drop),
        _ => staff.release(&name).await.map(drop),
    };
    if let Err(error) = outcome {
        let refused = [Code::NotFound, Code::FailedPrecondition, Code::PermissionDenied, Code::Aborted];
        assert!(refused.contains(&error.code()), "{error:?}");
    }
}

fn drafted(random: &mut Random) -> Ticket {
    let some = |random: &mut Random, all: &[&str]| -> Vec<String> {
        all.iter().filter(|_| random.chance(2)).map(|one| (*one).to_owned()).collect()
    };
    Ticket {
        requester: (*random.one_of(&["ani@example.com", "cici@example.com"])).to_owned(),
        channel: (*random.one_of(&["", "web", "phone"])).to_owned(),
        priority: (*random.one_of(&["", "high", "low"])).to_owned(),
        tags: some(random, &["red", "blue"]),
        cc: some(random, &["boss@example.com"]),
        fields: fields(random, true),
        ..draft(random.one_of::<&str>(&["Printer", "urgent: printer", "Not urgent"]))
    }
}

fn fields(random: &mut Random, with_secret: bool) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let all: [(&str, &[&str]); 8] = [
        ("words", &["makan malam", "Mata", "tidur"]),
        ("size", &["-3", "9", "10", "1000000000000"]),
        ("vip", &["true", "false"]),
        ("due", &["2026-03-09", "2026-03-10", "2026-12-31"]),
        ("seen", &["2026-03-04T16:59:59Z", "2026-03-05T00:00:00+07:00", "2026-03-06T10:00:00Z"]),
        ("kind", &["a", "b", "c"]),
        ("area", &["x", "x/y", "x/y/z", "w"]),
        ("secret", &["s1", "s2", "other"]),
    ];
    for (field, values) in all {
        let taken = random.chance(2) && (with_secret || field != "secret");
        if taken {
            fields.insert(field.to_owned(), (*random.one_of(values)).to_owned());
        }
    }
    fields
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_under_load_is_of_exactly_one_revision_and_changes_follow_from_the_next() {
    let desk = Desk::of(database().with().ring_capacity(4), DEFINITION).await;
    let actors = Arc::new(Actors::new(&desk).await);
    let agent = desk.agent("budi").await;
    let wide = async |filter: &str| Tail::open(narrow(&agent, 1 << 20).await, snapshot(&agent, filter)).await.unwrap();
    // The whole log, against which the others are held.
    let mut log = wide("").await;
    log.snapshot().await;
    let (told, _progress) = watch::channel(Progress::default());
    let mut random = Random::new(11);
    let mut begun: Vec<(&str, i64, BTreeMap<String, Ticket>, Tail)> = Vec::new();
    for filter in ["", "status = open", "tags:red", "fields.kind = b", "NOT assignee:*", "fields.size > 9"] {
        let watching = async {
            // Between two of the running commands.
            told.subscribe().changed().await.unwrap();
            let mut tail = wide(filter).await;
            let revision = tail.snapshot().await;
            (filter, revision, tail.seen.tickets.clone(), tail)
        };
        let ((), one) = tokio::join!(act(&actors, &desk.clock, &mut random, &told), watching);
        begun.push(one);
    }
    let last = desk.head().await;
    log.until(last).await;
    assert!(begun.iter().any(|(_, revision, ..)| *revision > 0 && *revision < last));
    for (filter, revision, tickets, mut tail) in begun {
        let mut then = BTreeMap::new();
        for event in log.seen.events.iter().filter(|event| event.revision <= revision) {
            let ticket = event.ticket.clone().unwrap();
            then.insert(ticket.name.clone(), ticket);
        }
        let as_listed = by_name(agent.list(filter).await.unwrap());
        if filter.is_empty() {
            pretty_equal(&tickets, &then, "the snapshot");
        }
        for (name, ticket) in &tickets {
            assert_eq!(Some(ticket), then.get(name), "the snapshot of `{filter}` at {revision}");
        }
        tail.until(last).await;
        let first = tail.seen.events.first().map(|event| event.revision);
        assert!(first.is_none_or(|first| first > revision), "changes follow the snapshot");
        pretty_equal(&tail.seen.tickets, &as_listed, &format!("`{filter}` after its snapshot"));
        // Nothing that matched then is missing: what is listed now and was not told since must have been in the snapshot.
        let changed: Vec<_> = tail.seen.events.iter().map(|event| &event.ticket.as_ref().unwrap().name).collect();
        assert!(as_listed.keys().all(|name| changed.contains(&name) || tickets.contains_key(name)));
    }
}

#[tokio::test]
async fn every_role_watches_with_what_it_may_see() {
    let desk = Desk::of(database(), DEFINITION).await;
    let budi = desk.agent("budi").await;
    let ani = desk.requester("ani@example.com").await;
    let secret = [("secret".to_owned(), "s1".to_owned())];
    let mine = Ticket { requester: "ani@example.com".to_owned(), fields: secret.clone().into(), ..draft("Mine") };
    let mine = budi.create(mine).await.unwrap();
    budi.create(draft("Another's")).await.unwrap();
    let mut tail = Tail::open(narrow(&ani, 65_535).await, snapshot(&ani, "")).await.unwrap();
    tail.snapshot().await;
    assert_eq!(tail.seen.tickets.keys().collect::<Vec<_>>(), [&mine.name]);
    assert!(!tail.seen.tickets[&mine.name].fields.contains_key("secret"));

    budi.note(&mine.name, "Do not tell her.").await.unwrap();
    let changed = Ticket {
        name: mine.name.clone(),
        fields: [("secret".to_owned(), "s2".to_owned())].into(),
        ..Ticket::default()
    };
    budi.update(changed, &["fields.secret"]).await.unwrap();
    budi.create(draft("Another's, too")).await.unwrap();
    budi.reply(&mine.name, "Hello.").await.unwrap();
    tail.until(desk.head().await).await;
    let [event] = tail.seen.events.as_slice() else { panic!("{:?}", tail.seen.events) };
    check_for_requester(event);
    assert_eq!(event.change.as_ref().unwrap().reply.as_ref().unwrap().body, "Hello.");

    let named = Tail::open(narrow(&ani, 65_535).await, snapshot(&ani, "fields.secret:*")).await.err().unwrap();
    assert_eq!(named.reason(), Some(loket::v1::ErrorReason::InvalidFilter));
    desk.admin().open("elsewhere", DEFINITION).await;
    let elsewhere = desk.server.caller(Role::Agent, "budi", &["elsewhere"]).await;
    let refused = Tail::open(narrow(&elsewhere, 65_535).await, snapshot(&budi, "")).await.err().unwrap();
    assert_eq!(refused.code(), Code::NotFound);
}
