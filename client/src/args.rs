//! The forms that arguments take, and the flags that several commands share.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser as _};
use loket_client::v1::ExternalRef;

use crate::failure::Failure;

/// The flags of everything that changes something.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// A UUID that makes the command safe to repeat: the same id with the same content is done once
    #[arg(long, value_name = "UUID", default_value = "", hide_default_value = true)]
    pub(crate) request_id: String,

    /// Decide, answer as if it were done, and write nothing
    #[arg(long)]
    pub(crate) validate_only: bool,
}

/// For what may only happen to a ticket, or a definition, that is still as it was read.
#[derive(Debug, Args)]
pub(crate) struct Etag {
    /// Only if this is still the current etag, with or without its quotes
    #[arg(
        long,
        value_name = "ETAG",
        default_value = "",
        hide_default_value = true,
        value_parser = StringValueParser::new().map(quoted)
    )]
    pub(crate) etag: String,
}

/// An etag is quoted (RFC 9110), and the shell takes quotes away.
fn quoted(text: String) -> String {
    if text.is_empty() || text.starts_with('"') { text } else { format!("\"{text}\"") }
}

/// `smmpanel` or `helpdesks/smmpanel`.
pub(crate) fn helpdesk(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [id] | ["helpdesks", id] => Ok(format!("helpdesks/{id}")),
        _ => Err("a helpdesk is `smmpanel` or `helpdesks/smmpanel`".to_owned()),
    }
}

/// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`.
pub(crate) fn ticket(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [helpdesk, id] | ["helpdesks", helpdesk, "tickets", id] if is_whole(id) => {
            Ok(format!("helpdesks/{helpdesk}/tickets/{id}"))
        }
        [helpdesk, number] | ["helpdesks", helpdesk, "tickets", number] => Err(format!(
            "a ticket is named by a whole number, as in `{helpdesk}/1`; what people call it is taken by `loket ticket get \
             --helpdesk {helpdesk} --number {number}`"
        )),
        _ => Err("a ticket is `smmpanel/1` or `helpdesks/smmpanel/tickets/1`".to_owned()),
    }
}

/// `3`, as it is, or the whole name of `smmpanel/1/replies/3` and `helpdesks/smmpanel/tickets/1/replies/3`.
pub(crate) fn reply(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [id] if is_whole(id) => Ok(id.to_owned()),
        [helpdesk, ticket, "replies", id] | ["helpdesks", helpdesk, "tickets", ticket, "replies", id] => {
            Ok(format!("helpdesks/{helpdesk}/tickets/{ticket}/replies/{id}"))
        }
        _ => Err("a reply is `3`, `smmpanel/1/replies/3` or `helpdesks/smmpanel/tickets/1/replies/3`".to_owned()),
    }
}

/// `smmpanel/018f…` or `helpdesks/smmpanel/uploads/018f…`.
pub(crate) fn upload(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [helpdesk, id] | ["helpdesks", helpdesk, "uploads", id] => Ok(format!("helpdesks/{helpdesk}/uploads/{id}")),
        _ => Err("an upload is `smmpanel/…` or `helpdesks/smmpanel/uploads/…`".to_owned()),
    }
}

/// `smmpanel/order` or `helpdesks/smmpanel/queues/order`.
pub(crate) fn queue(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [helpdesk, id] | ["helpdesks", helpdesk, "queues", id] => Ok(format!("helpdesks/{helpdesk}/queues/{id}")),
        _ => Err("a queue is `smmpanel/order` or `helpdesks/smmpanel/queues/order`".to_owned()),
    }
}

/// A queue of the helpdesk of `parent`, a ticket's name or an agent's, as the requests take it: by its id. Tables show it with its
/// helpdesk, so that it is taken so, too.
pub(crate) fn queue_of(parent: &str, flag: &str, given: &str) -> Result<String, Failure> {
    let own = parent.split('/').nth(1).unwrap_or_default();
    match segments(given)[..] {
        [helpdesk, id] | ["helpdesks", helpdesk, "queues", id] if helpdesk == own => Ok(id.to_owned()),
        [helpdesk, _] | ["helpdesks", helpdesk, "queues", _] => Err(Failure::Usage(format!(
            "{flag} {given} is a queue of the helpdesk {helpdesk}, and not of {own}: name one of {own}"
        ))),
        // Whether there is such a queue, the server knows.
        _ => Ok(given.to_owned()),
    }
}

/// Queues, each as [`queue_of`] takes it.
pub(crate) fn queues_of(parent: &str, flag: &str, given: &[String]) -> Result<Vec<String>, Failure> {
    given.iter().map(|queue| queue_of(parent, flag, queue)).collect()
}

/// `smmpanel/rina` or `helpdesks/smmpanel/agents/rina`.
pub(crate) fn agent(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [helpdesk, id] | ["helpdesks", helpdesk, "agents", id] => Ok(format!("helpdesks/{helpdesk}/agents/{id}")),
        _ => Err("an agent is `smmpanel/rina` or `helpdesks/smmpanel/agents/rina`".to_owned()),
    }
}

/// `smmpanel/1/018f…` or `helpdesks/smmpanel/tickets/1/attachments/018f…`.
pub(crate) fn attachment(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [helpdesk, ticket, id] | ["helpdesks", helpdesk, "tickets", ticket, "attachments", id] => {
            Ok(format!("helpdesks/{helpdesk}/tickets/{ticket}/attachments/{id}"))
        }
        _ => Err("an attachment is `smmpanel/1/…` or `helpdesks/smmpanel/tickets/1/attachments/…`".to_owned()),
    }
}

/// `smmpanel/r0123…` or `helpdesks/smmpanel/requesters/r0123…`.
pub(crate) fn requester(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [helpdesk, id] | ["helpdesks", helpdesk, "requesters", id] => {
            Ok(format!("helpdesks/{helpdesk}/requesters/{id}"))
        }
        _ => Err("a requester is `smmpanel/r0123…` or `helpdesks/smmpanel/requesters/r0123…`".to_owned()),
    }
}

/// An access key's id, with or without `accessKeys/`.
pub(crate) fn access_key(text: &str) -> Result<String, String> {
    match segments(text)[..] {
        [id] | ["accessKeys", id] => Ok(format!("accessKeys/{id}")),
        _ => Err("a key is named `accessKeys/…`".to_owned()),
    }
}

/// `500ms`, `30s`, `2m`, `1h`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number with `ms`, `s`, `m` or `h`: `500ms`, `30s`, `2m`".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
    // Far above any use, and low enough to be added to any clock.
    if duration.is_zero() || duration > Duration::from_hours(365 * 24) {
        return Err("a time is more than nothing and at most a year".to_owned());
    }
    Ok(duration)
}

/// `name=value`; the value may be empty and may hold further `=`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write `name=value`".to_owned()),
    }
}

/// `source=id`, of an external reference.
pub(crate) fn external_ref(text: &str) -> Result<(String, String), String> {
    pair(text).map_err(|_| "write `SOURCE=ID`: where it is called so, and how, as in `old-desk=C17`".to_owned())
}

/// The same, or nothing at all, which alone takes away what is there.
pub(crate) fn external_ref_or_none(text: &str) -> Result<(String, String), String> {
    if text.is_empty() { Ok(Default::default()) } else { external_ref(text) }
}

/// Pairs as fields. A name given twice is a slip, not a choice.
pub(crate) fn fields(pairs: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Failure> {
    let mut fields = BTreeMap::new();
    for (name, value) in pairs {
        if fields.contains_key(&name) {
            return Err(Failure::Usage(format!("--field {name}=… is given twice")));
        }
        fields.insert(name, value);
    }
    Ok(fields)
}

/// Pairs as external references.
pub(crate) fn external_refs(pairs: Vec<(String, String)>) -> Vec<ExternalRef> {
    pairs.into_iter().map(|(source, id)| ExternalRef { source, id }).collect()
}

/// The texts of several flags of one command, each as [`text`] takes it. Standard input is read once: of which it would be is not
/// guessed.
pub(crate) fn texts<const N: usize>(given: [(&str, String); N]) -> Result<[String; N], Failure> {
    let from_stdin: Vec<_> = given.iter().filter(|(_, text)| text == "-").map(|(flag, _)| *flag).collect();
    if from_stdin.len() > 1 {
        let flags = from_stdin.join(" and ");
        return Err(Failure::Usage(format!(
            "{flags} both read standard input, which is there once: give one of them as text"
        )));
    }
    let mut texts = given.map(|(_, text)| text);
    for given in &mut texts {
        *given = text(std::mem::take(given))?;
    }
    Ok(texts)
}

/// A text as given, or all of standard input for `-`.
pub(crate) fn text(given: String) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given);
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::Other(format!("cannot read standard input: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn is_whole(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit())
}

fn segments(text: &str) -> Vec<&str> {
    let segments: Vec<_> = text.split('/').collect();
    if segments.contains(&"") { Vec::new() } else { segments }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_has_its_quotes_whatever_the_shell_did() {
        assert_eq!(quoted(String::new()), "");
        assert_eq!(quoted("d".to_owned()), "\"d\"");
        assert_eq!(quoted("\"d\"".to_owned()), "\"d\"");
    }

    #[test]
    fn names_are_short_or_whole() {
        assert_eq!(helpdesk("smmpanel").unwrap(), "helpdesks/smmpanel");
        assert_eq!(helpdesk("helpdesks/smmpanel").unwrap(), "helpdesks/smmpanel");
        assert_eq!(ticket("smmpanel/1").unwrap(), "helpdesks/smmpanel/tickets/1");
        assert_eq!(ticket("helpdesks/smmpanel/tickets/1").unwrap(), "helpdesks/smmpanel/tickets/1");
        assert_eq!(queue("helpdesks/smmpanel/queues/order").unwrap(), "helpdesks/smmpanel/queues/order");
        for wrong in ["", "1", "helpdesks/smmpanel/queues/order", "a/", "a/b/c"] {
            assert!(ticket(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_writes_the_human_number_is_told_where_it_is_taken() {
        let told = ticket("ovo/OVO-00000003").unwrap_err();
        assert!(told.ends_with("`loket ticket get --helpdesk ovo --number OVO-00000003`"), "{told}");
    }

    #[test]
    fn a_reply_is_a_number_or_a_name() {
        assert_eq!(reply("3").unwrap(), "3");
        assert_eq!(reply("oriflame/1/replies/3").unwrap(), "helpdesks/oriflame/tickets/1/replies/3");
        let whole = "helpdesks/oriflame/tickets/1/replies/3";
        assert_eq!(reply(whole).unwrap(), whole);
        for wrong in ["", "x", "-3", "oriflame/1", "oriflame/1/3"] {
            assert!(reply(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("1.5m").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("30").unwrap(), Duration::from_secs(30));
        for wrong in ["", "s", "0s", "-1s", "1d", "1e99s", "99999999h", "1.2.3s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pair_is_split_at_its_first_equals_sign() {
        assert_eq!(pair("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert_eq!(pair("a=").unwrap(), ("a".to_owned(), String::new()));
        assert!(pair("=b").is_err());
        assert!(pair("a").is_err());
    }
}
