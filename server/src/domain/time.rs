//! Time as the server keeps it, and as people write it.

use chrono::{DateTime, SecondsFormat};

/// Microseconds since 1970-01-01T00:00:00Z: the only form of time inside the server.
pub type Micros = i64;

pub const SECOND: Micros = 1_000_000;
pub const DAY: Micros = 24 * 3600 * SECOND;

/// RFC 3339 in UTC with six digits of fraction: equal times are equal texts, and texts order as times do.
pub fn rfc3339(micros: Micros) -> String {
    DateTime::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// Any RFC 3339 time; what is finer than a microsecond is cut off.
pub fn parse_rfc3339(text: &str) -> Option<Micros> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros())
}
