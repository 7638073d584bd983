package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// Schedule is how far something that runs by itself has come: one row a feed, and one for the monthly
// bills. What it is meant to do is in the configuration file, and for the bills in
// [ScheduledSnapshot].
type Schedule struct{ ent.Schema }

// Fields of the table schedules.
func (Schedule) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").StorageKey("name").Immutable().Comment("a feed's name, or snapshots"),
		field.Bool("on").StorageKey("switched_on").Comment("whether it was on at the last look"),
		field.Text("rule").Comment("the rule that counted then, as package scheduler writes it"),
		field.Time("owed_since").Comment("when it was made, switched on, or got its rule: what was due before is not owed"),
		instant("last_due_at", "the newest due time that is settled: it ran, or need not; null while there is none"),
		text("last_period", "the month, YYYY-MM, whose job began for last_due_at; null for feeds, and where none did"),
		text("last_run_id", "the sync run or the job that began last, or that it joined"),
		field.Int("attempts").Default(0).Comment("how often a run began for last_due_at: again where its process died"),
		field.Time("updated_at"),
	}
}

// Annotations name the table.
func (Schedule) Annotations() []schema.Annotation { return table("schedules") }

// MissedMonth is a month whose bills were due while nobody could make them, too long ago for the hub
// to make them by itself: a person decides. It is settled by a job of that month with all companies,
// or by a person who says that it needs none.
type MissedMonth struct{ ent.Schema }

// Fields of the table missed_months.
func (MissedMonth) Fields() []ent.Field {
	return []ent.Field{
		field.Int("year").Immutable(),
		field.Int("month").Immutable().Comment("1 to 12"),
		field.Time("due_at").Immutable().Comment("when its bills were due"),
		field.Time("noticed_at").Immutable().Comment("when the scheduler found that they were not made"),
		field.Text("reason").Immutable().Comment("why the hub does not make them, for people"),
		instant("settled_at", "when it was settled; null while it needs a person"),
		field.String("settled_job_id").GoType(codex.RunID("")).Optional().Nillable().
			Comment("the job that settled it; null where a person dismissed it"),
		text("settled_by", "the person who dismissed it; null where a job settled it"),
		text("note", "why it was dismissed, in that person's words"),
	}
}

// Indexes of the table missed_months.
func (MissedMonth) Indexes() []ent.Index {
	return []ent.Index{index.Fields("year", "month").Unique(), index.Fields("settled_at")}
}

// Annotations name the table.
func (MissedMonth) Annotations() []schema.Annotation { return table("missed_months") }
