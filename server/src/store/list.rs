//! Lists of tickets: by key, and never examining more than so many rows.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::dialect::filter::Bind;
use super::rows::TicketRow;
use super::{AnyConnection, StoreError, dialect};
use crate::domain::Ticket;
use crate::domain::definition::Field;
use crate::domain::filter::Filter;

/// A page examines at most so many tickets before it is returned short.
pub const EXAMINED: i64 = 10_000;

/// What the tickets are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// In order of receipt.
    Created,
    CreatedDesc,
    /// As a queue is worked: only those that wait in it.
    Queue(String),
}

impl Order {
    /// Where a ticket is in it.
    pub fn key(&self, ticket: &Ticket) -> Key {
        match self {
            Self::Created | Self::CreatedDesc => Key { queue_key: String::new(), ticket: ticket.id },
            Self::Queue(_) => Key { queue_key: ticket.queue_key.clone(), ticket: ticket.id },
        }
    }
}

/// The place of a ticket in an order; the queue key is empty in the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Key {
    pub queue_key: String,
    pub ticket: i64,
}

#[derive(Debug)]
pub struct Page {
    /// Without their bodies.
    pub tickets: Vec<Ticket>,
    /// Where the next page begins; None when there is none.
    pub next: Option<Key>,
}

/// At most `limit` tickets behind `after` that match the filter. `indexed` are the ids of the fields that are.
pub fn page(
    connection: &mut AnyConnection,
    helpdesk: &str,
    filter: &Filter,
    indexed: &[String],
    order: &Order,
    after: Option<&Key>,
    limit: usize,
) -> Result<Page, StoreError> {
    let mut tickets = Vec::new();
    for scan in Scan::all(connection, helpdesk, filter, indexed, order, after) {
        tickets.extend(scan.matches(connection, filter, limit + 1 - tickets.len())?);
        if tickets.len() > limit {
            tickets.truncate(limit);
            let next = tickets.last().map(|last| order.key(last));
            return Ok(Page { tickets, next });
        }
        if let Some(next) = scan.boundary(connection)? {
            return Ok(Page { tickets, next: Some(next) });
        }
    }
    Ok(Page { tickets, next: None })
}

/// The rows that are examined: those behind a key that an index leads to.
struct Scan<'a> {
    order: &'a Order,
    /// Whose ticket leads through the index: `s`, or that of the index of fields.
    led_by: char,
    /// `FROM … WHERE …`, over `tickets AS s`.
    source: String,
    binds: Vec<Bind>,
    /// Whether there may be more rows than are examined at most.
    is_long: bool,
}

impl<'a> Scan<'a> {
    /// The scans that find all, one after the other: in one transaction, when they are more than one.
    fn all(
        connection: &AnyConnection,
        helpdesk: &str,
        filter: &Filter,
        indexed: &[String],
        order: &'a Order,
        after: Option<&Key>,
    ) -> Vec<Self> {
        let scan = |requesters: &[_]| Self::new(helpdesk, filter, indexed, order, after, requesters);
        let tables = dialect::requester_tables(connection);
        let each = || tables.iter().map(std::slice::from_ref);
        match order {
            Order::Queue(_) => vec![scan(tables)],
            Order::Created if leads_by_requester(filter, tables) => each().map(scan).collect(),
            Order::CreatedDesc if leads_by_requester(filter, tables) => each().rev().map(scan).collect(),
            Order::Created | Order::CreatedDesc => vec![scan(&[])],
        }
    }

    /// `requesters` is what leads to the tickets of the requester whom the filter demands, where no index does.
    fn new(
        helpdesk: &str,
        filter: &Filter,
        indexed: &[String],
        order: &'a Order,
        after: Option<&Key>,
        requesters: &[dialect::RequesterTable],
    ) -> Self {
        let mut binds = vec![Bind::Text(helpdesk.to_owned())];
        let mut bind = |value: Bind| {
            binds.push(value);
            format!("${}", binds.len())
        };
        let mut led_by = 's';
        let mut parts = vec!["FROM tickets AS s WHERE s.helpdesk = $1".to_owned()];
        if let Order::Queue(queue) = order {
            // Of requesters only their own are examined: the key of the last would tell of another's.
            if let Some(requester) = filter.required_eq(REQUESTER) {
                let requester = bind(Bind::Text(requester.to_owned()));
                if requesters.is_empty() {
                    parts.push(format!("s.requester = {requester}"));
                } else {
                    let own = requesters.iter().map(|table| {
                        format!("SELECT ticket FROM {} WHERE helpdesk = $1 AND requester = {requester}", table.from)
                    });
                    let own = own.collect::<Vec<_>>().join(" UNION ALL ");
                    parts = vec![format!(
                        "FROM ({own}) AS f CROSS JOIN tickets AS s WHERE s.helpdesk = $1 AND s.ticket = f.ticket"
                    )];
                }
            }
            let queue = bind(Bind::Text(queue.clone()));
            parts.push(format!("s.queue = {queue} AND s.queue_key <> ''"));
        } else if let ([table], Some((_, requester))) = (requesters, driver(filter)) {
            led_by = 'f';
            let requester = bind(Bind::Text(requester.to_owned()));
            parts = vec![format!(
                "FROM {} AS f CROSS JOIN tickets AS s WHERE s.helpdesk = f.helpdesk AND s.ticket = f.ticket \
                 AND f.helpdesk = $1 AND f.requester = {requester}",
                table.from
            )];
        } else if let Some((column, value)) = driver(filter) {
            let value = bind(Bind::Text(value.to_owned()));
            parts.push(format!("s.{column} = {value} AND s.{column} <> ''"));
        } else if let Some((field, value)) = field_driver(filter, indexed) {
            led_by = 'f';
            let field = bind(Bind::Text(field.to_owned()));
            let value = bind(Bind::Text(value.to_owned()));
            // A cross join is taken in the order in which it is written: the index leads, in its own order.
            parts = vec![format!(
                "FROM ticket_fields AS f CROSS JOIN tickets AS s \
                 WHERE s.helpdesk = f.helpdesk AND s.ticket = f.ticket \
                 AND f.helpdesk = $1 AND f.field = {field} AND f.value = {value}"
            )];
        }
        if let Some(Key { queue_key, ticket }) = after {
            match order {
                Order::Created => parts.push(format!("{led_by}.ticket > {}", bind(Bind::BigInt(*ticket)))),
                Order::CreatedDesc => parts.push(format!("{led_by}.ticket < {}", bind(Bind::BigInt(*ticket)))),
                Order::Queue(_) => {
                    // The numbers must appear in ascending order: to SQLite they are names.
                    let queue_key = bind(Bind::Text(queue_key.clone()));
                    let ticket = bind(Bind::BigInt(*ticket));
                    parts.push(format!("(s.queue_key, s.ticket) > ({queue_key}, {ticket})"));
                }
            }
        }
        let is_long = !matches!(requesters, [table] if table.is_short);
        Self { order, led_by, source: parts.join(" AND "), binds, is_long }
    }

    fn order_by(&self, table: char) -> String {
        match self.order {
            Order::Created => format!("ORDER BY {table}.ticket"),
            Order::CreatedDesc => format!("ORDER BY {table}.ticket DESC"),
            Order::Queue(_) => format!("ORDER BY {table}.queue_key, {table}.ticket"),
        }
    }

    fn matches(
        &self,
        connection: &mut AnyConnection,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Ticket>, StoreError> {
        let condition = dialect::condition(connection, filter, self.binds.len() + 1);
        // Of the two tickets that are equal, the one that the rows come in order of: then nothing is sorted.
        let table = |column: &str| if column == "ticket" { self.led_by } else { 's' };
        let columns: Vec<_> = COLUMNS.iter().map(|column| format!("{}.{column}", table(column))).collect();
        let examined = if self.is_long { EXAMINED } else { i64::MAX };
        let sql = format!(
            "SELECT t.* FROM (SELECT {} {} {} LIMIT {examined}) AS t WHERE {} {} LIMIT {limit}",
            columns.join(", "),
            self.source,
            self.order_by(self.led_by),
            condition.sql,
            self.order_by('t'),
        );
        let binds = self.binds.iter().chain(&condition.binds);
        let rows: Vec<TicketRow> = dialect::load(connection, &sql, binds)?;
        rows.into_iter().map(|row| row.into_ticket(String::new())).collect()
    }

    /// The key of the last row that was examined when there were as many as are examined at most; None when that was all.
    fn boundary(&self, connection: &mut AnyConnection) -> Result<Option<Key>, StoreError> {
        if !self.is_long {
            return Ok(None);
        }
        let sql = format!(
            "SELECT s.queue_key AS queue_key, s.ticket AS ticket {} {} LIMIT 1 OFFSET {}",
            self.source,
            self.order_by(self.led_by),
            EXAMINED - 1,
        );
        let binds = self.binds.iter();
        let rows: Vec<KeyRow> = dialect::load(connection, &sql, binds)?;
        let in_queue = matches!(self.order, Order::Queue(_));
        Ok(rows
            .into_iter()
            .next()
            .map(|row| Key { queue_key: if in_queue { row.queue_key } else { String::new() }, ticket: row.ticket }))
    }
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    queue_key: String,
    #[diesel(sql_type = BigInt)]
    ticket: i64,
}

const REQUESTER: &str = "requester";

/// Whether the filter demands a requester, and tables of their own lead to whose tickets they are: there are none where an
/// index of `tickets` leads there.
fn leads_by_requester(filter: &Filter, tables: &[dialect::RequesterTable]) -> bool {
    !tables.is_empty() && driver(filter).is_some_and(|(column, _)| column == REQUESTER)
}

/// A column with an index of its own that the filter demands a value of.
fn driver(filter: &Filter) -> Option<(&'static str, &str)> {
    ["number", REQUESTER, "assignee"]
        .into_iter()
        .find_map(|column| filter.required_eq(column).filter(|value| !value.is_empty()).map(|value| (column, value)))
}

/// An indexed field that the filter demands a value of; not one that is too long for the index.
fn field_driver<'f>(filter: &'f Filter, indexed: &'f [String]) -> Option<(&'f str, &'f str)> {
    indexed.iter().find_map(|field| {
        let value = filter.required_eq(&format!("fields.{field}"))?;
        if value.is_empty() || value.chars().nth(Field::MAX_INDEXED_CHARS).is_some() {
            return None;
        }
        Some((field.as_str(), value))
    })
}

/// All columns but the body.
const COLUMNS: [&str; 30] = [
    "helpdesk",
    "ticket",
    "uid",
    "number",
    "requester",
    "subject",
    "channel",
    "fields",
    "tags",
    "cc",
    "external_refs",
    "priority",
    "status",
    "state",
    "queue",
    "queue_key",
    "assignee",
    "solution",
    "receive_time",
    "queue_time",
    "create_time",
    "update_time",
    "first_reply_time",
    "close_time",
    "revision",
    "staff_replies",
    "requester_replies",
    "service_replies",
    "notes",
    "more",
];
