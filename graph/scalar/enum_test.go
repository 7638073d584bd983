package scalar_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/graph/scalar"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/scheduler/jobs"
)

// An enum of the schema is taken and written word by word as the schema has it, and means what the
// constant of that name means.
func TestAnEnumHasTheWordsOfTheSchemaAndNoOthers(t *testing.T) {
	t.Run("Role", func(t *testing.T) {
		enum(t, "Role", scalar.UnmarshalRole, scalar.MarshalRole, codex.TokenRoles()...)
	})
	t.Run("Feed", func(t *testing.T) {
		enum(t, "Feed", scalar.UnmarshalFeed, scalar.MarshalFeed, codex.Feeds()...)
	})
	t.Run("RunMode", func(t *testing.T) {
		enum(t, "RunMode", scalar.UnmarshalRunMode, scalar.MarshalRunMode, codex.ModeIncremental, codex.ModeFull, codex.ModeReread)
	})
	t.Run("RunState", func(t *testing.T) {
		enum(t, "RunState", scalar.UnmarshalRunState, scalar.MarshalRunState,
			codex.RunQueued, codex.RunRunning, codex.RunSucceeded, codex.RunPartial, codex.RunHeld,
			codex.RunFailed, codex.RunCancelled, codex.RunInterrupted)
	})
	t.Run("RunTrigger", func(t *testing.T) {
		enum(t, "RunTrigger", scalar.UnmarshalRunTrigger, scalar.MarshalRunTrigger,
			codex.TriggerCLI, codex.TriggerAPI, codex.TriggerSchedule, codex.TriggerCatchUp,
			codex.TriggerWebhook, codex.TriggerJob, codex.TriggerDemo)
	})
	t.Run("HistoryEntity", func(t *testing.T) {
		enum(t, "HistoryEntity", scalar.UnmarshalHistoryEntity, scalar.MarshalHistoryEntity, query.Entities()...)
	})
	t.Run("ChangeKind", func(t *testing.T) {
		enum(t, "ChangeKind", scalar.UnmarshalChangeKind, scalar.MarshalChangeKind,
			query.ChangeCreated, query.ChangeChanged, query.ChangeRemoved, query.ChangeReturned)
	})
	t.Run("Direction", func(t *testing.T) {
		enum(t, "Direction", scalar.UnmarshalDirection, scalar.MarshalDirection, query.Ascending, query.Descending)
	})
	t.Run("SearchType", func(t *testing.T) {
		enum(t, "SearchType", scalar.UnmarshalSearchType, scalar.MarshalSearchType, query.SearchTypes()...)
	})
	t.Run("SearchMatch", func(t *testing.T) {
		enum(t, "SearchMatch", scalar.UnmarshalSearchMatch, scalar.MarshalSearchMatch, query.SearchMatches()...)
	})
	t.Run("BillContent", func(t *testing.T) {
		enum(t, "BillContent", scalar.UnmarshalBillContent, scalar.MarshalBillContent, proof.Contents()...)
	})
	t.Run("SnapshotOrigin", func(t *testing.T) {
		enum(t, "SnapshotOrigin", scalar.UnmarshalSnapshotOrigin, scalar.MarshalSnapshotOrigin, "posted", "fetched", "imported")
	})
	t.Run("SnapshotEventKind", func(t *testing.T) {
		enum(t, "SnapshotEventKind", scalar.UnmarshalSnapshotEventKind, scalar.MarshalSnapshotEventKind, "reopened", "closed")
	})
	t.Run("SnapshotRevisions", func(t *testing.T) {
		enum(t, "SnapshotRevisions", scalar.UnmarshalSnapshotRevisions, scalar.MarshalSnapshotRevisions,
			query.RevisionsCurrent, query.RevisionsOpen, query.RevisionsNewest, query.RevisionsAll)
	})
	t.Run("SnapshotJobType", func(t *testing.T) {
		enum(t, "SnapshotJobType", scalar.UnmarshalSnapshotJobType, scalar.MarshalSnapshotJobType, codex.JobScheduled, codex.JobBulk)
	})
	t.Run("SnapshotJobState", func(t *testing.T) {
		enum(t, "SnapshotJobState", scalar.UnmarshalSnapshotJobState, scalar.MarshalSnapshotJobState,
			codex.JobQueued, codex.JobSyncing, codex.JobBlocked, codex.JobRunning, codex.JobCompleted, codex.JobFailed, codex.JobCancelled)
	})
	t.Run("SnapshotJobCompanyState", func(t *testing.T) {
		enum(t, "SnapshotJobCompanyState", scalar.UnmarshalSnapshotJobCompanyState, scalar.MarshalSnapshotJobCompanyState,
			codex.CompanyWaiting, codex.CompanyMade, codex.CompanyAlready, codex.CompanyFailed, codex.CompanyHeld)
	})
	t.Run("SnapshotAction", func(t *testing.T) {
		enum(t, "SnapshotAction", scalar.UnmarshalSnapshotAction, scalar.MarshalSnapshotAction,
			jobs.ActionAsk, jobs.ActionAlready, jobs.ActionHold, jobs.ActionUnknown)
	})
	t.Run("ScheduleName", func(t *testing.T) {
		enum(t, "ScheduleName", scalar.UnmarshalScheduleName, scalar.MarshalScheduleName, "freshservice", "datto", "tickets", "snapshots")
	})
	t.Run("RunChangeKind", func(t *testing.T) {
		enum(t, "RunChangeKind", scalar.UnmarshalRunChangeKind, scalar.MarshalRunChangeKind,
			query.ChangeCreated, query.ChangeChanged, query.ChangeRemoved, query.ChangeReturned, query.ChangeHeld)
	})
}

// What gqlgen makes of enum_values takes a word that it does not know for none, and gqlparser lets
// words in any letter case pass.
func TestEveryEnumOfTheSchemaIsInTheTestAbove(t *testing.T) {
	tested := []string{"Role", "Feed", "RunMode", "RunState", "RunTrigger", "HistoryEntity", "ChangeKind", "RunChangeKind", "Direction", "SearchType", "SearchMatch", "BillContent",
		"SnapshotOrigin", "SnapshotEventKind", "SnapshotRevisions", "SnapshotJobType", "SnapshotJobState", "SnapshotJobCompanyState", "SnapshotAction", "ScheduleName"}
	for name, def := range exec.NewExecutableSchema(exec.Config{}).Schema().Types {
		if def.Kind == ast.Enum && !def.BuiltIn && !slices.Contains(tested, name) &&
			!strings.HasSuffix(name, "OrderField") && !strings.HasSuffix(name, "GroupBy") {
			t.Errorf("%s is not tested: give it functions in enum.go, name them in gqlgen.yml in the place of enum_values, and test it", name)
		}
	}
}

func enum[T ~string](t *testing.T, name string, take func(any) (T, error), write func(T) graphql.Marshaler, values ...T) {
	words := exec.NewExecutableSchema(exec.Config{}).Schema().Types[name].EnumValues
	if len(words) != len(values) {
		t.Errorf("the schema has %d words, there are %d values", len(words), len(values))
	}
	for _, value := range values {
		word := strings.ToUpper(strings.ReplaceAll(string(value), "-", "_"))
		if !slices.ContainsFunc(words, func(v *ast.EnumValueDefinition) bool { return v.Name == word }) {
			t.Errorf("the schema has no word for %q", value)
		}
		if got, err := take(word); got != value || err != nil {
			t.Errorf("%s is taken for %q, %v", word, got, err)
		}
		if got, want := text(write(value)), `"`+word+`"`; got != want {
			t.Errorf("%q is written %s, want %s", value, got, want)
		}
		for _, bad := range []any{strings.ToLower(word), string(value), word + " ", word[:1] + strings.ToLower(word[1:])} {
			if got, err := take(bad); err == nil {
				t.Errorf("%q is taken for %q", bad, got)
			}
		}
	}
	for _, bad := range []any{"", "NONE", nil, 0, int64(1), json.Number("1"), true} {
		got, err := take(bad)
		if refused, ok := err.(scalar.InputError); got != "" || !ok || !strings.Contains(string(refused), words[0].Name) { //nolint:errorlint // as it is, unwrapped
			t.Errorf("%#v is taken for %q, %v", bad, got, err)
		}
	}
}
