//! The walk over a condition's tree: what it may use, what it reads, and that the kinds of its values fit together.

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr};

use super::paths::{self, Kind, Member};

const MAX_DEPTH: usize = 32;
const FUNCTIONS: &str = "valid are int, size, contains, startsWith, endsWith, has, in and the operators";

pub(super) struct Walked {
    pub(super) paths: Vec<String>,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) orderings: Vec<Ordering>,
    pub(super) searches: Vec<Comparison>,
    pub(super) misused: Vec<String>,
    pub(super) demands: Vec<Demand>,
}

/// What must be so for a condition to hold, as far as it can be told without evaluating it: a path that is one of some texts,
/// or none of them. `has` asks that it is not the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    pub path: String,
    pub texts: Vec<String>,
    /// Whether it must be one of the texts, or none.
    pub is_one: bool,
}

/// A path that a condition orders as it stands, by `<`, `<=`, `>` or `>=`, and the text that it is compared with, if it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordering {
    pub path: String,
    pub text: Option<String>,
}

/// A path that a condition compares with a text, by `==`, `!=` or `in`: where the path's values are known, a text that
/// is none of them is a slip of the pen. Or, where it is a search, a path that is looked through for a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    pub path: String,
    pub text: String,
}

pub(super) fn walk(expression: &IdedExpr) -> Result<Walked, String> {
    let mut walk = Walk::default();
    let kind = walk.kind(expression, 1)?;
    if kind != Kind::Truth {
        return Err(format!("the expression gives {}: write a condition, such as ticket.solution != ''", kind.words()));
    }
    let Walk { mut paths, comparisons, orderings, searches, misused } = walk;
    paths.sort_unstable();
    paths.dedup();
    let mut demands = Vec::new();
    note_demands(expression, &mut demands);
    Ok(Walked { paths, comparisons, orderings, searches, misused, demands })
}

/// Of the terms that are joined by `&&`, those that compare a path with texts.
fn note_demands(expression: &IdedExpr, demands: &mut Vec<Demand>) {
    match &expression.expr {
        Expr::Select(select) if select.test => {
            if let Ok((path, Kind::Text)) = selected(select) {
                demands.push(Demand { path, texts: vec![String::new()], is_one: false });
            }
        }
        Expr::Call(call) if call.func_name == op::LOGICAL_AND => {
            call.args.iter().for_each(|term| note_demands(term, demands));
        }
        Expr::Call(call) if call.func_name == op::LOGICAL_NOT => {
            let mut inner = Vec::new();
            call.args.iter().for_each(|term| note_demands(term, &mut inner));
            // Of several terms it is enough that one fails.
            if let [demand] = inner.as_slice()
                && !call.args.iter().any(is_conjunction)
            {
                demands.push(Demand { is_one: !demand.is_one, ..demand.clone() });
            }
        }
        Expr::Call(call) => demands.extend(compared(call).and_then(|(path, other, is_one)| {
            let texts = texts_in(other).into_iter().collect::<Option<_>>()?;
            Some(Demand { path, texts, is_one })
        })),
        Expr::Select(_)
        | Expr::Unspecified
        | Expr::Comprehension(_)
        | Expr::Ident(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Struct(_) => {}
    }
}

fn is_conjunction(expression: &IdedExpr) -> bool {
    matches!(&expression.expr, Expr::Call(call) if call.func_name == op::LOGICAL_AND)
}

/// The path that a comparison is of, what it is compared with, and whether it shall be one of that.
fn compared(call: &CallExpr) -> Option<(String, &IdedExpr, bool)> {
    let [left, right] = call.args.as_slice() else { return None };
    Some(match call.func_name.as_str() {
        op::EQUALS | op::NOT_EQUALS => {
            let is_one = call.func_name == op::EQUALS;
            match (path_of(left), path_of(right)) {
                (Some(path), None) => (path, right, is_one),
                (None, Some(path)) => (path, left, is_one),
                (None, None) | (Some(_), Some(_)) => return None,
            }
        }
        op::IN => (path_of(left)?, right, true),
        _ => return None,
    })
}

#[derive(Default)]
struct Walk {
    paths: Vec<String>,
    comparisons: Vec<Comparison>,
    orderings: Vec<Ordering>,
    searches: Vec<Comparison>,
    misused: Vec<String>,
}

impl Walk {
    fn kind(&mut self, expression: &IdedExpr, depth: usize) -> Result<Kind, String> {
        if depth > MAX_DEPTH {
            return Err(format!("the expression is nested more than {MAX_DEPTH} levels deep: make it simpler"));
        }
        match &expression.expr {
            Expr::Literal(literal) => literal_kind(literal),
            Expr::Ident(name) => Err(not_a_value(name)),
            Expr::Select(select) => {
                let (path, kind) = selected(select)?;
                self.paths.push(path);
                Ok(if select.test { Kind::Truth } else { kind })
            }
            Expr::Call(call) => self.call(call, depth),
            Expr::List(list) => {
                let mut kind = None;
                for element in &list.elements {
                    let found = self.kind(element, depth + 1)?;
                    if kind.is_some_and(|kind| kind != found) {
                        return Err("a list holds different kinds of values: write texts only, or numbers only".to_owned());
                    }
                    kind = Some(found);
                }
                match kind {
                    None | Some(Kind::Text) => Ok(Kind::Texts),
                    Some(Kind::Number) => Ok(Kind::Numbers),
                    Some(Kind::Truth | Kind::Texts | Kind::Numbers) => {
                        Err("a list can hold only texts or whole numbers".to_owned())
                    }
                }
            }
            Expr::Comprehension(_) => Err(
                "all, exists, exists_one, map and filter are not available: write 'x' in ticket.tags to look into a list"
                    .to_owned(),
            ),
            Expr::Map(_) | Expr::Struct(_) => Err("maps and messages are not available: compare single values".to_owned()),
            Expr::Unspecified => Err("the expression is empty".to_owned()),
        }
    }

    fn call(&mut self, call: &CallExpr, depth: usize) -> Result<Kind, String> {
        let mut kinds = Vec::with_capacity(3);
        if !is_known(&call.func_name) {
            return Err(unknown_function(&call.func_name));
        }
        for operand in call.target.as_deref().into_iter().chain(&call.args) {
            kinds.push(self.kind(operand, depth + 1)?);
        }
        self.note_comparison(call);
        self.misused.extend(misused(call));
        result_kind(&call.func_name, &kinds).ok_or_else(|| misfit(&call.func_name, &kinds))
    }

    fn note_comparison(&mut self, call: &CallExpr) {
        if is_ordering(&call.func_name)
            && let [left, right] = call.args.as_slice()
        {
            let ordering = |one, other| Some(Ordering { path: path_of(one)?, text: text_of(other) });
            self.orderings.extend([ordering(left, right), ordering(right, left)].into_iter().flatten());
        }
        let searched = match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            ("contains" | "startsWith" | "endsWith", Some(searched), [text]) => path_of(searched).zip(text_of(text)),
            (op::IN, None, [text, list]) => path_of(list).zip(text_of(text)),
            _ => None,
        };
        self.searches.extend(searched.map(|(path, text)| Comparison { path, text }));
        let Some((path, other, _)) = compared(call) else { return };
        let texts = texts_in(other).into_iter().flatten();
        self.comparisons.extend(texts.map(|text| Comparison { path: path.clone(), text }));
    }
}

/// Functions are taken by their names alone, but evaluated in one form only: in the other they give nothing, and what asks them
/// does not hold.
fn misused(call: &CallExpr) -> Option<String> {
    match (call.func_name.as_str(), call.target.is_some()) {
        (name @ ("contains" | "startsWith" | "endsWith"), false) => {
            Some(format!("`{name}(…, …)` never holds: write it behind the text, as in ticket.subject.{name}('x')"))
        }
        ("int", true) => Some("`….int()` never gives a number: write int(ticket.fields.name)".to_owned()),
        _ => None,
    }
}

fn is_ordering(function: &str) -> bool {
    [op::LESS, op::LESS_EQUALS, op::GREATER, op::GREATER_EQUALS].contains(&function)
}

fn is_known(function: &str) -> bool {
    [
        op::CONDITIONAL,
        op::LOGICAL_AND,
        op::LOGICAL_OR,
        op::LOGICAL_NOT,
        op::EQUALS,
        op::NOT_EQUALS,
        op::LESS,
        op::LESS_EQUALS,
        op::GREATER,
        op::GREATER_EQUALS,
        op::IN,
        op::ADD,
        op::SUBSTRACT,
        op::MULTIPLY,
        op::DIVIDE,
        op::MODULO,
        op::NEGATE,
        "int",
        "size",
        "contains",
        "startsWith",
        "endsWith",
    ]
    .contains(&function)
}

/// None when the operands do not fit.
fn result_kind(function: &str, operands: &[Kind]) -> Option<Kind> {
    use Kind::{Number, Numbers, Text, Texts, Truth};
    match (function, operands) {
        (op::CONDITIONAL, [Truth, yes, no]) if yes == no => Some(*yes),
        (op::LOGICAL_AND | op::LOGICAL_OR, [Truth, Truth])
        | (op::LOGICAL_NOT, [Truth])
        | (op::EQUALS | op::NOT_EQUALS, [Text, Text] | [Number, Number] | [Truth, Truth])
        | (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [Text, Text] | [Number, Number])
        | (op::IN, [Text, Texts] | [Number, Numbers])
        | ("contains" | "startsWith" | "endsWith", [Text, Text]) => Some(Truth),
        (op::ADD, [Text, Text]) => Some(Text),
        (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, [Number, Number])
        | (op::NEGATE, [Number])
        | ("size", [Text | Texts | Numbers])
        | ("int", [Text]) => Some(Number),
        _ => None,
    }
}

fn misfit(function: &str, operands: &[Kind]) -> String {
    let operands: Vec<&str> = operands.iter().map(|kind| kind.words()).collect();
    let hint = match function {
        op::EQUALS | op::NOT_EQUALS => {
            ": compare values of the same kind; values of fields are texts, written in quotes"
        }
        op::IN => ": write 'x' in a list of texts",
        _ if is_ordering(function) => ": of a field that holds a number, ask int(ticket.fields.name)",
        "contains" => ": it asks a text; of a list, ask 'x' in ticket.tags",
        _ => "",
    };
    format!("`{}` does not take {}{hint}", written(function), operands.join(" and "))
}

fn unknown_function(name: &str) -> String {
    match name {
        op::INDEX | op::OPT_INDEX | op::OPT_SELECT => {
            "looking up with [ ] is not available: write ticket.fields.name, or 'x' in ticket.tags".to_owned()
        }
        _ => format!("there is no function `{name}` here: {FUNCTIONS}"),
    }
}

/// An operator without the marks of its operands.
fn written(function: &str) -> &str {
    if function == op::CONDITIONAL { "? :" } else { function.trim_matches(['_', '@']) }
}

fn literal_kind(literal: &LiteralValue) -> Result<Kind, String> {
    match literal {
        LiteralValue::Boolean(_) => Ok(Kind::Truth),
        LiteralValue::Int(_) => Ok(Kind::Number),
        LiteralValue::String(_) => Ok(Kind::Text),
        LiteralValue::Null => Err("null is not available: what has no value reads as ''".to_owned()),
        LiteralValue::UInt(_) | LiteralValue::Double(_) | LiteralValue::Bytes(_) => {
            Err("only texts, whole numbers, true and false can be written".to_owned())
        }
    }
}

/// The path and kind of a member, as in `ticket.status`, `ticket.fields.type` or `actor.role`.
fn selected(select: &SelectExpr) -> Result<(String, Kind), String> {
    let member = select.field.as_str();
    if let Expr::Select(inner) = &select.operand.expr
        && is_fields(inner)
    {
        return Ok((format!("fields.{member}"), Kind::Text));
    }
    let Expr::Ident(root) = &select.operand.expr else {
        return Err(format!(
            "`.{member}` is asked of something without members: write ticket.…, ticket.fields.… or actor.…"
        ));
    };
    match (root.as_str(), member) {
        ("ticket", "fields") => Err("`ticket.fields` is not a value: write ticket.fields.name".to_owned()),
        ("ticket", _) => match paths::kind_of(paths::TICKET, member) {
            Some(kind) => Ok((member.to_owned(), kind)),
            None => Err(unknown_member("ticket", member, paths::TICKET, ", fields")),
        },
        ("actor", _) => match paths::kind_of(paths::ACTOR, member) {
            Some(kind) => Ok((format!("actor.{member}"), kind)),
            None => Err(unknown_member("actor", member, paths::ACTOR, "")),
        },
        ("reply", _) => match paths::kind_of(paths::REPLY, member) {
            Some(kind) => Ok((format!("reply.{member}"), kind)),
            None => Err(unknown_member("reply", member, paths::REPLY, "")),
        },
        _ => Err(not_a_value(root)),
    }
}

fn is_fields(select: &SelectExpr) -> bool {
    select.field == "fields" && !select.test && matches!(&select.operand.expr, Expr::Ident(name) if name == "ticket")
}

fn not_a_value(name: &str) -> String {
    match name {
        "ticket" | "actor" | "reply" => format!(
            "`{name}` is not a value: name one of its members, as in {name}.{}",
            if name == "reply" { "words" } else { "subject" }
        ),
        _ => format!(
            "there is no variable `{name}`: valid are ticket, actor and, in rules for replies, reply; texts are written in quotes"
        ),
    }
}

fn unknown_member(root: &str, member: &str, members: &[Member], more: &str) -> String {
    let names: Vec<&str> = members.iter().map(|(name, ..)| *name).collect();
    format!("`{root}` has no `{member}`: valid are {}{more}", names.join(", "))
}

/// The path that an expression is; None where it is something else, or asks whether there is a value.
pub(super) fn path_of(expression: &IdedExpr) -> Option<String> {
    let Expr::Select(select) = &expression.expr else { return None };
    if select.test { None } else { selected(select).ok().map(|(path, _)| path) }
}

/// A text as it stands.
fn text_of(expression: &IdedExpr) -> Option<String> {
    let Expr::Literal(LiteralValue::String(text)) = &expression.expr else { return None };
    Some(text.inner().to_owned())
}

/// A text, or those of a list, which cannot hold lists; None for each thing that is no text as it stands.
fn texts_in(expression: &IdedExpr) -> Vec<Option<String>> {
    let Expr::List(list) = &expression.expr else { return vec![text_of(expression)] };
    list.elements.iter().map(text_of).collect()
}
