//! The tree of a filter. It has one form for each meaning: `!=` and `:*` are negations, and the parts of a conjunction
//! or disjunction are flat, sorted and different.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::domain::Micros;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node {
    /// Of none: every ticket.
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

/// What one comparison asks of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Test {
    /// The text is exactly this one; empty: there is none. Also for integers, dates and times: each has one spelling.
    Is(TextField, String),
    Contains(TextField, String),
    /// The text is this node of a tree or a node below it.
    Below(TextField, String),
    /// The text has the form, and stands so to this one, by code points.
    Ranks(TextField, Form, Order, String),
    /// The text is an integer, and stands so to this one.
    Counts(TextField, Order, i64),
    Has(ListField, String),
    NotEmpty(ListField),
    At(TimeField, Micros),
    /// The time is set, and stands so to this one.
    When(TimeField, Order, Micros),
    IsSet(TimeField),
}

/// A text of a ticket, empty when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextField {
    Number,
    Requester,
    Channel,
    Priority,
    Status,
    State,
    Queue,
    Assignee,
    Subject,
    /// One of the helpdesk's own, by its id: matches `[a-z][a-z0-9_]*`.
    Own(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListField {
    Tags,
    Cc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeField {
    Receive,
    Queue,
    Create,
    Update,
    FirstReply,
    Close,
}

/// What a text must look like to have a place in an order. Old tickets may hold a value from before its field had its
/// present type: such a value comes neither before nor after any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// Not empty.
    Text,
    Date,
    Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Node {
    pub(super) fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                other @ (Self::Or(_) | Self::Not(_) | Self::Test(_)) => flat.push(other),
            }
        }
        Self::join(flat, Self::And)
    }

    pub(super) fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                other @ (Self::And(_) | Self::Not(_) | Self::Test(_)) => flat.push(other),
            }
        }
        Self::join(flat, Self::Or)
    }

    pub(super) fn negate(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other @ (Self::And(_) | Self::Or(_) | Self::Test(_)) => Self::Not(Box::new(other)),
        }
    }

    fn join(mut parts: Vec<Self>, wrap: fn(Vec<Self>) -> Self) -> Self {
        parts.sort();
        parts.dedup();
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                wrap(parts)
            }
        }
    }
}

impl TextField {
    pub(super) const FIXED: [Self; 9] = [
        Self::Number,
        Self::Requester,
        Self::Channel,
        Self::Priority,
        Self::Status,
        Self::State,
        Self::Queue,
        Self::Assignee,
        Self::Subject,
    ];

    /// Its name in filters.
    pub fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Number => "number",
            Self::Requester => "requester",
            Self::Channel => "channel",
            Self::Priority => "priority",
            Self::Status => "status",
            Self::State => "state",
            Self::Queue => "queue",
            Self::Assignee => "assignee",
            Self::Subject => "subject",
            Self::Own(id) => return Cow::Owned(format!("fields.{id}")),
        })
    }
}

impl ListField {
    pub(super) const ALL: [Self; 2] = [Self::Tags, Self::Cc];

    /// Its name in filters and its column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Cc => "cc",
        }
    }
}

impl TimeField {
    pub(super) const ALL: [Self; 6] =
        [Self::Receive, Self::Queue, Self::Create, Self::Update, Self::FirstReply, Self::Close];

    /// Its name in filters and its column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive_time",
            Self::Queue => "queue_time",
            Self::Create => "create_time",
            Self::Update => "update_time",
            Self::FirstReply => "first_reply_time",
            Self::Close => "close_time",
        }
    }
}

impl Form {
    /// What a text of this form looks like, each `0` standing for any digit. None: any text that is not empty.
    pub fn picture(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Date => Some("0000-00-00"),
            Self::Timestamp => Some("0000-00-00T00:00:00.000000Z"),
        }
    }

    pub fn fits(self, text: &str) -> bool {
        match self.picture() {
            None => !text.is_empty(),
            Some(picture) => {
                let alike = |(c, p): (u8, u8)| if p == b'0' { c.is_ascii_digit() } else { c == p };
                text.len() == picture.len() && text.bytes().zip(picture.bytes()).all(alike)
            }
        }
    }
}

impl Order {
    /// The operator, in filters and in SQL.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}
