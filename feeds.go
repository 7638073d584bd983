package codex

import "slices"

// Feed is one of the three things that are synced, each by its own runs.
type Feed string

// The feeds, in the order in which they run: tickets and assets need the companies.
const (
	FeedFreshservice Feed = "freshservice" // companies, locations, contacts
	FeedDatto        Feed = "datto"        // sites, assets, backup readings
	FeedTickets      Feed = "tickets"      // closed tickets, time entries, conversations
)

// Feeds are all feeds in their running order.
func Feeds() []Feed { return []Feed{FeedFreshservice, FeedDatto, FeedTickets} }

// ParseFeed takes a feed's name as people and paths write it.
func ParseFeed(name string) (Feed, error) {
	if feed := Feed(name); slices.Contains(Feeds(), feed) {
		return feed, nil
	}
	return "", BadInput("feed", "there is no feed %q: it is freshservice, datto or tickets", name)
}

// RunMode says how much a sync run reads.
type RunMode string

// The modes. Only tickets tell incremental from full: the other feeds always read everything.
const (
	ModeIncremental RunMode = "incremental" // since the sync checkpoint
	ModeFull        RunMode = "full"        // the whole window
	// ModeReread is a run that reads only records that a webhook named. It is beside the others: it
	// is not joined, waits for none, and says nothing of what else its feed has.
	ModeReread RunMode = "reread"
)

// RunState is where a sync run stands.
//
//	queued ─▶ running ─▶ succeeded | partial | held | failed | cancelled
//	              └────▶ interrupted (its process died)
type RunState string

// The states. The last six are final.
const (
	RunQueued      RunState = "queued"      // waits for another run of its feed
	RunRunning     RunState = "running"     // at work; its heartbeat moves
	RunSucceeded   RunState = "succeeded"   // everything in scope was read and applied
	RunPartial     RunState = "partial"     // something in scope could not be read; the rest was applied
	RunHeld        RunState = "held"        // applied, but for removals beyond the guard
	RunFailed      RunState = "failed"      // nothing more could be done; Error says why
	RunCancelled   RunState = "cancelled"   // a person stopped it
	RunInterrupted RunState = "interrupted" // its process died before the end
)

// Final tells whether a run in state s has ended.
func (s RunState) Final() bool { return s != RunQueued && s != RunRunning }

// RunTrigger says what started a sync run.
type RunTrigger string

// The triggers.
const (
	TriggerCLI      RunTrigger = "cli"      // the command line
	TriggerAPI      RunTrigger = "api"      // GraphQL or REST
	TriggerSchedule RunTrigger = "schedule" // its time had come
	TriggerCatchUp  RunTrigger = "catch-up" // its time came while the hub was down
	TriggerWebhook  RunTrigger = "webhook"  // Freshservice announced a change
	TriggerJob      RunTrigger = "job"      // the monthly billing job
	TriggerDemo     RunTrigger = "demo"     // the built-in simulator's first sync
)
