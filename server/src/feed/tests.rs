//! The feed over a real log, with rings far too small and watchers far too slow.

mod follow;
mod starts;
mod support;
mod tokens;
