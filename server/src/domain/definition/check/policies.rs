//! Policies of the whole helpdesk: mandatory addresses, rules for replies.

use super::condition;
use super::names::{Known, once};
use super::report::Report;
use crate::domain::definition::spec::ReplyRuleSpec;
use crate::domain::definition::{DefinitionSpec, ReplyRule};
use crate::domain::{Role, fields, text};

/// In their normal form, sorted.
pub(super) fn read_mandatory_cc(spec: &DefinitionSpec, report: &mut Report) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::with_capacity(spec.mandatory_cc.len());
    for (place, written) in spec.mandatory_cc.iter().enumerate() {
        let path = format!("mandatory_cc[{place}]");
        match text::email(written) {
            None => report.add(path, fields::not_an_address(written)),
            Some(address) if addresses.contains(&address) => {
                report.add(path, format!("`{address}` is given twice: leave one out"));
            }
            Some(address) => addresses.push(address),
        }
    }
    addresses.sort();
    addresses
}

pub(super) fn read_reply_rules(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<ReplyRule> {
    let numbered = spec.reply_rules.iter().enumerate();
    numbered.filter_map(|(place, rule)| read_rule(&format!("reply_rules[{place}]"), rule, known, report)).collect()
}

fn read_rule(path: &str, spec: &ReplyRuleSpec, known: &Known<'_>, report: &mut Report) -> Option<ReplyRule> {
    let ReplyRuleSpec { roles, expression, message } = spec;
    once(&format!("{path}.roles"), roles, |role| role.word().to_owned(), report);
    let message_path = format!("{path}.message");
    report.message(&message_path, message);
    if message.trim().is_empty() {
        report.add(message_path, "is required: tell the author what would be right");
    }
    let expression_path = format!("{path}.expression");
    let condition = condition::read_for_reply(&expression_path, expression, known, report)?;
    if condition.never_holds() {
        report.contradiction(expression_path, "never holds, so that nobody could reply: look at the reply");
    }
    let staff = || Role::ALL.into_iter().filter(|role| role.replies_as_staff()).collect();
    let roles = if roles.is_empty() { staff() } else { roles.clone() };
    Some(ReplyRule { roles, condition, message: message.clone() })
}
