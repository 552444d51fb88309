//! Tickets to file.

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
