//! A checked definition and its look-ups.

use std::collections::HashMap;

use super::spec::{
    Assignment, DefinitionSpec, DuplicateAction, DuplicateComparison, EmptyReplyPolicy, IdentityPolicy, LinkEffect,
    MergePolicy, NumberAssignment,
};
use super::{
    CannedResponse, Escalation, Field, NumberFormat, Priority, Queue, ReplyRule, Rule, Status, Survey, Transfer,
    Transition,
};
use crate::domain::{Role, Violation};

/// A definition that makes sense: every name resolves, every condition compiles. Made by [`Definition::check`],
/// [`Definition::amend`] and [`Definition::stored`] only.
#[derive(Debug)]
pub struct Definition {
    pub(super) spec: DefinitionSpec,
    pub(super) statuses: Named<Status>,
    pub(super) initial_status: usize,
    pub(super) transitions: Named<Transition>,
    /// By status, the places of the transitions that lead from it, in the order of the definition.
    pub(super) leaving: HashMap<String, Vec<usize>>,
    pub(super) fields: Named<Field>,
    pub(super) priorities: Named<Priority>,
    pub(super) queues: Named<Queue>,
    pub(super) routing: Vec<Rule>,
    pub(super) number: NumberFormat,
    pub(super) transfer: Transfer,
    pub(super) escalations: Named<Escalation>,
    pub(super) canned_responses: Named<CannedResponse>,
    pub(super) survey: Option<Survey>,
    pub(super) mandatory_cc: Vec<String>,
    pub(super) reply_rules: Vec<ReplyRule>,
    /// What would be refused in a new definition, and was applied when nobody looked for it.
    pub(super) contradictions: Vec<Violation>,
}

impl Definition {
    /// What it was made from.
    pub fn spec(&self) -> &DefinitionSpec {
        &self.spec
    }

    /// What is wrong with it, though it is in force: it was applied by a version of this program that knew of fewer
    /// contradictions. Not in one that was just checked.
    pub fn contradictions(&self) -> &[Violation] {
        &self.contradictions
    }

    pub fn statuses(&self) -> &[Status] {
        &self.statuses.items
    }

    /// The status of a new ticket.
    pub fn initial_status(&self) -> &Status {
        &self.statuses.items[self.initial_status]
    }

    pub fn status(&self, id: &str) -> Option<&Status> {
        self.statuses.get(id)
    }

    pub fn transitions(&self) -> &[Transition] {
        &self.transitions.items
    }

    /// Whether any transition gives a ticket to who takes it, or sets it off.
    pub fn gives_to_actor(&self) -> bool {
        self.transitions().iter().any(|transition| transition.effects.assign == Assignment::Actor)
    }

    pub fn transition(&self, id: &str) -> Option<&Transition> {
        self.transitions.get(id)
    }

    /// The transitions that lead from a status, in the order of the definition.
    pub fn transitions_from(&self, status: &str) -> impl Iterator<Item = &Transition> {
        let places = self.leaving.get(status).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.transitions.items[*place])
    }

    /// What transitions link by.
    pub fn links(&self) -> impl Iterator<Item = &LinkEffect> {
        self.transitions().iter().filter_map(|transition| transition.effects.link.as_ref())
    }

    pub fn fields(&self) -> &[Field] {
        &self.fields.items
    }

    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.get(id)
    }

    /// Most urgent first.
    pub fn priorities(&self) -> &[Priority] {
        &self.priorities.items
    }

    pub fn priority(&self, id: &str) -> Option<&Priority> {
        self.priorities.get(id)
    }

    /// The place among the priorities: 0 is the most urgent.
    pub fn priority_rank(&self, id: &str) -> Option<usize> {
        self.priorities.places.get(id).copied()
    }

    /// The priority of a ticket that comes without one and that no routing rule gives one; empty: none.
    pub fn default_priority(&self) -> &str {
        &self.spec.default_priority
    }

    pub fn queues(&self) -> &[Queue] {
        &self.queues.items
    }

    pub fn queue(&self, id: &str) -> Option<&Queue> {
        self.queues.get(id)
    }

    /// The queue of a ticket that no routing rule takes.
    pub fn default_queue(&self) -> &str {
        &self.spec.default_queue
    }

    /// What a transfer by hand does.
    pub fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    pub fn escalations(&self) -> &[Escalation] {
        &self.escalations.items
    }

    pub fn escalation(&self, id: &str) -> Option<&Escalation> {
        self.escalations.get(id)
    }

    /// The `n`th human number.
    pub fn number(&self, n: i64) -> String {
        self.number.write(n)
    }

    /// Whether a new ticket that repeats one of its requester's is refused.
    pub fn refuses_duplicates(&self) -> bool {
        self.spec.duplicate_policy.on_create == DuplicateAction::Refuse
    }

    /// What of two tickets is the same text.
    pub fn compares(&self) -> DuplicateComparison {
        self.spec.duplicate_policy.compare
    }

    /// Whether somebody with the role may give a ticket a priority. Admins may do everything.
    pub fn may_prioritise(&self, role: Role) -> bool {
        let roles = &self.spec.priority_set_by;
        roles.is_empty() || role == Role::Admin || roles.contains(&role)
    }

    /// None: tickets are not merged.
    pub fn merge_policy(&self) -> Option<&MergePolicy> {
        self.spec.merge_policy.as_ref()
    }

    /// Whether a ticket gets its number when it is first claimed, not when it is created.
    pub fn number_on_claim(&self) -> bool {
        self.spec.number_policy.assigned_on == NumberAssignment::Claim
    }

    pub fn canned_responses(&self) -> &[CannedResponse] {
        &self.canned_responses.items
    }

    pub fn canned_response(&self, id: &str) -> Option<&CannedResponse> {
        self.canned_responses.get(id)
    }

    /// None: closed tickets are not asked about.
    pub fn survey(&self) -> Option<&Survey> {
        self.survey.as_ref()
    }

    /// What must be known of whose case a new ticket is.
    pub fn identity(&self) -> IdentityPolicy {
        self.spec.identity
    }

    /// Whether a staff member claims a ticket that waits by an empty reply.
    pub fn empty_reply_claims(&self) -> bool {
        self.spec.empty_reply == EmptyReplyPolicy::Claim
    }

    /// The addresses that every ticket has on its cc, in their normal form, sorted.
    pub fn mandatory_cc(&self) -> &[String] {
        &self.mandatory_cc
    }

    /// In the order of the definition.
    pub fn reply_rules(&self) -> &[ReplyRule] {
        &self.reply_rules
    }
}

/// Things in the order of the definition, found by their ids.
#[derive(Debug)]
pub(super) struct Named<T> {
    pub(super) items: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T> Named<T> {
    pub(super) fn new(items: Vec<T>, id: impl Fn(&T) -> &str) -> Self {
        let places = items.iter().enumerate().map(|(place, item)| (id(item).to_owned(), place)).collect();
        Self { items, places }
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.places.get(id).map(|place| &self.items[*place])
    }
}
