-- create "acknowledgements" table
CREATE TABLE "acknowledgements" ("id" bigint NOT NULL, "company_account_number" character varying NOT NULL COLLATE "C", "billing_year" bigint NOT NULL, "billing_month" bigint NOT NULL, "kind" character varying NOT NULL COLLATE "C", "item_entity" character varying NOT NULL COLLATE "C", "item_id" text NOT NULL COLLATE "C", "item_name" text NOT NULL COLLATE "C", "fingerprint" text NOT NULL COLLATE "C", "standing" boolean NOT NULL, "note" text NOT NULL COLLATE "C", "acknowledged_by" text NOT NULL COLLATE "C", "acknowledged_at" timestamptz NOT NULL, "withdrawn_by" text NULL COLLATE "C", "withdrawn_note" text NULL COLLATE "C", "withdrawn_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "acknowledgement_billing_year_billing_month" to table: "acknowledgements"
CREATE INDEX "acknowledgement_billing_year_billing_month" ON "acknowledgements" ("billing_year", "billing_month");
-- create index "acknowledgement_company_account_number" to table: "acknowledgements"
CREATE INDEX "acknowledgement_company_account_number" ON "acknowledgements" ("company_account_number");
-- create "billed_items" table
CREATE TABLE "billed_items" ("id" bigint NOT NULL, "snapshot_id" bigint NOT NULL, "position" bigint NOT NULL, "kind" character varying NOT NULL COLLATE "C", "item_id" bigint NULL, "name" text NOT NULL COLLATE "C", "billed_type" text NOT NULL COLLATE "C", "quantity_e4" bigint NOT NULL, "rate_e4" bigint NOT NULL, "amount_cents" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "billeditem_snapshot_id_position" to table: "billed_items"
CREATE UNIQUE INDEX "billeditem_snapshot_id_position" ON "billed_items" ("snapshot_id", "position");
-- create index "billeditem_kind_item_id" to table: "billed_items"
CREATE INDEX "billeditem_kind_item_id" ON "billed_items" ("kind", "item_id");
-- create "billed_tickets" table
CREATE TABLE "billed_tickets" ("id" bigint NOT NULL, "snapshot_id" bigint NOT NULL, "position" bigint NOT NULL, "ticket_id" bigint NULL, "ticket_number" text NOT NULL COLLATE "C", "subject" text NOT NULL COLLATE "C", "hours_e4" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "billedticket_snapshot_id_position" to table: "billed_tickets"
CREATE UNIQUE INDEX "billedticket_snapshot_id_position" ON "billed_tickets" ("snapshot_id", "position");
-- create index "billedticket_ticket_id" to table: "billed_tickets"
CREATE INDEX "billedticket_ticket_id" ON "billed_tickets" ("ticket_id");
-- create "derived_bills" table
CREATE TABLE "derived_bills" ("snapshot_id" bigint NOT NULL, "reading" bigint NOT NULL, "source" character varying NOT NULL COLLATE "C", "problem" text NULL COLLATE "C", "rates" text NOT NULL COLLATE "C", "backup_bytes" bigint NOT NULL, PRIMARY KEY ("snapshot_id"));
-- create index "derivedbill_reading" to table: "derived_bills"
CREATE INDEX "derivedbill_reading" ON "derived_bills" ("reading");
