//! Times as logs have them.

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use prost_types::Timestamp;

/// How times are written where a time zone, but no format is given, for those without an offset.
const LOCAL: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
const LOCAL_DATE: &str = "%Y-%m-%d";
/// What of a format is the offset.
const OFFSETS: &str = "%z%:z%::z%:::z%#z%+";
/// A format that strftime does not have: milliseconds since 1970.
const MILLIS: &str = "unix_ms";

/// How times are written, and where those without an offset are from. No time is read that could be another instant.
#[derive(Debug, Clone)]
pub(super) struct Times {
    format: Format,
    zone: Option<Zone>,
}

#[derive(Debug, Clone)]
enum Format {
    Rfc3339,
    Millis,
    Strftime(Strftime),
}

#[derive(Debug, Clone)]
struct Strftime {
    text: String,
    is_date: bool,
    /// Of seconds since 1970.
    is_instant: bool,
    has_offset: bool,
}

#[derive(Debug, Clone, Copy)]
enum Zone {
    Named(Tz),
    Offset(FixedOffset),
}

impl Times {
    /// Or what is wrong with the format, or with the time zone.
    pub(super) fn new(format: Option<&str>, zone: Option<&str>) -> Result<Self, String> {
        let zone = zone.map(Zone::parse).transpose()?;
        let format = match format {
            None => Format::Rfc3339,
            Some(MILLIS) => Format::Millis,
            Some(text) => Format::Strftime(Strftime::parse(text, zone.is_some())?),
        };
        Ok(Self { format, zone })
    }

    /// The instant, or what is wrong with the text.
    pub(super) fn parse(&self, text: &str) -> Result<Timestamp, String> {
        let text = text.trim();
        let time = match &self.format {
            Format::Millis => text
                .parse()
                .ok()
                .and_then(DateTime::from_timestamp_millis)
                .ok_or_else(|| format!("`{text}` is no time in milliseconds since 1970, such as 1772413200000")),
            Format::Rfc3339 => self.rfc_3339(text),
            Format::Strftime(format) => self.strftime(text, format),
        }?;
        let nanos = time.timestamp_subsec_nanos();
        // It would be the same instant as the second behind it.
        if nanos >= 1_000_000_000 {
            return Err(format!("`{text}` has a second 60, which Loket does not have: write 59"));
        }
        Ok(Timestamp { seconds: time.timestamp(), nanos: i32::try_from(nanos).unwrap_or_default() })
    }

    fn rfc_3339(&self, text: &str) -> Result<DateTime<Utc>, String> {
        if let Ok(time) = text.parse::<DateTime<FixedOffset>>() {
            return Ok(time.to_utc());
        }
        let local = LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        let local = local.or_else(|| NaiveDate::parse_from_str(text, LOCAL_DATE).ok().map(midnight));
        match (local, self.zone) {
            (Some(local), Some(zone)) => zone.instant(text, local),
            (Some(_), None) => Err(format!(
                "`{text}` has no offset, such as +07:00: say with time_zone where the times are from, for example Asia/Jakarta"
            )),
            (None, _) => Err(format!(
                "`{text}` is no time like 2026-03-02T08:00:00+07:00; say how it is written with time_format"
            )),
        }
    }

    fn strftime(&self, text: &str, format: &Strftime) -> Result<DateTime<Utc>, String> {
        let Strftime { text: format, is_date, is_instant, has_offset } = format;
        let wrong = |error| format!("`{text}` is no time like `{format}`: {error}");
        match DateTime::parse_from_str(text, format) {
            Ok(time) => return Ok(time.to_utc()),
            // Without its offset, such as +24:00, it would be read as another instant.
            Err(error) if *has_offset => return Err(wrong(error)),
            Err(_) => {}
        }
        let local = if *is_date {
            NaiveDate::parse_from_str(text, format).map(midnight)
        } else {
            NaiveDateTime::parse_from_str(text, format)
        };
        let local = local.map_err(wrong)?;
        match self.zone {
            // Seconds since 1970 are read as if at Greenwich.
            _ if *is_instant => Ok(local.and_utc()),
            Some(zone) => zone.instant(text, local),
            None => Err(format!("`{text}` has no offset")),
        }
    }
}

impl Strftime {
    /// A format that says, with the time zone, which instant is meant.
    fn parse(text: &str, has_zone: bool) -> Result<Self, String> {
        let items: Vec<Item<'_>> = StrftimeItems::new(text).collect();
        if items.contains(&Item::Error) {
            return Err(format!("time_format: `{text}` is no format as in strftime, such as %d/%m/%Y %H:%M"));
        }
        if items.contains(&Item::Fixed(Fixed::TimezoneName)) {
            return Err(
                "time_format: %Z stands for a name such as WIB, of which nobody knows the offset: take the name into \
                        the format as it is, and say with time_zone where the times are from"
                    .to_owned(),
            );
        }
        let has =
            |number: &[Numeric]| items.iter().any(|item| matches!(item, Item::Numeric(one, _) if number.contains(one)));
        let is_instant = has(&[Numeric::Timestamp]);
        let offsets: Vec<Item<'_>> = StrftimeItems::new(OFFSETS).collect();
        let has_offset = items.iter().any(|item| offsets.contains(item));
        if !is_instant && !has_offset && !has_zone {
            return Err(format!(
                "time_format: `{text}` has no offset (%z): say with time_zone where the times are from, such as Asia/Jakarta, \
                 +07:00 or UTC"
            ));
        }
        let is_date = !is_instant && !has_offset && !has(&[Numeric::Hour, Numeric::Hour12]);
        Ok(Self { text: text.to_owned(), is_date, is_instant, has_offset })
    }
}

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

impl Zone {
    fn parse(text: &str) -> Result<Self, String> {
        // Any time with the offset will do to read it.
        let offset = || DateTime::parse_from_str(&format!("1970-01-02 00:00 {text}"), "%Y-%m-%d %H:%M %:z").ok();
        let zone = text.parse().map(Self::Named).ok().or_else(|| Some(Self::Offset(*offset()?.offset())));
        zone.ok_or_else(|| {
            format!("time_zone: `{text}` is none; write it like Asia/Jakarta, Europe/Berlin, +07:00 or UTC")
        })
    }

    /// When its clocks showed that.
    fn instant(self, text: &str, local: NaiveDateTime) -> Result<DateTime<Utc>, String> {
        let found = match self {
            Self::Named(zone) => zone.from_local_datetime(&local).map(|time| time.to_utc()),
            Self::Offset(offset) => offset.from_local_datetime(&local).map(|time| time.to_utc()),
        };
        let wrong = match found {
            LocalResult::Single(time) => return Ok(time),
            LocalResult::Ambiguous(..) => "twice, when the clocks were put back",
            LocalResult::None => "not at all, when the clocks were put forward",
        };
        Err(format!("`{text}` was there {wrong}: give it an offset, such as +02:00"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, format: Option<&str>, zone: Option<&str>) -> Result<Timestamp, String> {
        Times::new(format, zone)?.parse(text)
    }

    #[test]
    fn times_are_instants() {
        let noon = Ok(Timestamp { seconds: 1_456_747_200, nanos: 0 });
        for (text, format, zone) in [
            ("2016-02-29T12:00:00Z", None, None),
            ("2016-02-29 19:00:00+07:00", None, None),
            ("2016-02-29T19:00:00+07:00", None, Some("UTC")),
            ("2016-02-29T19:00", None, Some("Asia/Jakarta")),
            ("2016-02-29 13:00:00.000", None, Some("Europe/Berlin")),
            (" 29/2/2016 19:00 ", Some("%d/%m/%Y %H:%M"), Some("+07:00")),
            ("29.02.2016 13:00:00 +0100", Some("%d.%m.%Y %H:%M:%S %z"), None),
            ("29.02.2016 12:00:00 Z", Some("%d.%m.%Y %H:%M:%S %#z"), None),
            ("29/2/2016 7:00 PM WIB", Some("%d/%m/%Y %I:%M %p WIB"), Some("Asia/Jakarta")),
            ("1456747200", Some("%s"), None),
            ("1456747200", Some("%s"), Some("Asia/Jakarta")),
            ("1456747200", Some("%-s"), Some("Asia/Jakarta")),
            ("1456747200", Some("%-s"), None),
            ("1456747200000", Some("unix_ms"), None),
        ] {
            assert_eq!(parse(text, format, zone), noon, "{text}");
        }
        let midnight = Ok(Timestamp { seconds: 1_456_704_000, nanos: 0 });
        assert_eq!(parse("29/2/2016", Some("%d/%m/%Y"), Some("UTC")), midnight);
        assert_eq!(parse("2016-02-29", None, Some("UTC")), midnight);
    }

    #[test]
    fn what_could_be_another_instant_is_no_time() {
        for (text, format, zone, expected) in [
            (
                "29/2/2016 12:00",
                None,
                None,
                "is no time like 2026-03-02T08:00:00+07:00; say how it is written with time_format",
            ),
            ("2016-02-29T12:00:00", None, None, "has no offset, such as +07:00: say with time_zone"),
            ("2016-02-29", None, None, "has no offset, such as +07:00: say with time_zone"),
            ("29/2/2016 12:00", Some("%d/%m/%Y %H:%M"), None, "`%d/%m/%Y %H:%M` has no offset (%z)"),
            ("29/2/2016 12:00 WIB", Some("%d/%m/%Y %H:%M %Z"), Some("UTC"), "%Z stands for a name"),
            ("2016", Some("%d/%m/%Y %H:%M"), Some("UTC"), "`2016` is no time like"),
            ("29/2/2016 12:00 +2400", Some("%d/%m/%Y %H:%M %z"), Some("Asia/Jakarta"), "is no time like"),
            ("29/2/2016 12:00 -99:59", Some("%d/%m/%Y %H:%M %:z"), Some("Asia/Jakarta"), "is no time like"),
            ("2016-02-29T12:00:00+24:00", None, Some("Asia/Jakarta"), "is no time like"),
            ("2016", Some("%Q"), Some("UTC"), "is no format as in strftime"),
            ("2016", None, Some("+24:00"), "time_zone: `+24:00` is none"),
            ("2016", None, Some("WIB"), "time_zone: `WIB` is none"),
            ("2016-12-31T23:59:60Z", None, None, "has a second 60"),
            ("2016-10-30 02:30", None, Some("Europe/Berlin"), "was there twice, when the clocks were put back"),
            ("2016-03-27 02:30", None, Some("Europe/Berlin"), "was there not at all"),
        ] {
            let wrong = parse(text, format, zone).unwrap_err();
            assert!(wrong.contains(expected), "{wrong}");
        }
    }
}
