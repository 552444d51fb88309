//! Which tickets: the filter language of `ListTicketsRequest.filter`, a subset of AIP-160.
//!
//! One parser makes one tree, and two back ends read it: `matches` in memory, for the feed, and `store::dialect::filter`,
//! for lists. A property test beside the latter holds them together. Logic is two-valued everywhere: whatever a test
//! says of a ticket, `NOT` says the opposite, also where a value is absent or is not of its field's type.

mod canonical;
mod check;
mod matches;
mod parse;
mod tree;

#[cfg(test)]
mod tests;

pub use tree::{Form, ListField, Node, Order, Test, TextField, TimeField};

use super::Ticket;

/// Long enough for people and programs, short enough that nothing recursive runs deep.
pub const MAX_BYTES: usize = 4096;

/// How many comparisons a filter is made of. Each may be made for every ticket that is examined for a page, and some look
/// through long texts: what takes long holds up other reads.
pub const MAX_COMPARISONS: usize = 100;

/// How deep parentheses and negations nest.
pub const MAX_DEPTH: usize = 32;

/// A checked filter. Two that were written differently are equal when only order, repetition, parentheses, double
/// negation or the spelling of operators and values differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter {
    root: Node,
}

/// What the caller may name of a helpdesk's own: its fields, and the values that it lists.
pub trait Schema {
    /// None when there is no such field, or the caller may not see it.
    fn field_type(&self, id: &str) -> Option<FieldKind>;
    /// All of them, for messages.
    fn field_ids(&self) -> Vec<String>;
    /// The only values that a field can have, one that every ticket has or the helpdesk's own, retired values included; None
    /// where it can have others.
    fn values(&self, _field: &TextField) -> Option<Vec<&str>> {
        None
    }
}

/// How a field's values compare: see `FieldType` in `helpdesk.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    Text,
    Integer,
    Boolean,
    Date,
    Timestamp,
    Choice,
    Tree,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct FilterError {
    /// Where, in bytes from 0.
    pub offset: usize,
    /// Where, in characters from 1.
    pub column: usize,
    /// What was wrong there, and what would be right.
    pub message: String,
}

impl Filter {
    /// Empty text means all tickets.
    pub fn parse(text: &str, schema: &dyn Schema) -> Result<Self, FilterError> {
        parse::parse(text, schema).map(|root| Self { root })
    }

    /// The filter that every ticket matches.
    pub fn all() -> Self {
        Self { root: Node::and([]) }
    }

    pub fn is_all(&self) -> bool {
        self.root == Node::and([])
    }

    /// Only the requester's own: what a requester sees. Where it asks for another's there are none, and no index is led by
    /// the other: how many rows were looked at would tell of them.
    #[must_use]
    pub fn and_requester(self, subject: &str) -> Self {
        let own = Node::Test(Test::Is(TextField::Requester, subject.to_owned()));
        let asks_for_another = self.required_eq(&TextField::Requester.name()).is_some_and(|other| other != subject);
        let root = if asks_for_another { own.clone().negate() } else { self.root };
        Self { root: Node::and([root, own]) }
    }

    pub fn matches(&self, ticket: &Ticket) -> bool {
        matches::node(&self.root, ticket)
    }

    /// The filter as text, the same for equal filters; it parses to an equal one. Within one version of the definition
    /// it says everything; over several, a field may have changed its type: compare the filters themselves there.
    pub fn canonical(&self) -> String {
        canonical::node(&self.root)
    }

    /// The value that every match has in `what`, a text field's name in filters (`queue`, `fields.building`): for
    /// choosing an index. It may be empty: `queue = ""` demands that there be none.
    pub fn required_eq(&self, what: &str) -> Option<&str> {
        let parts = match &self.root {
            Node::And(parts) => parts.as_slice(),
            only @ (Node::Or(_) | Node::Not(_) | Node::Test(_)) => std::slice::from_ref(only),
        };
        parts.iter().find_map(|part| match part {
            Node::Test(Test::Is(field, value)) if field.name() == what => Some(value.as_str()),
            Node::And(_) | Node::Or(_) | Node::Not(_) | Node::Test(_) => None,
        })
    }

    /// For back ends.
    pub fn root(&self) -> &Node {
        &self.root
    }
}
