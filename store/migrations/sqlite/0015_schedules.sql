-- How far what runs by itself has come, and the months that need a person: new tables, and a nullable
-- column of a table of one row, which lock nothing for longer than a moment.
-- add column "updated_by" to table: "scheduled_snapshots"
ALTER TABLE `scheduled_snapshots` ADD COLUMN `updated_by` text NULL;
-- create "missed_months" table
CREATE TABLE `missed_months` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `year` integer NOT NULL, `month` integer NOT NULL, `due_at` datetime NOT NULL, `noticed_at` datetime NOT NULL, `reason` text NOT NULL, `settled_at` datetime NULL, `settled_job_id` text NULL, `settled_by` text NULL, `note` text NULL);
-- create index "missedmonth_year_month" to table: "missed_months"
CREATE UNIQUE INDEX `missedmonth_year_month` ON `missed_months` (`year`, `month`);
-- create index "missedmonth_settled_at" to table: "missed_months"
CREATE INDEX `missedmonth_settled_at` ON `missed_months` (`settled_at`);
-- create "schedules" table
CREATE TABLE `schedules` (`name` text NOT NULL, `switched_on` bool NOT NULL, `rule` text NOT NULL, `owed_since` datetime NOT NULL, `last_due_at` datetime NULL, `last_period` text NULL, `last_run_id` text NULL, `attempts` integer NOT NULL DEFAULT (0), `updated_at` datetime NOT NULL, PRIMARY KEY (`name`));
