package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// sent is a bill that was handed in, and what came back: status 0 is no answer.
type sent struct {
	invoice, body string
	status        int
	answer        string
}

// handIn sends a bill; a connection that ends, or does not begin, is no answer.
func handIn(t *testing.T, archive, token, invoice, body string) sent {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, archive+"/api/snapshot", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	s := sent{invoice: invoice, body: body}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return s
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil { // it broke off
		return s
	}
	s.status, s.answer = response.StatusCode, string(text)
	return s
}

// killing hands in bills of which nobody knows when the program will be killed.
type killing struct {
	*installation
	token  string
	random *rand.Rand
	next   int
	signed []byte // the newest log checkpoint when it was killed before
}

// TestAKillInMidAcceptLeavesAWholeBillOrNothing kills a codex serve, five times a database or as many as
// -soak says, while four callers hand in bills: at a moment that nobody chose.
func TestAKillInMidAcceptLeavesAWholeBillOrNothing(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			t.Parallel()
			k := killing{installation: archiving(t, dialectName), random: rand.New(rand.NewPCG(seed, 2))}
			k.token = k.installation.token("service")
			db := k.open(dialectName)
			answered, unanswered := map[string]bool{}, []sent{}
			checked, killed, tries, whole, nothing := 0, 0, 0, 0, 0
			for ; killed < 5**soak; tries++ {
				if tries == 50**soak {
					t.Fatalf("it is never killed in mid-accept: seed %d", seed)
				}
				p := k.start()
				for _, s := range unanswered {
					switch again := handIn(t, p.archive, k.token, s.invoice, s.body); {
					case again.status == http.StatusCreated:
						nothing++
					case again.status == http.StatusConflict && !strings.Contains(again.answer, "differing_fields"):
						whole++
					default:
						t.Errorf("%s handed in again: %d %s", s.invoice, again.status, again.answer)
					}
					answered[s.invoice+" 1"] = true
				}
				unanswered = nil
				for _, s := range k.handInUntilKilled(p) {
					switch s.status {
					case 0:
						unanswered = append(unanswered, s)
					case http.StatusCreated:
						answered[s.invoice+" 1"] = true
					default:
						t.Errorf("%s: %d %s", s.invoice, s.status, s.answer)
					}
				}
				if len(unanswered) > 0 {
					killed++
				}
				checked = k.sound(db, checked, answered, unanswered)
				if t.Failed() {
					t.Fatalf("try %d, seed %d\n%s", tries, seed, p.stderr)
				}
			}
			k.signed = nil // the last kill's may have no row
			k.sound(db, 0, answered, unanswered)
			t.Logf("%d kills in %d serves; of the bills without an answer %d were whole and %d were not there; %d bills in all",
				killed, tries, whole, nothing, checked)
		})
	}
}

// handInUntilKilled has four callers hand in one bill after the other, and kills the program.
func (k *killing) handInUntilKilled(p *process) []sent {
	const callers = 4
	var mu sync.Mutex
	var all []sent
	var working sync.WaitGroup
	begun := make(chan struct{})
	var once sync.Once
	for range callers {
		working.Go(func() {
			for {
				mu.Lock()
				k.next++
				invoice := fmt.Sprintf("620547-%06d", k.next)
				body := billOf(k.t, k.random, invoice)
				mu.Unlock()
				s := handIn(k.t, p.archive, k.token, invoice, body)
				once.Do(func() { close(begun) })
				mu.Lock()
				all = append(all, s)
				mu.Unlock()
				if s.status == 0 {
					return
				}
			}
		})
	}
	<-begun
	mu.Lock()
	wait := time.Duration(k.random.Int64N(int64(80 * time.Millisecond)))
	mu.Unlock()
	time.Sleep(wait)
	p.kill()
	working.Wait()
	return all
}

// sound makes sure that every answered bill is there, once, and no other but those that had no answer;
// that the archive is as it was logged, and the log begins with what was signed before.
func (k *killing) sound(db *store.DB, checked int, answered map[string]bool, unanswered []sent) int {
	k.t.Helper()
	bills := evidence(k.t, db, checked+1)
	report, err := audit.Verify(k.t.Context(), db, audit.Options{Against: k.signed})
	if err != nil {
		k.t.Fatal(err)
	}
	// What was signed when it was killed has its row once the next serve has signed.
	if k.signed, err = os.ReadFile(filepath.Join(k.dir, "instance", "archive.checkpoint")); err != nil {
		k.t.Fatal(err)
	}
	for _, finding := range report.Findings {
		k.t.Errorf("the verifier finds %+v", finding)
	}
	may := map[string]bool{}
	for _, s := range unanswered {
		may[s.invoice+" 1"] = true
	}
	for number := range answered {
		if bills[number] != 1 {
			k.t.Errorf("%s was answered 201 and is there %d times", number, bills[number])
		}
	}
	for number, n := range bills {
		if !answered[number] && !may[number] || n != 1 {
			k.t.Errorf("%s is there %d times, and nobody handed it in", number, n)
		}
	}
	return len(bills)
}
