//! Feedback, and where it is given.

use loket_client::v1::{Feedback, SurveyLink};

use super::{card, instant};

/// One answer.
pub(crate) fn whole(feedback: &Feedback) -> String {
    card(&[
        ("rating", rating(feedback)),
        ("comment", feedback.comment.clone()),
        ("given", instant(feedback.submit_time.as_ref())),
        ("closed", instant(feedback.close_time.as_ref())),
        ("by", if feedback.via_link { "who has the link" } else { "the requester" }.to_owned()),
    ])
}

/// The answer in a few words.
pub(crate) fn rating(feedback: &Feedback) -> String {
    format!("{} of 5", feedback.rating)
}

/// Where it is given.
pub(crate) fn link(link: &SurveyLink) -> String {
    card(&[
        ("link", link.uri.clone()),
        ("token", link.token.clone()),
        ("good until", instant(link.expire_time.as_ref())),
    ])
}
