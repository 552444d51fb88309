//! Times and how long ago they were.

// The one place of the command that reads the clock; the library measures with tokio's.
#![allow(clippy::disallowed_methods)]

use std::time::SystemTime;

use prost_types::Timestamp;

/// `2026-01-05 10:22:31Z`; empty for no time.
pub(crate) fn instant(time: Option<&Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    let seconds = Timestamp { seconds: time.seconds, nanos: 0 };
    seconds.to_string().replace('T', " ")
}

/// How long ago, as `3d 4h`, `2h 5m`, `1m 30s`, `12s`; empty for no time.
pub(crate) fn age(time: Option<&Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    let now = Timestamp::from(SystemTime::now());
    span((now.seconds - time.seconds).max(0))
}

fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_to_the_second_in_utc() {
        let time = Timestamp { seconds: 1_767_608_551, nanos: 987_654_321 };
        assert_eq!(instant(Some(&time)), "2026-01-05 10:22:31Z");
        assert_eq!(instant(None), "");
    }

    #[test]
    fn an_age_is_told_in_its_two_largest_units() {
        assert_eq!([12, 90, 7_500, 273_600].map(span), ["12s", "1m 30s", "2h 5m", "3d 4h"]);
    }
}
