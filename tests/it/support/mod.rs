//! The harness: servers on free ports with data of their own, callers of every role, and waiting for conditions.

mod caller;
mod clock;
mod cluster;
mod database;
mod desk;
mod disk;
mod load;
mod options;
mod persons;
mod pooler;
mod process;
pub(crate) mod programs;
mod random;
pub(crate) mod raw;
mod refusal;
pub(crate) mod scenario;
mod server;
pub(crate) mod tail;
mod tickets;
mod wait;

pub(crate) use caller::Caller;
pub(crate) use clock::TestClock;
pub(crate) use cluster::Cluster;
pub(crate) use database::{Data, Database};
pub(crate) use desk::{Desk, RICH, SIMPLE};
pub(crate) use disk::Disk;
pub(crate) use load::Load;
pub(crate) use options::Options;
pub(crate) use pooler::Pooler;
pub(crate) use process::{ServerProcess, free_port};
pub(crate) use random::Random;
pub(crate) use refusal::{documented_code, reason, told};
pub(crate) use server::Server;
pub(crate) use tickets::{draft, fields, own};
pub(crate) use wait::eventually;
