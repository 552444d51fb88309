//! Feedback, and where it is given.

use loket_client::v1::{Feedback, SurveyLink};

use super::{card, instant};

/// One answer.
pub(crate) fn whole(feedback: &Feedback) -> String {
    card(&[
        ("rating", format!("{} of 5", feedback.rating)),
        ("comment", feedback.comment.clone()),
        ("given", instant(feedback.submit_time.as_ref())),
        ("closed", instant(feedback.close_time.as_ref())),
        ("by", if feedback.via_link { "who has the link" } else { "the requester" }.to_owned()),
    ])
}

/// The answer within what is told of its ticket.
pub(crate) fn in_short(feedback: &Feedback) -> String {
    let Feedback { rating, comment, .. } = feedback;
    if comment.is_empty() { format!("{rating} of 5") } else { format!("{rating} of 5: {comment}") }
}

/// Where it is given.
pub(crate) fn link(link: &SurveyLink) -> String {
    card(&[
        ("link", link.uri.clone()),
        ("token", link.token.clone()),
        ("good until", instant(link.expire_time.as_ref())),
    ])
}
