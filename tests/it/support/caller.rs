//! A client with somebody's key, and short names for what tests do most on one helpdesk.

use std::ops::Deref;

use futures_util::TryStreamExt as _;
use loket::v1::{
    AccessKey, BatchCreateTicketsRequest, Change, ClaimNextTicketRequest, ClaimTicketRequest, CreateAccessKeyRequest,
    CreateHelpdeskRequest, CreateReplyRequest, CreateTicketRequest, GetTicketRequest, Helpdesk, ListChangesRequest,
    ListRepliesRequest, ListTicketsRequest, ReleaseTicketRequest, Reply, ReplyKind, Role, Ticket,
    TransitionTicketRequest, UpdateTicketRequest, batch_create_tickets_result,
};
use loket_client::{Client, Error};
use prost_types::FieldMask;

type Result<T> = std::result::Result<T, Error>;

/// Everything of [`Client`], and the short names below.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    client: Client,
    endpoint: String,
    pub(crate) secret: String,
    /// `helpdesks/{helpdesk}`: what the short names speak of.
    pub(crate) parent: String,
}

impl Deref for Caller {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Caller {
    pub(crate) async fn connect(endpoint: &str, secret: &str, helpdesk: &str) -> Self {
        let client = Client::connect(loket_client::Options::new(endpoint, secret)).await.unwrap();
        Self {
            client,
            endpoint: endpoint.to_owned(),
            secret: secret.to_owned(),
            parent: format!("helpdesks/{helpdesk}"),
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The same caller, speaking of another helpdesk.
    pub(crate) fn on(&self, helpdesk: &str) -> Self {
        Self { parent: format!("helpdesks/{helpdesk}"), ..self.clone() }
    }

    /// The same caller, acting for somebody.
    pub(crate) async fn for_somebody(&self, subject: &str) -> Self {
        let mut options = loket_client::Options::new(&self.endpoint, &self.secret);
        options.on_behalf_of = Some(subject.to_owned());
        Self { client: Client::connect(options).await.unwrap(), ..self.clone() }
    }

    /// Makes a key.
    pub(crate) async fn key(&self, role: Role, subject: &str, helpdesks: &[&str]) -> AccessKey {
        let access_key = AccessKey {
            role: role.into(),
            subject: subject.to_owned(),
            helpdesks: helpdesks.iter().map(|id| format!("helpdesks/{id}")).collect(),
            ..AccessKey::default()
        };
        let request = CreateAccessKeyRequest { access_key: Some(access_key), ..CreateAccessKeyRequest::default() };
        self.create_access_key(request).await.unwrap()
    }

    /// Creates a helpdesk from YAML.
    pub(crate) async fn open(&self, id: &str, yaml: &str) -> Helpdesk {
        let helpdesk = loket::json::helpdesk_from_yaml(yaml).unwrap();
        let request = CreateHelpdeskRequest {
            helpdesk_id: id.to_owned(),
            helpdesk: Some(helpdesk),
            ..CreateHelpdeskRequest::default()
        };
        self.create_helpdesk(request).await.unwrap()
    }

    pub(crate) async fn create(&self, ticket: Ticket) -> Result<Ticket> {
        let parent = self.parent.clone();
        self.create_ticket(CreateTicketRequest { parent, ticket: Some(ticket), ..CreateTicketRequest::default() }).await
    }

    /// Files many tickets quickly.
    pub(crate) async fn fill(&self, tickets: impl IntoIterator<Item = Ticket>) -> Vec<Ticket> {
        let request = |ticket| CreateTicketRequest { ticket: Some(ticket), ..CreateTicketRequest::default() };
        let requests: Vec<_> = tickets.into_iter().map(request).collect();
        let mut filed = Vec::with_capacity(requests.len());
        for part in requests.chunks(500) {
            let batch = BatchCreateTicketsRequest { parent: self.parent.clone(), requests: part.to_vec() };
            for result in self.batch_create_tickets(batch).await.unwrap().results {
                match result.result {
                    Some(batch_create_tickets_result::Result::Ticket(ticket)) => filed.push(ticket),
                    other => panic!("not filed: {other:?}"),
                }
            }
        }
        filed
    }

    /// One try, without the client's retries.
    pub(crate) async fn try_create(&self, ticket: Ticket) -> Result<Ticket> {
        let parent = self.parent.clone();
        let request = CreateTicketRequest { parent, ticket: Some(ticket), ..CreateTicketRequest::default() };
        Ok(self.tickets().create_ticket(request).await?.into_inner())
    }

    pub(crate) async fn get(&self, ticket: &str) -> Result<Ticket> {
        self.get_ticket(GetTicketRequest { name: ticket.to_owned(), ..GetTicketRequest::default() }).await
    }

    /// Changes what `paths` name.
    pub(crate) async fn update(&self, ticket: Ticket, paths: &[&str]) -> Result<Ticket> {
        let mask = FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
        let request =
            UpdateTicketRequest { ticket: Some(ticket), update_mask: Some(mask), ..UpdateTicketRequest::default() };
        self.update_ticket(request).await
    }

    pub(crate) async fn transition(&self, ticket: &str, transition: &str) -> Result<Ticket> {
        let request = TransitionTicketRequest {
            name: ticket.to_owned(),
            transition: transition.to_owned(),
            ..TransitionTicketRequest::default()
        };
        self.transition_ticket(request).await
    }

    pub(crate) async fn reply(&self, ticket: &str, body: &str) -> Result<Reply> {
        self.say(ticket, body, ReplyKind::Public).await
    }

    pub(crate) async fn note(&self, ticket: &str, body: &str) -> Result<Reply> {
        self.say(ticket, body, ReplyKind::Note).await
    }

    async fn say(&self, ticket: &str, body: &str, kind: ReplyKind) -> Result<Reply> {
        let reply = Reply { body: body.to_owned(), kind: kind.into(), ..Reply::default() };
        let request =
            CreateReplyRequest { parent: ticket.to_owned(), reply: Some(reply), ..CreateReplyRequest::default() };
        self.create_reply(request).await
    }

    pub(crate) async fn claim(&self, ticket: &str) -> Result<Ticket> {
        self.claim_ticket(ClaimTicketRequest { name: ticket.to_owned(), ..ClaimTicketRequest::default() }).await
    }

    pub(crate) async fn release(&self, ticket: &str) -> Result<Ticket> {
        self.release_ticket(ReleaseTicketRequest { name: ticket.to_owned(), ..ReleaseTicketRequest::default() }).await
    }

    /// Claims the first ticket of a queue, if one waits.
    pub(crate) async fn claim_next(&self, queue: &str) -> Result<Option<Ticket>> {
        let name = format!("{}/queues/{queue}", self.parent);
        let request = ClaimNextTicketRequest { name, ..ClaimNextTicketRequest::default() };
        Ok(self.claim_next_ticket(request).await?.ticket)
    }

    /// All that match, over all pages.
    pub(crate) async fn list(&self, filter: &str) -> Result<Vec<Ticket>> {
        let request = ListTicketsRequest {
            parent: self.parent.clone(),
            filter: filter.to_owned(),
            page_size: 1_000,
            ..ListTicketsRequest::default()
        };
        self.all_tickets(request).try_collect().await
    }

    pub(crate) async fn replies(&self, ticket: &str) -> Result<Vec<Reply>> {
        let request = ListRepliesRequest { parent: ticket.to_owned(), ..ListRepliesRequest::default() };
        self.all_replies(request).try_collect().await
    }

    pub(crate) async fn changes(&self, ticket: &str) -> Result<Vec<Change>> {
        let request = ListChangesRequest { parent: ticket.to_owned(), ..ListChangesRequest::default() };
        self.all_changes(request).try_collect().await
    }
}
