//! What SQLite does.

use super::{TICKETS, plans};

#[test]
#[allow(clippy::too_many_lines, reason = "it is one text")]
fn on_sqlite_every_query_that_must_not_grow_uses_an_index() {
    let plans = plans("sqlite", TICKETS, true);
    // The values that are looked for, and what was limited before, are gone through; no table is.
    let is_bounded =
        |line: &str| ["SCAN t", "SCAN before", "SCAN first"].contains(&line) || line.contains("VIRTUAL TABLE");
    let mut scanned = plans.lines().map(str::trim).filter(|line| line.starts_with("SCAN "));
    assert!(scanned.all(is_bounded), "{plans}");
    insta::assert_snapshot!(plans, @r#"
    list: the first page
      CO-ROUTINE t
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=?)
      SCAN t

    list: a later page
      CO-ROUTINE t
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket>?)
      SCAN t

    list: what no index knows
      CO-ROUTINE t
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket>?)
      SCAN t
      SCAN e EXISTS VIRTUAL TABLE INDEX 1:

    list: what no index knows
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket>?)

    list: by requester
      CO-ROUTINE t
      SEARCH tickets USING COVERING INDEX tickets_with_requester (helpdesk=? AND ticket>? AND ticket<?)
      SCALAR SUBQUERY 1
      SEARCH requester_ends USING PRIMARY KEY (helpdesk=?)
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
      SCAN t

    list: by requester
      CO-ROUTINE t
      SEARCH f USING PRIMARY KEY (helpdesk=? AND requester=? AND ticket<?)
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
      SCAN t

    list: by assignee
      CO-ROUTINE t
      SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=?)
      SCAN t

    list: by number
      CO-ROUTINE t
      SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
      SCAN t

    list: by number
      SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)

    list: by an indexed field
      CO-ROUTINE t
      SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=? AND ticket>?)
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
      SCAN t

    list: a queue
      CO-ROUTINE t
      SEARCH s USING INDEX tickets_waiting (helpdesk=? AND queue=? AND (queue_key,ticket)>(?,?))
      SCAN t

    list: a requester's own in a queue
      CO-ROUTINE t
      MERGE (UNION ALL)
      LEFT
      SEARCH requester_tickets USING PRIMARY KEY (helpdesk=? AND requester=?)
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
      USE TEMP B-TREE FOR ORDER BY
      RIGHT
      SEARCH tickets USING COVERING INDEX tickets_with_requester (helpdesk=? AND ticket>?)
      SCALAR SUBQUERY 2
      SEARCH requester_ends USING PRIMARY KEY (helpdesk=?)
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
      USE TEMP B-TREE FOR ORDER BY
      SCAN t

    list: a requester's own in a queue
      MERGE (UNION ALL)
      LEFT
      SEARCH requester_tickets USING PRIMARY KEY (helpdesk=? AND requester=?)
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
      USE TEMP B-TREE FOR ORDER BY
      RIGHT
      SEARCH tickets USING COVERING INDEX tickets_with_requester (helpdesk=? AND ticket>?)
      SCALAR SUBQUERY 2
      SEARCH requester_ends USING PRIMARY KEY (helpdesk=?)
      SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
      USE TEMP B-TREE FOR ORDER BY

    claim: the first in line
      SEARCH tickets USING INDEX tickets_waiting (helpdesk=? AND queue=?)

    claim: the first in line with one of several skills
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SCAN place VIRTUAL TABLE INDEX 1:
      CORRELATED SCALAR SUBQUERY 2
      CO-ROUTINE first
      SEARCH f USING PRIMARY KEY (helpdesk=? AND queue=? AND skill=?)
      SCAN first

    queue: tickets ahead
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH tickets USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)

    queue: tickets ahead
      CO-ROUTINE before
      SEARCH tickets USING COVERING INDEX tickets_waiting (helpdesk=? AND queue=? AND (queue_key,ticket)<(?,?))
      SCAN before

    queue: the longest wait
      SEARCH tickets USING COVERING INDEX tickets_waiting (helpdesk=? AND queue=? AND queue_key>? AND queue_key<?)

    batch: tickets
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH tickets USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)

    batch: request ids
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH requests USING PRIMARY KEY (helpdesk=? AND subject=? AND request_id=?)

    batch: request ids in order of time
      SEARCH requests USING PRIMARY KEY (helpdesk=? AND subject=? AND request_id>? AND request_id<?)

    batch: external references
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH external_refs USING PRIMARY KEY (helpdesk=? AND source=? AND id=?)

    batch: bodies
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH tickets USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)

    batch: numbers that are taken
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH tickets USING COVERING INDEX tickets_by_number (helpdesk=? AND number=?)

    batch: what links lead to
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH tickets USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)

    batch: replies
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH replies USING INDEX sqlite_autoindex_replies_1 (helpdesk=? AND ticket=? AND reply=?)

    batch: texts that must not be repeated
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH duplicate_texts USING PRIMARY KEY (helpdesk=? AND digest=?)

    batch: uploads
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH uploads USING PRIMARY KEY (helpdesk=? AND upload=?)

    batch: uploads
      SEARCH uploads USING INDEX uploads_by_subject (helpdesk=? AND subject=?)

    batch: agents
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH agents USING INDEX agents_by_subject (helpdesk=? AND subject=?)

    batch: agents
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH agents USING PRIMARY KEY (helpdesk=? AND agent=?)

    batch: what is gone
      SEARCH external_refs USING PRIMARY KEY (helpdesk=? AND source=? AND id=?)
      LIST SUBQUERY 2
      SCAN json_each VIRTUAL TABLE INDEX 1:

    batch: what is gone
      SEARCH ticket_fields USING PRIMARY KEY (helpdesk=? AND field=? AND value=? AND ticket=?)
      LIST SUBQUERY 2
      SCAN json_each VIRTUAL TABLE INDEX 1:

    batch: what is gone
      SEARCH waiting_skills USING PRIMARY KEY (helpdesk=? AND queue=? AND skill=? AND queue_key=?)
      LIST SUBQUERY 2
      SCAN json_each VIRTUAL TABLE INDEX 1:
      LIST SUBQUERY 1
      SCAN json_each VIRTUAL TABLE INDEX 1:
      CREATE BLOOM FILTER

    batch: what is gone
      SEARCH duplicate_texts USING COVERING INDEX duplicate_texts_by_ticket (helpdesk=? AND ticket=?)
      LIST SUBQUERY 1
      SCAN json_each VIRTUAL TABLE INDEX 1:

    batch: what is gone
      SEARCH uploads USING PRIMARY KEY (helpdesk=? AND upload=?)
      LIST SUBQUERY 1
      SCAN json_each VIRTUAL TABLE INDEX 1:

    batch: what is gone
      SEARCH tickets USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)

    get: by number
      SEARCH tickets USING INDEX tickets_by_number (helpdesk=? AND number=?)

    requesters
      SCAN wanted VIRTUAL TABLE INDEX 1:
      SEARCH requesters USING PRIMARY KEY (helpdesk=? AND requester=?)

    requesters
      SEARCH requesters USING PRIMARY KEY (helpdesk=? AND requester>?)

    replies
      SEARCH replies USING INDEX sqlite_autoindex_replies_1 (helpdesk=? AND ticket=? AND reply>?)

    attachments
      SEARCH attachments USING INDEX attachments_by_ticket (helpdesk=? AND ticket=? AND attachment>?)

    attachments
      SEARCH attachments USING INDEX attachments_by_ticket (helpdesk=? AND ticket=?)

    attachments
      SEARCH attachments USING PRIMARY KEY (helpdesk=? AND attachment=?)

    history
      SEARCH changes USING INDEX changes_by_ticket (helpdesk=? AND ticket=? AND revision>?)
      USE TEMP B-TREE FOR LAST TERM OF ORDER BY

    catch up
      SEARCH changes USING INDEX sqlite_autoindex_changes_1 (helpdesk=? AND revision>?)

    catch up
      SEARCH changes USING INDEX sqlite_autoindex_changes_1 (helpdesk=? AND revision>? AND revision<?)

    catch up: one revision
      SEARCH changes USING INDEX sqlite_autoindex_changes_1 (helpdesk=? AND revision=?)

    catch up: the uid
      SEARCH changes USING INDEX sqlite_autoindex_changes_1 (helpdesk=? AND revision=?)

    housekeeping
      SEARCH requests USING PRIMARY KEY (helpdesk=? AND (subject,request_id)>(?,?))

    housekeeping
      SEARCH requests USING PRIMARY KEY (helpdesk=? AND subject=? AND request_id=?)
      LIST SUBQUERY 2
      SCAN json_each VIRTUAL TABLE INDEX 1:

    head
      SEARCH heads USING PRIMARY KEY (helpdesk=?)
    "#);
}
