//! The README's table of the requirements, made from the scenarios.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::sqlite::scenarios::{attachments, beone, branches, iduhelp, oriflame, ovo, smmpanel};
use crate::support::scenario::{Rule, Scenario};

/// Each helpdesk: its preset, the letter of its numbers, how many there are, and its scenarios.
const HELPDESKS: [(&str, char, usize, &[&[Scenario]]); 5] = [
    ("oriflame", 'O', 28, &[oriflame::ALL, branches::ALL, attachments::ALL]),
    ("beone", 'F', 21, &[beone::ALL]),
    ("iduhelp", 'I', 18, &[iduhelp::ALL]),
    ("ovo", 'V', 9, &[ovo::ALL]),
    ("smmpanel", 'S', 17, &[smmpanel::ALL]),
];

/// Those that need what Loket does not have yet: what is asked for, and what it waits for.
const WAITING: &[(&str, &str, &str)] = &[
    ("O28", "A knowledge base with authors and votes", "a knowledge base"),
    ("F15", "A silent customer is followed up near the limit, then escalated", "clocks"),
    ("F19", "Nothing passes its limit unseen", "clocks"),
    ("F20", "Long work is reported on periodically", "clocks"),
    ("I1", "Intake by e-mail that every operator sees", "mail"),
    ("I5", "A response within 24 hours of the claim", "clocks"),
    ("I6", "A breach names the operator, and stays", "clocks"),
    ("I13", "Two silent working days: keep asking", "clocks"),
    ("I17", "FAQ entries with tags and related entries", "a knowledge base"),
    ("I18", "How «2x24 jam kerja» is counted is stated", "clocks"),
    ("V2", "An automatic reply with the number", "mail"),
    ("V3", "It leaves within a few minutes", "mail"),
];

/// Those that pass as far as Loket goes: what of them waits, and for what.
const PARTLY: &[(&str, &str, &str)] =
    &[("O24", "that the 24 hours are over", "clocks"), ("I14", "that nobody answered for so long", "clocks")];

/// Where the table stands in the README.
const BEGIN: &str = "<!-- Made from the tests, which also write it: tests/it/scenario_table.rs -->\n";
const END: &str = "<!-- The end of what is made. -->\n";

fn table() -> String {
    let mut text = String::new();
    for (preset, letter, count, scenarios) in HELPDESKS {
        let scenarios: Vec<_> = scenarios.iter().copied().flatten().collect();
        writeln!(text, "\n| `{preset}` | what is asked for | state |\n| --- | --- | --- |").unwrap();
        for number in (1..=count).map(|number| format!("{letter}{number}")) {
            let waiting = WAITING.iter().find(|(waiting, ..)| *waiting == number);
            let mut of = scenarios.iter().filter(|scenario| scenario.number == number);
            let (meaning, state) = match (of.next(), waiting) {
                (Some(scenario), None) => {
                    assert_eq!(scenario.preset, preset);
                    let partly = PARTLY.iter().find(|(partly, ..)| *partly == number);
                    let rest = partly.map(|(_, part, what)| format!("; {part} waits for {what}"));
                    (scenario.meaning, format!("passes{}", rest.unwrap_or_default()))
                }
                (None, Some((_, meaning, what))) => (*meaning, format!("waits for {what}")),
                (None, None) if PARTLY.iter().any(|(partly, ..)| *partly == number) => {
                    panic!("{number} passes in part, and has no scenario")
                }
                (Some(_), Some(_)) => panic!("{number} has a scenario, and does not wait"),
                (None, None) => panic!("{number} has no scenario, and waits for nothing"),
            };
            assert!(of.next().is_none(), "{number} has two scenarios");
            writeln!(text, "| {number} | {meaning} | {state} |").unwrap();
        }
    }
    text
}

#[test]
fn the_readme_shows_every_number_and_its_state() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the table's begin");
    let (_, after) = rest.split_once(END).expect("the README has the table's end");
    let made = format!("{before}{BEGIN}{}\n{END}{after}", table());
    if made != readme {
        fs::write(&path, made).unwrap();
        panic!("the README was not as the tests are: it is now, look at it and commit it");
    }
}

/// A scenario is named after its number, which tells the two apart in every list of tests.
#[test]
fn scenarios_are_named_after_their_numbers() {
    for scenario in HELPDESKS.iter().flat_map(|(.., scenarios)| scenarios.iter().copied().flatten()) {
        let prefix = format!("{}_", scenario.number.to_lowercase());
        assert!(scenario.name.starts_with(&prefix), "{} is {}", scenario.name, scenario.number);
        if let Rule::Engine(reason) = scenario.rule {
            assert!(!reason.is_empty(), "{} says why it is no rule", scenario.name);
        }
    }
}
