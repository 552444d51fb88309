//! What may be attached.

use super::report::Report;
use crate::domain::definition::DefinitionSpec;
use crate::domain::text::{is_mime_type, shown};

const MOST_BYTES: i64 = 1 << 40;

pub(super) fn check(spec: &DefinitionSpec, report: &mut Report) {
    let policy = &spec.attachment_policy;
    let given = [
        ("ticket_quota_bytes", policy.ticket_quota_bytes),
        ("max_file_bytes", policy.max_file_bytes),
        ("open_upload_bytes", policy.open_upload_bytes),
    ];
    for (part, bytes) in given {
        if !(0..=MOST_BYTES).contains(&bytes) {
            let right = format!("write 1 to {MOST_BYTES}, or 0 for the default");
            report.add(format!("attachment_policy.{part}"), format!("{bytes} is no such number of bytes: {right}"));
        }
    }
    let rules = policy.rules();
    if rules.max_file > rules.quota {
        let (file, quota) = (rules.max_file, rules.quota);
        let wrong =
            format!("one file may have {file} bytes, and all files of a ticket only {quota}: give at most that");
        report.add("attachment_policy.max_file_bytes", wrong);
    }
    if rules.open_limit < rules.max_file {
        let (open, file) = (rules.open_limit, rules.max_file);
        let wrong = format!("a caller may have {open} bytes under way, and one file {file}: give at least that");
        report.add("attachment_policy.open_upload_bytes", wrong);
    }
    for (place, taken) in policy.mime_types.iter().enumerate() {
        let kind = taken.strip_suffix("/*").map_or_else(|| taken.clone(), |kind| format!("{kind}/any"));
        if !is_mime_type(&kind) {
            report.add(
                format!("attachment_policy.mime_types[{place}]"),
                format!("{} is no type: write it like `image/png` or `image/*`, in lower case", shown(taken)),
            );
        }
    }
}
