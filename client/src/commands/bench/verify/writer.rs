//! An agent that files, replies and claims, whatever happens to the servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loket::v1::{
    AccessKey, ClaimNextTicketRequest, CreateReplyRequest, CreateTicketRequest, GetTicketRequest, Reply, ReplyKind,
    Ticket,
};
use loket_client::backoff::Backoff;
use loket_client::{Client, Error, Options};
use rand::Rng as _;
use tonic::Code;
use uuid::Uuid;

use super::ledger::Ledger;
use super::{Run, TRY};
use crate::commands::stop::Stop;
use crate::failure::Failure;

/// An answer, and how it was come by.
pub(super) struct Answered<T> {
    pub(super) answer: T,
    /// The server that gave it.
    pub(super) place: usize,
    /// How often the call was repeated.
    pub(super) repeats: u64,
}

/// Asks one server after another, beginning with the `home`th, until one answers. The last error when none does within
/// `patience`; any other error than that a server cannot be reached or does not answer at once.
pub(super) async fn ask<Q: Clone, T, F: Future<Output = Result<T, Error>>>(
    clients: &[Client],
    home: usize,
    patience: Duration,
    request: &Q,
    call: impl Fn(Client, Q) -> F,
) -> Result<Answered<T>, Error> {
    let deadline = Instant::now() + patience;
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
    for repeats in 0.. {
        let place = (home + repeats as usize) % clients.len();
        match call(clients[place].with_timeout(TRY), request.clone()).await {
            Ok(answer) => return Ok(Answered { answer, place, repeats }),
            Err(error) if is_open(&error) && Instant::now() < deadline => tokio::time::sleep(backoff.next(None)).await,
            Err(error) => return Err(error),
        }
    }
    unreachable!("it is repeated until it returns")
}

/// Whether the call may have been done or not.
pub(super) fn is_open(error: &Error) -> bool {
    error.is_transient() || matches!(error.code(), Code::DeadlineExceeded | Code::ResourceExhausted)
}

pub(super) struct Writer {
    run: Arc<Run>,
    number: usize,
    subject: String,
    /// One for each server.
    clients: Vec<Client>,
    filed: Vec<String>,
    ledger: Ledger,
}

impl Writer {
    pub(super) fn new(run: &Arc<Run>, number: usize, key: &AccessKey, options: &Options) -> Result<Self, Failure> {
        let clients = run.endpoints.iter().map(|endpoint| {
            let options = Options { endpoint: endpoint.clone(), token: key.secret.clone(), ..options.clone() };
            Client::connect_lazy(&options)
        });
        let clients = clients.collect::<Result<Vec<_>, _>>()?;
        let (run, subject) = (Arc::clone(run), key.subject.clone());
        Ok(Self { run, number, subject, clients, filed: Vec::new(), ledger: Ledger::default() })
    }

    /// Half of it is filing.
    pub(super) async fn work(mut self, end: Instant, stop: Stop) -> Ledger {
        for turn in 0_u64.. {
            if Instant::now() >= end || stop.is_set() {
                break;
            }
            let text = format!("{} {}-{turn}", self.run.mark, self.number);
            let chosen = rand::rng().random_range(0..4);
            match chosen {
                0 | 1 => self.file(text).await,
                2 => self.reply(text).await,
                _ => self.claim().await,
            }
        }
        self.ledger
    }

    fn home(&self) -> usize {
        self.number % self.clients.len()
    }

    async fn file(&mut self, subject: String) {
        let ticket = Ticket {
            requester: format!("requester-{}@example.com", self.number),
            subject: subject.clone(),
            body: "Filed to prove that it stays.".to_owned(),
            ..Ticket::default()
        };
        let request = CreateTicketRequest {
            parent: self.run.parent.clone(),
            ticket: Some(ticket),
            request_id: Uuid::new_v4().to_string(),
            ..CreateTicketRequest::default()
        };
        let asked = ask(&self.clients, self.home(), self.run.patience, &request, |client, request| async move {
            client.create_ticket(request).await
        });
        if let Some((ticket, place)) = self.note("filing a ticket", &subject, asked.await, |ticket| ticket.revision) {
            self.filed.push(ticket.name.clone());
            self.read_again(&ticket, place).await;
            self.ledger.tickets.insert(subject, (ticket.name, ticket.uid));
        }
    }

    async fn reply(&mut self, body: String) {
        let Some(ticket) = pick(&self.filed) else { return };
        let reply = Reply { body: body.clone(), kind: ReplyKind::Public.into(), ..Reply::default() };
        let request = CreateReplyRequest {
            parent: ticket.clone(),
            reply: Some(reply),
            request_id: Uuid::new_v4().to_string(),
            ..CreateReplyRequest::default()
        };
        let asked = ask(&self.clients, self.home(), self.run.patience, &request, |client, request| async move {
            client.create_reply(request).await
        });
        if self.note("replying", &body, asked.await, |reply| reply.revision).is_some() {
            self.ledger.replies.insert(body, ticket);
        }
    }

    async fn claim(&mut self) {
        let request = ClaimNextTicketRequest {
            name: self.run.queue.clone(),
            request_id: Uuid::new_v4().to_string(),
            ..ClaimNextTicketRequest::default()
        };
        let asked = ask(&self.clients, self.home(), self.run.patience, &request, |client, request| async move {
            client.claim_next_ticket(request).await
        });
        let revision =
            |claimed: &loket::v1::ClaimNextTicketResponse| claimed.ticket.as_ref().map_or(0, |ticket| ticket.revision);
        let what = format!("a claim by {}", request.request_id);
        if let Some((claimed, _)) = self.note("claiming", &what, asked.await, revision)
            && let Some(ticket) = claimed.ticket
        {
            self.ledger.claims.push((ticket.name, self.subject.clone()));
        }
    }

    /// What was acknowledged, and by which server.
    fn note<T>(
        &mut self,
        doing: &str,
        what: &str,
        asked: Result<Answered<T>, Error>,
        revision: impl FnOnce(&T) -> i64,
    ) -> Option<(T, usize)> {
        match asked {
            Ok(Answered { answer, place, repeats }) => {
                self.ledger.repeated += repeats;
                if repeats == 0 {
                    self.ledger.committed_at.insert(revision(&answer), place);
                }
                Some((answer, place))
            }
            Err(error) if is_open(&error) => {
                self.ledger.unanswered.insert(what.to_owned());
                None
            }
            Err(error) => {
                self.ledger.fail(doing, &error);
                None
            }
        }
    }

    /// Now and then, at another server: it shows what was acknowledged, at that revision or a later one.
    async fn read_again(&mut self, ticket: &Ticket, place: usize) {
        if !rand::rng().random_ratio(1, 8) {
            return;
        }
        let request = GetTicketRequest {
            name: ticket.name.clone(),
            min_revision: ticket.revision,
            ..GetTicketRequest::default()
        };
        let asked = ask(&self.clients, place + 1, self.run.patience, &request, |client, request| async move {
            client.get_ticket(request).await
        });
        match asked.await {
            Ok(read) => self.ledger.stale += u64::from(read.answer.revision < ticket.revision),
            Err(error) if is_open(&error) => {}
            Err(error) => {
                self.ledger.stale += u64::from(error.code() == Code::NotFound);
                self.ledger.fail("reading a ticket again", &error);
            }
        }
    }
}

fn pick(filed: &[String]) -> Option<String> {
    (!filed.is_empty()).then(|| filed[rand::rng().random_range(0..filed.len())].clone())
}
