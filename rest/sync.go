package rest

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/syncers"
)

// startedJSON is the answer to a sync that was started, or joined where it was under way already: the
// message, which is for people, says which (docs/compatibility.md, "Sync jobs").
type startedJSON struct {
	Success bool        `json:"success"`
	JobID   codex.RunID `json:"job_id"`
	Message string      `json:"message"`
}

// notStartedJSON is the answer to one that could not be.
type notStartedJSON struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`
}

// startSync starts a run of feed. What keeps it from starting is a 500 whatever it is, a feed that
// is not configured too: that is the contract.
func (s *service) startSync(feed codex.Feed) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error { return s.start(w, r, feed) }
}

func (s *service) start(w http.ResponseWriter, r *http.Request, feed codex.Feed) error {
	if r.URL.Query().Has("force") {
		return notAsked(w, codex.BadInput("force", "no path of REST does it; use codex sync --force, or the argument force of GraphQL's syncs"))
	}
	full, err := flag(r, "full")
	if err != nil {
		return notAsked(w, err)
	}
	wait, err := flag(r, "wait")
	if err != nil {
		return notAsked(w, err)
	}
	caller, _ := codex.CallerFrom(r.Context())
	request := syncers.Request{
		Feed:    feed,
		Mode:    codex.ModeIncremental,
		Trigger: cmp.Or(caller.Trigger, codex.TriggerAPI),
		By:      caller.Name,
	}
	if full && feed == codex.FeedTickets { // the others always read everything
		request.Mode = codex.ModeFull
	}
	run, joined, err := s.Sync.Start(r.Context(), request)
	if err != nil {
		return s.notStarted(w, r, err)
	}
	if wait {
		// Who goes away meanwhile stops nothing: the run is the engine's.
		if run, err = s.Sync.Wait(r.Context(), run.ID); err != nil {
			return err
		}
		return answer(w, jobForm(run))
	}
	message := "The sync of " + string(run.Feed) + " is under way"
	if joined {
		message = "The sync of " + string(run.Feed) + " was under way already: this job is it"
	}
	return answer(w, startedJSON{Success: true, JobID: run.ID, Message: message})
}

func (s *service) notStarted(w http.ResponseWriter, r *http.Request, err error) error {
	status, message := Describe(err)
	var coded *codex.Error
	if errors.As(err, &coded) && status < http.StatusInternalServerError {
		message = coded.Message // no Field: the caller gave none
	} else {
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "a sync could not be started", LogAttrs(r, err)...)
	}
	return writeNotStarted(w, http.StatusInternalServerError, message)
}

// notAsked answers a request whose parameters cannot be understood.
func notAsked(w http.ResponseWriter, err error) error {
	status, message := Describe(err)
	return writeNotStarted(w, status, message)
}

func writeNotStarted(w http.ResponseWriter, status int, message string) error {
	body, err := encode(notStartedJSON{Error: message})
	if err != nil {
		return err
	}
	write(w, status, body)
	return nil
}

// jobJSON is a sync run as the old service's callers know it (docs/compatibility.md, "Sync jobs").
type jobJSON struct {
	ID            codex.RunID `json:"id"`
	Script        codex.Feed  `json:"script"`
	Status        string      `json:"status"`
	StartedAt     string      `json:"started_at"`
	CompletedAt   *string     `json:"completed_at"`
	Output        string      `json:"output"`
	Error         *string     `json:"error"`
	Success       *bool       `json:"success"`
	*progressJSON             // nil leaves its key out
}

// progressJSON is what a running ticket sync tells more.
type progressJSON struct {
	CurrentTickets int `json:"current_tickets"`
}

// jobForm knows three states of the eight: whoever hears completed bills on it, so that everything
// but a full success is failed, with its reason.
func jobForm(run *ent.SyncRun) jobJSON {
	job := jobJSON{ID: run.ID, Script: run.Feed, Output: run.Output, StartedAt: jobTime(run.QueuedAt)}
	if run.StartedAt != nil {
		job.StartedAt = jobTime(*run.StartedAt)
	}
	if run.EndedAt != nil {
		ended := jobTime(*run.EndedAt)
		job.CompletedAt = &ended
	}
	switch {
	case !run.State.Final():
		job.Status = "running"
	case run.State == codex.RunSucceeded:
		success := true
		job.Status, job.Success = "completed", &success
	default:
		success := false
		job.Status, job.Success, job.Error = "failed", &success, run.Error
		if run.Error == nil {
			reason := "the sync is " + string(run.State)
			job.Error = &reason
		}
	}
	return job
}

// jobTime is Python's isoformat of a time in UTC without zone: six decimals unless they are 0.
func jobTime(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}

func (s *service) syncStatus(w http.ResponseWriter, r *http.Request) error {
	run, err := s.reader.Run(r.Context(), codex.RunID(r.PathValue("job_id")))
	if codex.CodeOf(err) == codex.CodeNotFound {
		return codex.Errorf(codex.CodeNotFound, "Job not found")
	}
	if err != nil {
		return err
	}
	job := jobForm(run)
	if !run.State.Final() && run.Feed == codex.FeedTickets {
		job.progressJSON = &progressJSON{CurrentTickets: run.ProgressDone}
	}
	return answer(w, job)
}

func (s *service) lastSync(w http.ResponseWriter, r *http.Request) error {
	run, err := s.reader.LastRun(r.Context(), codex.Feed(r.PathValue("script")))
	if err != nil {
		return err
	}
	if run == nil {
		return codex.Errorf(codex.CodeNotFound, "No sync found for this script")
	}
	return answer(w, jobForm(run))
}
