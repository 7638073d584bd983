package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// The tables of this file have the columns of the old Archive service under its names
// (docs/compatibility.md, "Archive"), and the hub's own beside them.

// ScheduledSnapshot is when the monthly bills are made: one row, made at the first start of a
// database.
type ScheduledSnapshot struct{ ent.Schema }

// Fields of the table scheduled_snapshots.
func (ScheduledSnapshot) Fields() []ent.Field {
	return []ent.Field{
		field.Int("id").Immutable().Comment("1").Annotations(notIncremental()),
		field.Bool("enabled").Default(true),
		field.Int("day_of_month").Default(1).Comment("1 to 31; in a shorter month its last day"),
		field.Int("hour").Default(2).Comment("0 to 23, in the schedule's time zone"),
		field.Bool("snapshot_previous_month").Default(true).Comment("false: the month in which it runs"),
		field.Bool("snapshot_all_companies").Default(true).Comment("false: those of account_numbers"),
		instant("last_run_at", "when the last job ended, whoever started it"),
		text("last_run_status", "success or failed: any company failed or was held"),
		field.Int("last_run_count").Optional().Nillable().Comment("how many bills it made or found there"),
		text("last_run_log", "what it says of itself, for people"),
		field.Time("created_at").Immutable(),
		field.Time("updated_at").Comment("when a person changed it last"),
		text("updated_by", "who that was; null where nobody has changed it"),
		text("account_numbers", "the companies that it is for where it is not for all: a JSON array"),
		field.Time("owed_since").Comment("what was due before is not made up for: when the database was made, or it was switched on again"),
	}
}

// Annotations name the table.
func (ScheduledSnapshot) Annotations() []schema.Annotation { return table("scheduled_snapshots") }

// SnapshotJob asks Ledger for the bills of a month, company by company. status, success, output and
// error are what the old service says of a job; state is where it really stands.
type SnapshotJob struct{ ent.Schema }

// Fields of the table snapshot_jobs.
func (SnapshotJob) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").GoType(codex.RunID("")).Immutable().Comment("a UUID"),
		field.String("job_type").GoType(codex.JobType("")).Immutable().Comment("scheduled or bulk"),
		field.String("status").Comment("running, completed or failed: the old service's word for state"),
		field.Int("target_year").Immutable(),
		field.Int("target_month").Immutable().Comment("1 to 12"),
		text("target_account_numbers", "a JSON array; null: every company that was served in the month"),
		field.Int("total_companies").Default(0).Comment("0 while it is not known"),
		field.Int("completed_companies").Default(0).Comment("whose bill was made or was there"),
		field.Int("failed_companies").Default(0),
		field.Time("started_at").Immutable().Comment("when it was asked for"),
		instant("completed_at", "when it ended last"),
		field.Bool("success").Optional().Nillable().Comment("whether every company has its bill; null while it has not ended"),
		text("output", "success_count, failed_count and errors: a JSON object; null while it has not ended, and without companies"),
		text("error", "why it ended before all companies were asked"),
		field.Text("triggered_by").Immutable().Comment("the caller's name; scheduler"),

		field.String("state").GoType(codex.JobState("")),
		field.String("trigger").GoType(codex.RunTrigger("")).Immutable(),
		field.Time("due_at").Optional().Nillable().Immutable().Comment("of a scheduled one, the time that it was due; no two have the same"),
		field.Bool("by_person").Comment("who asked last is a person, whose token its worker keeps in memory to show it to Ledger"),
		field.Int("round").Default(1).Comment("1, and one more with each retry"),
		field.Int("held_companies").Default(0).Comment("left out because the bill review flags them"),
		text("worker", "the process that works on it, or keeps the token of who asked"),
		instant("heartbeat_at", "that process's last sign of life"),
		instant("begun_at", "when a process first worked on it"),
		text("blocked_reason", "why it waits, for people; null unless it is blocked"),
		text("forced_by", "who had it go on although it was blocked"),
		text("force_reason", "why, in that person's words"),
		text("cancel_requested_by", "who asked it to stop; it does between two companies"),
		field.Text("notes").Default("").Comment("what is to be known of the data that the bills were made from: lines, for people"),
	}
}

// Indexes of the table snapshot_jobs.
func (SnapshotJob) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("due_at").Unique(),
		index.Fields("started_at", "id"),
		index.Fields("state"),
		index.Fields("target_year", "target_month"),
	}
}

// Annotations name the table.
func (SnapshotJob) Annotations() []schema.Annotation { return table("snapshot_jobs") }

// SnapshotJobCompany is a company of a job, and what became of its bill.
type SnapshotJobCompany struct{ ent.Schema }

// Fields of the table snapshot_job_companies.
func (SnapshotJobCompany) Fields() []ent.Field {
	return []ent.Field{
		field.String("job_id").GoType(codex.RunID("")).Immutable(),
		field.String("account_number").GoType(codex.AccountNumber("")).Immutable().
			Comment("as it was asked for; the company need not exist"),
		field.Int("position").Immutable().Comment("its place in the job, from 1"),
		field.String("state").GoType(codex.JobCompanyState("")),
		field.Int("attempts").Default(0).Comment("how often Ledger was asked for the bill, in all rounds"),
		text("reason", "why it failed or is held, for people"),
		text("invoice_number", "of its bill, where that is known"),
		instant("asked_at", "when Ledger was asked last"),
		instant("ended_at", "when it was known what became of it; null while it waits"),
	}
}

// Indexes of the table snapshot_job_companies.
func (SnapshotJobCompany) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("job_id", "account_number").Unique(),
		index.Fields("job_id", "position").Unique(),
		index.Fields("account_number"),
	}
}

// Annotations name the table.
func (SnapshotJobCompany) Annotations() []schema.Annotation { return table("snapshot_job_companies") }
