//! What PostgreSQL does.

use super::{TICKETS, plans};

/// As in a helpdesk that has come since, and grown: what it expects to be little it would read whole and sort.
#[test]
fn on_postgres_the_same_indexes_are_used_before_it_has_looked_at_the_tables() {
    let plans = plans("postgres", 250_000, false);
    for wrong in ["Seq Scan", "Bitmap", "Hash", "Merge"] {
        assert!(!plans.contains(wrong), "{wrong} in\n{plans}");
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "it is one text")]
fn on_postgres_every_query_that_must_not_grow_uses_an_index() {
    let plans = plans("postgres", TICKETS, true);
    assert!(!plans.contains("Seq Scan"), "{plans}");
    insta::assert_snapshot!(plans, @r#"
    list: the first page
      Limit
        ->  Limit
              ->  Index Scan Backward using tickets_pkey on tickets s
                    Index Cond: (helpdesk = 'desk'::text)

    list: a later page
      Limit
        ->  Limit
              ->  Index Scan using tickets_pkey on tickets s
                    Index Cond: ((helpdesk = 'desk'::text) AND (ticket > 100001))

    list: what no index knows
      Limit
        ->  Subquery Scan on t
              Filter: ((strpos(t.subject, 'Subject 7'::text) > 0) AND (SubPlan 1))
              ->  Limit
                    ->  Index Scan using tickets_pkey on tickets s
                          Index Cond: ((helpdesk = 'desk'::text) AND (ticket > 100001))
              SubPlan 1
                ->  Function Scan on json_array_elements_text e
                      Filter: (value = 'vip'::text)

    list: what no index knows
      Limit
        ->  Index Scan using tickets_pkey on tickets s
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket > 100001))

    list: by requester
      Limit
        ->  Subquery Scan on t
              Filter: (t.requester = 'r7@example.com'::text)
              ->  Limit
                    ->  Index Scan Backward using tickets_by_requester on tickets s
                          Index Cond: ((helpdesk = 'desk'::text) AND (requester = 'r7@example.com'::text) AND (ticket < 100001))

    list: by assignee
      Limit
        ->  Subquery Scan on t
              Filter: (t.assignee = 'agent-5'::text)
              ->  Limit
                    ->  Index Scan Backward using tickets_by_assignee on tickets s
                          Index Cond: ((helpdesk = 'desk'::text) AND (assignee = 'agent-5'::text))

    list: by number
      Limit
        ->  Subquery Scan on t
              Filter: (t.number = 'T-7'::text)
              ->  Limit
                    ->  Sort
                          Sort Key: s.ticket DESC
                          ->  Index Scan using tickets_by_number on tickets s
                                Index Cond: ((helpdesk = 'desk'::text) AND (number = 'T-7'::text))

    list: by number
      Limit
        ->  Sort
              Sort Key: ticket DESC
              ->  Index Scan using tickets_by_number on tickets s
                    Index Cond: ((helpdesk = 'desk'::text) AND (number = 'T-7'::text))

    list: by an indexed field
      Limit
        ->  Subquery Scan on t
              Filter: ((COALESCE(((t.fields)::json ->> 'order'::text), ''::text))::text = '7'::text)
              ->  Limit
                    ->  Nested Loop
                          ->  Index Only Scan using ticket_fields_pkey on ticket_fields f
                                Index Cond: ((helpdesk = 'desk'::text COLLATE "C") AND (field = 'order'::text) AND (value = '7'::text) AND (ticket > 100001))
                          ->  Index Scan using tickets_pkey on tickets s
                                Index Cond: ((helpdesk = 'desk'::text COLLATE "C") AND (ticket = f.ticket))

    list: a queue
      Limit
        ->  Limit
              ->  Index Scan using tickets_waiting on tickets s
                    Index Cond: ((helpdesk = 'desk'::text) AND (queue = 'main'::text) AND (ROW(queue_key, ticket) > ROW('10000012'::text, 100001)))

    list: a requester's own in a queue
      Limit
        ->  Subquery Scan on t
              Filter: (t.requester = 'r1@example.com'::text)
              ->  Limit
                    ->  Sort
                          Sort Key: s.queue_key COLLATE "C", s.ticket
                          ->  Index Scan using tickets_by_requester on tickets s
                                Index Cond: ((helpdesk = 'desk'::text) AND (requester = 'r1@example.com'::text))
                                Filter: ((queue_key <> ''::text) AND (queue = 'main'::text) AND (ROW(queue_key, ticket) > ROW('10000012'::text, 100001)))

    list: a requester's own in a queue
      Limit
        ->  Sort
              Sort Key: queue_key COLLATE "C", ticket
              ->  Index Scan using tickets_by_requester on tickets s
                    Index Cond: ((helpdesk = 'desk'::text) AND (requester = 'r1@example.com'::text))
                    Filter: ((queue_key <> ''::text) AND (queue = 'main'::text) AND (ROW(queue_key, ticket) > ROW('10000012'::text, 100001)))

    claim: the first in line
      Limit
        ->  Index Scan using tickets_waiting on tickets
              Index Cond: ((helpdesk = 'desk'::text) AND (queue = 'main'::text))

    claim: the first in line with one of several skills
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Limit
              ->  Index Only Scan using waiting_skills_pkey on waiting_skills f
                    Index Cond: ((helpdesk = 'desk'::text) AND (queue = 'main'::text) AND (skill = wanted.skill))

    queue: tickets ahead
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using tickets_pkey on tickets kept
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket = wanted.ticket))

    queue: tickets ahead
      Aggregate
        ->  Limit
              ->  Index Only Scan using tickets_waiting on tickets
                    Index Cond: ((helpdesk = 'desk'::text) AND (queue = 'main'::text) AND (ROW(queue_key, ticket) < ROW('10240012'::text, 240012)))

    queue: the longest wait
      Limit
        ->  Index Only Scan using tickets_waiting on tickets
              Index Cond: ((helpdesk = 'desk'::text) AND (queue = 'main'::text) AND (queue_key >= '1'::text) AND (queue_key < '1~'::text))

    batch: tickets
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using tickets_pkey on tickets kept
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket = wanted.ticket))

    batch: request ids
      Nested Loop
        ->  Function Scan on wanted
        ->  Index Scan using requests_pkey on requests kept
              Index Cond: ((helpdesk = 'desk'::text) AND (subject = wanted.subject) AND (request_id = wanted.request_id))

    batch: request ids in order of time
      Limit
        ->  Index Only Scan using requests_pkey on requests
              Index Cond: ((helpdesk = 'desk'::text) AND (subject = 'budi'::text) AND (request_id >= '00000000-0000-7000-8000-000000000000'::text) AND (request_id <= '00000000-01ff-7000-8000-000000000000'::text))

    batch: external references
      Nested Loop
        ->  Function Scan on wanted
        ->  Index Scan using external_refs_pkey on external_refs kept
              Index Cond: ((helpdesk = 'desk'::text) AND (source = wanted.source) AND (id = wanted.id))

    batch: bodies
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using tickets_pkey on tickets kept
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket = wanted.ticket))

    batch: numbers that are taken
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Only Scan using tickets_by_number on tickets kept
              Index Cond: ((helpdesk = 'desk'::text) AND (number = wanted.number))

    batch: what links lead to
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using tickets_pkey on tickets kept
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket = wanted.ticket))

    batch: replies
      Nested Loop
        ->  Function Scan on wanted
        ->  Index Scan using replies_pkey on replies kept
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket = wanted.ticket) AND (reply = wanted.reply))

    batch: texts that must not be repeated
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Only Scan using duplicate_texts_pkey on duplicate_texts kept
              Index Cond: ((helpdesk = 'desk'::text) AND (digest = wanted.digest))

    batch: uploads
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using uploads_pkey on uploads kept
              Index Cond: ((helpdesk = 'desk'::text) AND (upload = wanted.upload))

    batch: uploads
      Index Scan using uploads_by_subject on uploads
        Index Cond: ((helpdesk = 'desk'::text) AND (subject = ANY ('{r1,r2,r3}'::text[])))
        Filter: (expire_time > 5)

    batch: agents
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using agents_by_subject on agents kept
              Index Cond: ((helpdesk = 'desk'::text) AND (subject = wanted.subject))

    batch: agents
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using agents_pkey on agents kept
              Index Cond: ((helpdesk = 'desk'::text) AND (agent = wanted.agent))

    batch: what is gone
      Delete on external_refs
        ->  Nested Loop
              ->  Function Scan on gone
              ->  Index Scan using external_refs_pkey on external_refs
                    Index Cond: ((helpdesk = 'desk'::text) AND (source = ANY (ARRAY[gone.source])) AND (id = ANY (ARRAY[gone.id])))

    batch: what is gone
      Delete on ticket_fields
        ->  Nested Loop
              ->  Function Scan on gone
              ->  Index Scan using ticket_fields_pkey on ticket_fields
                    Index Cond: ((helpdesk = 'desk'::text) AND (field = ANY (ARRAY[gone.field])) AND (value = ANY (ARRAY[gone.value])) AND (ticket = ANY (ARRAY[gone.ticket])))

    batch: what is gone
      Delete on waiting_skills
        ->  Nested Loop
              ->  Function Scan on gone
              ->  Index Scan using waiting_skills_pkey on waiting_skills
                    Index Cond: ((helpdesk = 'desk'::text) AND (queue = ANY (ARRAY[gone.queue])) AND (skill = ANY (ARRAY[gone.skill])) AND (queue_key = ANY (ARRAY[gone.queue_key])) AND (ticket = ANY (ARRAY[gone.ticket])))

    batch: what is gone
      Delete on duplicate_texts
        ->  Nested Loop
              ->  Function Scan on unnest gone
              ->  Index Scan using duplicate_texts_by_ticket on duplicate_texts
                    Index Cond: ((helpdesk = 'desk'::text) AND (ticket = ANY (ARRAY[gone.ticket])))

    batch: what is gone
      Delete on uploads
        ->  Nested Loop
              ->  Function Scan on unnest gone
              ->  Index Scan using uploads_pkey on uploads
                    Index Cond: ((helpdesk = 'desk'::text) AND (upload = ANY (ARRAY[gone.upload])))

    batch: what is gone
      Update on tickets
        ->  Nested Loop
              ->  Function Scan on placed
              ->  Index Scan using tickets_pkey on tickets
                    Index Cond: ((helpdesk = 'desk'::text) AND (ticket = ANY (ARRAY[placed.ticket])))

    get: by number
      Limit
        ->  Index Scan using tickets_by_number on tickets
              Index Cond: ((helpdesk = 'desk'::text) AND (number = 'T-7'::text))

    requesters
      Nested Loop
        ->  Function Scan on unnest wanted
        ->  Index Scan using requesters_pkey on requesters kept
              Index Cond: ((helpdesk = 'desk'::text) AND (requester = wanted.requester))

    requesters
      Limit
        ->  Index Scan using requesters_pkey on requesters
              Index Cond: ((helpdesk = 'desk'::text) AND (requester > 'r1'::text))

    replies
      Limit
        ->  Index Scan using replies_pkey on replies
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket = 7) AND (reply > 0))
              Filter: (kind <> 'note'::text)

    attachments
      Limit
        ->  Index Scan using attachments_by_ticket on attachments
              Index Cond: ((helpdesk = 'desk'::text) AND (ticket = 5) AND (attachment > ''::text))
              Filter: (note = 0)

    attachments
      Index Scan using attachments_by_ticket on attachments
        Index Cond: ((helpdesk = 'desk'::text) AND (ticket = 5))
        Filter: (reply = ANY ('{1,2,3}'::integer[]))

    attachments
      Limit
        ->  Index Scan using attachments_pkey on attachments
              Index Cond: ((helpdesk = 'desk'::text) AND (attachment = 'a5'::text))

    history
      Limit
        ->  Sort
              Sort Key: revision, ordinal
              ->  Index Scan using changes_by_ticket on changes
                    Index Cond: ((helpdesk = 'desk'::text) AND (ticket = 7) AND (revision >= 3))
                    Filter: ((revision > 3) OR ((revision = 3) AND (ordinal > 0)))

    catch up
      Limit
        ->  Index Scan using changes_pkey on changes
              Index Cond: ((helpdesk = 'desk'::text) AND (revision > 150000))

    catch up
      Index Scan using changes_pkey on changes
        Index Cond: ((helpdesk = 'desk'::text) AND (revision > 150000) AND (revision <= 152222))

    catch up: one revision
      Index Scan using changes_pkey on changes
        Index Cond: ((helpdesk = 'desk'::text) AND (revision = 7))

    catch up: the uid
      Limit
        ->  Index Scan using changes_pkey on changes
              Index Cond: ((helpdesk = 'desk'::text) AND (revision = 7))

    housekeeping
      Limit
        ->  Index Scan using requests_pkey on requests
              Index Cond: ((helpdesk = 'desk'::text) AND (ROW(subject, request_id) > ROW('budi'::text, '7'::text)))

    housekeeping
      Delete on requests
        ->  Nested Loop
              ->  Function Scan on gone
              ->  Index Scan using requests_pkey on requests
                    Index Cond: ((helpdesk = 'desk'::text) AND (subject = ANY (ARRAY[gone.subject])) AND (request_id = ANY (ARRAY[gone.request_id])))

    head
      Limit
        ->  Index Scan using heads_pkey on heads
              Index Cond: (helpdesk = 'desk'::text)
    "#);
}
