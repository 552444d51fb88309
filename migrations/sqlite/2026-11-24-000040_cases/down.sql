DELETE FROM sqlite_stat1 WHERE tbl = 'duplicate_texts';
DROP TABLE duplicate_texts;
