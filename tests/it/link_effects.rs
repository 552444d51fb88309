//! Transitions that link a ticket to the one that a field names.

use insta::assert_snapshot;
use loket::v1::{
    CreateReplyRequest, ErrorReason, ExplainTransitionsRequest, GetHelpdeskRequest, Helpdesk, LinkKind, Reply,
    ReplyKind, Ticket, TransitionTicketRequest, UpdateHelpdeskRequest,
};
use loket_client::Error;

use super::database;
use crate::support::{Caller, Desk, draft, fields, own, reason, told};

const ANI: &str = "ani@example.com";

const DESK: &str = "
display_name: Links
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: open, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- id: repeat
  from: [new, open]
  to: closed
  trigger: TRANSITION_TRIGGER_MANUAL
  effects: {link: {kind: LINK_KIND_ORIGINAL, field: first}}
- id: answer
  from: [new]
  to: open
  trigger: TRANSITION_TRIGGER_AGENT_REPLY
  effects: {link: {kind: LINK_KIND_RELATED, field: see}}
- id: refer
  from: [open]
  to: new
  trigger: TRANSITION_TRIGGER_MANUAL
  roles: [ROLE_REQUESTER]
  effects: {link: {kind: LINK_KIND_RELATED, field: see}}
- id: note
  from: [new]
  to: new
  trigger: TRANSITION_TRIGGER_NOTE
  effects: {link: {kind: LINK_KIND_PARENT, field: above}}
fields:
- {id: first, type: FIELD_TYPE_TEXT}
- {id: see, type: FIELD_TYPE_TEXT}
- {id: above, type: FIELD_TYPE_TEXT, staff_only: true}
- {id: when, type: FIELD_TYPE_DATE}
number_policy: {assigned_on: NUMBER_ASSIGNMENT_SUBMISSION, format: 'T-{number:05}'}
queues: [{id: main}]
default_queue: main
";

async fn desk() -> (Desk, Caller) {
    let desk = Desk::of(database(), DESK).await;
    let agent = desk.agent("budi").await;
    (desk, agent)
}

async fn file(caller: &Caller, requester: &str, subject: &str) -> Ticket {
    caller.create(Ticket { requester: requester.to_owned(), ..draft(subject) }).await.unwrap()
}

async fn take(caller: &Caller, name: &str, transition: &str, field: &str, value: &str) -> Result<Ticket, Error> {
    let request = TransitionTicketRequest {
        name: name.to_owned(),
        transition: transition.to_owned(),
        fields: fields([(field, value)]),
        ..TransitionTicketRequest::default()
    };
    caller.transition_ticket(request).await
}

async fn reply(caller: &Caller, ticket: &str, kind: ReplyKind, field: &str, value: &str) -> Result<Reply, Error> {
    let request = CreateReplyRequest {
        parent: ticket.to_owned(),
        reply: Some(Reply { body: "Look there.".to_owned(), kind: kind.into(), ..Reply::default() }),
        fields: fields([(field, value)]),
        ..CreateReplyRequest::default()
    };
    caller.create_reply(request).await
}

fn links(ticket: &Ticket) -> Vec<(LinkKind, &str)> {
    ticket.links.iter().map(|link| (link.kind(), link.ticket.rsplit('/').next().unwrap())).collect()
}

#[tokio::test]
async fn both_tickets_get_the_link_in_the_revision_of_the_transition() {
    let (desk, agent) = desk().await;
    let first = file(&agent, ANI, "One").await;
    for (value, ordinal) in [(" T-00001 ", "2"), (first.name.as_str(), "3")] {
        let two = file(&agent, ANI, "Again").await.name;
        let before = desk.head().await;
        let closed = take(&agent, &two, "repeat", "first", value).await.unwrap();
        assert_eq!((closed.status.as_str(), links(&closed)), ("closed", vec![(LinkKind::Original, "1")]));
        // It says what it repeats, and is not merged.
        assert_eq!(closed.merged_into, "");
        let other = agent.get(&first.name).await.unwrap();
        assert!(links(&other).contains(&(LinkKind::Duplicate, ordinal)), "{other:?}");
        assert_eq!((other.status.as_str(), other.revision, desk.head().await), ("new", before + 1, before + 1));
        for (name, ordinal, transition) in [(&two, 0, "repeat"), (&first.name, 1, "")] {
            let last = agent.changes(name).await.unwrap().pop().unwrap();
            assert_eq!((last.revision, last.ordinal, last.command.as_str()), (before + 1, ordinal, "TransitionTicket"));
            assert_eq!(last.transition, transition);
            assert!(last.field_changes.iter().any(|change| change.field == "links"));
        }
    }
    assert_eq!(agent.list("status = closed").await.unwrap().len(), 2);
    // Nothing is named, so nothing is linked.
    let three = file(&agent, ANI, "Alone").await.name;
    assert_eq!(take(&agent, &three, "repeat", "first", "").await.unwrap().links, []);
}

#[tokio::test]
async fn what_cannot_be_linked_is_refused_and_told() {
    let (desk, agent) = desk().await;
    let (one, two) = (file(&agent, ANI, "One").await.name, file(&agent, ANI, "Two").await.name);
    let head = desk.head().await;
    assert_snapshot!(told(take(&agent, &two, "repeat", "first", "T-00009").await), @r#"
    FailedPrecondition TRANSITION_REFUSED
    the transition repeat cannot be taken on helpdesks/desk/tickets/2: the field `first` names "T-00009", and there is no such ticket: write the name or the number of one, or leave it empty
    - fields.first: the field `first` names "T-00009", and there is no such ticket: write the name or the number of one, or leave it empty
    "#);
    for wrong in
        ["2", "helpdesks/desk/tickets/9", "helpdesks/other/tickets/1", "helpdesks/desk/tickets/01", "helpdesks/desk"]
    {
        assert_eq!(reason(take(&agent, &two, "repeat", "first", wrong).await), ErrorReason::TransitionRefused);
    }
    assert_snapshot!(told(take(&agent, &two, "repeat", "first", "T-00002").await), @r#"
    FailedPrecondition TRANSITION_REFUSED
    the transition repeat cannot be taken on helpdesks/desk/tickets/2: the field `first` names "T-00002", which is the ticket itself
    - fields.first: the field `first` names "T-00002", which is the ticket itself
    "#);
    assert_eq!(desk.head().await, head);
    // A circle of originals.
    take(&agent, &two, "repeat", "first", "T-00001").await.unwrap();
    assert_snapshot!(told(take(&agent, &one, "repeat", "first", &two).await), @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition repeat cannot be taken on helpdesks/desk/tickets/1: helpdesks/desk/tickets/1 stands above helpdesks/desk/tickets/2 in its line of originals, which would become a circle
    - helpdesks/desk/tickets/1 stands above helpdesks/desk/tickets/2 in its line of originals, which would become a circle
    ");
    // Explained by what the ticket has.
    agent
        .update(
            Ticket { name: one.clone(), fields: fields([("first", "gone")]), ..Ticket::default() },
            &["fields.first"],
        )
        .await
        .unwrap();
    let explain = async |caller: &Caller| {
        let request = ExplainTransitionsRequest { name: one.clone(), ..ExplainTransitionsRequest::default() };
        let explained = caller.explain_transitions(request).await.unwrap().transitions;
        explained.into_iter().find(|it| it.transition == "repeat").unwrap()
    };
    let refused = explain(&agent).await;
    let why: Vec<_> = refused.objections.iter().map(|it| (it.r#type.as_str(), it.subject.as_str())).collect();
    assert_eq!((refused.allowed, why), (false, vec![("LINK", "fields.first")]));
    let three = file(&agent, ANI, "Three").await;
    agent
        .update(
            Ticket { name: one.clone(), fields: fields([("first", three.number.as_str())]), ..Ticket::default() },
            &["fields.first"],
        )
        .await
        .unwrap();
    assert!(explain(&agent).await.allowed);
}

#[tokio::test]
async fn a_reply_links_by_the_field_that_it_sets_or_does_not_move_the_ticket() {
    let (_desk, agent) = desk().await;
    let (one, two) = (file(&agent, ANI, "One").await.name, file(&agent, ANI, "Two").await.name);
    reply(&agent, &two, ReplyKind::Public, "see", "gone").await.unwrap();
    let unmoved = agent.get(&two).await.unwrap();
    assert_eq!((unmoved.status.as_str(), links(&unmoved)), ("new", vec![]));
    reply(&agent, &two, ReplyKind::Public, "see", "T-00001").await.unwrap();
    let moved = agent.get(&two).await.unwrap();
    assert_eq!((moved.status.as_str(), links(&moved)), ("open", vec![(LinkKind::Related, "1")]));
    assert_eq!(links(&agent.get(&one).await.unwrap()), [(LinkKind::Related, "2")]);
}

#[tokio::test]
async fn a_requester_links_own_tickets_and_learns_nothing_of_others() {
    let (desk, agent) = desk().await;
    let ani = desk.requester(ANI).await;
    let (own_one, own_two) = (ani.create(own("One")).await.unwrap(), ani.create(own("Two")).await.unwrap().name);
    let others = file(&agent, "bela@example.com", "Somebody else's").await;
    agent.reply(&own_two, "Which one?").await.unwrap();
    let unknown = told(take(&ani, &own_two, "refer", "see", "T-00009").await);
    assert_eq!(told(take(&ani, &own_two, "refer", "see", &others.number).await), unknown);
    assert_snapshot!(unknown, @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition refer cannot be taken on helpdesks/desk/tickets/2: the field `see` names no ticket that this one can be linked to
    - refer: the field `see` names no ticket that this one can be linked to
    ");
    assert_eq!(
        links(&take(&ani, &own_two, "refer", "see", &own_one.number).await.unwrap()),
        [(LinkKind::Related, "1")]
    );
    // What a note links does not tell of the note.
    reply(&agent, &own_two, ReplyKind::Note, "above", &own_one.number).await.unwrap();
    assert!(links(&agent.get(&own_one.name).await.unwrap()).contains(&(LinkKind::Child, "2")));
    for name in [&own_one.name, &own_two] {
        let last = ani.changes(name).await.unwrap().pop().unwrap();
        assert_eq!((last.command.as_str(), last.transition.as_str(), last.reply), ("", "", None));
        assert_eq!(last.field_changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["links"]);
    }
}

#[tokio::test]
async fn a_definition_names_a_text_and_says_what_the_other_ticket_is() {
    let (desk, _) = desk().await;
    let update = async |link: &str| {
        let yaml = DESK.replace("{kind: LINK_KIND_ORIGINAL, field: first}", link);
        let helpdesk = loket::json::helpdesk_from_yaml(&yaml).unwrap();
        let request = UpdateHelpdeskRequest {
            helpdesk: Some(Helpdesk { name: "helpdesks/desk".to_owned(), ..helpdesk }),
            ..UpdateHelpdeskRequest::default()
        };
        desk.admin().update_helpdesk(request).await
    };
    assert_snapshot!(told(update("{field: first}").await), @r"
    InvalidArgument INVALID_DEFINITION
    transitions[0].effects.link.kind: is required: valid are LINK_KIND_PARENT, LINK_KIND_CHILD, LINK_KIND_ORIGINAL, LINK_KIND_DUPLICATE, LINK_KIND_RELATED
    - transitions[0].effects.link.kind: is required: valid are LINK_KIND_PARENT, LINK_KIND_CHILD, LINK_KIND_ORIGINAL, LINK_KIND_DUPLICATE, LINK_KIND_RELATED
    ");
    assert_snapshot!(told(update("{kind: LINK_KIND_RELATED, field: gone}").await), @r#"
    InvalidArgument INVALID_DEFINITION
    transitions[0].effects.link.field: there is no field "gone": valid are `first`, `see`, `above` or `when`
    - transitions[0].effects.link.field: there is no field "gone": valid are `first`, `see`, `above` or `when`
    "#);
    assert_snapshot!(told(update("{kind: LINK_KIND_RELATED, field: when}").await), @r"
    InvalidArgument INVALID_DEFINITION
    transitions[0].effects.link.field: the field `when` holds no text, as the name of a ticket is: name a field with FIELD_TYPE_TEXT
    - transitions[0].effects.link.field: the field `when` holds no text, as the name of a ticket is: name a field with FIELD_TYPE_TEXT
    ");
    // What a requester sees of the definition does not name a field for the staff.
    let seen = desk.requester(ANI).await.get_helpdesk(GetHelpdeskRequest { name: "helpdesks/desk".to_owned() }).await;
    let links = seen.unwrap().transitions.into_iter().map(|it| it.effects.and_then(|it| it.link).map(|it| it.field));
    let fields = ["first", "see", "see"].map(|field| Some(field.to_owned())).into_iter().chain([None]);
    assert_eq!(links.collect::<Vec<_>>(), fields.collect::<Vec<_>>());
    let helpdesk = update("{kind: LINK_KIND_RELATED, field: above}").await.unwrap();
    let link = helpdesk.transitions[0].effects.as_ref().unwrap().link.clone().unwrap();
    assert_eq!((link.kind(), link.field.as_str()), (LinkKind::Related, "above"));
}
