package reconciletest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/ent/ticket"
	"github.com/hivematrix/codex/simulator"
)

// meanwhile is what happens between the runs that the bills are made from and the bills: the hub sees it in
// runs that do not succeed. The bills are of what was served before.
func (y *Year) meanwhile() {
	y.t.Helper()
	period := y.month.period
	began := period.End().Add(6 * time.Hour)
	y.clock.Turn(began)
	late := map[codex.AccountNumber]string{}
	for i, account := range y.companies {
		if y.chance(25) {
			_, err := y.world.AddDevice(y.siteOf(account), fmt.Sprintf("MEANWHILE-%s-%02d", account, monthNumber(period)), nil)
			y.must(err)
		}
		if m := y.takeIf(25, account); m != nil {
			y.must(y.world.RemoveDevice(string(*m.DattoUID)))
		}
		if m := y.takeIf(25, account); m != nil {
			y.must(y.world.MoveDevice(string(*m.DattoUID), y.siteOf(y.otherThan(account))))
		}
		if people := y.contactsOf(account); y.isBilled(account) && len(people) > 1 && y.chance(30) {
			at, department := period.End().Add(-time.Duration(1+i)*time.Hour), y.departmentOf(account)
			late[account] = fmt.Sprintf("Closed late in %s by %s", period, account)
			y.world.AddTicket(simulator.Ticket{
				Subject: new(late[account]), RequesterID: *people[0].FreshserviceID, DepartmentID: &department,
				Status: simulator.StatusClosed, CreatedAt: at, UpdatedAt: at,
				TimeEntries: []simulator.TimeEntry{{TimeSpent: new("00:40"), Billable: true}},
			})
		}
	}
	y.sync()
	y.must(y.db.Ent().SyncRun.Update().Where(syncrun.StartedAtGTE(began)).SetState(codex.RunPartial).Exec(y.t.Context()))
	for account, subject := range late {
		row, err := y.db.Ent().Ticket.Query().Where(ticket.Subject(subject)).Only(y.t.Context())
		y.must(err)
		worth := hoursCents(servedTicket(row).e4(), y.rates(account))
		y.Later[period] = append(y.Later[period], Line(account, "late_ticket", "tickets", strconv.Itoa(row.ID), nil, &worth))
	}
}
