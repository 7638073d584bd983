package scheduler_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler"
)

func ptr[T any](v T) *T { return &v }

func TestTheScheduleOfTheBillsIsChanged(t *testing.T) {
	hubs(t, "2026-01-10 12:00:00", func(t *testing.T, h *hub) {
		ana := codex.Caller{Name: "ana", Role: codex.RoleAdmin}
		for _, account := range []codex.AccountNumber{"620547", "183729", "archived"} {
			create := h.db.Ent().Company.Create().SetID(account).SetName(string(account))
			if account == "archived" {
				create.SetArchivedAt(h.clock.now())
			}
			if err := create.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		row, err := h.SnapshotSchedule(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !row.Enabled || row.DayOfMonth != 1 || row.Hour != 2 || !row.SnapshotPreviousMonth || !row.SnapshotAllCompanies || row.UpdatedBy != nil {
			t.Errorf("at first it is %v", row)
		}
		for _, bad := range []struct {
			edit           scheduler.Edit
			field, message string
		}{
			{scheduler.Edit{DayOfMonth: ptr(0)}, "dayOfMonth", "give a day from 1 to 31: a shorter month has it on its last day"},
			{scheduler.Edit{DayOfMonth: ptr(32)}, "dayOfMonth", "give a day from 1 to 31: a shorter month has it on its last day"},
			{scheduler.Edit{Hour: ptr(-1)}, "hour", "give an hour from 0 to 23"},
			{scheduler.Edit{Hour: ptr(24), DayOfMonth: ptr(5)}, "hour", "give an hour from 0 to 23"},
			{scheduler.Edit{AllCompanies: ptr(false), DayOfMonth: ptr(5)}, "accountNumbers", "name at least one company, since it is not for all of them"},
			{scheduler.Edit{AllCompanies: ptr(false), AccountNumbers: &[]codex.AccountNumber{}}, "accountNumbers", "name at least one company, since it is not for all of them"},
			{scheduler.Edit{AccountNumbers: &[]codex.AccountNumber{"620547", "nobody"}}, "accountNumbers", `no company has the account number "nobody"`},
			{scheduler.Edit{AccountNumbers: &[]codex.AccountNumber{"archived", ""}}, "accountNumbers", `no companies have the account numbers "archived", ""`},
		} {
			_, err := h.UpdateSnapshotSchedule(t.Context(), bad.edit, ana)
			var coded *codex.Error
			if !errors.As(err, &coded) || coded.Code != codex.CodeBadInput || coded.Field != bad.field || coded.Message != bad.message {
				t.Errorf("%+v: %v", bad.edit, err)
			}
		}
		if after, err := h.SnapshotSchedule(t.Context()); err != nil || after.String() != row.String() {
			t.Errorf("what was refused changed it to %v, %v", after, err)
		}

		h.clock.set(at("2026-01-11 08:00:00"))
		row, err = h.UpdateSnapshotSchedule(t.Context(), scheduler.Edit{
			DayOfMonth: ptr(31), Hour: ptr(23), PreviousMonth: ptr(false), AllCompanies: ptr(false),
			AccountNumbers: &[]codex.AccountNumber{"620547", " 183729", "620547"},
		}, ana)
		if err != nil {
			t.Fatal(err)
		}
		if !row.Enabled || row.DayOfMonth != 31 || row.Hour != 23 || row.SnapshotPreviousMonth || row.SnapshotAllCompanies ||
			*row.AccountNumbers != `["620547","183729"]` || *row.UpdatedBy != "ana" || !row.UpdatedAt.Equal(at("2026-01-11 08:00:00")) {
			t.Errorf("it is %v", row)
		}
		h.syncs.feeds = nil
		h.look()
		h.at("2026-01-31 23:00:00")
		h.expect(`2026-01-31 23:00:00 bills of 2026-01 schedule ["620547","183729"]`)
	})
}

func TestTheBillsThatWereSwitchedOffAreNotMadeUpFor(t *testing.T) {
	hubs(t, "2026-01-10 12:00:00", func(t *testing.T, h *hub) {
		h.syncs.feeds = nil
		ana := codex.Caller{Name: "ana", Role: codex.RoleAdmin}
		enable := func(when string, on bool) {
			h.clock.set(at(when))
			if _, err := h.UpdateSnapshotSchedule(t.Context(), scheduler.Edit{Enabled: &on}, ana); err != nil {
				t.Fatal(err)
			}
		}
		h.at("2026-01-10 12:00:00")
		// Nobody looks between the two: also then.
		enable("2026-01-31 12:00:00", false)
		enable("2026-02-01 12:00:00", true)
		h.at("2026-02-01 12:00:01")
		h.expect()
		// And what is switched on while it is on owes what it owed.
		enable("2026-03-01 02:30:00", true)
		h.at("2026-03-01 02:31:30")
		h.expect("2026-03-01 02:31:30 bills of 2026-02 catch-up")
	})
}

func TestAClockThatWasWrong(t *testing.T) {
	setting := scheduler.Setting{On: true, Rule: mustCron(t, "0 2 * * *", time.UTC)}
	state := &scheduler.State{On: true, Rule: setting.Rule.String(), OwedSince: at("2026-01-01 00:00:00"), LastDueAt: at("2026-01-10 02:00:00")}
	look := func(now string) scheduler.Decision {
		return scheduler.DecideFeed(at(now), state, setting, scheduler.Facts{Ran: true})
	}
	if d := look("2026-01-09 02:00:00"); d.Changed {
		t.Errorf("set back by a day it does %+v", d)
	}
	state.LastDueAt = at("2099-01-10 02:00:00")
	d := look("2026-01-10 01:00:00")
	if want := (scheduler.State{On: true, Rule: setting.Rule.String(), OwedSince: at("2026-01-10 01:00:00")}); d.State != want || d.Run != nil {
		t.Errorf("after years ahead it does %+v", d)
	}
	state = &d.State
	if d := look("2026-01-10 02:00:00"); d.Run == nil {
		t.Error("after that it does not run")
	}
}
