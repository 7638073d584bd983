package syncers

import (
	"reflect"
	"testing"
	"time"
)

func TestABatchLeavesOutWhatRereadsHaveOvertaken(t *testing.T) {
	minute := func(n int) time.Time { return aMoment().Add(time.Duration(n) * time.Minute) }
	// A run listed ticket 1 in a state of minute 0 and began to read its parts at minute 5.
	listed := TicketRecord{ID: 1, Subject: "listed", UpstreamUpdatedAt: minute(0), SpentSeconds: 60, Conversations: "run's"}
	batch := readBatch{
		ids: []int{1}, records: []TicketRecord{listed}, entries: []TimeEntryRecord{{ID: 7, TicketID: 1, SpentSeconds: 60}},
		hoursRead: map[int]bool{1: true}, readFrom: map[int]time.Time{1: minute(5)},
		issues: []Issue{{Kind: IssueTicketUnread, ID: "1"}, {Kind: IssueTicketWithoutCompany, ID: "1"}},
	}
	newer := TicketRecord{ID: 1, Subject: "re-read", UpstreamUpdatedAt: minute(3), SpentSeconds: 30, Conversations: "re-read's"}
	same := TicketRecord{ID: 1, Subject: "stored", UpstreamUpdatedAt: minute(0), SpentSeconds: 30, Conversations: "stored"}
	mixed := TicketRecord{ID: 1, Subject: "re-read", UpstreamUpdatedAt: minute(3), SpentSeconds: 60, Conversations: "run's"}
	unread := []Issue{{Kind: IssueTicketUnread, ID: "1"}}
	tests := []struct {
		name    string
		reread  map[int]time.Time
		row     []TicketRecord
		records []TicketRecord
		hours   bool // the run's entries are taken
		issues  []Issue
	}{
		{"none", nil, []TicketRecord{newer}, []TicketRecord{listed}, true, batch.issues},
		{"of another ticket", map[int]time.Time{2: minute(6)}, []TicketRecord{newer}, []TicketRecord{listed}, true, batch.issues},
		{"that began after the run read the parts", map[int]time.Time{1: minute(6)}, []TicketRecord{newer}, nil, false, nil},
		{"that began with them", map[int]time.Time{1: minute(5)}, []TicketRecord{newer}, nil, false, nil},
		{"that found nothing to store", map[int]time.Time{1: minute(6)}, nil, nil, false, nil},
		{"that began before, and the ticket has changed since it was listed", map[int]time.Time{1: minute(4)}, []TicketRecord{newer}, []TicketRecord{mixed}, true, unread},
		{"that began before, of a ticket that has not changed", map[int]time.Time{1: minute(4)}, []TicketRecord{same}, []TicketRecord{listed}, true, unread},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := batch.without(test.reread, test.row)
			if !reflect.DeepEqual(got.records, test.records) {
				t.Errorf("records %+v\nwant    %+v", got.records, test.records)
			}
			if got.hoursRead[1] != test.hours || (len(got.entries) == 1) != test.hours {
				t.Errorf("hours read %t, entries %v", got.hoursRead[1], got.entries)
			}
			if len(got.issues)+len(test.issues) > 0 && !reflect.DeepEqual(got.issues, test.issues) {
				t.Errorf("issues %v, want %v", got.issues, test.issues)
			}
		})
	}
}

func TestHoursThatCouldNotBeReadAreTheRows(t *testing.T) {
	row := TicketRecord{ID: 1, Subject: "re-read", SpentSeconds: 30, UnbillableSeconds: 10, TimerRunning: true, Conversations: "c", Notes: "n"}
	other := TicketRecord{ID: 1, Subject: "listed", SpentSeconds: 60, hoursUnread: true, bodiesUnread: true}
	if got := row.withPartsOf(other); got != row {
		t.Errorf("%+v", got)
	}
}

func TestARecordWaitsTwiceAsLongAfterEachFailure(t *testing.T) {
	for attempts, want := range map[int]time.Duration{
		1: 5 * time.Second, 2: 10 * time.Second, 7: 320 * time.Second, 8: 10 * time.Minute, 19: 10 * time.Minute, 1000: 10 * time.Minute,
	} {
		if got := rereadWait(attempts); got != want {
			t.Errorf("after %d failures %v, want %v", attempts, got, want)
		}
	}
}
