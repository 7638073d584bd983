-- What is derived from bills tells which costs could not be read, what a name alone tells, and the backup
-- of each machine. It locks the two tables for an instant. Package reconcile fills the new columns: it
-- reads all bills anew.
ALTER TABLE `billed_items` ADD COLUMN `unread` bool NOT NULL DEFAULT false;
ALTER TABLE `billed_items` ADD COLUMN `told_by_name` bool NOT NULL DEFAULT false;
ALTER TABLE `billed_items` ADD COLUMN `backup_bytes` integer NOT NULL DEFAULT 0;
ALTER TABLE `derived_bills` DROP COLUMN `backup_bytes`;
