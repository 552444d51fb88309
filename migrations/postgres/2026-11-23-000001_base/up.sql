-- Every primary key starts with the helpdesk, so the tables distribute by it. Times are UTC microseconds.

-- One row for each helpdesk, `_system` included: locked first by every writer, and held through the commit.
CREATE TABLE heads (
    helpdesk TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_revision BIGINT NOT NULL,
    last_ticket BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    last_time BIGINT NOT NULL,
    definition_version BIGINT NOT NULL
);

-- The directory of helpdesks; `helpdesk` is always `_system`. The first definition stays here: a helpdesk's own head
-- and definition are made from it when it is first written to, so that no transaction touches two helpdesks.
CREATE TABLE directory (
    helpdesk TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    definition BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, id)
);

-- Every version of a definition: an encoded loket.v1.Helpdesk.
CREATE TABLE definitions (
    helpdesk TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    definition BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, version)
);

-- `helpdesk` is always `_system`. `hash` is the SHA-256 of the secret.
CREATE TABLE access_keys (
    helpdesk TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    helpdesks TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    revoke_time BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, id)
);

CREATE TABLE tickets (
    helpdesk TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    requester TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    fields TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    cc TEXT COLLATE "C" NOT NULL,
    external_refs TEXT COLLATE "C" NOT NULL,
    priority TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    queue_key TEXT COLLATE "C" NOT NULL,
    assignee TEXT COLLATE "C" NOT NULL,
    solution TEXT COLLATE "C" NOT NULL,
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
    more TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (helpdesk, ticket)
);

CREATE INDEX tickets_waiting ON tickets (helpdesk, queue, queue_key, ticket) WHERE queue_key <> '';
CREATE INDEX tickets_by_requester ON tickets (helpdesk, requester, ticket);
CREATE INDEX tickets_by_assignee ON tickets (helpdesk, assignee, ticket) WHERE assignee <> '';
CREATE UNIQUE INDEX tickets_by_number ON tickets (helpdesk, number) WHERE number <> '';

-- The fields that a definition declares indexed.
CREATE TABLE ticket_fields (
    helpdesk TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, field, value, ticket)
);

CREATE TABLE external_refs (
    helpdesk TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, source, id)
);

CREATE TABLE replies (
    helpdesk TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    reply BIGINT NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    author_role TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    solution TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, ticket, reply)
);

-- The log: append-only. `payload` is an encoded loket.v1.Change; `uid` is random, the same for a whole revision;
-- `ticket` is 0 where the revision changed none.
CREATE TABLE changes (
    helpdesk TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    ticket BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (helpdesk, revision, ordinal)
);

CREATE INDEX changes_by_ticket ON changes (helpdesk, ticket, revision);

-- What was asked for under a request id: never a payload. Kept for 7 days; the key is walked through for those that are
-- older, so that no index by time has to be written.
CREATE TABLE requests (
    helpdesk TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    command TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, subject, request_id)
);

-- Kept counts of tickets: by status, priority, queue, waiting queue, field and choice.
CREATE TABLE counts (
    helpdesk TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    tickets BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, kind, id)
);
