-- The tickets by their requesters, as an index that is brought up to date now and then and not by each ticket: its pages
-- are as many as there are requesters, and each commit would write one for nearly every ticket. What is new is in a list
-- in order of receipt, which grows by a page for many tickets, and is short.
CREATE TABLE recent_requesters (
    helpdesk TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    requester TEXT NOT NULL,
    PRIMARY KEY (helpdesk, ticket)
) WITHOUT ROWID;

CREATE TABLE requester_tickets (
    helpdesk TEXT NOT NULL,
    requester TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (helpdesk, requester, ticket)
) WITHOUT ROWID;

INSERT INTO requester_tickets SELECT helpdesk, requester, ticket FROM tickets ORDER BY helpdesk, requester, ticket;

-- A requester never changes, and no ticket is deleted.
CREATE TRIGGER tickets_requester AFTER INSERT ON tickets BEGIN
    INSERT INTO recent_requesters VALUES (new.helpdesk, new.ticket, new.requester);
END;

DROP INDEX tickets_by_requester;
DELETE FROM sqlite_stat1 WHERE idx = 'tickets_by_requester';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('requester_tickets', 'requester_tickets', '1000000 1000000 50 1'),
    ('recent_requesters', 'recent_requesters', '4000 4000 1');
