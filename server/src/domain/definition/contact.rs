//! What requesters are written, and what they are asked: canned responses and the survey.

use super::Template;
use crate::domain::Micros;
use crate::domain::time::DAY;

/// A text that the staff reply with.
#[derive(Debug)]
pub struct CannedResponse {
    pub id: String,
    pub display_name: String,
    pub body: Template<Placeholder>,
    pub retired: bool,
}

/// What stands for something of the ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placeholder {
    Requester,
    Number,
    Subject,
    Status,
    Agent,
    SurveyLink,
    /// The id of a field.
    Field(String),
}

impl Placeholder {
    const PLAIN: [(&'static str, Self); 6] = [
        ("requester", Self::Requester),
        ("number", Self::Number),
        ("subject", Self::Subject),
        ("status", Self::Status),
        ("agent", Self::Agent),
        ("survey_link", Self::SurveyLink),
    ];

    /// As it is written between braces.
    pub fn read(name: &str) -> Option<Self> {
        let plain = Self::PLAIN.into_iter().find(|(known, _)| *known == name).map(|(_, placeholder)| placeholder);
        plain.or_else(|| name.strip_prefix("fields.").map(|id| Self::Field(id.to_owned())))
    }

    /// Every name there is, `fields.` standing for those of the fields.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::PLAIN.iter().map(|(name, _)| *name)
    }
}

/// The survey after closing.
#[derive(Debug)]
pub struct Survey {
    pub link: Template<LinkPart>,
    /// How long a link is good.
    pub lifetime: Micros,
}

impl Survey {
    const DEFAULT_DAYS: i32 = 30;

    pub(super) fn new(link: Template<LinkPart>, days: i32) -> Self {
        let days = if days == 0 { Self::DEFAULT_DAYS } else { days };
        Self { link, lifetime: Micros::from(days) * DAY }
    }
}

/// What stands for something in the address of a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPart {
    Token,
    Ticket,
    Number,
}

impl LinkPart {
    pub fn read(name: &str) -> Option<Self> {
        match name {
            "token" => Some(Self::Token),
            "ticket" => Some(Self::Ticket),
            "number" => Some(Self::Number),
            _ => None,
        }
    }
}
