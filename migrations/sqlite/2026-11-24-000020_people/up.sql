-- Who works the queues. `queues` and `skills` are JSON arrays of texts; `active` is 0 or 1.
CREATE TABLE agents (
    helpdesk TEXT NOT NULL,
    agent TEXT NOT NULL,
    subject TEXT NOT NULL,
    display_name TEXT NOT NULL,
    queues TEXT NOT NULL,
    skills TEXT NOT NULL,
    active INTEGER NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, agent)
) WITHOUT ROWID;

CREATE UNIQUE INDEX agents_by_subject ON agents (helpdesk, subject);

-- The tickets that wait in queues whose tickets need a skill, by each skill with which they can be taken; '' for those
-- that need none. So the first one for an agent is found by one look for each of its skills, however long the queue is.
CREATE TABLE waiting_skills (
    helpdesk TEXT NOT NULL,
    queue TEXT NOT NULL,
    skill TEXT NOT NULL,
    queue_key TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, queue, skill, queue_key, ticket)
) WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('agents', 'agents', '1000 1000 1'),
    ('agents', 'agents_by_subject', '1000 1000 1'),
    ('waiting_skills', 'waiting_skills', '100000 100000 10000 1000 1 1');
