-- When the log of archived bills was verified: a new table, which locks nothing that is there.
-- create "log_verifications" table
CREATE TABLE `log_verifications` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `began_at` datetime NOT NULL, `ended_at` datetime NOT NULL, `ok` bool NOT NULL, `failures` integer NOT NULL, `findings` text NOT NULL, `epoch` integer NOT NULL, `size` integer NOT NULL, `error` text NULL);
-- create index "logverification_ended_at" to table: "log_verifications"
CREATE INDEX `logverification_ended_at` ON `log_verifications` (`ended_at`);
