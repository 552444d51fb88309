-- Files on their way. `sha256` is what was declared, empty when nothing was; `digest` that of what came, empty until the last
-- byte has come. `ticket` is 0 until it is attached. What came is in the folder of the attachments, under the same id.
CREATE TABLE uploads (
    helpdesk TEXT NOT NULL,
    upload TEXT NOT NULL,
    subject TEXT NOT NULL,
    filename TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    digest BLOB NOT NULL,
    ticket BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    expire_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, upload)
) WITHOUT ROWID;

CREATE INDEX uploads_by_subject ON uploads (helpdesk, subject, upload) WHERE ticket = 0;

-- Files on tickets, under the ids of their uploads. `reply` is 0 where a file came with the ticket itself; `note` is 1 where it
-- came with a note.
CREATE TABLE attachments (
    helpdesk TEXT NOT NULL,
    attachment TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    reply BIGINT NOT NULL,
    note INTEGER NOT NULL,
    author TEXT NOT NULL,
    filename TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    create_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, attachment)
) WITHOUT ROWID;

CREATE INDEX attachments_by_ticket ON attachments (helpdesk, ticket, attachment);

-- Which folder of files belongs to this database: the id in the folder's own mark. `helpdesk` is always `_system`.
CREATE TABLE folders (
    helpdesk TEXT NOT NULL,
    folder TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (helpdesk, folder)
) WITHOUT ROWID;
