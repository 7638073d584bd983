package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// SyncRun is one run of a feed, from the moment it was asked for. REST calls it a job.
type SyncRun struct{ ent.Schema }

// Fields of the table sync_runs.
func (SyncRun) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").GoType(codex.RunID("")).Immutable().Comment("a UUID; REST's job_id"),
		field.String("feed").GoType(codex.Feed("")).Immutable(),
		field.String("mode").GoType(codex.RunMode("")).Immutable(),
		field.String("trigger").GoType(codex.RunTrigger("")).Immutable(),
		field.Text("requested_by").Immutable().Comment("the caller's name"),
		field.Bool("dry_run").Immutable().Comment("plans and writes nothing but this row"),
		field.Bool("forced").Immutable().Comment("the removal guard was off"),
		field.String("state").GoType(codex.RunState("")),
		field.Time("queued_at").Immutable(),
		instant("started_at", "when it had its feed's lease"),
		instant("ended_at", "when it reached a final state"),
		instant("heartbeat_at", "the last sign of life; a run without one is found interrupted"),
		field.String("phase").Default("").Comment("what it is doing, for people: reading devices, applying"),
		field.Int("progress_done").Default(0),
		field.Int("progress_total").Default(0).Comment("0 while it is not known"),
		field.Int("requests").Default(0).Comment("requests made to the upstream, retries included"),
		field.Int64("waited_ms").Default(0).Comment("time waited for the upstream's limits, milliseconds"),
		field.Text("counts").Default("[]").Comment("counts per entity: a JSON array"),
		text("error", "why it failed, was held or is partial, for people"),
		field.Text("output").Default("").Comment("its lines, for people; REST's output"),
		field.Bool("resumed").Default(false).Comment("went on from the sync checkpoint of a run that died"),
		text("cancel_requested_by", "who asked it to stop; it does within seconds, or has ended before"),
		text("approved_by", "who approved the removals that it holds"),
		text("approval_reason", "why, in that person's words"),
		instant("approved_at", "when"),
		field.String("approval_run_id").GoType(codex.RunID("")).Optional().Nillable().
			Comment("the run that made the approved removals; null while they wait for one"),
	}
}

// Indexes of the table sync_runs.
func (SyncRun) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("feed", "queued_at"), index.Fields("queued_at"), index.Fields("state"),
		index.Fields("feed", "ended_at"), // the last one before a moment
	}
}

// Annotations name the table.
func (SyncRun) Annotations() []schema.Annotation { return table("sync_runs") }

// SyncChange is one change of a plan that was not written: of a dry run all of them, of another run
// the removals that it holds. What was written is in the history.
type SyncChange struct{ ent.Schema }

// Fields of the table sync_changes.
func (SyncChange) Fields() []ent.Field {
	return []ent.Field{
		field.String("run_id").GoType(codex.RunID("")).Immutable(),
		field.Int("ordinal").Immutable().Comment("its place in the plan, from 1"),
		field.String("entity").Immutable().Comment("companies, contacts, assets ..."),
		field.String("kind").Immutable().Comment("created, changed, removed, returned or held"),
		field.Text("record_id").Immutable().Comment("the record's key here; of one to be created, at its upstream"),
		field.Text("label").Immutable().Comment("what people call it"),
		field.String("company_account_number").GoType(codex.AccountNumber("")).Optional().Nillable().Immutable().
			Comment("the company that it belongs to"),
		field.Text("fields").Immutable().Comment("what changes: a JSON array of field, old and new"),
	}
}

// Indexes of the table sync_changes.
func (SyncChange) Indexes() []ent.Index {
	return []ent.Index{index.Fields("run_id", "ordinal").Unique()}
}

// Annotations name the table.
func (SyncChange) Annotations() []schema.Annotation { return table("sync_changes") }

// SyncReread is a record of Freshservice that a webhook named: it is read again. One row a record,
// however often it is named; the row stays when it was read, to tell a run that has read the record
// before that what it has is old.
type SyncReread struct{ ent.Schema }

// Fields of the table sync_rereads.
func (SyncReread) Fields() []ent.Field {
	return []ent.Field{
		field.String("record").Immutable().Comment("ticket, requester or department"),
		field.Int64("upstream_id").Immutable().Comment("its id in Freshservice"),
		field.Int64("announcements").Comment("how often it was named: a re-read settles those that it knew of"),
		field.Time("announced_at").Comment("when it was named last"),
		instant("due_at", "when it is to be read; null while nothing waits"),
		field.Int("attempts").Default(0).Comment("how often reading it has failed since it last could be read"),
		text("error", "why it could not be read the last time"),
		instant("read_from", "when the last re-read that succeeded began"),
	}
}

// Indexes of the table sync_rereads.
func (SyncReread) Indexes() []ent.Index {
	return []ent.Index{index.Fields("record", "upstream_id").Unique(), index.Fields("due_at")}
}

// Annotations name the table.
func (SyncReread) Annotations() []schema.Annotation { return table("sync_rereads") }

// SyncIssue is something of an upstream that could not be placed, and why. One row by feed, kind
// and upstream id; it is closed by the run that no longer meets it and opened again by one that
// does.
type SyncIssue struct{ ent.Schema }

// Fields of the table sync_issues.
func (SyncIssue) Fields() []ent.Field {
	return []ent.Field{
		field.String("feed").GoType(codex.Feed("")).Immutable(),
		field.String("kind").Immutable().Comment("a word of syncers: no_account_number, ticket_without_company ..."),
		field.Text("upstream_id").Immutable().Comment("the id of what it is about, at its upstream"),
		field.Text("reason").Comment("what is wrong and what to do, for people"),
		field.String("company_account_number").GoType(codex.AccountNumber("")).Optional().Nillable().
			Comment("the company it concerns, where it is known; it need not exist"),
		field.Time("first_seen_at"),
		field.Time("last_seen_at").Comment("when it was last written; an open one was seen by each complete run since"),
		field.String("first_run_id").GoType(codex.RunID("")).Comment("the run that met it first"),
		instant("closed_at", "when a run no longer met it; null while open"),
	}
}

// Indexes of the table sync_issues.
func (SyncIssue) Indexes() []ent.Index {
	return []ent.Index{index.Fields("feed", "kind", "upstream_id").Unique(), index.Fields("closed_at")}
}

// Annotations name the table.
func (SyncIssue) Annotations() []schema.Annotation { return table("sync_issues") }

// SyncCheckpoint is how far a feed has read.
type SyncCheckpoint struct{ ent.Schema }

// Fields of the table sync_checkpoints.
func (SyncCheckpoint) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").GoType(codex.Feed("")).StorageKey("feed").Immutable(),
		instant("cursor", "what was updated before it has been read; moved at the end of a run alone"),
		instant("listed_at", "when the run began that moved the cursor last, by our clock"),
		field.String("run_id").GoType(codex.RunID("")).Comment("the run that wrote it last"),
		field.Text("run_mode").Comment("the mode of that run"),
		field.Text("done").Comment("while that run is unfinished, the upstream versions it has done: a JSON object"),
	}
}

// Annotations name the table.
func (SyncCheckpoint) Annotations() []schema.Annotation { return table("sync_checkpoints") }

// Upstream remembers which account of an upstream the data came from, so that another one (a
// sandbox, a demo) never empties it.
type Upstream struct{ ent.Schema }

// Fields of the table upstreams.
func (Upstream) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").StorageKey("name").Immutable().Comment("freshservice or datto"),
		field.Text("identity").Comment("Freshservice's domain; Datto's accountUid"),
		field.Time("recorded_at"),
	}
}

// Annotations name the table.
func (Upstream) Annotations() []schema.Annotation { return table("upstreams") }

// Revision counts the writes to an entity's tables. A plan remembers the revisions that it was made
// from and is refused as stale when they have moved.
type Revision struct{ ent.Schema }

// Fields of the table revisions.
func (Revision) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").StorageKey("entity").Immutable().Comment("companies, contacts, assets ..."),
		field.Int64("value"),
	}
}

// Annotations name the table.
func (Revision) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "revisions"}}
}
