-- What needs a person, to be told by webhook: a new table, which locks nothing that is there.
-- create "notifications" table
CREATE TABLE `notifications` (`id` text NOT NULL, `kind` text NOT NULL, `subject` text NOT NULL, `body` text NOT NULL, `created_at` datetime NOT NULL, `next_at` datetime NULL, `attempts` integer NOT NULL DEFAULT (0), `delivered_at` datetime NULL, `gave_up_at` datetime NULL, `last_error` text NULL, PRIMARY KEY (`id`));
-- create index "notification_next_at" to table: "notifications"
CREATE INDEX `notification_next_at` ON `notifications` (`next_at`);
-- create index "notification_subject_created_at" to table: "notifications"
CREATE INDEX `notification_subject_created_at` ON `notifications` (`subject`, `created_at`);
-- create index "notification_created_at" to table: "notifications"
CREATE INDEX `notification_created_at` ON `notifications` (`created_at`);
