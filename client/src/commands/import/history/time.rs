//! Times as logs have them.

use chrono::{DateTime, NaiveDateTime};
use prost_types::Timestamp;

/// A time in a format as in strftime, UTC where it has no offset; without one, as in RFC 3339.
pub(super) fn parse(text: &str, format: Option<&str>) -> Result<Timestamp, String> {
    let Some(format) = format else {
        let wrong =
            |_| format!("`{text}` is no time like 2026-03-02T08:00:00+07:00; say how it is written with time_format");
        return text.trim().parse().map_err(wrong);
    };
    let with_offset = DateTime::parse_from_str(text.trim(), format).map(|time| time.to_utc());
    let time = with_offset.or_else(|_| NaiveDateTime::parse_from_str(text.trim(), format).map(|time| time.and_utc()));
    let time = time.map_err(|error| format!("`{text}` is no time like `{format}`: {error}"))?;
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    Ok(Timestamp { seconds: time.timestamp(), nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_instants() {
        let noon = Ok(Timestamp { seconds: 1_456_747_200, nanos: 0 });
        for (text, format) in [
            ("2016-02-29T12:00:00Z", None),
            ("2016-02-29T19:00:00+07:00", None),
            (" 29/2/2016 12:00 ", Some("%d/%m/%Y %H:%M")),
            ("29.02.2016 13:00:00 +0100", Some("%d.%m.%Y %H:%M:%S %z")),
        ] {
            assert_eq!(parse(text, format), noon, "{text}");
        }
        assert!(parse("29/2/2016 12:00", None).unwrap_err().contains("time_format"));
        assert!(parse("2016", Some("%d/%m/%Y %H:%M")).unwrap_err().starts_with("`2016` is no time like"));
    }
}
