//! Resource names (AIP-122): taken apart and checked.

use crate::domain::{AccessKey, Refusal, Violation, text};

/// A violated name.
fn wrong(field: &str, name: &str, pattern: &str) -> Refusal {
    let description = if name.is_empty() {
        format!("is required: `{pattern}`")
    } else if name.split('/').any(|segment| segment == "-") {
        format!("{} has a wildcard, which is not taken here; write `{pattern}`", text::shown(name))
    } else {
        format!("{} is not a name of this kind; write `{pattern}`", text::shown(name))
    };
    Refusal::Invalid(vec![Violation::new(field, description)])
}

/// The id in `helpdesks/{helpdesk}`.
pub(super) fn helpdesk(field: &str, name: &str) -> Result<String, Refusal> {
    let id = name.strip_prefix("helpdesks/").filter(|id| text::is_id(id, "-"));
    id.map(str::to_owned).ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}"))
}

/// Helpdesk and number in `helpdesks/{helpdesk}/tickets/{ticket}`.
pub(super) fn ticket(field: &str, name: &str) -> Result<(String, i64), Refusal> {
    parts(name, "/tickets/")
        .and_then(|(helpdesk, id)| Some((helpdesk, decimal(id)?)))
        .ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}/tickets/{ticket}"))
}

/// The number of a ticket that is of this helpdesk: what is done to both happens in one revision.
pub(super) fn ticket_of(field: &str, name: &str, helpdesk: &str) -> Result<i64, Refusal> {
    let (other, id) = ticket(field, name)?;
    if other == helpdesk {
        return Ok(id);
    }
    let description = format!("{} is not of the helpdesk `{helpdesk}`", text::shown(name));
    Err(Refusal::Invalid(vec![Violation::new(field, description)]))
}

/// The number of a reply that is of this ticket.
pub(super) fn reply_of(field: &str, name: &str, ticket: &str) -> Result<i64, Refusal> {
    let id = name.strip_prefix(ticket).and_then(|rest| decimal(rest.strip_prefix("/replies/")?));
    id.ok_or_else(|| {
        let description =
            format!("{} is not a reply of the ticket; write `{ticket}/replies/{{reply}}`", text::shown(name));
        Refusal::Invalid(vec![Violation::new(field, description)])
    })
}

/// Helpdesk and id in `helpdesks/{helpdesk}/queues/{queue}`.
pub(super) fn queue(field: &str, name: &str) -> Result<(String, String), Refusal> {
    parts(name, "/queues/")
        .filter(|(_, id)| text::is_id(id, "_-"))
        .map(|(helpdesk, id)| (helpdesk, id.to_owned()))
        .ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}/queues/{queue}"))
}

/// Helpdesk and id in `helpdesks/{helpdesk}/agents/{agent}`.
pub(super) fn agent(field: &str, name: &str) -> Result<(String, String), Refusal> {
    parts(name, "/agents/")
        .filter(|(_, id)| text::is_id(id, "-"))
        .map(|(helpdesk, id)| (helpdesk, id.to_owned()))
        .ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}/agents/{agent}"))
}

/// Helpdesk and id in `helpdesks/{helpdesk}/uploads/{upload}`.
pub(super) fn upload(field: &str, name: &str) -> Result<(String, String), Refusal> {
    parts(name, "/uploads/")
        .filter(|(_, id)| is_file_id(id))
        .map(|(helpdesk, id)| (helpdesk, id.to_owned()))
        .ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}/uploads/{upload}"))
}

/// Helpdesk, ticket and id in `helpdesks/{helpdesk}/tickets/{ticket}/attachments/{attachment}`.
pub(super) fn attachment(field: &str, name: &str) -> Result<(String, i64, String), Refusal> {
    parts(name, "/tickets/")
        .and_then(|(helpdesk, rest)| {
            let (ticket, id) = rest.split_once("/attachments/")?;
            is_file_id(id).then_some(())?;
            Some((helpdesk, decimal(ticket)?, id.to_owned()))
        })
        .ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}/tickets/{ticket}/attachments/{attachment}"))
}

/// As the server makes them: a UUID without hyphens. It is also the name of a folder.
fn is_file_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Helpdesk and id in `helpdesks/{helpdesk}/requesters/{requester}`.
pub(super) fn requester(field: &str, name: &str) -> Result<(String, String), Refusal> {
    parts(name, "/requesters/")
        .filter(|(_, id)| text::is_id(id, ""))
        .map(|(helpdesk, id)| (helpdesk, id.to_owned()))
        .ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}/requesters/{requester}"))
}

/// Helpdesk and ticket in `helpdesks/{helpdesk}/tickets/{ticket}/surveyLink`.
pub(super) fn survey_link(field: &str, name: &str) -> Result<(String, i64), Refusal> {
    name.strip_suffix("/surveyLink")
        .and_then(|ticket_name| ticket(field, ticket_name).ok())
        .ok_or_else(|| wrong(field, name, "helpdesks/{helpdesk}/tickets/{ticket}/surveyLink"))
}

/// The id in `accessKeys/{access_key}`.
pub(super) fn access_key(field: &str, name: &str) -> Result<String, Refusal> {
    let id = AccessKey::id_of(name).filter(|id| text::is_id(id, "-"));
    id.map(str::to_owned).ok_or_else(|| wrong(field, name, "accessKeys/{access_key}"))
}

fn parts<'n>(name: &'n str, collection: &str) -> Option<(String, &'n str)> {
    let (helpdesk, id) = name.strip_prefix("helpdesks/")?.split_once(collection)?;
    text::is_id(helpdesk, "-").then(|| (helpdesk.to_owned(), id))
}

/// One way to write each number: no sign, no leading zero.
fn decimal(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
