//! What a requester has sent before is refused where the definition says so (O25).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use loket::v1::{
    BatchCreateTicketsRequest, CreateTicketRequest, DuplicateAction, DuplicateComparison, DuplicatePolicy, ErrorReason,
    Helpdesk, MergeTicketsRequest, Ticket, UpdateHelpdeskRequest, batch_create_tickets_result::Result as ItemResult,
};
use loket_client::Error;
use prost_types::FieldMask;

use super::database;
use crate::support::{Caller, Desk, SIMPLE, draft, reason, told};

fn strict() -> String {
    SIMPLE.replace(
        "default_queue: main",
        "default_queue: main\nduplicate_policy: {on_create: DUPLICATE_ACTION_REFUSE}\nmerge_policy: {status: closed}",
    )
}

async fn desk() -> (Desk, Caller) {
    let desk = Desk::of(database(), &strict()).await;
    let agent = desk.agent("budi").await;
    (desk, agent)
}

fn says(subject: &str, body: &str) -> Ticket {
    Ticket { body: body.to_owned(), ..draft(subject) }
}

/// The last segment of the name of the ticket that a refusal names.
#[track_caller]
fn first(result: Result<Ticket, Error>) -> String {
    let error = result.expect_err("a duplicate is refused");
    let name = error.metadata()["ticket"].clone();
    assert_eq!(reason::<Ticket>(Err(error)), ErrorReason::DuplicateTicket);
    name.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_same_text_is_refused_and_the_first_keeps_its_place() {
    let (desk, agent) = desk().await;
    let ticket = agent.create(says("Pesanan", "Belum\nmasuk")).await.unwrap();
    let head = desk.head().await;
    insta::assert_snapshot!(told(agent.create(says("Pesanan", "Belum\nmasuk")).await), @r"
    AlreadyExists DUPLICATE_TICKET
    helpdesks/desk/tickets/1 has the same text from the same requester; it keeps its place: reply there instead
    ");
    let customer = desk.requester("customer@example.com").await;
    let own = Ticket { requester: String::new(), ..says(" PESANAN ", "belum  masuk\r\n") };
    assert_eq!(first(customer.create(own).await), "1");
    assert_eq!(desk.head().await, head);
    assert_eq!(agent.get(&ticket.name).await.unwrap().etag, ticket.etag);
    for other in [
        says("Pesanan 2", "Belum masuk"),
        says("Pesanan", "Sudah masuk"),
        Ticket { requester: "bela@example.com".to_owned(), ..says("Pesanan", "Belum masuk") },
    ] {
        agent.create(other).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_closed_is_no_obstacle_until_it_is_reopened() {
    let (_desk, agent) = desk().await;
    let one = agent.create(draft("Printer")).await.unwrap().name;
    agent.transition(&one, "close").await.unwrap();
    let two = agent.create(draft("Printer")).await.unwrap().name;
    assert_eq!(first(agent.create(draft("Printer")).await), "2");
    agent.transition(&one, "reopen").await.unwrap();
    assert_eq!(first(agent.create(draft("Printer")).await), "1");
    let request = MergeTicketsRequest { name: one.clone(), duplicates: vec![two], ..MergeTicketsRequest::default() };
    agent.merge_tickets(request).await.unwrap();
    assert_eq!(first(agent.create(draft("Printer")).await), "1");
    agent.transition(&one, "close").await.unwrap();
    agent.create(draft("Printer")).await.unwrap();
}

#[tokio::test]
async fn a_new_subject_is_another_text() {
    let (_desk, agent) = desk().await;
    let one = agent.create(draft("Printer")).await.unwrap().name;
    agent.update(Ticket { name: one, ..says("Fax", "") }, &["subject"]).await.unwrap();
    agent.create(draft("Printer")).await.unwrap();
    assert_eq!(first(agent.create(draft("fax")).await), "1");
}

#[tokio::test]
async fn of_many_at_once_one_is_filed() {
    let (_desk, agent) = desk().await;
    let results = join_all((0..32).map(|_| agent.create(draft("Printer")))).await;
    let (filed, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(filed.len(), 1);
    let firsts: BTreeSet<_> = refused.into_iter().map(first).collect();
    assert_eq!(firsts, BTreeSet::from(["1".to_owned()]));

    let item = |subject: &str| CreateTicketRequest { ticket: Some(draft(subject)), ..CreateTicketRequest::default() };
    let requests = vec![item("One"), item("Two"), item("one "), item("Two")];
    let batch = BatchCreateTicketsRequest { parent: agent.parent.clone(), requests };
    let results = agent.batch_create_tickets(batch).await.unwrap().results;
    let filed: Vec<_> = results.iter().map(|it| matches!(it.result, Some(ItemResult::Ticket(_)))).collect();
    assert_eq!(filed, [true, true, false, false]);
}

#[tokio::test]
async fn switched_on_it_knows_what_is_open() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let set = async |yaml: &str| {
        let helpdesk = Helpdesk { name: "helpdesks/desk".to_owned(), ..loket::json::helpdesk_from_yaml(yaml).unwrap() };
        let paths = vec!["duplicate_policy".to_owned()];
        let update = UpdateHelpdeskRequest {
            helpdesk: Some(helpdesk),
            update_mask: Some(FieldMask { paths }),
            ..UpdateHelpdeskRequest::default()
        };
        desk.admin().update_helpdesk(update).await.unwrap();
    };
    let one = agent.create(draft("Printer")).await.unwrap().name;
    let two = agent.create(draft("Printer")).await.unwrap().name;
    let closed = agent.create(draft("Closed")).await.unwrap().name;
    agent.transition(&closed, "close").await.unwrap();
    set(&strict()).await;
    assert_eq!(first(agent.create(draft("Printer")).await), "1");
    agent.create(draft("Closed")).await.unwrap();
    agent.transition(&closed, "reopen").await.unwrap();
    assert_eq!(first(agent.create(draft("Closed")).await), "3");
    // Off and on again: what happened meanwhile is known.
    set(SIMPLE).await;
    agent.transition(&one, "close").await.unwrap();
    agent.transition(&two, "close").await.unwrap();
    agent.create(draft("Printer")).await.unwrap();
    set(&strict()).await;
    assert_eq!(first(agent.create(draft("Printer")).await), "5");
}

/// What is compared changes with the definition, for the tickets that are there too.
#[tokio::test]
async fn the_body_alone_can_be_what_is_repeated() {
    let (desk, agent) = desk().await;
    let compare = async |compare: DuplicateComparison| {
        let policy = DuplicatePolicy { on_create: DuplicateAction::Refuse.into(), compare: compare.into() };
        let helpdesk =
            Helpdesk { name: "helpdesks/desk".to_owned(), duplicate_policy: Some(policy), ..Helpdesk::default() };
        let update = UpdateHelpdeskRequest {
            helpdesk: Some(helpdesk),
            update_mask: Some(FieldMask { paths: vec!["duplicate_policy".to_owned()] }),
            ..UpdateHelpdeskRequest::default()
        };
        desk.admin().update_helpdesk(update).await.unwrap();
    };
    agent.create(says("Printer", "It burns")).await.unwrap();
    agent.create(says("Fax", "It burns")).await.unwrap();
    compare(DuplicateComparison::Body).await;
    assert_eq!(first(agent.create(says("Scanner", "it  burns")).await), "1");
    let three = agent.create(says("Printer", "It rings")).await.unwrap();
    assert_eq!(first(agent.create(says("Fax", "It rings")).await), "3");
    // Another subject frees nothing.
    agent.update(Ticket { name: three.name.clone(), ..says("Telephone", "") }, &["subject"]).await.unwrap();
    assert_eq!(first(agent.create(says("Fax", "It rings")).await), "3");
    agent.transition(&three.name, "close").await.unwrap();
    agent.create(says("Fax", "It rings")).await.unwrap();
    compare(DuplicateComparison::SubjectAndBody).await;
    assert_eq!(first(agent.create(says("Printer", "It burns")).await), "1");
    agent.create(says("Scanner", "It burns")).await.unwrap();
}

#[tokio::test]
async fn it_is_known_after_a_restart() {
    let (desk, agent) = desk().await;
    agent.create(draft("Printer")).await.unwrap();
    let server = desk.server.again().await;
    let agent = server.admin().on("desk");
    assert_eq!(first(agent.create(draft("Printer")).await), "1");
}
