//! Tickets that are sent on by hand: transfers, assignments, escalations (O3, O12, O13, I10).

use std::time::Duration;

use loket::v1::{
    AssignTicketRequest, Change, CreateReplyRequest, ErrorReason, EscalateTicketRequest, EscalateTicketResponse,
    Helpdesk, LinkKind, Reply, SplitReplyRequest, Ticket, TransferTicketRequest,
};
use loket_client::Error;

use super::database;
use crate::support::history::{given_to, history, updated};
use crate::support::{Caller, Desk, draft, fields, reason, told};

/// Three branches and a second tier; the field `branch` routes.
const BRANCHES: &str = "
display_name: Branches
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: open, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: take, from: [new], to: open, trigger: TRANSITION_TRIGGER_CLAIM}
- {id: close, from: [new, open], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
fields:
- {id: branch, type: FIELD_TYPE_CHOICE, choices: [{value: south}, {value: north}]}
- {id: complete, type: FIELD_TYPE_BOOLEAN, staff_only: true}
queues:
- {id: south, transfers_to: [north, second]}
- {id: north}
- {id: second}
- {id: old, retired: true}
routing:
- {when: ticket.fields.branch == 'north', queue: north}
default_queue: south
number_policy: {assigned_on: NUMBER_ASSIGNMENT_CLAIM, format: \"T-{number}\"}
escalations:
- id: second_tier
  mode: ESCALATION_MODE_CHILD
  queues: [second]
  from_queues: [south, north]
  roles: [ROLE_AGENT]
  guards: [{expression: ticket.fields.complete == 'true', message: Get all data first.}]
- {id: elsewhere, mode: ESCALATION_MODE_MOVE, queues: [south, north, second], from_statuses: [new]}
";

fn with_policy(policy: &str) -> String {
    format!("{BRANCHES}transfer_policy: {policy}\n")
}

async fn transfer(caller: &Caller, ticket: &str, queue: &str) -> Result<Ticket, Error> {
    let request = TransferTicketRequest {
        name: ticket.to_owned(),
        queue: queue.to_owned(),
        reason: "The wrong branch".to_owned(),
        ..TransferTicketRequest::default()
    };
    caller.transfer_ticket(request).await
}

async fn assign(caller: &Caller, ticket: &str, assignee: &str) -> Result<Ticket, Error> {
    let request = AssignTicketRequest {
        name: ticket.to_owned(),
        assignee: assignee.to_owned(),
        ..AssignTicketRequest::default()
    };
    caller.assign_ticket(request).await
}

async fn escalate(
    caller: &Caller,
    ticket: &str,
    escalation: &str,
    queue: &str,
) -> Result<EscalateTicketResponse, Error> {
    let request = EscalateTicketRequest {
        name: ticket.to_owned(),
        escalation: escalation.to_owned(),
        reason: "Too hard for us".to_owned(),
        queue: queue.to_owned(),
        ..EscalateTicketRequest::default()
    };
    caller.escalate_ticket(request).await
}

async fn last_change(caller: &Caller, ticket: &str) -> Change {
    caller.changes(ticket).await.unwrap().pop().unwrap()
}

#[tokio::test]
async fn a_transfer_queues_again_and_keeps_the_time_of_receipt() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let first = agent.create(draft("Wrong branch")).await.unwrap();
    let claimed = agent.claim(&first.name).await.unwrap();
    desk.clock.advance(Duration::from_hours(1));
    let other = agent.create(Ticket { fields: fields([("branch", "north")]), ..draft("Right") }).await.unwrap();
    desk.clock.advance(Duration::from_secs(1));

    let moved = transfer(&agent, &first.name, "north").await.unwrap();
    assert_eq!((moved.queue.as_str(), moved.assignee.as_str(), moved.status.as_str()), ("north", "", "open"));
    assert_eq!((moved.receive_time, moved.number.clone()), (first.receive_time, claimed.number));
    assert_eq!(moved.queue_time, Some(desk.clock.timestamp()));
    assert!(moved.hand_placed);
    let change = last_change(&agent, &first.name).await;
    assert_eq!((change.command.as_str(), change.reason.as_str()), ("TransferTicket", "The wrong branch"));
    let changed: Vec<_> = change.field_changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(changed, ["queue", "assignee", "queue_time", "hand_placed"]);
    // It waits behind who came there before it, and nobody waits where it was.
    assert_eq!(agent.claim_next("south").await.unwrap(), None);
    assert_eq!(agent.claim_next("north").await.unwrap().unwrap().name, other.name);
    assert_eq!(agent.claim_next("north").await.unwrap().unwrap().name, first.name);
}

#[tokio::test]
async fn a_transfer_may_keep_the_place_and_the_assignee() {
    let desk = Desk::of(database(), &with_policy("{placement: TRANSFER_PLACEMENT_KEEP_PLACE}")).await;
    let agent = desk.agent("budi").await;
    let first = agent.create(draft("Wrong branch")).await.unwrap();
    desk.clock.advance(Duration::from_secs(1));
    agent.create(Ticket { fields: fields([("branch", "north")]), ..draft("Later") }).await.unwrap();
    let moved = transfer(&agent, &first.name, "north").await.unwrap();
    assert_eq!(moved.queue_time, first.queue_time);
    assert_eq!(agent.claim_next("north").await.unwrap().unwrap().name, first.name);

    let desk = Desk::of(database(), &with_policy("{keep_assignee: true}")).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Mine")).await.unwrap();
    agent.claim(&ticket.name).await.unwrap();
    assert_eq!(transfer(&agent, &ticket.name, "north").await.unwrap().assignee, "budi");
}

#[tokio::test]
async fn who_may_transfer_and_when_is_the_helpdesks_to_say() {
    let policy = "{roles: [ROLE_AGENT, ROLE_SUPERVISOR], claimed_only: true}";
    let desk = Desk::of(database(), &with_policy(policy)).await;
    let (agent, other) = (desk.agent("budi").await, desk.agent("dewi").await);
    let ticket = agent.create(draft("Wrong branch")).await.unwrap();
    insta::assert_snapshot!(told(transfer(&agent, &ticket.name, "north").await), @r"
    FailedPrecondition TRANSFER_REFUSED
    helpdesks/desk/tickets/1 cannot be transferred to the queue north: an agent transfers only a ticket that it has; claim it first
    - helpdesks/desk/tickets/1: an agent transfers only a ticket that it has; claim it first
    ");
    agent.claim(&ticket.name).await.unwrap();
    assert_eq!(reason(transfer(&other, &ticket.name, "north").await), ErrorReason::TransferRefused);
    assert_eq!(reason(transfer(&desk.service("mail").await, &ticket.name, "north").await), ErrorReason::RoleNotAllowed);
    transfer(&agent, &ticket.name, "north").await.unwrap();
    // An escalation that moves is no way around it.
    let fresh = agent.create(draft("Another")).await.unwrap();
    insta::assert_snapshot!(told(escalate(&agent, &fresh.name, "elsewhere", "north").await), @r"
    FailedPrecondition ESCALATION_REFUSED
    the escalation elsewhere cannot be taken on helpdesks/desk/tickets/2: an agent sends on only a ticket that it has; claim it first
    - helpdesks/desk/tickets/2: an agent sends on only a ticket that it has; claim it first
    ");
    escalate(&desk.supervisor("citra").await, &fresh.name, "elsewhere", "north").await.unwrap();
    transfer(&desk.supervisor("citra").await, &ticket.name, "south").await.unwrap();
    let requester = desk.requester("customer@example.com").await;
    assert_eq!(reason(transfer(&requester, &ticket.name, "north").await), ErrorReason::RoleNotAllowed);
    // Where it went is the requester's to know; why is not.
    let seen = requester.changes(&ticket.name).await.unwrap();
    assert!(seen.iter().any(|change| change.command == "TransferTicket"));
    assert!(seen.iter().all(|change| change.reason.is_empty()), "{seen:?}");
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_transfer_is_told() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let bare = |queue: &str| TransferTicketRequest {
        name: ticket.name.clone(),
        queue: queue.to_owned(),
        ..TransferTicketRequest::default()
    };
    insta::assert_snapshot!(told(agent.transfer_ticket(bare("west")).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - queue: there is no queue "west"; there are south, north, second
    - reason: is required: 1 to 1000 characters
    "#);
    insta::assert_snapshot!(told(transfer(&agent, &ticket.name, "old").await), @r"
    InvalidArgument INVALID_REQUEST
    queue: the queue `old` is retired; there are south, north, second
    - queue: the queue `old` is retired; there are south, north, second
    ");
    insta::assert_snapshot!(told(transfer(&agent, &ticket.name, "south").await), @r"
    FailedPrecondition TRANSFER_REFUSED
    helpdesks/desk/tickets/1 cannot be transferred to the queue south: it is in the queue `south` already
    - helpdesks/desk/tickets/1: it is in the queue `south` already
    ");
    let stale = TransferTicketRequest { etag: "\"ff\"".to_owned(), ..bare("west") };
    assert_eq!(reason(agent.transfer_ticket(stale).await), ErrorReason::EtagMismatch);
    agent.transition(&ticket.name, "close").await.unwrap();
    assert_eq!(reason(transfer(&agent, &ticket.name, "north").await), ErrorReason::TransferRefused);
}

#[tokio::test]
async fn what_was_hand_placed_is_not_routed_back() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let change = async |ticket: &Ticket, branch: &str| {
        let ticket = Ticket { name: ticket.name.clone(), fields: fields([("branch", branch)]), ..Ticket::default() };
        agent.update(ticket, &["fields.branch"]).await.unwrap().queue
    };
    let routed = agent.create(draft("Routed")).await.unwrap();
    assert_eq!(change(&routed, "north").await, "north");
    let placed = agent.create(draft("Placed")).await.unwrap();
    transfer(&agent, &placed.name, "second").await.unwrap();
    assert_eq!(change(&placed, "north").await, "second");
    assert_eq!(transfer(&agent, &placed.name, "north").await.unwrap().queue, "north");
    assert_eq!(change(&placed, "south").await, "north");
}

#[tokio::test]
async fn a_new_value_that_routes_is_a_transfer() {
    for (policy, assignee, requeued) in [
        ("{}", "", true),
        ("{keep_assignee: true}", "budi", true),
        ("{placement: TRANSFER_PLACEMENT_KEEP_PLACE}", "", false),
    ] {
        let desk = Desk::of(database(), &with_policy(policy)).await;
        let agent = desk.agent("budi").await;
        for by_reply in [false, true] {
            let ticket = agent.create(draft("Printer")).await.unwrap();
            agent.claim(&ticket.name).await.unwrap();
            desk.clock.advance(Duration::from_mins(1));
            let north = fields([("branch", "north")]);
            if by_reply {
                let reply = Some(Reply { body: "It is the north's".to_owned(), ..Reply::default() });
                let (parent, fields) = (ticket.name.clone(), north);
                let request = CreateReplyRequest { parent, reply, fields, ..CreateReplyRequest::default() };
                agent.create_reply(request).await.unwrap();
            } else {
                let update = Ticket { name: ticket.name.clone(), fields: north, ..Ticket::default() };
                agent.update(update, &["fields.branch"]).await.unwrap();
            }
            let moved = agent.get(&ticket.name).await.unwrap();
            assert_eq!((moved.queue.as_str(), moved.assignee.as_str()), ("north", assignee), "{policy}");
            assert_eq!(moved.queue_time != ticket.queue_time, requeued, "{policy}");
            assert!(!moved.hand_placed);
            // Nobody's, it waits there.
            let next = agent.claim_next("north").await.unwrap();
            assert_eq!(next.is_some(), assignee.is_empty(), "{policy}");
        }
    }
}

/// Who has the ticket did not ask for that; and of the past it is told by itself who had it.
#[tokio::test]
async fn a_requesters_value_and_one_that_is_imported_take_a_ticket_from_nobody() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    agent.claim(&ticket.name).await.unwrap();
    let north = Ticket { name: ticket.name.clone(), fields: fields([("branch", "north")]), ..Ticket::default() };
    let requester = desk.requester(&ticket.requester).await;
    let moved = requester.update(north.clone(), &["fields.branch"]).await.unwrap();
    assert_eq!((moved.queue.as_str(), moved.assignee.as_str()), ("north", "budi"));

    let events = vec![given_to(10, "citra", "citra"), updated(20, "citra", north, &["fields.branch"])];
    let imported = desk.admin().import(history("Fax", events)).await.unwrap();
    assert_eq!((imported.queue.as_str(), imported.assignee.as_str()), ("north", "citra"));
}

#[tokio::test]
async fn a_supervisor_assigns_and_the_first_assignment_gives_the_number() {
    let desk = Desk::of(database(), BRANCHES).await;
    let supervisor = desk.supervisor("citra").await;
    let ticket = supervisor.create(draft("Printer")).await.unwrap();
    let given = assign(&supervisor, &ticket.name, "budi").await.unwrap();
    // What a claim sets off, an assignment does too.
    assert_eq!((given.assignee.as_str(), given.number.as_str(), given.status.as_str()), ("budi", "T-1", "open"));
    assert_eq!(assign(&supervisor, &ticket.name, "budi").await.unwrap(), given);
    let again = assign(&supervisor, &ticket.name, "dewi").await.unwrap();
    assert_eq!((again.assignee.as_str(), again.number.as_str()), ("dewi", "T-1"));
    desk.clock.advance(Duration::from_secs(1));
    let back = assign(&supervisor, &ticket.name, "").await.unwrap();
    assert_eq!((back.assignee.as_str(), back.queue_time), ("", Some(desk.clock.timestamp())));
    assert_eq!(supervisor.claim_next("south").await.unwrap().unwrap().name, ticket.name);
    supervisor.transition(&ticket.name, "close").await.unwrap();
    assert_eq!(reason(assign(&supervisor, &ticket.name, "budi").await), ErrorReason::TicketNotReady);
}

#[tokio::test]
async fn an_agent_assigns_to_and_from_itself() {
    let desk = Desk::of(database(), BRANCHES).await;
    let (budi, dewi) = (desk.agent("budi").await, desk.agent("dewi").await);
    let ticket = budi.create(draft("Printer")).await.unwrap();
    assert_eq!(reason(assign(&budi, &ticket.name, "dewi").await), ErrorReason::RoleNotAllowed);
    assert_eq!(assign(&budi, &ticket.name, "budi").await.unwrap().assignee, "budi");
    assert_eq!(reason(assign(&dewi, &ticket.name, "dewi").await), ErrorReason::AlreadyClaimed);
    assert_eq!(reason(assign(&dewi, &ticket.name, "").await), ErrorReason::AlreadyClaimed);
    assert_eq!(assign(&budi, &ticket.name, "").await.unwrap().assignee, "");
    let requester = desk.requester("customer@example.com").await;
    assert_eq!(reason(assign(&requester, &ticket.name, "budi").await), ErrorReason::RoleNotAllowed);
    insta::assert_snapshot!(told(assign(&desk.supervisor("citra").await, &ticket.name, "budi ").await), @r#"
    InvalidArgument INVALID_REQUEST
    assignee: has spaces around it; write "budi"
    - assignee: has spaces around it; write "budi"
    "#);
}

#[tokio::test]
async fn a_child_is_filed_and_linked_in_one_revision_once_its_guard_holds() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(Ticket { priority: String::new(), ..draft("Printer") }).await.unwrap();
    insta::assert_snapshot!(told(escalate(&agent, &ticket.name, "second_tier", "").await), @r"
    FailedPrecondition ESCALATION_REFUSED
    the escalation second_tier cannot be taken on helpdesks/desk/tickets/1: Get all data first
    - second_tier: Get all data first.
    ");
    let complete = Ticket { name: ticket.name.clone(), fields: fields([("complete", "true")]), ..Ticket::default() };
    agent.update(complete, &["fields.complete"]).await.unwrap();
    let head = desk.head().await;

    let answer = escalate(&agent, &ticket.name, "second_tier", "").await.unwrap();
    assert_eq!(desk.head().await, head + 1);
    let (parent, child) = (answer.ticket.unwrap(), answer.child.unwrap());
    assert_eq!((parent.revision, child.revision), (head + 1, head + 1));
    assert_eq!((parent.queue.as_str(), child.queue.as_str(), child.status.as_str()), ("south", "second", "new"));
    let links =
        |ticket: &Ticket| -> Vec<_> { ticket.links.iter().map(|link| (link.ticket.clone(), link.kind())).collect() };
    assert_eq!(links(&parent), [(child.name.clone(), LinkKind::Child)]);
    assert_eq!(links(&child), [(parent.name.clone(), LinkKind::Parent)]);
    let read = agent.get(&child.name).await.unwrap();
    assert_eq!((read.body.as_str(), read.subject.as_str()), ("The whole story.", "Printer"));
    assert_eq!((read.requester, read.fields), (ticket.requester, fields([("complete", "true")])));
    let (one, two) = (last_change(&agent, &parent.name).await, last_change(&agent, &child.name).await);
    assert_eq!((one.revision, one.ordinal, two.revision, two.ordinal), (head + 1, 0, head + 1, 1));
    assert_eq!(agent.claim_next("second").await.unwrap().unwrap().name, child.name);
    // Nor does it lead on from where it leads to.
    assert_eq!(reason(escalate(&agent, &child.name, "second_tier", "").await), ErrorReason::EscalationRefused);
    // What changes nothing of the child is told again as the child, though its revision begins with the parent.
    let sibling = escalate(&agent, &ticket.name, "second_tier", "").await.unwrap().child.unwrap();
    let idle = AssignTicketRequest {
        name: sibling.name.clone(),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..AssignTicketRequest::default()
    };
    for _ in 0..2 {
        assert_eq!(agent.assign_ticket(idle.clone()).await.unwrap().name, sibling.name);
    }
    // The child is the same requester's, who sees the link to it.
    let requester = desk.requester("customer@example.com").await;
    assert_eq!(requester.get(&parent.name).await.unwrap().links, agent.get(&parent.name).await.unwrap().links);
}

#[tokio::test]
async fn an_escalation_that_moves_chooses_among_its_queues() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    insta::assert_snapshot!(told(escalate(&agent, &ticket.name, "elsewhere", "").await), @r"
    InvalidArgument INVALID_REQUEST
    queue: is required: one of south, north, second
    - queue: is required: one of south, north, second
    ");
    insta::assert_snapshot!(told(escalate(&agent, &ticket.name, "up", "north").await), @r#"
    InvalidArgument INVALID_REQUEST
    escalation: there is no escalation "up"; there are second_tier, elsewhere
    - escalation: there is no escalation "up"; there are second_tier, elsewhere
    "#);
    let moved = escalate(&agent, &ticket.name, "elsewhere", "second").await.unwrap();
    assert_eq!((moved.ticket.unwrap().queue.as_str(), moved.child), ("second", None));
    agent.claim(&ticket.name).await.unwrap();
    insta::assert_snapshot!(told(escalate(&agent, &ticket.name, "elsewhere", "second").await), @r"
    FailedPrecondition ESCALATION_REFUSED
    the escalation elsewhere cannot be taken on helpdesks/desk/tickets/1: it leads on from: new; not from `open`; it is in the queue `second` already
    - helpdesks/desk/tickets/1: it leads on from: new; not from `open`
    - helpdesks/desk/tickets/1: it is in the queue `second` already
    ");
    let supervisor = desk.supervisor("citra").await;
    assert_eq!(reason(escalate(&supervisor, &ticket.name, "second_tier", "").await), ErrorReason::RoleNotAllowed);
}

#[tokio::test]
async fn a_definition_whose_ways_lead_nowhere_is_refused_with_everything_that_is_wrong() {
    let desk = Desk::open(database()).await;
    let yaml = BRANCHES
        .replace("transfers_to: [north, second]", "transfers_to: [west, south]")
        .replace("queues: [second]", "queues: [old]")
        .replace("from_statuses: [new]", "from_statuses: [closed]")
        .replace("- {id: north}", "- {id: north, skill_field: complete}");
    let yaml = format!("{yaml}transfer_policy: {{roles: [ROLE_REQUESTER]}}\n");
    let helpdesk = Some(loket::json::helpdesk_from_yaml(&yaml).unwrap());
    let request = loket::v1::CreateHelpdeskRequest {
        helpdesk_id: "wrong".to_owned(),
        helpdesk,
        ..loket::v1::CreateHelpdeskRequest::default()
    };
    insta::assert_snapshot!(told(desk.admin().create_helpdesk(request).await), @r#"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 6
    - queues[0].transfers_to[0]: there is no queue "west": valid are `south`, `north` or `second`
    - queues[0].transfers_to[1]: is this queue itself, where its tickets are already: leave it out
    - queues[1].skill_field: `complete` has no choices: a skill is one of a CHOICE or TREE field
    - transfer_policy.roles[0]: it is the staff's, and never comes from the role `requester`: valid are `agent`, `supervisor`, `service` or `admin`
    - escalations[0].queues[0]: the queue `old` is retired and takes nothing new: valid are `south`, `north` or `second`
    - escalations[1].from_statuses[0]: `closed` is closed: nothing is escalated from there
    "#);
}

#[tokio::test]
async fn people_ahead_are_counted_for_staff_and_requester_while_a_ticket_waits() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester("customer@example.com").await;
    let mut tickets = Vec::new();
    for number in 0..4 {
        tickets.push(agent.create(draft(&format!("Ticket {number}"))).await.unwrap());
        desk.clock.advance(Duration::from_secs(1));
    }
    for (ahead, ticket) in (0..).zip(&tickets) {
        // Only where one ticket is asked for.
        assert_eq!(ticket.tickets_ahead, None);
        assert_eq!(agent.get(&ticket.name).await.unwrap().tickets_ahead, Some(ahead));
        assert_eq!(ani.get(&ticket.name).await.unwrap().tickets_ahead, Some(ahead));
    }
    assert!(agent.list("").await.unwrap().iter().all(|ticket| ticket.tickets_ahead.is_none()));
    agent.claim(&tickets[1].name).await.unwrap();
    assert_eq!(agent.get(&tickets[1].name).await.unwrap().tickets_ahead, None);
    assert_eq!(ani.get(&tickets[3].name).await.unwrap().tickets_ahead, Some(2));
    // A transfer puts it to the end of another line.
    transfer(&agent, &tickets[0].name, "north").await.unwrap();
    assert_eq!(ani.get(&tickets[3].name).await.unwrap().tickets_ahead, Some(1));
    assert_eq!(ani.get(&tickets[0].name).await.unwrap().tickets_ahead, Some(0));
}

#[tokio::test]
async fn no_more_than_a_thousand_people_ahead_are_counted() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let tickets = agent.fill((0..1_003).map(|number| draft(&format!("Ticket {number}")))).await;
    for (place, ahead) in [(0, 0), (999, 999), (1_000, 1_000), (1_001, 1_000), (1_002, 1_000)] {
        let ticket = agent.get(&tickets[place].name).await.unwrap();
        assert_eq!(ticket.tickets_ahead, Some(ahead), "{place} wait before it");
    }
}

/// Has numbers given in a format that comes upon those of the next: what that would write first is there already.
async fn overtaken(desk: &Desk, number: impl AsyncFn() -> String) {
    let format = async |format: &str| {
        let set = |helpdesk: &mut Helpdesk| format.clone_into(&mut helpdesk.number_policy.as_mut().unwrap().format);
        desk.redefine(set).await.unwrap();
    };
    format("1{number}").await;
    for next in 2..=11 {
        assert_eq!(number().await, format!("1{next}"));
    }
    format("{number}").await;
}

#[tokio::test]
async fn an_assignment_passes_over_the_numbers_there_are() {
    let desk = Desk::of(database(), &BRANCHES.replace("T-{number}", "{number}")).await;
    let supervisor = desk.supervisor("citra").await;
    let number = async || {
        let ticket = supervisor.create(draft("Printer")).await.unwrap();
        assign(&supervisor, &ticket.name, "budi").await.unwrap().number
    };
    assert_eq!(number().await, "1");
    overtaken(&desk, number).await;
    assert_eq!(number().await, "20");
}

#[tokio::test]
async fn a_ticket_that_is_split_off_passes_over_the_numbers_there_are() {
    let yaml = BRANCHES.replace("assigned_on: NUMBER_ASSIGNMENT_CLAIM, format: \"T-{number}\"", "format: \"{number}\"");
    let desk = Desk::of(database(), &yaml).await;
    let supervisor = desk.supervisor("citra").await;
    let requester = desk.requester("customer@example.com").await;
    let first = supervisor.create(draft("Printer")).await.unwrap();
    assert_eq!(first.number, "1");
    let reply = requester.reply(&first.name, "Another matter").await.unwrap();
    overtaken(&desk, async || supervisor.create(draft("Printer")).await.unwrap().number).await;
    let split = SplitReplyRequest {
        parent: first.name,
        replies: vec![reply.name],
        ticket: Some(Ticket { subject: "Apart".to_owned(), ..Ticket::default() }),
        ..SplitReplyRequest::default()
    };
    assert_eq!(supervisor.split_reply(split).await.unwrap().number, "20");
}

#[tokio::test]
async fn a_child_stays_where_its_escalation_has_put_it() {
    let desk = Desk::of(database(), BRANCHES).await;
    let agent = desk.agent("budi").await;
    let complete = Ticket { fields: fields([("complete", "true")]), ..draft("Printer") };
    let ticket = agent.create(complete).await.unwrap();
    let child = escalate(&agent, &ticket.name, "second_tier", "").await.unwrap().child.unwrap();
    let north = Ticket { name: child.name, fields: fields([("branch", "north")]), ..Ticket::default() };
    assert_eq!(agent.update(north, &["fields.branch"]).await.unwrap().queue, "second");
}
