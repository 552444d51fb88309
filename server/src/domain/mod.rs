//! What a helpdesk is and what commands do to it: pure. No I/O, no async, no database, no wire, no clock of its own.

pub mod actor;
pub mod change;
pub mod filter;
pub mod refusal;
pub mod reply;
pub mod ticket;

pub use actor::{Actor, Role};
pub use change::{Change, FieldChange};
pub use refusal::{Precondition, Refusal, Violation};
pub use reply::{Reply, ReplyKind};
pub use ticket::{ExternalRef, State, Ticket};

/// Microseconds since 1970-01-01T00:00:00Z: the only form of time inside the server.
pub type Micros = i64;
