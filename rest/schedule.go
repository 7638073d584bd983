package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/scheduler"
)

// Schedule keeps when the monthly bills are made: *scheduler.Scheduler does.
type Schedule interface {
	SnapshotSchedule(ctx context.Context) (*ent.ScheduledSnapshot, error)
	// UpdateSnapshotSchedule refuses what is wrong with edit as [codex.CodeBadInput] with the Field of
	// dayOfMonth, hour or accountNumbers.
	UpdateSnapshotSchedule(ctx context.Context, edit scheduler.Edit, by codex.Caller) (*ent.ScheduledSnapshot, error)
}

// configJSON is the schedule's configuration under its key.
type configJSON struct {
	Config settingsJSON `json:"config"`
}

// settingsJSON is when the monthly bills are made (docs/compatibility.md, "Archive").
type settingsJSON struct {
	ID                    int     `json:"id"`
	Enabled               bool    `json:"enabled"`
	DayOfMonth            int     `json:"day_of_month"`
	Hour                  int     `json:"hour"`
	SnapshotPreviousMonth bool    `json:"snapshot_previous_month"`
	SnapshotAllCompanies  bool    `json:"snapshot_all_companies"`
	LastRunAt             *string `json:"last_run_at"`
	LastRunStatus         *string `json:"last_run_status"`
	LastRunCount          *int    `json:"last_run_count"`
}

func (s *service) schedule(w http.ResponseWriter, r *http.Request) error {
	row, err := s.Schedule.SnapshotSchedule(r.Context())
	if err != nil {
		return err
	}
	form := settingsJSON{
		ID: row.ID, Enabled: row.Enabled, DayOfMonth: row.DayOfMonth, Hour: row.Hour,
		SnapshotPreviousMonth: row.SnapshotPreviousMonth, SnapshotAllCompanies: row.SnapshotAllCompanies,
		LastRunStatus: row.LastRunStatus, LastRunCount: row.LastRunCount,
	}
	if row.LastRunAt != nil {
		form.LastRunAt = new(jobTime(*row.LastRunAt))
	}
	return answer(w, configJSON{Config: form})
}

// messageJSON is an answer that only says what was done.
type messageJSON struct {
	Message string `json:"message"`
}

func (s *service) changeSchedule(w http.ResponseWriter, r *http.Request) error {
	asked, err := readObject(w, r)
	if err != nil {
		return err
	}
	edit := scheduler.Edit{
		Enabled: asked.truth("enabled"), DayOfMonth: asked.whole("day_of_month"), Hour: asked.whole("hour"),
		PreviousMonth: asked.truth("snapshot_previous_month"), AllCompanies: asked.truth("snapshot_all_companies"),
		AccountNumbers: asked.accounts("account_numbers"),
	}
	if asked.err != nil {
		return asked.err
	}
	caller, _ := codex.CallerFrom(r.Context())
	if _, err := s.Schedule.UpdateSnapshotSchedule(r.Context(), edit, caller); err != nil {
		return ofKey(err)
	}
	return answer(w, messageJSON{"Scheduler configuration updated"})
}

// ofKey is an error about a field of GraphQL's with the key that the body has for it.
func ofKey(err error) error {
	told, coded := errors.AsType[*codex.Error](err)
	if !coded {
		return err
	}
	key, named := map[string]string{"dayOfMonth": "day_of_month", "accountNumbers": "account_numbers"}[told.Field]
	if !named {
		return err
	}
	return &codex.Error{Code: told.Code, Field: key, Message: told.Message, Err: told.Err}
}

// maxObjectBytes bounds a body that has settings alone.
const maxObjectBytes = 1 << 20

// object is a body's JSON object: it reads keys, and keeps the first thing that is wrong with one. Keys
// that nobody asks for are ignored.
type object struct {
	keys map[string]json.RawMessage
	err  error
}

// readObject reads the body. One that is no object, or an empty one, has no data.
func readObject(w http.ResponseWriter, r *http.Request) (*object, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxObjectBytes))
	if err != nil {
		return nil, codex.Wrap(codex.CodeBadInput, err, "the body could not be read: it has at most %d bytes", maxObjectBytes)
	}
	o := &object{}
	if err := json.Unmarshal(body, &o.keys); err != nil || len(o.keys) == 0 {
		return nil, codex.Errorf(codex.CodeBadInput, "No data provided")
	}
	return o, nil
}

// has tells whether the body has a key that is not null.
func (o *object) has(key string) bool {
	raw, there := o.keys[key]
	return there && string(raw) != "null"
}

// read reads a key into value; wanted says what it has to be.
func (o *object) read(key string, value any, wanted string) bool {
	raw, there := o.keys[key]
	if !there {
		return false
	}
	if string(raw) == "null" || json.Unmarshal(raw, value) != nil {
		o.fail(key, wanted)
		return false
	}
	return true
}

func (o *object) fail(key, wanted string) {
	if o.err == nil {
		o.err = codex.BadInput(key, "give %s", wanted)
	}
}

func (o *object) truth(key string) *bool {
	var value bool
	if !o.read(key, &value, "true or false") {
		return nil
	}
	return &value
}

// whole takes a number, or a text of digits, as forms send it.
func (o *object) whole(key string) *int {
	const wanted = "a whole number"
	var value any
	if !o.read(key, &value, wanted) {
		return nil
	}
	n := 0
	switch value := value.(type) {
	case float64:
		if value != math.Trunc(value) || math.Abs(value) > maxOffset {
			o.fail(key, wanted)
			return nil
		}
		n = int(value)
	case string:
		var err error
		if n, err = strconv.Atoi(value); err != nil {
			o.fail(key, wanted)
			return nil
		}
	default:
		o.fail(key, wanted)
		return nil
	}
	return &n
}

// accounts takes a list of account numbers, each a text or a number.
func (o *object) accounts(key string) *[]codex.AccountNumber {
	const wanted = "a list of account numbers"
	var values []any
	if !o.read(key, &values, wanted) {
		return nil
	}
	accounts := make([]codex.AccountNumber, len(values))
	for i, value := range values {
		switch value := value.(type) {
		case string:
			accounts[i] = codex.AccountNumber(value)
		case float64:
			accounts[i] = codex.AccountNumber(strconv.FormatFloat(value, 'f', -1, 64))
		default:
			o.fail(fmt.Sprintf("%s[%d]", key, i), "an account number")
		}
	}
	return &accounts
}
