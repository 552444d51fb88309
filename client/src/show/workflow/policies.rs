//! What a helpdesk has decided for all of its tickets, in words. Every message is taken apart whole, so that what the
//! contract gains is told, too.

use loket_client::v1::{
    AttachmentPolicy, CannedResponse, DefinitionContradiction, DuplicateAction, DuplicateComparison, DuplicatePolicy,
    EmptyReplyPolicy, EscalationDefinition, EscalationMode, Guard, Helpdesk, IdentityPolicy, MergePolicy,
    NumberAssignment, NumberPolicy, ReplyRule, SurveyPolicy, TransferPlacement, TransferPolicy,
};

use super::page::Page;
use super::{called, retired, roles};

/// One line for each policy, then a section for each kind of rule of which there may be many.
pub(super) fn write(page: &mut Page, helpdesk: &Helpdesk) {
    let Helpdesk {
        // Told by the sections before.
        name: _,
        display_name: _,
        statuses: _,
        initial_status: _,
        transitions: _,
        fields: _,
        priorities: _,
        default_priority: _,
        priority_set_by: _,
        queues: _,
        routing: _,
        default_queue: _,
        definition_version: _,
        // Of the resource, and not of the rules.
        revision: _,
        etag: _,
        create_time: _,
        update_time: _,
        number_policy,
        duplicate_policy,
        merge_policy,
        transfer_policy,
        escalations,
        empty_reply: _,
        mandatory_cc,
        reply_rules,
        canned_responses,
        survey,
        identity: _,
        attachment_policy,
        contradictions,
    } = helpdesk;

    page.section("Policies");
    number(page, number_policy.as_ref());
    page.line(1, identity(helpdesk.identity()));
    page.line(1, duplicates(duplicate_policy.as_ref()));
    page.line(1, empty_reply(helpdesk.empty_reply()));
    page.line(1, &merge(merge_policy.as_ref()));
    transfer(page, &transfer_policy.clone().unwrap_or_default());
    attachments(page, &attachment_policy.clone().unwrap_or_default());
    if !mandatory_cc.is_empty() {
        page.line(1, &format!("copies of every ticket go to {}", mandatory_cc.join(", ")));
    }
    survey_link(page, survey.as_ref());

    section(page, "Replies must be so", reply_rules, reply_rule);
    section(page, "Escalations", escalations, escalation);
    section(page, "Canned responses", canned_responses, canned_response);
    section(page, "Contradictions, to be mended", contradictions, contradiction);
}

fn section<T>(page: &mut Page, title: &str, items: &[T], write: fn(&mut Page, &T)) {
    if !items.is_empty() {
        page.section(title);
        for item in items {
            write(page, item);
        }
    }
}

fn number(page: &mut Page, policy: Option<&NumberPolicy>) {
    let NumberPolicy { assigned_on: _, format } = policy.cloned().unwrap_or_default();
    let when = match policy.map(NumberPolicy::assigned_on).unwrap_or_default() {
        NumberAssignment::Unspecified | NumberAssignment::Submission => "when it is filed",
        NumberAssignment::Claim => "when it is first claimed",
    };
    let format = if format.is_empty() { String::new() } else { format!(", as {format}") };
    page.line(1, &format!("a ticket gets its number {when}{format}"));
}

fn identity(policy: IdentityPolicy) -> &'static str {
    match policy {
        IdentityPolicy::Unspecified | IdentityPolicy::Anybody => "tickets are filed for anybody with an e-mail address",
        IdentityPolicy::Registered => "a service files only for requesters that are registered",
        IdentityPolicy::Verified => {
            "tickets are filed only for requesters that are registered and whose address is verified"
        }
    }
}

fn duplicates(policy: Option<&DuplicatePolicy>) -> &'static str {
    let DuplicatePolicy { on_create: _, compare: _ } = policy.copied().unwrap_or_default();
    let compare = policy.map(DuplicatePolicy::compare).unwrap_or_default();
    match (policy.map(DuplicatePolicy::on_create).unwrap_or_default(), compare) {
        (DuplicateAction::Unspecified | DuplicateAction::Allow, _) => "the same text may be filed again",
        (DuplicateAction::Refuse, DuplicateComparison::Body) => {
            "the same body of the same requester is refused until the first is closed, whatever its subject"
        }
        (DuplicateAction::Refuse, DuplicateComparison::Unspecified | DuplicateComparison::SubjectAndBody) => {
            "the same text of the same requester is refused until the first is closed"
        }
    }
}

fn empty_reply(policy: EmptyReplyPolicy) -> &'static str {
    match policy {
        EmptyReplyPolicy::Unspecified | EmptyReplyPolicy::Refuse => "a reply without a text is refused",
        EmptyReplyPolicy::Claim => "a reply without a text claims a ticket that waits",
    }
}

fn merge(policy: Option<&MergePolicy>) -> String {
    let Some(MergePolicy { status, across_requesters }) = policy else {
        return "tickets are not merged".to_owned();
    };
    let whose = if *across_requesters { "any tickets" } else { "tickets of one requester" };
    format!("{whose} may be merged, into the earliest; the others become {status}")
}

fn transfer(page: &mut Page, policy: &TransferPolicy) {
    let TransferPolicy { placement: _, roles: _, claimed_only, keep_assignee } = *policy;
    let who = if policy.roles.is_empty() { "any of the staff".to_owned() } else { roles(policy.roles()) };
    page.line(1, &format!("tickets are transferred by {who}"));
    if claimed_only {
        page.line(2, "agents only those that they have claimed");
    }
    page.line(2, if keep_assignee { "whoever has it keeps it" } else { "it becomes nobody's" });
    page.line(
        2,
        match policy.placement() {
            TransferPlacement::Unspecified | TransferPlacement::Requeue => "it waits from then on, behind the others",
            TransferPlacement::KeepPlace => "it waits as if it had waited there all along",
        },
    );
}

fn attachments(page: &mut Page, policy: &AttachmentPolicy) {
    let AttachmentPolicy { ticket_quota_bytes, max_file_bytes, mime_types, open_upload_bytes } = policy;
    let quota = if *ticket_quota_bytes == 0 { DEFAULT_QUOTA } else { *ticket_quota_bytes };
    page.line(1, &format!("the files of a ticket are at most {} together", bytes(quota)));
    if *max_file_bytes != 0 {
        page.line(2, &format!("each at most {}", bytes(*max_file_bytes)));
    }
    if !mime_types.is_empty() {
        page.line(2, &format!("of the types {}", mime_types.join(", ")));
    }
    if *open_upload_bytes != 0 {
        page.line(2, &format!("of one caller at most {} that are not used yet", bytes(*open_upload_bytes)));
    }
}

/// That of `AttachmentPolicy.ticket_quota_bytes`.
const DEFAULT_QUOTA: i64 = 25 << 20;

/// In the largest unit in which it is whole.
fn bytes(bytes: i64) -> String {
    let unit =
        [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter().find(|(_, bits)| bytes % (1 << bits) == 0);
    unit.map_or_else(|| format!("{bytes} B"), |(unit, bits)| format!("{} {unit}", bytes >> bits))
}

fn survey_link(page: &mut Page, policy: Option<&SurveyPolicy>) {
    let Some(SurveyPolicy { uri_template, link_days }) = policy else {
        return page.line(1, "there is no survey after closing");
    };
    let days = if *link_days == 0 { DEFAULT_LINK_DAYS } else { *link_days };
    page.line(1, &format!("the survey after closing is answered at {uri_template}"));
    page.line(2, &format!("within {days} days"));
}

/// That of `SurveyPolicy.link_days`.
const DEFAULT_LINK_DAYS: i32 = 30;

fn reply_rule(page: &mut Page, rule: &ReplyRule) {
    let ReplyRule { roles: _, expression, message } = rule;
    page.told(1, expression, message);
    let whose = if rule.roles.is_empty() { "the staff".to_owned() } else { roles(rule.roles()) };
    page.line(2, &format!("for {whose}"));
}

fn escalation(page: &mut Page, escalation: &EscalationDefinition) {
    let mode = match escalation.mode() {
        EscalationMode::Unspecified | EscalationMode::Move => "the ticket moves to",
        EscalationMode::Child => "a child of it is filed in",
    };
    let EscalationDefinition { id, display_name, mode: _, queues, from_queues, from_statuses, roles: _, guards } =
        escalation;
    page.line(1, &format!("{id}{}: {mode} {}", called(display_name), one_of(queues)));
    if !from_queues.is_empty() {
        page.line(2, &format!("from {}", from_queues.join(", ")));
    }
    if !from_statuses.is_empty() {
        page.line(2, &format!("while it is {}", from_statuses.join(", ")));
    }
    if !escalation.roles.is_empty() {
        page.line(2, &format!("by {}", roles(escalation.roles())));
    }
    for Guard { expression, message } in guards {
        page.told(2, &format!("if {expression}"), message);
    }
}

fn one_of(queues: &[String]) -> String {
    if let [queue] = queues { queue.clone() } else { format!("one of {}", queues.join(", ")) }
}

fn canned_response(page: &mut Page, response: &CannedResponse) {
    let CannedResponse { id, display_name, body, retired: is_retired } = response;
    page.line(1, &format!("{}{}", retired(id, *is_retired), called(display_name)));
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        page.line(2, line);
    }
}

fn contradiction(page: &mut Page, contradiction: &DefinitionContradiction) {
    let DefinitionContradiction { field, description } = contradiction;
    page.line(1, &format!("{field}: {description}"));
}
