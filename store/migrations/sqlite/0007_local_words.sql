-- Who said what a company's telephone and e-mail systems are: a person, or Freshservice. Columns with a
-- constant default rewrite no table.
-- add column "phone_system_local" to table: "companies"
ALTER TABLE `companies` ADD COLUMN `phone_system_local` bool NOT NULL DEFAULT false;
-- add column "email_system_local" to table: "companies"
ALTER TABLE `companies` ADD COLUMN `email_system_local` bool NOT NULL DEFAULT false;
