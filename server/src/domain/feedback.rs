//! What a requester thinks of how a ticket was closed.

use std::borrow::Cow;

use super::Micros;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// From 1 to 5, the best.
    pub rating: i32,
    pub comment: String,
    pub submit_time: Micros,
    /// Of which closing it is.
    pub close_time: Micros,
    /// It came with the token of a link, and not from the requester's own key.
    pub via_link: bool,
}

impl Feedback {
    pub const COMMENT_MAX: usize = 4_096;

    /// A JSON array of its parts; empty when there is none.
    pub fn to_text(feedback: Option<&Self>) -> Cow<'static, str> {
        let Some(Self { rating, comment, submit_time, close_time, via_link }) = feedback else { return Cow::from("") };
        Cow::from(serde_json::json!((rating, comment, submit_time, close_time, via_link)).to_string())
    }

    /// The outer None is a text that cannot be read.
    #[allow(clippy::option_option)]
    pub fn from_text(text: &str) -> Option<Option<Self>> {
        if text.is_empty() {
            return Some(None);
        }
        let (rating, comment, submit_time, close_time, via_link) = serde_json::from_str(text).ok()?;
        Some(Some(Self { rating, comment, submit_time, close_time, via_link }))
    }
}
