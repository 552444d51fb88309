//! The names in a definition, and others in their place.
//!
//! A name means nothing to the engine. To show it, a definition is given other names throughout, its expressions
//! included, and what scenarios say in the preset's words is translated on its way there and back.
#![allow(clippy::wildcard_enum_match_arm, reason = "names are texts, whatever else a message may hold")]

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use loket::v1::Helpdesk;
use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, MapKey, ReflectMessage as _, Value};

/// What is named. Each kind gets names of its own, so that a queue and a choice of the same name are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Status,
    Transition,
    Field,
    Queue,
    Priority,
    Choice,
    CannedResponse,
    Escalation,
}

/// What a text of a message is.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    /// For people, or none of the helpdesk's names.
    Text,
    Name(Kind),
    /// The value of the field that the message is about.
    Value,
    /// CEL, or a filter.
    Expression,
    /// Text with `{fields.id}` in it.
    Template,
    /// A value of whichever field has it.
    AnyValue,
    /// `fields.{id}`, or a path without names.
    Path,
}

use Kind::{CannedResponse, Choice, Escalation, Field, Priority, Queue, Status, Transition};
use Meaning::{Expression, Name, Path, Template, Text};

/// The texts that hold names. A definition has no text that is not here; requests have other ones, which hold none.
const MEANINGS: &[(&str, Meaning)] = &[
    ("AttachmentPolicy.mime_types", Text),
    ("CannedResponse.body", Template),
    ("CannedResponse.display_name", Text),
    ("CannedResponse.id", Name(CannedResponse)),
    ("EscalationDefinition.display_name", Text),
    ("EscalationDefinition.from_queues", Name(Queue)),
    ("EscalationDefinition.from_statuses", Name(Status)),
    ("EscalationDefinition.id", Name(Escalation)),
    ("EscalationDefinition.queues", Name(Queue)),
    ("FieldChoice.display_name", Text),
    ("FieldChoice.value", Meaning::Value),
    ("FieldDefinition.default_value", Meaning::Value),
    ("FieldDefinition.display_name", Text),
    ("FieldDefinition.id", Name(Field)),
    ("FieldDefinition.required_when", Expression),
    ("FieldDefinition.set_when", Expression),
    ("Guard.expression", Expression),
    ("Guard.message", Text),
    ("Helpdesk.default_priority", Name(Priority)),
    ("Helpdesk.default_queue", Name(Queue)),
    ("Helpdesk.display_name", Text),
    ("Helpdesk.etag", Text),
    ("Helpdesk.initial_status", Name(Status)),
    ("Helpdesk.mandatory_cc", Text),
    ("Helpdesk.name", Text),
    ("MergePolicy.status", Name(Status)),
    ("NotificationEffect.field", Name(Field)),
    ("NotificationEffect.message", Text),
    ("NumberPolicy.format", Text),
    ("PriorityDefinition.description", Text),
    ("PriorityDefinition.display_name", Text),
    ("PriorityDefinition.id", Name(Priority)),
    ("QueueDefinition.display_name", Text),
    ("QueueDefinition.id", Name(Queue)),
    ("QueueDefinition.skill_field", Name(Field)),
    ("QueueDefinition.transfers_to", Name(Queue)),
    ("ReplyRule.expression", Expression),
    ("ReplyRule.message", Text),
    ("RoutingRule.priority", Name(Priority)),
    ("RoutingRule.queue", Name(Queue)),
    ("RoutingRule.when", Expression),
    ("StatusDefinition.display_name", Text),
    ("StatusDefinition.id", Name(Status)),
    ("StatusDefinition.requester_reply_message", Text),
    ("SurveyPolicy.uri_template", Text),
    ("TransitionDefinition.display_name", Text),
    ("TransitionDefinition.from", Name(Status)),
    ("TransitionDefinition.id", Name(Transition)),
    ("TransitionDefinition.to", Name(Status)),
    ("TransitionEffects.priority", Name(Priority)),
    ("TransitionEffects.queue", Name(Queue)),
    // Requests.
    ("Agent.queues", Name(Queue)),
    ("Agent.skills", Meaning::AnyValue),
    ("CreateReplyRequest.transition", Name(Transition)),
    ("EscalateTicketRequest.escalation", Name(Escalation)),
    ("EscalateTicketRequest.queue", Name(Queue)),
    ("FieldMask.paths", Path),
    ("ListTicketsRequest.filter", Expression),
    ("Reply.canned_response", Name(CannedResponse)),
    ("Ticket.priority", Name(Priority)),
    ("TransferTicketRequest.queue", Name(Queue)),
    ("TransitionTicketRequest.transition", Name(Transition)),
    ("WatchTicketsRequest.filter", Expression),
];

/// What scenarios call things, and what the helpdesk does.
pub(super) struct Names {
    /// Those of the preset, if the helpdesk has others.
    known: Option<Known>,
}

struct Known {
    names: BTreeSet<(Kind, String)>,
    /// The segments of the choices of each field that has choices.
    choices: BTreeMap<String, BTreeSet<String>>,
    /// From the helpdesk's name to the preset's.
    back: HashMap<String, String>,
}

impl Names {
    /// The preset's own.
    pub(super) fn shipped() -> Self {
        Self { known: None }
    }

    /// None of those of a definition.
    pub(super) fn others_than(definition: &Helpdesk) -> Self {
        let mut names = BTreeSet::new();
        collect(&dynamic(definition), &mut names);
        let choices: BTreeMap<_, BTreeSet<_>> = definition
            .fields
            .iter()
            .filter(|field| !field.choices.is_empty())
            .map(|field| {
                let values = field.choices.iter().flat_map(|choice| choice.value.split('/'));
                (field.id.clone(), values.map(str::to_owned).collect())
            })
            .collect();
        let segments = choices.values().flatten().map(|segment| (Choice, segment.as_str()));
        let all = names.iter().map(|(kind, id)| (*kind, id.as_str())).chain(segments);
        let back = all.map(|(kind, id)| (other(kind, id), id.to_owned())).collect();
        Self { known: Some(Known { names, choices, back }) }
    }

    /// A definition with the helpdesk's names.
    pub(super) fn definition(&self, definition: &Helpdesk) -> Helpdesk {
        self.there(definition.clone())
    }

    /// A message of the preset's words, as the helpdesk has them.
    pub(super) fn there<M: Message + Default>(&self, message: M) -> M {
        let Some(known) = &self.known else { return message };
        reflect(&message, |message| known.translate(message, &Place::default()))
    }

    /// A message of the helpdesk, in the preset's words.
    pub(super) fn back<M: Message + Default>(&self, message: M) -> M {
        let Some(known) = &self.known else { return message };
        reflect(&message, |message| known.restore(message))
    }

    /// A text of the helpdesk, in the preset's words.
    pub(super) fn text_back(&self, text: &str) -> String {
        self.known.as_ref().map_or_else(|| text.to_owned(), |known| known.restore_text(text))
    }
}

/// Names that nobody would think of, and that hold no word of the old ones.
fn other(kind: Kind, id: &str) -> String {
    let kind = match kind {
        Status => 's',
        Transition => 't',
        Field => 'f',
        Queue => 'q',
        Priority => 'p',
        Choice => 'c',
        CannedResponse => 'r',
        Escalation => 'e',
    };
    let turn = |c: char| match c {
        'a'..='m' => char::from(c as u8 + 13),
        'n'..='z' => char::from(c as u8 - 13),
        other => other,
    };
    format!("{kind}_{}", id.chars().map(turn).collect::<String>())
}

fn dynamic<M: Message>(message: &M) -> DynamicMessage {
    let name = type_name::<M>().rsplit("::").next().unwrap();
    let descriptor = loket::json::POOL.get_message_by_name(&format!("loket.v1.{name}")).unwrap();
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message).unwrap();
    dynamic
}

fn reflect<M: Message + Default>(message: &M, change: impl FnOnce(&mut DynamicMessage)) -> M {
    let mut dynamic = dynamic(message);
    change(&mut dynamic);
    dynamic.transcode_to().unwrap()
}

/// Everything that has an id of its own.
fn collect(message: &DynamicMessage, names: &mut BTreeSet<(Kind, String)>) {
    let of = message.descriptor().name().to_owned();
    for (field, value) in message.fields() {
        match (meaning(&format!("{of}.{}", field.name())), value) {
            (Some(Name(kind)), Value::String(id)) if field.name() == "id" => {
                names.insert((kind, id.clone()));
            }
            (_, Value::Message(message)) => collect(message, names),
            (_, Value::List(values)) => {
                values.iter().filter_map(Value::as_message).for_each(|message| collect(message, names));
            }
            _ => {}
        }
    }
}

fn meaning(place: &str) -> Option<Meaning> {
    MEANINGS.iter().find(|(known, _)| *known == place).map(|(_, meaning)| *meaning)
}

/// Where in a message a text is.
#[derive(Clone, Default)]
struct Place {
    /// The field of the helpdesk's own that a value is of.
    about: String,
    /// A text whose meaning is not known is an error.
    in_definition: bool,
}

impl Known {
    fn translate(&self, message: &mut DynamicMessage, place: &Place) {
        let kind = message.descriptor().name().to_owned();
        let of = |name: &str| {
            message.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let mut place = place.clone();
        place.in_definition |= kind == "Helpdesk";
        if kind == "FieldDefinition" {
            place.about = of("id");
        }
        for (field, value) in message.fields_mut() {
            self.translate_value(&format!("{kind}.{}", field.name()), value, &place);
        }
    }

    fn translate_value(&self, name: &str, value: &mut Value, place: &Place) {
        match value {
            Value::String(text) => *text = self.translate_text(name, text, place),
            Value::Message(message) => self.translate(message, place),
            Value::List(values) => values.iter_mut().for_each(|value| self.translate_value(name, value, place)),
            Value::Map(entries) => {
                *entries = entries.drain().map(|(key, value)| self.translate_entry(key, value)).collect();
            }
            _ => {}
        }
    }

    /// The maps of the contract hold fields and their values.
    fn translate_entry(&self, key: MapKey, value: Value) -> (MapKey, Value) {
        match (key, value) {
            (MapKey::String(id), Value::String(value)) => {
                (MapKey::String(self.name(Field, &id)), Value::String(self.value(&id, &value)))
            }
            entry => entry,
        }
    }

    fn translate_text(&self, name: &str, text: &str, place: &Place) -> String {
        match meaning(name) {
            _ if text.is_empty() => String::new(),
            Some(Text) => text.to_owned(),
            Some(Name(kind)) => self.name(kind, text),
            Some(Meaning::Value) => self.value(&place.about, text),
            Some(Meaning::AnyValue) => self.any_value(text),
            Some(Expression) => self.expression(text),
            Some(Template) => self.template(text),
            Some(Path) => match text.strip_prefix("fields.") {
                Some(id) => format!("fields.{}", self.name(Field, id)),
                None => text.to_owned(),
            },
            None => {
                assert!(!place.in_definition, "say in MEANINGS what {name} is");
                let queue = text.split_once("/queues/");
                queue.map_or_else(
                    || text.to_owned(),
                    |(helpdesk, queue)| format!("{helpdesk}/queues/{}", self.name(Queue, queue)),
                )
            }
        }
    }

    fn name(&self, kind: Kind, id: &str) -> String {
        if self.names.contains(&(kind, id.to_owned())) { other(kind, id) } else { id.to_owned() }
    }

    /// A value of a field: choices have other names too, those of a tree segment by segment.
    fn value(&self, field: &str, value: &str) -> String {
        let Some(segments) = self.choices.get(field) else { return value.to_owned() };
        let translate =
            |segment: &str| if segments.contains(segment) { other(Choice, segment) } else { segment.to_owned() };
        value.split('/').map(translate).collect::<Vec<_>>().join("/")
    }

    fn any_value(&self, value: &str) -> String {
        let first = value.split('/').next().unwrap();
        let field = self.choices.iter().find(|(_, segments)| segments.contains(first)).map(|(field, _)| field);
        field.map_or_else(|| value.to_owned(), |field| self.value(field, value))
    }

    fn template(&self, text: &str) -> String {
        let mut parts = text.split("{fields.");
        let mut translated = parts.next().unwrap().to_owned();
        for part in parts {
            let (id, rest) = part.split_once('}').unwrap();
            translated.push_str(&format!("{{fields.{}}}{rest}", self.name(Field, id)));
        }
        translated
    }

    /// CEL or a filter: paths are translated, and values by the last path before them.
    fn expression(&self, text: &str) -> String {
        let (mut translated, mut rest, mut about) = (String::new(), text, About::Nothing);
        while let Some(first) = rest.chars().next() {
            let length = if first == '\'' || first == '"' {
                rest[1..].find(first).unwrap_or_else(|| panic!("a text without an end: {text}")) + 2
            } else {
                rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()).max(first.len_utf8())
            };
            let (token, after) = rest.split_at(length);
            let value_next = translated.trim_end().ends_with(['=', ':', '<', '>']);
            if first == '\'' || first == '"' {
                let value = self.value_of(&about, &token[1..token.len() - 1]);
                translated.push_str(&format!("{first}{value}{first}"));
            } else if !is_word(first) {
                translated.push_str(token);
            } else if value_next && !token.contains('.') {
                translated.push_str(&self.value_of(&about, token));
            } else {
                let (path, now) = self.path(token);
                translated.push_str(&path);
                about = now.unwrap_or(about);
            }
            rest = after;
        }
        translated
    }

    /// A path or another word, and what it says the next values are of.
    fn path(&self, word: &str) -> (String, Option<About>) {
        let (ticket, path) = word.strip_prefix("ticket.").map_or(("", word), |path| ("ticket.", path));
        if let Some(field) = path.strip_prefix("fields.") {
            let (id, method) = field.split_at(field.find('.').unwrap_or(field.len()));
            return (format!("{ticket}fields.{}{method}", self.name(Field, id)), Some(About::Field(id.to_owned())));
        }
        let about = match path {
            "status" => Some(About::Name(Status)),
            "queue" => Some(About::Name(Queue)),
            "priority" => Some(About::Name(Priority)),
            "last_canned_response" => Some(About::Name(CannedResponse)),
            "last_transition" | "reply.transition" => Some(About::Name(Transition)),
            _ if word.contains('.') => Some(About::Nothing),
            _ => None,
        };
        (word.to_owned(), about)
    }

    fn value_of(&self, about: &About, value: &str) -> String {
        match about {
            About::Name(kind) => self.name(*kind, value),
            About::Field(id) => self.value(id, value),
            About::Nothing => value.to_owned(),
        }
    }

    /// The helpdesk's names are like nothing else, so that whatever looks like one is one.
    fn restore(&self, message: &mut DynamicMessage) {
        message.fields_mut().for_each(|(_, value)| self.restore_value(value));
    }

    fn restore_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.restore_text(text),
            Value::Message(message) => self.restore(message),
            Value::List(values) => values.iter_mut().for_each(|value| self.restore_value(value)),
            Value::Map(entries) => {
                let restored = entries.drain().map(|(key, mut value)| {
                    self.restore_value(&mut value);
                    match key {
                        MapKey::String(key) => (MapKey::String(self.restore_text(&key)), value),
                        key => (key, value),
                    }
                });
                *entries = restored.collect();
            }
            _ => {}
        }
    }

    fn restore_text(&self, text: &str) -> String {
        let (mut restored, mut rest) = (String::with_capacity(text.len()), text);
        let within = |c: char| c != '.' && is_word(c);
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c: char| !within(c)).unwrap_or(rest.len()).max(first.len_utf8());
            let (word, after) = rest.split_at(length);
            restored.push_str(self.back.get(word).map_or(word, String::as_str));
            rest = after;
        }
        restored
    }
}

/// What the values in an expression are of.
enum About {
    Nothing,
    Name(Kind),
    Field(String),
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&c)
}

#[test]
fn names_are_translated_there_and_back() {
    let definition = loket::json::helpdesk_from_yaml(
        "
statuses: [{id: new}, {id: closed}]
queues: [{id: sales}]
fields:
- {id: group, choices: [{value: sales}, {value: sales/new}]}
- {id: note}
",
    )
    .unwrap();
    let names = Names::others_than(&definition);
    let known = names.known.as_ref().unwrap();
    for (text, translated) in [
        ("ticket.status != 'new'", "ticket.status != 's_arj'"),
        (
            "ticket.fields.group == 'sales' || ticket.queue == 'sales'",
            "ticket.fields.f_tebhc == 'c_fnyrf' || ticket.queue == 'q_fnyrf'",
        ),
        ("ticket.fields.group.startsWith('sales/')", "ticket.fields.f_tebhc.startsWith('c_fnyrf/')"),
        (
            "has(ticket.fields.note) && ticket.status in ['new', 'closed']",
            "has(ticket.fields.f_abgr) && ticket.status in ['s_arj', 's_pybfrq']",
        ),
        (
            "ticket.fields.note == 'new' && ticket.channel == 'sales'",
            "ticket.fields.f_abgr == 'new' && ticket.channel == 'sales'",
        ),
        (
            "status = new AND fields.group:\"sales/new\" AND queue = sales",
            "status = s_arj AND fields.f_tebhc:\"c_fnyrf/c_arj\" AND queue = q_fnyrf",
        ),
        ("state = NEW", "state = NEW"),
    ] {
        assert_eq!(known.expression(text), translated);
        assert_eq!(known.restore_text(translated), text);
    }
}
