//! Whatever the definition, whatever is asked for, and by whomever: what must always be so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::domain::change::{FieldChange, undo};
use crate::domain::context::{DefinitionVersion, TicketChange};
use crate::domain::definition::WaitsOn;
use crate::domain::definition::tests::generated::definitions;
use crate::domain::{Actor, Change, Micros, ReplyKind, Role, State};

const START: Micros = 1_764_000_000_000_000;

/// What happens; an index chooses a ticket or a transition of those that there are.
#[derive(Debug, Clone)]
enum Step {
    Create(BTreeMap<String, String>, &'static str),
    Update(Index, BTreeMap<String, String>, Option<&'static str>),
    Cc(Index, Vec<String>),
    Transition(Index, Index, &'static str),
    Reply(Index, ReplyKind, &'static str, &'static str, Option<Index>),
    Claim(Index),
    ClaimNext(&'static str),
    Release(Index),
    Read(Index),
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let value =
        select(vec![("kind", "a"), ("kind", "b"), ("words", "x"), ("words", ""), ("sure", "false"), ("sure", "x")]);
    let fields = || {
        let pairs = prop::collection::vec(value.clone(), 0..3);
        pairs.prop_map(|pairs| pairs.into_iter().map(|(id, value)| (id.to_owned(), value.to_owned())).collect())
    };
    let ticket = any::<Index>;
    let priority = || select(vec!["", "high", "low"]);
    let solution = || select(vec!["", "", "Water"]);
    let body = select(vec!["", "", "Hello", "https://example.com", "See https://example.com for all the rest of it"]);
    let kind = select(vec![ReplyKind::Public, ReplyKind::Public, ReplyKind::Note]);
    let cc = select(vec![Vec::new(), vec!["boss@example.com".to_owned()], vec!["friend@example.com".to_owned()]]);
    let step = prop_oneof![
        3 => (fields(), priority()).prop_map(|(fields, priority)| Step::Create(fields, priority)),
        2 => (ticket(), fields(), prop::option::of(priority())).prop_map(|(it, fields, to)| Step::Update(it, fields, to)),
        1 => (ticket(), cc).prop_map(|(it, cc)| Step::Cc(it, cc)),
        5 => (ticket(), ticket(), solution()).prop_map(|(it, which, solution)| Step::Transition(it, which, solution)),
        5 => (ticket(), kind, body, solution(), prop::option::weighted(0.2, ticket()))
            .prop_map(|(it, kind, body, solution, which)| Step::Reply(it, kind, body, solution, which)),
        2 => ticket().prop_map(Step::Claim),
        2 => select(vec!["q0", "q1", "q2"]).prop_map(Step::ClaimNext),
        1 => ticket().prop_map(Step::Release),
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
        Step::Create(fields, priority) => Command::CreateTicket(CreateTicket {
            requester: "ani@example.com".to_owned(),
            subject: "Printer".to_owned(),
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
        Step::Reply(it, kind, body, solution, which) => Command::CreateReply(CreateReply {
            ticket: ticket(it),
            kind,
            body: body.to_owned(),
            solution: solution.to_owned(),
            transition: which.map(|which| transition(it, which)).unwrap_or_default(),
            etag: String::new(),
            uploads: Vec::new(),
            fields: BTreeMap::new(),
            canned_response: String::new(),
            survey_token: None,
        }),
        Step::Claim(it) => Command::ClaimTicket(ClaimTicket { ticket: ticket(it), etag: String::new() }),
        Step::ClaimNext(queue) => Command::ClaimNextTicket(ClaimNextTicket { queue: queue.to_owned(), waited: 0 }),
        Step::Release(it) => {
            Command::ReleaseTicket(ReleaseTicket { ticket: ticket(it), reason: String::new(), etag: String::new() })
        }
        Step::Read(it) => Command::MarkTicketRead(MarkTicketRead { ticket: ticket(it), etag: String::new() }),
    }
}

/// One person for each role; the requester is whose tickets they are.
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

/// What a ticket is but for what changes do not tell.
fn told(ticket: &Ticket, of: &Ticket) -> Ticket {
    let mut told = ticket.clone();
    told.queue_key.clone_from(&of.queue_key);
    (told.revision, told.replies) = (of.revision, of.replies);
    told.more.last_reply = of.more.last_reply;
    told.more.last_move.clone_from(&of.more.last_move);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, max_shrink_iters: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_for_what_must_be_so_is_so(definition in definitions(), steps in steps()) {
        let definition = Arc::new(definition);
        let version = Arc::new(DefinitionVersion {
            version: 1,
            definition: Arc::clone(&definition),
            revision: 0,
            create_time: START,
            update_time: START,
        });
        let waiting = ["q0", "q1", "q2"].map(|queue| (queue.to_owned(), BTreeSet::new())).into();
        let mut set = WorkingSet { waiting, ..WorkingSet::default() };
        for (now, (role, step)) in (START..).zip(steps) {
            let actor = actor(Role::ALL[role]);
            let context =
                Context { helpdesk: "desk", now, actor: &actor, definition: Some(&version), random: u128::try_from(now).unwrap() };
            let command = command(step, &set, &definition);
            let Ok(decision) = decide(&set, &command, &context) else { continue };
            for change in &decision.tickets {
                assert_eq!(change.after.revision, set.last_revision + 1, "dense");
                check_ticket(&definition, &change.after);
                assert!(change.notifications.iter().all(|told| !told.address.is_empty()));
                assert!(change.transition.is_empty() || definition.transition(&change.transition).is_some());
                match &change.before {
                    Some(before) => {
                        assert_eq!(before, &set.tickets[&change.after.id]);
                        check_history(before, change, &actor, now);
                    }
                    None => assert_eq!(change.after.id, set.last_ticket + 1),
                }
                let replies = i64::from(change.after.replies.all());
                assert_eq!(change.reply.as_ref().map_or(replies, |reply| reply.id), replies);
            }
            let before = set.last_revision;
            set.apply(Some(&definition), &decision);
            assert_eq!(set.last_revision - before, i64::from(decision.changes_something()));
            check_lines(&set);
        }
        let numbers: Vec<_> = set.tickets.values().map(|ticket| &ticket.number).filter(|number| !number.is_empty()).collect();
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "each number once");
    }
}
