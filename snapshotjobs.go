package codex

// JobType says who wants the bills of a snapshot job, in the old Archive service's words
// (docs/compatibility.md, "Archive").
type JobType string

// The types.
const (
	JobScheduled JobType = "scheduled" // its time had come: it syncs first, and waits for what is stale
	JobBulk      JobType = "bulk"      // a person or program asked: it goes on with what there is
)

// JobState is where a snapshot job stands.
//
//	queued ─▶ syncing ─▶ running ─▶ completed | failed | cancelled
//	   │         └──▶ blocked ─▶ running (what was stale is fresh, or an admin forces it)
//	   └────────────▶ running (nothing is synced for a person)
//
// A retry of the companies that have no bill makes one that has ended queued again.
type JobState string

// The states. The last three are final.
const (
	JobQueued    JobState = "queued"    // waits for its turn: one is at work in the whole installation
	JobSyncing   JobState = "syncing"   // its feeds run
	JobBlocked   JobState = "blocked"   // a feed has not succeeded since the month ended
	JobRunning   JobState = "running"   // asks for one bill after the other
	JobCompleted JobState = "completed" // every company was gone through, some of them perhaps in vain
	JobFailed    JobState = "failed"    // it ended before that; Error says why
	JobCancelled JobState = "cancelled" // a person stopped it
)

// Final tells whether a job in state s has ended.
func (s JobState) Final() bool { return s == JobCompleted || s == JobFailed || s == JobCancelled }

// Status is s in the old service's words, which knows three: what waits is running, what was cancelled
// has failed. A blocked job is failed too, so that whoever watches a month by the old paths looks.
func (s JobState) Status() string {
	switch s {
	case JobCompleted:
		return "completed"
	case JobFailed, JobCancelled, JobBlocked:
		return "failed"
	default:
		return "running"
	}
}

// JobCompanyState is what became of a company's bill in a job.
type JobCompanyState string

// The states. A retry takes up failed and held ones.
const (
	CompanyWaiting JobCompanyState = "waiting" // to be asked for
	CompanyMade    JobCompanyState = "made"    // Ledger made it, and it is in the archive
	CompanyAlready JobCompanyState = "already" // it was there
	CompanyFailed  JobCompanyState = "failed"
	CompanyHeld    JobCompanyState = "held" // the bill review flags the company, and nobody acknowledged that
)

// Done tells whether the company has its bill.
func (s JobCompanyState) Done() bool { return s == CompanyMade || s == CompanyAlready }
