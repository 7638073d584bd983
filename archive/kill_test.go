package archive_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// acceptance is what a process of its own does: accept a bill, and die at a statement.
type acceptance struct {
	Dialect, Path, DSN string
	KeyFile            string
	Body               string
	DieAt              int // the statement, from 1 on, before which it is killed; 0 is none
}

// asAcceptance has this program do what the variable says, in the place of tests.
const asAcceptance = "CODEX_TEST_ACCEPTANCE"

func TestMain(m *testing.M) {
	if text := os.Getenv(asAcceptance); text != "" {
		statements, err := doAcceptance(context.Background(), text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(statements)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func doAcceptance(ctx context.Context, text string) (statements int, err error) {
	var a acceptance
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return 0, err
	}
	begun := false
	o := store.Options{Dialect: a.Dialect, Path: a.Path, DSN: codex.Secret(a.DSN), Now: now, Logger: slog.New(slog.DiscardHandler)}
	storetest.OnStatement(func(string) {
		if begun {
			if statements++; statements == a.DieAt {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // until it strikes
			}
		}
	})(&o)
	db, err := store.Open(ctx, o)
	if err != nil {
		return 0, err
	}
	submission, err := archive.ParseSubmission([]byte(a.Body))
	if err != nil {
		return 0, err
	}
	begun = true
	_, err = archive.New(archive.Options{DB: db, KeyFile: a.KeyFile, Random: rand.Reader, Logger: o.Logger}).Accept(ctx, submission, ledger())
	return statements, err
}

// start does it in a process of its own, and gives what it printed, or that it was killed.
func (a acceptance) start(t *testing.T) (printed string, killed bool) {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	process := exec.CommandContext(t.Context(), program)
	process.Env = []string{asAcceptance + "=" + string(text)}
	process.Stdout, process.Stderr = &stdout, &stderr
	if err = process.Run(); err == nil {
		return strings.TrimSpace(stdout.String()), false
	}
	if status, ok := process.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	return "", true
}

// A process is killed before each statement of an acceptance in turn, signing included. After each the
// archive is sound, with the bill or without it, and the bill can be handed in again.
func TestAKillAtAnyStatementLeavesTheWholeBillOrNothingOfIt(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			t.Parallel() // it waits for processes
			database := storetest.Fresh(t, dialectName)
			db := database.Open(t, storetest.Now(now))
			a := acceptance{
				Dialect: dialectName, Path: database.Options().Path, DSN: database.Options().DSN.Reveal(),
				KeyFile: filepath.Join(t.TempDir(), "archive.key"),
			}
			here := open(t, db, func(o *archive.Options) { o.KeyFile, o.Random = a.KeyFile, rand.Reader })
			accept(t, here, bill(t)) // with it the log has its key
			a.Body = string(bill(t, invoice, "the whole"))
			printed, _ := a.start(t)
			statements, err := strconv.Atoi(printed)
			if err != nil || statements < 15 {
				t.Fatalf("an acceptance takes %s statements", printed)
			}
			bills, whole := 2, 0
			for a.DieAt = 1; a.DieAt <= statements; a.DieAt++ {
				body := bill(t, invoice, fmt.Sprint("killed-", a.DieAt))
				a.Body = string(body)
				if _, killed := a.start(t); !killed {
					t.Fatalf("it was not killed at the statement %d of %d", a.DieAt, statements)
				}
				there := count(t, db, "snapshots") - bills
				if there < 0 || there > 1 {
					t.Fatalf("killed at the statement %d: %d bills more", a.DieAt, there)
				}
				treeIsWhole(t, db, bills+there)
				isSound(t, db, nil)
				whole += there
				if accepted := accept(t, here, body); accepted.Existing != (there == 1) || len(accepted.Differing) > 0 {
					t.Errorf("killed at the statement %d, and handed in again: %+v", a.DieAt, accepted)
				}
				bills++
			}
			if whole == 0 || whole == statements {
				t.Errorf("of %d bills %d were whole: it was always killed on one side of the commit", statements, whole)
			}
			signed, err := here.Checkpoint(t.Context())
			if err != nil || signed.Size != int64(bills) {
				t.Fatalf("%+v, %v", signed, err)
			}
			isSound(t, db, []byte(signed.Note))
		})
	}
}

// isSound has the verifier look for what is not as it was logged.
func isSound(t *testing.T, db *store.DB, against []byte) {
	t.Helper()
	report, err := audit.Verify(t.Context(), db, audit.Options{Against: against})
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("the verifier finds %s", finding)
	}
}
