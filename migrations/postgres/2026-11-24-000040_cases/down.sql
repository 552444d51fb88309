DROP TABLE duplicate_texts;
