DROP TABLE folders;
DROP TABLE attachments;
DROP TABLE uploads;
