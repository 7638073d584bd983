-- create "acknowledgements" table
CREATE TABLE `acknowledgements` (`id` integer NOT NULL, `company_account_number` text NOT NULL, `billing_year` integer NOT NULL, `billing_month` integer NOT NULL, `kind` text NOT NULL, `item_entity` text NOT NULL, `item_id` text NOT NULL, `item_name` text NOT NULL, `fingerprint` text NOT NULL, `standing` bool NOT NULL, `note` text NOT NULL, `acknowledged_by` text NOT NULL, `acknowledged_at` datetime NOT NULL, `withdrawn_by` text NULL, `withdrawn_note` text NULL, `withdrawn_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "acknowledgement_billing_year_billing_month" to table: "acknowledgements"
CREATE INDEX `acknowledgement_billing_year_billing_month` ON `acknowledgements` (`billing_year`, `billing_month`);
-- create index "acknowledgement_company_account_number" to table: "acknowledgements"
CREATE INDEX `acknowledgement_company_account_number` ON `acknowledgements` (`company_account_number`);
-- create "billed_items" table
CREATE TABLE `billed_items` (`id` integer NOT NULL, `snapshot_id` integer NOT NULL, `position` integer NOT NULL, `kind` text NOT NULL, `item_id` integer NULL, `name` text NOT NULL, `billed_type` text NOT NULL, `quantity_e4` integer NOT NULL, `rate_e4` integer NOT NULL, `amount_cents` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "billeditem_snapshot_id_position" to table: "billed_items"
CREATE UNIQUE INDEX `billeditem_snapshot_id_position` ON `billed_items` (`snapshot_id`, `position`);
-- create index "billeditem_kind_item_id" to table: "billed_items"
CREATE INDEX `billeditem_kind_item_id` ON `billed_items` (`kind`, `item_id`);
-- create "billed_tickets" table
CREATE TABLE `billed_tickets` (`id` integer NOT NULL, `snapshot_id` integer NOT NULL, `position` integer NOT NULL, `ticket_id` integer NULL, `ticket_number` text NOT NULL, `subject` text NOT NULL, `hours_e4` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "billedticket_snapshot_id_position" to table: "billed_tickets"
CREATE UNIQUE INDEX `billedticket_snapshot_id_position` ON `billed_tickets` (`snapshot_id`, `position`);
-- create index "billedticket_ticket_id" to table: "billed_tickets"
CREATE INDEX `billedticket_ticket_id` ON `billed_tickets` (`ticket_id`);
-- create "derived_bills" table
CREATE TABLE `derived_bills` (`snapshot_id` integer NOT NULL, `reading` integer NOT NULL, `source` text NOT NULL, `problem` text NULL, `rates` text NOT NULL, `backup_bytes` integer NOT NULL, PRIMARY KEY (`snapshot_id`));
-- create index "derivedbill_reading" to table: "derived_bills"
CREATE INDEX `derivedbill_reading` ON `derived_bills` (`reading`);
