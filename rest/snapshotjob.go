package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/scheduler/jobs"
)

// Jobs ask Ledger for the bills of a month: *jobs.Jobs does.
type Jobs interface {
	Start(ctx context.Context, request jobs.Request) (*ent.SnapshotJob, error)
	// List gives a page of them, newest first, and their number in all.
	List(ctx context.Context, limit, offset int) ([]*ent.SnapshotJob, int, error)
	// Job gives one; what there is not is [codex.CodeNotFound].
	Job(ctx context.Context, id codex.RunID) (*ent.SnapshotJob, error)
}

// snapshotJobJSON is what a snapshot job has wherever it is shown (docs/compatibility.md, "Archive").
type snapshotJobJSON struct {
	ID                 codex.RunID   `json:"id"`
	JobType            codex.JobType `json:"job_type"`
	Status             string        `json:"status"`
	TargetYear         int           `json:"target_year"`
	TargetMonth        int           `json:"target_month"`
	TotalCompanies     int           `json:"total_companies"`
	CompletedCompanies int           `json:"completed_companies"`
	StartedAt          string        `json:"started_at"`
	CompletedAt        *string       `json:"completed_at"`
	Success            *bool         `json:"success"`
	TriggeredBy        string        `json:"triggered_by"`
}

// listedJobJSON is one in a list.
type listedJobJSON struct {
	snapshotJobJSON
	SuccessCount *int `json:"success_count"`
	FailedCount  *int `json:"failed_count"`
}

// oneJobJSON is one by itself.
type oneJobJSON struct {
	snapshotJobJSON
	Output outputJSON `json:"output"`
	Error  *string    `json:"error"`
}

// outputJSON is what a job did; {} where there is nothing to count.
type outputJSON struct{ *jobs.Output }

func snapshotJobForm(row *ent.SnapshotJob) snapshotJobJSON {
	form := snapshotJobJSON{
		ID: row.ID, JobType: row.JobType, Status: row.Status, TargetYear: row.TargetYear, TargetMonth: row.TargetMonth,
		TotalCompanies: row.TotalCompanies, CompletedCompanies: row.CompletedCompanies,
		StartedAt: jobTime(row.StartedAt), Success: row.Success, TriggeredBy: row.TriggeredBy,
	}
	if row.CompletedAt != nil {
		form.CompletedAt = new(jobTime(*row.CompletedAt))
	}
	return form
}

// How many jobs a page has: unless something is said, and at most.
const (
	jobsPage    = 50
	maxJobsPage = 100
)

// snapshotJobsJSON is a page of jobs.
type snapshotJobsJSON struct {
	Jobs []listedJobJSON `json:"jobs"`
}

func (s *service) snapshotJobs(w http.ResponseWriter, r *http.Request) error {
	asked := form{r: r}
	limit := min(asked.number("limit", jobsPage, 0, maxOffset), maxJobsPage)
	offset := asked.number("offset", 0, 0, maxOffset)
	if asked.err != nil {
		return asked.err
	}
	rows, _, err := s.Jobs.List(r.Context(), limit, offset)
	if err != nil {
		return err
	}
	page := snapshotJobsJSON{Jobs: make([]listedJobJSON, len(rows))}
	for i, row := range rows {
		page.Jobs[i].snapshotJobJSON = snapshotJobForm(row)
		output, err := jobs.ParseOutput(row.Output)
		if err != nil {
			return err
		}
		if output != nil {
			page.Jobs[i].SuccessCount, page.Jobs[i].FailedCount = &output.SuccessCount, &output.FailedCount
		}
	}
	return answer(w, page)
}

func (s *service) snapshotJob(w http.ResponseWriter, r *http.Request) error {
	row, err := s.Jobs.Job(r.Context(), codex.RunID(r.PathValue("job_id")))
	if codex.CodeOf(err) == codex.CodeNotFound {
		return codex.Errorf(codex.CodeNotFound, "Job not found")
	}
	if err != nil {
		return err
	}
	output, err := jobs.ParseOutput(row.Output)
	if err != nil {
		return err
	}
	return answer(w, oneJobJSON{snapshotJobForm(row), outputJSON{output}, row.Error})
}

// startedBillsJSON is the answer to a job that was started.
type startedBillsJSON struct {
	Message string      `json:"message"`
	JobID   codex.RunID `json:"job_id"`
}

// createBills starts a job, which goes on when the answer is there.
func (s *service) createBills(w http.ResponseWriter, r *http.Request) error {
	asked, err := readObject(w, r)
	if err != nil || !asked.has("year") || !asked.has("month") {
		return codex.Errorf(codex.CodeBadInput, "year and month are required")
	}
	year, month := asked.whole("year"), asked.whole("month")
	request := jobs.Request{Type: codex.JobBulk, UserToken: codex.PersonTokenFrom(r.Context())}
	if asked.has("account_numbers") {
		if accounts := asked.accounts("account_numbers"); accounts != nil {
			request.Accounts = *accounts
		}
	}
	if asked.err != nil {
		return asked.err
	}
	request.Period = codex.Period{Year: *year, Month: time.Month(*month)}
	request.By, _ = codex.CallerFrom(r.Context())
	job, err := s.Jobs.Start(r.Context(), request)
	if err != nil {
		return ofKey(err)
	}
	body, err := encode(startedBillsJSON{"Bulk snapshot job started", job.ID})
	if err != nil {
		return err
	}
	write(w, http.StatusAccepted, body)
	return nil
}
