//! Rules of one definition that meet: each sees what the others have made of the ticket.

use insta::assert_snapshot;
use loket::v1::{
    CreateReplyRequest, EscalateTicketRequest, ExplainTransitionsRequest, FieldDefinition, FieldType,
    MarkTicketReadRequest, Reply, ReplyKind, SplitReplyRequest, Ticket, TransferTicketRequest, TransitionExplanation,
};

use super::agents::register;
use super::database;
use crate::support::{Caller, Desk, draft, fields, own, told};

const DESK: &str = "
display_name: Together
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: open, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: done, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- id: take
  from: [new]
  to: open
  trigger: TRANSITION_TRIGGER_CLAIM
  guards: [{expression: ticket.assignee == actor.subject, message: It is theirs by then.}]
- id: look
  from: [open]
  to: open
  trigger: TRANSITION_TRIGGER_READ
  guards: [{expression: has(ticket.read_time), message: It is read by then.}]
- {id: pull, from: [new, open], to: open, trigger: TRANSITION_TRIGGER_MANUAL, effects: {assign: ASSIGNMENT_ACTOR}}
- {id: again, from: [new, open], to: new, trigger: TRANSITION_TRIGGER_MANUAL, effects: {route: true}}
- {id: put, from: [new, open], to: new, trigger: TRANSITION_TRIGGER_MANUAL, effects: {queue: refunds}}
- {id: close, from: [open], to: done, trigger: TRANSITION_TRIGGER_MANUAL}
fields:
- {id: kind, type: FIELD_TYPE_CHOICE, choices: [{value: refund}, {value: fire}, {value: other}]}
- {id: amount, type: FIELD_TYPE_INTEGER, required_when: ticket.queue == 'refunds'}
- {id: why, type: FIELD_TYPE_TEXT, required_when: ticket.priority == 'urgent'}
priorities: [{id: urgent}, {id: normal}]
default_priority: normal
queues: [{id: desk}, {id: normals}, {id: refunds}, {id: chiefs}]
routing:
- {when: ticket.priority == 'urgent', queue: chiefs}
- {when: ticket.fields.kind == 'fire', priority: urgent}
- {when: ticket.fields.kind == 'refund', queue: refunds}
- {when: ticket.priority == 'normal', queue: normals}
default_queue: desk
escalations: [{id: second, mode: ESCALATION_MODE_CHILD, queues: [chiefs]}]
number_policy: {assigned_on: NUMBER_ASSIGNMENT_CLAIM, format: 'N{number}'}
";

async fn desk() -> Desk {
    Desk::of(database(), DESK).await
}

fn of_kind(kind: &str) -> Ticket {
    Ticket { fields: fields([("kind", kind)]), ..draft("Printer") }
}

#[tokio::test]
async fn what_is_required_is_asked_of_the_ticket_where_it_is_put() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    // By its queue, and by its priority, whoever gave them.
    assert_snapshot!(told(agent.create(of_kind("refund")).await), @"
    InvalidArgument INVALID_REQUEST
    ticket.fields.amount: is required for this ticket and has no value
    - ticket.fields.amount: is required for this ticket and has no value
    ");
    assert_snapshot!(told(agent.create(of_kind("fire")).await), @"
    InvalidArgument INVALID_REQUEST
    ticket.fields.why: is required for this ticket and has no value
    - ticket.fields.why: is required for this ticket and has no value
    ");
    assert_snapshot!(told(agent.create(Ticket { priority: "urgent".to_owned(), ..draft("Printer") }).await), @"
    InvalidArgument INVALID_REQUEST
    ticket.fields.why: is required for this ticket and has no value
    - ticket.fields.why: is required for this ticket and has no value
    ");

    // What a change of its fields leads it to is asked too, in an update and in a reply; and nothing of it is done.
    let ticket = agent.create(of_kind("other")).await.unwrap();
    let changed = Ticket { fields: fields([("kind", "refund")]), ..ticket.clone() };
    assert_snapshot!(told(agent.update(changed, &["fields.kind"]).await), @"
    InvalidArgument INVALID_REQUEST
    ticket.fields.amount: is required for this ticket and would be empty
    - ticket.fields.amount: is required for this ticket and would be empty
    ");
    let request = CreateReplyRequest {
        fields: fields([("kind", "refund")]),
        parent: ticket.name.clone(),
        reply: Some(Reply { body: "A refund, then".to_owned(), kind: ReplyKind::Public.into(), ..Reply::default() }),
        ..CreateReplyRequest::default()
    };
    assert_snapshot!(told(agent.create_reply(request).await), @"
    InvalidArgument INVALID_REQUEST
    fields.amount: is required for this ticket and would be empty
    - fields.amount: is required for this ticket and would be empty
    ");
    let ticket = agent.get(&ticket.name).await.unwrap();
    assert_eq!((ticket.queue.as_str(), ticket.reply_count), ("normals", 0));
    let changed = Ticket { fields: fields([("kind", "refund"), ("amount", "5")]), ..ticket };
    assert_eq!(agent.update(changed, &["fields.kind", "fields.amount"]).await.unwrap().queue, "refunds");

    // And of a ticket that is split off.
    let ani = desk.requester("customer@example.com").await;
    let first = ani.create(own("Printer")).await.unwrap();
    let reply = ani.reply(&first.name, "And my money back").await.unwrap();
    let request = SplitReplyRequest {
        parent: first.name.clone(),
        replies: vec![reply.name],
        ticket: Some(Ticket { subject: "Money".to_owned(), fields: fields([("kind", "refund")]), ..Ticket::default() }),
        ..SplitReplyRequest::default()
    };
    assert_snapshot!(told(agent.split_reply(request).await), @"
    InvalidArgument INVALID_REQUEST
    ticket.fields.amount: is required for this ticket and has no value
    - ticket.fields.amount: is required for this ticket and has no value
    ");
}

#[tokio::test]
async fn rules_see_the_priority_that_a_ticket_gets() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let with = |priority: &str| Ticket { priority: priority.to_owned(), ..draft("Printer") };
    let by_default = agent.create(with("")).await.unwrap();
    let by_name = agent.create(with("normal")).await.unwrap();
    assert_eq!([&by_default.queue, &by_name.queue], ["normals", "normals"]);
    // A rule that gives one comes before the first that looks at it, as it does for whoever looks again.
    let fire = Ticket { fields: fields([("kind", "fire"), ("why", "smoke")]), ..draft("Fire") };
    let fire = agent.create(fire).await.unwrap();
    assert_eq!((fire.priority.as_str(), fire.queue.as_str()), ("urgent", "chiefs"));
    for ticket in [by_default, by_name, fire] {
        let routed = agent.transition(&ticket.name, "again").await.unwrap();
        assert_eq!(routed.queue, ticket.queue);
    }
}

#[tokio::test]
async fn who_gets_a_ticket_by_a_transition_gives_it_its_number() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let [first, second] = [agent.create(draft("One")).await.unwrap(), agent.create(draft("Two")).await.unwrap()];
    assert_eq!([first.number.as_str(), second.number.as_str()], ["", ""]);
    let pulled = agent.transition(&second.name, "pull").await.unwrap();
    assert_eq!((pulled.assignee.as_str(), pulled.number.as_str()), ("budi", "N1"));
    assert_eq!(agent.claim(&first.name).await.unwrap().number, "N2");
    // It keeps it.
    agent.release(&second.name).await.unwrap();
    assert_eq!(agent.transition(&second.name, "pull").await.unwrap().number, "N1");
}

#[tokio::test]
async fn no_transition_gives_a_ticket_to_an_agent_who_is_not_active() {
    let desk = desk().await;
    let (supervisor, away) = (desk.supervisor("sri").await, desk.agent("away").await);
    register(&supervisor, "away", &[], &[], false).await.unwrap();
    let ticket = supervisor.create(draft("One")).await.unwrap();
    let explained = explained(&away, &ticket, "pull").await;
    assert_snapshot!(told(away.transition(&ticket.name, "pull").await), @"
    FailedPrecondition TRANSITION_REFUSED
    the transition pull cannot be taken on helpdesks/desk/tickets/1: it gives the ticket to the agent `away`, who is not active and takes no tickets
    - away: it gives the ticket to the agent `away`, who is not active and takes no tickets
    ");
    let objections: Vec<_> = explained.objections.iter().map(|objection| objection.r#type.as_str()).collect();
    assert_eq!((explained.allowed, objections), (false, vec!["AGENT_ACTIVE"]));
    assert_eq!(supervisor.transition(&ticket.name, "pull").await.unwrap().assignee, "sri");
}

#[tokio::test]
async fn a_ticket_that_its_definition_has_placed_is_nobodys_by_hand() {
    let desk = desk().await;
    let supervisor = desk.supervisor("sri").await;
    let transfer = async |ticket: &str| {
        let request = TransferTicketRequest {
            name: ticket.to_owned(),
            queue: "chiefs".to_owned(),
            reason: "They know.".to_owned(),
            ..TransferTicketRequest::default()
        };
        let sent = supervisor.transfer_ticket(request).await.unwrap();
        assert_eq!((sent.queue.as_str(), sent.hand_placed), ("chiefs", true));
    };
    let ticket = supervisor.create(Ticket { fields: fields([("amount", "5")]), ..draft("One") }).await.unwrap();
    for (transition, queue) in [("again", "normals"), ("put", "refunds")] {
        transfer(&ticket.name).await;
        let placed = supervisor.transition(&ticket.name, transition).await.unwrap();
        assert_eq!((placed.queue.as_str(), placed.hand_placed), (queue, false), "{transition}");
    }
    // So its fields lead it on.
    let changed = Ticket { fields: fields([("kind", "other")]), etag: String::new(), ..ticket };
    assert_eq!(supervisor.update(changed, &["fields.kind"]).await.unwrap().queue, "normals");
}

#[tokio::test]
async fn what_is_set_off_is_explained_as_its_trigger_leaves_the_ticket() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("One")).await.unwrap();
    assert!(explained(&agent, &ticket, "take").await.allowed);
    let claimed = agent.claim(&ticket.name).await.unwrap();
    assert_eq!(claimed.status, "open");

    assert!(explained(&agent, &ticket, "look").await.allowed);
    let request = MarkTicketReadRequest { name: ticket.name.clone(), ..MarkTicketReadRequest::default() };
    agent.mark_ticket_read(request).await.unwrap();
    let explained = explained(&agent, &ticket, "look").await;
    let objections: Vec<_> = explained.objections.iter().map(|objection| objection.r#type.as_str()).collect();
    assert_eq!((explained.allowed, objections), (false, vec!["TRIGGER"]));
}

#[tokio::test]
async fn a_child_gets_the_defaults_of_a_new_ticket() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let old = agent.create(draft("One")).await.unwrap();
    desk.redefine(|helpdesk| {
        helpdesk.fields.push(FieldDefinition {
            id: "site".to_owned(),
            r#type: FieldType::Text.into(),
            default_value: "main".to_owned(),
            required_when: "true".to_owned(),
            ..FieldDefinition::default()
        });
    })
    .await
    .unwrap();
    let request = EscalateTicketRequest {
        name: old.name.clone(),
        escalation: "second".to_owned(),
        reason: "They know.".to_owned(),
        ..EscalateTicketRequest::default()
    };
    let child = agent.escalate_ticket(request).await.unwrap().child.unwrap();
    assert_eq!(child.fields["site"], "main");
}

async fn explained(caller: &Caller, ticket: &Ticket, transition: &str) -> TransitionExplanation {
    let request = ExplainTransitionsRequest { name: ticket.name.clone(), ..ExplainTransitionsRequest::default() };
    let explained = caller.explain_transitions(request).await.unwrap().transitions;
    explained.into_iter().find(|explained| explained.transition == transition).unwrap()
}
