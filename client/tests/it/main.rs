//! The client against a server that fails as it is told to.
//!
//! What a real server does is tested in the root package; here are the failures that it cannot be made to show.
#![allow(clippy::unwrap_used)]

mod broken;
mod command;
mod help;
mod input;
mod retry;
mod scripted;
mod watch;
