-- What needs a person, to be told by webhook: a new table, which locks nothing that is there.
-- create "notifications" table
CREATE TABLE "notifications" ("id" character varying NOT NULL COLLATE "C", "kind" character varying NOT NULL COLLATE "C", "subject" character varying NOT NULL COLLATE "C", "body" text NOT NULL COLLATE "C", "created_at" timestamptz NOT NULL, "next_at" timestamptz NULL, "attempts" bigint NOT NULL DEFAULT 0, "delivered_at" timestamptz NULL, "gave_up_at" timestamptz NULL, "last_error" text NULL COLLATE "C", PRIMARY KEY ("id"));
-- create index "notification_next_at" to table: "notifications"
CREATE INDEX "notification_next_at" ON "notifications" ("next_at");
-- create index "notification_subject_created_at" to table: "notifications"
CREATE INDEX "notification_subject_created_at" ON "notifications" ("subject", "created_at");
-- create index "notification_created_at" to table: "notifications"
CREATE INDEX "notification_created_at" ON "notifications" ("created_at");
