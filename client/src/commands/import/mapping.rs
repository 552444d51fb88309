//! Which column, or text over columns, becomes what of a ticket.

use std::collections::HashSet;
use std::str::FromStr;

use csv::StringRecord;
use loket::v1::{ExternalRef, Ticket};

use super::columns::Columns;
use super::history::{Rules, source_fault};
use super::template::Template;

/// What the command line says about the columns.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct MappingArgs {
    /// A column and what it becomes: requester, subject, body, channel, priority, solution, tags or cc (separated by
    /// commas), `fields.ID` or `external_refs.SOURCE`. An empty cell is left away.
    #[arg(long, value_name = "COLUMN=TARGET")]
    map: Vec<Map>,

    /// A target and its text, with `{column}` replaced by the row's cell. `{column|slug}`, `{column|lower}` and
    /// `{column|squeeze}` (white space and line breaks as one space) change it; `{{` is a brace. Without a body, the body lists all columns.
    #[arg(long, value_name = "TARGET=TEXT")]
    set: Vec<Set>,

    /// Read a cell as something else: `--value priority:1=urgent`. Cells not named stay as they are, or empty.
    #[arg(long, value_name = "COLUMN:CELL=VALUE")]
    value: Vec<Value>,

    /// A cell of this text is an empty cell: `--empty '?'`.
    #[arg(long, value_name = "TEXT")]
    empty: Vec<String>,

    /// The column that holds what the row's case is called where it comes from. It becomes the ticket's external
    /// reference, so that no case is imported twice. Required without --history.
    #[arg(long, value_name = "COLUMN", required_unless_present = "history")]
    id_column: Option<String>,

    /// What the place is called where the rows come from: the source of the external references. Required without
    /// --history.
    #[arg(long, required_unless_present = "history")]
    pub(super) source: Option<String>,
}

/// The mapping of one file.
#[derive(Debug)]
pub(super) struct Mapping {
    columns: Columns,
    rules: Vec<(Target, Template)>,
    id: usize,
    source: String,
}

/// What of a ticket a text becomes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Requester,
    Subject,
    Body,
    Channel,
    Priority,
    Solution,
    Tags,
    Cc,
    Field(String),
    ExternalRef(String),
}

#[derive(Debug, Clone)]
struct Map {
    column: String,
    target: Target,
}

#[derive(Debug, Clone)]
struct Set {
    target: Target,
    text: String,
}

#[derive(Debug, Clone)]
struct Value {
    column: String,
    from: String,
    to: String,
}

impl Mapping {
    /// The mapping for a file, or everything that it asks for and the file does not have.
    pub(super) fn new(args: &MappingArgs, mut columns: Columns) -> Result<Self, String> {
        for text in &args.empty {
            columns.take_as_empty(text);
        }
        let mut wrong = Vec::new();
        for Value { column, from, to } in &args.value {
            wrong.extend(columns.replace(column, from, to).err());
        }
        let mut rules = Vec::new();
        let mapped = args.map.iter().map(|map| (&map.target, Template::column(&map.column, &columns)));
        let set = args.set.iter().map(|set| (&set.target, Template::parse(&set.text, &columns)));
        for (target, template) in mapped.chain(set) {
            match template {
                Ok(template) => rules.push((target.clone(), template)),
                Err(error) => wrong.push(error),
            }
        }
        wrong.extend(missing_or_twice(args));
        let id = columns.index(args.id_column.as_deref().unwrap_or_default()).unwrap_or_else(|error| {
            wrong.push(error);
            0
        });
        if wrong.is_empty() {
            return Ok(Self { columns, rules, id, source: args.source.clone().unwrap_or_default() });
        }
        wrong.dedup();
        Err(wrong.join("\n"))
    }

    /// What the row's case is called where it comes from.
    pub(super) fn id<'a>(&'a self, row: &'a StringRecord) -> &'a str {
        self.columns.cell(row, self.id).trim()
    }

    /// What the helpdesk does not have, of what the rows would ask for, whatever they say.
    pub(super) fn unknown(&self, rules: &Rules) -> Vec<String> {
        let mut wrong: Vec<String> =
            source_fault(&self.source).map(|wrong| format!("--source: {wrong}")).into_iter().collect();
        for (target, template) in &self.rules {
            let replaced =
                template.only_column().into_iter().flat_map(|index| self.columns.replacements(index).cloned());
            wrong.extend(target.unknown(template.constant().into_iter().chain(replaced), rules));
        }
        wrong
    }

    pub(super) fn ticket(&self, row: &StringRecord) -> Ticket {
        let mut ticket = Ticket {
            external_refs: vec![ExternalRef { source: self.source.clone(), id: self.id(row).to_owned() }],
            ..Ticket::default()
        };
        for (target, template) in &self.rules {
            let text = template.render(row, &self.columns);
            if !text.is_empty() {
                target.put(text, &mut ticket);
            }
        }
        if !self.rules.iter().any(|(target, _)| *target == Target::Body) {
            ticket.body = self.columns.listing(row);
        }
        ticket
    }
}

fn missing_or_twice(args: &MappingArgs) -> Vec<String> {
    let targets = args.map.iter().map(|map| &map.target).chain(args.set.iter().map(|set| &set.target));
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for target in targets {
        if !seen.insert(target) && !matches!(target, Target::Tags | Target::Cc) {
            wrong.push(format!("`{}` is given twice: keep one --map or --set of it", target.name()));
        }
    }
    for needed in [Target::Requester, Target::Subject] {
        if !seen.contains(&needed) {
            let name = needed.name();
            wrong.push(format!("nothing becomes the {name}: give --map COLUMN={name} or --set {name}=TEXT"));
        }
    }
    wrong
}

impl Target {
    pub(super) fn put(&self, text: String, ticket: &mut Ticket) {
        match self {
            Self::Requester => ticket.requester = text,
            Self::Subject => ticket.subject = text,
            Self::Body => ticket.body = text,
            Self::Channel => ticket.channel = text,
            Self::Priority => ticket.priority = text,
            Self::Solution => ticket.solution = text,
            Self::Tags => append(&mut ticket.tags, &text),
            Self::Cc => append(&mut ticket.cc, &text),
            Self::Field(id) => drop(ticket.fields.insert(id.clone(), text)),
            Self::ExternalRef(source) => ticket.external_refs.push(ExternalRef { source: source.clone(), id: text }),
        }
    }

    /// What the helpdesk does not have of the target, with the values that are known before the rows are read.
    pub(super) fn unknown(&self, values: impl Iterator<Item = String>, rules: &Rules) -> Vec<String> {
        let wrong = match self {
            Self::Field(id) => rules.field(id).into_iter().collect(),
            Self::ExternalRef(source) => source_fault(source).into_iter().collect(),
            Self::Priority => values.filter_map(|value| rules.priority(&value)).collect(),
            Self::Requester | Self::Subject | Self::Body | Self::Channel | Self::Solution | Self::Tags | Self::Cc => {
                Vec::new()
            }
        };
        wrong.into_iter().map(|wrong: String| format!("{}: {wrong}", self.name())).collect()
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Requester => "requester".to_owned(),
            Self::Subject => "subject".to_owned(),
            Self::Body => "body".to_owned(),
            Self::Channel => "channel".to_owned(),
            Self::Priority => "priority".to_owned(),
            Self::Solution => "solution".to_owned(),
            Self::Tags => "tags".to_owned(),
            Self::Cc => "cc".to_owned(),
            Self::Field(id) => format!("fields.{id}"),
            Self::ExternalRef(source) => format!("external_refs.{source}"),
        }
    }
}

fn append(list: &mut Vec<String>, text: &str) {
    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        if !list.iter().any(|known| known == one) {
            list.push(one.to_owned());
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "requester" => Self::Requester,
            "subject" => Self::Subject,
            "body" => Self::Body,
            "channel" => Self::Channel,
            "priority" => Self::Priority,
            "solution" => Self::Solution,
            "tags" => Self::Tags,
            "cc" => Self::Cc,
            "external_ref" | "external_refs" => {
                return Err("the row's own reference comes from --id-column and --source; a further one is \
                            `external_refs.SOURCE`"
                    .to_owned());
            }
            other => match other.split_once('.') {
                Some(("fields", id)) if !id.is_empty() => Self::Field(id.to_owned()),
                Some(("external_refs", source)) if !source.is_empty() => Self::ExternalRef(source.to_owned()),
                _ => {
                    return Err(format!(
                        "`{other}` is not a target: there are requester, subject, body, channel, priority, solution, \
                         tags, cc, fields.ID and external_refs.SOURCE"
                    ));
                }
            },
        })
    }
}

impl FromStr for Map {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (column, target) = text.rsplit_once('=').ok_or("there is no `=`: write COLUMN=TARGET")?;
        Ok(Self { column: column.to_owned(), target: target.parse()? })
    }
}

impl FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (target, text) = text.split_once('=').ok_or("there is no `=`: write TARGET=TEXT")?;
        Ok(Self { target: target.parse()?, text: text.to_owned() })
    }
}

impl FromStr for Value {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.split_once(':').and_then(|(column, rest)| Some((column, rest.rsplit_once('=')?)));
        let (column, (from, to)) = split.ok_or("write COLUMN:CELL=VALUE")?;
        Ok(Self { column: column.to_owned(), from: from.to_owned(), to: to.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        mapping: MappingArgs,

        #[arg(long)]
        history: Option<String>,
    }

    fn mapping(flags: &[&str]) -> Result<Mapping, String> {
        let fixed = ["import", "--id-column", "number", "--source", "uci"];
        let line = Line::try_parse_from(fixed.iter().chain(flags)).map_err(|error| error.to_string())?;
        let header = StringRecord::from(vec!["number", "caller_id", "category", "priority"]);
        Mapping::new(&line.mapping, Columns::new("uci.csv", &header))
    }

    #[test]
    fn a_row_becomes_a_ticket() -> Result<(), String> {
        let flags = [
            "--set=requester=caller-{caller_id}@example.com",
            "--set=subject=Incident {number}",
            "--map=category=fields.category",
            "--map=priority=priority",
            "--value=priority:1=urgent",
            "--empty=?",
            "--set=tags=uci, {category},uci",
        ];
        let row = StringRecord::from(vec!["INC1", "2403", "?", "1"]);
        let ticket = mapping(&flags)?.ticket(&row);
        let expected = Ticket {
            requester: "caller-2403@example.com".to_owned(),
            subject: "Incident INC1".to_owned(),
            body: "number: INC1\ncaller_id: 2403\npriority: urgent".to_owned(),
            priority: "urgent".to_owned(),
            tags: vec!["uci".to_owned()],
            external_refs: vec![ExternalRef { source: "uci".to_owned(), id: "INC1".to_owned() }],
            ..Ticket::default()
        };
        assert_eq!(ticket, expected);
        Ok(())
    }

    #[test]
    fn what_the_helpdesk_does_not_have_is_told_before_the_rows_are_read() -> Result<(), String> {
        let rules =
            Rules { fields: vec!["product".to_owned()], priorities: vec!["high".to_owned()], ..Rules::default() };
        let flags = ["--map=number=subject", "--map=caller_id=requester", "--map=category=fields.product"];
        let good = ["--map=priority=priority", "--value=priority:1=high", "--value=priority:?="];
        assert_eq!(mapping(&[&flags[..], &good].concat())?.unknown(&rules), [""; 0]);
        let bad = [
            "--map=priority=priority",
            "--value=priority:1=urgent",
            "--map=category=fields.kind",
            "--map=number=external_refs.The desk",
        ];
        let expected = [
            "priority: the helpdesk has no priority `urgent`; it has: high",
            "fields.kind: the helpdesk has no field `kind`; it has: product",
            "external_refs.The desk: `The desk` is no source; write it like `crm` or `mail.message-id`",
        ];
        assert_eq!(mapping(&[&flags[..], &bad].concat())?.unknown(&rules), expected);
        Ok(())
    }

    #[test]
    fn reports_everything_wrong_at_once() {
        let flags = ["--map=caler=requester", "--map=number=body", "--set=body=x"];
        let wrong = mapping(&flags).map(|_| ()).unwrap_err();
        assert_eq!(
            wrong,
            "uci.csv has no column `caler`; it has: number, caller_id, category, priority\n\
             `body` is given twice: keep one --map or --set of it\n\
             nothing becomes the subject: give --map COLUMN=subject or --set subject=TEXT"
        );
        assert!(mapping(&["--map=number=urgency"]).map(|_| ()).unwrap_err().contains("`urgency` is not a target"));
    }
}
