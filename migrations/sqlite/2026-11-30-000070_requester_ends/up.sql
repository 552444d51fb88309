-- What is new of requesters is found by an index of the tickets, which costs half of what the list did that a trigger kept.
-- A helpdesk's end is the last ticket that `requester_tickets` has. No release had the list.
CREATE TABLE requester_ends (
    helpdesk TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk)
) WITHOUT ROWID;

INSERT INTO requester_tickets SELECT helpdesk, requester, ticket FROM recent_requesters ORDER BY helpdesk, requester, ticket;
INSERT INTO requester_ends SELECT helpdesk, last_ticket FROM heads;

DROP TRIGGER tickets_requester;
DROP TABLE recent_requesters;
CREATE INDEX tickets_with_requester ON tickets (helpdesk, ticket, requester);

DELETE FROM sqlite_stat1 WHERE tbl = 'recent_requesters';
-- Worse than the key, for what both lead to. Nothing was said of uploads, and all that had not expired were gone through
-- for those of one caller.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tickets', 'tickets_with_requester', '1000000 1000000 2 1 sz=100'),
    ('attachments', 'attachments', '200000 200000 1'),
    ('attachments', 'attachments_by_ticket', '200000 200000 2 1'),
    ('uploads', 'uploads', '200000 200000 1'),
    ('uploads', 'uploads_by_subject', '10000 10000 10 1'),
    ('uploads', 'uploads_by_expiry', '200000 200000 1 1');
