ALTER TABLE replies DROP COLUMN canned_response;
DROP TABLE signing_keys;
DROP TABLE requesters;
