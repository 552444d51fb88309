//! Filters that can mean nothing, and those that once did.

use insta::assert_snapshot;
use loket::json::helpdesk_from_yaml;
use loket::v1::{ErrorReason, Helpdesk, ListTicketsRequest, UpdateHelpdeskRequest, WatchTicketsRequest};

use super::database;
use crate::support::tail::{Tail, narrow, now};
use crate::support::{Desk, RICH, draft, reason, told};

#[tokio::test]
async fn what_a_filter_cannot_mean_is_refused_with_its_place() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    assert_snapshot!(told(agent.list("status = ").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 10: a value is missing here
    - filter: column 10: a value is missing here
    ");
    assert_snapshot!(told(agent.list("colour = red").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 1: there is no field `colour`; the fields are number, requester, channel, priority, status, state, queue, assignee, subject, tags, cc, receive_time, queue_time, create_time, update_time, first_reply_time, close_time and fields.{id}
    - filter: column 1: there is no field `colour`; the fields are number, requester, channel, priority, status, state, queue, assignee, subject, tags, cc, receive_time, queue_time, create_time, update_time, first_reply_time, close_time and fields.{id}
    ");
    assert_snapshot!(told(agent.list("status > new").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 8: `status` compares with = and != only; `status:*` asks whether it is not empty
    - filter: column 8: `status` compares with = and != only; `status:*` asks whether it is not empty
    ");
    assert_snapshot!(told(agent.list("fields.colour = red").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 1: there is no field `fields.colour`; the helpdesk has fields.product, fields.area, fields.order, fields.amount, fields.gift, fields.due, fields.seen, fields.risk, fields.cause
    - filter: column 1: there is no field `fields.colour`; the helpdesk has fields.product, fields.area, fields.order, fields.amount, fields.gift, fields.due, fields.seen, fields.risk, fields.cause
    ");
    assert_snapshot!(told(agent.list("fields.amount = many").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 17: `many` is not an integer: a decimal of 64 bits with sign, without leading zeros or plus, like -12
    - filter: column 17: `many` is not an integer: a decimal of 64 bits with sign, without leading zeros or plus, like -12
    ");
    assert_snapshot!(told(agent.list("create_time > yesterday").await), @r#"
    InvalidArgument INVALID_FILTER
    filter: column 15: `yesterday` is not a time: RFC 3339 in double quotes, like "2026-11-23T08:30:00Z"
    - filter: column 15: `yesterday` is not a time: RFC 3339 in double quotes, like "2026-11-23T08:30:00Z"
    "#);
    assert_snapshot!(told(agent.list("(status = new").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 1: `(` is never closed: a `)` is missing
    - filter: column 1: `(` is never closed: a `)` is missing
    ");
    assert_snapshot!(told(agent.list("state = sleeping").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 9: `sleeping` is not a state: NEW, ACTIVE, WAITING, SOLVED, CLOSED
    - filter: column 9: `sleeping` is not a state: NEW, ACTIVE, WAITING, SOLVED, CLOSED
    ");
    assert_snapshot!(told(agent.list("printer").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 1: `printer` stands alone: write `field = value`, or `subject:printer` for those with it in the subject
    - filter: column 1: `printer` stands alone: write `field = value`, or `subject:printer` for those with it in the subject
    ");
    assert_snapshot!(told(agent.list("subject = pri*").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 11: `pri*` needs double quotes: values with other characters than letters, digits and _ - . @ + are put in double quotes
    - filter: column 11: `pri*` needs double quotes: values with other characters than letters, digits and _ - . @ + are put in double quotes
    ");
    assert_snapshot!(told(agent.list(&format!("subject = \"{}\"", "x".repeat(4_096))).await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 4097: the filter has 4108 bytes; at most 4096 are taken
    - filter: column 4097: the filter has 4108 bytes; at most 4096 are taken
    ");
    assert_snapshot!(told(agent.list(&format!("{}status = new{}", "(".repeat(33), ")".repeat(33))).await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 33: parentheses and negations nest deeper than 32 levels
    - filter: column 33: parentheses and negations nest deeper than 32 levels
    ");
}

/// Nothing would be found, without a word.
#[tokio::test]
async fn what_no_ticket_can_have_is_not_sought() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    assert_snapshot!(told(agent.list("status = opne").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 10: `opne` is not a value of `status` in this helpdesk: new, open, waiting, solved, closed
    - filter: column 10: `opne` is not a value of `status` in this helpdesk: new, open, waiting, solved, closed
    ");
    assert_snapshot!(told(agent.list("NOT queue = second").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 13: `second` is not a value of `queue` in this helpdesk: first, web, pay
    - filter: column 13: `second` is not a value of `queue` in this helpdesk: first, web, pay
    ");
    assert_snapshot!(told(agent.list("priority != urgent OR status = new").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 13: `urgent` is not a value of `priority` in this helpdesk: high, normal, low
    - filter: column 13: `urgent` is not a value of `priority` in this helpdesk: high, normal, low
    ");
    assert_snapshot!(told(agent.list("fields.product = App").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 18: `App` is not a value of `fields.product` in this helpdesk: app, web, fax
    - filter: column 18: `App` is not a value of `fields.product` in this helpdesk: app, web, fax
    ");
    assert_snapshot!(told(agent.list("fields.area:pa").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 13: `pa` is not a value of `fields.area` in this helpdesk: pay, pay/card, ship
    - filter: column 13: `pa` is not a value of `fields.area` in this helpdesk: pay, pay/card, ship
    ");
    assert_snapshot!(told(agent.list("fields.area = paying").await), @r"
    InvalidArgument INVALID_FILTER
    filter: column 15: `paying` is not a value of `fields.area` in this helpdesk: pay, pay/card, ship
    - filter: column 15: `paying` is not a value of `fields.area` in this helpdesk: pay, pay/card, ship
    ");
    let mut watch = narrow(&agent, 65_535).await;
    let refused = watch.watch_tickets(now(&agent, "status = opne")).await.unwrap_err();
    assert_eq!(loket_client::Error::from(refused).reason(), Some(ErrorReason::InvalidFilter));
    let simple = Desk::open(database()).await;
    let refused = told(simple.agent("budi").await.list("priority = high").await);
    assert!(refused.contains("`high` is not a value of `priority` in this helpdesk: it has none"), "{refused}");
    // Not even with a token that is none.
    let with_token = |page_token: &str| ListTicketsRequest {
        parent: agent.parent.clone(),
        filter: "status = opne".to_owned(),
        page_token: page_token.to_owned(),
        ..ListTicketsRequest::default()
    };
    assert_eq!(reason(agent.list_tickets(with_token("bogus")).await), ErrorReason::InvalidPageToken);
    // What is retired, what is above, and what is not there.
    for filter in ["fields.product = fax", "fields.area:pay", "queue = \"\" OR priority:*", "state = NEW"] {
        assert!(agent.list(filter).await.unwrap().is_empty(), "{filter}");
    }
}

#[tokio::test]
async fn who_goes_on_keeps_its_filter_when_the_definition_changes() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    for number in 1..=3 {
        agent.create(draft(&format!("Ticket {number}"))).await.unwrap();
    }
    let filter = "queue = first OR queue = web OR fields.product = fax";
    let list = |page_token: String| ListTicketsRequest {
        parent: agent.parent.clone(),
        filter: filter.to_owned(),
        page_size: 2,
        page_token,
        ..ListTicketsRequest::default()
    };
    let page = agent.list_tickets(list(String::new())).await.unwrap();
    assert_eq!(page.tickets.len(), 2);
    let mut tail = Tail::open(narrow(&agent, 65_535).await, now(&agent, filter)).await.unwrap();
    tail.next().await.unwrap();

    // Nothing waits in that queue and nothing has that value, so they may go.
    let without = RICH
        .replace(", {value: fax, retired: true}", "")
        .replace("- {id: web, ordering: [ORDERING_KEY_RECEIVE_TIME]}\n", "")
        .replace("- {when: ticket.fields.product == 'web', queue: web}\n", "");
    let helpdesk = Helpdesk { name: agent.parent.clone(), ..helpdesk_from_yaml(&without).unwrap() };
    let apply = UpdateHelpdeskRequest { helpdesk: Some(helpdesk), ..UpdateHelpdeskRequest::default() };
    desk.admin().update_helpdesk(apply).await.unwrap();
    agent.create(draft("After")).await.unwrap();

    assert_eq!(reason(agent.list(filter).await), ErrorReason::InvalidFilter);
    let rest = agent.list_tickets(list(page.next_page_token)).await.unwrap();
    assert_eq!(rest.tickets.len(), 2, "the third, and the one filed since");
    let resumed = WatchTicketsRequest { start: 0, resume_token: tail.seen.token, ..now(&agent, filter) };
    let mut resumed = Tail::open(narrow(&agent, 65_535).await, resumed).await.unwrap();
    resumed.until(desk.head().await).await;
    assert_eq!(resumed.seen.events.len(), 1);
}
