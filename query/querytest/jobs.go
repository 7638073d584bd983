package querytest

import (
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// Jobs are, oldest first:
//
//   - j0: one bill, for October, which was there already;
//   - j1: scheduled, October, all companies; one bill made, one there already, one company failed and one held
//     (every field that such a job can have has a value);
//   - j2: bulk, September, two companies by their numbers, at work on the second; asked to stop;
//   - j3: scheduled, November, blocked since the tickets are stale; it has no companies yet. Of the same second
//     as j2.
func (w writer) jobs() {
	job := func(id codex.RunID, kind codex.JobType, state codex.JobState, month, day int) *ent.SnapshotJobCreate {
		return w.client.SnapshotJob.Create().SetID(id).SetJobType(kind).SetState(state).SetStatus(state.Status()).
			SetTargetYear(2025).SetTargetMonth(month).SetStartedAt(At(day)).SetTriggeredBy("scheduler").
			SetTrigger(codex.TriggerSchedule).SetByPerson(false)
	}
	must[*ent.SnapshotJob](w)(job("j0", codex.JobBulk, codex.JobCompleted, 10, 10).SetTriggeredBy("ben").SetTrigger(codex.TriggerCLI).
		SetTargetAccountNumbers(`["B-2"]`).SetTotalCompanies(1).SetCompletedCompanies(1).SetCompletedAt(At(10).Add(time.Second)).SetSuccess(true).Save(w.ctx))
	must[*ent.SnapshotJob](w)(job("j1", codex.JobScheduled, codex.JobCompleted, 10, 11).SetDueAt(At(11).Add(-time.Hour)).
		SetTotalCompanies(4).SetCompletedCompanies(2).SetFailedCompanies(1).SetHeldCompanies(1).SetSuccess(false).
		SetBegunAt(At(11).Add(time.Second)).SetCompletedAt(At(12)).SetHeartbeatAt(At(12)).SetRound(2).SetWorker("w1").
		SetOutput(`{"success_count":2,"failed_count":2,"errors":["LEFT: nobody has it"]}`).SetError("two have no bill").
		SetForcedBy("ann").SetForceReason("Datto is down").SetNotes("datto was last synced before the month ended\ntickets too").Save(w.ctx))
	must[*ent.SnapshotJob](w)(job("j2", codex.JobBulk, codex.JobRunning, 9, 13).SetTriggeredBy("ben").SetTrigger(codex.TriggerAPI).SetByPerson(true).
		SetTargetAccountNumbers(`["620547","900"]`).SetTotalCompanies(2).SetCompletedCompanies(1).SetCancelRequestedBy("cy").Save(w.ctx))
	must[*ent.SnapshotJob](w)(job("j3", codex.JobScheduled, codex.JobBlocked, 11, 13).SetDueAt(At(13)).
		SetBlockedReason("tickets has not succeeded since the month ended").Save(w.ctx))

	company := func(id codex.RunID, position int, account codex.AccountNumber, state codex.JobCompanyState) *ent.SnapshotJobCompanyCreate {
		return w.client.SnapshotJobCompany.Create().SetJobID(id).SetPosition(position).SetAccountNumber(account).SetState(state)
	}
	asked := func(c *ent.SnapshotJobCompanyCreate, attempts int) *ent.SnapshotJobCompanyCreate {
		return c.SetAttempts(attempts).SetAskedAt(At(11).Add(time.Minute)).SetEndedAt(At(11).Add(time.Hour))
	}
	must[*ent.SnapshotJobCompany](w)(asked(company("j0", 1, "B-2", codex.CompanyAlready), 0).SetInvoiceNumber("B-2-202510").Save(w.ctx))
	must[*ent.SnapshotJobCompany](w)(asked(company("j1", 1, "620547", codex.CompanyMade), 1).SetInvoiceNumber("620547-202510").Save(w.ctx))
	must[*ent.SnapshotJobCompany](w)(asked(company("j1", 2, "900", codex.CompanyAlready), 1).SetInvoiceNumber("900-202510").Save(w.ctx)) // reopened
	must[*ent.SnapshotJobCompany](w)(asked(company("j1", 3, "B-2", codex.CompanyHeld), 0).SetReason("the review flags it").Save(w.ctx))
	must[*ent.SnapshotJobCompany](w)(asked(company("j1", 4, "LEFT", codex.CompanyFailed), 3).SetReason("nobody has it").Save(w.ctx))
	must[*ent.SnapshotJobCompany](w)(company("j2", 1, "900", codex.CompanyWaiting).Save(w.ctx))
	must[*ent.SnapshotJobCompany](w)(asked(company("j2", 2, "620547", codex.CompanyMade), 1).SetInvoiceNumber("620547-202509").Save(w.ctx))
}
