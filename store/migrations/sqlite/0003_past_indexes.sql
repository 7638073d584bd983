-- What changed lately, over all rows of an entity, and the last run of a feed before a moment.
-- Writers wait meanwhile, for seconds per million versions; readers do not.
-- create index "assetversion_seen_from" to table: "assets_history"
CREATE INDEX `assetversion_seen_from` ON `assets_history` (`seen_from`);
-- create index "companyversion_seen_from" to table: "companies_history"
CREATE INDEX `companyversion_seen_from` ON `companies_history` (`seen_from`);
-- create index "contactcompanylinkversion_seen_from" to table: "contact_company_link_history"
CREATE INDEX `contactcompanylinkversion_seen_from` ON `contact_company_link_history` (`seen_from`);
-- create index "contactversion_seen_from" to table: "contacts_history"
CREATE INDEX `contactversion_seen_from` ON `contacts_history` (`seen_from`);
-- create index "locationversion_seen_from" to table: "locations_history"
CREATE INDEX `locationversion_seen_from` ON `locations_history` (`seen_from`);
-- create index "syncrun_feed_ended_at" to table: "sync_runs"
CREATE INDEX `syncrun_feed_ended_at` ON `sync_runs` (`feed`, `ended_at`);
-- create index "ticketversion_seen_from" to table: "tickets_history"
CREATE INDEX `ticketversion_seen_from` ON `tickets_history` (`seen_from`);
