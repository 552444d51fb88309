//! Canned responses and the survey: that what is to be filled in exists, and that requesters may read it.

use super::names::{Known, ids};
use super::report::{Report, valid};
use crate::domain::definition::contact::{CannedResponse, LinkPart, Placeholder, Survey};
use crate::domain::definition::spec::{CannedResponseSpec, SurveySpec};
use crate::domain::definition::{DefinitionSpec, Template};
use crate::domain::text::shown;

const MAX_BODY_CHARS: usize = 10_000;
const MAX_TEMPLATE_CHARS: usize = 500;
const MAX_LINK_DAYS: i32 = 365;

pub(super) fn read(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<CannedResponse> {
    let canned = &spec.canned_responses;
    ids("canned response", "canned_responses", canned.iter().map(|canned| canned.id.as_str()), report);
    let numbered = canned.iter().enumerate();
    numbered.filter_map(|(place, canned)| read_one(place, canned, spec, known, report)).collect()
}

fn read_one(
    place: usize,
    canned: &CannedResponseSpec,
    spec: &DefinitionSpec,
    known: &Known<'_>,
    report: &mut Report,
) -> Option<CannedResponse> {
    let CannedResponseSpec { id, display_name, body, retired } = canned;
    report.line(format!("canned_responses[{place}].display_name"), display_name);
    let path = format!("canned_responses[{place}].body");
    if body.trim().is_empty() {
        report.add(&path, "is required: the text that is replied");
    }
    if body.contains('\0') {
        report.add(&path, "contains the character U+0000: leave it out");
    }
    let length = body.chars().count();
    if length > MAX_BODY_CHARS {
        report.add(&path, format!("has {length} characters: at most {MAX_BODY_CHARS} are taken"));
        return None;
    }
    let body = filled_in(&path, body, report, |name| placeholder(name, spec, known))?;
    Some(CannedResponse { id: id.clone(), display_name: display_name.clone(), body, retired: *retired })
}

fn placeholder(name: &str, spec: &DefinitionSpec, known: &Known<'_>) -> Result<Placeholder, String> {
    let Some(placeholder) = Placeholder::read(name) else {
        let right = valid(Placeholder::names().chain(["fields.{field}"]));
        return Err(format!("there is no placeholder {}: {right}", shown(name)));
    };
    match &placeholder {
        Placeholder::Field(id) if !known.fields.has(id) => Err(known.fields.unknown(id)),
        Placeholder::Field(id) if spec.fields.iter().any(|field| field.id == *id && field.staff_only) => {
            Err(format!("the field `{id}` is for the staff only, and replies are read by requesters: leave it out"))
        }
        Placeholder::SurveyLink if spec.survey.is_none() => {
            Err("there is no `survey` that `survey_link` could lead to: add one, or leave it out".to_owned())
        }
        Placeholder::Requester
        | Placeholder::Number
        | Placeholder::Subject
        | Placeholder::Status
        | Placeholder::Agent
        | Placeholder::SurveyLink
        | Placeholder::Field(_) => Ok(placeholder),
    }
}

pub(super) fn read_survey(spec: &DefinitionSpec, report: &mut Report) -> Option<Survey> {
    let SurveySpec { uri_template, link_days } = spec.survey.as_ref()?;
    if !(0..=MAX_LINK_DAYS).contains(link_days) {
        report.add("survey.link_days", format!("{link_days} days: write 1 to {MAX_LINK_DAYS}, or 0 for the default"));
    }
    let path = "survey.uri_template";
    let is_address = ["https://", "http://"].iter().any(|scheme| uri_template.starts_with(scheme))
        && !uri_template.contains(|c: char| c.is_control() || c.is_whitespace());
    let length = uri_template.chars().count();
    if !is_address || length > MAX_TEMPLATE_CHARS {
        let right =
            format!("write `https://…?token={{token}}` in at most {MAX_TEMPLATE_CHARS} characters without spaces");
        report.add(path, format!("{} is no address: {right}", shown(uri_template)));
        return None;
    }
    let link = filled_in(path, uri_template, report, |name| {
        LinkPart::read(name).ok_or_else(|| {
            format!("there is no placeholder {}: {}", shown(name), valid(["token", "ticket", "number"].into_iter()))
        })
    })?;
    if !link.places().any(|part| *part == LinkPart::Token) {
        report.add(path, "has no `{token}`: nobody could answer with that link");
    }
    Some(Survey::new(link, (*link_days).clamp(0, MAX_LINK_DAYS)))
}

fn filled_in<P>(
    path: &str,
    text: &str,
    report: &mut Report,
    place: impl FnMut(&str) -> Result<P, String>,
) -> Option<Template<P>> {
    match Template::parse(text, place) {
        Ok(template) => Some(template),
        Err(wrong) => {
            for wrong in wrong {
                report.add(path, wrong);
            }
            None
        }
    }
}
