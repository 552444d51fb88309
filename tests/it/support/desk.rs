//! A helpdesk on a server.

use std::ops::Deref;

use loket::v1::{GetHelpdeskRequest, Helpdesk, Role, UpdateHelpdeskRequest};
use loket_client::Error;
use prost_types::FieldMask;

use super::{Caller, Options, Server};

/// Three statuses, one queue, no fields.
pub(crate) const SIMPLE: &str = "
display_name: Simple
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: open, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: start, from: [new], to: open, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: close, from: [new, open], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: reopen, from: [closed], to: open, trigger: TRANSITION_TRIGGER_MANUAL}
queues:
- {id: main, display_name: Main}
default_queue: main
";

/// Fields of every type, guards, required fields, routing, an escalation, a merge policy, canned responses and a survey.
pub(crate) const RICH: &str = "
display_name: Rich
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: open, state: STATE_ACTIVE, waits_on: WAITS_ON_STAFF}
- {id: waiting, state: STATE_WAITING, waits_on: WAITS_ON_REQUESTER}
- id: solved
  state: STATE_SOLVED
  waits_on: WAITS_ON_NOBODY
  requester_reply: REPLY_POLICY_WARN
  requester_reply_message: It is solved; a reply opens it again.
- id: closed
  state: STATE_CLOSED
  waits_on: WAITS_ON_NOBODY
  requester_reply: REPLY_POLICY_REFUSE
  requester_reply_message: It is closed; file a new ticket.
initial_status: new
transitions:
- {id: take, from: [new], to: open, trigger: TRANSITION_TRIGGER_CLAIM}
- {id: answer, from: [new, open], to: waiting, trigger: TRANSITION_TRIGGER_AGENT_REPLY}
- {id: answered_back, from: [waiting, solved], to: open, trigger: TRANSITION_TRIGGER_REQUESTER_REPLY}
- {id: start, from: [new, waiting], to: open, trigger: TRANSITION_TRIGGER_MANUAL}
- id: solve
  from: [open, waiting]
  to: solved
  trigger: TRANSITION_TRIGGER_MANUAL
  guards:
  - {expression: ticket.solution != '', message: Give the solution first.}
  - {expression: ticket.staff_reply_count > 0, message: Answer the requester first.}
- {id: close, from: [solved], to: closed, trigger: TRANSITION_TRIGGER_MANUAL, roles: [ROLE_SUPERVISOR]}
- {id: reopen, from: [closed], to: open, trigger: TRANSITION_TRIGGER_MANUAL, roles: [ROLE_SUPERVISOR, ROLE_ADMIN]}
- {id: give_up, from: [new, open, waiting], to: closed, trigger: TRANSITION_TRIGGER_MANUAL, roles: [ROLE_REQUESTER, ROLE_SUPERVISOR]}
fields:
- {id: product, type: FIELD_TYPE_CHOICE, choices: [{value: app}, {value: web}, {value: fax, retired: true}], indexed: true}
- {id: area, type: FIELD_TYPE_TREE, choices: [{value: pay}, {value: pay/card}, {value: ship}]}
- {id: order, type: FIELD_TYPE_TEXT, required_when: ticket.fields.product == 'web', indexed: true}
- {id: amount, type: FIELD_TYPE_INTEGER}
- {id: gift, type: FIELD_TYPE_BOOLEAN}
- {id: due, type: FIELD_TYPE_DATE}
- {id: seen, type: FIELD_TYPE_TIMESTAMP}
- {id: risk, type: FIELD_TYPE_TEXT, staff_only: true}
- {id: cause, type: FIELD_TYPE_TEXT, required_when: ticket.status == 'solved', set_by: [ROLE_AGENT, ROLE_SUPERVISOR]}
priorities: [{id: high}, {id: normal}, {id: low}]
default_priority: normal
queues:
- {id: first, ordering: [ORDERING_KEY_PRIORITY, ORDERING_KEY_QUEUE_TIME]}
- {id: web, ordering: [ORDERING_KEY_RECEIVE_TIME]}
- {id: pay}
escalations:
- {id: upstairs, mode: ESCALATION_MODE_CHILD, queues: [pay]}
routing:
- {when: ticket.channel == 'phone', priority: high}
- {when: ticket.fields.area == 'pay' || ticket.fields.area == 'pay/card', queue: pay}
- {when: ticket.fields.product == 'web', queue: web}
default_queue: first
number_policy: {assigned_on: NUMBER_ASSIGNMENT_SUBMISSION, format: \"T-{number:05}\"}
merge_policy: {status: closed}
canned_responses:
- {id: hello, body: 'Hello {requester}, about {subject}:'}
- {id: due, body: 'On {fields.due}, says {agent}. {{{number}}}'}
- {id: survey, body: 'Tell us at {survey_link} how it was.'}
- {id: old, body: Bye, retired: true}
survey: {uri_template: 'https://survey.example/{ticket}?token={token}', link_days: 10}
";

/// A server of its own with the helpdesk `desk`.
pub(crate) struct Desk {
    pub(crate) server: Server,
}

impl Deref for Desk {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Desk {
    /// With the definition [`SIMPLE`].
    pub(crate) async fn open(options: impl Into<Options>) -> Self {
        Self::of(options, SIMPLE).await
    }

    /// With a definition in YAML.
    pub(crate) async fn of(options: impl Into<Options>, yaml: &str) -> Self {
        let server = Server::start(options).await;
        server.admin().open("desk", yaml).await;
        Self { server }
    }

    pub(crate) async fn requester(&self, address: &str) -> Caller {
        self.server.caller(Role::Requester, address, &["desk"]).await
    }

    pub(crate) async fn agent(&self, subject: &str) -> Caller {
        self.server.caller(Role::Agent, subject, &["desk"]).await
    }

    pub(crate) async fn supervisor(&self, subject: &str) -> Caller {
        self.server.caller(Role::Supervisor, subject, &["desk"]).await
    }

    pub(crate) async fn service(&self, subject: &str) -> Caller {
        self.server.caller(Role::Service, subject, &["desk"]).await
    }

    /// Applies the definition in force with a change.
    pub(crate) async fn redefine(&self, change: impl FnOnce(&mut Helpdesk)) -> Result<Helpdesk, Error> {
        self.redefine_parts(&[], change).await
    }

    /// The same, of these parts alone; none: of all.
    pub(crate) async fn redefine_parts(
        &self,
        parts: &[&str],
        change: impl FnOnce(&mut Helpdesk),
    ) -> Result<Helpdesk, Error> {
        let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
        let mut helpdesk = self.admin().get_helpdesk(get).await?;
        change(&mut helpdesk);
        let paths: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        let update_mask = (!paths.is_empty()).then_some(FieldMask { paths });
        let helpdesk = Some(helpdesk);
        let request = UpdateHelpdeskRequest { helpdesk, update_mask, ..UpdateHelpdeskRequest::default() };
        self.admin().update_helpdesk(request).await
    }

    /// The helpdesk's last revision.
    pub(crate) async fn head(&self) -> i64 {
        let request = loket::v1::ListTicketsRequest {
            parent: "helpdesks/desk".to_owned(),
            page_size: 1,
            ..loket::v1::ListTicketsRequest::default()
        };
        self.admin().list_tickets(request).await.unwrap().revision
    }
}
