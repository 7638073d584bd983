package syncers_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// changes are what a run keeps of its plan, a line a change, in the order of the plan.
func (h *hub) changes(run *ent.SyncRun) []string {
	h.t.Helper()
	rows, err := h.db.SQL().QueryContext(h.t.Context(),
		"SELECT entity, kind, record_id, label, company_account_number, fields FROM sync_changes WHERE run_id = $1 ORDER BY ordinal", run.ID)
	h.must(err)
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var entity, kind, record, label, fields string
		var account *string
		h.must(rows.Scan(&entity, &kind, &record, &label, &account, &fields))
		line := []string{entity, kind, record, label}
		if account != nil {
			line = append(line, *account)
		}
		if fields != "[]" {
			line = append(line, fields)
		}
		list = append(list, strings.Join(line, " "))
	}
	h.must(rows.Err())
	return list
}

// approve lets what a run holds go.
func (h *hub) approve(run *ent.SyncRun) *ent.SyncRun {
	h.t.Helper()
	approved, err := h.engine.Approve(h.t.Context(), run.ID, "ana", "They have closed that office.")
	h.must(err)
	return approved
}

func (h *hub) lines(got, want []string) {
	h.t.Helper()
	if !slices.Equal(got, want) {
		h.t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestTheNextRunMakesExactlyTheApprovedRemovals(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		all := h.customers()
		_, pc := h.yard(all[1], 40)
		target := h.world.AddSite("Target", number(all[2]))
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		for _, uid := range pc[:6] {
			h.must(h.world.RemoveDevice(uid))
		}
		for _, uid := range pc[6:12] {
			h.must(h.world.MoveDevice(uid, target))
		}
		held := h.run(syncers.Request{Feed: codex.FeedDatto})
		h.expect(held, codex.RunHeld)
		if kept := h.changes(held); len(kept) != 12 || !strings.HasPrefix(kept[0], "assets held ") {
			t.Fatalf("the run keeps what it holds: %q", kept)
		}
		approved := h.approve(held)
		if approved.ApprovedAt == nil || *approved.ApprovedBy != "ana" || *approved.ApprovalReason != "They have closed that office." || approved.ApprovalRunID != nil {
			t.Errorf("%+v", approved)
		}

		_, err := h.world.AddDevice(target, "BACK", nil)
		h.must(err)
		for _, uid := range pc[12:24] {
			h.must(h.world.RemoveDevice(uid))
		}
		again := h.run(syncers.Request{Feed: codex.FeedDatto})
		h.expect(again, codex.RunHeld)
		h.is("SELECT count(*) AS n FROM assets WHERE removed_at IS NOT NULL", "n=6")
		h.is("SELECT count(*) AS n FROM assets WHERE datto_site_uid = '"+target+"'", "n=7")
		for _, c := range h.counts(again) {
			if c.Entity == "assets" && (c.Removed != 6 || c.Held != 12) {
				t.Errorf("%+v", c)
			}
		}
		h.is(fmt.Sprintf("SELECT approval_run_id AS r FROM sync_runs WHERE id = '%s'", held.ID), "r="+string(again.ID))
	})
}

func TestAnApprovalIsSpentByARunThatCouldReadEverythingAlone(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.hire(h.customers()[1].ID, 20)
		h.sync(codex.FeedFreshservice)
		team := h.staff(h.customers()[1].ID)
		for _, r := range team[:12] {
			h.must(h.world.RemoveRequester(r.ID))
		}
		held := h.run(syncers.Request{Feed: codex.FeedFreshservice})
		h.expect(held, codex.RunHeld)
		h.approve(held)

		dry := h.run(syncers.Request{Feed: codex.FeedFreshservice, DryRun: true})
		h.expect(dry, codex.RunSucceeded)
		clear := h.fault(simulator.Freshservice, fmt.Sprintf("/api/v2/requesters/%d", team[0].ID), failing())
		h.expect(h.run(syncers.Request{Feed: codex.FeedFreshservice}), codex.RunPartial)
		h.is("SELECT count(*) AS n FROM contacts WHERE removed_at IS NOT NULL", "n=11")
		clear()
		h.sync(codex.FeedFreshservice)
		h.is("SELECT count(*) AS n FROM contacts WHERE removed_at IS NOT NULL", "n=12")
		h.is("SELECT count(*) AS n FROM sync_runs WHERE approved_at IS NOT NULL AND approval_run_id IS NULL", "n=0")
	})
}

func TestTicketsThatAreApprovedGoWithTheNextRun(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		home, other := h.customers()[1], h.customers()[2]
		var ids []int64
		for range 14 {
			ids = append(ids, h.closed(home.ID))
		}
		h.tick()
		for _, id := range ids[:6] {
			h.must(h.world.DeleteTicket(id))
		}
		for _, id := range ids[6:12] {
			h.must(h.world.MoveTicket(id, &other.ID))
		}
		h.pass(time.Hour)
		held := h.run(syncers.Request{Feed: codex.FeedTickets})
		h.expect(held, codex.RunHeld)
		var want []string
		for i, id := range ids[:12] {
			line := fmt.Sprintf("tickets held %d Test %s", id, number(home))
			if i >= 6 {
				line += fmt.Sprintf(` [{"field":"company_account_number","old":%q,"new":%q}]`, number(home), number(other))
			}
			want = append(want, line)
		}
		h.lines(h.changes(held), want)
		h.approve(held)
		h.pass(72 * time.Hour)
		h.expect(h.run(syncers.Request{Feed: codex.FeedTickets}), codex.RunSucceeded)
		h.is("SELECT company_account_number AS a, count(*) AS n, count(removed_at) AS gone FROM tickets WHERE subject = 'Test' GROUP BY company_account_number",
			slices.Sorted(slices.Values([]string{"a=" + number(home) + " n=8 gone=6", "a=" + number(other) + " n=6 gone=0"}))...)
	})
}

// Freshservice tells of a ticket that was purged in no list of changes: a full run misses it, and an
// incremental one asks for it once it is approved.
func TestPurgedTicketsThatAFullRunHoldsGoWithAnyRunOnceApproved(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		var ids []int64
		for range 14 {
			ids = append(ids, h.closed(h.customers()[1].ID))
		}
		h.tick()
		for _, id := range ids[:12] {
			h.must(h.world.RemoveTicket(id))
		}
		h.pass(time.Hour)
		held := h.run(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull})
		h.expect(held, codex.RunHeld)
		h.sync(codex.FeedTickets) // sees nothing of it, and so settles nothing
		h.approve(held)
		h.sync(codex.FeedTickets)
		h.is("SELECT count(*) AS n FROM tickets WHERE removed_at IS NOT NULL", "n=12")
	})
}

func TestOnlyWhatIsHeldCanBeApprovedAndOnce(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.hire(h.customers()[1].ID, 20)
		h.sync(codex.FeedFreshservice)
		succeeded := h.run(syncers.Request{Feed: codex.FeedFreshservice})
		for _, r := range h.staff(h.customers()[1].ID)[:12] {
			h.must(h.world.RemoveRequester(r.ID))
		}
		dry := h.run(syncers.Request{Feed: codex.FeedFreshservice, DryRun: true})
		older := h.run(syncers.Request{Feed: codex.FeedFreshservice})
		h.pass(time.Minute)
		held := h.run(syncers.Request{Feed: codex.FeedFreshservice})
		refuse := func(id codex.RunID, reason string, code codex.Code, text string) {
			t.Helper()
			_, err := h.engine.Approve(t.Context(), id, "ana", reason)
			if codex.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), text) {
				t.Errorf("got %v, want %s: %s", err, code, text)
			}
		}
		refuse(held.ID, " \n", codex.CodeBadInput, "say why")
		refuse(held.ID, strings.Repeat("x", 1001), codex.CodeBadInput, "at most 1000")
		refuse("nobody", "why not", codex.CodeNotFound, "there is no sync run nobody")
		refuse(succeeded.ID, "why not", codex.CodeBadInput, "holds no removals")
		refuse(dry.ID, "why not", codex.CodeBadInput, "dry run")
		refuse(older.ID, "why not", codex.CodeConflict, "approve what that one holds")
		h.approve(held)
		refuse(held.ID, "again", codex.CodeConflict, "ana has approved")
	})
}

func TestAForcedRunSaysWhatItRemoved(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		h.hire(h.customers()[1].ID, 20)
		h.sync(codex.FeedFreshservice)
		gone := h.staff(h.customers()[1].ID)[:12]
		var want []string
		for _, r := range gone {
			want = append(want, "removed from contacts: "+h.contactID(r.ID)+" "+h.value("SELECT name || ' <' || email || '>' AS n FROM contacts WHERE freshservice_id = $1", r.ID))
			h.must(h.world.RemoveRequester(r.ID))
		}
		run := h.run(syncers.Request{Feed: codex.FeedFreshservice, Force: true})
		for _, line := range want {
			if !slices.Contains(strings.Split(run.Output, "\n"), line) {
				t.Errorf("no line %q in\n%s", line, run.Output)
			}
		}
	})
}

func TestADryRunKeepsItsPlanAndWritesNothingElse(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		site, pc := h.yard(h.customers()[1], 3)
		account := number(h.customers()[1])
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		h.must(h.world.RenameDevice(pc[0], "RENAMED"), h.world.RemoveDevice(pc[1]))
		added, err := h.world.AddDevice(site, "ADDED", nil)
		h.must(err)
		old := h.value("SELECT hostname FROM assets WHERE datto_uid = $1", pc[0])
		gone := h.value("SELECT hostname FROM assets WHERE datto_uid = $1", pc[1])
		before := h.data()
		dry := h.run(syncers.Request{Feed: codex.FeedDatto, DryRun: true})
		h.expect(dry, codex.RunSucceeded)
		var machines []string
		for _, line := range h.changes(dry) {
			if strings.HasPrefix(line, "assets ") {
				machines = append(machines, line)
			}
		}
		h.lines(machines, []string{
			"assets created " + added + " ADDED " + account,
			fmt.Sprintf(`assets changed %s RENAMED %s [{"field":"hostname","old":%q,"new":"RENAMED"}]`, h.assetID(pc[0]), account, old),
			"assets removed " + h.assetID(pc[1]) + " " + gone + " " + account,
		})
		if h.data() != before {
			t.Error("a dry run wrote")
		}
		h.sync(codex.FeedDatto)
		if again := h.changes(h.run(syncers.Request{Feed: codex.FeedDatto, DryRun: true})); len(again) != 0 {
			t.Errorf("after the run there is still something to do: %q", again)
		}
	})
}

func TestARunIsCancelledWhereverItWorks(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		h.sync(codex.FeedFreshservice)
		other := h.process()
		reading, goOn := make(chan struct{}), make(chan struct{})
		h.watch("/api/v2/tickets", func(n int, _ *http.Request) {
			if n == 1 {
				close(reading)
				<-goOn
			}
		})
		release := sync.OnceFunc(func() { close(goOn) })
		defer release()
		working := h.start(h.engine, syncers.Request{Feed: codex.FeedTickets})
		waiting := h.start(h.engine, syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull})
		<-reading
		for _, run := range []*ent.SyncRun{waiting, working} {
			_, err := other.Cancel(t.Context(), run.ID, "ana")
			h.must(err)
			ended := h.wait(other, run.ID)
			h.expect(ended, codex.RunCancelled)
			if *ended.Error != "Cancelled by ana." || *ended.CancelRequestedBy != "ana" {
				t.Errorf("%+v", ended)
			}
		}
		release()
		h.is("SELECT count(*) AS n FROM tickets", "n=0")
		if _, err := other.Cancel(t.Context(), working.ID, "ana"); codex.CodeOf(err) != codex.CodeConflict {
			t.Errorf("one that has ended: %v", err)
		}
		if _, err := other.Cancel(t.Context(), "nobody", "ana"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("one that never was: %v", err)
		}
		h.sync(codex.FeedTickets)
		h.checkTickets()
	})
}
