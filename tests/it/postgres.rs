//! What runs on PostgreSQL: the suite, and what only several servers on one database can show.

mod attachments;
mod clock;
mod commits;
mod faults;
mod persons;
mod pooler;
mod several;
mod start;
#[path = "suite.rs"]
mod suite;
mod upgrade;
mod verify;
mod waiting;
