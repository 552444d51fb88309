-- The texts of tickets that are not closed, in helpdesks that refuse duplicates. `digest` is of requester, subject and body.
CREATE TABLE duplicate_texts (
    helpdesk TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, digest, ticket)
);

CREATE INDEX duplicate_texts_by_ticket ON duplicate_texts (helpdesk, ticket);
