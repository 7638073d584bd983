package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/syncers"
)

// october is the month that is reviewed, on the 1st of November at six.
func october() codex.Period { return codex.Period{Year: 2025, Month: time.October} }

func at(month time.Month, day, hour int) time.Time {
	return time.Date(2025, month, day, hour, 0, 0, 0, time.UTC)
}

func ptr[T any](v T) *T { return &v }

// world is what there is nothing to say of: all feeds were synced on the 1st of November, and Acme has
// one machine, one person and one ticket, as its bill for September has.
func world() reconcile.ReviewFacts {
	facts := reconcile.ReviewFacts{Period: october(), Now: at(time.November, 1, 6)}
	for _, feed := range codex.Feeds() {
		run := &reconcile.RunFact{ID: codex.RunID(feed + "-1"), State: codex.RunSucceeded, StartedAt: at(time.November, 1, 2)}
		facts.Feeds = append(facts.Feeds, reconcile.FeedFact{Feed: feed, Succeeded: run, Newest: run})
	}
	facts.Companies = []reconcile.CompanyFact{{
		Account: "620547", Name: "Acme",
		Machines: []reconcile.MachineFact{machine(12, "PC-1")},
		People:   []reconcile.PersonFact{{ID: 7, Name: "Ana", Email: "ana@acme.example", Active: true}},
		Tickets:  []reconcile.TicketFact{{ID: 1001, Subject: "Printer", Seconds: 5400, Link: "https://acme.example/a/tickets/1001"}},
		Last: &reconcile.LastBill{
			Period: codex.Period{Year: 2025, Month: time.September}, MadeAt: at(time.October, 1, 8),
			Machines: map[int]reconcile.BilledItem{12: {Type: "Workstation", Cost: 3000}},
			People:   map[int]reconcile.BilledItem{7: {Type: "Paid", Cost: 1500}},
			Rates: map[string]codex.Quantity{
				"per_workstation_cost": 30_0000, "per_server_cost": 150_4950, "per_user_cost": 15_0000, "per_switch_cost": 20_0000,
			},
			Complete: true,
		},
	}}
	return facts
}

func machine(id int, hostname string) reconcile.MachineFact {
	return reconcile.MachineFact{
		ID: id, UID: codex.DeviceUID(fmt.Sprintf("uid-%d", id)), Hostname: hostname, SiteUID: "site-1",
		Category: "Desktop", Class: "device", LastSeen: ptr(at(time.October, 31, 12)), Link: fmt.Sprintf("https://datto.example/device/%d", id),
	}
}

func issue(kind syncers.IssueKind, id string, account codex.AccountNumber) reconcile.IssueFact {
	return reconcile.IssueFact{Feed: codex.FeedDatto, Kind: kind, ID: id, Account: account, Reason: "The reason.", Seen: at(time.October, 20, 0)}
}

// twins gives Acme a second machine of the same name at the same site, which Datto lists too.
func twins(f *reconcile.ReviewFacts) {
	acme := &f.Companies[0]
	acme.Machines = append(acme.Machines, machine(13, "pc-1"))
	acme.Last.Machines[13] = reconcile.BilledItem{Type: "Workstation", Cost: 2500}
	f.Issues = append(f.Issues, issue(syncers.IssueProbableDuplicate, "uid-13", "620547"))
}

// second gives Ana a second company, which was not billed yet.
func second(f *reconcile.ReviewFacts) {
	f.Companies = append(f.Companies, reconcile.CompanyFact{Account: "620548", Name: "Beta", People: f.Companies[0].People})
}

// A flag is told here as account kind item [before -> now] [worth]; what is told of no company has - as
// its account.
func TestAFlagIsRaisedByItsCaseAndNotByTheNextOne(t *testing.T) {
	acme := func(f *reconcile.ReviewFacts) *reconcile.CompanyFact { return &f.Companies[0] }
	for _, c := range []struct {
		name   string
		change func(f *reconcile.ReviewFacts)
		want   []string
	}{
		{"nothing to say", func(*reconcile.ReviewFacts) {}, nil},

		{"a month that is not over", func(f *reconcile.ReviewFacts) { f.Now = at(time.October, 31, 23) },
			[]string{"- month_not_over feeds:month"}},
		{"a month that is over to the second, whose feeds were synced", func(f *reconcile.ReviewFacts) {
			f.Now = at(time.November, 1, 0)
			for i := range f.Feeds {
				f.Feeds[i].Succeeded = &reconcile.RunFact{ID: "r", State: codex.RunSucceeded, StartedAt: f.Now}
			}
		}, nil},
		{"a feed whose last success began in the month", func(f *reconcile.ReviewFacts) {
			f.Feeds[1].Succeeded = &reconcile.RunFact{ID: "r", State: codex.RunSucceeded, StartedAt: at(time.November, 1, 0).Add(-time.Second)}
		}, []string{"- feed_not_synced feeds:datto"}},
		{"a feed that never ran", func(f *reconcile.ReviewFacts) { f.Feeds[2] = reconcile.FeedFact{Feed: codex.FeedTickets} },
			[]string{"- feed_not_synced feeds:tickets"}},
		{"a feed whose newest run failed behind one that succeeded", func(f *reconcile.ReviewFacts) {
			f.Feeds[1].Newest = &reconcile.RunFact{ID: "r", State: codex.RunFailed, StartedAt: at(time.November, 1, 5)}
		}, nil},
		{"a feed that is off", func(f *reconcile.ReviewFacts) { f.Feeds = f.Feeds[:1] }, nil},

		{"a site without account number", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueSiteWithoutAccount, "site-9", ""))
		}, []string{"- site_without_account sites:site-9"}},
		{"a site that could not be read", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueSiteUnread, "site-1", "620547"))
		}, []string{"620547 site_unread sites:site-1"}},
		{"a device whose account number no company has", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueDeviceWithoutCompany, "uid-9", "999"))
		}, []string{"- device_without_company devices:uid-9"}},
		{"a device without hostname", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueDeviceWithoutHostname, "uid-9", "620547"))
		}, []string{"620547 device_without_hostname devices:uid-9"}},
		{"a backup size that is no number", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueBackupNoNumber, "uid-12", "620547"))
		}, []string{"620547 backup_no_number devices:uid-12"}},
		{"a person without e-mail address", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueContactWithoutEmail, "77", ""))
		}, []string{"- contact_without_email requesters:77"}},
		{"a ticket without company", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueTicketWithoutCompany, "4711", ""))
		}, []string{"- ticket_without_company tickets:4711"}},
		{"a ticket with unread entries", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueTicketUnread, "4711", "620547"))
		}, []string{"620547 ticket_unread tickets:4711"}},
		{"a status that is neither open nor closed", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueUnknownStatus, "16", ""))
		}, []string{"- unknown_status statuses:16"}},
		{"a record that could not be decoded", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueBadRecord, "77", ""))
		}, []string{"- bad_record records:77"}},
		{"a department without account number", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueNoAccountNumber, "55", ""))
		}, []string{"- no_account_number departments:55"}},
		{"a department with another account number than its company", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueAccountNumberChanged, "55", "620547"))
		}, []string{"620547 account_number_changed departments:55"}},
		{"a company that is leaving", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueCompanyLeaving, "55", "620547"))
		}, []string{"620547 company_leaving departments:55"}},
		{"an issue that changes no bill", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueUDFNotTold, "uid-12", "620547"), issue(syncers.IssueTicketsNotListed, "spam", ""))
		}, nil},

		{"two machines of one name at one site", twins, []string{"620547 probable_duplicate assets:13 25.00"}},
		{"two of which one is billed at 0", func(f *reconcile.ReviewFacts) {
			twins(f)
			acme(f).Last.Machines[12] = reconcile.BilledItem{Type: "No Charge", Cost: 0}
		}, nil},
		{"two of which one is on no bill yet: it will be a workstation", func(f *reconcile.ReviewFacts) {
			twins(f)
			delete(acme(f).Last.Machines, 13)
		}, []string{"620547 probable_duplicate assets:13 30.00", "620547 machine_count_moved companies:620547 1 -> 2"}},
		{"a twin that is served no longer", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueProbableDuplicate, "uid-13", "620547"))
		}, nil},
		{"a machine that came back under a new UID", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueReimaged, "uid-12", "620547"))
		}, []string{"620547 reimaged assets:12"}},
		{"a machine that came back before the last bill was made", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueReimaged, "uid-12", "620547"))
			acme(f).Last.MadeAt = at(time.October, 20, 0)
		}, nil},
		{"a machine that came back in the month, of a company that was never billed", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueReimaged, "uid-12", "620547"))
			acme(f).Last = nil
		}, []string{"620547 reimaged assets:12"}},
		{"a machine that came back before the month, of such a company", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueReimaged, "uid-12", "620547"))
			f.Issues[0].Seen, acme(f).Last = at(time.September, 30, 0), nil
		}, nil},
		{"a re-imaged machine that was re-imaged once more", func(f *reconcile.ReviewFacts) {
			f.Issues = append(f.Issues, issue(syncers.IssueReimaged, "uid-of-before", "620547"))
		}, nil},

		{"a server that was billed as a workstation", func(f *reconcile.ReviewFacts) { acme(f).Machines[0].Category = "Server" },
			[]string{"620547 type_differs assets:12 Workstation -> Server 120.50"}},
		{"an ESXi host that was", func(f *reconcile.ReviewFacts) { acme(f).Machines[0].Class = "esxihost" },
			[]string{"620547 type_differs assets:12 Workstation -> Server 120.50"}},
		{"a switch that was", func(f *reconcile.ReviewFacts) { acme(f).Machines[0].Category = "Network Switch" },
			[]string{"620547 type_differs assets:12 Workstation -> Switch -10.00"}},
		{"a firewall that was, whose rate the bill does not have", func(f *reconcile.ReviewFacts) { acme(f).Machines[0].Category = "Firewall" },
			[]string{"620547 type_differs assets:12 Workstation -> Firewall"}},
		{"a network device of an unknown kind that was", func(f *reconcile.ReviewFacts) { acme(f).Machines[0].Class = "rmmnetworkdevice" },
			[]string{"620547 type_differs assets:12 Workstation -> Switch or Firewall"}},
		{"a printer that was", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].Category, acme(f).Machines[0].Class = "Network Device (Printer)", "rmmnetworkdevice"
		}, nil},
		{"a server that was billed as one", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].Category = "Server"
			acme(f).Last.Machines[12] = reconcile.BilledItem{Type: "Server", Cost: 15050}
		}, nil},
		{"a server that was billed as a workstation for nothing", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].Category = "Server"
			acme(f).Last.Machines[12] = reconcile.BilledItem{Type: "Workstation", Cost: 0}
		}, nil},
		{"a server of a company that was never billed", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].Category, acme(f).Last = "Server", nil
		}, nil},

		{"a machine not seen for 60 days and a second", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].LastSeen = ptr(october().End().AddDate(0, 0, -60).Add(-time.Second))
		}, []string{"620547 unseen assets:12 30.00"}},
		{"a machine not seen for 60 days", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].LastSeen = ptr(october().End().AddDate(0, 0, -60))
		}, nil},
		{"a machine seen in the month, long before now", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].LastSeen, f.Now = ptr(at(time.October, 2, 0)), at(time.December, 31, 0)
		}, nil},
		{"a machine not seen for 60 days before now, in a month that goes on", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].LastSeen, f.Now = ptr(at(time.August, 1, 0)), at(time.October, 1, 0)
		}, []string{"- month_not_over feeds:month", "620547 unseen assets:12 30.00"}},
		{"an unseen machine that is billed at 0", func(f *reconcile.ReviewFacts) {
			acme(f).Machines[0].LastSeen = ptr(at(time.January, 1, 0))
			acme(f).Last.Machines[12] = reconcile.BilledItem{Type: "No Charge", Cost: 0}
		}, nil},
		{"a machine of which Datto does not say when it was seen", func(f *reconcile.ReviewFacts) { acme(f).Machines[0].LastSeen = nil }, nil},

		{"no plan at all: Ledger has its own", func(f *reconcile.ReviewFacts) { acme(f).Plan, acme(f).Term = "Gold", "1 Year" }, nil},
		{"the plan of its name and contract", func(f *reconcile.ReviewFacts) {
			f.Plans, acme(f).Plan, acme(f).Term = []plans.Key{{Name: "Gold", Term: "1 Year"}}, "Gold", "1 Year"
		}, nil},
		{"a plan for another length of contract alone", func(f *reconcile.ReviewFacts) {
			f.Plans, acme(f).Plan, acme(f).Term = []plans.Key{{Name: "Gold", Term: "1-Year"}}, "Gold", "1 Year"
		}, []string{"620547 no_plan companies:620547"}},
		{"a plan in other letters", func(f *reconcile.ReviewFacts) {
			f.Plans, acme(f).Plan, acme(f).Term = []plans.Key{{Name: "gold", Term: "1 Year"}}, "Gold", "1 Year"
		}, []string{"620547 no_plan companies:620547"}},
		{"no plan that was selected", func(f *reconcile.ReviewFacts) {
			f.Plans, acme(f).Term = []plans.Key{{Name: "Gold", Term: "1 Year"}}, "1 Year"
		}, []string{"620547 no_plan companies:620547"}},

		{"an inactive person who is billed", func(f *reconcile.ReviewFacts) { acme(f).People[0].Active = false },
			[]string{"620547 inactive_billed contacts:7 15.00"}},
		{"an inactive person who is free", func(f *reconcile.ReviewFacts) {
			acme(f).People[0].Active = false
			acme(f).Last.People[7] = reconcile.BilledItem{Type: "Free", Cost: 0}
		}, nil},
		{"an inactive person of a company that was never billed", func(f *reconcile.ReviewFacts) {
			acme(f).People[0].Active, acme(f).Last = false, nil
		}, []string{"620547 inactive_billed contacts:7"}},
		{"a person of two companies", second, []string{"620547 person_billed_twice contacts:7 15.00", "620548 person_billed_twice contacts:7"}},
		{"a person of two companies who is free at one", func(f *reconcile.ReviewFacts) {
			second(f)
			acme(f).Last.People[7] = reconcile.BilledItem{Type: "Free", Cost: 0}
		}, nil},

		{"a ticket that stands in an earlier bill", func(f *reconcile.ReviewFacts) {
			acme(f).Tickets[0].Earlier = []reconcile.BilledTicket{{Period: codex.Period{Year: 2025, Month: time.September}, Invoice: "620547-202509", Hours: 10000}}
		}, []string{"620547 ticket_billed_before tickets:1001 1 -> 1.5"}},
		{"a ticket of the month that stands in none", func(f *reconcile.ReviewFacts) { acme(f).Tickets[0].Seconds = 360000 }, nil},

		{"six machines where five were", func(f *reconcile.ReviewFacts) { manyMachines(f, 6, 5) }, nil},
		{"seven machines where five were", func(f *reconcile.ReviewFacts) { manyMachines(f, 7, 5) },
			[]string{"620547 machine_count_moved companies:620547 5 -> 7"}},
		{"three machines where five were", func(f *reconcile.ReviewFacts) { manyMachines(f, 3, 5) },
			[]string{"620547 machine_count_moved companies:620547 5 -> 3"}},
		{"the first machine", func(f *reconcile.ReviewFacts) { manyMachines(f, 1, 0) },
			[]string{"620547 machine_count_moved companies:620547 0 -> 1"}},
		{"the last person gone", func(f *reconcile.ReviewFacts) { acme(f).People = nil },
			[]string{"620547 person_count_moved companies:620547 1 -> 0"}},
		{"a bill of which not all is known", func(f *reconcile.ReviewFacts) {
			manyMachines(f, 7, 5)
			acme(f).Last.Complete = false
		}, nil},
		{"a company that was never billed", func(f *reconcile.ReviewFacts) { acme(f).Last = nil }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := world()
			c.change(&facts)
			review := reconcile.DecideReview(facts, reconcile.ReviewRules{UnseenDays: 60, MovedPercent: 20}, nil)
			if got := told(review); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			for _, flag := range review.All() {
				if flag.Seen == "" || flag.Do == "" || flag.Item.Name == "" || len(flag.Fingerprint) != 32 {
					t.Errorf("%s says too little: %+v", flag.Kind, flag)
				}
			}
		})
	}
}

// manyMachines gives Acme so many machines, and its last bill so many.
func manyMachines(f *reconcile.ReviewFacts, now, before int) {
	acme := &f.Companies[0]
	acme.Machines, acme.Last.Machines = nil, map[int]reconcile.BilledItem{}
	for i := range now {
		acme.Machines = append(acme.Machines, machine(100+i, fmt.Sprintf("PC-%d", i)))
	}
	for i := range before {
		acme.Last.Machines[100+i] = reconcile.BilledItem{Type: "Workstation", Cost: 3000}
	}
}

func told(review *reconcile.Review) []string {
	var lines []string
	for _, flag := range review.All() {
		account := string(flag.Account)
		if account == "" {
			account = "-"
		}
		line := account + " " + flag.Kind + " " + flag.Item.String()
		if flag.Before != "" || flag.Now != "" {
			line += " " + flag.Before + " -> " + flag.Now
		}
		if flag.Worth != nil {
			line += " " + flag.Worth.String()
		}
		lines = append(lines, line)
	}
	return lines
}

func TestAFeedThatHasNotSucceededSaysHowToMendIt(t *testing.T) {
	success := &reconcile.RunFact{ID: "r1", State: codex.RunSucceeded, StartedAt: at(time.October, 31, 3)}
	for _, c := range []struct {
		name     string
		feed     reconcile.FeedFact
		seen, do string
	}{
		{"never ran", reconcile.FeedFact{Feed: codex.FeedDatto},
			"datto has not been synced since 2025-10 ended: it never ran.",
			"Sync it before you bill: codex sync datto."},
		{"ran before", reconcile.FeedFact{Feed: codex.FeedDatto, Succeeded: success, Newest: success},
			"datto has not been synced since 2025-10 ended: the last run that succeeded began at 2025-10-31 03:00 UTC.",
			"Sync it before you bill: codex sync datto."},
		{"holds", reconcile.FeedFact{Feed: codex.FeedDatto, Succeeded: success, Newest: &reconcile.RunFact{ID: "r2", State: codex.RunHeld, Error: "12 removals are held."}},
			"datto has not been synced since 2025-10 ended: the last run that succeeded began at 2025-10-31 03:00 UTC; the newest, r2, is held (12 removals are held).",
			"Look at the removals that it holds: codex sync approve r2 makes them. Then sync again: codex sync datto."},
		{"failed", reconcile.FeedFact{Feed: codex.FeedDatto, Newest: &reconcile.RunFact{ID: "r2", State: codex.RunFailed, Error: "401\nmore"}},
			"datto has not been synced since 2025-10 ended: it never succeeded; the newest, r2, is failed (401).",
			"See what that run could not do (codex sync show r2), and sync again: codex sync datto."},
		{"is at work", reconcile.FeedFact{Feed: codex.FeedDatto, Succeeded: success, Newest: &reconcile.RunFact{ID: "r2", State: codex.RunRunning}},
			"datto has not been synced since 2025-10 ended: the last run that succeeded began at 2025-10-31 03:00 UTC; the newest, r2, is running.",
			"Wait for that run, and look again."},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := reconcile.ReviewFacts{Period: october(), Now: at(time.November, 1, 6), Feeds: []reconcile.FeedFact{c.feed}}
			flags := reconcile.DecideReview(facts, reconcile.ReviewRules{}, nil).Flags
			if len(flags) != 1 || flags[0].Seen != c.seen || flags[0].Do != c.do {
				t.Errorf("got %+v", flags)
			}
		})
	}
}

func TestAnItemIsCalledWhatTheReasonOfItsIssueCallsIt(t *testing.T) {
	for _, c := range []struct {
		kind         syncers.IssueKind
		reason, name string
	}{
		{syncers.IssueSiteWithoutAccount, `The site "Lab \"2\"" has no value in the variable "X".`, `Lab "2"`},
		{syncers.IssueSiteWithoutAccount, `The site "Lab has no end.`, "id-1"},
		{syncers.IssueSiteWithoutAccount, "The site has no name.", "id-1"},
		{syncers.IssueDeviceWithoutHostname, `A device at the site "Lab" has no hostname.`, "id-1"},
	} {
		facts := world()
		facts.Issues = []reconcile.IssueFact{{Kind: c.kind, ID: "id-1", Reason: c.reason}}
		flags := reconcile.DecideReview(facts, reconcile.ReviewRules{UnseenDays: 60, MovedPercent: 20}, nil).Flags
		if len(flags) != 1 || flags[0].Item.Name != c.name {
			t.Errorf("%s is about %+v, want %s", c.reason, flags, c.name)
		}
	}
}
