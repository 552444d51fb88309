-- The sweep looks for what has expired.
CREATE INDEX uploads_by_expiry ON uploads (helpdesk, expire_time, upload);
