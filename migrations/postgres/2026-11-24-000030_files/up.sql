-- Files on their way. `sha256` is what was declared, empty when nothing was; `digest` that of what came, empty until the last
-- byte has come. `ticket` is 0 until it is attached. What came is in the folder of the attachments, under the same id.
CREATE TABLE uploads (
    helpdesk TEXT COLLATE "C" NOT NULL,
    upload TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    filename TEXT COLLATE "C" NOT NULL,
    mime_type TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    ticket BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    expire_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, upload)
);

CREATE INDEX uploads_by_subject ON uploads (helpdesk, subject, upload) WHERE ticket = 0;

-- Files on tickets, under the ids of their uploads. `reply` is 0 where a file came with the ticket itself; `note` is 1 where it
-- came with a note.
CREATE TABLE attachments (
    helpdesk TEXT COLLATE "C" NOT NULL,
    attachment TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    reply BIGINT NOT NULL,
    note INTEGER NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    filename TEXT COLLATE "C" NOT NULL,
    mime_type TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    create_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, attachment)
);

CREATE INDEX attachments_by_ticket ON attachments (helpdesk, ticket, attachment);

-- Which folder of files belongs to this database: the id in the folder's own mark. `helpdesk` is always `_system`.
CREATE TABLE folders (
    helpdesk TEXT COLLATE "C" NOT NULL,
    folder TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (helpdesk, folder)
);
