SELECT COUNT(`companies`.`account_number`) FROM `companies` WHERE `companies`.`archived_at` IS NULL;
SELECT `assets`.`id`, `assets`.`backup_bytes`, `assets`.`hostname`, `assets`.`company_account_number` FROM `assets` WHERE `assets`.`removed_at` IS NULL AND `assets`.`company_account_number` IN (SELECT value FROM json_each(?)) ORDER BY `assets`.`id`;
SELECT `companies`.`account_number`, `companies`.`account_number` AS `sort_0` FROM `companies` WHERE `companies`.`archived_at` IS NULL ORDER BY `companies`.`account_number` COLLATE BINARY LIMIT 101;
