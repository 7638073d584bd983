package reconcile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

// Flags of the hub's own work.
const (
	FlagMonthNotOver  = "month_not_over"  // the month goes on: what is billed may still change
	FlagFeedNotSynced = "feed_not_synced" // a feed has not succeeded since the month ended
)

// feeds are the flags of feeds that have not succeeded since the month ended. A run must have begun
// after that: one that was under way at midnight may have read a list before it.
func (d *deciding) feeds() []*Flag {
	if d.Now.Before(d.Period.End()) {
		month := flagOf("", FlagMonthNotOver, Item{Entity: EntityFeeds, ID: "month", Name: d.Period.String()})
		month.Seen = fmt.Sprintf("%s is not over: what happens until its end (%s) is not in this review.", d.Period, shownTime(d.Period.End()))
		month.Do = "Look again when it is over and all feeds have been synced."
		return []*Flag{month}
	}
	var flags []*Flag
	for _, feed := range d.Feeds {
		if s := feed.Succeeded; s != nil && !s.StartedAt.Before(d.Period.End()) {
			continue
		}
		name := string(feed.Feed)
		var facts []string
		if feed.Newest != nil {
			facts = []string{string(feed.Newest.ID), string(feed.Newest.State)}
		}
		flag := flagOf("", FlagFeedNotSynced, Item{Entity: EntityFeeds, ID: name}, facts...)
		flag.Seen = fmt.Sprintf("%s has not been synced since %s ended: %s.", name, d.Period, feed.story())
		flag.Do = feed.advice()
		flags = append(flags, flag)
	}
	return flags
}

// story is how the feed came to stand so, without a full stop.
func (f FeedFact) story() string {
	if f.Newest == nil {
		return "it never ran"
	}
	last := "it never succeeded"
	if f.Succeeded != nil {
		last = "the last run that succeeded began at " + shownTime(f.Succeeded.StartedAt)
	}
	if f.Succeeded != nil && f.Succeeded.ID == f.Newest.ID {
		return last
	}
	story := fmt.Sprintf("%s; the newest, %s, is %s", last, f.Newest.ID, f.Newest.State)
	if f.Newest.Error != "" {
		first, _, _ := strings.Cut(f.Newest.Error, "\n")
		story += " (" + strings.TrimRight(first, ".") + ")"
	}
	return story
}

// advice is what to do about it.
func (f FeedFact) advice() string {
	sync := "codex sync " + string(f.Feed)
	switch {
	case f.Newest == nil:
	case f.Newest.State == codex.RunHeld:
		return fmt.Sprintf("Look at the removals that it holds: codex sync approve %s makes them. Then sync again: %s.", f.Newest.ID, sync)
	case !f.Newest.State.Final():
		return "Wait for that run, and look again."
	case f.Newest.State == codex.RunPartial || f.Newest.State == codex.RunFailed:
		return fmt.Sprintf("See what that run could not do (codex sync show %s), and sync again: %s.", f.Newest.ID, sync)
	}
	return "Sync it before you bill: " + sync + "."
}

func shownTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }

// issueRule is how an open issue of a sync is flagged. The flag's kind is the issue's, whose reason is
// what is seen.
type issueRule struct {
	kind   syncers.IssueKind
	entity string // of what the issue's id is
	named  bool   // the first text in quotes of its reason is what the item is called
	do     string
}

// quotedName is the first text in quotes of an issue's reason; empty where there is none. An issue keeps
// no other name.
func quotedName(reason string) string {
	if at := strings.IndexByte(reason, '"'); at >= 0 {
		if quoted, err := strconv.QuotedPrefix(reason[at:]); err == nil {
			if name, err := strconv.Unquote(quoted); err == nil {
				return name
			}
		}
	}
	return ""
}

// issueRules are the issues that change what is billed, or hide it, in the order of their flags. Others
// are for people who look after the syncs.
func issueRules() []issueRule {
	return []issueRule{
		{syncers.IssueCompanyLeaving, EntityDepartments, true, "Bill it a last time, or archive it first if there is nothing to bill."},
		{syncers.IssueAccountNumberChanged, EntityDepartments, true, "Decide which number it is to be billed under, and rename the company or correct the department."},
		{syncers.IssueNoAccountNumber, EntityDepartments, true, "Give the department its account number if it is a customer: nothing of it is billed."},
		{syncers.IssueSiteWithoutAccount, EntitySites, true, "Give the site its account number in Datto RMM, and sync datto: nothing at it is billed."},
		{syncers.IssueSiteUnread, EntitySites, true, "Sync datto again: what changed at the site is not billed."},
		{syncers.IssueDeviceWithoutCompany, EntityDevices, true, "Correct the site's account number in Datto RMM, and sync datto: the device is not billed where it belongs."},
		{syncers.IssueDeviceWithoutHostname, EntityDevices, false, "Give the device a hostname in Datto RMM, and sync datto: it is not billed."},
		{syncers.IssueBackupNoNumber, EntityDevices, true, "Correct the field in Datto RMM, and sync datto: its backup is not billed."},
		{syncers.IssueContactWithoutEmail, EntityRequesters, true, "Give the person an e-mail address in Freshservice, and sync freshservice: they are not billed."},
		{syncers.IssueTicketWithoutCompany, EntityTickets, false, "Give the ticket its department in Freshservice, and sync tickets: its hours are not billed."},
		{syncers.IssueTicketUnread, EntityTickets, false, "Sync tickets again: its hours may be others than those that are billed."},
		{syncers.IssueUnknownStatus, EntityStatuses, false, "Say in [freshservice] closed_statuses or open_statuses what the status is, and sync tickets."},
		{syncers.IssueBadRecord, EntityRecords, false, "Correct the record at its upstream, or ask who looks after the hub: it is billed as it was before, or not at all."},
	}
}

// machineIssues are the issues that become flags of machines: see flags_machines.go.
func machineIssues() map[syncers.IssueKind]string {
	return map[syncers.IssueKind]string{
		syncers.IssueProbableDuplicate: FlagProbableDuplicate,
		syncers.IssueReimaged:          FlagReimaged,
	}
}

// issuesOf are the flags of the open issues of a company, or of none. The fingerprint holds nothing of
// the reason, which may tell of the error of the day.
func (d *deciding) issuesOf(account codex.AccountNumber) []*Flag {
	var flags []*Flag
	for _, rule := range issueRules() {
		for _, issue := range d.issues[account] {
			if issue.Kind != rule.kind {
				continue
			}
			item := Item{Entity: rule.entity, ID: issue.ID}
			if rule.named {
				item.Name = quotedName(issue.Reason)
			}
			flag := flagOf(account, string(issue.Kind), item, string(issue.Feed), string(issue.Account))
			flag.Seen, flag.Do = issue.Reason, rule.do
			flags = append(flags, flag)
		}
	}
	return flags
}
