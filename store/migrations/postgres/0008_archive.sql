-- The archive of bills and its log: new tables, and the old service's two as views over them. It
-- locks nothing that is there. What refuses changes is made by package store behind each migration.
-- create "bill_events" table
CREATE TABLE "bill_events" ("id" bigint NOT NULL, "invoice_number" character varying NOT NULL COLLATE "C", "revision" bigint NOT NULL, "kind" character varying NOT NULL COLLATE "C", "reason" text NOT NULL COLLATE "C", "done_by" text NOT NULL COLLATE "C", "done_at" timestamptz NOT NULL, "leaf_index" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "billevent_invoice_number_revision" to table: "bill_events"
CREATE INDEX "billevent_invoice_number_revision" ON "bill_events" ("invoice_number", "revision");
-- create index "billevent_leaf_index" to table: "bill_events"
CREATE UNIQUE INDEX "billevent_leaf_index" ON "bill_events" ("leaf_index");
-- create "log_checkpoints" table
CREATE TABLE "log_checkpoints" ("id" bigint NOT NULL, "epoch" bigint NOT NULL, "size" bigint NOT NULL, "note" text NOT NULL COLLATE "C", "signed_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "logcheckpoint_epoch_size" to table: "log_checkpoints"
CREATE UNIQUE INDEX "logcheckpoint_epoch_size" ON "log_checkpoints" ("epoch", "size");
-- create "log_epochs" table
CREATE TABLE "log_epochs" ("epoch" bigint NOT NULL, "leaf_index" bigint NOT NULL, "lost_checkpoint" text NOT NULL COLLATE "C", "reason" text NOT NULL COLLATE "C", "opened_by" text NOT NULL COLLATE "C", "opened_at" timestamptz NOT NULL, PRIMARY KEY ("epoch"));
-- create index "log_epochs_leaf_index_key" to table: "log_epochs"
CREATE UNIQUE INDEX "log_epochs_leaf_index_key" ON "log_epochs" ("leaf_index");
-- create "log_hashes" table
CREATE TABLE "log_hashes" ("hash_index" bigint NOT NULL, "hash" text NOT NULL COLLATE "C", PRIMARY KEY ("hash_index"));
-- create "log_heads" table
CREATE TABLE "log_heads" ("size" bigint NOT NULL, "root" text NOT NULL COLLATE "C", "appended_at" timestamptz NOT NULL, PRIMARY KEY ("size"));
-- create "log_keys" table
CREATE TABLE "log_keys" ("id" bigint NOT NULL, "origin" text NOT NULL COLLATE "C", "verifier_key" text NOT NULL COLLATE "C", "recorded_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create "log_leaves" table
CREATE TABLE "log_leaves" ("leaf_index" bigint NOT NULL, "leaf" text NOT NULL COLLATE "C", PRIMARY KEY ("leaf_index"));
-- create "snapshots" table
CREATE TABLE "snapshots" ("id" bigint NOT NULL, "invoice_number" character varying NOT NULL COLLATE "C", "revision" bigint NOT NULL, "company_account_number" character varying NOT NULL COLLATE "C", "company_name" text NOT NULL COLLATE "C", "billing_year" bigint NOT NULL, "billing_month" bigint NOT NULL, "invoice_date" bigint NOT NULL, "due_date" bigint NULL, "billing_plan" text NULL COLLATE "C", "contract_term" text NULL COLLATE "C", "support_level" text NULL COLLATE "C", "total_amount_cents" bigint NOT NULL, "total_user_charges_cents" bigint NOT NULL, "total_asset_charges_cents" bigint NOT NULL, "total_backup_charges_cents" bigint NOT NULL, "total_ticket_charges_cents" bigint NOT NULL, "total_line_item_charges_cents" bigint NOT NULL, "user_count" bigint NOT NULL, "asset_count" bigint NOT NULL, "billable_hours_e4" bigint NOT NULL, "origin" text NOT NULL COLLATE "C", "archived_at" timestamptz NOT NULL, "accepted_by" text NOT NULL COLLATE "C", "created_by" text NULL COLLATE "C", "runs" text NOT NULL COLLATE "C", "marks" text NOT NULL COLLATE "C", "leaf_index" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "snapshot_invoice_number_revision" to table: "snapshots"
CREATE UNIQUE INDEX "snapshot_invoice_number_revision" ON "snapshots" ("invoice_number", "revision");
-- create index "snapshot_leaf_index" to table: "snapshots"
CREATE UNIQUE INDEX "snapshot_leaf_index" ON "snapshots" ("leaf_index");
-- create index "snapshot_company_account_number_billing_year_billing_month" to table: "snapshots"
CREATE INDEX "snapshot_company_account_number_billing_year_billing_month" ON "snapshots" ("company_account_number", "billing_year", "billing_month");
-- create index "snapshot_archived_at_id" to table: "snapshots"
CREATE INDEX "snapshot_archived_at_id" ON "snapshots" ("archived_at", "id");
-- create index "snapshot_billing_year_billing_month_archived_at" to table: "snapshots"
CREATE INDEX "snapshot_billing_year_billing_month_archived_at" ON "snapshots" ("billing_year", "billing_month", "archived_at");
-- create "snapshot_contents" table
CREATE TABLE "snapshot_contents" ("id" bigint NOT NULL, "snapshot_id" bigint NOT NULL, "name" character varying NOT NULL COLLATE "C", "salt" text NOT NULL COLLATE "C", "content" text NOT NULL COLLATE "C", PRIMARY KEY ("id"));
-- create index "snapshotcontent_snapshot_id_name" to table: "snapshot_contents"
CREATE UNIQUE INDEX "snapshotcontent_snapshot_id_name" ON "snapshot_contents" ("snapshot_id", "name");
-- create "snapshot_items" table
CREATE TABLE "snapshot_items" ("id" bigint NOT NULL, "snapshot_id" bigint NOT NULL, "position" bigint NOT NULL, "line_type" text NOT NULL COLLATE "C", "item_name" text NOT NULL COLLATE "C", "description" text NULL COLLATE "C", "quantity_e4" bigint NOT NULL, "rate_e4" bigint NOT NULL, "amount_cents" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "snapshotitem_snapshot_id_position" to table: "snapshot_items"
CREATE UNIQUE INDEX "snapshotitem_snapshot_id_position" ON "snapshot_items" ("snapshot_id", "position");
-- The table billing_snapshots of the old service: the newest revision of each bill that is not open.
-- The WITH makes it a view that takes no writes, and costs nothing.
CREATE VIEW billing_snapshots AS
WITH served AS (
	SELECT
		id,
		company_account_number,
		company_name,
		invoice_number,
		billing_year,
		billing_month,
		DATE '1970-01-01' + CAST(invoice_date AS integer) AS invoice_date,
		DATE '1970-01-01' + CAST(due_date AS integer) AS due_date,
		billing_plan,
		contract_term,
		support_level,
		CAST(total_amount_cents / 100.0 AS numeric(12,2)) AS total_amount,
		CAST(total_user_charges_cents / 100.0 AS numeric(12,2)) AS total_user_charges,
		CAST(total_asset_charges_cents / 100.0 AS numeric(12,2)) AS total_asset_charges,
		CAST(total_backup_charges_cents / 100.0 AS numeric(12,2)) AS total_backup_charges,
		CAST(total_ticket_charges_cents / 100.0 AS numeric(12,2)) AS total_ticket_charges,
		CAST(total_line_item_charges_cents / 100.0 AS numeric(12,2)) AS total_line_item_charges,
		user_count,
		asset_count,
		CAST(billable_hours_e4 / 10000.0 AS numeric(14,4)) AS billable_hours,
		(SELECT content FROM snapshot_contents AS c WHERE c.snapshot_id = s.id AND c.name = 'billing_data') AS billing_data_json,
		(SELECT content FROM snapshot_contents AS c WHERE c.snapshot_id = s.id AND c.name = 'csv') AS invoice_csv,
		archived_at AT TIME ZONE 'UTC' AS archived_at,
		created_by,
		(SELECT content FROM snapshot_contents AS c WHERE c.snapshot_id = s.id AND c.name = 'notes') AS notes
	FROM snapshots AS s
	WHERE NOT EXISTS (SELECT 1 FROM snapshots AS newer WHERE newer.invoice_number = s.invoice_number AND newer.revision > s.revision)
		AND NOT EXISTS (
			SELECT 1 FROM bill_events AS e
			WHERE e.invoice_number = s.invoice_number AND e.revision = s.revision AND e.kind = 'reopened'
				AND NOT EXISTS (SELECT 1 FROM bill_events AS l WHERE l.invoice_number = e.invoice_number AND l.revision = e.revision AND l.id > e.id)
		)
)
SELECT * FROM served;
-- The table snapshot_line_items of the old service: the lines of those bills.
CREATE VIEW snapshot_line_items AS
WITH served AS (
	SELECT
		id,
		snapshot_id,
		line_type,
		item_name,
		description,
		CAST(quantity_e4 / 10000.0 AS numeric(14,4)) AS quantity,
		CAST(rate_e4 / 10000.0 AS numeric(14,4)) AS rate,
		CAST(amount_cents / 100.0 AS numeric(12,2)) AS amount
	FROM snapshot_items AS i
	WHERE EXISTS (SELECT 1 FROM billing_snapshots AS s WHERE s.id = i.snapshot_id)
)
SELECT * FROM served;
