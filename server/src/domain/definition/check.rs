//! From what was written to what can be relied on, or to everything that is wrong with it.
//!
//! Each part is read by a file of its own, which reports into one list and goes on, so that somebody who wrote a
//! definition corrects it once and not once per mistake.

mod attachments;
mod condition;
mod contact;
mod counts;
mod effects;
mod escalations;
mod fields;
mod names;
mod policies;
mod queues;
mod report;
mod satisfiable;
mod statuses;
mod transitions;
mod unreached;
mod work;
mod workflow;

use std::collections::HashMap;

pub(super) use report::valid;

use self::names::Known;
use self::report::Report;
use super::lookup::Named;
use super::{Definition, DefinitionSpec, NumberFormat};
use crate::domain::Violation;

impl Definition {
    /// Checks a definition whole that is to be applied.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, with paths within the definition, such as `transitions[2].to`.
    pub fn check(spec: DefinitionSpec) -> Result<Self, Vec<Violation>> {
        let mut report = Report::default();
        counts::check(&spec, &mut report);
        report.finish()?;

        let definition = Self::build(spec, Report::default(), unreached::check)?;
        // Only what is right for itself can contradict the rest.
        definition.check_whole()?;
        Ok(definition)
    }

    /// Checks a definition that is to be applied in place of this one, of which it keeps parts. What contradicts itself here
    /// already, because it was applied when nobody looked for that, may go on; what is new may not.
    ///
    /// # Errors
    ///
    /// Everything that is wrong and is not wrong here.
    pub fn amend(&self, spec: DefinitionSpec) -> Result<Self, Vec<Violation>> {
        let spec = match (Self::check(spec.clone()), self.contradictions.is_empty()) {
            (Ok(definition), _) => return Ok(definition),
            (Err(wrong), true) => return Err(wrong),
            (Err(_), false) => spec,
        };
        // Of more than may be, no more is read; where there was more already, it was.
        if Self::too_many(&self.spec).is_empty() {
            let wrong = Self::too_many(&spec);
            if !wrong.is_empty() {
                return Err(wrong);
            }
        }
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        for wrong in &self.contradictions {
            *known.entry(kind(wrong)).or_default() += 1;
        }
        let mut wrong = Self::wrong(&spec);
        wrong.retain(|wrong| match known.get_mut(&kind(wrong)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            Some(_) | None => true,
        });
        let (work, wrong): (Vec<_>, Vec<_>) =
            wrong.into_iter().partition(|wrong| work::is_about_work(&wrong.description));
        if !wrong.is_empty() {
            return Err(work.into_iter().chain(wrong).collect());
        }
        let amended = Self::stored(spec)?;
        // What is too much already may become less, and whatever may stand for the most of it.
        if work.is_empty() || work::total(&amended) <= work::total(self) { Ok(amended) } else { Err(work) }
    }

    /// Everything that is wrong, also what contradicts a part that is wrong itself.
    fn wrong(spec: &DefinitionSpec) -> Vec<Violation> {
        let mut wrong = Self::too_many(spec);
        let built = Self::build(spec.clone(), Report::default(), unreached::check).or_else(|violations| {
            wrong.extend(violations);
            Self::build(spec.clone(), Report::of_stored(), |_, _| ())
        });
        // What cannot be worked with at all is told of already.
        if let Ok(definition) = built {
            wrong.extend(definition.check_whole().err().unwrap_or_default());
        }
        wrong
    }

    fn too_many(spec: &DefinitionSpec) -> Vec<Violation> {
        let mut report = Report::default();
        counts::check(spec, &mut report);
        report.finish().err().unwrap_or_default()
    }

    /// That there can be tickets which pass the guards, and that the conditions are not too much work for a command.
    fn check_whole(&self) -> Result<(), Vec<Violation>> {
        let mut report = Report::default();
        satisfiable::check(self, &mut report);
        work::check(self, &mut report);
        report.finish()
    }

    /// Reads a definition that is in force or was: what it needs to be worked with, and not whether a part contradicts another.
    /// A version of this program that knows of more contradictions still reads what one before it has applied.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn stored(spec: DefinitionSpec) -> Result<Self, Vec<Violation>> {
        if let Ok(definition) = Self::check(spec.clone()) {
            return Ok(definition);
        }
        let contradictions = Self::wrong(&spec);
        Ok(Self { contradictions, ..Self::build(spec, Report::of_stored(), |_, _| ())? })
    }

    fn build(
        spec: DefinitionSpec,
        mut report: Report,
        further: impl FnOnce(&DefinitionSpec, &mut Report),
    ) -> Result<Self, Vec<Violation>> {
        let known = Known::of(&spec);
        report.line("display_name", &spec.display_name);
        let statuses = statuses::read(&spec, &known, &mut report);
        let mut transitions = transitions::read(&spec, &known, &mut report);
        let fields = fields::read(&spec, &known, &mut report);
        effects::read(&spec, &known, &fields, &mut transitions, &mut report);
        let priorities = queues::read_priorities(&spec, &known, &mut report);
        let queues = queues::read(&spec, &known, &mut report);
        let routing = queues::read_routing(&spec, &known, &mut report);
        let number = NumberFormat::parse(&spec.number_policy.format).unwrap_or_else(|wrong| {
            report.add("number_policy.format", wrong);
            NumberFormat::default()
        });
        let transfer = escalations::read_transfer(&spec, &mut report);
        let escalations = escalations::read(&spec, &known, &mut report);
        attachments::check(&spec, &mut report);
        let canned_responses = contact::read(&spec, &known, &mut report);
        let survey = contact::read_survey(&spec, &mut report);
        let mandatory_cc = policies::read_mandatory_cc(&spec, &mut report);
        let reply_rules = policies::read_reply_rules(&spec, &known, &mut report);
        workflow::check(&spec, &mut report);
        further(&spec, &mut report);
        report.finish()?;

        let mut leaving: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, transition) in transitions.iter().enumerate() {
            for from in &transition.from {
                leaving.entry(from.clone()).or_default().push(place);
            }
        }
        let initial_status = statuses.iter().position(|status| status.id == spec.initial_status).unwrap_or_default();
        Ok(Self {
            statuses: Named::new(statuses, |status| &status.id),
            initial_status,
            transitions: Named::new(transitions, |transition| &transition.id),
            leaving,
            fields: Named::new(fields, |field| &field.id),
            priorities: Named::new(priorities, |priority| &priority.id),
            queues: Named::new(queues, |queue| &queue.id),
            routing,
            number,
            transfer,
            escalations: Named::new(escalations, |escalation| &escalation.id),
            canned_responses: Named::new(canned_responses, |canned| &canned.id),
            survey,
            mandatory_cc,
            reply_rules,
            spec,
            contradictions: Vec::new(),
        })
    }
}

/// What is wrong and with what sort of thing, whatever its place in a list: an update may move it.
fn kind(wrong: &Violation) -> (String, String) {
    let without_places = |text: &str| {
        let mut digits = false;
        let signs = text.chars().filter(|sign| {
            digits = (digits || *sign == '[') && *sign != ']';
            !digits
        });
        signs.collect()
    };
    (without_places(&wrong.field), without_places(&wrong.description))
}
