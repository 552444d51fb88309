//! How much work a condition is at most, whatever the ticket is like.

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use super::paths;
use super::walk::path_of;

/// As many bytes are searched in the time of a step, where the text is such that searching takes longest.
const BYTES_OF_A_STEP: usize = 64;
/// What it takes to begin.
const FIRST_STEPS: usize = 2;

/// What evaluating takes at most.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Values, functions and operators.
    parts: usize,
    /// Bytes of texts that are looked through.
    bytes: usize,
    /// Whether it puts texts together, which copies them.
    pub(super) joins: bool,
}

impl Work {
    /// Of an expression whose kinds fit together.
    pub(super) fn of(expression: &IdedExpr) -> Self {
        let mut work = Self::default();
        work.add(expression);
        work
    }

    /// A step takes 15 to 140 ns.
    pub(super) fn steps(&self) -> usize {
        FIRST_STEPS + self.parts + self.bytes.div_ceil(BYTES_OF_A_STEP)
    }

    /// Adds a part, and gives the most bytes that its value may have: of a text, or of all texts of a list.
    fn add(&mut self, expression: &IdedExpr) -> usize {
        self.parts += 1;
        match &expression.expr {
            Expr::Literal(LiteralValue::String(text)) => text.inner().len(),
            Expr::Select(_) => path_of(expression).map_or(0, |path| paths::most_bytes(&path)),
            Expr::List(list) => list.elements.iter().map(|element| self.add(element)).sum(),
            Expr::Call(call) => self.call(call),
            Expr::Literal(_)
            | Expr::Unspecified
            | Expr::Comprehension(_)
            | Expr::Ident(_)
            | Expr::Map(_)
            | Expr::Struct(_) => 0,
        }
    }

    fn call(&mut self, call: &CallExpr) -> usize {
        let operands = call.target.as_deref().into_iter().chain(&call.args);
        let operands: Vec<usize> = operands.map(|operand| self.add(operand)).collect();
        let (read, given) = match (call.func_name.as_str(), operands.as_slice()) {
            (op::CONDITIONAL, [_, yes, no]) => (0, *yes.max(no)),
            (op::ADD, [left, right]) => (left + right, left + right),
            ("contains", [text, part]) => (text + part, 0),
            (op::IN, [_, list]) => (*list, 0),
            ("size" | "int", [text]) => (*text, 0),
            // Nothing is compared beyond the end of the shorter.
            (_, [left, right]) => (*left.min(right), 0),
            _ => (0, 0),
        };
        self.bytes += read;
        self.joins |= call.func_name == op::ADD && given > 0;
        given
    }
}
