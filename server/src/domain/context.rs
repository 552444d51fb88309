//! What a decision may look at, and what it comes to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::definition::{Definition, DuplicateComparison, Facts};
use super::upload::{Attachment, Upload, UploadRefusal, attachment_name, upload_name};
use super::workflow::Taken;
use super::{
    AccessKey, Actor, Agent, ExternalRef, Micros, Notification, Refusal, Reply, Requester, State, Ticket, Violation,
    duplicates,
};

/// What comes in from outside with a command: time, chance, the caller and the rules.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The id of the helpdesk.
    pub helpdesk: &'a str,
    /// The later of the clock and the helpdesk's last commit.
    pub now: Micros,
    pub actor: &'a Actor,
    /// None in `_system`, which has no tickets.
    pub definition: Option<&'a Arc<DefinitionVersion>>,
    /// Different for every command.
    pub random: u128,
}

impl<'a> Context<'a> {
    pub fn rules(&self) -> Result<&'a Definition, Refusal> {
        match self.definition {
            Some(version) => Ok(&version.definition),
            None => Err(Refusal::no_helpdesk(self.helpdesk)),
        }
    }

    pub fn facts<'t>(&self, ticket: &'t Ticket) -> Facts<'t>
    where
        'a: 't,
    {
        Facts::new(ticket, self.actor)
    }

    pub fn ticket_name(&self, id: i64) -> String {
        format!("helpdesks/{}/tickets/{id}", self.helpdesk)
    }

    pub fn agent_name(&self, id: &str) -> String {
        format!("helpdesks/{}/agents/{id}", self.helpdesk)
    }

    pub fn requester_name(&self, id: &str) -> String {
        format!("helpdesks/{}/requesters/{id}", self.helpdesk)
    }

    pub fn not_found(&self, kind: &'static str, name: &str) -> Refusal {
        Refusal::NotFound { kind, name: name.to_owned() }
    }

    /// Refuses all but staff.
    pub fn staff_only(&self, what: &str) -> Result<(), Refusal> {
        if self.actor.role.is_staff() {
            return Ok(());
        }
        let allowed = super::Role::ALL.into_iter().filter(|role| role.is_staff()).collect();
        Err(Refusal::RoleNotAllowed { what: what.to_owned(), role: self.actor.role, allowed })
    }
}

/// A definition in force.
#[derive(Debug)]
pub struct DefinitionVersion {
    /// From 1.
    pub version: i64,
    pub definition: Arc<Definition>,
    /// The revision that applied it; 0 for the first.
    pub revision: i64,
    /// When the helpdesk was created.
    pub create_time: Micros,
    /// When this version was applied.
    pub update_time: Micros,
}

impl DefinitionVersion {
    pub fn etag(&self) -> String {
        format!("\"v{:x}\"", self.version)
    }
}

/// What a batch of commands touches, loaded before the first is decided, and changed by each that is.
#[derive(Debug, Default)]
pub struct WorkingSet {
    pub last_revision: i64,
    pub last_ticket: i64,
    pub last_number: i64,
    /// It holds a ticket that is imported, and knows of no other.
    pub is_apart: bool,
    pub tickets: HashMap<i64, Arc<Ticket>>,
    /// The first tickets that wait in a queue: as many as the batch can take, by queue key and id.
    pub waiting: HashMap<String, BTreeSet<(String, i64)>>,
    /// Of queues whose tickets need skills, by queue and skill: the first that wait and can be taken with it.
    pub skilled: HashMap<String, HashMap<String, BTreeSet<(String, i64)>>>,
    /// What was said to be in those lists and is not.
    pub misplaced: Vec<Misplaced>,
    /// Queues whose tickets need skills and in which none waits at all.
    pub idle: BTreeSet<String>,
    pub external_refs: HashMap<ExternalRef, i64>,
    /// The replies that were asked for, by ticket and id; None while there is none.
    pub replies: HashMap<(i64, i64), Option<Reply>>,
    /// The human numbers by which fields name tickets to link to, and whose they are.
    pub numbers: HashMap<String, Option<i64>>,
    /// What new tickets must not repeat; None where they may.
    pub texts: Option<Texts>,
    /// Of the human numbers that the batch may come to, those that tickets have from under another format.
    pub taken_numbers: HashSet<String>,
    /// Kept counts by kind and id, where a command needs them.
    pub counts: BTreeMap<(String, String), i64>,
    /// The ids among those asked for that are taken.
    pub helpdesks: BTreeSet<String>,
    pub keys: HashMap<String, AccessKey>,
    /// Those of the agents asked for that are registered, by their subjects.
    pub agents: HashMap<String, Agent>,
    /// Whether any agent is registered.
    pub has_agents: bool,
    /// The bodies of the tickets whose bodies were asked for; where any were, also of those that the batch creates.
    pub bodies: HashMap<i64, String>,
    pub needs_bodies: bool,
    /// Those that are named, and those that their callers have under way where one begins another.
    pub uploads: HashMap<String, Arc<Upload>>,
    /// By their ids, those who are asked for and registered.
    pub requesters: HashMap<String, Arc<Requester>>,
}

/// A place in the list of a skill at which no ticket waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    pub queue: String,
    pub skill: String,
    pub queue_key: String,
    pub ticket: i64,
}

impl WorkingSet {
    /// A ticket that the caller may see.
    pub fn ticket(&self, id: i64, context: &Context<'_>) -> Result<&Arc<Ticket>, Refusal> {
        match self.tickets.get(&id) {
            Some(ticket) if context.actor.may_see(ticket) => Ok(ticket),
            _ => Err(context.not_found("Ticket", &context.ticket_name(id))),
        }
    }

    /// An upload of the caller's that can still be used.
    pub fn open_upload(&self, id: &str, context: &Context<'_>) -> Result<&Arc<Upload>, Refusal> {
        let name = || upload_name(context.helpdesk, id);
        let Some(upload) = self.uploads.get(id).filter(|upload| upload.subject == context.actor.subject) else {
            return Err(context.not_found("Upload", &name()));
        };
        if let Some(ticket) = upload.ticket {
            let attachment = attachment_name(context.helpdesk, ticket, id);
            return Err(Refusal::Upload(UploadRefusal::Used { name: name(), attachment }));
        }
        if upload.is_expired(context.now) {
            return Err(Refusal::Upload(UploadRefusal::Expired { name: name() }));
        }
        Ok(upload)
    }

    /// A requester that the caller may see.
    pub fn requester(&self, id: &str, context: &Context<'_>) -> Result<&Arc<Requester>, Refusal> {
        let seen = |requester: &&Arc<Requester>| context.actor.may_see_requester(requester);
        let name = || context.requester_name(id);
        self.requesters.get(id).filter(seen).ok_or_else(|| context.not_found("Requester", &name()))
    }

    /// The next human number: as it is counted, and as it is written.
    pub fn next_number(&self, rules: &Definition) -> (i64, String) {
        let mut number = self.last_number + 1;
        loop {
            let text = rules.number(number);
            if !self.taken_numbers.contains(&text) {
                return (number, text);
            }
            number += 1;
        }
    }

    /// The first ticket that is not closed and has the same text from the same requester.
    pub fn repeated_by(&self, ticket: &Ticket, body: &str) -> Option<i64> {
        let texts = self.texts.as_ref()?;
        let alike = texts.alike.get(&texts.digest(ticket, body))?;
        let is_open = |id: &&i64| self.tickets.get(id).is_some_and(|ticket| ticket.state != State::Closed);
        alike.iter().filter(is_open).min().copied()
    }

    /// Takes a decision's effects in, for the commands behind it.
    pub fn apply(&mut self, rules: Option<&Definition>, decision: &Decision) {
        if decision.changes_something() {
            self.last_revision += 1;
        }
        for change in &decision.tickets {
            self.last_ticket = self.last_ticket.max(change.after.id);
            if let Some(texts) = &mut self.texts {
                texts.apply(change);
            }
            if let Some(reply) = &change.reply
                && let Some(asked_for) = self.replies.get_mut(&(reply.ticket, reply.id))
            {
                *asked_for = Some(reply.clone());
            }
            self.apply_ticket(rules, change);
        }
        if let Some(number) = decision.number {
            self.last_number = number;
        }
        if let Some(key) = &decision.key {
            self.keys.insert(key.id.clone(), key.clone());
        }
        if let Some(agent) = &decision.agent {
            self.agents.insert(agent.subject.clone(), agent.clone());
            self.has_agents = true;
        }
        for change in &decision.uploads {
            match change {
                UploadChange::Create(upload) | UploadChange::Change(upload) => {
                    self.uploads.insert(upload.id.clone(), Arc::clone(upload));
                }
                UploadChange::Remove(id) => drop(self.uploads.remove(id)),
            }
        }
        if let Some(requester) = &decision.requester {
            self.requesters.insert(requester.after.id.clone(), Arc::clone(&requester.after));
        }
        if let Some(helpdesk) = &decision.helpdesk {
            self.helpdesks.insert(helpdesk.id.clone());
        }
    }

    fn apply_ticket(&mut self, rules: Option<&Definition>, change: &TicketChange) {
        let after = &change.after;
        if let Some(before) = &change.before {
            if let Some(waiting) = self.waiting.get_mut(&before.queue) {
                waiting.remove(&(before.queue_key.clone(), before.id));
            }
            for waiting in self.skilled.get_mut(&before.queue).into_iter().flat_map(HashMap::values_mut) {
                waiting.remove(&(before.queue_key.clone(), before.id));
            }
            for reference in before.external_refs.iter().filter(|reference| !after.external_refs.contains(reference)) {
                self.external_refs.remove(reference);
            }
        }
        if after.waits()
            && let Some(waiting) = self.waiting.get_mut(&after.queue)
        {
            waiting.insert((after.queue_key.clone(), after.id));
        }
        if after.waits()
            && let Some(by_skill) = self.skilled.get_mut(&after.queue)
        {
            for skill in rules.map(|rules| rules.skills_for(after)).unwrap_or_default() {
                if let Some(waiting) = by_skill.get_mut(&skill) {
                    waiting.insert((after.queue_key.clone(), after.id));
                }
            }
        }
        if after.waits() && !self.idle.is_empty() {
            self.idle.remove(&after.queue);
        }
        if let Some(named) = self.numbers.get_mut(&after.number) {
            *named = Some(after.id);
        }
        if self.needs_bodies && change.before.is_none() {
            self.bodies.insert(after.id, change.body.clone());
        }
        for reference in &after.external_refs {
            self.external_refs.insert(reference.clone(), after.id);
        }
        self.tickets.insert(after.id, Arc::clone(after));
    }
}

/// The texts that new tickets must not repeat.
#[derive(Debug, Default)]
pub struct Texts {
    pub compare: DuplicateComparison,
    /// By digest, the tickets that had such a text when they were last open; they are at hand.
    pub alike: HashMap<String, Vec<i64>>,
    /// The bodies of those that may come to have another text or be reopened.
    pub bodies: HashMap<i64, String>,
}

impl Texts {
    /// What stands for a ticket's text.
    pub fn digest(&self, ticket: &Ticket, body: &str) -> String {
        duplicates::digest(self.compare, &ticket.requester, &ticket.subject, body)
    }

    fn apply(&mut self, change: &TicketChange) {
        let after = &change.after;
        let body = if change.before.is_none() {
            self.bodies.entry(after.id).or_insert_with(|| change.body.clone())
        } else {
            let Some(body) = self.bodies.get(&after.id) else { return };
            body
        };
        // What it said before is nobody's any more, also where it comes back with the look-up.
        if let Some(before) = change.before.as_ref().filter(|before| before.subject != after.subject) {
            let said = duplicates::digest(self.compare, &before.requester, &before.subject, body);
            if let Some(alike) = self.alike.get_mut(&said) {
                alike.retain(|id| *id != after.id);
            }
        }
        let alike =
            self.alike.entry(duplicates::digest(self.compare, &after.requester, &after.subject, body)).or_default();
        if !alike.contains(&after.id) {
            alike.push(after.id);
        }
    }
}

/// What is to be done with tickets that are there, for a new definition; nothing that callers see of them changes.
#[derive(Debug, Default)]
pub struct Rework {
    /// Those that wait may have other places in their queues.
    pub places: bool,
    /// Those that wait may need other skills.
    pub skills: bool,
    /// The ids of fields that are indexed from now on.
    pub fields: Vec<String>,
    /// What repeats a ticket is refused from now on, or is compared otherwise: all open ones must be known by their texts.
    pub texts: bool,
}

/// What a command comes to. A revision is used up when anything changes.
#[derive(Debug, Default)]
pub struct Decision {
    pub tickets: Vec<TicketChange>,
    /// The human number that was given, as it is counted.
    pub number: Option<i64>,
    pub definition: Option<Arc<DefinitionVersion>>,
    /// What a new definition changes of tickets that are there.
    pub rework: Rework,
    pub helpdesk: Option<NewHelpdesk>,
    pub key: Option<AccessKey>,
    /// Registered or changed.
    pub agent: Option<Agent>,
    /// How long the caller had waited for the ticket that it claims; 0 where it did not wait.
    pub waited: Micros,
    pub uploads: Vec<UploadChange>,
    pub requester: Option<RequesterChange>,
    pub answer: Answer,
}

impl Decision {
    pub fn changes_something(&self) -> bool {
        !self.tickets.is_empty()
            || self.definition.is_some()
            || self.helpdesk.is_some()
            || self.key.is_some()
            || self.agent.is_some()
            || !self.uploads.is_empty()
            || self.requester.is_some()
    }

    /// Nothing is to be done: the ticket is as it was asked for.
    pub fn unchanged(ticket: &Arc<Ticket>) -> Self {
        Self { answer: Answer::Ticket(Arc::clone(ticket)), ..Self::default() }
    }

    /// One ticket changes, and is the answer.
    pub fn of_ticket(change: TicketChange) -> Self {
        Self { answer: Answer::Ticket(Arc::clone(&change.after)), tickets: vec![change], ..Self::default() }
    }

    /// With the transition that came with it, if any did: the first ticket took it, and it may have linked another.
    #[must_use]
    pub fn with(mut self, taken: Option<Taken>) -> Self {
        let Some(Taken { transition, notifications, linked, number }) = taken else { return self };
        self.number = self.number.or(number);
        if let Some(change) = self.tickets.first_mut() {
            (change.transition, change.notifications) = (transition, notifications);
        }
        self.tickets.extend(linked);
        self
    }
}

/// What happens to one ticket.
#[derive(Debug, Clone)]
pub struct TicketChange {
    /// None when it is created.
    pub before: Option<Arc<Ticket>>,
    /// Without its body.
    pub after: Arc<Ticket>,
    /// The body of a ticket that is created; it never changes.
    pub body: String,
    pub reply: Option<Reply>,
    pub reason: String,
    /// The id of the transition that is taken; empty when none is.
    pub transition: String,
    /// The files of a ticket that is created; those of a reply are with the reply.
    pub attachments: Vec<Attachment>,
    /// Whom to tell of it.
    pub notifications: Vec<Notification>,
    /// What it is of, where it did not happen now and by the caller.
    pub imported: Option<Box<ImportedEvent>>,
}

/// Something that happened before it was told here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEvent {
    /// Named like the method that does it in live use.
    pub command: &'static str,
    /// Who did it then.
    pub actor: Actor,
    pub time: Micros,
}

impl TicketChange {
    pub fn created(ticket: Ticket, body: String) -> Self {
        Self {
            before: None,
            after: Arc::new(ticket),
            body,
            reply: None,
            reason: String::new(),
            transition: String::new(),
            attachments: Vec::new(),
            notifications: Vec::new(),
            imported: None,
        }
    }

    pub fn new(before: &Arc<Ticket>, after: Ticket) -> Self {
        Self {
            before: Some(Arc::clone(before)),
            after: Arc::new(after),
            body: String::new(),
            reply: None,
            reason: String::new(),
            transition: String::new(),
            attachments: Vec::new(),
            notifications: Vec::new(),
            imported: None,
        }
    }
}

/// What happens to an upload.
#[derive(Debug, Clone)]
pub enum UploadChange {
    Create(Arc<Upload>),
    /// It becomes this.
    Change(Arc<Upload>),
    /// It is no more: by its id.
    Remove(String),
}

/// What happens to a requester.
#[derive(Debug)]
pub struct RequesterChange {
    pub is_new: bool,
    pub after: Arc<Requester>,
    /// What the history says of it.
    pub reason: String,
}

/// A helpdesk to be entered in the directory.
#[derive(Debug)]
pub struct NewHelpdesk {
    pub id: String,
    pub definition: Arc<DefinitionVersion>,
}

/// What the caller is told.
#[derive(Debug, Clone, Default)]
pub enum Answer {
    /// There was nothing to do, as when a queue is empty.
    #[default]
    Nothing,
    /// Tickets may wait, but none that this agent may take.
    NoneFits,
    Ticket(Arc<Ticket>),
    /// The ticket that was escalated, and the child that was filed, if one was.
    Escalated {
        ticket: Arc<Ticket>,
        child: Option<Arc<Ticket>>,
    },
    /// A reply, and what a requester should know about replying in that status.
    Reply {
        reply: Box<Reply>,
        warning: String,
    },
    Definition(Arc<DefinitionVersion>),
    Key(AccessKey),
    Agent(Agent),
    Upload(Arc<Upload>),
    Requester(Arc<Requester>),
    /// What was done is written down, and refused all the same: a wrong code is counted.
    Refused(Box<Refusal>),
}

/// Collects what is wrong with a request, so that all of it is told at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation::new(field, description));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses when anything was collected.
    pub fn settle(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into()) }
    }
}

impl From<Violations> for Refusal {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations.0)
    }
}
