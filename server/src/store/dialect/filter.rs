//! The back end of filters in SQL. `domain/filter/matches.rs` is the other: they change together, and a property test in
//! `filter/tests.rs` holds them together.

use crate::domain::Micros;
use crate::domain::filter::{Filter, Form, ListField, Node, Test, TextField, TimeField};

#[cfg(test)]
mod tests;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// A value for a `$n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    Text(String),
    BigInt(i64),
}

/// A piece of a statement and its values in order. Their numbers first appear in ascending order, and must do so in the
/// whole statement: to `SQLite` they are names, and the first name that it meets takes the first value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFragment {
    pub sql: String,
    pub binds: Vec<Bind>,
}

/// The filter as a condition on `tickets t`: true or false, never NULL. Its values are numbered from `first_bind`, and
/// are all that comes from the filter's text.
pub fn condition(filter: &Filter, dialect: Dialect, first_bind: usize) -> SqlFragment {
    let mut writer = Writer { dialect, first_bind, binds: Vec::new() };
    let sql = writer.node(filter.root());
    SqlFragment { sql, binds: writer.binds }
}

struct Writer {
    dialect: Dialect,
    first_bind: usize,
    binds: Vec<Bind>,
}

impl Writer {
    fn node(&mut self, node: &Node) -> String {
        match node {
            Node::And(parts) if parts.is_empty() => "TRUE".to_owned(),
            Node::And(parts) => self.join(parts, " AND "),
            Node::Or(parts) => self.join(parts, " OR "),
            Node::Not(inner) => format!("(NOT {})", self.node(inner)),
            Node::Test(test) => format!("({})", self.test(test)),
        }
    }

    fn join(&mut self, parts: &[Node], with: &str) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.node(part)).collect();
        format!("({})", parts.join(with))
    }

    // The field comes before the value everywhere: its own value has the lower number.
    fn test(&mut self, test: &Test) -> String {
        match test {
            Test::Is(field, value) => format!("{} = {}", self.text(field), self.bind_text(value)),
            Test::Contains(field, value) => format!("{} > 0", self.position(field, "", value)),
            // With a `/` behind both, a node and those below it begin alike.
            Test::Below(field, value) => format!("{} = 1", self.position(field, " || '/'", &format!("{value}/"))),
            Test::Ranks(field, form, order, value) => {
                let own = self.text(field);
                let fits = self.fits(&own, *form);
                format!("{fits} AND {own} {} {}", order.symbol(), self.bind_text(value))
            }
            Test::Counts(field, order, value) => {
                let own = self.text(field);
                let value = self.bind(Bind::BigInt(*value));
                let order = order.symbol();
                match self.dialect {
                    // Only an integer comes back as it was.
                    Dialect::Sqlite => format!(
                        "CAST(CAST({own} AS INTEGER) AS TEXT) = {own} AND CAST({own} AS INTEGER) {order} {value}"
                    ),
                    // PostgreSQL takes the sides of AND in any order, those of CASE not; the cast fails on other texts.
                    Dialect::Postgres => format!(
                        "CASE WHEN {own} ~ '^(0|-?[1-9][0-9]{{0,18}})$' \
                         THEN {own}::numeric BETWEEN {} AND {} AND {own}::numeric {order} {value} ELSE FALSE END",
                        i64::MIN,
                        i64::MAX
                    ),
                }
            }
            Test::Has(field, value) => match self.dialect {
                Dialect::Sqlite => format!(
                    "EXISTS (SELECT 1 FROM json_each({}) e WHERE e.value = {})",
                    self.list(*field),
                    self.bind_text(value)
                ),
                Dialect::Postgres => format!(
                    "EXISTS (SELECT 1 FROM json_array_elements_text({}) e(value) WHERE e.value = {})",
                    self.list(*field),
                    self.bind_text(value)
                ),
            },
            Test::NotEmpty(field) => format!("json_array_length({}) > 0", self.list(*field)),
            Test::At(field, value) => self.time(*field, "=", *value),
            Test::When(field, order, value) => self.time(*field, order.symbol(), *value),
            Test::IsSet(field) => format!("t.{} IS NOT NULL", field.name()),
        }
    }

    fn text(&mut self, field: &TextField) -> String {
        match field {
            TextField::Number
            | TextField::Requester
            | TextField::Channel
            | TextField::Priority
            | TextField::Status
            | TextField::State
            | TextField::Queue
            | TextField::Assignee
            | TextField::Subject => format!("t.{}", field.name()),
            TextField::Own(id) => match self.dialect {
                Dialect::Sqlite => {
                    let path = self.bind(Bind::Text(format!("$.\"{id}\"")));
                    format!("COALESCE(json_extract(t.fields, {path}), '')")
                }
                Dialect::Postgres => {
                    let id = self.bind_text(id);
                    format!("(COALESCE(t.fields::json ->> {id}, '') COLLATE \"C\")")
                }
            },
        }
    }

    fn list(&self, field: ListField) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("t.{}", field.name()),
            Dialect::Postgres => format!("t.{}::json", field.name()),
        }
    }

    fn time(&mut self, field: TimeField, operator: &str, value: Micros) -> String {
        let (column, value) = (field.name(), self.bind(Bind::BigInt(value)));
        match field {
            TimeField::Receive | TimeField::Create | TimeField::Update => format!("t.{column} {operator} {value}"),
            TimeField::Queue | TimeField::FirstReply | TimeField::Close => {
                format!("t.{column} IS NOT NULL AND t.{column} {operator} {value}")
            }
        }
    }

    /// Where the value is in the text, from 1; 0 when it is not.
    fn position(&mut self, field: &TextField, suffix: &str, value: &str) -> String {
        let (text, value) = (self.text(field), self.bind_text(value));
        match self.dialect {
            Dialect::Sqlite => format!("instr({text}{suffix}, {value})"),
            Dialect::Postgres => format!("strpos({text}{suffix}, {value})"),
        }
    }

    fn fits(&self, text: &str, form: Form) -> String {
        match (form.picture(), self.dialect) {
            (None, _) => format!("{text} <> ''"),
            (Some(picture), Dialect::Sqlite) => format!("{text} GLOB '{}'", picture.replace('0', "[0-9]")),
            (Some(picture), Dialect::Postgres) => {
                format!("{text} ~ '^{}$'", picture.replace('.', "[.]").replace('0', "[0-9]"))
            }
        }
    }

    fn bind_text(&mut self, value: &str) -> String {
        self.bind(Bind::Text(value.to_owned()))
    }

    fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.first_bind + self.binds.len() - 1)
    }
}
