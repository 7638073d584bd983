-- The archive of bills and its log: new tables, and the old service's two as views over them. It
-- locks nothing that is there. What refuses changes is made by package store behind each migration.
-- create "bill_events" table
CREATE TABLE `bill_events` (`id` integer NOT NULL, `invoice_number` text NOT NULL, `revision` integer NOT NULL, `kind` text NOT NULL, `reason` text NOT NULL, `done_by` text NOT NULL, `done_at` datetime NOT NULL, `leaf_index` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "billevent_invoice_number_revision" to table: "bill_events"
CREATE INDEX `billevent_invoice_number_revision` ON `bill_events` (`invoice_number`, `revision`);
-- create index "billevent_leaf_index" to table: "bill_events"
CREATE UNIQUE INDEX `billevent_leaf_index` ON `bill_events` (`leaf_index`);
-- create "log_checkpoints" table
CREATE TABLE `log_checkpoints` (`id` integer NOT NULL, `epoch` integer NOT NULL, `size` integer NOT NULL, `note` text NOT NULL, `signed_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "logcheckpoint_epoch_size" to table: "log_checkpoints"
CREATE UNIQUE INDEX `logcheckpoint_epoch_size` ON `log_checkpoints` (`epoch`, `size`);
-- create "log_epochs" table
CREATE TABLE `log_epochs` (`epoch` integer NOT NULL, `leaf_index` integer NOT NULL, `lost_checkpoint` text NOT NULL, `reason` text NOT NULL, `opened_by` text NOT NULL, `opened_at` datetime NOT NULL, PRIMARY KEY (`epoch`));
-- create index "log_epochs_leaf_index_key" to table: "log_epochs"
CREATE UNIQUE INDEX `log_epochs_leaf_index_key` ON `log_epochs` (`leaf_index`);
-- create "log_hashes" table
CREATE TABLE `log_hashes` (`hash_index` integer NOT NULL, `hash` text NOT NULL, PRIMARY KEY (`hash_index`));
-- create "log_heads" table
CREATE TABLE `log_heads` (`size` integer NOT NULL, `root` text NOT NULL, `appended_at` datetime NOT NULL, PRIMARY KEY (`size`));
-- create "log_keys" table
CREATE TABLE `log_keys` (`id` integer NOT NULL, `origin` text NOT NULL, `verifier_key` text NOT NULL, `recorded_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create "log_leaves" table
CREATE TABLE `log_leaves` (`leaf_index` integer NOT NULL, `leaf` text NOT NULL, PRIMARY KEY (`leaf_index`));
-- create "snapshots" table
CREATE TABLE `snapshots` (`id` integer NOT NULL, `invoice_number` text NOT NULL, `revision` integer NOT NULL, `company_account_number` text NOT NULL, `company_name` text NOT NULL, `billing_year` integer NOT NULL, `billing_month` integer NOT NULL, `invoice_date` integer NOT NULL, `due_date` integer NULL, `billing_plan` text NULL, `contract_term` text NULL, `support_level` text NULL, `total_amount_cents` integer NOT NULL, `total_user_charges_cents` integer NOT NULL, `total_asset_charges_cents` integer NOT NULL, `total_backup_charges_cents` integer NOT NULL, `total_ticket_charges_cents` integer NOT NULL, `total_line_item_charges_cents` integer NOT NULL, `user_count` integer NOT NULL, `asset_count` integer NOT NULL, `billable_hours_e4` integer NOT NULL, `origin` text NOT NULL, `archived_at` datetime NOT NULL, `accepted_by` text NOT NULL, `created_by` text NULL, `runs` text NOT NULL, `marks` text NOT NULL, `leaf_index` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "snapshot_invoice_number_revision" to table: "snapshots"
CREATE UNIQUE INDEX `snapshot_invoice_number_revision` ON `snapshots` (`invoice_number`, `revision`);
-- create index "snapshot_leaf_index" to table: "snapshots"
CREATE UNIQUE INDEX `snapshot_leaf_index` ON `snapshots` (`leaf_index`);
-- create index "snapshot_company_account_number_billing_year_billing_month" to table: "snapshots"
CREATE INDEX `snapshot_company_account_number_billing_year_billing_month` ON `snapshots` (`company_account_number`, `billing_year`, `billing_month`);
-- create index "snapshot_archived_at_id" to table: "snapshots"
CREATE INDEX `snapshot_archived_at_id` ON `snapshots` (`archived_at`, `id`);
-- create index "snapshot_billing_year_billing_month_archived_at" to table: "snapshots"
CREATE INDEX `snapshot_billing_year_billing_month_archived_at` ON `snapshots` (`billing_year`, `billing_month`, `archived_at`);
-- create "snapshot_contents" table
CREATE TABLE `snapshot_contents` (`id` integer NOT NULL, `snapshot_id` integer NOT NULL, `name` text NOT NULL, `salt` text NOT NULL, `content` text NOT NULL, PRIMARY KEY (`id`));
-- create index "snapshotcontent_snapshot_id_name" to table: "snapshot_contents"
CREATE UNIQUE INDEX `snapshotcontent_snapshot_id_name` ON `snapshot_contents` (`snapshot_id`, `name`);
-- create "snapshot_items" table
CREATE TABLE `snapshot_items` (`id` integer NOT NULL, `snapshot_id` integer NOT NULL, `position` integer NOT NULL, `line_type` text NOT NULL, `item_name` text NOT NULL, `description` text NULL, `quantity_e4` integer NOT NULL, `rate_e4` integer NOT NULL, `amount_cents` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "snapshotitem_snapshot_id_position" to table: "snapshot_items"
CREATE UNIQUE INDEX `snapshotitem_snapshot_id_position` ON `snapshot_items` (`snapshot_id`, `position`);
-- The table billing_snapshots of the old service: the newest revision of each bill that is not open.
CREATE VIEW billing_snapshots AS
SELECT
	id,
	company_account_number,
	company_name,
	invoice_number,
	billing_year,
	billing_month,
	date(invoice_date * 86400, 'unixepoch') AS invoice_date,
	date(due_date * 86400, 'unixepoch') AS due_date,
	billing_plan,
	contract_term,
	support_level,
	total_amount_cents / 100.0 AS total_amount,
	total_user_charges_cents / 100.0 AS total_user_charges,
	total_asset_charges_cents / 100.0 AS total_asset_charges,
	total_backup_charges_cents / 100.0 AS total_backup_charges,
	total_ticket_charges_cents / 100.0 AS total_ticket_charges,
	total_line_item_charges_cents / 100.0 AS total_line_item_charges,
	user_count,
	asset_count,
	billable_hours_e4 / 10000.0 AS billable_hours,
	(SELECT content FROM snapshot_contents AS c WHERE c.snapshot_id = s.id AND c.name = 'billing_data') AS billing_data_json,
	(SELECT content FROM snapshot_contents AS c WHERE c.snapshot_id = s.id AND c.name = 'csv') AS invoice_csv,
	replace(substr(archived_at, 1, 26), 'T', ' ') AS archived_at,
	created_by,
	(SELECT content FROM snapshot_contents AS c WHERE c.snapshot_id = s.id AND c.name = 'notes') AS notes
FROM snapshots AS s
WHERE NOT EXISTS (SELECT 1 FROM snapshots AS newer WHERE newer.invoice_number = s.invoice_number AND newer.revision > s.revision)
	AND NOT EXISTS (
		SELECT 1 FROM bill_events AS e
		WHERE e.invoice_number = s.invoice_number AND e.revision = s.revision AND e.kind = 'reopened'
			AND NOT EXISTS (SELECT 1 FROM bill_events AS l WHERE l.invoice_number = e.invoice_number AND l.revision = e.revision AND l.id > e.id)
	);
-- The table snapshot_line_items of the old service: the lines of those bills.
CREATE VIEW snapshot_line_items AS
SELECT
	id,
	snapshot_id,
	line_type,
	item_name,
	description,
	quantity_e4 / 10000.0 AS quantity,
	rate_e4 / 10000.0 AS rate,
	amount_cents / 100.0 AS amount
FROM snapshot_items AS i
WHERE EXISTS (SELECT 1 FROM billing_snapshots AS s WHERE s.id = i.snapshot_id);
