//! A helpdesk's definition: its rules as data, checked whole before anything relies on them.
//!
//! [`DefinitionSpec`] is what somebody wrote. [`Definition::check`] either reports everything wrong with it at once or
//! turns it into a [`Definition`], whose names all resolve and whose conditions all compile, so that commands look
//! things up without asking whether they make sense.

mod attachments;
mod check;
mod compare;
mod condition;
mod contact;
mod effects;
mod escalation;
mod field;
mod lookup;
mod number;
mod parts;
mod queue_key;
mod routing;
mod skills;
pub mod spec;
mod template;

pub use attachments::AttachmentRules;
pub use compare::Use;
pub use condition::{Comparison, Condition, Demand, Facts, Kind, Ordering, is_shown};
pub use contact::{CannedResponse, LinkPart, Placeholder, Survey};
pub use effects::{Effects, Notice};
pub use escalation::{Escalation, Transfer, permits};
pub use field::{Choice, Field};
pub use lookup::Definition;
pub use number::NumberFormat;
pub use parts::{GuardRule, Priority, Queue, ReplyRule, Status, Transition};
pub use routing::{Routed, Rule};
pub use spec::{
    Assignment, DefinitionSpec, DuplicateAction, DuplicateComparison, EmptyReplyPolicy, EscalationMode, FieldType,
    IdentityPolicy, LinkEffect, MergePolicy, NumberAssignment, OrderingKey, QueuePlace, Recipient, ReplyPolicy,
    TransferPlacement, Trigger, WaitsOn,
};
pub use template::Template;

#[cfg(test)]
pub(crate) mod tests;
