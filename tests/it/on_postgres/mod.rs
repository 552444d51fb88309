//! What only PostgreSQL can do, and what can go wrong only there.

mod faults;
mod pooler;
mod start;
