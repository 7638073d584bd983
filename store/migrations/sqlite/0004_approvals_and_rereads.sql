-- Who approved held removals and who stops a run, plans of dry runs, records that webhooks name, and what ended a
-- version. Columns are added without a default, which rewrites no table; writers wait for milliseconds.
-- add column "ended_run_id" to table: "assets_history"
ALTER TABLE `assets_history` ADD COLUMN `ended_run_id` text NULL;
-- add column "ended_by" to table: "assets_history"
ALTER TABLE `assets_history` ADD COLUMN `ended_by` text NULL;
-- add column "ended_run_id" to table: "companies_history"
ALTER TABLE `companies_history` ADD COLUMN `ended_run_id` text NULL;
-- add column "ended_by" to table: "companies_history"
ALTER TABLE `companies_history` ADD COLUMN `ended_by` text NULL;
-- add column "ended_run_id" to table: "contact_company_link_history"
ALTER TABLE `contact_company_link_history` ADD COLUMN `ended_run_id` text NULL;
-- add column "ended_by" to table: "contact_company_link_history"
ALTER TABLE `contact_company_link_history` ADD COLUMN `ended_by` text NULL;
-- add column "ended_run_id" to table: "contacts_history"
ALTER TABLE `contacts_history` ADD COLUMN `ended_run_id` text NULL;
-- add column "ended_by" to table: "contacts_history"
ALTER TABLE `contacts_history` ADD COLUMN `ended_by` text NULL;
-- add column "ended_run_id" to table: "locations_history"
ALTER TABLE `locations_history` ADD COLUMN `ended_run_id` text NULL;
-- add column "ended_by" to table: "locations_history"
ALTER TABLE `locations_history` ADD COLUMN `ended_by` text NULL;
-- add column "listed_at" to table: "sync_checkpoints"
ALTER TABLE `sync_checkpoints` ADD COLUMN `listed_at` datetime NULL;
-- add column "cancel_requested_by" to table: "sync_runs"
ALTER TABLE `sync_runs` ADD COLUMN `cancel_requested_by` text NULL;
-- add column "approved_by" to table: "sync_runs"
ALTER TABLE `sync_runs` ADD COLUMN `approved_by` text NULL;
-- add column "approval_reason" to table: "sync_runs"
ALTER TABLE `sync_runs` ADD COLUMN `approval_reason` text NULL;
-- add column "approved_at" to table: "sync_runs"
ALTER TABLE `sync_runs` ADD COLUMN `approved_at` datetime NULL;
-- add column "approval_run_id" to table: "sync_runs"
ALTER TABLE `sync_runs` ADD COLUMN `approval_run_id` text NULL;
-- add column "ended_run_id" to table: "tickets_history"
ALTER TABLE `tickets_history` ADD COLUMN `ended_run_id` text NULL;
-- add column "ended_by" to table: "tickets_history"
ALTER TABLE `tickets_history` ADD COLUMN `ended_by` text NULL;
-- create "sync_changes" table
CREATE TABLE `sync_changes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `run_id` text NOT NULL, `ordinal` integer NOT NULL, `entity` text NOT NULL, `kind` text NOT NULL, `record_id` text NOT NULL, `label` text NOT NULL, `company_account_number` text NULL, `fields` text NOT NULL);
-- create index "syncchange_run_id_ordinal" to table: "sync_changes"
CREATE UNIQUE INDEX `syncchange_run_id_ordinal` ON `sync_changes` (`run_id`, `ordinal`);
-- create "sync_rereads" table
CREATE TABLE `sync_rereads` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `record` text NOT NULL, `upstream_id` integer NOT NULL, `announcements` integer NOT NULL, `announced_at` datetime NOT NULL, `due_at` datetime NULL, `attempts` integer NOT NULL DEFAULT (0), `error` text NULL, `read_from` datetime NULL);
-- create index "syncreread_record_upstream_id" to table: "sync_rereads"
CREATE UNIQUE INDEX `syncreread_record_upstream_id` ON `sync_rereads` (`record`, `upstream_id`);
-- create index "syncreread_due_at" to table: "sync_rereads"
CREATE INDEX `syncreread_due_at` ON `sync_rereads` (`due_at`);
