//! Policies of a helpdesk: empty replies, mandatory addresses, rules for replies, read receipts.

use futures_util::future::join_all;
use insta::assert_snapshot;
use loket::v1::{CreateReplyRequest, ErrorReason, MarkTicketReadRequest, Reply, ReplyKind, Ticket};
use loket_client::Error;
use uuid::Uuid;

use super::database;
use crate::support::{Caller, Desk, SIMPLE, draft, own, reason, told};

const DESK: &str = "
display_name: Policies
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: read, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: claimed, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: asked, state: STATE_WAITING, waits_on: WAITS_ON_REQUESTER}
- id: closed
  state: STATE_CLOSED
  waits_on: WAITS_ON_NOBODY
  requester_reply: REPLY_POLICY_REFUSE
  requester_reply_message: It is over.
initial_status: new
transitions:
- {id: mark_read, from: [new], to: read, trigger: TRANSITION_TRIGGER_READ}
- {id: claim, from: [new, read], to: claimed, trigger: TRANSITION_TRIGGER_CLAIM}
- {id: ask, from: [new, read, claimed], to: asked, trigger: TRANSITION_TRIGGER_AGENT_REPLY}
- {id: back, from: [asked], to: claimed, trigger: TRANSITION_TRIGGER_REQUESTER_REPLY}
- {id: close, from: [new, read, claimed, asked], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: reopen, from: [closed], to: claimed, trigger: TRANSITION_TRIGGER_MANUAL}
queues: [{id: main}]
default_queue: main
number_policy: {assigned_on: NUMBER_ASSIGNMENT_CLAIM, format: 'N{number}'}
empty_reply: EMPTY_REPLY_POLICY_CLAIM
mandatory_cc: [Desk@Example.com, boss@example.com]
reply_rules:
- {expression: reply.kind == 'note' || reply.links == 0 || reply.words >= 5, message: Explain in words.}
- {expression: reply.links < 2 || reply.lines >= 2, message: One line for each link.}
- {expression: ticket.status != 'closed', message: It is over., roles: [ROLE_AGENT]}
";

async fn desk() -> Desk {
    Desk::of(database(), DESK).await
}

async fn empty(caller: &Caller, ticket: &Ticket) -> Result<Reply, Error> {
    caller.reply(&ticket.name, " \n").await
}

#[tokio::test]
async fn an_empty_reply_is_a_claim_that_one_wins() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    let ticket = ani.create(own("Printer")).await.unwrap();
    assert_eq!(ticket.number, "");
    let mut agents = Vec::new();
    for place in 0..8 {
        agents.push(desk.agent(&format!("agent-{place}")).await);
    }
    let answers = join_all(agents.iter().map(|agent| empty(agent, &ticket))).await;
    let claimed = agents[0].get(&ticket.name).await.unwrap();
    assert_eq!((claimed.status.as_str(), claimed.number.as_str(), claimed.reply_count), ("claimed", "N1", 0));
    let mut winners = 0;
    for (answer, place) in answers.into_iter().zip(0..) {
        match answer {
            Ok(won) => {
                winners += 1;
                assert_eq!(claimed.assignee, format!("agent-{place}"));
                assert_eq!((won.claimed_ticket.as_str(), won.claimed_number.as_str()), (ticket.name.as_str(), "N1"));
                assert_eq!((won.author, won.revision), (claimed.assignee.clone(), claimed.revision));
                assert_eq!((won.name.as_str(), won.body.as_str()), ("", ""));
            }
            Err(lost) => {
                assert_eq!(lost.metadata()["assignee"], claimed.assignee);
                assert_eq!(reason::<()>(Err(lost)), ErrorReason::AlreadyClaimed);
            }
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(agents[0].replies(&ticket.name).await.unwrap(), []);
    let taken: Vec<_> = ani.changes(&ticket.name).await.unwrap().into_iter().map(|change| change.transition).collect();
    assert_eq!(taken, ["", "claim"]);
}

#[tokio::test]
async fn an_empty_reply_that_claims_is_safe_to_repeat() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let request = |validate_only| CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply::default()),
        request_id: Uuid::new_v4().to_string(),
        validate_only,
        ..CreateReplyRequest::default()
    };
    let validated = agent.create_reply(request(true)).await.unwrap();
    assert_eq!((validated.claimed_ticket.as_str(), desk.head().await), (ticket.name.as_str(), 1));
    let claim = request(false);
    let won = agent.create_reply(claim.clone()).await.unwrap();
    // One's own ticket again changes nothing; nor does what others do to it afterwards change the old answer.
    assert_eq!(empty(&agent, &ticket).await.unwrap(), won);
    agent.reply(&ticket.name, "What is it that burns?").await.unwrap();
    let own = request(false);
    let again = agent.create_reply(own.clone()).await.unwrap();
    assert_eq!(again.claimed_ticket, ticket.name);
    assert_eq!(agent.create_reply(own).await.unwrap(), again);
    assert_eq!(agent.create_reply(claim).await.unwrap(), won);
}

#[tokio::test]
async fn an_empty_reply_is_an_error_where_it_claims_nothing() {
    let desk = desk().await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Printer")).await.unwrap();
    agent.reply(&ticket.name, "What is it that burns?").await.unwrap();
    assert_snapshot!(told(empty(&agent, &ticket).await), @r"
    InvalidArgument INVALID_REQUEST
    reply.body: is empty, which claims a ticket that waits; in the status `asked` this one does not wait: write 1 to 65536 characters
    - reply.body: is empty, which claims a ticket that waits; in the status `asked` this one does not wait: write 1 to 65536 characters
    ");
    assert_eq!(reason(empty(&ani, &ticket).await), ErrorReason::InvalidRequest);
    assert_eq!(reason(empty(&desk.service("mail").await, &ticket).await), ErrorReason::InvalidRequest);
    assert_eq!(reason(agent.note(&ticket.name, "").await), ErrorReason::InvalidRequest);
    let solving = CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply { solution: "Water".to_owned(), ..Reply::default() }),
        ..CreateReplyRequest::default()
    };
    assert_eq!(reason(agent.create_reply(solving).await), ErrorReason::InvalidRequest);

    let simple = Desk::of(database(), SIMPLE).await;
    let agent = simple.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    assert_eq!(reason(empty(&agent, &ticket).await), ErrorReason::InvalidRequest);
    assert_eq!(agent.get(&ticket.name).await.unwrap().assignee, "");
}

async fn set_cc(caller: &Caller, ticket: &Ticket, cc: &[&str]) -> Result<Ticket, Error> {
    let cc = cc.iter().map(|address| (*address).to_owned()).collect();
    caller.update(Ticket { name: ticket.name.clone(), cc, ..Ticket::default() }, &["cc"]).await
}

#[tokio::test]
async fn mandatory_addresses_are_on_every_ticket_and_stay() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    let with = Ticket { cc: vec!["friend@example.com".to_owned(), "boss@example.com".to_owned()], ..own("Printer") };
    let ticket = ani.create(with).await.unwrap();
    assert_eq!(ticket.cc, ["boss@example.com", "desk@example.com", "friend@example.com"]);
    assert_snapshot!(told(set_cc(&ani, &ticket, &["friend@example.com"]).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - ticket.cc: boss@example.com is on the cc of every ticket of this helpdesk: leave it there
    - ticket.cc: desk@example.com is on the cc of every ticket of this helpdesk: leave it there
    ");
    let kept = set_cc(&ani, &ticket, &["desk@example.com", "boss@example.com"]).await.unwrap();
    assert_eq!(kept.cc, ["boss@example.com", "desk@example.com"]);
    assert_eq!(ani.list("cc:desk@example.com").await.unwrap().len(), 1);
}

#[tokio::test]
async fn mandatory_addresses_leave_room_for_fifty_others() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    let others = (0..50).map(|number| format!("c{number}@example.com"));
    let ticket = ani.create(Ticket { cc: others.collect(), ..own("Printer") }).await.unwrap();
    assert_eq!(ticket.cc.len(), 52);
    // As it was read, with one changed for another.
    let mut cc: Vec<&str> = ticket.cc.iter().map(String::as_str).collect();
    cc.retain(|address| *address != "c7@example.com");
    cc.push("friend@example.com");
    assert_eq!(set_cc(&ani, &ticket, &cc).await.unwrap().cc.len(), 52);
    cc.retain(|address| *address != "boss@example.com");
    cc.push("c7@example.com");
    assert_snapshot!(told(set_cc(&ani, &ticket, &cc).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.cc: has 51 addresses; at most 50 are taken
    - ticket.cc: has 51 addresses; at most 50 are taken
    ");
}

#[tokio::test]
async fn a_ticket_from_before_gets_new_mandatory_addresses_with_its_next_change() {
    let desk = Desk::of(database(), SIMPLE).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let changed = desk
        .redefine_parts(&["mandatory_cc"], |it| it.mandatory_cc = vec!["boss@example.com".to_owned()])
        .await
        .unwrap();
    assert_eq!(changed.mandatory_cc, ["boss@example.com"]);
    assert_eq!(agent.get(&ticket.name).await.unwrap().cc, Vec::<String>::new());
    // Nobody has to name them who sets others.
    let next = set_cc(&agent, &ticket, &["friend@example.com"]).await.unwrap();
    assert_eq!(next.cc, ["boss@example.com", "friend@example.com"]);
    let other = agent.create(draft("Other")).await.unwrap();
    desk.redefine_parts(&["mandatory_cc"], |it| it.mandatory_cc.clear()).await.unwrap();
    assert_eq!(set_cc(&agent, &other, &[]).await.unwrap().cc, Vec::<String>::new());
}

#[tokio::test]
async fn a_reply_that_breaks_rules_is_told_all_of_them() {
    let desk = desk().await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Printer")).await.unwrap();
    let links = "See https://example.com/a and <www.example.com>";
    let before = desk.head().await;
    assert_snapshot!(told(agent.reply(&ticket.name, links).await), @r"
    FailedPrecondition REPLY_RULE_BROKEN
    the reply on helpdesks/desk/tickets/1 is not as this helpdesk asks: Explain in words; One line for each link
    - reply_rules[0]: Explain in words.
    - reply_rules[1]: One line for each link.
    ");
    // A note may hold links alone, but not many in one line.
    assert_snapshot!(told(agent.note(&ticket.name, links).await), @r"
    FailedPrecondition REPLY_RULE_BROKEN
    the reply on helpdesks/desk/tickets/1 is not as this helpdesk asks: One line for each link
    - reply_rules[1]: One line for each link.
    ");
    assert_eq!(desk.head().await, before);
    agent.note(&ticket.name, "https://example.com/a").await.unwrap();
    // The rules are for those whom they name.
    ani.reply(&ticket.name, links).await.unwrap();
    desk.service("mail").await.reply(&ticket.name, links).await.unwrap();
    let steps = "1. Open https://example.com/a in a browser\n2. Look it up at www.example.com";
    agent.reply(&ticket.name, steps).await.unwrap();
    let supervisor = desk.supervisor("citra").await;
    supervisor.transition(&ticket.name, "close").await.unwrap();
    assert_snapshot!(told(agent.reply(&ticket.name, "One more thing").await), @r"
    FailedPrecondition REPLY_RULE_BROKEN
    the reply on helpdesks/desk/tickets/1 is not as this helpdesk asks: It is over
    - reply_rules[2]: It is over.
    ");
    supervisor.reply(&ticket.name, "One more thing").await.unwrap();
    let refused = ani.reply(&ticket.name, "Why?").await.unwrap_err();
    // What may become of the ticket is told too.
    assert_eq!(refused.metadata()["leads_to"], "claimed");
    assert_eq!(reason::<()>(Err(refused)), ErrorReason::ReplyRefused);
    desk.redefine_parts(&["reply_rules"], |it| it.reply_rules.clear()).await.unwrap();
    agent.reply(&ticket.name, links).await.unwrap();
}

async fn read(caller: &Caller, ticket: &Ticket) -> Result<Ticket, Error> {
    caller
        .mark_ticket_read(MarkTicketReadRequest { name: ticket.name.clone(), ..MarkTicketReadRequest::default() })
        .await
}

#[tokio::test]
async fn a_ticket_is_marked_read_once_and_moves() {
    let desk = desk().await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Printer")).await.unwrap();
    assert_eq!(reason(read(&ani, &ticket).await), ErrorReason::RoleNotAllowed);
    let stranger = desk.requester("eve@example.com").await;
    assert_eq!(reason(read(&stranger, &ticket).await), ErrorReason::ResourceNotFound);
    let stale = MarkTicketReadRequest {
        name: ticket.name.clone(),
        etag: "\"ff\"".to_owned(),
        ..MarkTicketReadRequest::default()
    };
    assert_eq!(reason(agent.mark_ticket_read(stale).await), ErrorReason::EtagMismatch);

    let marked = read(&agent, &ticket).await.unwrap();
    assert_eq!((marked.status.as_str(), marked.read_time), ("read", Some(desk.clock.timestamp())));
    assert_eq!((marked.assignee.as_str(), marked.queue_time), ("", ticket.queue_time), "it waits where it waited");
    desk.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(read(&desk.agent("dewi").await, &ticket).await.unwrap(), marked);
    // The requester sees that it was read, and when.
    let seen = ani.get(&ticket.name).await.unwrap();
    assert_eq!((seen.status.as_str(), seen.read_time), ("read", marked.read_time));
    let change = ani.changes(&ticket.name).await.unwrap().pop().unwrap();
    assert_eq!((change.command.as_str(), change.transition.as_str()), ("MarkTicketRead", "mark_read"));
    let fields: Vec<_> = change.field_changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["status", "state", "read_time"]);

    // Where no transition comes with it, it is only noted.
    let other = ani.create(own("Other")).await.unwrap();
    agent.claim(&other.name).await.unwrap();
    let noted = read(&agent, &other).await.unwrap();
    assert_eq!(noted.status, "claimed");
    assert!(noted.read_time.is_some());
    // An answer is no receipt.
    let answered = ani.create(own("Third")).await.unwrap();
    agent.reply(&answered.name, "What is it that burns?").await.unwrap();
    assert_eq!(agent.get(&answered.name).await.unwrap().read_time, None);
}

#[tokio::test]
async fn a_first_answer_may_do_what_a_later_one_does_not() {
    let desk = Desk::of(
        database(),
        &SIMPLE.replace(
            "transitions:\n",
            "transitions:\n- id: first\n  from: [new, open]\n  to: open\n  trigger: TRANSITION_TRIGGER_AGENT_REPLY\n  \
             guards: [{expression: ticket.staff_reply_count == 1, message: It is not the first.}]\n",
        ),
    )
    .await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let note = Reply { body: "Hot".to_owned(), kind: ReplyKind::Note.into(), ..Reply::default() };
    let request =
        CreateReplyRequest { parent: ticket.name.clone(), reply: Some(note), ..CreateReplyRequest::default() };
    agent.create_reply(request).await.unwrap();
    agent.reply(&ticket.name, "Hello").await.unwrap();
    agent.reply(&ticket.name, "Hello again").await.unwrap();
    let taken: Vec<_> = agent.changes(&ticket.name).await.unwrap().into_iter().map(|it| it.transition).collect();
    assert_eq!(taken, ["", "", "first", ""]);
}
