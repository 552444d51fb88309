//! A helpdesk on a server.

use std::ops::Deref;

use loket::v1::Role;

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
