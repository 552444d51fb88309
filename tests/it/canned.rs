//! Canned responses: what they may hold, and how they are filled in.

use insta::assert_snapshot;
use loket::v1::{CreateHelpdeskRequest, ErrorReason, GetHelpdeskRequest, Ticket};

use super::database;
use crate::support::{Desk, RICH, SIMPLE, draft, fields, own, reason, told};

#[tokio::test]
async fn a_reply_begins_with_the_canned_text_filled_in_and_goes_on_with_what_was_written() {
    let desk = Desk::of(database(), RICH).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Printer {on} fire")).await.unwrap();
    let name = &ticket.name;
    let reply = agent.reply_canned(name, "hello", "Is it hot?", [], "").await.unwrap();
    assert_eq!(reply.body, "Hello ani@example.com, about Printer {on} fire:\n\nIs it hot?");
    assert_eq!(reply.canned_response, "hello");
    let seen = ani.replies(name).await.unwrap();
    assert_eq!(seen, [reply]);

    // The fields are set first, in the same commit.
    assert_snapshot!(told(agent.reply_canned(name, "due", "", [], "").await), @r"
    FailedPrecondition TICKET_NOT_READY
    helpdesks/desk/tickets/1 cannot be changed so: the field `due` must have a value, as the canned response tells it
    - fields.due: the field `due` must have a value, as the canned response tells it
    ");
    let reply = agent.reply_canned(name, "due", "", [("due", "2026-12-01")], "start").await.unwrap();
    assert_eq!(reply.body, "On 2026-12-01, says budi. {T-00001}");
    let ticket = agent.get(name).await.unwrap();
    assert_eq!((ticket.status.as_str(), ticket.fields["due"].as_str()), ("open", "2026-12-01"));
    let changes = agent.changes(name).await.unwrap();
    let last = changes.last().unwrap();
    assert_eq!((last.revision, last.transition.as_str()), (reply.revision, "start"));
    assert!(last.field_changes.iter().any(|change| change.field == "fields.due"));

    let reply = agent.reply_canned(name, "survey", "", [], "").await.unwrap();
    assert!(reply.body.starts_with("Tell us at https://survey.example/helpdesks/desk/tickets/1?token="), "{reply:?}");
}

#[tokio::test]
async fn fields_of_a_reply_are_checked_like_those_of_an_update() {
    let desk = Desk::of(database(), RICH).await;
    let ani = desk.requester("ani@example.com").await;
    let ticket =
        ani.create(Ticket { fields: fields([("product", "web"), ("order", "7")]), ..own("Mine") }).await.unwrap();
    let with = async |given| ani.reply_canned(&ticket.name, "", "Hello", [given], "").await;
    assert_snapshot!(told(with(("order", "")).await), @r"
    InvalidArgument INVALID_REQUEST
    fields.order: is required for this ticket and would be empty
    - fields.order: is required for this ticket and would be empty
    ");
    assert_eq!(reason(with(("cause", "heat")).await), ErrorReason::InvalidRequest);
    with(("area", "pay")).await.unwrap();
    assert_eq!(ani.get(&ticket.name).await.unwrap().queue, "pay");
}

#[tokio::test]
async fn canned_responses_are_the_staffs_and_must_be_there() {
    let desk = Desk::of(database(), RICH).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Mine")).await.unwrap();
    assert_eq!(reason(ani.reply_canned(&ticket.name, "hello", "", [], "").await), ErrorReason::RoleNotAllowed);
    assert_snapshot!(told(agent.reply_canned(&ticket.name, "old", "", [], "").await), @r#"
    InvalidArgument INVALID_REQUEST
    reply.canned_response: there is no canned response "old"; there are: hello, due, survey
    - reply.canned_response: there is no canned response "old"; there are: hello, due, survey
    "#);
    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    assert_eq!(agent.get_helpdesk(get.clone()).await.unwrap().canned_responses.len(), 4);
    assert_eq!(ani.get_helpdesk(get).await.unwrap().canned_responses, []);
    assert_eq!(desk.head().await, 1);
}

#[tokio::test]
async fn a_guard_can_demand_the_canned_response_of_the_last_public_reply() {
    let yaml = SIMPLE.replace(
        "{id: close, from: [new, open], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}",
        "{id: close, from: [new, open], to: closed, trigger: TRANSITION_TRIGGER_MANUAL, guards: \
         [{expression: ticket.last_canned_response == 'bye', message: Say bye.}]}",
    );
    let desk = Desk::of(database(), &format!("{yaml}canned_responses: [{{id: bye, body: Bye}}]\n")).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Mine")).await.unwrap();
    let name = &ticket.name;
    let refused = ErrorReason::TransitionRefused;
    assert_eq!(reason(agent.transition(name, "close").await), refused);
    agent.reply_canned(name, "bye", "", [], "").await.unwrap();
    agent.note(name, "A note is no public reply").await.unwrap();
    ani.reply(name, "Wait").await.unwrap();
    assert_eq!(reason(agent.transition(name, "close").await), refused);
    agent.reply_canned(name, "bye", "", [], "").await.unwrap();
    assert_eq!(agent.transition(name, "close").await.unwrap().status, "closed");
    // What only guards look at is no part of the history.
    let told = format!("{:?}", agent.changes(name).await.unwrap());
    assert!(!told.contains("last_canned_response"), "{told}");
    assert_eq!(agent.create(draft("Another")).await.unwrap().status, "new");
}

#[tokio::test]
async fn what_is_wrong_with_a_definitions_texts_is_told_with_its_path() {
    let desk = Desk::of(database(), RICH).await;
    let broken = SIMPLE.replacen(
        "to: open, trigger: TRANSITION_TRIGGER_MANUAL}",
        "to: open, trigger: TRANSITION_TRIGGER_MANUAL, \
         guards: [{expression: ticket.last_canned_response == 'bey', message: m}]}",
        1,
    );
    let broken = format!(
        "{broken}
fields:
- {{id: risk, type: FIELD_TYPE_TEXT, staff_only: true}}
canned_responses:
- {{id: bye, body: '{{requestr}} {{fields.risk}} {{fields.cause}} {{survey_link}} }} {{'}}
- {{id: bye, body: ' '}}
"
    );
    let create = async |yaml: &str| {
        let helpdesk = Some(loket::json::helpdesk_from_yaml(yaml).unwrap());
        let helpdesk_id = "broken".to_owned();
        let request = CreateHelpdeskRequest { helpdesk_id, helpdesk, ..CreateHelpdeskRequest::default() };
        desk.admin().create_helpdesk(request).await
    };
    assert_snapshot!(told(create(&broken).await), @r#"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 9
    - transitions[0].guards[0].expression: last_canned_response is compared with "bey": there is no canned response "bey": valid is `bye`
    - canned_responses[1].id: "bye" is also the id of canned_responses[0]: each canned response needs its own
    - canned_responses[0].body: there is no placeholder "requestr": valid are `requester`, `number`, `subject`, `status`, `agent`, `survey_link` or `fields.{field}`
    - canned_responses[0].body: the field `risk` is for the staff only, and replies are read by requesters: leave it out
    - canned_responses[0].body: there is no field "cause": valid is `risk`
    - canned_responses[0].body: there is no `survey` that `survey_link` could lead to: add one, or leave it out
    - canned_responses[0].body: has a `}` that stands alone: write `}}` for a brace
    - canned_responses[0].body: has a `{` that stands alone: write `{{` for a brace
    - canned_responses[1].body: is required: the text that is replied
    "#);
    let survey = "survey: {uri_template: 'https://x.example/{tickte}', link_days: 2147483647}\nidentity: 7";
    assert_snapshot!(told(create(&format!("{SIMPLE}{survey}")).await), @r#"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 3
    - identity: there is no value 7: valid are IDENTITY_POLICY_ANYBODY, IDENTITY_POLICY_REGISTERED, IDENTITY_POLICY_VERIFIED
    - survey.link_days: 2147483647 days: write 1 to 365, or 0 for the default
    - survey.uri_template: there is no placeholder "tickte": valid are `token`, `ticket` or `number`
    "#);
    assert_snapshot!(told(create(&format!("{SIMPLE}survey: {{uri_template: 'survey {{token}}'}}")).await), @r#"
    InvalidArgument INVALID_DEFINITION
    survey.uri_template: "survey {token}" is no address: write `https://…?token={token}` in at most 500 characters without spaces
    - survey.uri_template: "survey {token}" is no address: write `https://…?token={token}` in at most 500 characters without spaces
    "#);
    assert_snapshot!(told(create(&format!("{SIMPLE}survey: {{uri_template: 'https://x.example'}}")).await), @r"
    InvalidArgument INVALID_DEFINITION
    survey.uri_template: has no `{token}`: nobody could answer with that link
    - survey.uri_template: has no `{token}`: nobody could answer with that link
    ");
}
