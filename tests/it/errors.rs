//! Bad input: each kind has its own code, reason and message that says what would be right, and changes nothing.

use insta::assert_snapshot;
use loket::v1::{
    BatchCreateTicketsRequest, CreateHelpdeskRequest, CreateReplyRequest, CreateTicketRequest, ErrorReason,
    ExternalRef, GetQueueRequest, GetTicketRequest, Helpdesk, ListChangesRequest, ListTicketsRequest,
    LookupTicketRequest, Reply, Ticket, TransitionTicketRequest, UpdateHelpdeskRequest, UpdateTicketRequest,
    batch_create_tickets_result,
};
use loket_client::Error;
use prost_types::FieldMask;

use super::database;
use crate::support::{Caller, Desk, RICH, draft, fields, reason, told};

/// A helpdesk with one ticket, and an agent.
async fn desk() -> (Desk, Caller, Ticket) {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer on fire")).await.unwrap();
    (desk, agent, ticket)
}

/// Nothing has happened since the one ticket was filed.
async fn assert_unchanged(desk: &Desk, ticket: &Ticket) {
    assert_eq!(desk.head().await, 1);
    assert_eq!(desk.admin().get(&ticket.name).await.unwrap().etag, ticket.etag);
}

async fn list(caller: &Caller, change: impl FnOnce(&mut ListTicketsRequest)) -> Result<(), Error> {
    let mut request = ListTicketsRequest { parent: "helpdesks/desk".to_owned(), ..ListTicketsRequest::default() };
    change(&mut request);
    caller.list_tickets(request).await.map(drop)
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_by_its_name() {
    let (desk, agent, ticket) = desk().await;
    assert_snapshot!(told(agent.on("nowhere").create(draft("Printer")).await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/nowhere, or this key may not see it
    ");
    assert_snapshot!(told(desk.admin().on("nowhere").create(draft("Printer")).await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/nowhere, or this key may not see it
    ");
    assert_snapshot!(told(agent.get("helpdesks/desk/tickets/99").await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/tickets/99, or this key may not see it
    ");
    assert_snapshot!(told(agent.transition("helpdesks/desk/tickets/99", "start").await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/tickets/99, or this key may not see it
    ");
    assert_snapshot!(told(agent.reply("helpdesks/desk/tickets/99", "Hello").await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/tickets/99, or this key may not see it
    ");
    assert_snapshot!(told(agent.replies("helpdesks/desk/tickets/99").await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/tickets/99, or this key may not see it
    ");
    assert_snapshot!(told(agent.changes("helpdesks/desk/tickets/99").await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/tickets/99, or this key may not see it
    ");
    assert_snapshot!(told(agent.claim_next("lost").await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/queues/lost, or this key may not see it
    ");
    let queue = GetQueueRequest { name: "helpdesks/desk/queues/lost".to_owned(), ..GetQueueRequest::default() };
    assert_snapshot!(told(agent.get_queue(queue).await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/queues/lost, or this key may not see it
    ");
    let number = LookupTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        number: "T-99999".to_owned(),
        ..LookupTicketRequest::default()
    };
    assert_snapshot!(told(agent.lookup_ticket(number).await), @r#"
    NotFound RESOURCE_NOT_FOUND
    there is no ticket "T-99999" in helpdesks/desk, or this key may not see it
    "#);
    assert_unchanged(&desk, &ticket).await;
}

#[tokio::test]
async fn a_name_of_the_wrong_form_is_told_the_right_one() {
    let (desk, agent, ticket) = desk().await;
    assert_snapshot!(told(agent.get("helpdesks/desk/tickets/01").await), @r#"
    InvalidArgument INVALID_REQUEST
    name: "helpdesks/desk/tickets/01" is not a name of this kind; write `helpdesks/{helpdesk}/tickets/{ticket}`
    - name: "helpdesks/desk/tickets/01" is not a name of this kind; write `helpdesks/{helpdesk}/tickets/{ticket}`
    "#);
    assert_snapshot!(told(agent.get("").await), @r"
    InvalidArgument INVALID_REQUEST
    name: is required: `helpdesks/{helpdesk}/tickets/{ticket}`
    - name: is required: `helpdesks/{helpdesk}/tickets/{ticket}`
    ");
    assert_snapshot!(told(agent.get("helpdesks/-/tickets/1").await), @r#"
    InvalidArgument INVALID_REQUEST
    name: "helpdesks/-/tickets/1" has a wildcard, which is not taken here; write `helpdesks/{helpdesk}/tickets/{ticket}`
    - name: "helpdesks/-/tickets/1" has a wildcard, which is not taken here; write `helpdesks/{helpdesk}/tickets/{ticket}`
    "#);
    assert_snapshot!(told(agent.on("-").list("").await), @r#"
    InvalidArgument INVALID_REQUEST
    parent: "helpdesks/-" has a wildcard, which is not taken here; write `helpdesks/{helpdesk}`
    - parent: "helpdesks/-" has a wildcard, which is not taken here; write `helpdesks/{helpdesk}`
    "#);
    assert_snapshot!(told(agent.on("Desk").create(draft("Printer")).await), @r#"
    InvalidArgument INVALID_REQUEST
    parent: "helpdesks/Desk" is not a name of this kind; write `helpdesks/{helpdesk}`
    - parent: "helpdesks/Desk" is not a name of this kind; write `helpdesks/{helpdesk}`
    "#);
    assert_snapshot!(told(agent.claim_next("a/b").await), @r#"
    InvalidArgument INVALID_REQUEST
    name: "helpdesks/desk/queues/a/b" is not a name of this kind; write `helpdesks/{helpdesk}/queues/{queue}`
    - name: "helpdesks/desk/queues/a/b" is not a name of this kind; write `helpdesks/{helpdesk}/queues/{queue}`
    "#);
    assert_unchanged(&desk, &ticket).await;
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_ticket_is_told_at_once() {
    let (desk, agent, ticket) = desk().await;
    let bad = Ticket {
        requester: "not an address".to_owned(),
        subject: " ".to_owned(),
        body: String::new(),
        channel: "Tele phone".to_owned(),
        priority: "urgent".to_owned(),
        fields: fields([
            ("product", "radio"),
            ("colour", "red"),
            ("area", "pay/cash"),
            ("amount", "07"),
            ("gift", "yes"),
            ("due", "2026-02-30"),
            ("seen", "yesterday"),
        ]),
        tags: vec![String::new(), "x".repeat(65)],
        cc: vec!["good@example.com".to_owned(), "bad".to_owned()],
        external_refs: vec![ExternalRef { source: "C R M".to_owned(), id: String::new() }],
        ..Ticket::default()
    };
    assert_snapshot!(told(agent.create(bad).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 17
    - ticket.requester: "not an address" is not an e-mail address, such as customer@example.com
    - ticket.tags[0]: is required: 1 to 64 characters
    - ticket.tags[1]: has 65 characters; at most 64 are taken
    - ticket.cc[1]: "bad" is not an e-mail address, such as customer@example.com
    - ticket.external_refs[0].source: "C R M" is not a source; write it like `crm` or `mail.message-id`
    - ticket.external_refs[0].id: is required: 1 to 200 characters
    - ticket.priority: there is no priority "urgent"; there are: high, normal, low
    - ticket.subject: is required: 1 to 500 characters
    - ticket.body: is required: 1 to 65536 characters
    - ticket.channel: "Tele phone" is not a channel; write it like `email` or `web-form`
    - ticket.fields.amount: "07" is not how an integer is written here: write 7
    - ticket.fields.area: "pay/cash" is none of the choices: valid are `pay`, `pay/card` or `ship`
    - ticket.fields.colour: there is no field "colour"; there are product, area, order, amount, gift, due, seen, risk, cause
    - ticket.fields.due: "2026-02-30" is not a date: write YYYY-MM-DD, such as 2026-03-31
    - ticket.fields.gift: "yes" is not a boolean: write true or false
    - ticket.fields.product: "radio" is none of the choices: valid are `app` or `web`
    - ticket.fields.seen: "yesterday" is not a time: write RFC 3339, such as 2026-03-31T09:00:00+07:00
    "#);
    assert_snapshot!(told(agent.create(Ticket::default()).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - ticket.requester: is required: the e-mail address of whose case it is
    - ticket.subject: is required: 1 to 500 characters
    - ticket.body: is required: 1 to 65536 characters
    ");
    let none = CreateTicketRequest { parent: "helpdesks/desk".to_owned(), ..CreateTicketRequest::default() };
    assert_snapshot!(told(agent.create_ticket(none).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket: is required
    - ticket: is required
    ");
    assert_unchanged(&desk, &ticket).await;
}

#[tokio::test]
async fn texts_have_their_limits() {
    let (desk, agent, ticket) = desk().await;
    assert_snapshot!(told(agent.create(draft(&"x".repeat(100_000))).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.subject: has 100000 characters; at most 500 are taken
    - ticket.subject: has 100000 characters; at most 500 are taken
    ");
    assert_snapshot!(told(agent.create(draft("Two\nlines")).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.subject: holds a line break or another control character; it must be one line of text
    - ticket.subject: holds a line break or another control character; it must be one line of text
    ");
    assert_snapshot!(told(agent.create(Ticket { body: "x".repeat(65_537), ..draft("Long") }).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.body: has 65537 characters; at most 65536 are taken
    - ticket.body: has 65537 characters; at most 65536 are taken
    ");
    assert_snapshot!(told(agent.create(Ticket { body: "a\0b".to_owned(), ..draft("Null") }).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.body: holds the character U+0000, which is not text
    - ticket.body: holds the character U+0000, which is not text
    ");
    assert_snapshot!(told(agent.create(Ticket { fields: fields([("order", &"x".repeat(4_097))]), ..draft("Long") }).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields.order: has 4097 characters: at most 4096 are kept
    - ticket.fields.order: has 4097 characters: at most 4096 are kept
    ");
    assert_snapshot!(told(agent.create(Ticket { fields: fields([("order", "a\0b")]), ..draft("Null") }).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields.order: contains the character U+0000: leave it out
    - ticket.fields.order: contains the character U+0000: leave it out
    ");
    assert_snapshot!(told(agent.create(Ticket { tags: (0..51).map(|n| n.to_string()).collect(), ..draft("Tags") }).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.tags: has 51 tags; at most 50 are taken
    - ticket.tags: has 51 tags; at most 50 are taken
    ");
    assert_snapshot!(told(agent.reply(&ticket.name, "").await), @r"
    InvalidArgument INVALID_REQUEST
    reply.body: is required: 1 to 65536 characters
    - reply.body: is required: 1 to 65536 characters
    ");
    assert_snapshot!(told(agent.reply(&ticket.name, &"x".repeat(65_537)).await), @r"
    InvalidArgument INVALID_REQUEST
    reply.body: has 65537 characters; at most 65536 are taken
    - reply.body: has 65537 characters; at most 65536 are taken
    ");
    let comment = TransitionTicketRequest {
        name: ticket.name.clone(),
        transition: "start".to_owned(),
        comment: "x".repeat(1_001),
        ..TransitionTicketRequest::default()
    };
    assert_snapshot!(told(agent.transition_ticket(comment).await), @r"
    InvalidArgument INVALID_REQUEST
    comment: has 1001 characters; at most 1000 are taken
    - comment: has 1001 characters; at most 1000 are taken
    ");
    assert_unchanged(&desk, &ticket).await;

    // At the limit, in characters and not in bytes, all is well.
    let most = Ticket { body: "é".repeat(65_536), ..draft(&"é".repeat(500)) };
    let created = agent.create(most.clone()).await.unwrap();
    assert_eq!(agent.get(&created.name).await.unwrap().body, most.body);
}

#[tokio::test]
async fn addresses_are_checked_and_normalised() {
    let (desk, agent, ticket) = desk().await;
    for bad in
        ["@", "a@", "@b", "a b@example.com", "a@b@c", "a@exa mple.com", ".a@example.com", "a@example..com", "a\n@b"]
    {
        let refused = agent.create(Ticket { requester: bad.to_owned(), ..draft("Printer") }).await;
        assert_eq!(reason(refused), ErrorReason::InvalidRequest, "{bad:?}");
    }
    assert_unchanged(&desk, &ticket).await;
    let created =
        agent.create(Ticket { requester: "  Ani@Example.COM ".to_owned(), ..draft("Printer") }).await.unwrap();
    assert_eq!(created.requester, "ani@example.com");
}

#[tokio::test]
async fn unknown_choices_are_told_with_those_that_there_are() {
    let (desk, agent, ticket) = desk().await;
    let with = |id: &str, value: &str| Ticket { fields: fields([(id, value)]), ..draft("Printer") };
    assert_snapshot!(told(agent.create(with("product", "radio")).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.fields.product: "radio" is none of the choices: valid are `app` or `web`
    - ticket.fields.product: "radio" is none of the choices: valid are `app` or `web`
    "#);
    assert_snapshot!(told(agent.create(with("product", "fax")).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.fields.product: "fax" is retired: valid are `app` or `web`
    - ticket.fields.product: "fax" is retired: valid are `app` or `web`
    "#);
    assert_snapshot!(told(agent.create(with("area", "pay/")).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.fields.area: "pay/" is none of the choices: valid are `pay`, `pay/card` or `ship`
    - ticket.fields.area: "pay/" is none of the choices: valid are `pay`, `pay/card` or `ship`
    "#);
    assert_snapshot!(told(agent.create(with("nothing", "x")).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.fields.nothing: there is no field "nothing"; there are product, area, order, amount, gift, due, seen, risk, cause
    - ticket.fields.nothing: there is no field "nothing"; there are product, area, order, amount, gift, due, seen, risk, cause
    "#);
    assert_snapshot!(told(agent.create(Ticket { priority: "urgent".to_owned(), ..draft("Printer") }).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.priority: there is no priority "urgent"; there are: high, normal, low
    - ticket.priority: there is no priority "urgent"; there are: high, normal, low
    "#);
    assert_snapshot!(told(agent.create(with("product", "web")).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields.order: is required for this ticket and has no value
    - ticket.fields.order: is required for this ticket and has no value
    ");
    assert_unchanged(&desk, &ticket).await;
}

#[tokio::test]
async fn an_external_reference_is_on_one_ticket() {
    let (desk, agent, _) = desk().await;
    let crm = |id: &str| vec![ExternalRef { source: "crm".to_owned(), id: id.to_owned() }];
    let first = agent.create(Ticket { external_refs: crm("7"), ..draft("Printer") }).await.unwrap();
    let other = agent.create(Ticket { external_refs: crm("8"), ..draft("Printer") }).await.unwrap();
    assert_snapshot!(told(agent.create(Ticket { external_refs: crm("7"), ..draft("Printer") }).await), @r"
    AlreadyExists EXTERNAL_REF_EXISTS
    helpdesks/desk/tickets/2 carries the external reference crm:7 already
    ");
    let taken = Ticket { name: other.name.clone(), external_refs: crm("7"), ..Ticket::default() };
    assert_snapshot!(told(agent.update(taken.clone(), &["external_refs"]).await), @r"
    AlreadyExists EXTERNAL_REF_EXISTS
    helpdesks/desk/tickets/2 carries the external reference crm:7 already
    ");
    assert_eq!(desk.head().await, 3);
    // Once it is given up, another may have it.
    agent.update(Ticket { name: first.name, ..Ticket::default() }, &["external_refs"]).await.unwrap();
    assert_eq!(agent.update(taken, &["external_refs"]).await.unwrap().external_refs, crm("7"));
}

#[tokio::test]
async fn a_transition_that_does_not_lead_from_here_is_told_those_that_do() {
    let (desk, agent, ticket) = desk().await;
    assert_snapshot!(told(agent.transition(&ticket.name, "fly").await), @r#"
    InvalidArgument INVALID_REQUEST
    transition: there is no transition "fly"; from the status `new`, start, give_up do
    - transition: there is no transition "fly"; from the status `new`, start, give_up do
    "#);
    assert_snapshot!(told(agent.transition(&ticket.name, "").await), @r"
    InvalidArgument INVALID_REQUEST
    transition: is required: the id of a transition of the helpdesk's definition
    - transition: is required: the id of a transition of the helpdesk's definition
    ");
    assert_snapshot!(told(agent.transition(&ticket.name, "reopen").await), @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition reopen cannot be taken on helpdesks/desk/tickets/1: it does not lead from the status `new`; start, give_up do
    - reopen: it does not lead from the status `new`; start, give_up do
    ");
    assert_snapshot!(told(agent.transition(&ticket.name, "answer").await), @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition answer cannot be taken on helpdesks/desk/tickets/1: it happens by itself and cannot be asked for
    - answer: it happens by itself and cannot be asked for
    ");
    assert_snapshot!(told(agent.transition(&ticket.name, "give_up").await), @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition give_up cannot be taken on helpdesks/desk/tickets/1: the role agent may not take it; requester, supervisor may
    - give_up: the role agent may not take it; requester, supervisor may
    ");
    let named = CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply { body: "Bye".to_owned(), ..Reply::default() }),
        transition: "close".to_owned(),
        ..CreateReplyRequest::default()
    };
    assert_snapshot!(told(agent.create_reply(named).await), @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition close cannot be taken on helpdesks/desk/tickets/1: it does not lead from the status `new`; start, give_up do
    - close: it does not lead from the status `new`; start, give_up do
    ");
    assert_unchanged(&desk, &ticket).await;
    assert_eq!(agent.replies(&ticket.name).await.unwrap(), []);
}

#[tokio::test]
async fn every_guard_and_every_missing_field_is_told_at_once() {
    let (desk, agent, ticket) = desk().await;
    agent.transition(&ticket.name, "start").await.unwrap();
    assert_snapshot!(told(agent.transition(&ticket.name, "solve").await), @r"
    FailedPrecondition TRANSITION_REFUSED
    the transition solve cannot be taken on helpdesks/desk/tickets/1: Give the solution first; Answer the requester first; the field `cause` must have a value in the status `solved`
    - solve: Give the solution first.
    - solve: Answer the requester first.
    - fields.cause: the field `cause` must have a value in the status `solved`
    ");
    assert_eq!(desk.head().await, 2);
}

#[tokio::test]
async fn a_stale_etag_is_told_the_current_one_before_anything_else() {
    let (desk, agent, ticket) = desk().await;
    agent.transition(&ticket.name, "start").await.unwrap();
    for etag in [&ticket.etag, "\"", "\"2", "2", "W/\"2\""] {
        let update =
            Ticket { name: ticket.name.clone(), etag: etag.to_owned(), subject: String::new(), ..Ticket::default() };
        assert_eq!(reason(agent.update(update, &["subject"]).await), ErrorReason::EtagMismatch, "{etag}");
        let transition = TransitionTicketRequest {
            name: ticket.name.clone(),
            transition: "fly".to_owned(),
            etag: etag.to_owned(),
            ..TransitionTicketRequest::default()
        };
        assert_eq!(reason(agent.transition_ticket(transition).await), ErrorReason::EtagMismatch, "{etag}");
        let reply = CreateReplyRequest {
            parent: ticket.name.clone(),
            reply: Some(Reply::default()),
            etag: etag.to_owned(),
            ..CreateReplyRequest::default()
        };
        assert_eq!(reason(agent.create_reply(reply).await), ErrorReason::EtagMismatch, "{etag}");
    }
    let stale = Ticket { etag: ticket.etag, name: ticket.name, subject: "New".to_owned(), ..Ticket::default() };
    assert_snapshot!(told(agent.update(stale, &["subject"]).await), @r#"
    Aborted ETAG_MISMATCH
    helpdesks/desk/tickets/1 has changed: its etag is "2", not "1"; read it again and decide again
    "#);
    assert_eq!(desk.head().await, 2);
}

#[tokio::test]
async fn a_mask_names_what_can_be_changed() {
    let (desk, agent, ticket) = desk().await;
    let update = Ticket { name: ticket.name.clone(), subject: "New".to_owned(), ..Ticket::default() };
    assert_snapshot!(told(agent.update(update.clone(), &[]).await), @r"
    InvalidArgument INVALID_REQUEST
    update_mask: is required: name what to change, of subject, priority, tags, cc, external_refs, solution, fields or fields.{id}
    - update_mask: is required: name what to change, of subject, priority, tags, cc, external_refs, solution, fields or fields.{id}
    ");
    assert_snapshot!(told(agent.update(update.clone(), &["*"]).await), @r#"
    InvalidArgument INVALID_REQUEST
    update_mask: "*" cannot be changed; it takes subject, priority, tags, cc, external_refs, solution, fields or fields.{id}
    - update_mask: "*" cannot be changed; it takes subject, priority, tags, cc, external_refs, solution, fields or fields.{id}
    "#);
    assert_snapshot!(told(agent.update(update.clone(), &["status", "subject", "fields."]).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - update_mask: "status" cannot be changed; it takes subject, priority, tags, cc, external_refs, solution, fields or fields.{id}
    - update_mask: "fields." cannot be changed; it takes subject, priority, tags, cc, external_refs, solution, fields or fields.{id}
    "#);
    assert_snapshot!(told(agent.update(update.clone(), &["fields.colour"]).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.fields.colour: there is no field "colour"; there are product, area, order, amount, gift, due, seen, risk, cause
    - ticket.fields.colour: there is no field "colour"; there are product, area, order, amount, gift, due, seen, risk, cause
    "#);
    let none = UpdateTicketRequest {
        update_mask: Some(FieldMask { paths: vec!["subject".to_owned()] }),
        ..UpdateTicketRequest::default()
    };
    assert_snapshot!(told(agent.update_ticket(none).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.name: is required: `helpdesks/{helpdesk}/tickets/{ticket}`
    - ticket.name: is required: `helpdesks/{helpdesk}/tickets/{ticket}`
    ");
    let helpdesk = UpdateHelpdeskRequest {
        helpdesk: Some(Helpdesk { name: "helpdesks/desk".to_owned(), ..Helpdesk::default() }),
        update_mask: Some(FieldMask { paths: vec!["etag".to_owned(), "statuses.id".to_owned()] }),
        ..UpdateHelpdeskRequest::default()
    };
    assert_snapshot!(told(desk.admin().update_helpdesk(helpdesk).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - update_mask: "etag" is not a field of a definition; write its top-level fields, or `*` alone
    - update_mask: "statuses.id" is not a field of a definition; write its top-level fields, or `*` alone
    "#);
    assert_unchanged(&desk, &ticket).await;
}

#[tokio::test]
async fn orders_tokens_pages_and_views_are_checked() {
    let (_desk, agent, ticket) = desk().await;
    assert_snapshot!(told(list(&agent, |request| request.order_by = "subject".to_owned()).await), @r#"
    InvalidArgument INVALID_ORDER_BY
    order_by: "subject" is no order; write `create_time`, `create_time desc` or `queue_order`
    - order_by: "subject" is no order; write `create_time`, `create_time desc` or `queue_order`
    "#);
    assert_snapshot!(told(list(&agent, |request| request.order_by = "create_time, subject".to_owned()).await), @r#"
    InvalidArgument INVALID_ORDER_BY
    order_by: "create_time, subject" is no order; write `create_time`, `create_time desc` or `queue_order`
    - order_by: "create_time, subject" is no order; write `create_time`, `create_time desc` or `queue_order`
    "#);
    assert_snapshot!(told(list(&agent, |request| request.order_by = "queue_order".to_owned()).await), @r"
    InvalidArgument INVALID_ORDER_BY
    order_by: `queue_order` needs a filter with `queue = …` at its top level
    - order_by: `queue_order` needs a filter with `queue = …` at its top level
    ");
    assert_snapshot!(told(list(&agent, |request| {
        request.order_by = "queue_order".to_owned();
        request.filter = "queue = first OR queue = web".to_owned();
    }).await), @r"
    InvalidArgument INVALID_ORDER_BY
    order_by: `queue_order` needs a filter with `queue = …` at its top level
    - order_by: `queue_order` needs a filter with `queue = …` at its top level
    ");
    assert_snapshot!(told(list(&agent, |request| request.page_token = "next".to_owned()).await), @r"
    InvalidArgument INVALID_PAGE_TOKEN
    page_token: is not a token that this method gave for the same request; begin again without one
    - page_token: is not a token that this method gave for the same request; begin again without one
    ");
    assert_snapshot!(told(list(&agent, |request| request.page_size = -1).await), @r"
    InvalidArgument INVALID_REQUEST
    page_size: -1 is negative; write 1 to 1000, or 0 for 50
    - page_size: -1 is negative; write 1 to 1000, or 0 for 50
    ");
    assert_snapshot!(told(list(&agent, |request| request.view = 9).await), @r"
    InvalidArgument INVALID_REQUEST
    view: 9 is no view; write TICKET_VIEW_BASIC or TICKET_VIEW_FULL
    - view: 9 is no view; write TICKET_VIEW_BASIC or TICKET_VIEW_FULL
    ");
    assert_snapshot!(told(list(&agent, |request| request.min_revision = -1).await), @r"
    InvalidArgument INVALID_REQUEST
    min_revision: -1 is negative
    - min_revision: -1 is negative
    ");
    let changes = ListChangesRequest {
        parent: ticket.name.clone(),
        page_token: "00".to_owned(),
        ..ListChangesRequest::default()
    };
    assert_eq!(reason(agent.list_changes(changes).await), ErrorReason::InvalidPageToken);
    let view = GetTicketRequest { name: ticket.name, view: -1, ..GetTicketRequest::default() };
    assert_eq!(reason(agent.get_ticket(view).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn a_second_claim_is_told_who_won() {
    let (desk, agent, ticket) = desk().await;
    agent.claim(&ticket.name).await.unwrap();
    let loser = desk.agent("citra").await;
    let error = loser.claim(&ticket.name).await.unwrap_err();
    assert_eq!(error.metadata()["assignee"], "budi");
    assert_snapshot!(told::<()>(Err(error)), @r"
    FailedPrecondition ALREADY_CLAIMED
    helpdesks/desk/tickets/1 is claimed by budi already
    ");
    assert_snapshot!(told(loser.release(&ticket.name).await), @r"
    FailedPrecondition TICKET_NOT_READY
    helpdesks/desk/tickets/1 cannot be changed so: `budi` has it; only they, a supervisor or an admin give it back
    - helpdesks/desk/tickets/1: `budi` has it; only they, a supervisor or an admin give it back
    ");
    assert_eq!(desk.head().await, 2);
}

#[tokio::test]
async fn a_batch_has_its_own_limits_and_its_items_their_own_errors() {
    let (desk, agent, ticket) = desk().await;
    let item = |subject: &str| CreateTicketRequest { ticket: Some(draft(subject)), ..CreateTicketRequest::default() };
    let batch = |requests| BatchCreateTicketsRequest { parent: "helpdesks/desk".to_owned(), requests };
    assert_snapshot!(told(agent.batch_create_tickets(batch(Vec::new())).await), @r"
    InvalidArgument INVALID_REQUEST
    requests: has 0 items; 1 to 500 are taken
    - requests: has 0 items; 1 to 500 are taken
    ");
    assert_snapshot!(told(agent.batch_create_tickets(batch(vec![item("x"); 501])).await), @r"
    InvalidArgument INVALID_REQUEST
    requests: has 501 items; 1 to 500 are taken
    - requests: has 501 items; 1 to 500 are taken
    ");
    let elsewhere = CreateTicketRequest { parent: "helpdesks/other".to_owned(), ..item("x") };
    assert_snapshot!(told(agent.batch_create_tickets(batch(vec![item("x"), elsewhere])).await), @r"
    InvalidArgument INVALID_REQUEST
    requests[1].parent: is another than the batch's `helpdesks/desk`; leave it empty
    - requests[1].parent: is another than the batch's `helpdesks/desk`; leave it empty
    ");
    assert_unchanged(&desk, &ticket).await;

    let answer = agent.batch_create_tickets(batch(vec![item("Good"), item("")])).await.unwrap();
    let Some(batch_create_tickets_result::Result::Status(status)) = &answer.results[1].result else {
        panic!("{answer:?}")
    };
    // Whole: with the details that the call by itself would have had.
    let alone = agent.create(draft("")).await.unwrap_err();
    assert_eq!((status.code, status.message.as_str()), (3, alone.message()));
    let kinds: Vec<_> = status.details.iter().map(|detail| detail.type_url.as_str()).collect();
    assert_eq!(kinds, ["type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.BadRequest"]);
    assert_eq!(desk.head().await, 2);
}

/// Everything that can be wrong with a definition is tested beside its checks; here is what callers are told of it.
#[tokio::test]
async fn a_broken_definition_is_told_everything_at_once_with_paths() {
    let (desk, _, ticket) = desk().await;
    let broken = "
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: new, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: lost, waits_on: WAITS_ON_STAFF}
initial_status: born
transitions:
- {id: go, from: [new], to: nowhere, trigger: TRANSITION_TRIGGER_MANUAL, guards: [{expression: 'ticket.', message: m}]}
queues: []
default_queue: main
";
    let helpdesk = loket::json::helpdesk_from_yaml(broken).unwrap();
    let create = CreateHelpdeskRequest {
        helpdesk_id: "broken".to_owned(),
        helpdesk: Some(helpdesk.clone()),
        ..CreateHelpdeskRequest::default()
    };
    assert_snapshot!(told(desk.admin().create_helpdesk(create.clone()).await), @r#"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 6
    - statuses[2].state: is required: valid are STATE_NEW, STATE_ACTIVE, STATE_WAITING, STATE_SOLVED, STATE_CLOSED
    - statuses[1].id: "new" is also the id of statuses[0]: each status needs its own
    - initial_status: there is no status "born": valid are `new` or `lost`
    - transitions[0].to: there is no status "nowhere": valid are `new` or `lost`
    - transitions[0].guards[0].expression: the expression does not compile: line 1, column 8: Syntax error: no viable alternative at input '.' (in "ticket.")
    - queues: there is none: a ticket needs at least one queue to wait in
    "#);
    let update = UpdateHelpdeskRequest {
        helpdesk: Some(Helpdesk { name: "helpdesks/desk".to_owned(), ..helpdesk }),
        ..UpdateHelpdeskRequest::default()
    };
    assert_eq!(reason(desk.admin().update_helpdesk(update).await), ErrorReason::InvalidDefinition);
    let good = loket::json::helpdesk_from_yaml(RICH).unwrap();
    let name = CreateHelpdeskRequest { helpdesk_id: "Not An Id".to_owned(), helpdesk: Some(good), ..create };
    assert_snapshot!(told(desk.admin().create_helpdesk(name).await), @r#"
    InvalidArgument INVALID_REQUEST
    helpdesk_id: "Not An Id" is not an id; write 1 to 63 of a-z, 0-9 and -, a letter first
    - helpdesk_id: "Not An Id" is not an id; write 1 to 63 of a-z, 0-9 and -, a letter first
    "#);
    assert_unchanged(&desk, &ticket).await;
    assert_eq!(reason(desk.admin().on("broken").list("").await), ErrorReason::ResourceNotFound);
}

#[tokio::test]
async fn a_helpdesk_is_created_once() {
    let (desk, _, ticket) = desk().await;
    let again = CreateHelpdeskRequest {
        helpdesk_id: "desk".to_owned(),
        helpdesk: Some(loket::json::helpdesk_from_yaml(RICH).unwrap()),
        ..CreateHelpdeskRequest::default()
    };
    assert_snapshot!(told(desk.admin().create_helpdesk(again).await), @r"
    AlreadyExists RESOURCE_EXISTS
    helpdesks/desk is there already
    ");
    assert_unchanged(&desk, &ticket).await;
}
