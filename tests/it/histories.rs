//! Histories that are imported: each event at its own time and by who did it, one revision each.

mod claims;
mod mapped;
mod refused;
mod replay;
mod seen;

use std::collections::BTreeMap;

use loket::v1::{Change, ClaimTicketRequest, ErrorReason, ExternalRef, ReplyKind, Role, State, Ticket, TicketHistory};
use prost_types::Timestamp;

use super::agents::register;
use super::database;
use crate::support::history::{at, by, comes_to, given_to, goes_to, history, says, updated};
use crate::support::{Caller, Desk, RICH, draft, fields, reason};

async fn desk() -> Desk {
    Desk::of(database(), RICH).await
}

/// Everything that the definition knows happened to it, hand-overs and a reopening included.
fn eventful() -> TicketHistory {
    let order = fields([("product", "app"), ("amount", "7")]);
    let ticket = Ticket { fields: order, tags: vec!["old".to_owned()], ..draft("Printer on fire") };
    let ticket = Ticket { external_refs: vec![reference("INC1")], ..ticket };
    let solved = comes_to(800, "budi", "solved");
    let events = vec![
        comes_to(60, "budi", "open"),
        given_to(90, "budi", "budi"),
        updated(100, "budi", Ticket { priority: "high".to_owned(), ..Ticket::default() }, &["priority"]),
        says(120, "budi", ReplyKind::Public, "Is it hot?"),
        by(Role::Requester, says(180, "", ReplyKind::Public, "It is.")),
        says(190, "budi", ReplyKind::Note, "Not mine."),
        goes_to(200, "budi", "pay", "It is theirs"),
        comes_to(300, "citra", "open"),
        by(Role::Supervisor, given_to(310, "dewi", "citra")),
        solution(solved),
        by(Role::Supervisor, comes_to(900, "dewi", "closed")),
        by(Role::Supervisor, comes_to(1_000, "dewi", "open")),
    ];
    TicketHistory { ticket: Some(ticket), events, ..history("", Vec::new()) }
}

fn solution(mut event: loket::v1::HistoryEvent) -> loket::v1::HistoryEvent {
    let Some(loket::v1::history_event::Operation::Status(status)) = &mut event.operation else { panic!("{event:?}") };
    "Water".clone_into(&mut status.solution);
    status.fields = fields([("cause", "heat")]);
    event
}

fn reference(id: &str) -> ExternalRef {
    ExternalRef { source: "old".to_owned(), id: id.to_owned() }
}

fn micros(time: Option<&Timestamp>) -> i64 {
    let time = time.unwrap();
    time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000
}

/// What the field changes come to.
fn folded(changes: &[Change]) -> BTreeMap<String, String> {
    let mut fold = BTreeMap::new();
    for field in changes.iter().flat_map(|change| &change.field_changes) {
        let known: Option<String> = fold.insert(field.field.clone(), field.new_value.clone());
        assert_eq!(known.unwrap_or_default(), field.old_value, "{}", field.field);
    }
    fold.retain(|_, value| !value.is_empty());
    fold
}

#[tokio::test]
async fn everything_is_kept_at_its_time_and_by_who_did_it() {
    let desk = desk().await;
    let service = desk.service("mover").await;
    let sent = eventful();
    let ticket = service.import(sent.clone()).await.unwrap();
    assert_eq!(desk.head().await, 1);
    let changes = service.changes(&ticket.name).await.unwrap();
    assert_eq!(changes.len(), 1 + sent.events.len());
    let now = desk.server.clock.timestamp();
    for (place, change) in changes.iter().enumerate() {
        assert_eq!((change.revision, usize::try_from(change.ordinal).unwrap()), (1, place));
        assert_eq!((change.commit_time, change.importer.as_str()), (Some(now), "mover"), "{change:?}");
        assert_eq!(change.ticket_after.as_ref().unwrap().revision, 1);
        assert!(change.notifications.is_empty());
    }
    let told: Vec<_> = changes
        .iter()
        .map(|change| {
            let seconds = change.event_time.unwrap().seconds - at(0).seconds;
            let role = change.actor_role().as_str_name().trim_start_matches("ROLE_").to_lowercase();
            let after = change.ticket_after.as_ref().unwrap();
            let [status, queue, assignee] = [&after.status, &after.queue, &after.assignee];
            let Change { command, actor, transition, .. } = change;
            format!("{seconds} {command} by {actor} ({role}) [{transition}] {status}/{queue}/{assignee}")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    0 CreateTicket by customer@example.com (requester) [] new/first/
    60 TransitionTicket by budi (agent) [start] open/first/
    90 AssignTicket by budi (agent) [] open/first/budi
    100 UpdateTicket by budi (agent) [] open/first/budi
    120 CreateReply by budi (agent) [answer] waiting/first/budi
    180 CreateReply by customer@example.com (requester) [answered_back] open/first/budi
    190 CreateReply by budi (agent) [] open/first/budi
    200 TransferTicket by budi (agent) [] open/pay/
    300 TransitionTicket by citra (agent) [] open/pay/
    310 AssignTicket by dewi (supervisor) [] open/pay/citra
    800 TransitionTicket by budi (agent) [solve] solved/pay/citra
    900 TransitionTicket by dewi (supervisor) [close] closed/pay/citra
    1000 TransitionTicket by dewi (supervisor) [reopen] open/pay/citra
    ");

    let read = service.get(&ticket.name).await.unwrap();
    assert_eq!(Ticket { body: String::new(), ..read.clone() }, Ticket { tickets_ahead: read.tickets_ahead, ..ticket });
    assert_eq!((read.receive_time, read.first_reply_time), (Some(at(0)), Some(at(120))));
    assert_eq!((read.queue_time, read.close_time), (Some(at(1_000)), None), "it was reopened");
    assert_eq!((read.create_time, read.update_time), (Some(now), Some(now)));
    assert_eq!((read.number.as_str(), read.solution.as_str(), read.state()), ("T-00001", "Water", State::Active));
    let replies = service.replies(&read.name).await.unwrap();
    let written: Vec<_> =
        replies.iter().map(|reply| (reply.author.as_str(), reply.body.as_str(), reply.create_time.unwrap())).collect();
    assert_eq!(
        written,
        [("budi", "Is it hot?", at(120)), ("customer@example.com", "It is.", at(180)), ("budi", "Not mine.", at(190))]
    );

    // The history comes to the row.
    let fold = folded(&changes);
    let row =
        [("status", &read.status), ("queue", &read.queue), ("assignee", &read.assignee), ("number", &read.number)];
    for (field, value) in row {
        assert_eq!(fold.get(field).map_or("", String::as_str), value, "{field}");
    }
    assert_eq!(fold["fields.cause"], "heat");
    assert!(!fold.contains_key("close_time"));
}

#[tokio::test]
async fn pages_of_a_history_begin_where_the_one_before_ended() {
    let desk = desk().await;
    let ticket = desk.admin().import(eventful()).await.unwrap();
    let whole = desk.admin().changes(&ticket.name).await.unwrap();
    for size in [1, 3] {
        let mut request = loket::v1::ListChangesRequest {
            parent: ticket.name.clone(),
            page_size: size,
            ..loket::v1::ListChangesRequest::default()
        };
        let mut paged = Vec::new();
        loop {
            let page = desk.admin().list_changes(request.clone()).await.unwrap();
            assert!(page.changes.len() <= usize::try_from(size).unwrap());
            paged.extend(page.changes);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(paged, whole);
    }
}

#[tokio::test]
async fn what_changes_nothing_is_an_event_like_any_other() {
    let desk = desk().await;
    let same = Ticket { priority: "normal".to_owned(), ..Ticket::default() };
    let events = vec![
        comes_to(10, "budi", "new"),
        updated(20, "budi", same, &["priority"]),
        goes_to(30, "citra", "first", ""),
        given_to(40, "dewi", ""),
        comes_to(50, "budi", "new"),
    ];
    let ticket = desk.admin().import(history("Printer", events)).await.unwrap();
    let changes = desk.admin().changes(&ticket.name).await.unwrap();
    let told: Vec<_> =
        changes.iter().skip(1).map(|change| (change.actor.as_str(), change.event_time.unwrap())).collect();
    assert_eq!(told, [("budi", at(10)), ("budi", at(20)), ("citra", at(30)), ("dewi", at(40)), ("budi", at(50))]);
    assert!(changes.iter().skip(1).all(|change| change.field_changes.is_empty()));
    assert_eq!((ticket.queue_time, ticket.hand_placed), (Some(at(0)), false));
    // Its requester is told of none of it.
    let own = desk.requester("customer@example.com").await.changes(&ticket.name).await.unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].importer, "");
}

/// A case as three callers may send it.
async fn import_as(caller: &Caller, id: &str, subject: &str) -> Result<Ticket, loket_client::Error> {
    let ticket = Ticket { external_refs: vec![reference(id)], ..draft(subject) };
    caller.import(TicketHistory { ticket: Some(ticket), ..history("", Vec::new()) }).await
}

#[tokio::test]
async fn a_case_is_imported_once_and_repeats_no_text_that_counts() {
    let desk = Desk::of(database(), &format!("{RICH}duplicate_policy: {{on_create: DUPLICATE_ACTION_REFUSE}}\n")).await;
    let (admin, agent) = (desk.admin(), desk.agent("budi").await);
    let live = agent.create(draft("Printer")).await.unwrap();
    // The same text as a ticket of today is another case.
    let imported = import_as(admin, "INC1", "Printer").await.unwrap();
    assert_ne!(imported.name, live.name);
    assert_eq!(reason(import_as(admin, "INC1", "Fax").await), ErrorReason::ExternalRefExists);
    // What is imported and open is not to be filed again.
    import_as(admin, "INC2", "Scanner").await.unwrap();
    assert_eq!(reason(agent.create(draft("Scanner")).await), ErrorReason::DuplicateTicket);
    let closed = vec![comes_to(10, "budi", "open"), by(Role::Supervisor, comes_to(20, "dewi", "closed"))];
    admin.import(history("Copier", closed)).await.unwrap();
    agent.create(draft("Copier")).await.unwrap();
}

#[tokio::test]
async fn of_whom_it_is_need_not_be_registered() {
    let desk = Desk::of(database(), &format!("{RICH}identity: IDENTITY_POLICY_VERIFIED\n")).await;
    assert_eq!(reason(desk.admin().create(draft("Printer")).await), ErrorReason::RequesterNotRegistered);
    desk.admin().import(history("Printer", Vec::new())).await.unwrap();
}

/// Who worked here then may be registered nowhere now; when a field may be set is held to as it was then.
#[tokio::test]
async fn fields_name_who_worked_here_then() {
    let agent = "{id: risk, type: FIELD_TYPE_AGENT, set_when: ticket.status != 'new', staff_only: true}";
    let desk = Desk::of(database(), &RICH.replace("{id: risk, type: FIELD_TYPE_TEXT, staff_only: true}", agent)).await;
    let risk = |seconds| {
        let ticket = Ticket { fields: fields([("risk", "eko")]), ..Ticket::default() };
        updated(seconds, "budi", ticket, &["fields.risk"])
    };
    let refused = desk.admin().import(history("Printer", vec![risk(1)])).await;
    assert_eq!(reason(refused), ErrorReason::HistoryRefused);
    let told = vec![comes_to(1, "budi", "open"), risk(2)];
    let ticket = desk.admin().import(history("Printer", told)).await.unwrap();
    assert_eq!(ticket.fields["risk"], "eko");
    // Today it stays, and is given nowhere else.
    let budi = desk.agent("budi").await;
    let renamed = Ticket { subject: "Old".to_owned(), ..ticket.clone() };
    assert_eq!(budi.update(renamed, &["subject", "fields"]).await.unwrap().fields, ticket.fields);
    let again = budi.create(draft("Fax")).await.unwrap();
    budi.claim(&again.name).await.unwrap();
    let again = Ticket { name: again.name, fields: fields([("risk", "eko")]), ..Ticket::default() };
    assert_eq!(reason(budi.update(again, &["fields.risk"]).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn tickets_were_had_by_who_worked_here_then() {
    let desk = desk().await;
    let supervisor = desk.supervisor("sri").await;
    register(&supervisor, "left", &[], &[], false).await.unwrap();
    for gone in ["left", "eko"] {
        let by_sri = |event| by(Role::Supervisor, event);
        let events = vec![given_to(1, gone, gone), by_sri(given_to(2, "sri", "")), by_sri(given_to(3, "sri", gone))];
        let ticket = desk.admin().import(history("Printer", events)).await.unwrap();
        assert_eq!(ticket.assignee, gone);
        // Today none is given to them.
        let request = loket::v1::AssignTicketRequest {
            name: supervisor.create(draft("Fax")).await.unwrap().name,
            assignee: gone.to_owned(),
            ..loket::v1::AssignTicketRequest::default()
        };
        assert_eq!(reason(supervisor.assign_ticket(request).await), ErrorReason::AgentNotEligible);
    }
}

/// An import tells of its ticket more than once in one revision.
#[tokio::test]
async fn what_changed_nothing_since_an_import_is_told_again_as_it_was() {
    let desk = desk().await;
    let events = vec![comes_to(1, "budi", "open"), given_to(2, "budi", "budi")];
    let ticket = desk.service("mover").await.import(history("Printer", events)).await.unwrap();
    let budi = desk.agent("budi").await;
    let request_id = "3f0c1e5a-9f0b-4c58-a3d1-5b8f0e6a2f10".to_owned();
    let claim = ClaimTicketRequest { name: ticket.name.clone(), request_id, ..ClaimTicketRequest::default() };
    let first = budi.claim_ticket(claim.clone()).await.unwrap();
    assert_eq!((first.assignee.as_str(), first.revision), ("budi", ticket.revision));
    assert_eq!(budi.claim_ticket(claim).await.unwrap(), first);
}

#[tokio::test]
async fn who_imports_for_somebody_is_kept_too() {
    let desk = desk().await;
    let mover = desk.service("mover").await.for_somebody("boss").await;
    let ticket = mover.import(history("Printer", vec![comes_to(1, "budi", "open")])).await.unwrap();
    for change in desk.requester(&ticket.requester).await.changes(&ticket.name).await.unwrap() {
        assert_eq!((change.importer.as_str(), change.on_behalf_of.as_str()), ("", ""), "that is no part of the case");
    }
    for change in mover.changes(&ticket.name).await.unwrap() {
        assert_eq!((change.importer.as_str(), change.on_behalf_of.as_str()), ("mover", "boss"));
    }
    for caller in [desk.agent("budi").await, desk.supervisor("dewi").await, desk.requester("a@example.com").await] {
        let refused = caller.import_all(vec![history("Printer", Vec::new())]).await;
        assert_eq!(reason(refused), ErrorReason::RoleNotAllowed);
    }
    assert_eq!(desk.head().await, 1);
    assert_eq!(micros(ticket.create_time.as_ref()), desk.server.clock.micros());
}
