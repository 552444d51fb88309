DROP TABLE counts;
DROP TABLE requests;
DROP TABLE changes;
DROP TABLE replies;
DROP TABLE external_refs;
DROP TABLE ticket_fields;
DROP TABLE tickets;
DROP TABLE access_keys;
DROP TABLE definitions;
DROP TABLE directory;
DROP TABLE heads;
-- What the statistics are kept in is made by SQLite, when they are first written.
DROP TABLE IF EXISTS sqlite_stat4;
DROP TABLE sqlite_stat1;
