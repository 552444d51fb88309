//! Imports a case with what happened to it: the ticket as it was filed, then each event at its own time and by who did it, all
//! of it one revision.

mod step;

use std::sync::Arc;

pub use step::{HistoryStep, StatusStep};

use super::{CreateTicket, Needs};
use crate::domain::change::differences;
use crate::domain::context::{Answer, Context, Decision, ImportedEvent, TicketChange, Violations, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::time::rfc3339;
use crate::domain::{Actor, EventRefusal, Micros, Refusal, Role, Ticket, Violation, text};

#[derive(Debug, Clone)]
pub struct ImportTicket {
    /// As it was filed.
    pub new: CreateTicket,
    pub filed: Happened,
    /// In order. What could not be read at all is refused like any other, with the rest.
    pub events: Vec<Result<Event, Vec<Violation>>>,
}

/// When something happened, and who did it.
#[derive(Debug, Clone)]
pub struct Happened {
    pub time: Micros,
    /// A subject; may be empty where the role is the requester's.
    pub actor: String,
    pub role: Role,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub happened: Happened,
    pub step: HistoryStep,
}

impl ImportTicket {
    pub const EVENTS_MAX: usize = 500;
    /// What the changes of one import may come to: a watcher is sent whole revisions.
    const BYTES_MAX: usize = 1 << 20;

    /// Whoever may write what others are said to have done.
    pub fn check_role(role: Role) -> Result<(), Refusal> {
        if role.acts_for_others() {
            return Ok(());
        }
        let allowed = Role::FOR_OTHERS.to_vec();
        Err(Refusal::RoleNotAllowed { what: "importing tickets".to_owned(), role, allowed })
    }

    pub(super) fn touch(&self, definition: Option<&Definition>, needs: &mut Needs) {
        // It may repeat what is there; what comes later may not repeat it.
        if let Some(rules) = definition.filter(|rules| rules.refuses_duplicates()) {
            needs.digests.extend(self.new.digest(rules));
        }
        needs.numbers += 1;
        needs.references(&self.new.external_refs);
        for event in self.events.iter().flatten() {
            event.step.touch(needs);
        }
    }

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        Self::check_role(context.actor.role)?;
        let mut story = self.begin(set, context)?;
        let mut refused = Vec::new();
        for (place, event) in self.events.iter().enumerate() {
            let told = match event {
                Ok(event) => story.tell(event),
                Err(wrong) => Err(("", Refusal::Invalid(wrong.clone()))),
            };
            if let Err((operation, refusal)) = told {
                refused.push(EventRefusal { place, operation, refusal });
            }
        }
        if !refused.is_empty() {
            return Err(Refusal::HistoryRefused(refused));
        }
        let answer = Answer::Ticket(Arc::clone(&story.ticket));
        Ok(Decision { tickets: story.changes, number: story.number, answer, ..Decision::default() })
    }

    /// Files the ticket. That it repeats another's text, or is of somebody who is not registered, is history.
    fn begin<'c>(&self, set: &WorkingSet, context: &'c Context<'c>) -> Result<Story<'c>, Refusal> {
        let mut violations = Violations::default();
        if self.events.len() > Self::EVENTS_MAX {
            let (given, most) = (self.events.len(), Self::EVENTS_MAX);
            violations.add("events", format!("has {given} events; at most {most} are taken"));
        }
        let requester = text::email(&self.new.requester).unwrap_or_default();
        if self.new.requester.is_empty() && self.filed.role == Role::Requester {
            violations.add("ticket.requester", "is required: the e-mail address of whose case it is");
        }
        let actor = self.filed.check(&mut violations, context, &requester, 0);
        let filing = Context { now: self.filed.time, actor: &actor, ..*context };
        let (mut ticket, number) = match (self.new.file(set, &filing), violations.settle()) {
            (Ok(filed), Ok(())) => filed,
            (Err(Refusal::Invalid(more)), Err(Refusal::Invalid(mut wrong))) => {
                wrong.extend(more);
                return Err(Refusal::Invalid(wrong));
            }
            (Err(refusal), _) | (Ok(_), Err(refusal)) => return Err(refusal),
        };
        (ticket.create_time, ticket.update_time) = (context.now, context.now);
        let mut first = TicketChange::created(ticket, self.new.body.clone());
        let ticket = Arc::clone(&first.after);
        // The feed tells with a new ticket each of its values once more.
        let bytes = 2 * weight(&first);
        first.imported = Some(Box::new(ImportedEvent { command: "CreateTicket", actor, time: self.filed.time }));
        let set = self.apart(set, number, &ticket);
        Ok(Story { context, set, ticket, last: self.filed.time, changes: vec![first], number, bytes })
    }

    /// What the events look at. They are of one revision and see none of each other's effects but those on the ticket, so the
    /// batch's set is not for them.
    fn apart(&self, set: &WorkingSet, number: Option<i64>, ticket: &Arc<Ticket>) -> WorkingSet {
        let mut needs = Needs::default();
        self.touch(None, &mut needs);
        let refs = needs.external_refs.iter();
        let refs = refs.filter_map(|reference| Some((reference.clone(), *set.external_refs.get(reference)?)));
        WorkingSet {
            last_revision: set.last_revision,
            last_ticket: ticket.id,
            last_number: number.unwrap_or(set.last_number),
            is_apart: true,
            taken_numbers: set.taken_numbers.clone(),
            external_refs: refs.collect(),
            tickets: [(ticket.id, Arc::clone(ticket))].into(),
            ..WorkingSet::default()
        }
    }
}

/// A case as far as it was told.
struct Story<'c> {
    context: &'c Context<'c>,
    set: WorkingSet,
    ticket: Arc<Ticket>,
    /// When the last thing happened.
    last: Micros,
    changes: Vec<TicketChange>,
    number: Option<i64>,
    /// What the changes weigh.
    bytes: usize,
}

impl Story<'_> {
    /// Takes an event in, or says of which operation it is and why it is refused: then it is as if it had not been told.
    fn tell(&mut self, event: &Event) -> Result<(), (&'static str, Refusal)> {
        let Event { happened, step } = event;
        let mut violations = Violations::default();
        let actor = happened.check(&mut violations, self.context, &self.ticket.requester, self.last);
        violations.settle().map_err(|refusal| ("", refusal))?;
        let told = Context { now: happened.time, actor: &actor, ..*self.context };
        let operation = step.name();
        let refused = |refusal| (operation, step.at(refusal));
        // The answer goes with it, so that nobody else holds the ticket that is finished here.
        let Decision { mut tickets, number, .. } = step.decide(&self.set, &told, &self.ticket).map_err(refused)?;
        let mut change = tickets.pop().unwrap_or_else(|| TicketChange::new(&self.ticket, Ticket::clone(&self.ticket)));
        Arc::make_mut(&mut change.after).update_time = self.context.now;
        // Nobody is told today of what happened then.
        change.notifications.clear();
        let bytes = self.bytes + weight(&change);
        if bytes > ImportTicket::BYTES_MAX {
            let (most, what) = (ImportTicket::BYTES_MAX, "the changes of this history come to");
            let wrong = format!("with it, {what} {bytes} bytes; {most} are taken: shorten its texts, or leave it out");
            return Err(("", Refusal::Invalid(vec![Violation::new("", wrong)])));
        }
        change.imported = Some(Box::new(ImportedEvent { command: step.command(), actor, time: happened.time }));
        self.bytes = bytes;
        self.last = happened.time;
        if let Some(number) = number {
            self.number = Some(number);
            self.set.last_number = number;
        }
        self.ticket = Arc::clone(&change.after);
        self.set.tickets.insert(self.ticket.id, Arc::clone(&self.ticket));
        self.changes.push(change);
        Ok(())
    }
}

impl Happened {
    /// Who did it; and what is wrong with who or when.
    fn check(&self, violations: &mut Violations, context: &Context<'_>, requester: &str, after: Micros) -> Actor {
        let Self { time, actor, role } = self;
        if *time < after {
            let what = if after == 0 { "the earliest that is taken" } else { "when what stands before it happened" };
            violations.add("event_time", format!("{} is before {}, {what}", rfc3339(*time), rfc3339(after)));
        }
        if *time > context.now {
            violations
                .add("event_time", format!("{} is in the future: it is {}", rfc3339(*time), rfc3339(context.now)));
        }
        let subject = actor.trim();
        if *role == Role::Requester {
            let given = text::email(subject).unwrap_or_else(|| subject.to_owned());
            // Whose ticket it is may be what is wrong; that is told of the ticket.
            if !given.is_empty() && given != requester && !requester.is_empty() {
                violations.add(
                    "actor",
                    format!(
                        "{} is not {requester}, who alone acts as the requester of this ticket",
                        text::shown(actor)
                    ),
                );
            }
        } else {
            text::line(violations, "actor", actor, text::SUBJECT_OF_KEY_MAX);
        }
        Actor {
            subject: if *role == Role::Requester { requester } else { subject }.to_owned(),
            role: *role,
            on_behalf_of: String::new(),
        }
    }
}

/// About how many bytes a change has in the log: what its ticket is after it, and what it changed.
fn weight(change: &TicketChange) -> usize {
    /// Names, ids, times, and what goes with each text.
    const FRAME: usize = 700;
    const TEXT: usize = 8;
    let Ticket { subject, fields, tags, cc, external_refs, solution, .. } = &*change.after;
    let texts = |texts: &[String]| texts.iter().map(|text| text.len() + TEXT).sum::<usize>();
    let fields = fields.iter().map(|(id, value)| id.len() + value.len() + TEXT).sum::<usize>();
    let refs = external_refs.iter().map(|reference| reference.source.len() + reference.id.len() + TEXT).sum::<usize>();
    let ticket = subject.len() + fields + texts(tags) + texts(cc) + refs + solution.len();
    let changed = match &change.before {
        Some(before) => differences(Some(before), &change.after),
        None => Vec::new(),
    };
    let changed = changed.iter().map(|change| change.field.len() + change.old.len() + change.new.len() + TEXT);
    let reply = change.reply.as_ref().map_or(0, |reply| reply.body.len() + reply.solution.len());
    FRAME + ticket + changed.sum::<usize>() + reply + change.reason.len()
}
