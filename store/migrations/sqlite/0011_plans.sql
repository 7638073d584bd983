-- Billing plans: new tables, their history, and the old service's billing_plans as a view over plans.
-- It locks nothing that is there.
-- create "feature_category_config" table
CREATE TABLE `feature_category_config` (`id` integer NOT NULL, `feature_key` text NOT NULL, `display_name` text NOT NULL, `full_name` text NULL, `description` text NULL, PRIMARY KEY (`id`));
-- create index "featurecategoryconfig_feature_key" to table: "feature_category_config"
CREATE UNIQUE INDEX `featurecategoryconfig_feature_key` ON `feature_category_config` (`feature_key`);
-- create "feature_options" table
CREATE TABLE `feature_options` (`id` integer NOT NULL, `feature_category` text NOT NULL, `option_value` text NOT NULL, `display_name` text NULL, `description` text NULL, PRIMARY KEY (`id`));
-- create index "featureoption_feature_category_option_value" to table: "feature_options"
CREATE UNIQUE INDEX `featureoption_feature_category_option_value` ON `feature_options` (`feature_category`, `option_value`);
-- create "plans" table
CREATE TABLE `plans` (`id` integer NOT NULL, `plan_name` text NOT NULL, `term_length` text NOT NULL, `support_level` text NOT NULL DEFAULT ('Billed Hourly'), `per_user_cost_e4` integer NOT NULL, `per_workstation_cost_e4` integer NOT NULL, `per_server_cost_e4` integer NOT NULL, `per_vm_cost_e4` integer NOT NULL, `per_switch_cost_e4` integer NOT NULL, `per_firewall_cost_e4` integer NOT NULL, `per_hour_ticket_cost_e4` integer NOT NULL, `backup_base_fee_workstation_e4` integer NOT NULL, `backup_base_fee_server_e4` integer NOT NULL, `backup_included_tb_e4` integer NOT NULL, `backup_per_tb_fee_e4` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "plan_plan_name_term_length" to table: "plans"
CREATE UNIQUE INDEX `plan_plan_name_term_length` ON `plans` (`plan_name`, `term_length`);
-- create "plan_features" table
CREATE TABLE `plan_features` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `feature_type` text NOT NULL, `feature_value` text NOT NULL, `plan_id` integer NOT NULL, CONSTRAINT `plan_features_plans_features` FOREIGN KEY (`plan_id`) REFERENCES `plans` (`id`) ON DELETE NO ACTION);
-- create index "planfeature_plan_id_feature_type" to table: "plan_features"
CREATE UNIQUE INDEX `planfeature_plan_id_feature_type` ON `plan_features` (`plan_id`, `feature_type`);
-- create "plans_history" table
CREATE TABLE `plans_history` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `plan_id` integer NOT NULL, `plan_name` text NOT NULL, `term_length` text NOT NULL, `support_level` text NOT NULL DEFAULT ('Billed Hourly'), `per_user_cost_e4` integer NOT NULL, `per_workstation_cost_e4` integer NOT NULL, `per_server_cost_e4` integer NOT NULL, `per_vm_cost_e4` integer NOT NULL, `per_switch_cost_e4` integer NOT NULL, `per_firewall_cost_e4` integer NOT NULL, `per_hour_ticket_cost_e4` integer NOT NULL, `backup_base_fee_workstation_e4` integer NOT NULL, `backup_base_fee_server_e4` integer NOT NULL, `backup_included_tb_e4` integer NOT NULL, `backup_per_tb_fee_e4` integer NOT NULL, `features` text NOT NULL, `seen_from` datetime NOT NULL, `seen_to` datetime NULL, `run_id` text NULL, `changed_by` text NULL, `ended_run_id` text NULL, `ended_by` text NULL);
-- create index "planversion_plan_id_seen_from" to table: "plans_history"
CREATE INDEX `planversion_plan_id_seen_from` ON `plans_history` (`plan_id`, `seen_from`);
-- create index "planversion_seen_from" to table: "plans_history"
CREATE INDEX `planversion_seen_from` ON `plans_history` (`seen_from`);
-- create index "planversion_seen_to" to table: "plans_history"
CREATE INDEX `planversion_seen_to` ON `plans_history` (`seen_to`);
-- create index "planversion_plan_name_term_length_seen_from" to table: "plans_history"
CREATE INDEX `planversion_plan_name_term_length_seen_from` ON `plans_history` (`plan_name`, `term_length`, `seen_from`);
-- The table billing_plans of the old service, under its names.
CREATE VIEW billing_plans AS
SELECT
	id,
	plan_name,
	term_length,
	support_level,
	per_user_cost_e4 / 10000.0 AS per_user_cost,
	per_workstation_cost_e4 / 10000.0 AS per_workstation_cost,
	per_server_cost_e4 / 10000.0 AS per_server_cost,
	per_vm_cost_e4 / 10000.0 AS per_vm_cost,
	per_switch_cost_e4 / 10000.0 AS per_switch_cost,
	per_firewall_cost_e4 / 10000.0 AS per_firewall_cost,
	per_hour_ticket_cost_e4 / 10000.0 AS per_hour_ticket_cost,
	backup_base_fee_workstation_e4 / 10000.0 AS backup_base_fee_workstation,
	backup_base_fee_server_e4 / 10000.0 AS backup_base_fee_server,
	backup_included_tb_e4 / 10000.0 AS backup_included_tb,
	backup_per_tb_fee_e4 / 10000.0 AS backup_per_tb_fee
FROM plans;
