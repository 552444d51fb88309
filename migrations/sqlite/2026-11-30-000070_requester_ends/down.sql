CREATE TABLE recent_requesters (
    helpdesk TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    requester TEXT NOT NULL,
    PRIMARY KEY (helpdesk, ticket)
) WITHOUT ROWID;

INSERT INTO recent_requesters SELECT t.helpdesk, t.ticket, t.requester FROM tickets AS t
LEFT JOIN requester_ends AS e ON e.helpdesk = t.helpdesk WHERE t.ticket > coalesce(e.ticket, 0);

CREATE TRIGGER tickets_requester AFTER INSERT ON tickets BEGIN
    INSERT INTO recent_requesters VALUES (new.helpdesk, new.ticket, new.requester);
END;

DELETE FROM sqlite_stat1 WHERE idx = 'tickets_with_requester' OR tbl IN ('attachments', 'uploads');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('recent_requesters', 'recent_requesters', '4000 4000 1');
DROP INDEX tickets_with_requester;
DROP TABLE requester_ends;
