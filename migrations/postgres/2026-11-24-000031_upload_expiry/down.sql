DROP INDEX uploads_by_expiry;
