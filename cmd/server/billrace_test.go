package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/store/storetest"
)

// TestAHundredAcceptancesOfOneBillStoreIt hands one bill in a hundred times at once: half of them over
// HTTP, each on a connection of its own, to one codex serve or, on PostgreSQL, to three; the other half
// in this process, beside them.
func TestAHundredAcceptancesOfOneBillStoreIt(t *testing.T) {
	const bills, acceptances = 3, 100
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := archiving(t, dialectName)
			token := i.token("service")
			processes := []*process{i.start()}
			if dialectName == dialect.Postgres { // which more than one may serve
				processes = append(processes, i.replica().start(), i.replica().start())
			}
			db := i.open(dialectName)
			beside := archive.New(archive.Options{
				DB: db, KeyFile: filepath.Join(i.dir, "instance", "archive.key"), Random: rand.Reader, Logger: slog.New(slog.DiscardHandler),
			})
			random := mathrand.New(mathrand.NewPCG(1, 2))
			want := []string{}
			for n := range bills {
				invoice := fmt.Sprintf("620547-20250%d", n+1)
				want = append(want, invoice+" 1")
				body := billOf(t, random, invoice)
				submission, err := archive.ParseSubmission([]byte(body))
				if err != nil {
					t.Fatal(err)
				}
				overHTTP := func(at int) string {
					s := handIn(t, processes[at%len(processes)].archive, token, invoice, body)
					switch {
					case s.status == http.StatusCreated:
						return "stored"
					case s.status == http.StatusConflict && s.answer == `{"error":"Snapshot already exists for invoice `+invoice+"\"}\n":
						return "there"
					}
					return s.answer
				}
				inProcess := func() string {
					accepted, err := beside.Accept(context.Background(), submission, codex.Caller{Name: "x", Role: codex.RoleAdmin})
					switch {
					case err != nil:
						return err.Error()
					case !accepted.Existing:
						return "stored"
					case len(accepted.Differing) == 0:
						return "there"
					}
					return fmt.Sprint(accepted.Differing)
				}
				answers := make([]string, acceptances)
				var working sync.WaitGroup
				start := make(chan struct{})
				for at := range answers {
					working.Go(func() {
						<-start
						if at%2 == 0 {
							answers[at] = overHTTP(at / 2)
						} else {
							answers[at] = inProcess()
						}
					})
				}
				close(start)
				working.Wait()
				slices.Sort(answers)
				if answers[0] != "stored" || answers[1] != "there" || answers[acceptances-1] != "there" {
					t.Errorf("bill %d: %v", n, slices.Compact(answers))
				}
			}
			if got := evidence(t, db, 1).numbers(); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}
