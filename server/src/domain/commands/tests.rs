//! Whatever the definition, whatever is asked for, and by whomever: what must always be so.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

use super::*;
use crate::domain::change::{FieldChange, undo};
use crate::domain::context::{DefinitionVersion, Texts, TicketChange};
use crate::domain::definition::WaitsOn;
use crate::domain::definition::tests::generated::definitions;
use crate::domain::links::SPLITS_MAX;
use crate::domain::{Actor, Change, Link, LinkKind, Micros, Reply, ReplyKind, Role, State, usage};

const START: Micros = 1_764_000_000_000_000;

const QUEUES: [&str; 3] = ["q0", "q1", "q2"];

/// Lists of commands: those that are drawn, and must be accepted every now and then, and those that are not of tickets. A new
/// command does not compile until it is in one of them.
macro_rules! commands {
    (drawn: $($drawn:ident)*; not_of_tickets: $($other:ident)*) => {
        const DRAWN: &[&str] = &[$(stringify!($drawn)),*];

        fn is_drawn(command: &Command) -> bool {
            match command {
                $(Command::$drawn(_) => true,)*
                $(Command::$other(_) => false,)*
            }
        }
    };
}

commands! {
    drawn: CreateTicket UpdateTicket TransitionTicket CreateReply ClaimTicket ReleaseTicket MarkTicketRead ClaimNextTicket
        LinkTickets UnlinkTickets MergeTickets SplitReply AssignTicket TransferTicket EscalateTicket SubmitFeedback
        ImportTicket;
    not_of_tickets: CreateAgent UpdateAgent ApplyDefinition CreateHelpdesk CreateAccessKey RevokeAccessKey CreateUpload
        UploadAttachment RegisterRequester VerifyRequester
}

/// What happens; an index chooses a ticket or a transition of those that there are.
#[derive(Debug, Clone)]
enum Step {
    Create(BTreeMap<String, String>, &'static str, &'static str, u8),
    Update(Index, BTreeMap<String, String>, Option<&'static str>),
    Cc(Index, Vec<String>),
    Transition(Index, Index, &'static str),
    Reply(Index, ReplyKind, &'static str, &'static str, Option<Index>, BTreeMap<String, String>, bool),
    Assign(Index, &'static str),
    Transfer(Index, &'static str),
    Escalate(Index, &'static str, &'static str),
    Case(Index, Case),
    Feedback(Index, i32, Option<Micros>),
    Import(BTreeMap<String, String>, Vec<(usize, Past)>),
    Claim(Index),
    ClaimNext(&'static str),
    Release(Index),
    Read(Index),
}

/// What has happened to a ticket that is imported.
#[derive(Debug, Clone)]
enum Past {
    Status(Index, &'static str),
    Transfer(&'static str),
    Assign(&'static str),
    Update(BTreeMap<String, String>),
    Reply(ReplyKind, &'static str),
}

/// What happens between a ticket and others.
#[derive(Debug, Clone)]
enum Case {
    Link(Index, LinkKind),
    Unlink(Index, Option<LinkKind>),
    Merge(Vec<Index>),
    Split(Vec<Index>, BTreeMap<String, String>),
}

fn cases() -> impl Strategy<Value = Case> {
    let ticket = any::<Index>;
    let some = || prop::collection::vec(any::<Index>(), 1..4);
    let kind = || select(LinkKind::ALL.to_vec());
    prop_oneof![
        3 => (ticket(), kind()).prop_map(|(other, kind)| Case::Link(other, kind)),
        1 => (ticket(), prop::option::of(kind())).prop_map(|(other, kind)| Case::Unlink(other, kind)),
        3 => some().prop_map(Case::Merge),
        3 => (some(), fields()).prop_map(|(replies, fields)| Case::Split(replies, fields)),
    ]
}

fn past() -> impl Strategy<Value = Past> {
    prop_oneof![
        3 => (any::<Index>(), select(vec!["", "Water"])).prop_map(|(to, solution)| Past::Status(to, solution)),
        1 => select(QUEUES.to_vec()).prop_map(Past::Transfer),
        2 => select(vec!["agent", "supervisor", "service", ""]).prop_map(Past::Assign),
        1 => fields().prop_map(Past::Update),
        3 => (select(vec![ReplyKind::Public, ReplyKind::Note]), select(vec!["Hello", "Hello again"]))
            .prop_map(|(kind, body)| Past::Reply(kind, body)),
    ]
}

fn fields() -> impl Strategy<Value = BTreeMap<String, String>> {
    let value = select(vec![
        ("kind", "a"),
        ("kind", "b"),
        ("words", "x"),
        ("words", "y"),
        ("words", ""),
        ("sure", "false"),
        ("sure", "x"),
        ("see", "1"),
        ("see", "helpdesks/desk/tickets/2"),
        ("see", "nowhere"),
        ("see", ""),
    ]);
    let pairs = prop::collection::vec(value, 0..3);
    pairs.prop_map(|pairs| pairs.into_iter().map(|(id, value)| (id.to_owned(), value.to_owned())).collect())
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let ticket = any::<Index>;
    let requester = select(vec!["ani@example.com", "ani@example.com", "ani@example.com", "bela@example.com"]);
    let priority = || select(vec!["", "high", "low"]);
    let solution = || select(vec!["", "", "Water"]);
    let body = select(vec!["", "", "Hello", "https://example.com", "See https://example.com for all the rest of it"]);
    let kind = select(vec![ReplyKind::Public, ReplyKind::Public, ReplyKind::Note]);
    let cc = select(vec![Vec::new(), vec!["boss@example.com".to_owned()], vec!["friend@example.com".to_owned()]]);
    let step = prop_oneof![
        4 => (fields(), priority(), requester, 0..20_u8)
            .prop_map(|(fields, priority, of, text)| Step::Create(fields, priority, of, text)),
        2 => (ticket(), fields(), prop::option::of(priority())).prop_map(|(it, fields, to)| Step::Update(it, fields, to)),
        1 => (ticket(), cc).prop_map(|(it, cc)| Step::Cc(it, cc)),
        5 => (ticket(), ticket(), solution()).prop_map(|(it, which, solution)| Step::Transition(it, which, solution)),
        7 => (ticket(), kind, body, solution(), prop::option::weighted(0.2, ticket()), fields(), prop::bool::weighted(0.1))
            .prop_map(|(it, kind, body, solution, which, fields, canned)| {
                Step::Reply(it, kind, body, solution, which, fields, canned)
            }),
        2 => (ticket(), select(vec!["agent", "supervisor", "service", ""])).prop_map(|(it, whom)| Step::Assign(it, whom)),
        2 => (ticket(), select(QUEUES.to_vec())).prop_map(|(it, queue)| Step::Transfer(it, queue)),
        2 => (ticket(), select(vec!["onwards", "below"]), select(QUEUES.to_vec()))
            .prop_map(|(it, way, queue)| Step::Escalate(it, way, queue)),
        9 => (ticket(), cases()).prop_map(|(it, case)| Step::Case(it, case)),
        3 => (ticket(), 1..6, prop::option::of(Just(START)))
            .prop_map(|(it, rating, link_made)| Step::Feedback(it, rating, link_made)),
        3 => (fields(), prop::collection::vec((0..Role::ALL.len(), past()), 0..4))
            .prop_map(|(fields, events)| Step::Import(fields, events)),
        2 => ticket().prop_map(Step::Claim),
        2 => select(QUEUES.to_vec()).prop_map(Step::ClaimNext),
        2 => ticket().prop_map(Step::Release),
        1 => ticket().prop_map(Step::Read),
    ];
    prop::collection::vec((0..Role::ALL.len(), step), 50)
}

fn command(step: Step, set: &WorkingSet, rules: &Definition) -> Command {
    let ticket = |index: Index| i64::try_from(index.index(set.tickets.len().max(1))).unwrap() + 1;
    // Mostly one that leads on.
    let transition = |it: Index, which: Index| {
        let status = set.tickets.get(&ticket(it)).map_or("", |ticket| &ticket.status);
        let leading: Vec<_> = rules.transitions_from(status).map(|transition| &transition.id).collect();
        let all = || rules.transitions().iter().map(|transition| &transition.id);
        let choices: Vec<_> = leading.into_iter().chain(all().take(1)).collect();
        choices[which.index(choices.len())].clone()
    };
    match step {
        Step::Create(fields, priority, requester, text) => Command::CreateTicket(CreateTicket {
            requester: requester.to_owned(),
            subject: format!("Printer {text}"),
            body: "It burns.".to_owned(),
            priority: priority.to_owned(),
            fields,
            ..CreateTicket::default()
        }),
        Step::Update(it, fields, priority) => Command::UpdateTicket(UpdateTicket {
            ticket: ticket(it),
            priority: priority.map(str::to_owned),
            fields,
            ..UpdateTicket::default()
        }),
        Step::Cc(it, cc) => {
            Command::UpdateTicket(UpdateTicket { ticket: ticket(it), cc: Some(cc), ..UpdateTicket::default() })
        }
        Step::Transition(it, which, solution) => Command::TransitionTicket(TransitionTicket {
            ticket: ticket(it),
            transition: transition(it, which),
            solution: solution.to_owned(),
            ..TransitionTicket::default()
        }),
        Step::Reply(it, kind, body, solution, which, fields, canned) => Command::CreateReply(CreateReply {
            ticket: ticket(it),
            kind,
            body: body.to_owned(),
            solution: solution.to_owned(),
            transition: which.map(|which| transition(it, which)).unwrap_or_default(),
            etag: String::new(),
            uploads: Vec::new(),
            fields: if body.is_empty() { BTreeMap::new() } else { fields },
            canned_response: if canned { "greeting".to_owned() } else { String::new() },
            survey_token: None,
        }),
        Step::Assign(it, whom) => Command::AssignTicket(AssignTicket {
            ticket: ticket(it),
            assignee: whom.to_owned(),
            reason: String::new(),
            etag: String::new(),
        }),
        Step::Transfer(it, queue) => Command::TransferTicket(TransferTicket {
            ticket: ticket(it),
            queue: queue.to_owned(),
            reason: "It is theirs.".to_owned(),
            etag: String::new(),
        }),
        Step::Escalate(it, way, queue) => Command::EscalateTicket(EscalateTicket {
            ticket: ticket(it),
            escalation: way.to_owned(),
            reason: "It is beyond us.".to_owned(),
            queue: queue.to_owned(),
            ..EscalateTicket::default()
        }),
        Step::Case(it, case) => command_of(case, ticket(it), set),
        Step::Feedback(it, rating, link_made) => {
            // Mostly of one that is closed.
            let closed = set.tickets.values().filter(|ticket| ticket.state == State::Closed).map(|ticket| ticket.id);
            let closed: Vec<i64> = closed.collect::<BTreeSet<_>>().into_iter().collect();
            let ticket = if closed.is_empty() { ticket(it) } else { closed[it.index(closed.len())] };
            Command::SubmitFeedback(SubmitFeedback { ticket, rating, comment: String::new(), link_made })
        }
        Step::Import(fields, events) => import_of(fields, events, rules),
        Step::Claim(it) => Command::ClaimTicket(ClaimTicket { ticket: ticket(it), etag: String::new() }),
        Step::ClaimNext(queue) => Command::ClaimNextTicket(ClaimNextTicket { queue: queue.to_owned(), waited: 0 }),
        Step::Release(it) => {
            Command::ReleaseTicket(ReleaseTicket { ticket: ticket(it), reason: String::new(), etag: String::new() })
        }
        Step::Read(it) => Command::MarkTicketRead(MarkTicketRead { ticket: ticket(it), etag: String::new() }),
    }
}

/// Everything happened at the start, and was filed by the requester.
fn import_of(fields: BTreeMap<String, String>, events: Vec<(usize, Past)>, rules: &Definition) -> Command {
    let happened = |role: Role| Happened { time: START, actor: actor(role).subject, role };
    let step = |past| match past {
        Past::Status(to, solution) => {
            let status = rules.statuses()[to.index(rules.statuses().len())].id.clone();
            HistoryStep::Status(StatusStep { status, solution: solution.to_owned(), ..StatusStep::default() })
        }
        Past::Transfer(queue) => HistoryStep::Transfer(TransferTicket {
            ticket: 0,
            queue: queue.to_owned(),
            reason: String::new(),
            etag: String::new(),
        }),
        Past::Assign(whom) => HistoryStep::Assignment(AssignTicket {
            ticket: 0,
            assignee: whom.to_owned(),
            reason: String::new(),
            etag: String::new(),
        }),
        Past::Update(fields) => HistoryStep::Update(UpdateTicket { fields, ..UpdateTicket::default() }),
        Past::Reply(kind, body) => HistoryStep::Reply(CreateReply {
            ticket: 0,
            kind,
            body: body.to_owned(),
            solution: String::new(),
            transition: String::new(),
            etag: String::new(),
            uploads: Vec::new(),
            fields: BTreeMap::new(),
            canned_response: String::new(),
            survey_token: None,
        }),
    };
    let events = events.into_iter().map(|(role, past)| {
        let happened = happened(Role::ALL[role]);
        Ok(Event { happened, step: step(past) })
    });
    Command::ImportTicket(ImportTicket {
        new: CreateTicket {
            requester: actor(Role::Requester).subject,
            subject: "It burned".to_owned(),
            body: "Last year.".to_owned(),
            fields,
            ..CreateTicket::default()
        },
        filed: happened(Role::Requester),
        events: events.collect(),
    })
}

fn command_of(case: Case, it: i64, set: &WorkingSet) -> Command {
    let ticket = |index: Index| i64::try_from(index.index(set.tickets.len().max(1))).unwrap() + 1;
    match case {
        Case::Link(other, kind) => Command::LinkTickets(LinkTickets {
            ticket: it,
            other: ticket(other),
            kind,
            reason: String::new(),
            etag: String::new(),
        }),
        Case::Unlink(other, kind) => {
            // Mostly one that is there.
            let links = set.tickets.get(&it).map_or(&[][..], |ticket| &ticket.more.links);
            let other = if links.is_empty() { ticket(other) } else { links[other.index(links.len())].ticket };
            Command::UnlinkTickets(UnlinkTickets {
                ticket: it,
                other,
                kind,
                reason: String::new(),
                etag: String::new(),
            })
        }
        Case::Merge(others) => {
            let all: BTreeSet<i64> = others.into_iter().map(ticket).chain([it]).collect();
            // Mostly into the first.
            let mut all = all.into_iter();
            Command::MergeTickets(MergeTickets {
                ticket: all.next().unwrap(),
                duplicates: all.collect(),
                reason: String::new(),
                etag: String::new(),
            })
        }
        Case::Split(which, fields) => {
            // Mostly of a ticket that has some to split off.
            let is_open = |reply: &&Reply| {
                let splits = &set.tickets[&reply.ticket].more.splits;
                reply.author_role == Role::Requester && splits.iter().all(|split| split.reply != reply.id)
            };
            let mut open: Vec<_> =
                set.replies.values().flatten().filter(is_open).map(|reply| (reply.ticket, reply.id)).collect();
            open.sort_unstable();
            let it = if open.is_empty() { it } else { open[which[0].index(open.len())].0 };
            let mut all: Vec<i64> =
                open.into_iter().filter(|(ticket, _)| *ticket == it).map(|(_, reply)| reply).collect();
            if all.is_empty() {
                all.push(1);
            }
            let replies: BTreeSet<i64> = which.into_iter().map(|which| all[which.index(all.len())]).collect();
            let new = CreateTicket { subject: "Another matter".to_owned(), fields, ..CreateTicket::default() };
            let replies = replies.into_iter().collect();
            Command::SplitReply(SplitReply { ticket: it, replies, new, etag: String::new() })
        }
    }
}

/// One person for each role; the requester is whose most tickets are.
fn actor(role: Role) -> Actor {
    let subject = if role == Role::Requester { "ani@example.com" } else { role.word() };
    Actor { subject: subject.to_owned(), role, on_behalf_of: String::new() }
}

/// A ticket by itself.
fn check_ticket(rules: &Definition, ticket: &Ticket) {
    let status = rules.status(&ticket.status).unwrap();
    assert_eq!(ticket.state, status.state);
    assert_eq!(ticket.close_time.is_some(), ticket.state == State::Closed);
    assert!(rules.queue(&ticket.queue).is_some(), "one queue: {}", ticket.queue);
    assert!(ticket.priority.is_empty() || rules.priority(&ticket.priority).is_some());
    let staff = Role::ALL.into_iter().filter(|role| role.is_staff());
    assert!(ticket.assignee.is_empty() || staff.into_iter().any(|role| role.word() == ticket.assignee));
    let its_turn = status.waits_on == WaitsOn::Staff && ticket.assignee.is_empty();
    assert_eq!(ticket.waits(), its_turn);
    assert_eq!(ticket.queue_key, rules.queue_key(ticket));
    assert!(ticket.cc.is_sorted() && rules.mandatory_cc().iter().all(|address| ticket.cc.contains(address)));
    for (id, value) in &ticket.fields {
        assert!(!value.is_empty());
        assert_eq!(rules.field(id).unwrap().admits(value).as_ref(), Ok(value));
    }
}

/// What binds tickets to each other is seen from both, and leads nowhere in a circle.
fn check_links(set: &WorkingSet) {
    for ticket in set.tickets.values() {
        let links = &ticket.more.links;
        assert!(links.is_sorted() && links.windows(2).all(|two| two[0] != two[1]));
        for link in links {
            let other = &set.tickets[&link.ticket];
            let same_requester = ticket.requester == other.requester;
            let back = Link { kind: link.kind.inverse(), ticket: ticket.id, same_requester };
            assert!(other.more.links.contains(&back), "{link:?} of {} is not on the other", ticket.id);
            assert_eq!(link.same_requester, same_requester);
            assert_ne!(link.ticket, ticket.id);
        }
        for upwards in [LinkKind::Parent, LinkKind::Original] {
            assert!(links.iter().filter(|link| link.kind == upwards).count() <= 1);
            let mut above = vec![ticket.id];
            while let Some(next) = set.tickets[above.last().unwrap()].linked(upwards) {
                assert!(!above.contains(&next), "a circle: {above:?}");
                above.push(next);
            }
        }
        if let Some(first) = ticket.more.merged_into {
            assert_eq!((ticket.state, ticket.linked(LinkKind::Original)), (State::Closed, Some(first)));
            let first = &set.tickets[&first];
            assert!((first.receive_time, first.id) < (ticket.receive_time, ticket.id), "not the first of them");
        }
        let splits = &ticket.more.splits;
        assert!(splits.len() <= SPLITS_MAX && splits.windows(2).all(|two| two[0].reply < two[1].reply));
        for split in splits {
            let from = set.tickets[&split.ticket].more.split_from.as_ref().unwrap();
            assert!(from.ticket == ticket.id && from.replies.contains(&split.reply));
        }
    }
}

/// The kept counts, as the store has them: by kind and id.
type Counts = BTreeMap<(String, String), i64>;

/// Adds what a change does to the counts.
fn count(counts: &mut Counts, rules: &Definition, before: Option<&Ticket>, after: &Ticket) {
    let mut deltas = usage::Deltas::new();
    usage::count(&mut deltas, rules, before, after);
    for ((kind, id, value), tickets) in deltas {
        *counts.entry(usage::key(kind, id, value)).or_default() += tickets;
    }
}

/// What is counted along the way is what there is.
fn check_counts(rules: &Definition, set: &WorkingSet, kept: &Counts) {
    let mut counted = Counts::new();
    for ticket in set.tickets.values() {
        count(&mut counted, rules, None, ticket);
    }
    let kept: Counts = kept.iter().filter(|(_, tickets)| **tickets != 0).map(|(key, it)| (key.clone(), *it)).collect();
    assert_eq!(kept, counted);
    for queue in QUEUES {
        let waiting = set.tickets.values().filter(|ticket| ticket.waits() && ticket.queue == queue).count();
        let key = usage::key(usage::WAITING, queue, "");
        assert_eq!(kept.get(&key).copied().unwrap_or_default(), i64::try_from(waiting).unwrap());
    }
}

/// What a ticket is but for what changes do not tell.
fn told(ticket: &Ticket, of: &Ticket) -> Ticket {
    let mut told = ticket.clone();
    told.queue_key.clone_from(&of.queue_key);
    (told.revision, told.replies) = (of.revision, of.replies);
    told.more.last_reply = of.more.last_reply;
    told.more.last_move.clone_from(&of.more.last_move);
    told.more.last_canned_response.clone_from(&of.more.last_canned_response);
    told
}

/// The history of a ticket leads from what it was to what it is, and back.
fn check_history(before: &Arc<Ticket>, change: &TicketChange, actor: &Actor, now: Micros) {
    let after = &change.after;
    let never = |ticket: &Ticket| {
        (ticket.id, ticket.uid.clone(), ticket.requester.clone(), ticket.receive_time, ticket.create_time)
    };
    assert_eq!(never(before), never(after));
    assert!(before.number.is_empty() || before.number == after.number, "a number is for ever");
    assert!(before.more.read_time.is_none() || before.more.read_time == after.more.read_time);
    assert!(after.update_time >= before.update_time);
    let logged = Change {
        revision: after.revision,
        ordinal: 0,
        command: "Test".into(),
        actor: actor.clone(),
        importer: String::new(),
        commit_time: now,
        event_time: now,
        definition_version: 1,
        request_id: String::new(),
        reply: change.reply.clone(),
        attachments: Vec::new(),
        reason: change.reason.clone(),
        transition: change.transition.clone(),
        notifications: change.notifications.clone(),
        resource: String::new(),
        agent: None,
        waited: 0,
        before: Some(Arc::clone(before)),
        after: Some(Arc::clone(after)),
    };
    let changes = logged.field_changes();
    let back = undo(after, &changes, before.update_time).unwrap();
    assert_eq!(told(&back, before), **before);
    let forward = |change: FieldChange| FieldChange { field: change.field, old: change.new, new: change.old };
    let changes: Vec<_> = changes.into_iter().map(forward).collect();
    let on = undo(before, &changes, after.update_time).unwrap();
    assert_eq!(told(&on, after), **after);
}

/// Everything that waits is in the line of its queue, and nothing else is.
fn check_lines(set: &WorkingSet) {
    let mut lines: BTreeMap<&str, BTreeSet<(String, i64)>> = BTreeMap::new();
    for ticket in set.tickets.values().filter(|ticket| ticket.waits()) {
        lines.entry(&ticket.queue).or_default().insert((ticket.queue_key.clone(), ticket.id));
    }
    for (queue, line) in &set.waiting {
        assert_eq!(*line, lines.remove(queue.as_str()).unwrap_or_default());
    }
    assert!(lines.is_empty());
}

/// All that a definition lets happen in so many steps; counts the commands that were accepted.
fn check_all(definition: Definition, steps: Vec<(usize, Step)>, accepted: &mut BTreeMap<&'static str, usize>) {
    let definition = Arc::new(definition);
    let version = Arc::new(DefinitionVersion {
        version: 1,
        definition: Arc::clone(&definition),
        revision: 0,
        create_time: START,
        update_time: START,
    });
    let mut set = WorkingSet {
        waiting: QUEUES.map(|queue| (queue.to_owned(), BTreeSet::new())).into(),
        numbers: ["1", "nowhere"].map(|number| (number.to_owned(), None)).into(),
        texts: definition.refuses_duplicates().then(Texts::default),
        needs_bodies: true,
        ..WorkingSet::default()
    };
    let mut counts = Counts::new();
    for (now, (role, step)) in (START..).zip(steps) {
        let actor = actor(Role::ALL[role]);
        let context = Context {
            helpdesk: "desk",
            now,
            actor: &actor,
            definition: Some(&version),
            random: u128::try_from(now).unwrap(),
        };
        let command = command(step, &set, &definition);
        assert!(is_drawn(&command), "{command:?} is not of tickets");
        // It has borrowed the set: one that is refused has nothing to change.
        let Ok(decision) = decide(&set, &command, &context) else { continue };
        if decision.changes_something() {
            *accepted.entry(command.name()).or_default() += 1;
        }
        let changed: BTreeSet<i64> = decision.tickets.iter().map(|change| change.after.id).collect();
        let most = if matches!(command, Command::ImportTicket(_)) { 1 } else { decision.tickets.len() };
        assert_eq!(
            changed.len(),
            most.min(decision.tickets.len()),
            "each ticket changes once in a revision, but history"
        );
        let mut earlier: BTreeMap<i64, &Arc<Ticket>> = BTreeMap::new();
        for change in &decision.tickets {
            assert_eq!(change.after.revision, set.last_revision + 1, "dense");
            check_ticket(&definition, &change.after);
            assert!(change.notifications.iter().all(|told| !told.address.is_empty()));
            assert!(change.transition.is_empty() || definition.transition(&change.transition).is_some());
            match &change.before {
                Some(before) => {
                    let id = change.after.id;
                    assert_eq!(before, earlier.get(&id).copied().unwrap_or_else(|| &set.tickets[&id]));
                    check_history(before, change, &actor, now);
                }
                None => assert_eq!(change.after.id, set.last_ticket + 1),
            }
            let replies = i64::from(change.after.replies.all());
            assert_eq!(change.reply.as_ref().map_or(replies, |reply| reply.id), replies);
            count(&mut counts, &definition, change.before.as_deref(), &change.after);
            earlier.insert(change.after.id, &change.after);
        }
        let before = set.last_revision;
        set.apply(Some(&definition), &decision);
        // Looked for when a split names them; here all are at hand.
        let replies = decision.tickets.iter().filter_map(|change| change.reply.clone());
        set.replies.extend(replies.map(|reply| ((reply.ticket, reply.id), Some(reply))));
        assert_eq!(set.last_revision - before, i64::from(decision.changes_something()));
        check_lines(&set);
        check_links(&set);
        check_counts(&definition, &set, &counts);
    }
    let numbers: Vec<_> =
        set.tickets.values().map(|ticket| &ticket.number).filter(|number| !number.is_empty()).collect();
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "each number once");
}

/// Fewer of one kind than these, and nothing was tested of it. Of the rarest there are some 25 in a run.
const ACCEPTED_LEAST: usize = 5;

/// 200 definitions that are right, and 10,000 commands.
#[test]
fn whatever_is_asked_for_what_must_be_so_is_so() {
    let config =
        ProptestConfig { cases: 200, failure_persistence: None, max_shrink_iters: 256, ..ProptestConfig::default() };
    let accepted = RefCell::new(BTreeMap::new());
    let tested = TestRunner::new(config).run(&(definitions(), steps()), |(definition, steps)| {
        check_all(definition, steps, &mut accepted.borrow_mut());
        Ok(())
    });
    let accepted = accepted.into_inner();
    println!("accepted: {accepted:?}");
    if let Err(error) = tested {
        panic!("{error}");
    }
    for kind in DRAWN {
        // A method that takes several has the plural for its name.
        let times = accepted.get(kind).or_else(|| accepted.get(&*format!("{kind}s"))).copied().unwrap_or_default();
        assert!(times >= ACCEPTED_LEAST, "{kind} was accepted {times} times; of all: {accepted:?}");
    }
}
