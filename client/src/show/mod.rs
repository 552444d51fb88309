//! How messages look to people.

pub(crate) mod agent;
pub(crate) mod attachment;
pub(crate) mod change;
pub(crate) mod diagram;
pub(crate) mod feedback;
pub(crate) mod helpdesk;
pub(crate) mod key;
pub(crate) mod queue;
pub(crate) mod reply;
pub(crate) mod requester;
pub(crate) mod ticket;
pub(crate) mod workflow;

mod effects;
mod layout;
mod table;
mod text;
mod time;
mod value;

pub(crate) use effects::effects;
pub(crate) use table::{Column, Table, card};
pub(crate) use text::{clean, excerpt, indented, role, short, word};
pub(crate) use time::{age, instant};
