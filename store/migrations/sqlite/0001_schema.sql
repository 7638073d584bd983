-- create "assets" table
CREATE TABLE `assets` (`id` integer NOT NULL, `datto_uid` text NULL, `hostname` text NOT NULL, `datto_site_uid` text NULL, `datto_site_name` text NULL, `hardware_type` text NULL, `operating_system` text NULL, `device_type` text NULL, `domain` text NULL, `suspended` bool NOT NULL DEFAULT (false), `backup_bytes` integer NULL, `datto_id` integer NULL, `device_class` text NULL, `description` text NULL, `last_logged_in_user` text NULL, `antivirus_product` text NULL, `ext_ip_address` text NULL, `int_ip_address` text NULL, `online` bool NULL, `last_seen` datetime NULL, `last_reboot` datetime NULL, `last_audit_date` datetime NULL, `patch_status` text NULL, `enabled_administrators` text NULL, `portal_url` text NULL, `web_remote_url` text NULL, `removed_at` datetime NULL, `company_account_number` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `assets_companies_assets` FOREIGN KEY (`company_account_number`) REFERENCES `companies` (`account_number`) ON DELETE NO ACTION);
-- create index "asset_datto_uid" to table: "assets"
CREATE UNIQUE INDEX `asset_datto_uid` ON `assets` (`datto_uid`);
-- create index "asset_company_account_number" to table: "assets"
CREATE INDEX `asset_company_account_number` ON `assets` (`company_account_number`);
-- create "asset_contact_link" table
CREATE TABLE `asset_contact_link` (`source` text NOT NULL DEFAULT ('manual'), `asset_id` integer NOT NULL, `contact_id` integer NOT NULL, PRIMARY KEY (`asset_id`, `contact_id`), CONSTRAINT `asset_contact_link_assets_asset` FOREIGN KEY (`asset_id`) REFERENCES `assets` (`id`) ON DELETE NO ACTION, CONSTRAINT `asset_contact_link_contacts_contact` FOREIGN KEY (`contact_id`) REFERENCES `contacts` (`id`) ON DELETE NO ACTION);
-- create index "assetcontactlink_contact_id_asset_id" to table: "asset_contact_link"
CREATE INDEX `assetcontactlink_contact_id_asset_id` ON `asset_contact_link` (`contact_id`, `asset_id`);
-- create "assets_history" table
CREATE TABLE `assets_history` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `asset_id` integer NOT NULL, `company_account_number` text NOT NULL, `datto_uid` text NULL, `hostname` text NOT NULL, `datto_site_uid` text NULL, `datto_site_name` text NULL, `hardware_type` text NULL, `operating_system` text NULL, `device_type` text NULL, `domain` text NULL, `suspended` bool NOT NULL DEFAULT (false), `seen_from` datetime NOT NULL, `seen_to` datetime NULL, `run_id` text NULL, `changed_by` text NULL);
-- create index "assetversion_asset_id_seen_from" to table: "assets_history"
CREATE INDEX `assetversion_asset_id_seen_from` ON `assets_history` (`asset_id`, `seen_from`);
-- create index "assetversion_seen_to" to table: "assets_history"
CREATE INDEX `assetversion_seen_to` ON `assets_history` (`seen_to`);
-- create index "assetversion_company_account_number_seen_from" to table: "assets_history"
CREATE INDEX `assetversion_company_account_number_seen_from` ON `assets_history` (`company_account_number`, `seen_from`);
-- create "backup_readings" table
CREATE TABLE `backup_readings` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `day` integer NOT NULL, `bytes` integer NULL, `asset_id` integer NOT NULL, CONSTRAINT `backup_readings_assets_backup_readings` FOREIGN KEY (`asset_id`) REFERENCES `assets` (`id`) ON DELETE NO ACTION);
-- create index "backupreading_asset_id_day" to table: "backup_readings"
CREATE UNIQUE INDEX `backupreading_asset_id_day` ON `backup_readings` (`asset_id`, `day`);
-- create "companies" table
CREATE TABLE `companies` (`account_number` text NOT NULL, `name` text NOT NULL, `freshservice_id` integer NULL, `description` text NULL, `plan_selected` text NULL, `profit_or_non_profit` text NULL, `company_main_number` text NULL, `company_start_date` text NULL, `head_name` text NULL, `primary_contact_name` text NULL, `domains` text NULL, `phone_system` text NULL, `email_system` text NULL, `contract_term_length` text NULL, `contract_start_date` text NULL, `contract_end_date` text NULL, `support_level` text NULL, `compliance_level` text NOT NULL DEFAULT ('standard'), `archived_at` datetime NULL, PRIMARY KEY (`account_number`));
-- create index "company_freshservice_id" to table: "companies"
CREATE UNIQUE INDEX `company_freshservice_id` ON `companies` (`freshservice_id`);
-- create "companies_history" table
CREATE TABLE `companies_history` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `account_number` text NOT NULL, `name` text NOT NULL, `freshservice_id` integer NULL, `description` text NULL, `plan_selected` text NULL, `profit_or_non_profit` text NULL, `company_main_number` text NULL, `company_start_date` text NULL, `head_name` text NULL, `primary_contact_name` text NULL, `domains` text NULL, `phone_system` text NULL, `email_system` text NULL, `contract_term_length` text NULL, `contract_start_date` text NULL, `contract_end_date` text NULL, `support_level` text NULL, `compliance_level` text NOT NULL DEFAULT ('standard'), `seen_from` datetime NOT NULL, `seen_to` datetime NULL, `run_id` text NULL, `changed_by` text NULL);
-- create index "companyversion_account_number_seen_from" to table: "companies_history"
CREATE INDEX `companyversion_account_number_seen_from` ON `companies_history` (`account_number`, `seen_from`);
-- create index "companyversion_seen_to" to table: "companies_history"
CREATE INDEX `companyversion_seen_to` ON `companies_history` (`seen_to`);
-- create "contacts" table
CREATE TABLE `contacts` (`id` integer NOT NULL, `name` text NOT NULL, `email` text NOT NULL, `freshservice_id` integer NULL, `title` text NULL, `employment_type` text NOT NULL DEFAULT ('Full Time'), `active` bool NOT NULL DEFAULT (true), `mobile_phone_number` text NULL, `work_phone_number` text NULL, `secondary_emails` text NULL, `removed_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "contact_freshservice_id" to table: "contacts"
CREATE UNIQUE INDEX `contact_freshservice_id` ON `contacts` (`freshservice_id`);
-- create "contact_company_link" table
CREATE TABLE `contact_company_link` (`source` text NOT NULL DEFAULT ('manual'), `contact_id` integer NOT NULL, `company_account_number` text NOT NULL, PRIMARY KEY (`company_account_number`, `contact_id`), CONSTRAINT `contact_company_link_contacts_contact` FOREIGN KEY (`contact_id`) REFERENCES `contacts` (`id`) ON DELETE NO ACTION, CONSTRAINT `contact_company_link_companies_company` FOREIGN KEY (`company_account_number`) REFERENCES `companies` (`account_number`) ON DELETE NO ACTION);
-- create index "contactcompanylink_contact_id_company_account_number" to table: "contact_company_link"
CREATE INDEX `contactcompanylink_contact_id_company_account_number` ON `contact_company_link` (`contact_id`, `company_account_number`);
-- create "contact_company_link_history" table
CREATE TABLE `contact_company_link_history` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `contact_id` integer NOT NULL, `company_account_number` text NOT NULL, `source` text NOT NULL DEFAULT ('manual'), `seen_from` datetime NOT NULL, `seen_to` datetime NULL, `run_id` text NULL, `changed_by` text NULL);
-- create index "contactcompanylinkversion_contact_id_seen_from" to table: "contact_company_link_history"
CREATE INDEX `contactcompanylinkversion_contact_id_seen_from` ON `contact_company_link_history` (`contact_id`, `seen_from`);
-- create index "contactcompanylinkversion_seen_to" to table: "contact_company_link_history"
CREATE INDEX `contactcompanylinkversion_seen_to` ON `contact_company_link_history` (`seen_to`);
-- create index "contactcompanylinkversion_company_account_number_seen_from" to table: "contact_company_link_history"
CREATE INDEX `contactcompanylinkversion_company_account_number_seen_from` ON `contact_company_link_history` (`company_account_number`, `seen_from`);
-- create "contacts_history" table
CREATE TABLE `contacts_history` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `contact_id` integer NOT NULL, `name` text NOT NULL, `email` text NOT NULL, `freshservice_id` integer NULL, `title` text NULL, `employment_type` text NOT NULL DEFAULT ('Full Time'), `active` bool NOT NULL DEFAULT (true), `mobile_phone_number` text NULL, `work_phone_number` text NULL, `secondary_emails` text NULL, `seen_from` datetime NOT NULL, `seen_to` datetime NULL, `run_id` text NULL, `changed_by` text NULL);
-- create index "contactversion_contact_id_seen_from" to table: "contacts_history"
CREATE INDEX `contactversion_contact_id_seen_from` ON `contacts_history` (`contact_id`, `seen_from`);
-- create index "contactversion_seen_to" to table: "contacts_history"
CREATE INDEX `contactversion_seen_to` ON `contacts_history` (`seen_to`);
-- create "datto_site_links" table
CREATE TABLE `datto_site_links` (`id` integer NOT NULL, `datto_site_uid` text NOT NULL, `name` text NOT NULL, `datto_id` integer NULL, `removed_at` datetime NULL, `company_account_number` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `datto_site_links_companies_site_links` FOREIGN KEY (`company_account_number`) REFERENCES `companies` (`account_number`) ON DELETE NO ACTION);
-- create index "dattositelink_datto_site_uid" to table: "datto_site_links"
CREATE UNIQUE INDEX `dattositelink_datto_site_uid` ON `datto_site_links` (`datto_site_uid`);
-- create index "dattositelink_company_account_number" to table: "datto_site_links"
CREATE INDEX `dattositelink_company_account_number` ON `datto_site_links` (`company_account_number`);
-- create "locations" table
CREATE TABLE `locations` (`id` integer NOT NULL, `name` text NOT NULL, `address` text NULL, `phone_number` text NULL, `removed_at` datetime NULL, `company_account_number` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `locations_companies_locations` FOREIGN KEY (`company_account_number`) REFERENCES `companies` (`account_number`) ON DELETE NO ACTION);
-- create index "location_company_account_number" to table: "locations"
CREATE INDEX `location_company_account_number` ON `locations` (`company_account_number`);
-- create "locations_history" table
CREATE TABLE `locations_history` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `location_id` integer NOT NULL, `company_account_number` text NOT NULL, `name` text NOT NULL, `address` text NULL, `phone_number` text NULL, `seen_from` datetime NOT NULL, `seen_to` datetime NULL, `run_id` text NULL, `changed_by` text NULL);
-- create index "locationversion_location_id_seen_from" to table: "locations_history"
CREATE INDEX `locationversion_location_id_seen_from` ON `locations_history` (`location_id`, `seen_from`);
-- create index "locationversion_seen_to" to table: "locations_history"
CREATE INDEX `locationversion_seen_to` ON `locations_history` (`seen_to`);
-- create index "locationversion_company_account_number_seen_from" to table: "locations_history"
CREATE INDEX `locationversion_company_account_number_seen_from` ON `locations_history` (`company_account_number`, `seen_from`);
-- create "revisions" table
CREATE TABLE `revisions` (`entity` text NOT NULL, `value` integer NOT NULL, PRIMARY KEY (`entity`));
-- create "sync_checkpoints" table
CREATE TABLE `sync_checkpoints` (`feed` text NOT NULL, `cursor` datetime NULL, `run_id` text NOT NULL, `run_mode` text NOT NULL, `done` text NOT NULL, PRIMARY KEY (`feed`));
-- create "sync_issues" table
CREATE TABLE `sync_issues` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `feed` text NOT NULL, `kind` text NOT NULL, `upstream_id` text NOT NULL, `reason` text NOT NULL, `company_account_number` text NULL, `first_seen_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `first_run_id` text NOT NULL, `closed_at` datetime NULL);
-- create index "syncissue_feed_kind_upstream_id" to table: "sync_issues"
CREATE UNIQUE INDEX `syncissue_feed_kind_upstream_id` ON `sync_issues` (`feed`, `kind`, `upstream_id`);
-- create index "syncissue_closed_at" to table: "sync_issues"
CREATE INDEX `syncissue_closed_at` ON `sync_issues` (`closed_at`);
-- create "sync_runs" table
CREATE TABLE `sync_runs` (`id` text NOT NULL, `feed` text NOT NULL, `mode` text NOT NULL, `trigger` text NOT NULL, `requested_by` text NOT NULL, `dry_run` bool NOT NULL, `forced` bool NOT NULL, `state` text NOT NULL, `queued_at` datetime NOT NULL, `started_at` datetime NULL, `ended_at` datetime NULL, `heartbeat_at` datetime NULL, `phase` text NOT NULL DEFAULT (''), `progress_done` integer NOT NULL DEFAULT (0), `progress_total` integer NOT NULL DEFAULT (0), `requests` integer NOT NULL DEFAULT (0), `waited_ms` integer NOT NULL DEFAULT (0), `counts` text NOT NULL DEFAULT ('[]'), `error` text NULL, `output` text NOT NULL DEFAULT (''), `resumed` bool NOT NULL DEFAULT (false), PRIMARY KEY (`id`));
-- create index "syncrun_feed_queued_at" to table: "sync_runs"
CREATE INDEX `syncrun_feed_queued_at` ON `sync_runs` (`feed`, `queued_at`);
-- create index "syncrun_queued_at" to table: "sync_runs"
CREATE INDEX `syncrun_queued_at` ON `sync_runs` (`queued_at`);
-- create index "syncrun_state" to table: "sync_runs"
CREATE INDEX `syncrun_state` ON `sync_runs` (`state`);
-- create "tickets" table
CREATE TABLE `tickets` (`ticket_id` integer NOT NULL, `subject` text NOT NULL, `closed` bool NOT NULL, `status` text NOT NULL, `status_code` integer NOT NULL, `priority` text NOT NULL, `requester_id` integer NULL, `requester_email` text NULL, `requester_name` text NULL, `created_at` datetime NOT NULL, `last_updated_at` datetime NOT NULL, `closed_at` datetime NULL, `spent_seconds` integer NOT NULL, `unbillable_seconds` integer NOT NULL, `description` text NOT NULL, `description_text` text NOT NULL, `conversations` text NOT NULL, `notes` text NOT NULL, `timer_running` bool NOT NULL, `upstream_updated_at` datetime NOT NULL, `removed_at` datetime NULL, `company_account_number` text NOT NULL, PRIMARY KEY (`ticket_id`), CONSTRAINT `tickets_companies_tickets` FOREIGN KEY (`company_account_number`) REFERENCES `companies` (`account_number`) ON DELETE NO ACTION);
-- create index "ticket_company_account_number_last_updated_at" to table: "tickets"
CREATE INDEX `ticket_company_account_number_last_updated_at` ON `tickets` (`company_account_number`, `last_updated_at`);
-- create index "ticket_last_updated_at" to table: "tickets"
CREATE INDEX `ticket_last_updated_at` ON `tickets` (`last_updated_at`);
-- create "tickets_history" table
CREATE TABLE `tickets_history` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `ticket_id` integer NOT NULL, `company_account_number` text NOT NULL, `subject` text NOT NULL, `closed` bool NOT NULL, `status` text NOT NULL, `status_code` integer NOT NULL, `priority` text NOT NULL, `requester_id` integer NULL, `requester_email` text NULL, `requester_name` text NULL, `created_at` datetime NOT NULL, `last_updated_at` datetime NOT NULL, `closed_at` datetime NULL, `spent_seconds` integer NOT NULL, `unbillable_seconds` integer NOT NULL, `seen_from` datetime NOT NULL, `seen_to` datetime NULL, `run_id` text NULL, `changed_by` text NULL);
-- create index "ticketversion_ticket_id_seen_from" to table: "tickets_history"
CREATE INDEX `ticketversion_ticket_id_seen_from` ON `tickets_history` (`ticket_id`, `seen_from`);
-- create index "ticketversion_seen_to" to table: "tickets_history"
CREATE INDEX `ticketversion_seen_to` ON `tickets_history` (`seen_to`);
-- create index "ticketversion_company_account_number_seen_from" to table: "tickets_history"
CREATE INDEX `ticketversion_company_account_number_seen_from` ON `tickets_history` (`company_account_number`, `seen_from`);
-- create "time_entries" table
CREATE TABLE `time_entries` (`id` integer NOT NULL, `agent_id` integer NULL, `spent_seconds` integer NOT NULL, `billable` bool NOT NULL, `timer_running` bool NOT NULL, `executed_at` datetime NULL, `note` text NULL, `ticket_id` integer NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `time_entries_tickets_time_entries` FOREIGN KEY (`ticket_id`) REFERENCES `tickets` (`ticket_id`) ON DELETE NO ACTION);
-- create index "timeentry_ticket_id" to table: "time_entries"
CREATE INDEX `timeentry_ticket_id` ON `time_entries` (`ticket_id`);
-- create "tokens" table
CREATE TABLE `tokens` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `role` text NOT NULL, `hash` text NOT NULL, `created_at` datetime NOT NULL, `created_by` text NOT NULL, `expires_at` datetime NULL, `last_used_at` datetime NULL, `revoked_at` datetime NULL);
-- create index "token_name" to table: "tokens"
CREATE UNIQUE INDEX `token_name` ON `tokens` (`name`);
-- create index "token_hash" to table: "tokens"
CREATE UNIQUE INDEX `token_hash` ON `tokens` (`hash`);
-- create "upstreams" table
CREATE TABLE `upstreams` (`name` text NOT NULL, `identity` text NOT NULL, `recorded_at` datetime NOT NULL, PRIMARY KEY (`name`));
