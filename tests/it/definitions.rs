//! New definitions over old tickets, and what a mask lets through.

use diesel::{ExpressionMethods as _, RunQueryDsl as _};
use loket::v1::{
    ErrorReason, FieldDefinition, GetHelpdeskRequest, Guard, Helpdesk, LookupTicketRequest, NumberPolicy,
    QueueDefinition, StatusDefinition, Ticket, TransitionDefinition, UpdateHelpdeskRequest,
};
use loket_client::Error;
use loket_server::store::schema::definitions;
use prost::Message as _;
use prost_types::FieldMask;
use uuid::Uuid;

use super::database;
use crate::support::{Desk, RICH, SIMPLE, draft, fields, reason, told};

async fn get(desk: &Desk) -> Helpdesk {
    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    desk.admin().get_helpdesk(get).await.unwrap()
}

/// Applies those parts of a definition that a mask names; all without one.
async fn apply(desk: &Desk, helpdesk: Helpdesk, mask: &[&str]) -> Result<Helpdesk, Error> {
    let paths = mask.iter().map(|path| (*path).to_owned()).collect();
    let request = UpdateHelpdeskRequest {
        helpdesk: Some(helpdesk),
        update_mask: (!mask.is_empty()).then_some(FieldMask { paths }),
        ..UpdateHelpdeskRequest::default()
    };
    desk.admin().update_helpdesk(request).await
}

/// What is not known must never become anything else: not everybody, not the closed state.
#[tokio::test]
async fn a_mask_lets_no_unknown_value_through() {
    let desk = Desk::of(database(), RICH).await;
    let mut wrong = get(&desk).await;
    wrong.etag = String::new();
    wrong.transitions[5].roles = vec![99];
    wrong.transitions[6] = TransitionDefinition { trigger: 0, ..wrong.transitions[6].clone() };
    wrong.fields[8] = FieldDefinition { set_by: vec![99], ..wrong.fields[8].clone() };
    wrong.statuses[1] = StatusDefinition { state: 77, waits_on: 0, ..wrong.statuses[1].clone() };
    wrong.queues[0].ordering = vec![50];
    insta::assert_snapshot!(told(apply(&desk, wrong.clone(), &["transitions", "fields"]).await), @r"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 3
    - transitions[5].roles[0]: there is no value 99: valid are ROLE_REQUESTER, ROLE_AGENT, ROLE_SUPERVISOR, ROLE_SERVICE, ROLE_ADMIN
    - transitions[6].trigger: is required: valid are TRANSITION_TRIGGER_MANUAL, TRANSITION_TRIGGER_AGENT_REPLY, TRANSITION_TRIGGER_REQUESTER_REPLY, TRANSITION_TRIGGER_CLAIM, TRANSITION_TRIGGER_READ, TRANSITION_TRIGGER_NOTE
    - fields[8].set_by[0]: there is no value 99: valid are ROLE_REQUESTER, ROLE_AGENT, ROLE_SUPERVISOR, ROLE_SERVICE, ROLE_ADMIN
    ");
    insta::assert_snapshot!(told(apply(&desk, wrong.clone(), &["statuses"]).await), @r"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 2
    - statuses[1].state: there is no value 77: valid are STATE_NEW, STATE_ACTIVE, STATE_WAITING, STATE_SOLVED, STATE_CLOSED
    - statuses[1].waits_on: is required: valid are WAITS_ON_STAFF, WAITS_ON_REQUESTER, WAITS_ON_NOBODY
    ");
    // What the mask does not name is not looked at.
    let applied = apply(&desk, Helpdesk { display_name: "New".to_owned(), ..wrong }, &["display_name"]).await.unwrap();
    assert_eq!((applied.display_name.as_str(), applied.definition_version), ("New", 2));
}

/// A server that looks for more than the one which applied it must not stop whoever applies what is in force at each roll-out.
#[tokio::test]
async fn what_is_in_force_can_be_applied_again_whatever_is_wrong_with_it() {
    let desk = Desk::open(database()).await;
    desk.admin().create(draft("Printer on fire")).await.unwrap();
    let mut stored = get(&desk).await;
    stored.transitions[0].guards.push(Guard { expression: "false".to_owned(), message: "No.".to_owned() });
    diesel::update(definitions::table)
        .set(definitions::definition.eq(stored.encode_to_vec()))
        .execute(&mut desk.data().connect())
        .unwrap();
    let desk = Desk { server: desk.server.again().await };
    let current = Helpdesk { etag: String::new(), ..get(&desk).await };
    assert_eq!(current.contradictions.len(), 1, "{:?}", current.contradictions);

    let same = apply(&desk, current.clone(), &[]).await.unwrap();
    assert_eq!(same.definition_version, current.definition_version);
    let renamed = Helpdesk { display_name: "Renamed".to_owned(), ..current.clone() };
    let renamed = apply(&desk, renamed, &[]).await.unwrap();
    assert_eq!((renamed.display_name.as_str(), renamed.contradictions.len()), ("Renamed", 1));
    let mut worse = current;
    worse.transitions[1].guards.push(Guard { expression: "ticket.stats == ''".to_owned(), message: "No.".to_owned() });
    insta::assert_snapshot!(told(apply(&desk, worse, &[]).await), @r#"
    InvalidArgument INVALID_DEFINITION
    transitions[1].guards[0].expression: `ticket` has no `stats`: valid are requester, subject, channel, priority, status, state, queue, assignee, solution, number, last_canned_response, tags, cc, reply_count, staff_reply_count, requester_reply_count, note_count, receive_time, queue_time, first_reply_time, read_time, close_time, last_reply_time, last_reply_role, last_reply_solves, last_transition, last_transition_by, last_transition_role, parent_count, child_count, original_count, duplicate_count, related_count, fields (in "ticket.stats == ''")
    - transitions[1].guards[0].expression: `ticket` has no `stats`: valid are requester, subject, channel, priority, status, state, queue, assignee, solution, number, last_canned_response, tags, cc, reply_count, staff_reply_count, requester_reply_count, note_count, receive_time, queue_time, first_reply_time, read_time, close_time, last_reply_time, last_reply_role, last_reply_solves, last_transition, last_transition_by, last_transition_role, parent_count, child_count, original_count, duplicate_count, related_count, fields (in "ticket.stats == ''")
    "#);
}

#[tokio::test]
async fn a_new_format_of_numbers_passes_over_those_that_tickets_have() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let number = async |subject: &str| agent.create(draft(subject)).await.unwrap().number;
    for n in 1..=12 {
        assert_eq!(number("Old").await, n.to_string());
    }
    let format = async |format: &str| {
        let mut helpdesk = get(&desk).await;
        helpdesk.number_policy =
            Some(NumberPolicy { format: format.to_owned(), ..helpdesk.number_policy.unwrap_or_default() });
        apply(&desk, helpdesk, &[]).await.unwrap();
    };
    format("1{number}").await;
    // 113, 114, …
    for n in 13..=112 {
        assert_eq!(number("New").await, format!("1{n}"));
    }
    // Now 113, 114, … would come again, up to 1112.
    format("{number}").await;
    assert_eq!(number("Newer").await, "200");
    assert_eq!(number("Newer").await, "201");
    let lookup = LookupTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        number: "113".to_owned(),
        ..LookupTicketRequest::default()
    };
    assert_eq!(agent.lookup_ticket(lookup).await.unwrap().subject, "New");
}

#[tokio::test]
async fn a_closed_status_waits_on_nobody() {
    let desk = Desk::open(database()).await;
    let wrong = loket::json::helpdesk_from_yaml(
        &SIMPLE
            .replace("state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY", "state: STATE_CLOSED, waits_on: WAITS_ON_STAFF"),
    );
    let wrong = Helpdesk { name: "helpdesks/desk".to_owned(), ..wrong.unwrap() };
    insta::assert_snapshot!(told(apply(&desk, wrong, &[]).await), @r"
    InvalidArgument INVALID_DEFINITION
    statuses[2].waits_on: `closed` is STATE_CLOSED, and nobody works on a closed ticket: give it WAITS_ON_NOBODY, or another state
    - statuses[2].waits_on: `closed` is STATE_CLOSED, and nobody works on a closed ticket: give it WAITS_ON_NOBODY, or another state
    ");
}

/// Each is checked with what the other parts were, and must not bring them back.
#[tokio::test]
async fn masked_updates_at_once_all_hold() {
    let desk = Desk::open(database()).await;
    let old = Helpdesk { etag: String::new(), ..get(&desk).await };
    let renamed = Helpdesk { display_name: "Renamed".to_owned(), ..old.clone() };
    let copied = Helpdesk { mandatory_cc: vec!["boss@example.com".to_owned()], ..old.clone() };
    let format = NumberPolicy { format: "A-{number}".to_owned(), ..NumberPolicy::default() };
    let numbered = Helpdesk { number_policy: Some(format.clone()), ..old };
    let all = tokio::join!(
        apply(&desk, renamed, &["display_name"]),
        apply(&desk, copied, &["mandatory_cc"]),
        apply(&desk, numbered, &["number_policy"]),
    );
    let mut versions = [all.0, all.1, all.2].map(|applied| applied.unwrap().definition_version);
    versions.sort_unstable();
    assert_eq!(versions, [2, 3, 4]);
    let new = get(&desk).await;
    assert_eq!((new.display_name.as_str(), new.mandatory_cc), ("Renamed", vec!["boss@example.com".to_owned()]));
    assert_eq!(new.number_policy.unwrap().format, format.format);
}

/// It is answered as it was then, though another came in between, with which it would not fit.
#[tokio::test]
async fn a_masked_update_is_repeated_over_a_newer_version() {
    let desk = Desk::open(database()).await;
    let old = Helpdesk { etag: String::new(), ..get(&desk).await };
    let mut with_queue = old.clone();
    with_queue.queues.push(QueueDefinition { id: "orders".to_owned(), ..QueueDefinition::default() });
    apply(&desk, with_queue, &["queues"]).await.unwrap();
    let request = UpdateHelpdeskRequest {
        helpdesk: Some(Helpdesk { default_queue: "orders".to_owned(), ..old.clone() }),
        update_mask: Some(FieldMask { paths: vec!["default_queue".to_owned()] }),
        request_id: Uuid::new_v4().to_string(),
        ..UpdateHelpdeskRequest::default()
    };
    let first = desk.admin().update_helpdesk(request.clone()).await.unwrap();
    assert_eq!((first.definition_version, first.default_queue.as_str()), (3, "orders"));
    apply(&desk, old, &[]).await.unwrap();
    let anew = UpdateHelpdeskRequest { request_id: String::new(), ..request.clone() };
    assert_eq!(reason(desk.admin().update_helpdesk(anew).await), ErrorReason::InvalidDefinition);
    assert_eq!(desk.admin().update_helpdesk(request).await.unwrap(), first);
    assert_eq!(get(&desk).await.definition_version, 4);
}

#[tokio::test]
async fn a_masked_update_keeps_to_its_etag_and_can_be_tried() {
    let desk = Desk::open(database()).await;
    let old = get(&desk).await;
    let renamed = Helpdesk { display_name: "Renamed".to_owned(), ..old.clone() };
    let tried = UpdateHelpdeskRequest {
        helpdesk: Some(renamed.clone()),
        update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
        validate_only: true,
        ..UpdateHelpdeskRequest::default()
    };
    let tried = desk.admin().update_helpdesk(tried).await.unwrap();
    assert_eq!((tried.definition_version, tried.display_name.as_str()), (2, "Renamed"));
    assert_eq!(get(&desk).await, old);
    apply(&desk, renamed.clone(), &["display_name"]).await.unwrap();
    assert_eq!(reason(apply(&desk, renamed, &["display_name"]).await), ErrorReason::EtagMismatch);
}

/// What one helpdesk's conditions may take is bounded: others wait for it.
#[tokio::test]
async fn conditions_that_would_hold_up_everybody_are_refused() {
    let desk = Desk::open(database()).await;
    let guard = |expression: &str| Guard { expression: expression.to_owned(), message: "No.".to_owned() };
    let mut wrong = get(&desk).await;
    wrong.transitions[0].guards = vec![
        guard("size(ticket.solution + ticket.solution) > 1"),
        guard("ticket.subject + '!' != '!' || ticket.reply_count + 1 > 0"),
    ];
    insta::assert_snapshot!(told(apply(&desk, wrong, &["transitions"]).await), @r"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 2
    - transitions[0].guards[0].expression: `+` adds numbers and does not put texts together: ask each by itself, as in ticket.channel == 'web' && ticket.priority == 'high'
    - transitions[0].guards[1].expression: `+` adds numbers and does not put texts together: ask each by itself, as in ticket.channel == 'web' && ticket.priority == 'high'
    ");
    let mut wrong = get(&desk).await;
    wrong.transitions[0].guards = vec![guard(&vec!["ticket.solution.contains('x')"; 20].join(" || ")); 10];
    insta::assert_snapshot!(told(apply(&desk, wrong, &[]).await), @r"
    InvalidArgument INVALID_DEFINITION
    transitions[0].guards[0].expression: takes up to 82002 steps, the most of all conditions; they come to 820020 together, and at most 150000 are taken: look through fewer long texts, or ask fewer conditions
    - transitions[0].guards[0].expression: takes up to 82002 steps, the most of all conditions; they come to 820020 together, and at most 150000 are taken: look through fewer long texts, or ask fewer conditions
    ");
}

#[tokio::test]
async fn a_value_that_is_too_long_for_the_index_is_refused_and_an_old_one_is_found_all_the_same() {
    let desk = Desk::of(
        database(),
        &RICH.replace("{id: amount, type: FIELD_TYPE_INTEGER}", "{id: memo, type: FIELD_TYPE_TEXT}"),
    )
    .await;
    let agent = desk.agent("budi").await;
    let long = "ü".repeat(257);
    let with = |field: &str, value: &str| Ticket { fields: fields([(field, value)]), ..draft("Long") };
    insta::assert_snapshot!(told(agent.create(with("order", &long)).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields.order: has 257 characters: at most 256 are kept of a field that is indexed
    - ticket.fields.order: has 257 characters: at most 256 are kept of a field that is indexed
    ");
    agent.create(with("order", &"ü".repeat(256))).await.unwrap();
    let old = agent.create(with("memo", &long)).await.unwrap();
    let mut helpdesk = get(&desk).await;
    helpdesk.fields.iter_mut().find(|field| field.id == "memo").unwrap().indexed = true;
    apply(&desk, helpdesk, &[]).await.unwrap();
    let found = agent.list(&format!("fields.memo = {long:?}")).await.unwrap();
    assert_eq!(found.iter().map(|ticket| &ticket.name).collect::<Vec<_>>(), [&old.name]);
    // It stays while others change, and nothing as long comes again.
    let update = Ticket { name: old.name.clone(), subject: "Still long".to_owned(), ..Ticket::default() };
    assert_eq!(agent.update(update, &["subject"]).await.unwrap().fields, old.fields);
    assert_eq!(reason(agent.create(with("memo", &long)).await), ErrorReason::InvalidRequest);
    let taken = Ticket { name: old.name, ..Ticket::default() };
    assert!(agent.update(taken, &["fields.memo"]).await.unwrap().fields.is_empty());
}

#[tokio::test]
async fn what_routing_looks_at_routes_again() {
    let yaml = RICH.replace(
        "- {when: ticket.channel == 'phone', priority: high}",
        "- {when: size(ticket.cc) > 0, queue: pay}\n- {when: ticket.solution != '', queue: web}",
    );
    let desk = Desk::of(database(), &yaml).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    assert_eq!(ticket.queue, "first");
    let mut update = Ticket { name: ticket.name, cc: vec!["ani@example.com".to_owned()], ..Ticket::default() };
    assert_eq!(agent.update(update.clone(), &["cc"]).await.unwrap().queue, "pay");
    update.cc.clear();
    update.solution = "Turn it on".to_owned();
    assert_eq!(agent.update(update, &["cc", "solution"]).await.unwrap().queue, "web");
}
