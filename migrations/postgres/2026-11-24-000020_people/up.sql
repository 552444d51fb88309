-- Who works the queues. `queues` and `skills` are JSON arrays of texts; `active` is 0 or 1.
CREATE TABLE agents (
    helpdesk TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    queues TEXT COLLATE "C" NOT NULL,
    skills TEXT COLLATE "C" NOT NULL,
    active INTEGER NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, agent)
);

CREATE UNIQUE INDEX agents_by_subject ON agents (helpdesk, subject);

-- The tickets that wait in queues whose tickets need a skill, by each skill with which they can be taken; '' for those
-- that need none. So the first one for an agent is found by one look for each of its skills, however long the queue is.
CREATE TABLE waiting_skills (
    helpdesk TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    skill TEXT COLLATE "C" NOT NULL,
    queue_key TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, queue, skill, queue_key, ticket)
);
