//! `loket helpdesk explain`: a definition in words, as a diagram, and as it is.

use insta::assert_snapshot;

use super::database;
use crate::support::Desk;
use crate::support::programs::{json, loket, run, said};

const REPAIRS: &str = r#"
display_name: Repairs
statuses:
- {id: new, display_name: "New: \"today\"", state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: on-hold, state: STATE_WAITING, waits_on: WAITS_ON_REQUESTER}
- id: end
  display_name: Done
  state: STATE_CLOSED
  waits_on: WAITS_ON_NOBODY
  requester_reply: REPLY_POLICY_REFUSE
  requester_reply_message: Bring it in again.
initial_status: new
transitions:
- {id: ask, display_name: Asked, from: [new], to: on-hold, trigger: TRANSITION_TRIGGER_AGENT_REPLY}
- id: answered
  from: [on-hold]
  to: new
  trigger: TRANSITION_TRIGGER_REQUESTER_REPLY
  effects:
    fields: {price: ""}
    assign: ASSIGNMENT_NOBODY
    notifications: [{recipient: NOTIFICATION_RECIPIENT_QUEUE, message: The customer has answered.}]
- id: finish
  from: [new, on-hold]
  to: end
  trigger: TRANSITION_TRIGGER_MANUAL
  roles: [ROLE_AGENT, ROLE_SUPERVISOR]
  guards:
  - {expression: "ticket.solution != ''", message: Say what was repaired.}
fields:
- {id: brand, display_name: Brand, type: FIELD_TYPE_CHOICE, choices: [{value: acme}, {value: old, retired: true}], required_when: "true"}
- {id: price, type: FIELD_TYPE_INTEGER, required_when: ticket.status == 'end', set_by: [ROLE_AGENT], set_when: ticket.solution != '', staff_only: true}
priorities: [{id: high, description: Today.}, {id: normal, display_name: Normal}]
default_priority: normal
priority_set_by: [ROLE_AGENT]
queues:
- {id: bench, ordering: [ORDERING_KEY_PRIORITY, ORDERING_KEY_QUEUE_TIME]}
- {id: shop, display_name: Shop}
routing:
- {when: ticket.channel == 'phone', priority: high}
- {when: ticket.fields.brand == 'acme', queue: bench}
default_queue: shop
reply_rules:
- {roles: [ROLE_AGENT], expression: reply.words > 1, message: Say more.}
number_policy: {assigned_on: NUMBER_ASSIGNMENT_CLAIM, format: "R{number:04}"}
duplicate_policy: {on_create: DUPLICATE_ACTION_REFUSE}
merge_policy: {status: end, across_requesters: true}
transfer_policy: {placement: TRANSFER_PLACEMENT_KEEP_PLACE, roles: [ROLE_AGENT, ROLE_SUPERVISOR], claimed_only: true}
escalations:
- id: away
  display_name: To the maker
  mode: ESCALATION_MODE_MOVE
  queues: [bench, shop]
  from_statuses: [new]
  roles: [ROLE_SUPERVISOR]
  guards: [{expression: ticket.fields.brand != '', message: Say of which brand it is.}]
- {id: part, mode: ESCALATION_MODE_CHILD, queues: [shop], from_queues: [bench]}
empty_reply: EMPTY_REPLY_POLICY_CLAIM
mandatory_cc: [owner@example.com]
canned_responses:
- {id: done, display_name: Done, body: "Dear {requester},\n\nit is repaired."}
- {id: old, body: Bye., retired: true}
survey: {uri_template: "https://example.com/{token}", link_days: 7}
identity: IDENTITY_POLICY_VERIFIED
attachment_policy: {ticket_quota_bytes: 8388608, max_file_bytes: 1000, mime_types: [image/*], open_upload_bytes: 16777216}
"#;

#[tokio::test]
async fn a_definition_is_explained_as_text_as_a_diagram_and_as_it_is() {
    let desk = Desk::of(database(), REPAIRS).await;
    let explain = async |flags: &[&str]| {
        let mut command = loket(&desk.endpoint(), desk.data().folder(), desk.data().folder());
        command.args(["helpdesk", "explain", "desk"]).args(flags);
        let output = run(command).await;
        assert!(output.status.success(), "{}", said(&output));
        output
    };

    assert_snapshot!(String::from_utf8(explain(&[]).await.stdout).unwrap(), @r#"
    helpdesks/desk «Repairs», definition version 1

    Statuses
      new «New: "today"»: new, waits on staff; a new ticket stands here
      on-hold: waiting, waits on requester
      end «Done»: closed, waits on nobody
        the requester's replies: refuse
          «Bring it in again.»

    Transitions
      ask «Asked»: new → on-hold
        on agent reply, by agent, supervisor, admin
      answered: on-hold → new
        on requester reply, by requester
        then clears price
        then gives it to nobody
        then tells who works its queue
          «The customer has answered.»
      finish: new, on-hold → end
        taken by agent, supervisor
        if ticket.solution != ''
          «Say what was repaired.»

    Fields
      brand «Brand»: choice
        one of acme, old (retired)
        required
      price: integer, hidden from requesters
        required if ticket.status == 'end'
        set by agent
        set if ticket.solution != ''

    Priorities, most urgent first
      high
        «Today.»
      normal «Normal», unless another is given
      set by agent

    Queues
      bench: by priority, then queue time
      shop «Shop»: by queue time

    Routing, the first that holds
      if ticket.channel == 'phone' → priority high
      if ticket.fields.brand == 'acme' → queue bench
      otherwise → queue shop

    Policies
      a ticket gets its number when it is first claimed, as R{number:04}
      tickets are filed only for requesters that are registered and whose address is verified
      the same text of the same requester is refused until the first is closed
      a reply without a text claims a ticket that waits
      any tickets may be merged, into the earliest; the others become end
      tickets are transferred by agent, supervisor
        agents only those that they have claimed
        it becomes nobody's
        it waits as if it had waited there all along
      the files of a ticket are at most 8 MiB together
        each at most 1000 B
        of the types image/*
        of one caller at most 16 MiB that are not used yet
      copies of every ticket go to owner@example.com
      the survey after closing is answered at https://example.com/{token}
        within 7 days

    Replies must be so
      reply.words > 1
        «Say more.»
        for agent

    Escalations
      away «To the maker»: the ticket moves to one of bench, shop
        while it is new
        by supervisor
        if ticket.fields.brand != ''
          «Say of which brand it is.»
      part: a child of it is filed in shop
        from bench

    Canned responses
      done «Done»
        Dear {requester},
        it is repaired.
      old (retired)
        Bye.
    "#);
    assert_snapshot!(String::from_utf8(explain(&["--format", "mermaid"]).await.stdout).unwrap(), @r#"
    stateDiagram-v2
        state "New#58; #34;today#34;<br/>(new, waits on staff)" as s_new
        state "on-hold<br/>(waiting, waits on requester)" as s_onHhold
        state "Done<br/>(closed, waits on nobody)" as s_end
        [*] --> s_new
        s_new --> s_onHhold: Asked<br/>on agent reply
        s_onHhold --> s_new: answered<br/>on requester reply<br/>/ clears price<br/>/ gives it to nobody<br/>/ tells who works its queue
        s_new --> s_end: finish<br/>by agent, supervisor<br/>[ticket.solution != '']
        s_onHhold --> s_end: finish<br/>by agent, supervisor<br/>[ticket.solution != '']
        s_end --> [*]
    "#);
    let definition = json(&explain(&["-o", "json"]).await);
    assert_eq!(definition["transitions"][2]["guards"][0]["expression"], "ticket.solution != ''");
}
