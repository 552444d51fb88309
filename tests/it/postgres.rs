//! What runs on PostgreSQL: the suite, and what only several servers on one database can show.

mod clock;
mod faults;
mod several;
#[path = "suite.rs"]
mod suite;
mod upgrade;
mod verify;
