-- Those who are registered to file tickets. The id is made of the address; `code_hash` is empty while there is no code.
CREATE TABLE requesters (
    helpdesk TEXT COLLATE "C" NOT NULL,
    requester TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    verify_time BIGINT,
    code_hash BYTEA NOT NULL,
    code_expire_time BIGINT NOT NULL,
    code_tries_left INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, requester)
);

-- What servers sign with; `helpdesk` is always `_system`.
CREATE TABLE signing_keys (
    helpdesk TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    bits BYTEA NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, id)
);

ALTER TABLE replies ADD COLUMN canned_response TEXT COLLATE "C" NOT NULL DEFAULT '';
