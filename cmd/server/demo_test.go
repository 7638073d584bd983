package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// demo runs codex serve --demo until it says that Ctrl-C stops it.
func (i *installation) demo(args ...string) *served {
	i.t.Helper()
	i.env["CODEX_SERVER_LISTEN"], i.env["CODEX_SERVER_ARCHIVE_LISTEN"] = "127.0.0.1:0", "127.0.0.1:0"
	s := &served{installation: i, stdout: &lockedBuffer{}, stderr: &lockedBuffer{}}
	ctx, cancel := context.WithCancel(i.t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- i.program(s.stdout, s.stderr).run(ctx, append([]string{"serve", "--demo"}, args...))
	}()
	s.stop = sync.OnceValue(func() outcome {
		cancel()
		return outcome{<-ended, s.stdout.String(), s.stderr.String()}
	})
	i.t.Cleanup(func() { s.stop() })
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(s.stdout.String(), "Ctrl-C stops it.") {
			return s
		}
		if len(ended) > 0 {
			break
		}
	}
	i.t.Fatalf("no demo:\n%s%s", s.stdout, s.stderr)
	return nil
}

func TestTheDemoShowsItsProofAndLeavesOtherInstancesAlone(t *testing.T) {
	i := bare(t)
	i.env["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/elsewhere" // a demo heeds neither
	i.env["CODEX_FRESHSERVICE_DOMAIN"] = "acme.freshservice.com"
	i.write("instance/codex.conf", "[freshservice]\napi_key = x\ndomain = acme.freshservice.com\n")
	free := []string{"--demo-freshservice", "127.0.0.1:5191", "--demo-datto", "127.0.0.1:5192", "--demo-core", "127.0.0.1:5193",
		"--demo-ledger", "127.0.0.1:5194", "--demo-keycloak", "127.0.0.1:5195"}

	s := i.demo(free...)
	text := s.stdout.String()
	curl := regexp.MustCompile(`(?m)^curl -s (\S+) -H 'Authorization: Bearer (\S+)' -H 'Content-Type: application/json' -d '(.*)'$`).FindAllStringSubmatch(text, -1)
	if len(curl) != 1 {
		t.Fatalf("%d lines to paste:\n%s", len(curl), text)
	}
	url, token, body := curl[0][1], curl[0][2], curl[0][3]
	got := send(t, http.MethodPost, url, token, body)
	var data struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(got.body), &data); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if shown, err := shortened(data.Data); err != nil || !strings.Contains(text, shown) || strings.Count(shown, "\n") < 15 {
		t.Errorf("the proof is not what the line to paste gives: %v\n%s", err, shown)
	}
	demoBills(t, strings.TrimSuffix(url, "/graphql"), token)
	// A connection that carries no request, as clients open them in reserve, is no reason to fail.
	reserve, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", free[1])
	if err != nil {
		t.Fatal(err)
	}
	defer reserve.Close()
	if stopped := s.stop(); stopped.status != exitOK || stopped.stderr != "" {
		t.Errorf("status %d\n%s", stopped.status, stopped.stderr)
	}

	again := i.demo(free...)
	address := regexp.MustCompile(`GraphQL +(\S+)`).FindStringSubmatch(again.stdout.String())[1]
	if got := send(t, http.MethodPost, address, token, body); got.status != http.StatusUnauthorized {
		t.Errorf("an earlier demo's token: %d", got.status)
	}
	if taken := i.codex(append([]string{"serve", "--demo", "--instance", "other-demo"}, free...)...); taken.status != exitFailed ||
		!strings.Contains(taken.stderr, "address already in use") || !strings.Contains(taken.stderr, "--demo-freshservice, --demo-datto, --demo-core, --demo-ledger and --demo-keycloak take other addresses") {
		t.Errorf("%+v", taken)
	}
	if stopped := again.stop(); stopped.status != exitOK {
		t.Errorf("status %d\n%s", stopped.status, stopped.stderr)
	}

	if refused := i.codex("serve", "--demo", "--instance", "instance"); refused.status != exitFailed ||
		!strings.Contains(refused.stderr, "a demo never touches the instance of a hub") {
		t.Errorf("%+v", refused)
	}
	if names := namesIn(t, filepath.Join(i.dir, "instance")); !slices.Equal(names, []string{"codex.conf"}) {
		t.Errorf("instance holds %v", names)
	}
	if names := namesIn(t, i.dir); !slices.Equal(names, []string{"instance", "instance-demo"}) {
		t.Errorf("the folder holds %v", names)
	}
}

// demoBills has the demo's Ledger, at 127.0.0.1:5194, accept two bills of Contoso, which takes the hub's address,
// its plans and the machines' types: last month's as Ledger C, which keeps it, and an earlier one as Ledger B,
// which sends it to the hub.
func demoBills(t *testing.T, hub, token string) {
	t.Helper()
	exchanged := send(t, http.MethodPost, "http://127.0.0.1:5193/api/token/exchange", "", `{"access_token":"demo-billing"}`)
	var given struct{ Token string }
	if err := json.Unmarshal([]byte(exchanged.body), &given); err != nil || given.Token == "" {
		t.Fatalf("Core: %d %s", exchanged.status, exchanged.body)
	}
	accept := func(month time.Time) (invoice string) {
		invoice = "620547-" + month.Format("200601")
		accepted := send(t, http.MethodPost, "http://127.0.0.1:5194/api/bill/accept", given.Token,
			fmt.Sprintf(`{"account_number":"620547","year":%d,"month":%d}`, month.Year(), month.Month()))
		if accepted.status != http.StatusCreated || !strings.Contains(accepted.body, `"invoice_number":"`+invoice+`"`) {
			t.Fatalf("Ledger: %d %s", accepted.status, accepted.body)
		}
		return invoice
	}
	now := time.Now().UTC()
	last := now.AddDate(0, 0, -now.Day())
	invoice := accept(last)
	csv := send(t, http.MethodGet, "http://127.0.0.1:5194/archive/api/snapshot/"+invoice+"/csv", given.Token, "")
	if !strings.Contains(csv.body, "(Workstation)") || !strings.Contains(csv.body, "(Server)") || !strings.Contains(csv.body, "(Paid)") {
		t.Errorf("the bill has no workstation, server or person: %d %s", csv.status, csv.body)
	}
	if set := send(t, http.MethodPost, "http://127.0.0.1:5191/_simulator/ledger", "", `{"generation":"B"}`); set.status != http.StatusOK {
		t.Fatalf("the simulator: %d %s", set.status, set.body)
	}
	earlier := accept(last.AddDate(0, 0, -last.Day()))
	archived := send(t, http.MethodGet, hub+"/api/snapshot/"+earlier+"/csv", token, "")
	if archived.status != http.StatusOK || !strings.Contains(archived.body, "\r\n"+earlier+",Contoso,") {
		t.Errorf("the hub's archive has no such bill: %d %s", archived.status, archived.body)
	}
}

func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestSimulateServesUpstreamsThatAHubCanRead(t *testing.T) {
	t.Parallel() // it waits for the limits of the plan
	i := bare(t)
	stdout, stderr := &lockedBuffer{}, &lockedBuffer{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- i.program(stdout, stderr).run(ctx, strings.Fields(
			"simulate --listen-freshservice 127.0.0.1:0 --listen-datto 127.0.0.1:0 --listen-core 127.0.0.1:0 --listen-ledger 127.0.0.1:0 --listen-keycloak 127.0.0.1:0 --companies 6 --assets 60 --contacts 30 --tickets 40 --tier enterprise"))
	}()
	for until := time.Now().Add(patience); !regexp.MustCompile(`\nurl = \S+\n`).MatchString(stdout.String()); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s%s", stdout, stderr)
		}
	}
	i.write("instance/codex.conf", stdout.String()) // what it prints is a configuration
	for feed, run := range runs(t, i.must("sync", "all", "--json")) {
		if run["state"] != "succeeded" || run["created"] == 0.0 {
			t.Errorf("%s: %v", feed, run)
		}
	}
	cancel()
	if status := <-ended; status != exitOK {
		t.Errorf("status %d\n%s", status, stderr)
	}
}
