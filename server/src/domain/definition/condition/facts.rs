//! The ticket and the actor as conditions see them: read where they lie, nothing is built beforehand.

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Sizer};
use cel::common::types::{CelBool, CelInt, CelString, LIST_TYPE, MAP_TYPE, Type};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use crate::domain::{Actor, LinkKind, Micros, ReplySummary, Ticket, time};

/// What conditions look at: a ticket as a command would leave it, and who acts. Costs nothing to make; values are
/// lent to the evaluator when it asks for them.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub ticket: &'a Ticket,
    pub actor: &'a Actor,
    /// Only rules for replies have one.
    pub reply: Option<&'a ReplySummary<'a>>,
}

impl<'a> Facts<'a> {
    pub fn new(ticket: &'a Ticket, actor: &'a Actor) -> Self {
        Self { ticket, actor, reply: None }
    }

    /// What a rule for replies looks at.
    pub fn of_reply(ticket: &'a Ticket, actor: &'a Actor, reply: &'a ReplySummary<'a>) -> Self {
        Self { ticket, actor, reply: Some(reply) }
    }

    fn read(self, root: Root, member: &str) -> Option<Read<'a>> {
        let Self { ticket, actor, reply } = self;
        let read = match root {
            Root::Reply => return reply_member(reply?, member),
            Root::Fields => Read::Text(ticket.fields.get(member).map_or("", String::as_str)),
            Root::Actor => match member {
                "role" => Read::Text(actor.role.word()),
                "subject" => Read::Text(&actor.subject),
                "on_behalf_of" => Read::Text(&actor.on_behalf_of),
                _ => return None,
            },
            Root::Ticket => match member {
                "requester" => Read::Text(&ticket.requester),
                "subject" => Read::Text(&ticket.subject),
                "channel" => Read::Text(&ticket.channel),
                "priority" => Read::Text(&ticket.priority),
                "status" => Read::Text(&ticket.status),
                "state" => Read::Text(if ticket.is_filed() { ticket.state.word() } else { "" }),
                "queue" => Read::Text(&ticket.queue),
                "assignee" => Read::Text(&ticket.assignee),
                "solution" => Read::Text(&ticket.solution),
                "number" => Read::Text(&ticket.number),
                "last_canned_response" => Read::Text(&ticket.more.last_canned_response),
                "tags" => Read::Texts(&ticket.tags),
                "cc" => Read::Texts(&ticket.cc),
                "reply_count" => Read::Number(ticket.replies.all()),
                "staff_reply_count" => Read::Number(ticket.replies.staff),
                "requester_reply_count" => Read::Number(ticket.replies.requester),
                "note_count" => Read::Number(ticket.replies.notes),
                _ => return rarer_member(ticket, member),
            },
        };
        Some(read)
    }
}

fn rarer_member<'a>(ticket: &'a Ticket, member: &str) -> Option<Read<'a>> {
    let more = &ticket.more;
    let (reply, moved) = (more.last_reply.as_ref(), more.last_move.as_ref());
    let links = |kind: LinkKind| {
        let count = more.links.iter().filter(|link| link.kind == kind).count();
        Read::Number(i32::try_from(count).unwrap_or(i32::MAX))
    };
    Some(match member {
        "receive_time" => Read::Time(ticket.is_filed().then_some(ticket.receive_time)),
        "queue_time" => Read::Time(ticket.queue_time),
        "first_reply_time" => Read::Time(ticket.first_reply_time),
        "read_time" => Read::Time(more.read_time),
        "close_time" => Read::Time(ticket.close_time),
        "last_reply_time" => Read::Time(reply.map(|reply| reply.time)),
        "last_reply_role" => Read::Text(reply.map_or("", |reply| reply.role.word())),
        "last_reply_solves" => Read::Truth(reply.is_some_and(|reply| reply.solves)),
        "last_transition" => Read::Text(moved.map_or("", |moved| &moved.transition)),
        "last_transition_by" => Read::Text(moved.map_or("", |moved| &moved.by)),
        "last_transition_role" => Read::Text(moved.map_or("", |moved| moved.role.word())),
        _ => links(LinkKind::from_word(member.strip_suffix("_count")?)?),
    })
}

fn reply_member<'a>(reply: &ReplySummary<'a>, member: &str) -> Option<Read<'a>> {
    Some(match member {
        "kind" => Read::Text(reply.kind.word()),
        "words" => Read::Number(reply.words),
        "links" => Read::Number(reply.links),
        "lines" => Read::Number(reply.lines),
        "characters" => Read::Number(reply.characters),
        "solution" => Read::Text(reply.solution),
        "transition" => Read::Text(reply.transition),
        _ => return None,
    })
}

impl VariableResolver for Facts<'_> {
    /// The evaluator asks for whole dotted names first, so that most reads take one step; `has` asks for what it tests
    /// a member of.
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let root = match variable {
            "ticket.fields" => Root::Fields,
            "ticket" => Root::Ticket,
            "actor" => Root::Actor,
            "reply" => Root::Reply,
            _ => {
                let (root, member) = if let Some(id) = variable.strip_prefix("ticket.fields.") {
                    (Root::Fields, id)
                } else if let Some(member) = variable.strip_prefix("ticket.") {
                    (Root::Ticket, member)
                } else if let Some(member) = variable.strip_prefix("reply.") {
                    (Root::Reply, member)
                } else {
                    (Root::Actor, variable.strip_prefix("actor.")?)
                };
                return self.read(root, member).map(Read::lend);
            }
        };
        Some(CowVal::owned(Members { facts: *self, root }))
    }
}

#[derive(Debug, Clone, Copy)]
enum Root {
    Ticket,
    Fields,
    Actor,
    Reply,
}

#[derive(Debug, Clone, Copy)]
enum Read<'a> {
    Text(&'a str),
    Number(i32),
    Truth(bool),
    /// A text, made when it is asked for.
    Time(Option<Micros>),
    Texts(&'a [String]),
}

impl<'a> Read<'a> {
    /// What `has` says: as in protobuf, the default value is not there.
    fn is_empty(self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Number(number) => number == 0,
            Self::Truth(truth) => !truth,
            Self::Time(time) => time.is_none(),
            Self::Texts(texts) => texts.is_empty(),
        }
    }

    fn lend<'b, 'v>(self) -> CowVal<'b, 'v>
    where
        'a: 'v,
    {
        match self {
            Self::Text(text) => CowVal::owned(CelString::from(text)),
            Self::Number(number) => CowVal::owned(CelInt::from(i64::from(number))),
            Self::Truth(truth) => CowVal::owned(CelBool::from(truth)),
            Self::Time(time) => CowVal::owned(CelString::from(time.map(time::rfc3339).unwrap_or_default())),
            Self::Texts(texts) => CowVal::owned(Texts(texts)),
        }
    }
}

/// What `has` tests a member of.
#[derive(Debug, Clone, Copy)]
struct Members<'a> {
    facts: Facts<'a>,
    root: Root,
}

impl Val for Members<'_> {
    fn get_type(&self) -> &Type {
        Self::cel_type()
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Indexer for Members<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = key.downcast_ref::<CelString<'_>>().map_or("", |name| name.inner());
        let read = self.facts.read(self.root, name).filter(|read| !read.is_empty());
        read.map(Read::lend).ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

/// A list of texts: `in` and `size`, which is all that conditions can do with one.
#[derive(Debug, Clone, Copy)]
struct Texts<'a>(&'a [String]);

impl Val for Texts<'_> {
    fn get_type(&self) -> &Type {
        Self::cel_type()
    }

    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Container for Texts<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        let wanted = value.downcast_ref::<CelString<'_>>();
        Ok(wanted.is_some_and(|wanted| self.0.iter().any(|text| text == wanted.inner())))
    }
}

impl Sizer for Texts<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.0.len()).unwrap_or(i64::MAX))
    }
}
