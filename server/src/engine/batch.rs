//! Decides a batch of commands, each seeing the effects of those before it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::definitions::Definitions;
use super::load;
use super::submission::{Failure, Outcome, Request};
use crate::domain::commands::{Command, decide};
use crate::domain::context::{Answer, Context, Decision, DefinitionVersion, WorkingSet};
use crate::domain::{Actor, Micros, Refusal};
use crate::store::{AnyConnection, HeadRow, NewRequestRow, RequestRow, SYSTEM, StoreError, heads, requests};

/// The requests that were seen before: by subject, and by request id.
pub(super) type Seen<'a> = HashMap<Cow<'a, str>, HashMap<Cow<'a, str>, Before<'a>>>;

/// What was done under a request id.
#[derive(Debug)]
pub(super) struct Before<'a> {
    command: Cow<'a, str>,
    digest: Cow<'a, [u8]>,
    revision: i64,
}

/// What a batch has come to so far.
pub(super) struct Batch<'a> {
    pub(super) helpdesk: &'a str,
    pub(super) now: Micros,
    pub(super) set: WorkingSet,
    pub(super) definition: Option<Arc<DefinitionVersion>>,
    pub(super) seen: Seen<'a>,
    /// The decisions that change something, in order, each with what asked for it.
    pub(super) decided: Vec<Decided<'a>>,
    /// The request ids to remember.
    pub(super) remembered: Vec<NewRequestRow<'a>>,
}

/// A decision that uses up a revision.
pub(super) struct Decided<'a> {
    pub(super) revision: i64,
    pub(super) decision: Decision,
    pub(super) command: &'static str,
    pub(super) actor: &'a Actor,
    pub(super) request_id: &'a str,
    pub(super) definition_version: i64,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        helpdesk: &'a str,
        now: Micros,
        set: WorkingSet,
        definition: Option<Arc<DefinitionVersion>>,
        seen: Seen<'a>,
        commands: usize,
    ) -> Self {
        let (decided, remembered) = (Vec::with_capacity(commands), Vec::with_capacity(commands));
        Self { helpdesk, now, set, definition, seen, decided, remembered }
    }

    /// Decides one command. A refused one leaves no trace; one that panics neither.
    pub(super) fn decide(&mut self, request: &'a Request, random: u128) -> Result<Outcome, Failure> {
        let decided = catch_unwind(AssertUnwindSafe(|| self.try_decide(request, random)));
        decided.unwrap_or_else(|_| {
            tracing::error!(command = request.command.name(), "a command panicked while it was decided");
            Err(Failure::Internal)
        })
    }

    fn try_decide(&mut self, request: &'a Request, random: u128) -> Result<Outcome, Failure> {
        let definition = self.definition.clone();
        let context = Context {
            helpdesk: self.helpdesk,
            now: self.now,
            actor: &request.actor,
            definition: definition.as_ref(),
            random,
        };
        #[cfg(test)]
        super::writer::tests::may_panic(request);
        request.command.check_visible(&self.set, &context)?;
        if let Some(before) = self.seen(request) {
            request.command.check_role(&context)?;
            return replay(before, request);
        }
        let decision = decide(&self.set, &request.command, &context)?;
        let answer = decision.answer.clone();
        if request.validate_only {
            let last = self.set.last_revision;
            let revision = if decision.changes_something() { last + 1 } else { revision_of(&answer, last) };
            return Ok(Outcome { revision, replayed: false, answer, encoded: None });
        }
        if !decision.changes_something() {
            let revision = revision_of(&answer, self.set.last_revision);
            // An empty claim is to be tried again; what was already as asked for is remembered like what was done.
            if !matches!(answer, Answer::Nothing | Answer::NoneFits) {
                self.remember(request, revision);
            }
            return Ok(Outcome { revision, replayed: false, answer, encoded: None });
        }
        self.set.apply(definition.as_ref().map(|version| &*version.definition), &decision);
        let revision = self.set.last_revision;
        if let Some(version) = &decision.definition {
            self.definition = Some(Arc::clone(version));
        }
        self.remember(request, revision);
        self.decided.push(Decided {
            revision,
            decision,
            command: request.command.name(),
            actor: &request.actor,
            request_id: &request.request_id.id,
            definition_version: definition.map_or(0, |definition| definition.version),
        });
        Ok(Outcome { revision, replayed: false, answer, encoded: None })
    }

    fn seen(&self, request: &Request) -> Option<&Before<'a>> {
        self.seen.get(request.actor.subject.as_str())?.get(request.request_id.id.as_str())
    }

    fn remember(&mut self, request: &'a Request, revision: i64) {
        let Request { actor, command, request_id, digest, .. } = request;
        let command = command.name();
        // One that the server made comes once.
        if !request_id.fresh {
            let before = Before { command: command.into(), digest: digest.as_slice().into(), revision };
            let of_subject = self.seen.entry(actor.subject.as_str().into()).or_default();
            of_subject.insert(request_id.id.as_str().into(), before);
        }
        self.remembered.push(NewRequestRow {
            helpdesk: self.helpdesk,
            subject: &actor.subject,
            request_id: &request_id.id,
            command,
            digest,
            revision,
            create_time: self.now,
        });
    }
}

fn replay(before: &Before<'_>, request: &Request) -> Result<Outcome, Failure> {
    if before.command == request.command.name() && *before.digest == request.digest {
        return Ok(Outcome { revision: before.revision, replayed: true, answer: Answer::Nothing, encoded: None });
    }
    Err(Failure::Refused(Refusal::RequestIdReused {
        request_id: request.request_id.id.clone(),
        command: before.command.clone().into_owned(),
    }))
}

fn revision_of(answer: &Answer, head: i64) -> i64 {
    match answer {
        Answer::Nothing | Answer::NoneFits => 0,
        Answer::Agent(agent) => agent.revision,
        Answer::Ticket(ticket) | Answer::Escalated { ticket, .. } => ticket.revision,
        Answer::Reply { reply, .. } => reply.revision,
        Answer::Definition(version) => version.revision.min(head),
        Answer::Key(key) => key.revision,
        Answer::Upload(upload) => upload.revision,
        Answer::Requester(requester) => requester.revision,
        Answer::Refused(_) => head,
    }
}

/// How many of these, from the first on, can be decided together. One that looks at more than it changes goes alone: what
/// it looks at is loaded for a batch once, and not carried along within it.
pub(super) fn together<'c>(commands: impl Iterator<Item = &'c Command>) -> usize {
    let mut together = 0;
    for command in commands {
        if command.goes_alone() {
            return together.max(1);
        }
        together += 1;
    }
    together
}

/// The requests of these that were seen before. Those whose ids the server has just made cannot have been.
pub(super) fn load_seen<'r, 's>(
    connection: &mut AnyConnection,
    helpdesk: &str,
    requests: impl Iterator<Item = &'r Request>,
) -> Result<Seen<'s>, StoreError> {
    let pairs: Vec<_> = requests
        .filter(|request| !request.request_id.fresh)
        .map(|request| (request.actor.subject.as_str(), request.request_id.id.as_str()))
        .collect();
    if pairs.is_empty() {
        return Ok(Seen::new());
    }
    let mut seen = Seen::new();
    for row in requests::by_ids(connection, helpdesk, &pairs)? {
        let RequestRow { subject, request_id, command, digest, revision, helpdesk: _, create_time: _ } = row;
        let before = Before { command: command.into(), digest: digest.into(), revision };
        seen.entry(subject.into()).or_default().insert(request_id.into(), before);
    }
    Ok(seen)
}

/// Decides one command as of now and writes nothing.
pub(super) fn validate(
    connection: &mut AnyConnection,
    definitions: &Definitions,
    request: &Request,
    clock: Micros,
) -> Result<Outcome, Failure> {
    let helpdesk = &*request.helpdesk;
    let outcome = crate::store::dialect::read(connection, |connection| {
        let definition = if helpdesk == SYSTEM { None } else { definitions.current(connection, helpdesk)? };
        let head = heads::get(connection, helpdesk)?.unwrap_or_else(|| HeadRow::fresh(helpdesk));
        let requests = std::iter::once(request);
        let set = load::working_set(connection, helpdesk, &head, definition.as_deref(), requests)?;
        let seen = load_seen(connection, helpdesk, std::iter::once(request))?;
        let now = clock.max(head.last_time);
        Ok(Batch::new(helpdesk, now, set, definition, seen, 1).decide(request, 0))
    });
    outcome.unwrap_or_else(|error: StoreError| Err(Failure::from_store(&error)))
}

/// Whether deciding has taken as long as it may.
pub(super) fn is_over(started: Instant, most: std::time::Duration) -> bool {
    started.elapsed() >= most
}
