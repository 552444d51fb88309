CREATE INDEX tickets_by_requester ON tickets (helpdesk, requester, ticket);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('tickets', 'tickets_by_requester', '1000000 1000000 50 1');
DELETE FROM sqlite_stat1 WHERE tbl IN ('requester_tickets', 'recent_requesters');
DROP TRIGGER tickets_requester;
DROP TABLE requester_tickets;
DROP TABLE recent_requesters;
