//! A tree as text. It nests no deeper than the shortest text of the same tree, so that it can be read back.

use super::{Node, Test, check};
use crate::domain::Micros;

pub(super) fn node(node: &Node) -> String {
    match node {
        Node::And(parts) => parts.iter().map(self::node).collect::<Vec<_>>().join(" AND "),
        // Binds tighter than AND: needs no parentheses within it, and AND needs them here.
        Node::Or(parts) => parts.iter().map(operand).collect::<Vec<_>>().join(" OR "),
        Node::Not(inner) => match inner.as_ref() {
            Node::Test(Test::Is(field, value)) => format!("{} != {}", field.name(), quote(value)),
            Node::Test(Test::At(field, value)) => format!("{} != {}", field.name(), time(*value)),
            inner @ Node::Or(_) => format!("NOT ({})", self::node(inner)),
            inner @ (Node::And(_) | Node::Not(_) | Node::Test(_)) => format!("NOT {}", operand(inner)),
        },
        Node::Test(test) => self::test(test),
    }
}

fn operand(node: &Node) -> String {
    match node {
        Node::And(_) => format!("({})", self::node(node)),
        Node::Or(_) | Node::Not(_) | Node::Test(_) => self::node(node),
    }
}

fn test(test: &Test) -> String {
    match test {
        Test::Is(field, value) => format!("{} = {}", field.name(), quote(value)),
        Test::Contains(field, value) | Test::Below(field, value) => format!("{}:{}", field.name(), quote(value)),
        Test::Ranks(field, _, order, value) => format!("{} {} {}", field.name(), order.symbol(), quote(value)),
        Test::Counts(field, order, value) => format!("{} {} {value}", field.name(), order.symbol()),
        Test::Has(field, value) => format!("{}:{}", field.name(), quote(value)),
        Test::NotEmpty(field) => format!("{}:*", field.name()),
        Test::At(field, value) => format!("{} = {}", field.name(), time(*value)),
        Test::When(field, order, value) => format!("{} {} {}", field.name(), order.symbol(), time(*value)),
        Test::IsSet(field) => format!("{}:*", field.name()),
    }
}

fn quote(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn time(micros: Micros) -> String {
    format!("\"{}\"", check::rfc3339(micros))
}
