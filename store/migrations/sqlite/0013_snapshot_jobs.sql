-- The schedule of the monthly bills, the jobs that ask for them and their companies: new tables.
-- It locks nothing that is there.
-- create "scheduled_snapshots" table
CREATE TABLE `scheduled_snapshots` (`id` integer NOT NULL, `enabled` bool NOT NULL DEFAULT (true), `day_of_month` integer NOT NULL DEFAULT (1), `hour` integer NOT NULL DEFAULT (2), `snapshot_previous_month` bool NOT NULL DEFAULT (true), `snapshot_all_companies` bool NOT NULL DEFAULT (true), `last_run_at` datetime NULL, `last_run_status` text NULL, `last_run_count` integer NULL, `last_run_log` text NULL, `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `account_numbers` text NULL, `owed_since` datetime NOT NULL, PRIMARY KEY (`id`));
-- create "snapshot_jobs" table
CREATE TABLE `snapshot_jobs` (`id` text NOT NULL, `job_type` text NOT NULL, `status` text NOT NULL, `target_year` integer NOT NULL, `target_month` integer NOT NULL, `target_account_numbers` text NULL, `total_companies` integer NOT NULL DEFAULT (0), `completed_companies` integer NOT NULL DEFAULT (0), `failed_companies` integer NOT NULL DEFAULT (0), `started_at` datetime NOT NULL, `completed_at` datetime NULL, `success` bool NULL, `output` text NULL, `error` text NULL, `triggered_by` text NOT NULL, `state` text NOT NULL, `trigger` text NOT NULL, `due_at` datetime NULL, `by_person` bool NOT NULL, `round` integer NOT NULL DEFAULT (1), `held_companies` integer NOT NULL DEFAULT (0), `worker` text NULL, `heartbeat_at` datetime NULL, `begun_at` datetime NULL, `blocked_reason` text NULL, `forced_by` text NULL, `force_reason` text NULL, `cancel_requested_by` text NULL, `notes` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "snapshotjob_due_at" to table: "snapshot_jobs"
CREATE UNIQUE INDEX `snapshotjob_due_at` ON `snapshot_jobs` (`due_at`);
-- create index "snapshotjob_started_at_id" to table: "snapshot_jobs"
CREATE INDEX `snapshotjob_started_at_id` ON `snapshot_jobs` (`started_at`, `id`);
-- create index "snapshotjob_state" to table: "snapshot_jobs"
CREATE INDEX `snapshotjob_state` ON `snapshot_jobs` (`state`);
-- create index "snapshotjob_target_year_target_month" to table: "snapshot_jobs"
CREATE INDEX `snapshotjob_target_year_target_month` ON `snapshot_jobs` (`target_year`, `target_month`);
-- create "snapshot_job_companies" table
CREATE TABLE `snapshot_job_companies` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `job_id` text NOT NULL, `account_number` text NOT NULL, `position` integer NOT NULL, `state` text NOT NULL, `attempts` integer NOT NULL DEFAULT (0), `reason` text NULL, `invoice_number` text NULL, `asked_at` datetime NULL, `ended_at` datetime NULL);
-- create index "snapshotjobcompany_job_id_account_number" to table: "snapshot_job_companies"
CREATE UNIQUE INDEX `snapshotjobcompany_job_id_account_number` ON `snapshot_job_companies` (`job_id`, `account_number`);
-- create index "snapshotjobcompany_job_id_position" to table: "snapshot_job_companies"
CREATE UNIQUE INDEX `snapshotjobcompany_job_id_position` ON `snapshot_job_companies` (`job_id`, `position`);
-- create index "snapshotjobcompany_account_number" to table: "snapshot_job_companies"
CREATE INDEX `snapshotjobcompany_account_number` ON `snapshot_job_companies` (`account_number`);
