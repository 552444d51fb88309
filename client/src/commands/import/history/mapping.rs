//! Which columns become what of a case and of what happened to it: a file in YAML, for it is too much for flags.

use std::collections::BTreeMap;

use csv::StringRecord;
use loket::v1::{ExternalRef, Role, Ticket};
use prost_types::Timestamp;
use serde::Deserialize;

use super::super::columns::Columns;
use super::super::mapping::Target;
use super::super::template::Template;
use super::{Rules, time};

/// The file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct File {
    /// The column that holds what the case is called where it comes from; it becomes the ticket's external reference.
    pub(in super::super) id_column: String,
    /// What that place is called.
    pub(in super::super) source: String,
    /// Cells that count as empty.
    #[serde(default)]
    empty: Vec<String>,
    /// By what they become of the ticket as it was filed: texts over the first row of its case.
    ticket: BTreeMap<String, Text>,
    /// By what they become of what happened: texts over every row.
    events: BTreeMap<String, Text>,
    /// How times are written, as in strftime; without an offset they are UTC. Not given: as in RFC 3339.
    time_format: Option<String>,
}

/// A text over columns, and what it is read as.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Table(Table),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    text: String,
    /// What a text stands for. Those that are not named stay as they are, unless there is `other`.
    #[serde(default)]
    values: BTreeMap<String, String>,
    other: Option<String>,
}

impl File {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())
    }
}

/// The mapping of one file.
#[derive(Debug)]
pub(in super::super) struct Mapping {
    columns: Columns,
    id: usize,
    source: String,
    time_format: Option<String>,
    ticket: Vec<(Target, Reading)>,
    filed: BTreeMap<&'static str, Reading>,
    events: BTreeMap<&'static str, Reading>,
    fields: Vec<(String, Reading)>,
}

/// A text whose columns were found.
#[derive(Debug)]
struct Reading {
    template: Template,
    values: BTreeMap<String, String>,
    other: Option<String>,
}

/// What a row says happened, when, and who did it. None: the mapping has nothing of the kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) time: Timestamp,
    pub(super) actor: String,
    pub(super) role: Role,
    pub(super) status: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) assignee: Option<String>,
    pub(super) priority: Option<String>,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) solution: String,
    pub(super) reason: String,
    pub(super) reply: String,
    pub(super) note: String,
}

/// What there is of an event besides fields.
const EVENTS: [&str; 11] =
    ["time", "actor", "role", "status", "queue", "assignee", "priority", "solution", "reason", "reply", "note"];
/// What there is of who filed the ticket.
const FILED: [&str; 2] = ["actor", "role"];

impl Mapping {
    /// The mapping for a file, or everything that it asks for and the file or the helpdesk does not have.
    pub(in super::super) fn new(file: &File, mut columns: Columns, rules: &Rules) -> Result<Self, String> {
        for text in &file.empty {
            columns.take_as_empty(text);
        }
        let mut wrong = Vec::new();
        let note = |wrong: &mut Vec<String>, part: &str, what: String| wrong.push(format!("{part}: {what}"));
        let id = columns.index(&file.id_column).unwrap_or_else(|error| {
            note(&mut wrong, "id_column", error);
            0
        });
        let (mut ticket, mut filed) = (Vec::new(), BTreeMap::new());
        for (name, text) in &file.ticket {
            let part = format!("ticket.{name}");
            match (Reading::new(text, &columns), FILED.iter().find(|known| *known == name), name.parse::<Target>()) {
                (Err(error), ..) => note(&mut wrong, &part, error),
                (Ok(reading), Some(known), _) => drop(filed.insert(*known, reading)),
                (Ok(reading), None, Ok(target)) => ticket.push((target, reading)),
                (Ok(_), None, Err(error)) => note(&mut wrong, &part, format!("{error}; and actor and role")),
            }
        }
        let (mut events, mut fields) = (BTreeMap::new(), Vec::new());
        for (name, text) in &file.events {
            let part = format!("events.{name}");
            let field = name.strip_prefix("fields.");
            match (Reading::new(text, &columns), EVENTS.iter().find(|known| *known == name), field) {
                (Err(error), ..) => note(&mut wrong, &part, error),
                (Ok(reading), Some(known), _) => drop(events.insert(*known, reading)),
                (Ok(reading), None, Some(id)) => fields.push((id.to_owned(), reading)),
                (Ok(_), None, None) => {
                    note(&mut wrong, &part, format!("there are {} and fields.ID", EVENTS.join(", ")));
                }
            }
        }
        for needed in ["requester", "subject"].into_iter().filter(|needed| !file.ticket.contains_key(*needed)) {
            note(&mut wrong, "ticket", format!("nothing becomes the {needed}"));
        }
        for needed in ["time", "actor"].into_iter().filter(|needed| !file.events.contains_key(*needed)) {
            note(&mut wrong, "events", format!("nothing becomes the {needed}"));
        }
        let known = |ids: &[String], id: &str| ids.iter().any(|known| known == id);
        let statuses: Vec<String> = rules.statuses.keys().cloned().collect();
        for (name, ids) in [("status", &statuses), ("queue", &rules.queues)] {
            let values = events.get(name).into_iter().flat_map(|reading| reading.values.values().chain(&reading.other));
            for value in values.filter(|value| !value.is_empty() && !known(ids, value)) {
                note(&mut wrong, &format!("events.{name}"), format!("the helpdesk has no {name} `{value}`"));
            }
        }
        for (id, _) in fields.iter().filter(|(id, _)| !known(&rules.fields, id)) {
            note(&mut wrong, &format!("events.fields.{id}"), "the helpdesk has no such field".to_owned());
        }
        if !wrong.is_empty() {
            wrong.dedup();
            return Err(wrong.join("\n"));
        }
        let (source, time_format) = (file.source.clone(), file.time_format.clone());
        Ok(Self { columns, id, source, time_format, ticket, filed, events, fields })
    }

    /// What the row's case is called where it comes from.
    pub(super) fn id<'a>(&'a self, row: &'a StringRecord) -> &'a str {
        self.columns.cell(row, self.id)
    }

    /// The ticket as the first row of its case has it.
    pub(super) fn ticket(&self, row: &StringRecord) -> Ticket {
        let mut ticket = Ticket {
            external_refs: vec![ExternalRef { source: self.source.clone(), id: self.id(row).to_owned() }],
            ..Ticket::default()
        };
        for (target, reading) in &self.ticket {
            let text = reading.read(row, &self.columns);
            if !text.is_empty() {
                target.put(text, &mut ticket);
            }
        }
        if ticket.body.is_empty() {
            ticket.body = self.columns.listing(row);
        }
        ticket
    }

    /// Who filed the ticket, where the mapping says so; otherwise who did what the first row tells.
    pub(super) fn filed(&self, row: &StringRecord, first: &Said) -> Result<(String, Role), String> {
        let read = |part: &str| self.filed.get(part).map(|reading| reading.read(row, &self.columns));
        match (read("actor"), read("role")) {
            (None, None) => Ok((first.actor.clone(), first.role)),
            (actor, word) => {
                let role = role(&word.unwrap_or_default())?;
                let own = || if role == Role::Requester { String::new() } else { first.actor.clone() };
                Ok((actor.unwrap_or_else(own), role))
            }
        }
    }

    /// What a row says, or what is wrong with it.
    pub(super) fn said(&self, row: &StringRecord) -> Result<Said, String> {
        let read = |part: &str| self.events.get(part).map(|reading| reading.read(row, &self.columns));
        let text = |part: &str| read(part).unwrap_or_default();
        let fields = self.fields.iter().map(|(id, reading)| (id.clone(), reading.read(row, &self.columns)));
        Ok(Said {
            time: time::parse(&text("time"), self.time_format.as_deref())?,
            actor: text("actor"),
            role: role(&text("role"))?,
            status: read("status").filter(|status| !status.is_empty()),
            queue: read("queue").filter(|queue| !queue.is_empty()),
            assignee: read("assignee"),
            priority: read("priority").filter(|priority| !priority.is_empty()),
            fields: fields.collect(),
            solution: text("solution"),
            reason: text("reason"),
            reply: text("reply"),
            note: text("note"),
        })
    }
}

fn role(word: &str) -> Result<Role, String> {
    let name = word.trim().to_uppercase();
    match Role::from_str_name(&format!("ROLE_{}", name.trim_start_matches("ROLE_"))) {
        Some(role) => Ok(role),
        None if name.is_empty() => Ok(Role::Agent),
        None => Err(format!("`{word}` is no role; there are requester, agent, supervisor, service and admin")),
    }
}

impl Reading {
    fn new(text: &Text, columns: &Columns) -> Result<Self, String> {
        let (text, values, other) = match text {
            Text::Plain(text) => (text, BTreeMap::new(), None),
            Text::Table(Table { text, values, other }) => (text, values.clone(), other.clone()),
        };
        Ok(Self { template: Template::parse(text, columns)?, values, other })
    }

    fn read(&self, row: &StringRecord, columns: &Columns) -> String {
        let text = self.template.render(row, columns);
        match self.values.get(&text).or(self.other.as_ref()) {
            Some(value) => value.clone(),
            None => text,
        }
    }
}
