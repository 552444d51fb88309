//! Values of fields as a change has them, in words: what the contract writes as JSON is not for people.

use serde::de::DeserializeOwned;

use super::excerpt;

/// A value of a field of `ticket`, which tells the helpdesk; as it is where it is a text, or not of the form that is known.
pub(super) fn value(ticket: &str, field: &str, text: &str) -> String {
    in_words(ticket, field, text).unwrap_or_else(|| excerpt(text, 40))
}

/// What people call the field.
pub(super) fn called(field: &str) -> &str {
    match field {
        "links" => "linked",
        "splits" => "split off",
        "split_from" => "split from",
        "merged_into" => "merged into",
        "external_refs" => "external",
        field => field,
    }
}

fn in_words(ticket: &str, field: &str, text: &str) -> Option<String> {
    let named = |id: i64| match ticket.split('/').nth(1) {
        Some(helpdesk) => format!("{helpdesk}/{id}"),
        None => id.to_string(),
    };
    Some(match field {
        "links" => all(text, |(kind, other, _): (String, i64, bool)| format!("{kind} {}", named(other)))?,
        "splits" => all(text, |(reply, other): (i64, i64)| format!("reply {reply} as {}", named(other)))?,
        "split_from" => {
            let (other, replies): (i64, Vec<i64>) = read(text)?;
            let replies: Vec<_> = replies.iter().map(i64::to_string).collect();
            format!("{}, replies {}", named(other), replies.join(", "))
        }
        "merged_into" => named(text.parse().ok()?),
        "external_refs" => all(text, |(source, id): (String, String)| excerpt(&format!("{source} = {id}"), 60))?,
        "tags" | "cc" => all(text, |one: String| excerpt(&one, 60))?,
        "feedback" => {
            let (rating, comment, ..): (i64, String, i64, i64, bool) = read(text)?;
            let comment = excerpt(&comment, 60);
            if comment.is_empty() { rating.to_string() } else { format!("{rating}, {comment}") }
        }
        _ => return None,
    })
}

fn all<T: DeserializeOwned>(text: &str, told: impl FnMut(T) -> String) -> Option<String> {
    let list: Vec<T> = read(text)?;
    Some(list.into_iter().map(told).collect::<Vec<_>>().join(", "))
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_in_words() {
        let told = |field, text| value("helpdesks/smmpanel/tickets/1", field, text);
        assert_eq!(
            told("links", r#"[["related",2,true],["parent",7,false]]"#),
            "related smmpanel/2, parent smmpanel/7"
        );
        assert_eq!(told("splits", "[[3,2]]"), "reply 3 as smmpanel/2");
        assert_eq!(told("split_from", "[1,[3,4]]"), "smmpanel/1, replies 3, 4");
        assert_eq!(told("merged_into", "1"), "smmpanel/1");
        assert_eq!(told("external_refs", r#"[["old-desk","C1"]]"#), "old-desk = C1");
        assert_eq!(told("tags", r#"["a","b"]"#), "a, b");
        assert_eq!(told("feedback", r#"[5,"Mantap",1795991816912797,1795991816000000,false]"#), "5, Mantap");
        assert_eq!(told("feedback", r#"[5,"",1,1,false]"#), "5");
        // A form that only a newer server writes is told as it is, and so is a text that looks like one.
        assert_eq!(told("links", r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(told("subject", "[1]"), "[1]");
    }
}
