//! Which columns become what of a case and of what happened to it: a file in YAML, for it is too much for flags.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use loket::v1::{ExternalRef, ReplyKind, Role, Ticket};
use prost_types::Timestamp;
use serde::Deserialize;

use super::super::columns::Columns;
use super::super::mapping::Target;
use super::super::template::Template;
use super::time::Times;
use super::{Rules, source_fault};

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
    /// How times are written, as in strftime. Not given: as in RFC 3339.
    time_format: Option<String>,
    /// Where the times are from that have no offset.
    time_zone: Option<String>,
}

/// A text over columns, and what it is read as.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Table(Table),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    text: String,
    /// What a text stands for. Those that are not named stay as they are, unless there is `other`.
    #[serde(default)]
    values: BTreeMap<String, String>,
    other: Option<String>,
    /// Texts by which a row says that there is nobody, or no value, any more.
    #[serde(default)]
    removed: BTreeSet<String>,
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
    times: Times,
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
    removed: BTreeSet<String>,
}

/// What a row says happened, when, and who did it. None: it says nothing of the kind. An empty assignee is nobody,
/// and an empty value none.
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
    pub(super) reply_kind: ReplyKind,
    pub(super) note: String,
}

/// What there is of an event besides fields.
const EVENTS: [&str; 12] = [
    "time",
    "actor",
    "role",
    "status",
    "queue",
    "assignee",
    "priority",
    "solution",
    "reason",
    "reply",
    "reply_kind",
    "note",
];
/// What there is of who filed the ticket.
const FILED: [&str; 3] = ["time", "actor", "role"];

/// How a ticket was filed.
pub(super) struct Filed {
    pub(super) time: Timestamp,
    pub(super) actor: String,
    pub(super) role: Role,
}

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
                (Ok(_), None, Err(error)) => note(&mut wrong, &part, format!("{error}; and time, actor and role")),
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
        if events.contains_key("reply_kind") && !events.contains_key("reply") {
            note(&mut wrong, "events.reply_kind", "nothing becomes the reply".to_owned());
        }
        for (name, reading) in ticket_readings(&ticket, &filed) {
            if !reading.removed.is_empty() {
                note(&mut wrong, &name, "nothing was there before that could be removed".to_owned());
            }
        }
        for (name, reading) in &events {
            let part = format!("events.{name}");
            if !reading.removed.is_empty() && *name != "assignee" {
                note(&mut wrong, &part, "only assignee and fields.ID can be removed".to_owned());
            }
            for value in reading.constants() {
                let unknown = match *name {
                    "status" => rules.status(&value),
                    "queue" => rules.queue(&value),
                    "priority" => rules.priority(&value),
                    "reply_kind" => reply_kind(&value).err(),
                    _ => None,
                };
                wrong.extend(unknown.map(|unknown| format!("{part}: {unknown}")));
            }
        }
        for (id, reading) in &fields {
            let part = format!("events.fields.{id}");
            wrong.extend(rules.field(id).map(|unknown| format!("{part}: {unknown}")));
            reading.empty_values("no value").into_iter().for_each(|what| note(&mut wrong, &part, what));
        }
        if let Some(assignee) = events.get("assignee") {
            assignee.empty_values("nobody").into_iter().for_each(|what| note(&mut wrong, "events.assignee", what));
        }
        for (target, reading) in &ticket {
            let unknown = target.unknown(reading.constants().into_iter(), rules);
            wrong.extend(unknown.into_iter().map(|unknown| format!("ticket.{unknown}")));
        }
        wrong.extend(source_fault(&file.source).map(|unknown| format!("source: {unknown}")));
        let times = Times::new(file.time_format.as_deref(), file.time_zone.as_deref());
        let times = times.map_err(|error| wrong.push(error)).ok();
        wrong.dedup();
        let source = file.source.clone();
        match times {
            Some(times) if wrong.is_empty() => Ok(Self { columns, id, source, times, ticket, filed, events, fields }),
            _ => Err(wrong.join("\n")),
        }
    }

    /// What the row's case is called where it comes from.
    pub(super) fn id<'a>(&'a self, row: &'a StringRecord) -> &'a str {
        self.columns.cell(row, self.id).trim()
    }

    pub(super) fn id_column(&self) -> &str {
        self.columns.name(self.id)
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

    /// When and by whom the ticket was filed, where the mapping says so; otherwise as what the first row tells.
    pub(super) fn filed(&self, row: &StringRecord, first: &Said) -> Result<Filed, String> {
        let read = |part: &str| self.filed.get(part).map(|reading| reading.read(row, &self.columns));
        let time = match read("time").filter(|text| !text.trim().is_empty()) {
            None => first.time,
            Some(text) => {
                let time = self.times.parse(&text)?;
                if (time.seconds, time.nanos) > (first.time.seconds, first.time.nanos) {
                    return Err(format!("ticket.time: `{text}` lies behind the time of the case's first row"));
                }
                time
            }
        };
        let (actor, role) = match (read("actor"), read("role")) {
            (None, None) => (first.actor.clone(), first.role),
            (actor, word) => {
                let role = role(&word.unwrap_or_default())?;
                let own = || if role == Role::Requester { String::new() } else { first.actor.clone() };
                (actor.unwrap_or_else(own), role)
            }
        };
        Ok(Filed { time, actor, role })
    }

    /// What a row says, or what is wrong with it.
    pub(super) fn said(&self, row: &StringRecord) -> Result<Said, String> {
        let text =
            |part: &str| self.events.get(part).map_or_else(String::new, |reading| reading.read(row, &self.columns));
        let said = |part: &str| self.events.get(part).and_then(|reading| reading.said(row, &self.columns));
        let fields =
            self.fields.iter().filter_map(|(id, reading)| Some((id.clone(), reading.said(row, &self.columns)?)));
        let reply = text("reply");
        let reply_kind = match self.events.get("reply_kind") {
            Some(reading) if !reply.is_empty() => reply_kind(&reading.read(row, &self.columns))?,
            _ => ReplyKind::Public,
        };
        Ok(Said {
            time: self.times.parse(&text("time"))?,
            actor: text("actor"),
            role: role(&text("role"))?,
            status: said("status"),
            queue: said("queue"),
            assignee: said("assignee"),
            priority: said("priority"),
            fields: fields.collect(),
            solution: text("solution"),
            reason: text("reason"),
            reply,
            reply_kind,
            note: text("note"),
        })
    }
}

/// What is read of the ticket and of its filing, each by its name in the file.
fn ticket_readings<'a>(
    ticket: &'a [(Target, Reading)],
    filed: &'a BTreeMap<&'static str, Reading>,
) -> impl Iterator<Item = (String, &'a Reading)> {
    let ticket = ticket.iter().map(|(target, reading)| (format!("ticket.{}", target.name()), reading));
    ticket.chain(filed.iter().map(|(name, reading)| (format!("ticket.{name}"), reading)))
}

/// Nothing but these two words: a reply of which it is not known who may read it is not shown to anybody.
fn reply_kind(word: &str) -> Result<ReplyKind, String> {
    match word.trim() {
        "public" => Ok(ReplyKind::Public),
        "note" => Ok(ReplyKind::Note),
        _ => Err(format!("`{word}` is no kind of reply; there are public and note")),
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
        let (text, table) = match text {
            Text::Plain(text) => (text, None),
            Text::Table(table) => (&table.text, Some(table)),
        };
        let Table { text: _, values, other, removed } = table.cloned().unwrap_or_default();
        Ok(Self { template: Template::parse(text, columns)?, values, other, removed })
    }

    fn read(&self, row: &StringRecord, columns: &Columns) -> String {
        self.stands_for(self.template.render(row, columns))
    }

    /// What a row says; nothing, where that comes to an empty text, unless it is one that says so.
    fn said(&self, row: &StringRecord, columns: &Columns) -> Option<String> {
        let text = self.template.render(row, columns);
        if self.removed.contains(&text) {
            return Some(String::new());
        }
        // What is left empty says nothing, whatever other texts stand for.
        if text.is_empty() && !self.values.contains_key("") {
            return None;
        }
        Some(self.stands_for(text)).filter(|text| !text.is_empty())
    }

    fn stands_for(&self, text: String) -> String {
        match self.values.get(&text).or(self.other.as_ref()) {
            Some(value) => value.clone(),
            None => text,
        }
    }

    /// What is wrong with it where it makes an empty text of another: a row that is empty says nothing, and one that says that
    /// there is `none` any more says it by `removed`.
    fn empty_values(&self, none: &str) -> Vec<String> {
        let named = self.values.iter().filter(|(_, value)| value.is_empty()).map(|(text, _)| {
            format!(
                "`values` has '' for '{text}', and what is empty says nothing: where '{text}' stands for {none} any more, take it \
                 out of `values` and write `removed: ['{text}']`; where it says nothing, name it in `empty` at the top"
            )
        });
        let other = self.other.as_ref().filter(|other| other.is_empty()).map(|_| {
            format!(
                "`other` is '', and what is empty says nothing: leave it out, and name in `removed` the texts that stand for \
                 {none} any more, and in `empty` at the top those that say nothing"
            )
        });
        named.chain(other).collect()
    }

    /// What it may come to whatever the rows say.
    fn constants(&self) -> Vec<String> {
        let text = self.template.constant().map(|text| self.stands_for(text));
        self.values.values().chain(&self.other).cloned().chain(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a row with this cell says.
    fn said(table: &str, cell: &str) -> Option<String> {
        let columns = Columns::new("log.csv", &StringRecord::from(vec!["owner", "text"]));
        let table: Table = serde_saphyr::from_str(&format!("text: '{{owner}}'\n{table}")).unwrap();
        let reading = Reading::new(&Text::Table(table), &columns).unwrap();
        reading.said(&StringRecord::from(vec![cell, "Hello"]), &columns)
    }

    #[test]
    fn an_empty_cell_says_nothing_whatever_other_texts_stand_for() {
        let some = |text: &str| Some(text.to_owned());
        let table = "values: {B: budi}\nother: dewi\nremoved: ['-']";
        assert_eq!(said(table, "B"), some("budi"));
        assert_eq!(said(table, "C"), some("dewi"));
        assert_eq!(said(table, "-"), some(""));
        assert_eq!(said(table, ""), None);
        // Unless it is named itself.
        assert_eq!(said("values: {'': citra}\nother: dewi", ""), some("citra"));
        assert_eq!(said("removed: ['']", ""), some(""));
        assert_eq!(said("other: ''", "B"), None);
    }
}
