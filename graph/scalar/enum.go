package scalar

import (
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex"
)

// enum is one of the schema's enums: its words, each with the value of ours that it stands for.
type enum[T ~string] struct {
	name  string
	words []word[T]
}

type word[T ~string] struct {
	text  string
	value T
}

// marshal writes value's word. One that has none is written as it is, so that it is seen.
func (e enum[T]) marshal(value T) graphql.Marshaler {
	for _, w := range e.words {
		if w.value == value {
			return graphql.MarshalString(w.text)
		}
	}
	return graphql.MarshalString(string(value))
}

// unmarshal takes the words alone, in their own letters.
func (e enum[T]) unmarshal(v any) (T, error) {
	text, ok := v.(string)
	for _, w := range e.words {
		if ok && w.text == text {
			return w.value, nil
		}
	}
	all := make([]string, len(e.words))
	for i, w := range e.words {
		all[i] = w.text
	}
	return "", InputError(fmt.Sprintf("a %s is one of %s, in capital letters", e.name, strings.Join(all, ", ")))
}

func roles() enum[codex.Role] {
	return enum[codex.Role]{"Role", []word[codex.Role]{
		{"ADMIN", codex.RoleAdmin},
		{"BILLING", codex.RoleBilling},
		{"TECHNICIAN", codex.RoleTechnician},
		{"SERVICE", codex.RoleService},
	}}
}

func feeds() enum[codex.Feed] {
	return enum[codex.Feed]{"Feed", []word[codex.Feed]{
		{"FRESHSERVICE", codex.FeedFreshservice},
		{"DATTO", codex.FeedDatto},
		{"TICKETS", codex.FeedTickets},
	}}
}

func runModes() enum[codex.RunMode] {
	return enum[codex.RunMode]{"RunMode", []word[codex.RunMode]{
		{"INCREMENTAL", codex.ModeIncremental},
		{"FULL", codex.ModeFull},
		{"REREAD", codex.ModeReread},
	}}
}

func runStates() enum[codex.RunState] {
	return enum[codex.RunState]{"RunState", []word[codex.RunState]{
		{"QUEUED", codex.RunQueued},
		{"RUNNING", codex.RunRunning},
		{"SUCCEEDED", codex.RunSucceeded},
		{"PARTIAL", codex.RunPartial},
		{"HELD", codex.RunHeld},
		{"FAILED", codex.RunFailed},
		{"CANCELLED", codex.RunCancelled},
		{"INTERRUPTED", codex.RunInterrupted},
	}}
}

func runTriggers() enum[codex.RunTrigger] {
	return enum[codex.RunTrigger]{"RunTrigger", []word[codex.RunTrigger]{
		{"CLI", codex.TriggerCLI},
		{"API", codex.TriggerAPI},
		{"SCHEDULE", codex.TriggerSchedule},
		{"CATCH_UP", codex.TriggerCatchUp},
		{"WEBHOOK", codex.TriggerWebhook},
		{"JOB", codex.TriggerJob},
		{"DEMO", codex.TriggerDemo},
	}}
}

// MarshalRole writes a role's word.
func MarshalRole(role codex.Role) graphql.Marshaler { return roles().marshal(role) }

// UnmarshalRole takes a role's word.
func UnmarshalRole(v any) (codex.Role, error) { return roles().unmarshal(v) }

// MarshalFeed writes a feed's word.
func MarshalFeed(feed codex.Feed) graphql.Marshaler { return feeds().marshal(feed) }

// UnmarshalFeed takes a feed's word.
func UnmarshalFeed(v any) (codex.Feed, error) { return feeds().unmarshal(v) }

// MarshalRunMode writes a mode's word.
func MarshalRunMode(mode codex.RunMode) graphql.Marshaler { return runModes().marshal(mode) }

// UnmarshalRunMode takes a mode's word.
func UnmarshalRunMode(v any) (codex.RunMode, error) { return runModes().unmarshal(v) }

// MarshalRunState writes a state's word.
func MarshalRunState(state codex.RunState) graphql.Marshaler { return runStates().marshal(state) }

// UnmarshalRunState takes a state's word.
func UnmarshalRunState(v any) (codex.RunState, error) { return runStates().unmarshal(v) }

// MarshalRunTrigger writes a trigger's word.
func MarshalRunTrigger(trigger codex.RunTrigger) graphql.Marshaler {
	return runTriggers().marshal(trigger)
}

// UnmarshalRunTrigger takes a trigger's word.
func UnmarshalRunTrigger(v any) (codex.RunTrigger, error) { return runTriggers().unmarshal(v) }
