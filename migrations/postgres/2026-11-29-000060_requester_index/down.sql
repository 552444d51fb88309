-- Of SQLite only: there the index of requesters is made of two tables.
SELECT 1;
