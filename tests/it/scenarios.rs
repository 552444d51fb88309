//! What each number of the requirements asks for: one scenario for each, on the helpdesk that asks for it.

pub(crate) mod attachments;
pub(crate) mod beone;
pub(crate) mod branches;
pub(crate) mod iduhelp;
pub(crate) mod oriflame;
pub(crate) mod ovo;
pub(crate) mod smmpanel;

use super::database;
