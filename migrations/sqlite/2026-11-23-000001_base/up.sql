-- Every primary key starts with the helpdesk, so the tables distribute by it. Times are UTC microseconds.
-- Without rowids a row lives in its primary key: one tree less to write for each insert.

-- One row for each helpdesk, `_system` included: locked first by every writer, and held through the commit.
CREATE TABLE heads (
    helpdesk TEXT NOT NULL PRIMARY KEY,
    last_revision BIGINT NOT NULL,
    last_ticket BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    last_time BIGINT NOT NULL,
    definition_version BIGINT NOT NULL
) WITHOUT ROWID;

-- The directory of helpdesks; `helpdesk` is always `_system`. The first definition stays here: a helpdesk's own head
-- and definition are made from it when it is first written to, so that no transaction touches two helpdesks.
CREATE TABLE directory (
    helpdesk TEXT NOT NULL,
    id TEXT NOT NULL,
    definition BLOB NOT NULL,
    revision BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, id)
) WITHOUT ROWID;

-- Every version of a definition: an encoded loket.v1.Helpdesk.
CREATE TABLE definitions (
    helpdesk TEXT NOT NULL,
    version BIGINT NOT NULL,
    definition BLOB NOT NULL,
    revision BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, version)
) WITHOUT ROWID;

-- `helpdesk` is always `_system`. `hash` is the SHA-256 of the secret.
CREATE TABLE access_keys (
    helpdesk TEXT NOT NULL,
    id TEXT NOT NULL,
    hash BLOB NOT NULL,
    role TEXT NOT NULL,
    subject TEXT NOT NULL,
    helpdesks TEXT NOT NULL,
    display_name TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    revoke_time BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, id)
) WITHOUT ROWID;

CREATE TABLE tickets (
    helpdesk TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    uid TEXT NOT NULL,
    number TEXT NOT NULL,
    requester TEXT NOT NULL,
    subject TEXT NOT NULL,
    channel TEXT NOT NULL,
    fields TEXT NOT NULL,
    tags TEXT NOT NULL,
    cc TEXT NOT NULL,
    external_refs TEXT NOT NULL,
    priority TEXT NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    queue TEXT NOT NULL,
    queue_key TEXT NOT NULL,
    assignee TEXT NOT NULL,
    solution TEXT NOT NULL,
    receive_time BIGINT NOT NULL,
    queue_time BIGINT,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    first_reply_time BIGINT,
    close_time BIGINT,
    revision BIGINT NOT NULL,
    staff_replies INTEGER NOT NULL,
    requester_replies INTEGER NOT NULL,
    service_replies INTEGER NOT NULL,
    notes INTEGER NOT NULL,
    -- A JSON object of what few tickets have; empty when there is nothing.
    more TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (helpdesk, ticket)
);

CREATE INDEX tickets_waiting ON tickets (helpdesk, queue, queue_key, ticket) WHERE queue_key <> '';
CREATE INDEX tickets_by_requester ON tickets (helpdesk, requester, ticket);
CREATE INDEX tickets_by_assignee ON tickets (helpdesk, assignee, ticket) WHERE assignee <> '';
CREATE UNIQUE INDEX tickets_by_number ON tickets (helpdesk, number) WHERE number <> '';

-- The fields that a definition declares indexed.
CREATE TABLE ticket_fields (
    helpdesk TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, field, value, ticket)
) WITHOUT ROWID;

CREATE TABLE external_refs (
    helpdesk TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, source, id)
) WITHOUT ROWID;

CREATE TABLE replies (
    helpdesk TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    reply BIGINT NOT NULL,
    author TEXT NOT NULL,
    author_role TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    solution TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, ticket, reply)
);

-- The log: append-only. `payload` is an encoded loket.v1.Change; `uid` is random, the same for a whole revision;
-- `ticket` is 0 where the revision changed none.
CREATE TABLE changes (
    helpdesk TEXT NOT NULL,
    revision BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    ticket BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (helpdesk, revision, ordinal)
);

CREATE INDEX changes_by_ticket ON changes (helpdesk, ticket, revision);

-- What was asked for under a request id: never a payload. Kept for 7 days; the key is walked through for those that are
-- older, so that no index by time has to be written.
CREATE TABLE requests (
    helpdesk TEXT NOT NULL,
    subject TEXT NOT NULL,
    request_id TEXT NOT NULL,
    command TEXT NOT NULL,
    digest BLOB NOT NULL,
    revision BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, subject, request_id)
) WITHOUT ROWID;

-- Kept counts of tickets: by status, priority, queue, waiting queue, field and choice.
CREATE TABLE counts (
    helpdesk TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    tickets BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, kind, id)
) WITHOUT ROWID;

-- What the planner should expect, as no ANALYZE ever runs: one large helpdesk. Without it SQLite takes every index of a
-- table for equally good, and walks the primary key. Rows, then rows for each longer beginning of the key.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tickets', 'sqlite_autoindex_tickets_1', '1000000 1000000 1'),
    ('tickets', 'tickets_waiting', '100000 100000 10000 1 1'),
    ('tickets', 'tickets_by_requester', '1000000 1000000 50 1'),
    ('tickets', 'tickets_by_assignee', '100000 100000 100 1'),
    ('tickets', 'tickets_by_number', '1000000 1000000 1'),
    ('ticket_fields', 'ticket_fields', '1000000 1000000 100000 100 1'),
    ('changes', 'sqlite_autoindex_changes_1', '3000000 3000000 1 1'),
    ('changes', 'changes_by_ticket', '3000000 3000000 3 1');
