//! Scenarios: what one number of the requirements asks for, told over gRPC on the helpdesk that asks for it.
//!
//! A scenario is written once, in the words of its preset. It passes on the preset as it is shipped, passes when every name
//! in the definition is another, and fails when its rule is taken out of the definition.

mod desk;
mod edit;
mod names;
mod pool;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use loket::v1::Helpdesk;

use super::Database;
pub(crate) use desk::{Desk, reason};
pub(crate) use edit::Edit;
use names::Names;
use pool::lease;

/// No scenario takes so long; one that waits for what its deleted rule would have done fails by it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What shows that a number is met.
pub(crate) struct Scenario {
    /// As in the requirements: `O13`.
    pub(crate) number: &'static str,
    /// What is asked for, in a few words.
    pub(crate) meaning: &'static str,
    /// The name of the test.
    pub(crate) name: &'static str,
    /// The helpdesk that asks for it: a file of the presets.
    pub(crate) preset: &'static str,
    pub(crate) rule: Rule,
    pub(crate) run: fn(Desk) -> Pin<Box<dyn Future<Output = ()>>>,
}

/// What makes a scenario pass.
pub(crate) enum Rule {
    /// Rules of the definition. Each of these takes one out, and each alone makes the scenario fail.
    Without(&'static [fn(&mut Helpdesk)]),
    /// No rule: every helpdesk has it, for this reason.
    Engine(&'static str),
}

/// The scenario passes on the preset.
pub(crate) fn passes_as_shipped(scenario: &Scenario, database: Database) {
    tell(scenario, database, &preset(scenario.preset), Names::shipped())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// The scenario passes when nothing in the definition has the name that it has in the preset.
pub(crate) fn passes_renamed(scenario: &Scenario, database: Database) {
    let preset = preset(scenario.preset);
    let names = Names::others_than(&preset);
    tell(scenario, database, &names.definition(&preset), names)
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// The scenario fails when its rule is deleted.
pub(crate) fn fails_without_its_rule(scenario: &Scenario, database: Database) {
    let Rule::Without(rules) = scenario.rule else { panic!("{} has no rule", scenario.number) };
    let shipped = preset(scenario.preset);
    for (place, delete) in rules.iter().enumerate() {
        let mut without = shipped.clone();
        delete(&mut without);
        assert_ne!(without, shipped, "the deletion {place} of {} deletes nothing", scenario.name);
        let told = tell(scenario, database, &without, Names::shipped());
        assert!(told.is_err(), "{} passes without its rule {place}: it shows nothing of it", scenario.name);
    }
}

/// Tells it on a helpdesk of its own. The error is what it panicked with.
fn tell(scenario: &Scenario, database: Database, definition: &Helpdesk, names: Names) -> std::thread::Result<()> {
    let mut lease = lease(database);
    lease.block_on(async |server, helpdesk| {
        // Outside of what may fail: a definition that does not hold together shows nothing.
        let desk = Desk::open(server, helpdesk, definition, names).await;
        let told = tokio::time::timeout(PATIENCE, (scenario.run)(desk));
        match AssertUnwindSafe(told).catch_unwind().await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_elapsed)) => Err(Box::new("it takes too long") as _),
            Err(panic) => Err(panic),
        }
    })
}

/// A preset as its file has it.
fn preset(name: &str) -> Helpdesk {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("server/presets/{name}.yaml"));
    loket::json::helpdesk_from_yaml(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The scenarios of one helpdesk, one line each, and three tests for each of them.
///
/// `NUMBER "what is asked for" name_of_the_function without |helpdesk| …, |helpdesk| …;` or `… engine "why it is no rule";`
macro_rules! scenarios {
    ($preset:literal: $($number:ident $meaning:literal $name:ident $kind:ident $($rule:expr),+;)*) => {
        pub(crate) const ALL: &[$crate::support::scenario::Scenario] = &[$($crate::support::scenario::Scenario {
            number: stringify!($number),
            meaning: $meaning,
            name: stringify!($name),
            preset: $preset,
            rule: $crate::support::scenario::scenarios!(@rule $kind $($rule),+),
            run: |desk| Box::pin($name(desk)),
        }),*];

        mod as_shipped {
            $(#[test]
            fn $name() {
                $crate::support::scenario::passes_as_shipped(super::find(stringify!($name)), super::super::database());
            })*
        }

        mod renamed {
            $(#[test]
            fn $name() {
                $crate::support::scenario::passes_renamed(super::find(stringify!($name)), super::super::database());
            })*
        }

        mod without_its_rule {
            $($crate::support::scenario::scenarios!(@test $kind $name);)*
        }

        fn find(name: &str) -> &'static $crate::support::scenario::Scenario {
            ALL.iter().find(|scenario| scenario.name == name).unwrap()
        }
    };
    (@rule without $($rule:expr),+) => { $crate::support::scenario::Rule::Without(&[$($rule),+]) };
    (@rule engine $reason:expr) => { $crate::support::scenario::Rule::Engine($reason) };
    (@test without $name:ident) => {
        #[test]
        fn $name() {
            $crate::support::scenario::fails_without_its_rule(super::find(stringify!($name)), super::super::database());
        }
    };
    (@test engine $name:ident) => {};
}
pub(crate) use scenarios;
