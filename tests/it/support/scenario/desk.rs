//! The helpdesk that a scenario is told on, in the words of its preset.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use loket::v1::{
    Agent, AssignTicketRequest, Change, ClaimNextTicketRequest, ClaimTicketRequest, CreateAgentRequest,
    CreateHelpdeskRequest, CreateReplyRequest, CreateTicketRequest, ErrorReason, EscalateTicketRequest, Feedback,
    GetHelpdeskRequest, GetTicketRequest, Helpdesk, IdentityPolicy, ListChangesRequest, ListRepliesRequest,
    ListTicketsRequest, LookupTicketRequest, MarkTicketReadRequest, RegisterRequesterRequest, ReleaseTicketRequest,
    Reply, ReplyKind, Requester, Role, SubmitFeedbackRequest, Ticket, TransferTicketRequest, TransitionTicketRequest,
    UpdateTicketRequest, VerifyRequesterRequest,
};
use loket_client::files::FileUpload;
use loket_client::{Client, Error};
use prost_reflect::prost::Message;
use prost_types::FieldMask;

use super::names::Names;
use crate::support::{Caller, Server, TestClock, fields, own};

type Result<T> = std::result::Result<T, Refusal>;

/// The address of [`Desk::requester`].
const REQUESTER: &str = "ani@example.com";

/// A helpdesk, and one person in each role.
pub(crate) struct Desk {
    pub(crate) requester: Person,
    pub(crate) agent: Person,
    pub(crate) supervisor: Person,
    admin: Caller,
    helpdesk: String,
    clock: Arc<TestClock>,
    names: Arc<Names>,
    filed: AtomicUsize,
}

/// Somebody with a key. What is said and heard is in the preset's words.
#[derive(Clone)]
pub(crate) struct Person {
    caller: Caller,
    names: Arc<Names>,
}

/// Why a call was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: ErrorReason,
    pub(crate) message: String,
    /// Each thing that was wrong: `fields.order_id: …`.
    pub(crate) violations: Vec<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// The reason of a refusal.
#[track_caller]
pub(crate) fn reason<T: Debug>(result: Result<T>) -> ErrorReason {
    result.expect_err("a refusal").reason
}

impl Desk {
    pub(super) async fn open(server: &Server, helpdesk: &str, definition: &Helpdesk, names: Names) -> Self {
        let admin = server.admin().on(helpdesk);
        let request = CreateHelpdeskRequest {
            helpdesk_id: helpdesk.to_owned(),
            helpdesk: Some(definition.clone()),
            ..CreateHelpdeskRequest::default()
        };
        admin.create_helpdesk(request).await.unwrap();
        let names = Arc::new(names);
        // Where it is asked for, and O4 is not what is shown.
        if definition.identity() == IdentityPolicy::Verified {
            admin.verified(REQUESTER).await;
        }
        let person = async |role, subject| Person::new(&admin, role, subject, helpdesk, &names).await;
        Self {
            requester: person(Role::Requester, REQUESTER).await,
            agent: person(Role::Agent, "budi").await,
            supervisor: person(Role::Supervisor, "citra").await,
            helpdesk: helpdesk.to_owned(),
            clock: Arc::clone(&server.clock),
            names: Arc::clone(&names),
            filed: AtomicUsize::new(0),
            admin,
        }
    }

    /// Somebody else.
    pub(crate) async fn person(&self, role: Role, subject: &str) -> Person {
        Person::new(&self.admin, role, subject, &self.helpdesk, &self.names).await
    }

    /// The first admin.
    pub(crate) fn admin(&self) -> Person {
        Person { caller: self.admin.clone(), names: Arc::clone(&self.names) }
    }

    /// Registers an agent who takes only what needs one of these skills.
    pub(crate) async fn register_agent(&self, subject: &str, skills: &[&str]) {
        let agent = Agent {
            subject: subject.to_owned(),
            skills: skills.iter().map(|skill| (*skill).to_owned()).collect(),
            active: true,
            ..Agent::default()
        };
        let request = CreateAgentRequest {
            parent: self.agent.parent(),
            agent_id: subject.to_owned(),
            agent: Some(agent),
            ..CreateAgentRequest::default()
        };
        self.admin().call(Client::create_agent, request).await.unwrap();
    }

    /// The definition as it stands.
    pub(crate) async fn definition(&self) -> Helpdesk {
        let request = GetHelpdeskRequest { name: self.agent.parent() };
        self.admin().call(Client::get_helpdesk, request).await.unwrap()
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Files what the requester would, each time another case.
    pub(crate) async fn file<const N: usize>(&self, given: [(&str, &str); N]) -> Ticket {
        let subject = format!("Mohon bantuan {}", self.filed.fetch_add(1, Ordering::Relaxed) + 1);
        let body = format!("{subject}, seperti dijelaskan di sini.");
        self.requester.file(Ticket { fields: fields(given), body, ..own(&subject) }).await.unwrap()
    }

    /// The ticket as it stands now, for the staff.
    pub(crate) async fn look(&self, ticket: &Ticket) -> Ticket {
        self.agent.get(ticket).await.unwrap()
    }

    /// The status it stands in now.
    pub(crate) async fn status(&self, ticket: &Ticket) -> String {
        self.look(ticket).await.status
    }

    /// The subjects of those that wait in a queue, in the order in which it is worked.
    pub(crate) async fn line(&self, queue: &str) -> Vec<String> {
        let request = ListTicketsRequest {
            parent: self.agent.parent(),
            filter: format!("queue = {queue}"),
            order_by: "queue_order".to_owned(),
            ..ListTicketsRequest::default()
        };
        let page = self.agent.call(Client::list_tickets, request).await.unwrap();
        page.tickets.into_iter().map(|ticket| ticket.subject).collect()
    }
}

impl Person {
    async fn new(admin: &Caller, role: Role, subject: &str, helpdesk: &str, names: &Arc<Names>) -> Self {
        let key = admin.key(role, subject, &[helpdesk]).await;
        let caller = Caller::connect(admin.endpoint(), &key.secret, helpdesk).await;
        Self { caller, names: Arc::clone(names) }
    }

    /// The same person with a key that is none.
    pub(crate) async fn without_key(&self) -> Self {
        let helpdesk = self.caller.parent.strip_prefix("helpdesks/").unwrap();
        let caller = Caller::connect(self.caller.endpoint(), "none", helpdesk).await;
        Self { caller, names: Arc::clone(&self.names) }
    }

    /// `helpdesks/{helpdesk}`.
    pub(crate) fn parent(&self) -> String {
        self.caller.parent.clone()
    }

    /// Any method: `person.call(Client::get_ticket, request)`.
    pub(crate) async fn call<Q, A>(
        &self,
        method: impl AsyncFnOnce(&Client, Q) -> std::result::Result<A, Error>,
        request: Q,
    ) -> Result<A>
    where
        Q: Message + Default,
        A: Message + Default,
    {
        let answer = method(&self.caller, self.names.there(request)).await;
        answer.map(|answer| self.names.back(answer)).map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &Error) -> Refusal {
        let back = |text: &str| self.names.text_back(text);
        Refusal {
            reason: crate::support::reason::<()>(Err(error.clone())),
            message: back(error.message()),
            violations: error.violations().iter().map(|violation| back(&violation.to_string())).collect(),
            metadata: error.metadata().iter().map(|(key, value)| (key.clone(), back(value))).collect(),
        }
    }

    pub(crate) async fn file(&self, ticket: Ticket) -> Result<Ticket> {
        let request =
            CreateTicketRequest { parent: self.parent(), ticket: Some(ticket), ..CreateTicketRequest::default() };
        self.call(Client::create_ticket, request).await
    }

    pub(crate) async fn get(&self, ticket: &Ticket) -> Result<Ticket> {
        let request = GetTicketRequest { name: ticket.name.clone(), ..GetTicketRequest::default() };
        self.call(Client::get_ticket, request).await
    }

    /// By its number alone.
    pub(crate) async fn lookup(&self, number: &str) -> Result<Ticket> {
        let request =
            LookupTicketRequest { parent: self.parent(), number: number.to_owned(), ..LookupTicketRequest::default() };
        self.call(Client::lookup_ticket, request).await
    }

    /// Saves fields, all in one step.
    pub(crate) async fn save<const N: usize>(&self, ticket: &Ticket, given: [(&str, &str); N]) -> Result<Ticket> {
        let paths = given.iter().map(|(id, _)| format!("fields.{id}")).collect();
        self.update(Ticket { name: ticket.name.clone(), fields: fields(given), ..Ticket::default() }, paths).await
    }

    /// Changes what the paths name.
    pub(crate) async fn update(&self, ticket: Ticket, paths: Vec<String>) -> Result<Ticket> {
        let request = UpdateTicketRequest {
            ticket: Some(ticket),
            update_mask: Some(FieldMask { paths }),
            ..UpdateTicketRequest::default()
        };
        self.call(Client::update_ticket, request).await
    }

    /// Takes a transition.
    pub(crate) async fn take(&self, ticket: &Ticket, transition: &str) -> Result<Ticket> {
        self.take_with(ticket, transition, [], "").await
    }

    /// Takes a transition, with fields and a solution.
    pub(crate) async fn take_with<const N: usize>(
        &self,
        ticket: &Ticket,
        transition: &str,
        given: [(&str, &str); N],
        solution: &str,
    ) -> Result<Ticket> {
        let request = TransitionTicketRequest {
            name: ticket.name.clone(),
            transition: transition.to_owned(),
            fields: fields(given),
            solution: solution.to_owned(),
            ..TransitionTicketRequest::default()
        };
        self.call(Client::transition_ticket, request).await
    }

    /// Replies in public.
    pub(crate) async fn reply(&self, ticket: &Ticket, body: &str) -> Result<Reply> {
        self.reply_and(ticket, body, "").await
    }

    /// Replies in public and takes a transition, in one step.
    pub(crate) async fn reply_and(&self, ticket: &Ticket, body: &str, transition: &str) -> Result<Reply> {
        let reply = Reply { body: body.to_owned(), ..Reply::default() };
        self.say(ticket, reply, transition).await
    }

    /// Writes an internal note.
    pub(crate) async fn note(&self, ticket: &Ticket, body: &str) -> Result<Reply> {
        let reply = Reply { body: body.to_owned(), kind: ReplyKind::Note.into(), ..Reply::default() };
        self.say(ticket, reply, "").await
    }

    pub(crate) async fn say(&self, ticket: &Ticket, reply: Reply, transition: &str) -> Result<Reply> {
        let request = CreateReplyRequest {
            parent: ticket.name.clone(),
            reply: Some(reply),
            transition: transition.to_owned(),
            ..CreateReplyRequest::default()
        };
        self.call(Client::create_reply, request).await
    }

    /// Replies with a canned response, sets fields and takes a transition, in one step.
    pub(crate) async fn reply_canned<const N: usize>(
        &self,
        ticket: &Ticket,
        canned: &str,
        given: [(&str, &str); N],
        transition: &str,
    ) -> Result<Reply> {
        let request = CreateReplyRequest {
            parent: ticket.name.clone(),
            reply: Some(Reply { canned_response: canned.to_owned(), ..Reply::default() }),
            fields: fields(given),
            transition: transition.to_owned(),
            ..CreateReplyRequest::default()
        };
        self.call(Client::create_reply, request).await
    }

    /// Registers an address.
    pub(crate) async fn register(&self, email: &str) -> Result<Requester> {
        let requester = Some(Requester { email: email.to_owned(), ..Requester::default() });
        let request =
            RegisterRequesterRequest { parent: self.parent(), requester, ..RegisterRequesterRequest::default() };
        self.call(Client::register_requester, request).await
    }

    /// Tells a code.
    pub(crate) async fn verify(&self, requester: &Requester, code: &str) -> Result<Requester> {
        let (name, code) = (requester.name.clone(), code.to_owned());
        let request = VerifyRequesterRequest { name, code, ..VerifyRequesterRequest::default() };
        self.call(Client::verify_requester, request).await
    }

    /// Answers the survey with the token of its link.
    pub(crate) async fn rate(&self, ticket: &Ticket, rating: i32, token: &str) -> Result<Feedback> {
        let request = SubmitFeedbackRequest {
            name: ticket.name.clone(),
            feedback: Some(Feedback { rating, ..Feedback::default() }),
            token: token.to_owned(),
            ..SubmitFeedbackRequest::default()
        };
        self.call(Client::submit_feedback, request).await
    }

    pub(crate) async fn claim(&self, ticket: &Ticket) -> Result<Ticket> {
        let request = ClaimTicketRequest { name: ticket.name.clone(), ..ClaimTicketRequest::default() };
        self.call(Client::claim_ticket, request).await
    }

    pub(crate) async fn release(&self, ticket: &Ticket) -> Result<Ticket> {
        let request = ReleaseTicketRequest { name: ticket.name.clone(), ..ReleaseTicketRequest::default() };
        self.call(Client::release_ticket, request).await
    }

    /// Says that it has read the ticket.
    pub(crate) async fn read(&self, ticket: &Ticket) -> Result<Ticket> {
        let request = MarkTicketReadRequest { name: ticket.name.clone(), ..MarkTicketReadRequest::default() };
        self.call(Client::mark_ticket_read, request).await
    }

    /// Sends it to another queue.
    pub(crate) async fn transfer(&self, ticket: &Ticket, queue: &str) -> Result<Ticket> {
        let request = TransferTicketRequest {
            name: ticket.name.clone(),
            queue: queue.to_owned(),
            reason: "Salah antrian".to_owned(),
            ..TransferTicketRequest::default()
        };
        self.call(Client::transfer_ticket, request).await
    }

    /// Takes an escalation: the ticket, and the child that was filed if one was.
    pub(crate) async fn escalate(
        &self,
        ticket: &Ticket,
        escalation: &str,
        queue: &str,
    ) -> Result<(Ticket, Option<Ticket>)> {
        let request = EscalateTicketRequest {
            name: ticket.name.clone(),
            escalation: escalation.to_owned(),
            queue: queue.to_owned(),
            reason: "Tidak dapat diselesaikan di sini".to_owned(),
            ..EscalateTicketRequest::default()
        };
        let answer = self.call(Client::escalate_ticket, request).await?;
        Ok((answer.ticket.unwrap(), answer.child))
    }

    /// Gives it to somebody.
    pub(crate) async fn assign(&self, ticket: &Ticket, assignee: &str) -> Result<Ticket> {
        let request = AssignTicketRequest {
            name: ticket.name.clone(),
            assignee: assignee.to_owned(),
            ..AssignTicketRequest::default()
        };
        self.call(Client::assign_ticket, request).await
    }

    /// Uploads a file of so many bytes, for a ticket or a reply to name.
    pub(crate) async fn upload(&self, filename: &str, bytes: i64) -> String {
        let file = FileUpload {
            parent: self.parent(),
            filename: filename.to_owned(),
            mime_type: String::new(),
            source: vec![7; usize::try_from(bytes).unwrap()].into(),
        };
        self.caller.upload(file, |_, _| {}).await.unwrap().name
    }

    /// Claims the first that waits in a queue.
    pub(crate) async fn next(&self, queue: &str) -> Result<Option<Ticket>> {
        let name = format!("{}/queues/{queue}", self.parent());
        let request = ClaimNextTicketRequest { name, ..ClaimNextTicketRequest::default() };
        Ok(self.call(Client::claim_next_ticket, request).await?.ticket)
    }

    /// All that match.
    pub(crate) async fn list(&self, filter: &str) -> Result<Vec<Ticket>> {
        let request = ListTicketsRequest {
            parent: self.parent(),
            filter: filter.to_owned(),
            page_size: 1_000,
            ..ListTicketsRequest::default()
        };
        Ok(self.call(Client::list_tickets, request).await?.tickets)
    }

    pub(crate) async fn replies(&self, ticket: &Ticket) -> Vec<Reply> {
        let request = ListRepliesRequest { parent: ticket.name.clone(), ..ListRepliesRequest::default() };
        self.call(Client::list_replies, request).await.unwrap().replies
    }

    /// The ticket's history, as this person sees it.
    pub(crate) async fn history(&self, ticket: &Ticket) -> Vec<Change> {
        let request = ListChangesRequest { parent: ticket.name.clone(), ..ListChangesRequest::default() };
        let changes: std::result::Result<Vec<_>, Error> = self.caller.all_changes(request).try_collect().await;
        changes.unwrap().into_iter().map(|change| self.names.back(change)).collect()
    }
}
