-- Browsers' sessions: a new table, which locks nothing that is there.
-- create "sessions" table
CREATE TABLE `sessions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `hash` text NOT NULL, `sealed` blob NOT NULL, `caller` text NOT NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL);
-- create index "session_hash" to table: "sessions"
CREATE UNIQUE INDEX `session_hash` ON `sessions` (`hash`);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);
