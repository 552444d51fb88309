-- The texts of tickets that are not closed, in helpdesks that refuse duplicates. `digest` is of requester, subject and body.
CREATE TABLE duplicate_texts (
    helpdesk TEXT NOT NULL,
    digest TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, digest, ticket)
) WITHOUT ROWID;

CREATE INDEX duplicate_texts_by_ticket ON duplicate_texts (helpdesk, ticket);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('duplicate_texts', 'duplicate_texts', '100000 100000 1 1'),
    ('duplicate_texts', 'duplicate_texts_by_ticket', '100000 100000 1');
