//! Conditions: CEL expressions over a ticket and an actor, small enough to be evaluated in passing.
//!
//! The evaluator bounds neither time nor memory, so the language is bounded instead: at most 1,024 bytes, no
//! comprehensions, no functions but a few, a tree of at most 32 levels, and every path known and of a known kind. So it can be
//! told beforehand how many steps a condition takes at most, and nothing is false for ever just because a name or a kind was
//! mistaken. What the conditions of a definition take together is bounded where definitions are checked, which also refuses
//! those that put texts together.

mod facts;
mod parse;
mod paths;
mod walk;
mod work;

use cel::common::types::CelBool;
use cel::{Context, Program, Value};

pub use facts::Facts;
pub use paths::{Kind, is_shown};
pub use walk::{Comparison, Demand, Ordering};

/// A condition that compiles.
#[derive(Debug)]
pub struct Condition {
    source: String,
    program: Program,
    paths: Vec<String>,
    comparisons: Vec<Comparison>,
    orderings: Vec<Ordering>,
    searches: Vec<Comparison>,
    misused: Vec<String>,
    demands: Vec<Demand>,
    steps: usize,
    joins: bool,
}

impl Condition {
    pub const MAX_BYTES: usize = 1_024;

    /// # Errors
    ///
    /// With what is wrong and what would be right.
    pub fn compile(source: &str) -> Result<Self, String> {
        let program = parse::parse(source)?;
        let walk::Walked { paths, comparisons, orderings, searches, misused, demands } =
            walk::walk(program.expression())?;
        let work = work::Work::of(program.expression());
        let (steps, joins) = (work.steps(), work.joins);
        let source = source.to_owned();
        Ok(Self { source, program, paths, comparisons, orderings, searches, misused, demands, steps, joins })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The paths it reads, sorted: `fields.type`, `status`, `actor.role`. Those of the ticket are named without it.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The texts that it compares paths with.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    /// The paths whose values it orders as they stand.
    pub fn orderings(&self) -> &[Ordering] {
        &self.orderings
    }

    /// The texts that it looks for in texts and lists.
    pub fn searches(&self) -> &[Comparison] {
        &self.searches
    }

    /// What it calls in a form that gives nothing, and what would be right.
    pub fn misused(&self) -> &[String] {
        &self.misused
    }

    /// What must be so for it to hold, as far as that can be told.
    pub fn demands(&self) -> &[Demand] {
        &self.demands
    }

    /// How many steps evaluating it takes at most, of up to 140 ns: one for each of its parts, and one for each 64 bytes that may
    /// have to be looked through.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Whether it puts texts together.
    pub fn joins_texts(&self) -> bool {
        self.joins
    }

    /// Whether it looks at nothing and does not hold.
    pub fn never_holds(&self) -> bool {
        self.paths.is_empty() && !self.evaluate(&Context::with_env(parse::env()))
    }

    /// Whether it looks at nothing and holds.
    pub fn always_holds(&self) -> bool {
        self.paths.is_empty() && !self.never_holds()
    }

    /// What cannot be evaluated, such as a division by zero, does not hold.
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        let mut context = Context::with_env(parse::env());
        context.set_variable_resolver(facts);
        self.evaluate(&context)
    }

    fn evaluate(&self, context: &Context<'_, '_>) -> bool {
        let value = Value::resolve_val(self.program.expression(), context);
        value.is_ok_and(|value| value.downcast_ref::<CelBool>().is_some_and(|held| *held.inner()))
    }
}
