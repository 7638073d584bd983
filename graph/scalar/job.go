package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler"
	"github.com/hivematrix/codex/scheduler/jobs"
)

func jobTypes() enum[codex.JobType] {
	return enum[codex.JobType]{"SnapshotJobType", []word[codex.JobType]{
		{"SCHEDULED", codex.JobScheduled},
		{"BULK", codex.JobBulk},
	}}
}

func jobStates() enum[codex.JobState] {
	return enum[codex.JobState]{"SnapshotJobState", []word[codex.JobState]{
		{"QUEUED", codex.JobQueued},
		{"SYNCING", codex.JobSyncing},
		{"BLOCKED", codex.JobBlocked},
		{"RUNNING", codex.JobRunning},
		{"COMPLETED", codex.JobCompleted},
		{"FAILED", codex.JobFailed},
		{"CANCELLED", codex.JobCancelled},
	}}
}

func jobCompanyStates() enum[codex.JobCompanyState] {
	return enum[codex.JobCompanyState]{"SnapshotJobCompanyState", []word[codex.JobCompanyState]{
		{"WAITING", codex.CompanyWaiting},
		{"MADE", codex.CompanyMade},
		{"ALREADY", codex.CompanyAlready},
		{"FAILED", codex.CompanyFailed},
		{"HELD", codex.CompanyHeld},
	}}
}

func snapshotActions() enum[jobs.Action] {
	return enum[jobs.Action]{"SnapshotAction", []word[jobs.Action]{
		{"ASK", jobs.ActionAsk},
		{"ALREADY", jobs.ActionAlready},
		{"HOLD", jobs.ActionHold},
		{"UNKNOWN", jobs.ActionUnknown},
	}}
}

// The words of this one are texts in the database.
func scheduleNames() enum[string] {
	return enum[string]{"ScheduleName", []word[string]{
		{"FRESHSERVICE", string(codex.FeedFreshservice)},
		{"DATTO", string(codex.FeedDatto)},
		{"TICKETS", string(codex.FeedTickets)},
		{"SNAPSHOTS", scheduler.Snapshots},
	}}
}

// MarshalSnapshotJobType writes a type's word.
func MarshalSnapshotJobType(t codex.JobType) graphql.Marshaler { return jobTypes().marshal(t) }

// UnmarshalSnapshotJobType takes a type's word.
func UnmarshalSnapshotJobType(v any) (codex.JobType, error) { return jobTypes().unmarshal(v) }

// MarshalSnapshotJobState writes a state's word.
func MarshalSnapshotJobState(state codex.JobState) graphql.Marshaler {
	return jobStates().marshal(state)
}

// UnmarshalSnapshotJobState takes a state's word.
func UnmarshalSnapshotJobState(v any) (codex.JobState, error) { return jobStates().unmarshal(v) }

// MarshalSnapshotJobCompanyState writes a state's word.
func MarshalSnapshotJobCompanyState(state codex.JobCompanyState) graphql.Marshaler {
	return jobCompanyStates().marshal(state)
}

// UnmarshalSnapshotJobCompanyState takes a state's word.
func UnmarshalSnapshotJobCompanyState(v any) (codex.JobCompanyState, error) {
	return jobCompanyStates().unmarshal(v)
}

// MarshalSnapshotAction writes an action's word.
func MarshalSnapshotAction(action jobs.Action) graphql.Marshaler {
	return snapshotActions().marshal(action)
}

// UnmarshalSnapshotAction takes an action's word.
func UnmarshalSnapshotAction(v any) (jobs.Action, error) { return snapshotActions().unmarshal(v) }

// MarshalScheduleName writes a name's word.
func MarshalScheduleName(name string) graphql.Marshaler { return scheduleNames().marshal(name) }

// UnmarshalScheduleName takes a name's word.
func UnmarshalScheduleName(v any) (string, error) { return scheduleNames().unmarshal(v) }
