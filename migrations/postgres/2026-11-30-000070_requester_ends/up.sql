-- Of SQLite only: there the index of requesters is made of two parts.
SELECT 1;
