//! From text to tree, by recursive descent:
//!
//! ```text
//! conjunction = disjunction { "AND" disjunction }
//! disjunction = term { "OR" term }
//! term        = ( "NOT" | "-" ) term | "(" conjunction ")" | field operator value
//! ```

use super::check::{self, Field, Operator, Value, Wrong};
use super::{FilterError, MAX_BYTES, MAX_COMPARISONS, MAX_DEPTH, Node, Order, Schema};

const OPERATORS: [(&str, Operator); 7] = [
    ("=", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<", Operator::Order(Order::Less)),
    ("<=", Operator::Order(Order::LessOrEqual)),
    (">", Operator::Order(Order::Greater)),
    (">=", Operator::Order(Order::GreaterOrEqual)),
    (":", Operator::Has),
];

const WORD_RULE: &str = "values with other characters than letters, digits and _ - . @ + are put in double quotes";

pub(super) fn parse(text: &str, schema: &dyn Schema) -> Result<Node, FilterError> {
    let mut parser = Parser { text, schema, at: 0, depth: 0, comparisons: 0 };
    if text.len() > MAX_BYTES {
        let message = format!("the filter has {} bytes; at most {MAX_BYTES} are taken", text.len());
        return parser.fail(text.floor_char_boundary(MAX_BYTES), message);
    }
    if let Some(offset) = text.find('\0') {
        return parser.fail(offset, "U+0000 cannot stand in a filter; no ticket has it".to_owned());
    }
    parser.blanks();
    if parser.rest().is_empty() {
        return Ok(Node::and([]));
    }
    let root = parser.conjunction()?;
    match parser.rest() {
        "" => Ok(root),
        _ => parser.fail(parser.at, "`)` closes nothing: there is no `(` before it".to_owned()),
    }
}

struct Parser<'a> {
    text: &'a str,
    schema: &'a dyn Schema,
    /// In bytes, never within blanks between two tokens.
    at: usize,
    depth: usize,
    comparisons: usize,
}

impl<'a> Parser<'a> {
    /// Ends at the end or before a `)`.
    fn conjunction(&mut self) -> Result<Node, FilterError> {
        let mut parts = vec![self.disjunction()?];
        while self.keyword("AND") {
            parts.push(self.disjunction()?);
        }
        match self.rest().chars().next() {
            None | Some(')') => Ok(Node::and(parts)),
            Some(_) => self.juxtaposed(),
        }
    }

    fn disjunction(&mut self) -> Result<Node, FilterError> {
        let mut parts = vec![self.term()?];
        while self.keyword("OR") {
            parts.push(self.term()?);
        }
        Ok(Node::or(parts))
    }

    fn term(&mut self) -> Result<Node, FilterError> {
        let start = self.at;
        if self.keyword("NOT") || self.symbol('-') {
            return self.nested(start, Self::term).map(Node::negate);
        }
        if self.symbol('(') {
            let inner = self.nested(start, Self::conjunction)?;
            if self.symbol(')') {
                return Ok(inner);
            }
            return self.fail(start, "`(` is never closed: a `)` is missing".to_owned());
        }
        self.comparison()
    }

    /// The only way to recurse: counts the level before it goes down.
    fn nested(&mut self, start: usize, inner: fn(&mut Self) -> Result<Node, FilterError>) -> Result<Node, FilterError> {
        if self.depth == MAX_DEPTH {
            return self.fail(start, format!("parentheses and negations nest deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let node = inner(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn comparison(&mut self) -> Result<Node, FilterError> {
        let name_at = self.at;
        if self.comparisons == MAX_COMPARISONS {
            return self.fail(
                name_at,
                format!("the filter has more than {MAX_COMPARISONS} comparisons: ask for less at once"),
            );
        }
        self.comparisons += 1;
        let name = self.name()?;
        let operator_at = self.at;
        let Some(operator) = self.operator()? else {
            let name = excerpt(name);
            let right = format!("write `field = value`, or `subject:{name}` for those with it in the subject");
            return self.fail(name_at, format!("`{name}` stands alone: {right}"));
        };
        let field = self.field(name_at, name)?;
        let value_at = self.at;
        let value = self.value()?;
        check::comparison(field, operator, value, self.schema).or_else(|wrong| match wrong {
            Wrong::Operator(message) => self.fail(operator_at, message),
            Wrong::Value(message) => self.fail(value_at, message),
        })
    }

    fn name(&mut self) -> Result<&'a str, FilterError> {
        let start = self.at;
        match self.word() {
            "" => match self.rest().chars().next() {
                None => self.fail(start, "a comparison is missing here, like `queue = network`".to_owned()),
                Some('"') => {
                    let right = "write `field = \"text\"`, or `subject:\"text\"` for those with it in the subject";
                    self.fail(start, format!("a text stands alone: {right}"))
                }
                Some(other) => {
                    self.fail(start, format!("`{other}` where a comparison should begin, like `queue = network`"))
                }
            },
            keyword @ ("AND" | "OR" | "NOT") => {
                self.fail(start, format!("`{keyword}` where a comparison should begin, like `queue = network`"))
            }
            name => Ok(name),
        }
    }

    fn operator(&mut self) -> Result<Option<Operator>, FilterError> {
        let start = self.at;
        let symbols = self.take(|c| "=!<>:~".contains(c));
        if symbols.is_empty() {
            return Ok(None);
        }
        match OPERATORS.into_iter().find(|(symbol, _)| *symbol == symbols) {
            Some((_, operator)) => Ok(Some(operator)),
            None => self.fail(
                start,
                format!("`{}` is not an operator; the operators are = != < <= > >= and :", excerpt(symbols)),
            ),
        }
    }

    fn field(&self, offset: usize, name: &str) -> Result<Field, FilterError> {
        if let Some(id) = name.strip_prefix("fields.") {
            // Back ends rely on it, whatever the schema knows.
            let plain = id.starts_with(|c: char| c.is_ascii_lowercase())
                && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            return match self.schema.field_type(id) {
                Some(kind) if plain => Ok(Field::Own(id.to_owned(), kind)),
                Some(_) | None => {
                    let known = self.schema.field_ids();
                    let known = match known.as_slice() {
                        [] => "the helpdesk has no fields of its own".to_owned(),
                        ids => format!("the helpdesk has fields.{}", ids.join(", fields.")),
                    };
                    self.fail(offset, format!("there is no field `{}`; {known}", excerpt(name)))
                }
            };
        }
        match Field::fixed(name) {
            Some(field) => Ok(field),
            None => self.fail(
                offset,
                format!(
                    "there is no field `{}`; the fields are {} and fields.{{id}}",
                    excerpt(name),
                    Field::fixed_names().join(", ")
                ),
            ),
        }
    }

    fn value(&mut self) -> Result<Value, FilterError> {
        let start = self.at;
        if self.rest().starts_with('"') {
            return self.quoted().map(Value::Text);
        }
        if self.symbol('*') {
            return Ok(Value::Any);
        }
        let length = self.rest().find(|c| blank(c) || c == '(' || c == ')').unwrap_or(self.rest().len());
        let run = &self.rest()[..length];
        match self.word() {
            "" if run.is_empty() => self.fail(start, "a value is missing here".to_owned()),
            keyword @ ("AND" | "OR" | "NOT") if keyword == run => {
                self.fail(start, format!("`{keyword}` is a keyword; as a value it is put in double quotes"))
            }
            word if word == run => Ok(Value::Text(word.to_owned())),
            _ => self.fail(start, format!("`{}` needs double quotes: {WORD_RULE}", excerpt(run))),
        }
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    self.blanks();
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    Some(_) | None => {
                        return self.fail(
                            start + offset,
                            "a backslash stands before a double quote or another backslash only".to_owned(),
                        );
                    }
                },
                other => value.push(other),
            }
        }
        self.fail(start, "the double quote is never closed".to_owned())
    }

    fn juxtaposed(&self) -> Result<Node, FilterError> {
        let length = self.rest().find(blank).unwrap_or(self.rest().len());
        let next = &self.rest()[..length];
        let message = match next {
            "and" | "or" | "And" | "Or" | "&&" | "||" => {
                format!("`{next}` is not a keyword; comparisons are joined by AND and OR, in capitals")
            }
            _ => format!("`{}` follows without AND or OR before it", excerpt(next)),
        };
        self.fail(self.at, message)
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.rest().strip_prefix(keyword).is_some_and(|rest| !rest.starts_with(in_word));
        if found {
            self.at += keyword.len();
            self.blanks();
        }
        found
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len_utf8();
            self.blanks();
        }
        found
    }

    fn word(&mut self) -> &'a str {
        self.take(in_word)
    }

    fn take(&mut self, wanted: fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        self.blanks();
        taken
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(blank).len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, offset: usize, message: String) -> Result<T, FilterError> {
        Err(FilterError { offset, column: self.text[..offset].chars().count() + 1, message })
    }
}

fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '+')
}

/// Enough of a text to recognise it by.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() { short + "…" } else { short }
}
