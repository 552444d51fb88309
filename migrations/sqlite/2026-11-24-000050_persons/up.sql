-- Those who are registered to file tickets. The id is made of the address; `code_hash` is empty while there is no code.
CREATE TABLE requesters (
    helpdesk TEXT NOT NULL,
    requester TEXT NOT NULL,
    email TEXT NOT NULL,
    display_name TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    verify_time BIGINT,
    code_hash BLOB NOT NULL,
    code_expire_time BIGINT NOT NULL,
    code_tries_left INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, requester)
) WITHOUT ROWID;

-- What servers sign with; `helpdesk` is always `_system`.
CREATE TABLE signing_keys (
    helpdesk TEXT NOT NULL,
    id TEXT NOT NULL,
    bits BLOB NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, id)
) WITHOUT ROWID;

ALTER TABLE replies ADD COLUMN canned_response TEXT NOT NULL DEFAULT '';
