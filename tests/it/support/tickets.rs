//! Tickets to file.

use std::collections::BTreeMap;

use loket::v1::Ticket;

/// A good ticket; its requester is `customer@example.com`.
pub(crate) fn draft(subject: &str) -> Ticket {
    Ticket {
        requester: "customer@example.com".to_owned(),
        subject: subject.to_owned(),
        body: "The whole story.".to_owned(),
        ..Ticket::default()
    }
}

/// The same for a requester, who files for itself.
pub(crate) fn own(subject: &str) -> Ticket {
    Ticket { requester: String::new(), ..draft(subject) }
}

/// `fields([("product", "app")])`.
pub(crate) fn fields<const N: usize>(fields: [(&str, &str); N]) -> BTreeMap<String, String> {
    fields.into_iter().map(|(id, value)| (id.to_owned(), value.to_owned())).collect()
}
