//! The feed over a real log, with rings far too small and watchers far too slow.

mod follow;
mod shared;
mod starts;
mod support;
mod tokens;
