//! What a helpdesk is and what commands do to it: pure. No I/O, no async, no database, no wire, no clock of its own.

pub mod access_key;
pub mod actor;
pub mod agent;
pub mod canned;
pub mod change;
pub mod commands;
pub mod context;
pub mod definition;
pub mod duplicates;
pub mod feedback;
pub mod fields;
pub mod filter;
pub mod links;
pub mod more;
pub mod refusal;
pub mod reply;
pub mod requester;
pub mod survey;
pub mod text;
pub mod ticket;
pub mod time;
pub mod upload;
pub mod usage;
pub mod workflow;

pub use access_key::AccessKey;
pub use actor::{Actor, Role};
pub use agent::Agent;
pub use change::{Change, FieldChange, Notification};
pub use feedback::Feedback;
pub use more::{LastMove, LastReply, Link, LinkKind, More, Split, SplitFrom};
pub use refusal::{ContactRefusal, EventRefusal, Precondition, PreconditionKind, Refusal, Violation};
pub use reply::{Reply, ReplyKind, ReplySummary};
pub use requester::Requester;
pub use ticket::{ExternalRef, State, Ticket};
pub use time::Micros;
pub use upload::{Attachment, Upload};
