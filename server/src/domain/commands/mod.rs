//! Every mutation is a command. One file each: what it asks for, and what it comes to.

mod apply_definition;
mod assign_ticket;
mod attach;
mod claim_next_ticket;
mod claim_ticket;
mod create_access_key;
mod create_agent;
mod create_helpdesk;
mod create_reply;
mod create_ticket;
mod create_upload;
mod escalate_ticket;
mod import_ticket;
mod link_tickets;
mod mark_ticket_read;
mod merge_tickets;
mod register_requester;
mod release_ticket;
mod revoke_access_key;
mod split_reply;
mod submit_feedback;
mod transfer_ticket;
mod transition_ticket;
mod unlink_tickets;
mod update_agent;
mod update_ticket;
mod upload_attachment;
mod verify_requester;

use std::collections::{BTreeMap, BTreeSet};

pub use apply_definition::{ApplyDefinition, DefinitionPart, Merged, Proposed};
pub use assign_ticket::AssignTicket;
pub use claim_next_ticket::ClaimNextTicket;
pub use claim_ticket::ClaimTicket;
pub use create_access_key::CreateAccessKey;
pub use create_agent::CreateAgent;
pub use create_helpdesk::CreateHelpdesk;
pub use create_reply::CreateReply;
pub use create_ticket::CreateTicket;
pub use create_upload::CreateUpload;
pub use escalate_ticket::EscalateTicket;
pub use import_ticket::{Event, Happened, HistoryStep, ImportTicket, StatusStep};
pub use link_tickets::LinkTickets;
pub use mark_ticket_read::MarkTicketRead;
pub use merge_tickets::MergeTickets;
pub use register_requester::RegisterRequester;
pub use release_ticket::ReleaseTicket;
pub use revoke_access_key::RevokeAccessKey;
pub use split_reply::SplitReply;
pub use submit_feedback::SubmitFeedback;
pub use transfer_ticket::TransferTicket;
pub use transition_ticket::TransitionTicket;
pub use unlink_tickets::UnlinkTickets;
pub use update_agent::UpdateAgent;
pub use update_ticket::UpdateTicket;
pub use upload_attachment::{Step, UploadAttachment};
pub use verify_requester::{REFUSED, VerifyRequester};

use super::context::{Context, Decision, WorkingSet};
use super::definition::{Definition, EscalationMode, FieldType, IdentityPolicy};
use super::requester::id_of;
use super::{Actor, ExternalRef, Refusal, Ticket, text};

/// What a caller asks for.
#[derive(Debug, Clone)]
pub enum Command {
    CreateTicket(CreateTicket),
    ImportTicket(ImportTicket),
    UpdateTicket(UpdateTicket),
    TransitionTicket(TransitionTicket),
    CreateReply(CreateReply),
    ClaimTicket(ClaimTicket),
    ReleaseTicket(ReleaseTicket),
    MarkTicketRead(MarkTicketRead),
    ClaimNextTicket(ClaimNextTicket),
    LinkTickets(LinkTickets),
    UnlinkTickets(UnlinkTickets),
    MergeTickets(MergeTickets),
    SplitReply(SplitReply),
    AssignTicket(AssignTicket),
    TransferTicket(TransferTicket),
    EscalateTicket(EscalateTicket),
    CreateAgent(CreateAgent),
    UpdateAgent(UpdateAgent),
    ApplyDefinition(ApplyDefinition),
    CreateHelpdesk(CreateHelpdesk),
    CreateAccessKey(CreateAccessKey),
    RevokeAccessKey(RevokeAccessKey),
    CreateUpload(CreateUpload),
    UploadAttachment(UploadAttachment),
    RegisterRequester(RegisterRequester),
    VerifyRequester(VerifyRequester),
    SubmitFeedback(SubmitFeedback),
}

/// Decides a command: what it comes to, or why it is refused. Pure: the same arguments, the same decision.
pub fn decide(set: &WorkingSet, command: &Command, context: &Context<'_>) -> Result<Decision, Refusal> {
    match command {
        Command::CreateTicket(command) => command.decide(set, context),
        Command::ImportTicket(command) => command.decide(set, context),
        Command::UpdateTicket(command) => command.decide(set, context),
        Command::TransitionTicket(command) => command.decide(set, context),
        Command::CreateReply(command) => command.decide(set, context),
        Command::ClaimTicket(command) => command.decide(set, context),
        Command::ReleaseTicket(command) => command.decide(set, context),
        Command::MarkTicketRead(command) => command.decide(set, context),
        Command::ClaimNextTicket(command) => command.decide(set, context),
        Command::LinkTickets(command) => command.decide(set, context),
        Command::UnlinkTickets(command) => command.decide(set, context),
        Command::MergeTickets(command) => command.decide(set, context),
        Command::SplitReply(command) => command.decide(set, context),
        Command::AssignTicket(command) => command.decide(set, context),
        Command::TransferTicket(command) => command.decide(set, context),
        Command::EscalateTicket(command) => command.decide(set, context),
        Command::CreateAgent(command) => command.decide(set, context),
        Command::UpdateAgent(command) => command.decide(set, context),
        Command::ApplyDefinition(command) => command.decide(set, context),
        Command::CreateHelpdesk(command) => command.decide(set, context),
        Command::CreateAccessKey(command) => command.decide(set, context),
        Command::RevokeAccessKey(command) => command.decide(set, context),
        Command::CreateUpload(command) => command.decide(set, context),
        Command::UploadAttachment(command) => command.decide(set, context),
        Command::RegisterRequester(command) => command.decide(set, context),
        Command::VerifyRequester(command) => command.decide(set, context),
        Command::SubmitFeedback(command) => command.decide(set, context),
    }
}

impl Command {
    /// Refuses a role that never does this, whatever it is about. A subject may have keys of several roles: what it did in
    /// one is not told again in another, so this comes before request ids are looked at.
    pub fn check_role(&self, context: &Context<'_>) -> Result<(), Refusal> {
        match self {
            Self::CreateTicket(command) => command.check_role(context),
            Self::ImportTicket(_) => ImportTicket::check_role(context.actor.role),
            Self::CreateReply(command) => command.check_role(context),
            Self::ClaimNextTicket(_) => ClaimNextTicket::check_role(context),
            Self::CreateAgent(_) => CreateAgent::check_role(context),
            Self::UpdateAgent(_) => UpdateAgent::check_role(context),
            Self::RegisterRequester(command) => command.check_role(context),
            // What is told again is a ticket, as the role of now may see it.
            Self::UpdateTicket(_)
            | Self::TransitionTicket(_)
            | Self::ClaimTicket(_)
            | Self::ReleaseTicket(_)
            | Self::MarkTicketRead(_)
            | Self::LinkTickets(_)
            | Self::UnlinkTickets(_)
            | Self::MergeTickets(_)
            | Self::SplitReply(_)
            | Self::AssignTicket(_)
            | Self::TransferTicket(_)
            | Self::EscalateTicket(_)
            | Self::SubmitFeedback(_)
            // For admins alone, before a command is made.
            | Self::ApplyDefinition(_)
            | Self::CreateHelpdesk(_)
            | Self::CreateAccessKey(_)
            | Self::RevokeAccessKey(_)
            // One's own, in whatever role.
            | Self::VerifyRequester(_)
            | Self::CreateUpload(_)
            | Self::UploadAttachment(_) => Ok(()),
        }
    }

    /// What the caller may not see does not exist, also for a request id.
    pub fn check_visible(&self, set: &WorkingSet, context: &Context<'_>) -> Result<(), Refusal> {
        let visible = |ticket| set.ticket(ticket, context).map(drop);
        match self {
            Self::LinkTickets(command) => visible(command.ticket).and_then(|()| visible(command.other)),
            Self::UnlinkTickets(command) => visible(command.ticket).and_then(|()| visible(command.other)),
            Self::SplitReply(command) => visible(command.ticket),
            // Who has the link of a survey need not see the ticket.
            Self::SubmitFeedback(command) => command.ticket(set, context).map(drop),
            Self::VerifyRequester(command) => set.requester(&command.requester, context).map(drop),
            Self::UploadAttachment(command) => set.open_upload(&command.id, context).map(drop),
            // The ticket that it names, if it names one.
            Self::CreateTicket(_)
            | Self::ImportTicket(_)
            | Self::UpdateTicket(_)
            | Self::TransitionTicket(_)
            | Self::CreateReply(_)
            | Self::ClaimTicket(_)
            | Self::ReleaseTicket(_)
            | Self::MarkTicketRead(_)
            | Self::ClaimNextTicket(_)
            | Self::MergeTickets(_)
            | Self::AssignTicket(_)
            | Self::TransferTicket(_)
            | Self::EscalateTicket(_)
            | Self::CreateAgent(_)
            | Self::UpdateAgent(_)
            | Self::ApplyDefinition(_)
            | Self::CreateHelpdesk(_)
            | Self::CreateAccessKey(_)
            | Self::RevokeAccessKey(_)
            | Self::CreateUpload(_)
            | Self::RegisterRequester(_) => self.ticket().map_or(Ok(()), visible),
        }
    }

    /// Named like the method that asks for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateTicket(_) => "CreateTicket",
            Self::ImportTicket(_) => "ImportTickets",
            Self::UpdateTicket(_) => "UpdateTicket",
            Self::TransitionTicket(_) => "TransitionTicket",
            Self::CreateReply(_) => "CreateReply",
            Self::ClaimTicket(_) => "ClaimTicket",
            Self::ReleaseTicket(_) => "ReleaseTicket",
            Self::MarkTicketRead(_) => "MarkTicketRead",
            Self::ClaimNextTicket(_) => "ClaimNextTicket",
            Self::LinkTickets(_) => "LinkTickets",
            Self::UnlinkTickets(_) => "UnlinkTickets",
            Self::MergeTickets(_) => "MergeTickets",
            Self::SplitReply(_) => "SplitReply",
            Self::AssignTicket(_) => "AssignTicket",
            Self::TransferTicket(_) => "TransferTicket",
            Self::EscalateTicket(_) => "EscalateTicket",
            Self::CreateAgent(_) => "CreateAgent",
            Self::UpdateAgent(_) => "UpdateAgent",
            Self::ApplyDefinition(_) => "UpdateHelpdesk",
            Self::CreateHelpdesk(_) => "CreateHelpdesk",
            Self::CreateAccessKey(_) => "CreateAccessKey",
            Self::RevokeAccessKey(_) => "RevokeAccessKey",
            Self::CreateUpload(_) => "CreateUpload",
            Self::UploadAttachment(_) => "UploadAttachment",
            Self::RegisterRequester(_) => "RegisterRequester",
            Self::VerifyRequester(_) => "VerifyRequester",
            Self::SubmitFeedback(_) => "SubmitFeedback",
        }
    }

    /// Whether it is decided in a batch of its own: it looks at every ticket's part in kept counts and queues, or changes
    /// whom the claims of its batch were loaded for.
    pub fn goes_alone(&self) -> bool {
        match self {
            Self::ApplyDefinition(_) | Self::CreateAgent(_) | Self::UpdateAgent(_) => true,
            Self::CreateTicket(_)
            | Self::ImportTicket(_)
            | Self::UpdateTicket(_)
            | Self::TransitionTicket(_)
            | Self::CreateReply(_)
            | Self::ClaimTicket(_)
            | Self::ReleaseTicket(_)
            | Self::MarkTicketRead(_)
            | Self::ClaimNextTicket(_)
            | Self::LinkTickets(_)
            | Self::UnlinkTickets(_)
            | Self::MergeTickets(_)
            | Self::SplitReply(_)
            | Self::AssignTicket(_)
            | Self::TransferTicket(_)
            | Self::EscalateTicket(_)
            | Self::CreateHelpdesk(_)
            | Self::CreateAccessKey(_)
            | Self::RevokeAccessKey(_)
            | Self::CreateUpload(_)
            | Self::UploadAttachment(_)
            | Self::RegisterRequester(_)
            | Self::VerifyRequester(_)
            | Self::SubmitFeedback(_) => false,
        }
    }

    /// The ticket that it names first, if it names one: of several that a revision changed, the answer is about this one.
    pub fn ticket(&self) -> Option<i64> {
        match self {
            Self::UpdateTicket(command) => Some(command.ticket),
            Self::TransitionTicket(command) => Some(command.ticket),
            Self::CreateReply(command) => Some(command.ticket),
            Self::ClaimTicket(command) => Some(command.ticket),
            Self::ReleaseTicket(command) => Some(command.ticket),
            Self::MarkTicketRead(command) => Some(command.ticket),
            Self::LinkTickets(command) => Some(command.ticket),
            Self::UnlinkTickets(command) => Some(command.ticket),
            Self::MergeTickets(command) => Some(command.ticket),
            Self::AssignTicket(command) => Some(command.ticket),
            Self::TransferTicket(command) => Some(command.ticket),
            Self::EscalateTicket(command) => Some(command.ticket),
            Self::SubmitFeedback(command) => Some(command.ticket),
            // The answer is a new ticket, or none.
            Self::SplitReply(_)
            | Self::CreateAgent(_)
            | Self::UpdateAgent(_)
            | Self::CreateUpload(_)
            | Self::UploadAttachment(_)
            | Self::RegisterRequester(_)
            | Self::VerifyRequester(_)
            | Self::CreateTicket(_)
            | Self::ImportTicket(_)
            | Self::ClaimNextTicket(_)
            | Self::ApplyDefinition(_)
            | Self::CreateHelpdesk(_)
            | Self::CreateAccessKey(_)
            | Self::RevokeAccessKey(_) => None,
        }
    }

    /// Adds what must be loaded before the command can be decided. `definition` is the one in force.
    pub fn touch(&self, actor: &Actor, definition: Option<&Definition>, needs: &mut Needs) {
        match self {
            Self::CreateTicket(command) => needs.filing(command, definition),
            Self::ImportTicket(command) => command.touch(definition, needs),
            Self::UpdateTicket(command) => {
                needs.tickets.insert(command.ticket);
                if command.subject.is_some() {
                    needs.retitled.insert(command.ticket);
                }
                needs.references(command.external_refs.as_deref().unwrap_or_default());
                needs.fields(definition, Some(command.ticket), &command.fields);
            }
            Self::TransitionTicket(command) => {
                needs.transition(command.ticket, actor, definition);
                needs.fields(definition, Some(command.ticket), &command.fields);
            }
            Self::CreateReply(command) => needs.reply(command, actor, definition),
            Self::ClaimTicket(command) => {
                needs.numbers += 1;
                needs.ticket(command.ticket);
                needs.agents.insert(actor.subject.clone());
            }
            Self::AssignTicket(command) => {
                needs.numbers += 1;
                needs.ticket(command.ticket);
                needs.agents.insert(command.assignee.clone());
                needs.any_agents = true;
            }
            Self::TransferTicket(command) => needs.ticket(command.ticket),
            Self::EscalateTicket(command) => needs.escalation(command, definition),
            Self::CreateAgent(command) => {
                needs.agents.insert(command.subject.trim().to_owned());
                needs.agent_ids.insert(command.id.clone());
            }
            Self::UpdateAgent(command) => drop(needs.agent_ids.insert(command.id.clone())),
            Self::ReleaseTicket(command) => needs.ticket(command.ticket),
            Self::MarkTicketRead(command) => needs.transition(command.ticket, actor, definition),
            Self::ClaimNextTicket(command) => {
                needs.numbers += 1;
                needs.agents.insert(actor.subject.clone());
                needs.claims.push((command.queue.clone(), actor.subject.clone()));
            }
            Self::LinkTickets(command) => needs.lines([command.ticket, command.other]),
            Self::UnlinkTickets(command) => {
                needs.ticket(command.ticket);
                needs.ticket(command.other);
            }
            Self::MergeTickets(command) => {
                needs.lines(command.duplicates.iter().take(MergeTickets::MOST).copied().chain([command.ticket]));
            }
            Self::SplitReply(command) => {
                needs.numbers += 1;
                needs.references(&command.new.external_refs);
                needs.fields(definition, None, &command.new.fields);
                needs.replies(command.ticket, &command.replies);
            }
            Self::ApplyDefinition(_) => needs.usage = true,
            Self::CreateHelpdesk(command) => {
                needs.helpdesks.insert(command.id.clone());
            }
            Self::CreateAccessKey(command) => {
                needs.helpdesks.extend(command.helpdesks.iter().take(CreateAccessKey::HELPDESKS_MAX).cloned());
            }
            Self::RevokeAccessKey(command) => {
                needs.keys.insert(command.id.clone());
            }
            Self::CreateUpload(command) => drop(needs.uploaders.insert(command.subject.clone())),
            Self::UploadAttachment(command) => drop(needs.uploads.insert(command.id.clone())),
            Self::RegisterRequester(command) => needs.requester(&command.email),
            Self::VerifyRequester(command) => {
                needs.requesters.insert(command.requester.clone());
            }
            Self::SubmitFeedback(command) => needs.ticket(command.ticket),
        }
    }
}

/// What a batch of commands touches.
#[derive(Debug, Default)]
pub struct Needs {
    pub tickets: BTreeSet<i64>,
    /// Those of `tickets` of which the whole line of parents and of originals is to be at hand.
    pub lines: BTreeSet<i64>,
    /// What fields name that transitions link by, as commands set them.
    pub named: BTreeSet<String>,
    /// Those of `tickets` whose subject may change.
    pub retitled: BTreeSet<i64>,
    /// Ticket and id.
    pub replies: BTreeSet<(i64, i64)>,
    /// What new tickets must not repeat.
    pub digests: BTreeSet<String>,
    /// Queue and subject of each that may take the next ticket, in their order.
    pub claims: Vec<(String, String)>,
    /// The subjects of staff who may be registered as agents.
    pub agents: BTreeSet<String>,
    /// The ids of agents.
    pub agent_ids: BTreeSet<String>,
    /// Whether any agent is registered.
    pub any_agents: bool,
    /// Tickets whose bodies are needed.
    pub bodies: BTreeSet<i64>,
    pub external_refs: BTreeSet<ExternalRef>,
    /// How many human numbers may be given.
    pub numbers: usize,
    /// All kept counts.
    pub usage: bool,
    pub helpdesks: BTreeSet<String>,
    /// Keys that may be taken back: with them come all of admins that are good.
    pub keys: BTreeSet<String>,
    pub uploads: BTreeSet<String>,
    /// Subjects, whose uploads under way are looked at.
    pub uploaders: BTreeSet<String>,
    /// Their ids.
    pub requesters: BTreeSet<String>,
}

impl Needs {
    fn filing(&mut self, command: &CreateTicket, definition: Option<&Definition>) {
        self.numbers += 1;
        self.references(&command.external_refs);
        if let Some(rules) = definition.filter(|rules| rules.refuses_duplicates()) {
            self.digests.extend(command.digest(rules));
        }
        self.uploads(&command.uploads);
        self.fields(definition, None, &command.fields);
        if definition.is_some_and(|rules| rules.identity() != IdentityPolicy::Anybody) {
            self.requester(&command.requester);
        }
    }

    /// A ticket that may take a transition, after which it may be the actor's.
    fn transition(&mut self, ticket: i64, actor: &Actor, definition: Option<&Definition>) {
        self.ticket(ticket);
        if definition.is_some_and(Definition::gives_to_actor) {
            self.numbers += 1;
            self.agents.insert(actor.subject.clone());
        }
    }

    fn reply(&mut self, command: &CreateReply, actor: &Actor, definition: Option<&Definition>) {
        self.transition(command.ticket, actor, definition);
        self.fields(definition, Some(command.ticket), &command.fields);
        self.uploads(&command.uploads);
        if command.may_claim() {
            self.numbers += 1;
            self.agents.insert(actor.subject.clone());
        }
    }

    fn escalation(&mut self, command: &EscalateTicket, definition: Option<&Definition>) {
        self.numbers += 1;
        self.ticket(command.ticket);
        let escalation = definition.and_then(|rules| rules.escalation(&command.escalation));
        if command.body.is_empty() && escalation.is_some_and(|taken| taken.mode == EscalationMode::Child) {
            self.bodies.insert(command.ticket);
        }
    }

    fn ticket(&mut self, id: i64) {
        self.tickets.insert(id);
    }

    fn replies(&mut self, ticket: i64, ids: &[i64]) {
        self.ticket(ticket);
        self.replies.extend(ids.iter().take(SplitReply::MOST).map(|reply| (ticket, *reply)));
    }

    fn lines(&mut self, ids: impl IntoIterator<Item = i64>) {
        for id in ids {
            self.tickets.insert(id);
            self.lines.insert(id);
        }
    }

    /// What fields that are set name.
    fn fields(&mut self, definition: Option<&Definition>, ticket: Option<i64>, fields: &BTreeMap<String, String>) {
        self.named(definition, ticket, fields);
        let Some(rules) = definition.filter(|_| fields.len() <= text::FIELDS_MAX) else { return };
        // What is no subject is refused when it is decided.
        let may_be_one = |value: &str| value.len() <= 4 * text::SUBJECT_OF_KEY_MAX && !value.contains('\0');
        let is_agent = |id: &str| rules.field(id).is_some_and(|field| field.field_type == FieldType::Agent);
        let named = fields.iter().filter(|(id, value)| may_be_one(value) && is_agent(id));
        self.agents.extend(named.map(|(_, subject)| subject.clone()));
    }

    fn named(&mut self, definition: Option<&Definition>, ticket: Option<i64>, fields: &BTreeMap<String, String>) {
        let links = definition.into_iter().filter(|_| !fields.is_empty()).flat_map(Definition::links);
        for text in links.filter_map(|link| fields.get(&link.field)) {
            self.named.insert(text.clone());
            self.lines.extend(ticket);
        }
    }

    fn uploads(&mut self, ids: &[String]) {
        self.uploads.extend(ids.iter().cloned());
    }

    fn requester(&mut self, email: &str) {
        self.requesters.extend(text::email(email).map(|email| id_of(&email)));
    }

    /// Those that will be refused, being too many or too long, are not worth a look.
    fn references(&mut self, refs: &[ExternalRef]) {
        if refs.len() <= text::REFS_MAX {
            let bearable = |reference: &&ExternalRef| reference.id.chars().nth(text::REF_ID_MAX).is_none();
            self.external_refs.extend(refs.iter().filter(bearable).cloned());
        }
    }
}

/// A ticket that is to be changed must be the one the caller read.
fn check_etag(context: &Context<'_>, ticket: &Ticket, etag: &str) -> Result<(), Refusal> {
    let current = ticket.etag();
    if etag.is_empty() || etag == current {
        return Ok(());
    }
    Err(Refusal::EtagMismatch { kind: "Ticket", name: context.ticket_name(ticket.id), sent: etag.to_owned(), current })
}

#[cfg(test)]
mod tests;
