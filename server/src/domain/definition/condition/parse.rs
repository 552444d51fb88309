//! From text to a CEL program, in the one environment that all conditions share.

use std::sync::{Arc, LazyLock};

use cel::{Env, Program};

use super::Condition;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib().with_optional_support(false)));

pub(super) fn env() -> Arc<Env> {
    Arc::clone(&ENV)
}

pub(super) fn parse(source: &str) -> Result<Program, String> {
    if source.len() > Condition::MAX_BYTES {
        return Err(format!("the expression has {} bytes: at most {} are taken", source.len(), Condition::MAX_BYTES));
    }
    if source.trim().is_empty() {
        return Err("the expression is empty: write a CEL condition, such as ticket.solution != ''".to_owned());
    }
    ENV.compile(source).map_err(|errors| {
        // The first error is the cause; what follows it is mostly its echo.
        let first = errors.errors.first();
        let (line, column) = first.map_or((1, 1), |error| error.pos);
        let what = first.map_or("it is no expression", |error| error.msg.trim());
        format!("the expression does not compile: line {line}, column {column}: {}", in_words(what))
    })
}

/// What the parser says of itself, in words.
fn in_words(what: &str) -> &str {
    if what.contains("Recursion limit") || what.contains("Incomplete `ExprContext`") {
        "it is nested too deep: make it simpler"
    } else if what.contains("InvalidUnicode") {
        "an escape in a text stands for no character"
    } else {
        what
    }
}
