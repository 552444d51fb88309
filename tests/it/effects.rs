//! What transitions do besides the move, and what guards look at.

use std::time::Duration;

use insta::assert_snapshot;
use loket::v1::{
    Change, CreateReplyRequest, ErrorReason, ExplainTransitionsRequest, GetHelpdeskRequest, Helpdesk,
    NotificationRecipient, Reply, ReplyKind, RoutingRule, Ticket, TransitionEffects, TransitionExplanation,
    TransitionTicketRequest, UpdateHelpdeskRequest,
};

use super::database;
use crate::support::tail::{Tail, narrow, snapshot};
use crate::support::{Caller, Desk, draft, fields, own, reason, told};

/// `EFFECTS` are those of the reopening.
const DESK: &str = "
display_name: Effects
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: open, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: proposed, state: STATE_SOLVED, waits_on: WAITS_ON_STAFF}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: take, from: [new], to: open, trigger: TRANSITION_TRIGGER_CLAIM}
- {id: close, from: [new, open, proposed], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: reopen, from: [closed], to: open, trigger: TRANSITION_TRIGGER_REQUESTER_REPLY, effects: EFFECTS}
- {id: pull, from: [new, open], to: open, trigger: TRANSITION_TRIGGER_MANUAL, effects: {assign: ASSIGNMENT_ACTOR}}
- {id: move, from: [new, open], to: open, trigger: TRANSITION_TRIGGER_MANUAL, effects: {queue: second, queue_place: QUEUE_PLACE_KEEP}}
- {id: route, from: [new, open], to: open, trigger: TRANSITION_TRIGGER_MANUAL, effects: {route: true, fields: {team: b}}}
- {id: propose, from: [open], to: proposed, trigger: TRANSITION_TRIGGER_MANUAL}
- id: confirm
  from: [proposed]
  to: closed
  trigger: TRANSITION_TRIGGER_MANUAL
  guards:
  - {expression: ticket.last_transition == 'propose' && ticket.last_transition_by != actor.subject, message: Somebody else confirms.}
  - {expression: ticket.last_reply_role == 'requester' && ticket.last_reply_time > ticket.first_reply_time, message: The requester answers last.}
  - {expression: ticket.last_reply_solves || ticket.solution != '', message: There must be a solution.}
- id: told
  from: [open]
  to: open
  trigger: TRANSITION_TRIGGER_NOTE
  effects:
    notifications:
    - {recipient: NOTIFICATION_RECIPIENT_ASSIGNEE, message: A note for whoever has it.}
    - {recipient: NOTIFICATION_RECIPIENT_FIELD, field: pic, message: A note for the PIC.}
    - {recipient: NOTIFICATION_RECIPIENT_REQUESTER, message: We talk about it.}
fields:
- {id: confirmed, type: FIELD_TYPE_BOOLEAN}
- {id: cause, type: FIELD_TYPE_TEXT, staff_only: true}
- {id: pic, type: FIELD_TYPE_TEXT}
- {id: team, type: FIELD_TYPE_CHOICE, choices: [{value: a}, {value: b}], indexed: true}
priorities: [{id: high}, {id: normal}]
default_priority: normal
queues: [{id: first}, {id: second}]
routing: [{when: ticket.fields.team == 'b', queue: second}]
default_queue: first
";

async fn desk(reopening: &str) -> Desk {
    Desk::of(database(), &DESK.replace("EFFECTS", reopening)).await
}

/// A ticket that budi had, which is closed with a solution.
async fn closed(agent: &Caller, ani: &Caller) -> Ticket {
    let ticket = ani.create(own("Printer")).await.unwrap();
    agent.claim(&ticket.name).await.unwrap();
    let request = TransitionTicketRequest {
        name: ticket.name.clone(),
        transition: "close".to_owned(),
        fields: fields([("confirmed", "true"), ("cause", "heat")]),
        solution: "Water".to_owned(),
        ..TransitionTicketRequest::default()
    };
    agent.transition_ticket(request).await.unwrap()
}

async fn last(caller: &Caller, ticket: &Ticket) -> Change {
    caller.changes(&ticket.name).await.unwrap().pop().unwrap()
}

/// The subjects of those that wait in a queue, in the order in which it is worked.
async fn line(caller: &Caller, queue: &str) -> Vec<String> {
    let request = loket::v1::ListTicketsRequest {
        parent: caller.parent.clone(),
        filter: format!("queue = {queue}"),
        order_by: "queue_order".to_owned(),
        ..loket::v1::ListTicketsRequest::default()
    };
    caller.list_tickets(request).await.unwrap().tickets.into_iter().map(|ticket| ticket.subject).collect()
}

#[tokio::test]
async fn a_transition_does_all_that_its_effects_say() {
    let desk = desk(
        "{fields: {confirmed: 'false', cause: ''}, priority: high, clear_solution: true, assign: ASSIGNMENT_NOBODY, \
         queue: second, queue_place: QUEUE_PLACE_LAST, \
         notifications: [{recipient: NOTIFICATION_RECIPIENT_QUEUE, message: It is back.}]}",
    )
    .await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let mut feed = Tail::open(narrow(&agent, 1 << 16).await, snapshot(&agent, "")).await.unwrap();
    let ticket = closed(&agent, &ani).await;
    assert_eq!((ticket.assignee.as_str(), ticket.solution.as_str()), ("budi", "Water"));
    desk.clock.advance(Duration::from_mins(1));
    ani.reply(&ticket.name, "It burns again").await.unwrap();

    let back = agent.get(&ticket.name).await.unwrap();
    assert_eq!((back.status.as_str(), back.assignee.as_str(), back.solution.as_str()), ("open", "", ""));
    assert_eq!((back.queue.as_str(), back.priority.as_str()), ("second", "high"));
    assert_eq!(back.fields, fields([("confirmed", "false")]));
    assert_eq!(back.queue_time, Some(desk.clock.timestamp()));
    assert_eq!(line(&agent, "second").await, ["Printer"]);

    let change = last(&agent, &ticket).await;
    assert_eq!((change.command.as_str(), change.transition.as_str()), ("CreateReply", "reopen"));
    let [told] = change.notifications.as_slice() else { panic!("{change:?}") };
    assert_eq!(told.recipient(), NotificationRecipient::Queue);
    assert_eq!((told.address.as_str(), told.message.as_str()), ("second", "It is back."));
    let changed: Vec<_> = change.field_changes.iter().map(|change| change.field.as_str()).collect();
    for field in ["fields.cause", "fields.confirmed", "priority", "status", "queue", "assignee", "solution"] {
        assert!(changed.contains(&field), "{field} in {changed:?}");
    }
    // Whoever follows the feed learns of it there.
    feed.until(change.revision).await;
    let event = feed.seen.events.iter().find(|event| event.revision == change.revision).unwrap();
    assert_eq!(event.change.as_ref().unwrap().notifications, change.notifications);
    // What the staff are told is theirs.
    let seen = last(&ani, &ticket).await;
    assert_eq!((seen.revision, seen.notifications.as_slice()), (change.revision, [].as_slice()));
    assert!(seen.field_changes.iter().all(|change| change.field != "fields.cause"));
}

#[tokio::test]
async fn without_effects_a_ticket_opens_again_to_who_had_it() {
    let desk = desk("{}").await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = closed(&agent, &ani).await;
    desk.clock.advance(Duration::from_mins(1));
    ani.reply(&ticket.name, "It burns again").await.unwrap();
    let back = agent.get(&ticket.name).await.unwrap();
    assert_eq!((back.assignee.as_str(), back.solution.as_str()), ("budi", "Water"));
    assert_eq!(back.queue_time, Some(desk.clock.timestamp()), "it queues anew, should it be released");
    assert_eq!(last(&agent, &ticket).await.notifications, []);
}

#[tokio::test]
async fn a_place_in_the_queue_is_kept_where_the_definition_says_so() {
    let desk = desk("{assign: ASSIGNMENT_NOBODY, queue_place: QUEUE_PLACE_KEEP}").await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = closed(&agent, &ani).await;
    desk.clock.advance(Duration::from_mins(1));
    agent.create(draft("Later")).await.unwrap();
    ani.reply(&ticket.name, "It burns again").await.unwrap();
    assert_eq!(line(&agent, "first").await, ["Printer", "Later"]);
    assert_eq!(agent.get(&ticket.name).await.unwrap().queue_time, ticket.queue_time);
}

#[tokio::test]
async fn tickets_are_pulled_moved_and_routed_again() {
    let desk = desk("{}").await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    desk.clock.advance(Duration::from_mins(1));
    let moved = agent.transition(&ticket.name, "move").await.unwrap();
    assert_eq!((moved.queue.as_str(), moved.queue_time), ("second", ticket.queue_time));
    let pulled = agent.transition(&ticket.name, "pull").await.unwrap();
    assert_eq!((pulled.assignee.as_str(), pulled.queue.as_str()), ("budi", "second"));
    assert_eq!(line(&agent, "second").await, Vec::<String>::new());

    let routed = agent.create(draft("Other")).await.unwrap();
    desk.clock.advance(Duration::from_mins(1));
    let routed = agent.transition(&routed.name, "route").await.unwrap();
    // The rules look at the field that the same effects set, and another queue is entered at its end.
    assert_eq!((routed.queue.as_str(), routed.fields["team"].as_str()), ("second", "b"));
    assert_eq!(routed.queue_time, Some(desk.clock.timestamp()));
    assert_eq!(agent.list("fields.team = b").await.unwrap().len(), 1, "the index knows it");
}

#[tokio::test]
async fn a_note_tells_whom_the_definition_names() {
    let desk = desk("{}").await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Printer")).await.unwrap();
    agent.note(&ticket.name, "Nothing is said of notes on new ones").await.unwrap();
    assert_eq!(last(&agent, &ticket).await.notifications, []);
    let told = async || {
        let notified = last(&agent, &ticket).await.notifications.into_iter();
        notified.map(|told| format!("{}: {}", told.recipient().as_str_name(), told.address)).collect::<Vec<_>>()
    };
    agent.transition(&ticket.name, "route").await.unwrap();
    agent.note(&ticket.name, "Look at this").await.unwrap();
    // Nobody has it, and it has no PIC.
    assert_eq!(
        told().await,
        ["NOTIFICATION_RECIPIENT_QUEUE: second", "NOTIFICATION_RECIPIENT_REQUESTER: ani@example.com"]
    );
    agent.claim(&ticket.name).await.unwrap();
    let pic = Ticket { name: ticket.name.clone(), fields: fields([("pic", "Eka")]), ..Ticket::default() };
    agent.update(pic, &["fields.pic"]).await.unwrap();
    let before = agent.get(&ticket.name).await.unwrap();
    agent.note(&ticket.name, "Look at this").await.unwrap();
    assert_eq!(
        told().await,
        [
            "NOTIFICATION_RECIPIENT_ASSIGNEE: budi",
            "NOTIFICATION_RECIPIENT_FIELD: Eka",
            "NOTIFICATION_RECIPIENT_REQUESTER: ani@example.com"
        ]
    );
    let after = agent.get(&ticket.name).await.unwrap();
    assert_eq!((after.status, after.queue_time), (before.status, before.queue_time));
    // To the requester nothing has happened.
    assert!(last(&ani, &ticket).await.revision < after.revision);
}

async fn explained(caller: &Caller, ticket: &Ticket, transition: &str) -> TransitionExplanation {
    let request = ExplainTransitionsRequest { name: ticket.name.clone(), ..ExplainTransitionsRequest::default() };
    let explained = caller.explain_transitions(request).await.unwrap().transitions;
    explained.into_iter().find(|explained| explained.transition == transition).unwrap()
}

/// Proposed by one and done by another, after the requester has answered, with a solution: the evidence for closing.
#[tokio::test]
async fn evidence_is_asked_for_and_an_explanation_says_what_a_refusal_does() {
    let desk = desk("{}").await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let other = desk.agent("dewi").await;
    let ticket = ani.create(own("Printer")).await.unwrap();
    agent.claim(&ticket.name).await.unwrap();
    agent.transition(&ticket.name, "propose").await.unwrap();
    assert_snapshot!(told(agent.transition(&ticket.name, "confirm").await), @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition confirm cannot be taken on helpdesks/desk/tickets/1: Somebody else confirms; The requester answers last; There must be a solution
    - confirm: Somebody else confirms.
    - confirm: The requester answers last.
    - confirm: There must be a solution.
    ");
    let refused = agent.transition(&ticket.name, "confirm").await.unwrap_err();
    let why = explained(&agent, &ticket, "confirm").await;
    assert!(!why.allowed);
    assert_eq!(why.trigger, "MANUAL");
    assert_eq!(why.guards.iter().map(|guard| guard.passed).collect::<Vec<_>>(), [false; 3]);
    let objections: Vec<_> = why.objections.iter().map(|why| format!("{}: {}", why.subject, why.description)).collect();
    assert_eq!(objections, refused.violations().iter().map(ToString::to_string).collect::<Vec<_>>());

    // Each piece of evidence for itself. A note is no answer to anybody.
    let why = explained(&other, &ticket, "confirm").await;
    assert_eq!(why.guards.iter().map(|guard| guard.passed).collect::<Vec<_>>(), [true, false, false]);
    let solving = CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply { body: "Done".to_owned(), solution: "Water".to_owned(), ..Reply::default() }),
        ..CreateReplyRequest::default()
    };
    agent.create_reply(solving).await.unwrap();
    desk.clock.advance(Duration::from_secs(1));
    let passed = async || {
        let why = explained(&other, &ticket, "confirm").await;
        (why.allowed, why.guards.into_iter().map(|guard| guard.passed).collect::<Vec<_>>())
    };
    assert_eq!(passed().await, (false, vec![true, false, true]));
    ani.reply(&ticket.name, "Thank you").await.unwrap();
    agent.note(&ticket.name, "She is happy").await.unwrap();
    assert_eq!(passed().await, (true, vec![true; 3]));
    assert_eq!(reason(agent.transition(&ticket.name, "confirm").await), ErrorReason::TransitionRefused);
    assert_eq!(other.transition(&ticket.name, "confirm").await.unwrap().status, "closed");
}

/// Every edge is told, also those that happen by themselves, each with what sets it off.
#[tokio::test]
async fn every_edge_is_explained_to_everybody() {
    let desk = desk("{}").await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Printer")).await.unwrap();
    let table = async |caller: &Caller| {
        let request = ExplainTransitionsRequest { name: ticket.name.clone(), ..ExplainTransitionsRequest::default() };
        let explained = caller.explain_transitions(request).await.unwrap().transitions;
        let line = |it: TransitionExplanation| {
            let why: Vec<_> =
                it.objections.into_iter().map(|why| format!("{}: {}", why.r#type, why.description)).collect();
            let line = format!("{} {} {} {}", it.transition, it.trigger, it.allowed, why.join("; "));
            line.trim_end().to_owned()
        };
        explained.into_iter().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(table(&agent).await, @r"
    take CLAIM true
    close MANUAL true
    pull MANUAL true
    move MANUAL true
    route MANUAL true
    ");
    assert_snapshot!(table(&ani).await, @r"
    take CLAIM false ROLE: the role requester may not take it; agent, supervisor, service, admin may
    close MANUAL false ROLE: the role requester may not take it; agent, supervisor, service, admin may
    pull MANUAL false ROLE: the role requester may not take it; agent, supervisor, service, admin may
    move MANUAL false ROLE: the role requester may not take it; agent, supervisor, service, admin may
    route MANUAL false ROLE: the role requester may not take it; agent, supervisor, service, admin may
    ");
}

#[tokio::test]
async fn requesters_do_not_see_the_staffs_part_of_effects() {
    let desk = desk(
        "{fields: {cause: heat, confirmed: 'false'}, notifications: [{recipient: NOTIFICATION_RECIPIENT_QUEUE, message: Secret}]}",
    )
    .await;
    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    let seen = desk.requester("ani@example.com").await.get_helpdesk(get.clone()).await.unwrap();
    let effects = seen.transitions[2].effects.clone().unwrap();
    assert_eq!((effects.fields, effects.notifications), (fields([("confirmed", "false")]), Vec::new()));
    // Of which nothing is left looks like any without.
    assert_eq!((seen.transitions[8].id.as_str(), &seen.transitions[8].effects), ("told", &None));
    let whole = desk.agent("budi").await.get_helpdesk(get).await.unwrap();
    let effects = whole.transitions[2].effects.clone().unwrap();
    assert_eq!((effects.fields.len(), effects.notifications.len()), (2, 1));
}

#[tokio::test]
async fn what_a_note_changes_does_not_tell_of_the_note() {
    let desk = desk("{}").await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Printer")).await.unwrap();
    agent.claim(&ticket.name).await.unwrap();
    let note = CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply { body: "Theirs".to_owned(), kind: ReplyKind::Note.into(), ..Reply::default() }),
        fields: fields([("team", "a")]),
        ..CreateReplyRequest::default()
    };
    agent.create_reply(note).await.unwrap();
    let seen = last(&ani, &ticket).await;
    assert_eq!(seen.field_changes[0].field, "fields.team");
    assert_eq!((seen.command.as_str(), seen.transition.as_str(), seen.reply), ("", "", None));
    let whole = last(&agent, &ticket).await;
    assert_eq!((whole.command.as_str(), whole.transition.as_str()), ("CreateReply", "told"));
}

#[tokio::test]
async fn a_definition_that_contradicts_itself_is_refused_and_changes_nothing() {
    let desk = desk("{}").await;
    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    let before = desk.admin().get_helpdesk(get.clone()).await.unwrap();
    let apply = async |change: fn(&mut Helpdesk)| {
        let mut helpdesk = before.clone();
        change(&mut helpdesk);
        let request = UpdateHelpdeskRequest { helpdesk: Some(helpdesk), ..UpdateHelpdeskRequest::default() };
        told(desk.admin().update_helpdesk(request).await)
    };
    let effects = |it: &mut Helpdesk| {
        let effects = it.transitions[4].effects.get_or_insert_with(TransitionEffects::default);
        "third".clone_into(&mut effects.queue);
        effects.fields.insert("gone".to_owned(), "1".to_owned());
        effects.assign = 9;
        it.routing.push(RoutingRule { queue: "second".to_owned(), ..RoutingRule::default() });
        it.mandatory_cc.push("boss".to_owned());
    };
    assert_snapshot!(apply(effects).await, @r#"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 5
    - transitions[4].effects.assign: there is no value 9: valid are ASSIGNMENT_KEEP, ASSIGNMENT_ACTOR, ASSIGNMENT_NOBODY
    - transitions[4].effects.queue: there is no queue "third": valid are `first` or `second`
    - transitions[4].effects.fields.gone: there is no field "gone": valid are `confirmed`, `cause`, `pic` or `team`
    - mandatory_cc[0]: "boss" is not an e-mail address, such as customer@example.com
    - routing[1].queue: takes every ticket to `second`, and `default_queue` is `first`: there are two defaults, leave the rule out
    "#);
    // Nobody could ever confirm: the guard looks at a status from which the transition does not lead.
    let guard = |it: &mut Helpdesk| "ticket.status == 'open'".clone_into(&mut it.transitions[7].guards[0].expression);
    assert_snapshot!(apply(guard).await, @r#"
    InvalidArgument INVALID_DEFINITION
    transitions[7].guards[0].expression: no ticket can pass: status must be "open", and here it can only be "proposed"
    - transitions[7].guards[0].expression: no ticket can pass: status must be "open", and here it can only be "proposed"
    "#);
    assert_eq!(desk.admin().get_helpdesk(get).await.unwrap(), before);
}
